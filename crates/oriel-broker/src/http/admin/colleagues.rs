//! What administrators who work at the same time know of each other: messages, and who edits what.

use std::{collections::BTreeMap, sync::Arc};

use aide::axum::{
    ApiRouter,
    routing::{delete_with, get_with, post_with},
};
use axum::{Json, extract::State, response::NoContent};
use oriel_model::{
    Id,
    user::User,
    validate::{Mistake, Mistakes, fold},
};
use oriel_store::SignIn;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    caller::{Known, May, ModifyAnything, ViewAnything},
    crud::{self, Api},
    input::{IdOf, Sent},
};
use crate::{
    Broker,
    app::administrators::{Edited, Editing, Message, TEXT_MAX, own_session},
    http::ApiError,
};

/// A message to administrators.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Words {
    /// What it says: at most 1000 characters.
    text: String,
}

/// For how many a message was left.
#[derive(Serialize, JsonSchema)]
struct Left {
    /// Sign-ins.
    readers: usize,
}

/// Somebody who is signed in to management: only who they are, for whoever may write to them.
#[derive(Debug, Serialize, JsonSchema)]
struct Colleague {
    /// The user.
    user: Id<User>,
    /// What they sign in with.
    user_name: String,
    /// Their name.
    full_name: String,
    /// Their sign-ins, to write to.
    sessions: Vec<Id<SignIn>>,
}

/// Who is signed in to management on this broker.
#[derive(Serialize, JsonSchema)]
struct ColleagueList {
    /// By name; the caller is among them.
    items: Vec<Colleague>,
}

/// The caller's messages.
#[derive(Serialize, JsonSchema)]
struct MessageList {
    /// The oldest first.
    items: Vec<Message>,
}

/// What is edited.
#[derive(Serialize, JsonSchema)]
struct EditingList {
    /// By kind.
    items: Vec<Editing>,
}

impl Words {
    fn checked(self) -> Result<String, ApiError> {
        let mut mistakes = Mistakes::default();
        mistakes.text("text", self.text.trim(), TEXT_MAX);
        let mistakes: Vec<Mistake> = mistakes.into_vec();
        if mistakes.is_empty() { Ok(self.text.trim().to_owned()) } else { Err(ApiError::invalid(mistakes)) }
    }
}

async fn colleagues(State(broker): State<Arc<Broker>>, _: May<ViewAnything>) -> Json<ColleagueList> {
    let view = broker.farm.load();
    let mut people: BTreeMap<Id<User>, Vec<Id<SignIn>>> = BTreeMap::new();
    for one in broker.present() {
        people.entry(one.user).or_default().push(one.id);
    }
    let known = people.into_iter().filter_map(|(user, sessions)| {
        let object = view.person(user)?;
        let (user_name, full_name) = (object.name.clone(), object.spec.full_name.clone());
        Some(Colleague { user, user_name, full_name, sessions })
    });
    let mut items: Vec<_> = known.collect();
    items.sort_by_cached_key(|one| fold(&one.user_name));
    Json(ColleagueList { items })
}

async fn tell(
    State(broker): State<Arc<Broker>>,
    may: May<ViewAnything>,
    IdOf(id): IdOf<SignIn>,
    Sent(words): Sent<Words>,
) -> Result<Json<Left>, ApiError> {
    let readers = broker.leave_message(may.by(), &words.checked()?, |reader| reader == id);
    if readers == 0 {
        return Err(ApiError::not_found("There is no such sign-in on this broker."));
    }
    Ok(Json(Left { readers }))
}

async fn tell_all(
    State(broker): State<Arc<Broker>>,
    may: May<ViewAnything>,
    Sent(words): Sent<Words>,
) -> Result<Json<Left>, ApiError> {
    let own = own_session(may.by());
    let readers = broker.leave_message(may.by(), &words.checked()?, |reader| Some(reader) != own);
    Ok(Json(Left { readers }))
}

async fn answer(
    State(broker): State<Arc<Broker>>,
    Known(caller): Known,
    IdOf(id): IdOf<Value>,
    Sent(words): Sent<Words>,
) -> Result<Json<Left>, ApiError> {
    match broker.answer_message(&caller, id, &words.checked()?) {
        Some(0) => Err(ApiError::not_found("Whoever wrote this message has signed out.")),
        Some(readers) => Ok(Json(Left { readers })),
        None => Err(ApiError::not_found("There is no such message, or nobody who would read an answer.")),
    }
}

async fn messages(State(broker): State<Arc<Broker>>, Known(caller): Known) -> Json<MessageList> {
    let items = own_session(&caller).map(|own| broker.messages.of(own)).unwrap_or_default();
    Json(MessageList { items })
}

async fn read(
    State(broker): State<Arc<Broker>>,
    Known(caller): Known,
    IdOf(id): IdOf<Value>,
) -> Result<NoContent, ApiError> {
    let was_there = own_session(&caller).is_some_and(|own| broker.messages.read(own, id));
    if was_there { Ok(NoContent) } else { Err(ApiError::not_found("There is no such message.")) }
}

async fn edited(State(broker): State<Arc<Broker>>, may: May<ViewAnything>) -> Json<EditingList> {
    let view = broker.farm.load();
    let mut items = broker.edited();
    items.retain(|one| may.rights().sees_any(one.kind, one.id, view.site_of_object(one.kind, one.id)));
    Json(EditingList { items })
}

async fn edit(
    State(broker): State<Arc<Broker>>,
    may: May<ModifyAnything>,
    Sent(object): Sent<Edited>,
) -> Result<Json<Editing>, ApiError> {
    Ok(Json(broker.edit(may.by(), object)?))
}

async fn stop_editing(
    State(broker): State<Arc<Broker>>,
    may: May<ModifyAnything>,
    Sent(object): Sent<Edited>,
) -> NoContent {
    broker.stop_editing(may.by(), object);
    NoContent
}

pub fn routes() -> Api {
    let tell = post_with(tell, |operation| {
        let summary = "Leaves a message for an administrator who is signed in.";
        crud::refusing(crud::described(operation, "message_administrator", "sign-in", summary), &[404])
    });
    let tell_all = post_with(tell_all, |operation| {
        let summary = "Leaves a message for all other administrators who are signed in.";
        crud::described(operation, "message_all_administrators", "sign-in", summary)
    });
    let messages = get_with(messages, |operation| {
        let summary = "Lists the messages that wait for the caller; they go with the sign-in.";
        crud::described(operation, "list_own_messages", "sign-in", summary)
    });
    let read = delete_with(read, |operation| {
        let summary = "Puts a message of the caller away.";
        crud::refusing(crud::described(operation, "read_message", "sign-in", summary), &[404])
    });
    let answer = post_with(answer, |operation| {
        let summary = "Answers a message that waits for the caller.";
        crud::refusing(crud::described(operation, "answer_message", "sign-in", summary), &[404])
    });
    let colleagues = get_with(colleagues, |operation| {
        let summary = "Lists who is signed in to management, for whoever wants to write to them.";
        crud::described(operation, "list_colleagues", "sign-in", summary)
    });
    let editing = get_with(edited, |operation| {
        crud::described(operation, "list_editing", "editing", "Lists who edits what at the moment.")
    });
    let editing = editing.post_with(edit, |operation| {
        let summary =
            "Says, for a minute, that the caller edits an object; answers who else does. Locks nothing.";
        crud::refusing(crud::described(operation, "edit", "editing", summary), &[404])
    });
    let editing = editing.delete_with(stop_editing, |operation| {
        crud::described(operation, "stop_editing", "editing", "Says that the caller edits an object no more.")
    });
    ApiRouter::new()
        .api_route("/administrator-sessions/{id}/message", tell)
        .api_route("/administrator-sessions/message", tell_all)
        .api_route("/me/messages", messages)
        .api_route("/me/messages/{id}", read)
        .api_route("/me/messages/{id}/answer", answer)
        .api_route("/colleagues", colleagues)
        .api_route("/editing", editing)
}
