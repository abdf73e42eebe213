//! `oriel site`.

use clap::{Args, Subcommand};
use oriel_model::Kind;
use serde_json::Value;

use super::{
    Desk,
    apply::CopySite,
    frame::{self, Made, put},
};
use crate::failure::Outcome;

/// `oriel site …`
#[derive(Debug, Subcommand)]
pub enum SiteCommand {
    #[command(flatten)]
    Made(Made<Fields>),
    /// Copy settings of a site to others, once or kept in step
    Copy(CopySite),
}

/// The fields of a site that have options of their own.
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

impl SiteCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            SiteCommand::Made(command) => command.run(desk, Kind::Site),
            SiteCommand::Copy(copy) => copy.run(desk),
        }
    }
}
