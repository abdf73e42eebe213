//! `oriel notification`: what is particular to notifications and the farm's mail. They are made and changed as
//! all objects are, by `oriel apply` and `oriel set`.

use clap::Subcommand;
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk, columns, names,
    objects::{self, Named},
    output::{self, plain},
    plan,
    secret::PasswordSource,
};
use crate::failure::Outcome;

/// `oriel notification …`
#[derive(Debug, Subcommand)]
pub enum NotificationCommand {
    /// Send a test all the ways that a notification has, and say how each went
    Test(Named),
    /// Make the secret that signs what a notification's webhook is sent; it is shown once
    WebhookSecret(Named),
    /// Set the password of the farm's mailbox, for the server and account that are set now; asks for it
    MailboxPassword {
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Send a test through the farm's mailbox
    MailboxTest {
        /// The address that it goes to
        to: String,
    },
}

impl NotificationCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            NotificationCommand::Test(named) => {
                let path = format!("{}/test", address(desk, &named)?);
                if desk.client.dry_run() {
                    return plan::of_action(desk, "Would send a test.");
                }
                let tried = desk.client.post(&path, &json!({}))?;
                let rows = tried["items"].as_array().cloned().unwrap_or_default();
                output::rows(desk.format, columns::TRIED, &rows)
            }
            NotificationCommand::WebhookSecret(named) => {
                let path = format!("{}/webhook-secret", address(desk, &named)?);
                if desk.client.dry_run() {
                    return plan::of_action(desk, "Would make the secret of the webhook.");
                }
                let made = desk.client.post(&path, &json!({}))?;
                let sentence = format!("{}\nKeep it: it is not shown again.", plain(&made["secret"]));
                output::done(desk.format, &sentence, &made)
            }
            NotificationCommand::MailboxPassword { password } => {
                if desk.client.dry_run() {
                    return plan::of_action(desk, "Would set the password of the mailbox.");
                }
                let password = password.read("Password of the mailbox: ")?;
                desk.client.put("farm/mailbox-password", &json!({"password": password.as_str()}))?;
                output::done(desk.format, "Set the password.", &Value::Null)
            }
            NotificationCommand::MailboxTest { to } => {
                if desk.client.dry_run() {
                    return plan::of_action(desk, "Would send a test.");
                }
                let taken = desk.client.post("farm/mailbox/test", &json!({"to": to}))?;
                let sentence = format!("The mail server took a test for {to}: {}", plain(&taken["answer"]));
                output::done(desk.format, &sentence, &taken)
            }
        }
    }
}

fn address(desk: &Desk, named: &Named) -> Result<String, crate::failure::Failure> {
    let notification = names::find(&desk.client, Kind::Notification, &named.name)?;
    Ok(objects::address(Kind::Notification, &notification))
}
