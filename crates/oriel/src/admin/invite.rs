//! `oriel invite`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Desk, Format, names,
    objects::{self, ListOptions, Named, Noun},
    output::{self, Column},
    pool,
};
use crate::failure::Outcome;

static NOUN: Noun = Noun {
    path: "invitations",
    word: "invitation",
    command: "invite",
    columns: &[
        Column::plain("NAME", "/name"),
        Column::plain("FOR", "/spec/role"),
        Column::plain("STATE", "/state"),
        Column::plain("UNTIL", "/spec/expires_at"),
        Column::plain("POOL", "/spec/pool"),
        Column::plain("USED FROM", "/spec/used/address"),
        Column::plain("ID", "/id"),
    ],
    refers: &[(&pool::NOUN, "/spec/pool")],
};

/// `oriel invite …`
#[derive(Debug, Subcommand)]
pub enum InviteCommand {
    /// Invite a gateway; prints the string for `oriel gateway join`
    Gateway(Terms),
    /// Invite a session host; prints the string for `oriel agent join`
    Agent {
        /// The pool that the host is put into; may be left out while there is only one
        #[arg(long, value_name = "POOL")]
        pool: Option<String>,
        #[command(flatten)]
        terms: Terms,
    },
    /// List invitations
    List(ListOptions),
    /// Take an invitation back
    Delete(Named),
}

/// What every invitation says.
#[derive(Debug, Args)]
pub struct Terms {
    /// How long it works, in hours (at most 720)
    #[arg(long, value_name = "NUMBER", default_value_t = 24)]
    hours: u32,
    /// Name that the component gets in the farm; otherwise its machine's name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl InviteCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            InviteCommand::Gateway(terms) => terms.invite(desk, "gateway", None),
            InviteCommand::Agent { pool, terms } => {
                let pool = match pool {
                    Some(name) => names::id(&desk.client, &pool::NOUN, &name)?,
                    None => only_pool(desk)?,
                };
                terms.invite(desk, "agent", Some(pool))
            }
            InviteCommand::List(options) => objects::list(desk, &NOUN, &options),
            InviteCommand::Delete(named) => objects::delete(desk, &NOUN, &named),
        }
    }
}

impl Terms {
    fn invite(&self, desk: &Desk, role: &str, pool: Option<String>) -> Outcome {
        let body = json!({"role": role, "pool": pool, "hours": self.hours, "component_name": self.name});
        let made = desk.client.post(NOUN.path, &body)?;
        if desk.format == Format::Json {
            return output::json(&made);
        }
        eprintln!(
            "Works once, for {} hours. On the other machine: oriel {role} join STRING --data DIR",
            self.hours
        );
        output::print(&format!("{}\n", made["string"].as_str().unwrap_or_default()))
    }
}

/// The farm's only pool.
fn only_pool(desk: &Desk) -> Outcome<String> {
    let pools = desk.client.list(pool::NOUN.path, &[])?;
    match pools.as_slice() {
        [only] => Ok(names::id_of(only)),
        several => {
            let names: Vec<_> = several.iter().filter_map(|pool: &Value| pool["name"].as_str()).collect();
            Err(crate::failure::Failure::Usage(match names.as_slice() {
                [] => "there is no pool for the host yet: make one with oriel pool create NAME".into(),
                names => {
                    format!("which pool shall the host be in? Give --pool with one of: {}", names.join(", "))
                }
            }))
        }
    }
}
