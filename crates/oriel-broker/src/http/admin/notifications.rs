//! What is particular to notifications: trying one out, the secret of a webhook, and the farm's mailbox.

use std::sync::Arc;

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with, put_with},
};
use axum::{Json, extract::State, response::NoContent};
use http::StatusCode;
use oriel_model::{
    administrator::is_address, farm::Farm, notification::Notification, permission::Action, validate::Mistake,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    caller::{Control, May, Modify, View},
    crud::{self, Api},
    input::{IdOf, Sent},
};
use crate::{
    Broker,
    app::objects,
    http::{ApiError, problem::sentence},
    notifications::{self, MailError, PasswordState, Tried, WebhookSecret},
};

/// How trying it out went.
#[derive(Debug, Serialize, JsonSchema)]
struct Trial {
    /// Each way that the notification has.
    items: Vec<Tried>,
}

/// Whom a test is sent to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TestMail {
    /// The address.
    to: String,
}

/// What is known of the farm's mailbox beside its settings.
#[derive(Debug, Serialize, JsonSchema)]
struct MailboxState {
    /// Whether its password is set.
    password: PasswordState,
}

/// The mail server took the mail.
#[derive(Debug, Serialize, JsonSchema)]
struct MailTaken {
    /// What it said: `250 2.0.0 Ok: queued as 4F1A`.
    answer: String,
}

/// A password that is set.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// For the server and the account that are set now.
    #[schemars(with = "String", length(min = 1))]
    password: Zeroizing<String>,
}

async fn test(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Notification>>,
    IdOf(id): IdOf<Notification>,
) -> Result<Json<Trial>, ApiError> {
    let notification = objects::permitted::<Notification>(&broker, may.rights(), Action::Control, id)?;
    let tried = notifications::test(&broker, &notification).await;
    Ok(Json(Trial { items: tried.ok_or_else(too_many)? }))
}

async fn make_secret(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Notification>>,
    IdOf(id): IdOf<Notification>,
) -> Result<Json<WebhookSecret>, ApiError> {
    objects::get::<Notification>(&broker, may.rights(), id)?;
    Ok(Json(notifications::make_webhook_secret(&broker, may.by(), id).await?))
}

async fn set_password(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Farm>>,
    Sent(sent): Sent<NewPassword>,
) -> Result<NoContent, ApiError> {
    notifications::set_password(&broker, may.by(), sent.password).await?;
    Ok(NoContent)
}

async fn mailbox(
    State(broker): State<Arc<Broker>>,
    may: May<View<Farm>>,
) -> Result<Json<MailboxState>, ApiError> {
    objects::permitted::<Farm>(&broker, may.rights(), Action::View, broker.farm_id)?;
    Ok(Json(MailboxState { password: notifications::password_state(&broker).await? }))
}

async fn test_mailbox(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Farm>>,
    Sent(sent): Sent<TestMail>,
) -> Result<Json<MailTaken>, ApiError> {
    objects::permitted::<Farm>(&broker, may.rights(), Action::Modify, broker.farm_id)?;
    if !is_address(&sent.to) {
        let message = "must be an address such as anna@example.org".to_owned();
        return Err(ApiError::invalid(vec![Mistake { field: "to".into(), message }]));
    }
    Ok(Json(MailTaken { answer: notifications::test_mailbox(&broker, &sent.to).await? }))
}

fn too_many() -> ApiError {
    let message = "Too many messages were sent lately.";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "busy", message).retry_after(60)
}

impl From<MailError> for ApiError {
    fn from(error: MailError) -> Self {
        match error {
            MailError::TooMany => too_many(),
            error => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "mail_not_sent", sentence(&error))
                .advice("Look at the farm's mailbox, and at the log of the mail server."),
        }
    }
}

pub fn routes() -> Api {
    let test = post_with(test, |operation| {
        let summary = "Sends a test all the ways that a notification has, and says how each went.";
        crud::described(operation, "test_notification", "notifications", summary)
    });
    let secret = post_with(make_secret, |operation| {
        let summary = "Makes the secret that signs what the webhook is sent. It is never shown again.";
        crud::described(operation, "make_webhook_secret", "notifications", summary)
    });
    let password = put_with(set_password, |operation| {
        let summary = "Sets the password of the farm's mailbox. It is never given back.";
        crud::described(operation, "set_mailbox_password", "farms", summary)
    });
    let mailbox = get_with(mailbox, |operation| {
        let summary = "Shows what is known of the farm's mailbox beside its settings.";
        crud::described(operation, "show_mailbox", "farms", summary)
    });
    let test_mailbox = post_with(test_mailbox, |operation| {
        let summary = "Sends a test through the farm's mailbox; answers what the mail server said.";
        crud::described(operation, "test_mailbox", "farms", summary)
    });
    ApiRouter::new()
        .api_route("/notifications/{id}/test", test)
        .api_route("/notifications/{id}/webhook-secret", secret)
        .api_route("/farm/mailbox-password", password)
        .api_route("/farm/mailbox", mailbox)
        .api_route("/farm/mailbox/test", test_mailbox)
}
