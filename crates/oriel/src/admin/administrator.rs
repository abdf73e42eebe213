//! `oriel administrator`.

use clap::{Args, Subcommand};
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk, columns,
    frame::{self, Made, or_none, put},
    names, output, plan,
    reach::{ReachOptions, Role},
};
use crate::failure::Outcome;

/// `oriel administrator …`
#[derive(Debug, Subcommand)]
pub enum AdministratorCommand {
    #[command(flatten)]
    Made(Box<Made<Fields>>),
    /// List the administrators who are signed in to the management portal
    Sessions,
    /// Leave a message for administrators who are signed in
    Message {
        /// What it says
        text: String,
        /// The id of a sign-in, as oriel administrator sessions lists it; otherwise for all
        #[arg(long, value_name = "ID")]
        session: Option<String>,
    },
    /// Take an administrator's second factor away: for who has lost it
    ResetSecondFactor {
        /// The user's name or id
        user: String,
    },
}

/// The fields of an administrator that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// Whom it is about: a user
    #[arg(long, value_name = "USER", conflicts_with = "group")]
    user: Option<String>,
    /// Whom it is about: every member of a group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// What they may do
    #[arg(long, value_enum)]
    role: Option<Role>,
    #[command(flatten)]
    reach: ReachOptions,
    /// Whether they may do anything
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// For other administrators
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where mail for them goes ("" for none)
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
}

impl frame::Fields for Fields {
    fn apply(&self, _: &Desk, spec: &mut Value) -> Outcome {
        let who = self.user.as_ref().map(|user| json!({"user": user}));
        put(spec, "who", who.or_else(|| self.group.as_ref().map(|group| json!({"group": group}))))?;
        put(spec, "role", self.role.map(Role::as_str))?;
        put(spec, "reach", self.reach.said())?;
        put(spec, "enabled", self.enabled)?;
        put(spec, "description", self.description.as_deref())?;
        put(spec, "email", self.email.as_deref().map(or_none))
    }
}

impl AdministratorCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            AdministratorCommand::Made(command) => command.run(desk, Kind::Administrator),
            AdministratorCommand::Sessions => {
                let rows = desk.client.list("administrator-sessions", &[])?;
                output::rows(desk.format, columns::ADMINISTRATOR_SESSIONS, &rows)
            }
            AdministratorCommand::Message { text, session } => {
                if desk.client.dry_run() {
                    return plan::of_action(desk, "Would leave the message.");
                }
                let to = session.map(|id| format!("/{id}")).unwrap_or_default();
                let left = desk
                    .client
                    .post(&format!("administrator-sessions{to}/message"), &json!({"text": text}))?;
                let sentence = match left["readers"].as_u64() {
                    Some(1) => "Left it for one who is signed in.".to_owned(),
                    Some(readers) => format!("Left it for {readers} who are signed in."),
                    None => "Left it.".to_owned(),
                };
                output::done(desk.format, &sentence, &left)
            }
            AdministratorCommand::ResetSecondFactor { user } => {
                let user = names::find(&desk.client, Kind::User, &user)?;
                let name = names::name_of(&user);
                if desk.client.dry_run() {
                    return plan::of_action(
                        desk,
                        &format!("Would take the second factor of \"{name}\" away."),
                    );
                }
                desk.client.delete_at(&format!("users/{}/totp", names::id_of(&user)))?;
                let sentence = format!("\"{name}\" signs in without a second factor.");
                output::done(desk.format, &sentence, &Value::Null)
            }
        }
    }
}
