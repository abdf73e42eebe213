//! The routes that every kind of settings object has: list, show, create, change, delete. A kind
//! takes those that make sense for it; hosts, for one, come by joining and are not created here.

use std::sync::Arc;

use aide::{
    axum::{
        ApiRouter,
        routing::{delete_with, get_with, post_with, put_with},
    },
    transform::TransformOperation,
};
use axum::{Json, extract::State, response::NoContent};
use oriel_model::Spec;

use super::{
    caller::{Change, InArea, May, View},
    input::{Asked, BasedOn, IdOf, Sent},
    respond::Created,
};
use crate::{
    Broker,
    app::objects::{self, Changed, ListQuery, Managed, New, Page},
    http::ApiError,
};

/// Routes that still need the broker.
pub type Api = ApiRouter<Arc<Broker>>;

/// A kind that has routes of its own.
pub trait Routed: Managed + InArea {
    /// Its path below `/api/v1`, which is its plural.
    const PATH: &'static str;
}

async fn list<S: Routed>(
    State(broker): State<Arc<Broker>>,
    _: May<View<S>>,
    Asked(query): Asked<ListQuery>,
) -> Json<Page<S::View>> {
    Json(objects::list::<S>(&broker, &query))
}

async fn show<S: Routed>(
    State(broker): State<Arc<Broker>>,
    _: May<View<S>>,
    IdOf(id): IdOf<S>,
) -> Result<Json<S::View>, ApiError> {
    Ok(Json(objects::get::<S>(&broker, id)?))
}

async fn create<S: Routed>(
    State(broker): State<Arc<Broker>>,
    may: May<Change<S>>,
    Sent(new): Sent<New<S>>,
) -> Result<Created<S::View>, ApiError> {
    Ok(Created(objects::create(&broker, may.author(), new).await?))
}

async fn change<S: Routed>(
    State(broker): State<Arc<Broker>>,
    may: May<Change<S>>,
    IdOf(id): IdOf<S>,
    based_on: BasedOn,
    Sent(changed): Sent<Changed<S>>,
) -> Result<Json<S::View>, ApiError> {
    let revision = based_on.revision(changed.revision)?;
    Ok(Json(objects::change(&broker, may.author(), id, revision, changed).await?))
}

async fn delete<S: Routed>(
    State(broker): State<Arc<Broker>>,
    may: May<Change<S>>,
    IdOf(id): IdOf<S>,
    based_on: BasedOn,
) -> Result<NoContent, ApiError> {
    S::delete(&broker, may.author(), id, based_on.revision(None)?).await?;
    Ok(NoContent)
}

/// `GET /kinds` and `GET /kinds/{id}`.
pub fn viewed<S: Routed>() -> Api {
    let all = get_with(list::<S>, |operation| {
        about::<S>(operation, "list", "Lists them in the order of their names, a page at a time.")
    });
    let one = get_with(show::<S>, |operation| about::<S>(operation, "show", "Shows one."));
    ApiRouter::new().api_route(&all_of::<S>(), all).api_route(&one_of::<S>(), one)
}

/// `POST /kinds`.
pub fn created<S: Routed>() -> Api {
    let route = post_with(create::<S>, |operation| about::<S>(operation, "create", "Makes one."));
    ApiRouter::new().api_route(&all_of::<S>(), route)
}

/// `PUT /kinds/{id}`.
pub fn changed<S: Routed>() -> Api {
    let route = put_with(change::<S>, |operation| {
        about::<S>(
            operation,
            "change",
            "Replaces name, site and spec. A stale revision is refused with who changed it and when.",
        )
    });
    ApiRouter::new().api_route(&one_of::<S>(), route)
}

/// `DELETE /kinds/{id}`.
pub fn deleted<S: Routed>() -> Api {
    let route = delete_with(delete::<S>, |operation| {
        about::<S>(
            operation,
            "delete",
            "Deletes one. What is in use is kept, and the answer names what uses it.",
        )
    });
    ApiRouter::new().api_route(&one_of::<S>(), route)
}

/// The path of all objects of a kind.
pub fn all_of<S: Routed>() -> String {
    format!("/{}", S::PATH)
}

/// The path of one object of a kind.
pub fn one_of<S: Routed>() -> String {
    format!("/{}/{{id}}", S::PATH)
}

/// Names an operation on a kind: `list_users`, tag `users`.
pub fn about<'t, S: Routed>(
    operation: TransformOperation<'t>,
    verb: &str,
    summary: &str,
) -> TransformOperation<'t> {
    let noun = if verb == "list" { S::PATH.to_owned() } else { <S as Spec>::KIND.to_string() };
    described(operation, &format!("{verb}_{noun}"), S::PATH, summary)
}

/// Names an operation and the errors that any may answer.
pub fn described<'t>(
    operation: TransformOperation<'t>,
    id: &str,
    tag: &str,
    summary: &str,
) -> TransformOperation<'t> {
    operation.id(id).tag(tag).summary(summary).default_response::<ApiError>()
}
