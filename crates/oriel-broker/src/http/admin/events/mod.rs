//! `GET /events`: what changes, as it changes, as server-sent events.
//!
//! Settings are read from the change log, whole or only which objects were changed, so a caller that was away goes on where it stopped. Sessions,
//! hosts and load are sent whole when they change, at most once a second; who reads too slowly is told to
//! load the lists anew.

mod hub;
mod stream;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, convert::Infallible, str::FromStr, sync::Arc};

use aide::{
    OperationInput, OperationOutput,
    axum::{ApiRouter, routing::get_with},
    generate::GenContext,
    openapi::{self, MediaType, Operation, SchemaObject},
};
use axum::{
    Extension,
    extract::{FromRequestParts, State},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use http::{StatusCode, request::Parts};
use oriel_model::permission::{Action, Area};
use schemars::{JsonSchema, json_schema};
use serde::Deserialize;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    caller::{Known, not_permitted},
    crud::{self, Api},
    input::{Asked, header_parameter},
};
use crate::{Broker, app::administrators::Rights, http::ApiError};

pub use hub::Hub;

/// What may be listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Changes of settings, with what each object said before and says since.
    Settings,
    /// Which objects were changed, without what they say.
    Objects,
    /// Sessions.
    Sessions,
    /// Session hosts: what is set, and what is known of them other than their load.
    Hosts,
    /// The load of session hosts.
    Load,
    /// Messages of other administrators to the listener.
    Messages,
    /// Who edits what.
    Editing,
}

impl Topic {
    const ALL: [Topic; 7] = [
        Topic::Settings,
        Topic::Objects,
        Topic::Sessions,
        Topic::Hosts,
        Topic::Load,
        Topic::Messages,
        Topic::Editing,
    ];

    /// Its word, which is also the name of its events.
    pub fn as_str(self) -> &'static str {
        match self {
            Topic::Settings => "settings",
            Topic::Objects => "objects",
            Topic::Sessions => "sessions",
            Topic::Hosts => "hosts",
            Topic::Load => "load",
            Topic::Messages => "messages",
            Topic::Editing => "editing",
        }
    }

    /// Whether it is read from the change log, so that who was away misses nothing of it.
    pub fn is_of_log(self) -> bool {
        matches!(self, Topic::Settings | Topic::Objects)
    }

    /// Whether somebody may listen to it: whoever may read some of the same as a list. Of messages everybody
    /// hears their own, of what is edited or changed whoever sees the object.
    pub fn is_open_to(self, rights: &Rights) -> bool {
        let area = match self {
            Topic::Settings => Area::Audit,
            Topic::Sessions => Area::Sessions,
            Topic::Hosts | Topic::Load => Area::Hosts,
            Topic::Objects | Topic::Messages | Topic::Editing => return true,
        };
        rights.anywhere(area, Action::View)
    }
}

impl FromStr for Topic {
    type Err = ApiError;

    fn from_str(word: &str) -> Result<Self, ApiError> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == word).ok_or_else(|| {
            let (word, known): (String, Vec<_>) =
                (word.chars().take(32).collect(), Self::ALL.iter().map(|topic| topic.as_str()).collect());
            ApiError::bad_request(format!("\"{word}\" is no topic. There are: {}.", known.join(", ")))
        })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// What is listened to, separated by commas: `settings`, `objects`, `sessions`, `hosts`, `load`,
    /// `messages`, `editing`.
    #[schemars(regex(
        pattern = r"^(settings|objects|sessions|hosts|load|messages|editing)(,(settings|objects|sessions|hosts|load|messages|editing))*$"
    ))]
    topics: String,
}

/// Where a caller that was away goes on: the header `Last-Event-ID`.
struct LastEvent(Option<u64>);

impl FromRequestParts<Arc<Broker>> for LastEvent {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Broker>) -> Result<Self, ApiError> {
        let Some(header) = parts.headers.get("last-event-id") else { return Ok(Self(None)) };
        let sequence = header.to_str().ok().and_then(|text| text.trim().parse().ok());
        let wrong = "The header Last-Event-ID must be the id of an event of the topic settings or objects.";
        sequence.map(|sequence| Self(Some(sequence))).ok_or_else(|| ApiError::bad_request(wrong))
    }
}

impl OperationInput for LastEvent {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let about = "The id of the last event of the topics `settings` and `objects` that was received: \
            changes since then are sent first.";
        let schema = json_schema!({ "type": "integer", "minimum": 0 });
        operation.parameters.push(header_parameter("Last-Event-ID", about, schema));
    }
}

/// The stream of events.
struct Events(ReceiverStream<Result<Event, Infallible>>);

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        Sse::new(self.0).into_response()
    }
}

impl OperationOutput for Events {
    type Inner = Self;

    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, openapi::Response)> {
        let about = "Server-sent events. `ready` comes first: from then on nothing is missed, so load lists \
            after it. An event of the topic `settings` is a change as in `GET /changes`, with its sequence as \
            id; one of `objects`, for whoever sees the object, is only `{\"kind\": …, \"id\": …, \"action\": …, \
            \"revision\": …}`. An event of the other topics is `{\"id\": …, \"now\": …}` with the whole object, or \
            null when it is gone; each object comes at most once a second, and numbers that run by themselves \
            (idle time, uptime, traffic) make no event, and a round trip does only when it doubles or halves. `reset` says that events were lost: load the lists anew. A \
            comment comes every 15 seconds. The stream ends when the token loses its permission.";
        let json_schema = json_schema!({ "type": "string" });
        let schema = SchemaObject { json_schema, example: None, external_docs: None };
        let content = MediaType { schema: Some(schema), ..MediaType::default() };
        let response = openapi::Response {
            description: about.into(),
            content: [("text/event-stream".to_owned(), content)].into_iter().collect(),
            ..openapi::Response::default()
        };
        vec![(Some(200), response)]
    }
}

async fn listen(
    State(broker): State<Arc<Broker>>,
    Known(caller): Known,
    Extension(hub): Extension<Arc<Hub>>,
    Asked(query): Asked<EventsQuery>,
    LastEvent(after): LastEvent,
) -> Result<Events, ApiError> {
    let topics: BTreeSet<Topic> = query.topics.split(',').map(str::parse).collect::<Result<_, _>>()?;
    if !topics.iter().all(|topic| topic.is_open_to(&caller.rights)) {
        return Err(not_permitted(&caller));
    }
    let busy = || {
        let message = "Too many callers listen to events at the moment.";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(30)
    };
    let seat = hub.seat().ok_or_else(busy)?;
    let heartbeat = stream::HEARTBEAT;
    Ok(Events(stream::open(stream::Listener { broker, hub, caller, topics, after, heartbeat, _seat: seat })))
}

pub fn routes() -> Api {
    let listen = get_with(listen, |operation| {
        let operation =
            crud::described(operation, "listen_to_events", "events", "Sends what changes, as it changes.");
        crud::refusing(operation, &[403])
    });
    ApiRouter::new().api_route("/events", listen)
}
