//! `oriel invite`.

use clap::{Args, Subcommand};
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{Desk, frame::Ended, names, output, plan};
use crate::failure::{Failure, Outcome};

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
    #[command(flatten)]
    Ended(Ended),
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
                    Some(name) => names::id(&desk.client, Kind::Pool, &name)?,
                    None => only_pool(desk)?,
                };
                terms.invite(desk, "agent", Some(pool))
            }
            InviteCommand::Ended(command) => command.run(desk, Kind::Invitation),
        }
    }
}

impl Terms {
    fn invite(&self, desk: &Desk, role: &str, pool: Option<String>) -> Outcome {
        let body = json!({"role": role, "pool": pool, "hours": self.hours, "component_name": self.name});
        if desk.client.dry_run() {
            let hours = self.hours;
            return plan::of_action(desk, &format!("Would invite one {role}, for {hours} hours."));
        }
        let made = desk.client.post(Kind::Invitation.plural(), &body)?;
        if !desk.format.is_for_people() {
            return output::value(desk.format, &made);
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
    let pools = desk.client.list(Kind::Pool.plural(), &[])?;
    match pools.as_slice() {
        [only] => Ok(names::id_of(only)),
        several => {
            let names: Vec<_> = several.iter().filter_map(|pool: &Value| pool["name"].as_str()).collect();
            Err(Failure::Usage(match names.as_slice() {
                [] => "there is no pool for the host yet: make one with oriel pool create NAME".into(),
                names => {
                    format!("which pool shall the host be in? Give --pool with one of: {}", names.join(", "))
                }
            }))
        }
    }
}
