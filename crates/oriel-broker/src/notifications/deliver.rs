//! Sending what is in the outbox, one way or another, and trying out a notification.

use futures_util::{StreamExt, stream};
use oriel_model::{Id, Object, notification::Notification};
use oriel_rules::notification::again_after;
use oriel_store::Transaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{mail, message::Message, outbox::Entry, script, webhook};
use crate::{
    Broker,
    app::{
        administrators::Caller,
        audit::Event,
        objects::{ChangeError, random_secret},
    },
    http::problem::{in_words, sentence},
};

/// Messages that are on their way at a time: one way that does not answer leaves the others room.
const AT_A_TIME: usize = 4;

/// How a message goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By mail.
    Mail,
    /// To a webhook.
    Webhook,
    /// To a script.
    Script,
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Way::Mail => "mail",
            Way::Webhook => "webhook",
            Way::Script => "script",
        })
    }
}

impl Way {
    /// The ways that a notification has.
    pub(super) fn of(spec: &Notification) -> Vec<Way> {
        let has_mail = spec.mail.administrators || !spec.mail.addresses.is_empty();
        let has = [
            (Way::Mail, has_mail),
            (Way::Webhook, spec.webhook.is_some()),
            (Way::Script, spec.script.is_some()),
        ];
        has.into_iter().filter(|(_, has)| *has).map(|(way, _)| way).collect()
    }
}

/// How one way went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tried {
    /// Which.
    pub way: Way,
    /// What went wrong; none: it went out.
    pub problem: Option<String>,
}

/// The secret of a webhook.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WebhookSecret {
    /// Signs what is sent; it is never shown again.
    pub secret: String,
}

/// Sends what is due, once.
pub(crate) async fn round(broker: &Broker) {
    let duty = &broker.notifications;
    let _turn = duty.delivering.lock().await;
    if !duty.notes.are_ready(&*broker.store).await {
        return;
    }
    let due = duty.notes.read(|kept| kept.outbox.due(broker.now()));
    let sending = stream::iter(due).for_each_concurrent(AT_A_TIME, async |entry| {
        let Some(outcome) = sent(broker, &entry).await else { return };
        duty.notes.change(|kept| kept.outbox.tried(&entry, outcome, broker.now()));
        duty.notes.write(&*broker.store).await;
    });
    sending.await;
}

/// Sends an entry; none: its notification is gone.
async fn sent(broker: &Broker, entry: &Entry) -> Option<Result<(), String>> {
    let view = broker.farm.load();
    let notification = view.notifications.get(entry.message.notification)?;
    if !Way::of(&notification.spec).contains(&entry.way) {
        // Nobody wants it this way any more.
        return Some(Ok(()));
    }
    let outcome = go(broker, notification, entry.way, &entry.message).await;
    let failed = outcome.as_ref().err().map(String::as_str);
    let is_last = again_after(entry.attempts + 1).is_none();
    // That it still cannot be sent is no news.
    if failed.is_none() || entry.attempts == 0 || is_last {
        broker.record(&Event::Notified {
            notification: notification.id,
            way: entry.way,
            what: &entry.message.subject(),
            failed,
            is_last,
        });
    }
    if let Some(why) = failed {
        tracing::warn!(
            notification.id = %notification.id, way = ?entry.way, attempts = entry.attempts + 1, why,
            "a notification could not be sent"
        );
    }
    Some(outcome)
}

async fn go(
    broker: &Broker,
    notification: &Object<Notification>,
    way: Way,
    message: &Message,
) -> Result<(), String> {
    let spec = &notification.spec;
    let said = |error: &dyn std::error::Error| {
        let words = in_words(error);
        words.chars().take(1_000).collect::<String>()
    };
    match way {
        Way::Mail => mail::send(broker, &spec.mail, message).await.map_err(|error| said(&error)),
        Way::Webhook => match &spec.webhook {
            Some(hook) => {
                webhook::call(broker, notification.id, hook, message).await.map_err(|error| said(&error))
            }
            None => Ok(()),
        },
        Way::Script => match &spec.script {
            Some(name) => script::run(broker.config.scripts.as_deref(), name, message)
                .await
                .map_err(|error| said(&error)),
            None => Ok(()),
        },
    }
}

/// Sends a message that says that it is a test, all the ways that a notification has, at once. None: too
/// many messages were sent lately.
pub async fn test(broker: &Broker, notification: &Object<Notification>) -> Option<Vec<Tried>> {
    let now = broker.now();
    if !broker.notifications.take_turn(now) {
        return None;
    }
    let message = Message::test(&broker.farm.load(), broker.farm_id, notification, now);
    let mut tried = Vec::new();
    for way in Way::of(&notification.spec) {
        let outcome = go(broker, notification, way, &message).await;
        let problem = outcome.err().map(|why| sentence(&Said(why)));
        tried.push(Tried { way, problem });
    }
    Some(tried)
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

/// Makes the secret that signs what a notification's webhook is sent; an earlier one signs nothing more.
pub async fn make_webhook_secret(
    broker: &Broker,
    by: &Caller,
    id: Id<Notification>,
) -> Result<WebhookSecret, ChangeError> {
    let secret = random_secret().to_string();
    let kept = Zeroizing::new(secret.clone().into_bytes());
    let transaction = Transaction::new(by.author.clone(), broker.now());
    broker.commit_by(by, transaction.put_secret(id, webhook::SECRET, kept)).await?;
    Ok(WebhookSecret { secret })
}
