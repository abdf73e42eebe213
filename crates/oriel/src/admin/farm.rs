//! `oriel farm`.

use clap::Subcommand;

use super::{
    Desk,
    objects::{self, SetOptions},
    output,
};
use crate::failure::Outcome;

/// `oriel farm …`
#[derive(Debug, Subcommand)]
pub enum FarmCommand {
    /// Show the farm's own settings
    Show,
    /// Change the farm's name or settings, such as --set sign_in.lockout_after=10
    Set {
        #[command(flatten)]
        options: SetOptions,
    },
}

impl FarmCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let farm = desk.client.get("farm", &[])?;
        match self {
            FarmCommand::Show => output::one(desk.format, &farm),
            FarmCommand::Set { options } => {
                objects::write_back(desk, "farm", "farm", farm, &options, |_| Ok(()))
            }
        }
    }
}
