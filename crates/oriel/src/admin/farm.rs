//! `oriel farm`.

use clap::Subcommand;
use oriel_model::Kind;

use super::{
    Desk,
    objects::{self, Named, SetOptions},
};
use crate::failure::Outcome;

/// `oriel farm …`
#[derive(Debug, Subcommand)]
pub enum FarmCommand {
    /// Show the farm's own settings
    Show,
    /// Change the farm's name or settings, such as sign_in.lockout_after=10
    Set {
        #[command(flatten)]
        options: SetOptions,
    },
}

impl FarmCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            FarmCommand::Show => objects::show(desk, Kind::Farm, &Named { name: String::new() }),
            FarmCommand::Set { options } => objects::set(desk, Kind::Farm, "", &options, |_| Ok(())),
        }
    }
}
