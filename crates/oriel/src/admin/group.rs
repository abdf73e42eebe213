//! `oriel group`.

use clap::Subcommand;
use serde_json::json;

use super::{
    Desk, names,
    objects::{self, CreateOptions, ListOptions, Named, Noun, SetOptions},
    output::{self, Column},
    user,
};
use crate::failure::Outcome;

/// Groups of users.
pub static NOUN: Noun = Noun {
    path: "groups",
    word: "group",
    command: "group",
    columns: &[
        Column::plain("NAME", "/name"),
        Column::plain("DESCRIPTION", "/spec/description"),
        Column::plain("ID", "/id"),
    ],
    refers: &[],
};

/// `oriel group …`
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List groups
    List(ListOptions),
    /// Show a group
    Show(Named),
    /// List the users who belong to a group
    Members(Named),
    /// Make a group
    Create {
        /// Name of the new group
        name: String,
        /// For administrators
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        #[command(flatten)]
        options: CreateOptions,
    },
    /// Change a group
    Set {
        #[command(flatten)]
        named: Named,
        /// For administrators
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        #[command(flatten)]
        options: SetOptions,
    },
    /// Delete a group that nobody belongs to and that no rule names
    Delete(Named),
}

impl GroupCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            GroupCommand::List(options) => objects::list(desk, &NOUN, &options),
            GroupCommand::Show(named) => objects::show(desk, &NOUN, &named),
            GroupCommand::Members(named) => {
                let id = names::id(&desk.client, &NOUN, &named.name)?;
                let mut rows = desk.client.list(&format!("groups/{id}/members"), &[])?;
                names::show_names(&desk.client, &NOUN, "/spec/groups", &mut rows)?;
                output::rows(desk.format, user::NOUN.columns, &rows)
            }
            GroupCommand::Create { name, description, options } => {
                objects::create(desk, &NOUN, &name, &options, json!({"description": description}))
            }
            GroupCommand::Set { named, description, options } => {
                objects::set(desk, &NOUN, &named, &options, |spec| {
                    if let Some(description) = description {
                        spec["description"] = description.into();
                    }
                    Ok(())
                })
            }
            GroupCommand::Delete(named) => objects::delete(desk, &NOUN, &named),
        }
    }
}
