//! `oriel site`.

use clap::Subcommand;
use serde_json::json;

use super::{
    Desk,
    objects::{self, CreateOptions, ListOptions, Named, Noun, SetOptions},
    output::Column,
};
use crate::failure::Outcome;

/// Sites.
pub static NOUN: Noun = Noun {
    path: "sites",
    word: "site",
    command: "site",
    columns: &[
        Column::plain("NAME", "/name"),
        Column::plain("DESCRIPTION", "/spec/description"),
        Column::plain("ID", "/id"),
    ],
    refers: &[],
};

/// `oriel site …`
#[derive(Debug, Subcommand)]
pub enum SiteCommand {
    /// List sites
    List(ListOptions),
    /// Show a site and the defaults of its hosts
    Show(Named),
    /// Make a site
    Create {
        /// Name of the new site
        name: String,
        #[command(flatten)]
        options: CreateOptions,
    },
    /// Change a site, such as --set host_defaults.max_sessions=40
    Set {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        options: SetOptions,
    },
    /// Delete a site that nothing belongs to
    Delete(Named),
}

impl SiteCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            SiteCommand::List(options) => objects::list(desk, &NOUN, &options),
            SiteCommand::Show(named) => objects::show(desk, &NOUN, &named),
            SiteCommand::Create { name, options } => objects::create(desk, &NOUN, &name, &options, json!({})),
            SiteCommand::Set { named, options } => objects::set(desk, &NOUN, &named, &options, |_| Ok(())),
            SiteCommand::Delete(named) => objects::delete(desk, &NOUN, &named),
        }
    }
}
