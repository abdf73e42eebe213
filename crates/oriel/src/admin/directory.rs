//! `oriel directory`: what is particular to directories of people. They are made and changed as all objects are, by
//! `oriel create`, `oriel set` and `oriel apply`.

use clap::{Subcommand, ValueEnum};
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk, columns,
    frame::Ended,
    names,
    objects::{self, Named},
    output::{self, plain},
    plan,
    secret::PasswordSource,
};
use crate::failure::Outcome;

/// `oriel directory …`
#[derive(Debug, Subcommand)]
pub enum DirectoryCommand {
    #[command(flatten)]
    Ended(Ended),
    /// Ask every server of a directory once, and say how each answers
    Check(Named),
    /// Look for people or groups in a directory
    Search {
        #[command(flatten)]
        named: Named,
        /// What a name begins with; nothing: all of them
        #[arg(default_value = "")]
        text: String,
        /// What is looked for
        #[arg(long, value_enum, default_value = "users")]
        kind: Sought,
    },
    /// Make the object that stands for a user or a group of a directory, so that rules can name it
    Adopt {
        #[command(flatten)]
        named: Named,
        /// What it is there, as `oriel directory search` shows it: a SID or an entry's UUID
        external: String,
        /// What is chosen
        #[arg(long, value_enum, default_value = "groups")]
        kind: Sought,
    },
    /// Ask about everybody of a directory anew: who is no more is signed out, and groups follow
    Flush(Named),
    /// Set the password of a directory's service account, for the account and servers that are set now; asks for it
    Password {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        password: PasswordSource,
    },
}

/// What is looked for in a directory.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Sought {
    /// People
    Users,
    /// Groups
    Groups,
}

impl Sought {
    fn word(self) -> &'static str {
        match self {
            Sought::Users => "users",
            Sought::Groups => "groups",
        }
    }
}

/// Pages of a search that are read: all that a directory shows.
const PAGES_MAX: usize = 10;

impl DirectoryCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            DirectoryCommand::Ended(command) => command.run(desk, Kind::Directory),
            DirectoryCommand::Check(named) => {
                let path = format!("{}/check", address(desk, &named)?);
                let checked = desk.client.ask(&path, &json!({}))?;
                let rows = checked["servers"].as_array().cloned().unwrap_or_default();
                output::rows(desk.format, columns::DIRECTORY_SERVERS, &rows)
            }
            DirectoryCommand::Search { named, text, kind } => {
                let path = format!("{}/people", address(desk, &named)?);
                let mut rows = Vec::new();
                let mut cursor: Option<String> = None;
                for _ in 0..PAGES_MAX {
                    let mut query = vec![("kind", kind.word()), ("text", text.as_str()), ("limit", "200")];
                    query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                    let page = desk.client.get(&path, &query)?;
                    rows.extend(page["items"].as_array().cloned().unwrap_or_default());
                    cursor = page["next"].as_str().map(ToOwned::to_owned);
                    if cursor.is_none() {
                        break;
                    }
                }
                output::rows(desk.format, columns::FOUND, &rows)
            }
            DirectoryCommand::Adopt { named, external, kind } => {
                let path = format!("{}/adopt", address(desk, &named)?);
                if desk.client.dry_run() {
                    return plan::of_action(desk, &format!("Would make the object for {external}."));
                }
                let adopted = desk.client.post(&path, &json!({"kind": kind.word(), "external": external}))?;
                let (kind, name) = (plain(&adopted["kind"]), plain(&adopted["name"]));
                output::done(desk.format, &format!("{kind} \"{name}\" stands for it."), &adopted)
            }
            DirectoryCommand::Flush(named) => {
                let path = format!("{}/flush", address(desk, &named)?);
                if desk.client.dry_run() {
                    return plan::of_action(desk, "Would ask about everybody anew.");
                }
                desk.client.post(&path, &json!({}))?;
                output::done(desk.format, "Everybody is asked about anew.", &Value::Null)
            }
            DirectoryCommand::Password { named, password } => {
                let path = format!("{}/password", address(desk, &named)?);
                if desk.client.dry_run() {
                    return plan::of_action(desk, "Would set the password of the service account.");
                }
                let password = password.read("Password of the service account: ")?;
                desk.client.put(&path, &json!({"password": password.as_str()}))?;
                output::done(desk.format, "Set the password.", &Value::Null)
            }
        }
    }
}

fn address(desk: &Desk, named: &Named) -> Result<String, crate::failure::Failure> {
    let directory = names::find(&desk.client, Kind::Directory, &named.name)?;
    Ok(objects::address(Kind::Directory, &directory))
}
