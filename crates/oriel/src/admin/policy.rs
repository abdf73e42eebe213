//! `oriel policy`.

use clap::{Args, Subcommand, ValueEnum};
use oriel_model::Kind;
use serde_json::Value;

use super::{
    Desk,
    frame::{self, Made, put},
    meant::MeantFor,
};
use crate::failure::Outcome;

/// `oriel policy …`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    #[command(flatten)]
    Made(Made<Fields>),
}

/// The fields of a policy that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// Whether it is in force
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// For administrators
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Its place among all policies: smaller first, and the first that fits a user holds
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    order: Option<i32>,
    /// Which way the clipboard works
    #[arg(long, value_enum)]
    clipboard: Option<Direction>,
    /// Which way files pass to and from the user's drives
    #[arg(long, value_enum)]
    drives: Option<Direction>,
    /// Whether the user's printers are in the session
    #[arg(long, value_name = "true|false")]
    printing: Option<bool>,
    /// Whether the session's sound is heard
    #[arg(long, value_name = "true|false")]
    sound: Option<bool>,
    /// Whether the session hears the user's microphone
    #[arg(long, value_name = "true|false")]
    microphone: Option<bool>,
    /// What the session leaves out for the user's network
    #[arg(long, value_enum)]
    quality: Option<Quality>,
    #[command(flatten)]
    meant_for: MeantFor,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Direction {
    /// Not at all
    None,
    /// From the device into the session
    ToSession,
    /// From the session to the device
    FromSession,
    /// Both ways
    Both,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Quality {
    /// What client and host find right
    Automatic,
    /// Wallpaper, effects and themes
    Slow,
    /// Nothing
    Fast,
}

impl Quality {
    fn word(self) -> &'static str {
        match self {
            Quality::Automatic => "automatic",
            Quality::Slow => "slow",
            Quality::Fast => "fast",
        }
    }
}

impl Direction {
    fn word(self) -> &'static str {
        match self {
            Direction::None => "none",
            Direction::ToSession => "to_session",
            Direction::FromSession => "from_session",
            Direction::Both => "both",
        }
    }
}

impl frame::Fields for Fields {
    fn apply(&self, _: &Desk, spec: &mut Value) -> Outcome {
        put(spec, "enabled", self.enabled)?;
        put(spec, "description", self.description.as_deref())?;
        put(spec, "order", self.order)?;
        put(spec, "settings.clipboard.direction", self.clipboard.map(Direction::word))?;
        put(spec, "settings.drives.direction", self.drives.map(Direction::word))?;
        put(spec, "settings.printing.printers", self.printing)?;
        put(spec, "settings.audio.playback", self.sound)?;
        put(spec, "settings.audio.recording", self.microphone)?;
        put(spec, "settings.network.quality", self.quality.map(Quality::word))?;
        put(spec, "rules", self.meant_for.rules())
    }
}

impl PolicyCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let PolicyCommand::Made(command) = self;
        command.run(desk, Kind::Policy)
    }
}
