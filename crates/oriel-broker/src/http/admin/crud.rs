//! The routes that every kind of settings object has: list, show, create, change, patch, delete, and what
//! refers to one. Which of them make sense for a kind, [`Verb::of`] says; hosts, for one, come by joining and are not created.

use std::sync::Arc;

use aide::{
    axum::{
        ApiRouter,
        routing::{delete_with, get_with, patch_with, post_with, put_with},
    },
    openapi::{ReferenceOr, StatusCode},
    transform::TransformOperation,
};
use axum::{Json, extract::State, response::NoContent};
use oriel_model::{Id, Kind};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    caller::{Add, Delete, InArea, May, Modify, View},
    input::{Asked, BasedOn, Basis, IdOf, Patch, Sent, read_value},
    respond::{Made, Tagged},
};
use crate::{
    Broker,
    app::{
        administrators::Rights,
        objects::{self, Changed, Cut, ListQuery, Managed, Page, Referrers},
    },
    http::{ApiError, problem},
};

/// Routes that still need the broker.
pub type Api = ApiRouter<Arc<Broker>>;

/// What can be done with the objects of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// `GET /{plural}`
    List,
    /// `GET /{plural}/{id}`
    Show,
    /// `POST /{plural}`
    Create,
    /// `PUT /{plural}/{id}`
    Change,
    /// `PATCH /{plural}/{id}`
    Patch,
    /// `DELETE /{plural}/{id}`
    Delete,
}

impl Verb {
    const ALL: &[Verb] = &[Verb::List, Verb::Show, Verb::Create, Verb::Change, Verb::Patch, Verb::Delete];

    /// What can be done with the objects of this kind.
    pub fn of(kind: Kind) -> Vec<Verb> {
        let without: &[Verb] = match kind {
            // There is one farm, and brokers say themselves what they are.
            Kind::Farm => &[Verb::Create, Verb::Delete],
            Kind::Broker => &[Verb::Create, Verb::Change, Verb::Patch, Verb::Delete],
            // They come by joining.
            Kind::Gateway | Kind::Host => &[Verb::Create],
            // Once given away, an invitation can only be withdrawn.
            Kind::Invitation => &[Verb::Change, Verb::Patch],
            _ => &[],
        };
        Self::ALL.iter().copied().filter(|verb| !without.contains(verb)).collect()
    }
}

async fn list<S: Managed + InArea>(
    State(broker): State<Arc<Broker>>,
    may: May<View<S>>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<objects::View<S>>>, ApiError> {
    Ok(Json(objects::list::<S>(&broker, may.rights(), &query)?))
}

async fn show<S: Managed + InArea>(
    State(broker): State<Arc<Broker>>,
    may: May<View<S>>,
    IdOf(id): IdOf<S>,
) -> Result<Tagged<objects::View<S>>, ApiError> {
    Ok(Tagged(objects::get::<S>(&broker, may.rights(), id)?))
}

async fn create<S: Managed + InArea>(
    State(broker): State<Arc<Broker>>,
    may: May<Add<S>>,
    Sent(new): Sent<S::New>,
) -> Result<Made<S::Made>, ApiError> {
    Ok(Made(S::make(&broker, may.by(), new).await?))
}

async fn change<S: Managed + InArea>(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<S>>,
    IdOf(id): IdOf<S>,
    based_on: BasedOn,
    Sent(changed): Sent<Changed<S::Shown>>,
) -> Result<Tagged<objects::View<S>>, ApiError> {
    let revision = revision(&broker, may.rights(), id, based_on.basis(changed.revision)?)?;
    Ok(Tagged(objects::change::<S>(&broker, may.by(), id, revision, changed).await?))
}

async fn patch<S: Managed + InArea>(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<S>>,
    IdOf(id): IdOf<S>,
    based_on: BasedOn,
    patch: Patch,
) -> Result<Tagged<objects::View<S>>, ApiError> {
    let revision = revision(&broker, may.rights(), id, based_on.basis(patch.revision)?)?;
    let changed = read_value(objects::patched(&broker, may.rights(), id, patch.fields)?)?;
    Ok(Tagged(objects::change::<S>(&broker, may.by(), id, revision, changed).await?))
}

async fn delete<S: Managed + InArea>(
    State(broker): State<Arc<Broker>>,
    may: May<Delete<S>>,
    IdOf(id): IdOf<S>,
    based_on: BasedOn,
) -> Result<NoContent, ApiError> {
    let revision = revision(&broker, may.rights(), id, based_on.basis(None)?)?;
    objects::delete::<S>(&broker, may.by(), id, revision).await?;
    Ok(NoContent)
}

async fn references<S: Managed + InArea>(
    State(broker): State<Arc<Broker>>,
    may: May<View<S>>,
    IdOf(id): IdOf<S>,
    Asked(cut): Asked<Cut>,
) -> Result<Json<Referrers>, ApiError> {
    Ok(Json(objects::referrers::<S>(&broker, may.rights(), id, &cut)?))
}

/// The revision that a change is based on.
pub fn revision<S: Managed>(
    broker: &Broker,
    rights: &Rights,
    id: Id<S>,
    basis: Basis,
) -> Result<u64, ApiError> {
    match basis {
        Basis::Revision(revision) => Ok(revision),
        Basis::Any => Ok(objects::revision(broker, rights, id)?),
    }
}

/// The routes of a kind.
pub fn routes<S: Managed + InArea>() -> Api {
    let (all, one) = (format!("/{}", S::KIND.plural()), format!("/{}/{{id}}", S::KIND.plural()));
    let mut routes = ApiRouter::new();
    for verb in Verb::of(S::KIND) {
        let (path, route) = match verb {
            Verb::List => (&all, get_with(list::<S>, about::<S>(verb))),
            Verb::Show => (&one, get_with(show::<S>, about::<S>(verb))),
            Verb::Create => (&all, post_with(create::<S>, about::<S>(verb))),
            Verb::Change => (&one, put_with(change::<S>, about::<S>(verb))),
            Verb::Patch => (&one, patch_with(patch::<S>, about::<S>(verb))),
            Verb::Delete => (&one, delete_with(delete::<S>, about::<S>(verb))),
        };
        routes = routes.api_route(path, route);
    }
    let referring = get_with(references::<S>, |operation| {
        let summary = "Lists what refers to one, by kind and name, as far as the caller may see it.";
        let id = format!("list_{}_references", S::KIND.as_str());
        described(operation, &id, S::KIND.plural(), summary)
    });
    routes.api_route(&format!("{one}/references"), referring)
}

/// Names an operation on a kind: `list_users`, tag `users`.
fn about<S: Managed>(verb: Verb) -> impl FnOnce(TransformOperation<'_>) -> TransformOperation<'_> {
    let (kind, kinds) = (S::KIND.as_str(), S::KIND.plural());
    let (id, summary) = match verb {
        Verb::List => (format!("list_{kinds}"), "Lists them in the order of their names, a page at a time."),
        Verb::Show => (format!("show_{kind}"), "Shows one."),
        Verb::Create => (format!("create_{kind}"), "Makes one. A secret in the answer is never shown again."),
        Verb::Change => (
            format!("change_{kind}"),
            "Replaces name, site and spec. A stale revision is refused with who changed what and when.",
        ),
        Verb::Patch => (
            format!("patch_{kind}"),
            "Changes what is said of name, site and spec (RFC 7396) and leaves the rest as it is.",
        ),
        Verb::Delete => (
            format!("delete_{kind}"),
            "Deletes one. What is in use is kept, and the answer names what uses it.",
        ),
    };
    move |operation| {
        // Of `logon_hours`, one and many have the same word.
        let id = if kind == kinds && verb == Verb::List { format!("list_all_{kinds}") } else { id };
        described(operation, &id, kinds, summary)
    }
}

/// Names an operation.
pub fn described<'t>(
    operation: TransformOperation<'t>,
    id: &str,
    tag: &str,
    summary: &str,
) -> TransformOperation<'t> {
    operation.id(id).tag(tag).summary(summary)
}

/// Says that an operation needs no token.
pub fn for_everybody(mut operation: TransformOperation<'_>) -> TransformOperation<'_> {
    // One alternative that asks for nothing: an empty list would mean what holds for all.
    operation.inner_mut().security = vec![Default::default()];
    operation
}

/// Says how an operation may refuse, beyond what is known from what it takes.
pub fn refusing<'t>(mut operation: TransformOperation<'t>, statuses: &[u16]) -> TransformOperation<'t> {
    let described = aide::generate::in_context(|context| problem::described(context, statuses));
    let responses = operation.inner_mut().responses.get_or_insert_default();
    for (status, response) in described {
        if let Some(status) = status {
            responses.responses.entry(StatusCode::Code(status)).or_insert(ReferenceOr::Item(response));
        }
    }
    operation
}
