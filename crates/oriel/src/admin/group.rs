//! `oriel group`.

use clap::{Args, Subcommand};
use oriel_model::Kind;
use serde_json::Value;

use super::{
    Desk,
    frame::{self, Made, put},
    names,
    objects::{self, Named},
};
use crate::failure::Outcome;

/// `oriel group …`
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    #[command(flatten)]
    Made(Made<Fields>),
    /// List the users who belong to a group
    Members(Named),
}

/// The fields of a group that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// For administrators
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

impl frame::Fields for Fields {
    fn apply(&self, _: &Desk, spec: &mut Value) -> Outcome {
        put(spec, "description", self.description.as_deref())
    }
}

impl GroupCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            GroupCommand::Made(command) => command.run(desk, Kind::Group),
            GroupCommand::Members(named) => {
                let id = names::id(&desk.client, Kind::Group, &named.name)?;
                let mut rows = desk.client.list(&format!("groups/{id}/members"), &[])?;
                objects::print(desk, Kind::User, &mut rows, &[])
            }
        }
    }
}
