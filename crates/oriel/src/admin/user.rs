//! `oriel user`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Desk, group, names,
    objects::{self, CreateOptions, ListOptions, Named, Noun, SetOptions},
    output::{self, Column},
    secret::PasswordSource,
};
use crate::failure::Outcome;

/// Users.
pub static NOUN: Noun = Noun {
    path: "users",
    word: "user",
    command: "user",
    columns: &[
        Column::plain("NAME", "/name"),
        Column::plain("FULL NAME", "/spec/full_name"),
        Column::plain("ENABLED", "/spec/enabled"),
        Column::plain("PASSWORD", "/has_password"),
        Column::plain("GROUPS", "/spec/groups"),
        Column::plain("ID", "/id"),
    ],
    refers: &[(&group::NOUN, "/spec/groups")],
};

/// `oriel user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// List users
    List(ListOptions),
    /// Show a user
    Show(Named),
    /// Make a user; asks for the password
    Create {
        /// What they sign in with
        name: String,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        password: PasswordSource,
        /// Make the user without a password: they cannot sign in until they have one
        #[arg(long, conflicts_with_all = ["password_stdin", "password_file"])]
        no_password: bool,
        #[command(flatten)]
        options: CreateOptions,
    },
    /// Change a user; --group replaces all groups
    Set {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        options: SetOptions,
    },
    /// Set a user's password; asks for it
    Password {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Delete a user
    Delete(Named),
}

/// The fields of a user that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// As shown in the portal
    #[arg(long, value_name = "NAME")]
    full_name: Option<String>,
    /// A group they belong to (name or id; can be given several times)
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Their account on session hosts, where it differs from their name ("" for the same)
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Whether they may sign in
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
}

impl Fields {
    fn apply(&self, desk: &Desk, spec: &mut Value) -> Outcome {
        if let Some(name) = &self.full_name {
            spec["full_name"] = name.as_str().into();
        }
        if !self.groups.is_empty() {
            spec["groups"] = names::ids(&desk.client, &group::NOUN, &self.groups)?.into();
        }
        if let Some(account) = &self.account {
            spec["account"] = if account.is_empty() { Value::Null } else { account.as_str().into() };
        }
        if let Some(enabled) = self.enabled {
            spec["enabled"] = enabled.into();
        }
        Ok(())
    }
}

impl UserCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            UserCommand::List(options) => objects::list(desk, &NOUN, &options),
            UserCommand::Show(named) => objects::show(desk, &NOUN, &named),
            UserCommand::Create { name, fields, password, no_password, options } => {
                let mut spec = json!({});
                fields.apply(desk, &mut spec)?;
                let mut body = objects::new(desk, &name, &options, spec)?;
                if !no_password {
                    let password = password.read(&format!("Password for {name}: "))?;
                    body["password"] = password.as_str().into();
                }
                let made = desk.client.post(NOUN.path, &body)?;
                objects::created(desk, &NOUN, &made)
            }
            UserCommand::Set { named, fields, options } => {
                objects::set(desk, &NOUN, &named, &options, |spec| fields.apply(desk, spec))
            }
            UserCommand::Password { named, password } => {
                let user = names::find(&desk.client, &NOUN, &named.name)?;
                let name = user["name"].as_str().unwrap_or_default();
                let password = password.read(&format!("New password for {name}: "))?;
                let path = format!("users/{}/password", names::id_of(&user));
                desk.client.put(&path, &json!({"password": password.as_str()}))?;
                output::done(desk.format, &format!("Set the password of \"{name}\"."), &Value::Null)
            }
            UserCommand::Delete(named) => objects::delete(desk, &NOUN, &named),
        }
    }
}
