//! `oriel user`.

use clap::{Args, Subcommand};
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk,
    frame::{self, Fields as _, Kept, or_none, put},
    names,
    objects::{self, CreateOptions, Named},
    output, plan,
    secret::PasswordSource,
};
use crate::failure::Outcome;

/// `oriel user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    #[command(flatten)]
    Kept(Kept<Fields>),
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
    /// Set a user's password; asks for it
    Password {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        password: PasswordSource,
    },
}

/// The fields of a user that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// As shown in the portal
    #[arg(long, value_name = "NAME")]
    full_name: Option<String>,
    /// A group they belong to; replaces all they belonged to (name or id; can be given several times)
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Their account on session hosts, where it differs from their name ("" for the same)
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Whether they may sign in
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
}

impl frame::Fields for Fields {
    fn apply(&self, _: &Desk, spec: &mut Value) -> Outcome {
        put(spec, "full_name", self.full_name.as_deref())?;
        put(spec, "groups", (!self.groups.is_empty()).then(|| self.groups.clone()))?;
        put(spec, "account", self.account.as_deref().map(or_none))?;
        put(spec, "enabled", self.enabled)
    }
}

impl UserCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            UserCommand::Kept(command) => command.run(desk, Kind::User),
            UserCommand::Create { name, fields, password, no_password, options } => {
                let mut spec = json!({});
                fields.apply(desk, &mut spec)?;
                let mut body = objects::new(desk, Kind::User, &name, &options, spec)?;
                if !no_password && !desk.client.dry_run() {
                    let password = password.read(&format!("Password for {name}: "))?;
                    body["password"] = password.as_str().into();
                }
                objects::send(desk, Kind::User, body)
            }
            UserCommand::Password { named, password } => {
                let user = names::find(&desk.client, Kind::User, &named.name)?;
                let name = names::name_of(&user);
                if desk.client.dry_run() {
                    return plan::of_action(desk, &format!("Would set the password of \"{name}\"."));
                }
                let password = password.read(&format!("New password for {name}: "))?;
                let path = format!("users/{}/password", names::id_of(&user));
                desk.client.put(&path, &json!({"password": password.as_str()}))?;
                output::done(desk.format, &format!("Set the password of \"{name}\"."), &Value::Null)
            }
        }
    }
}
