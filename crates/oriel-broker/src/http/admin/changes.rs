//! The change log: who changed what, when and from where.

use std::{str::FromStr, sync::Arc};

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use oriel_model::{Id, Kind};
use oriel_store::{Change, ChangeQuery, Start};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    caller::{Audit, May, View},
    crud::{self, Api},
    input::Asked,
};
use crate::{Broker, app::objects, http::ApiError};

/// Which changes are wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ChangesQuery {
    /// Only changes of objects of this kind, such as `user`.
    #[schemars(with = "Option<Kind>")]
    kind: Option<String>,
    /// Only changes of the object with this id.
    #[schemars(with = "Option<uuid::Uuid>")]
    object: Option<Id<Value>>,
    /// Only changes before the one with this number: `next` of the previous answer.
    before: Option<u64>,
    /// Most changes of the answer: 1 to 1000; 100 when not said.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
}

/// One page of the change log, newest first.
#[derive(Debug, Serialize, JsonSchema)]
struct Changes {
    /// The changes. The log holds no secrets; what is kept of one is left out here, too.
    items: Vec<Change>,
    /// Pass it as `before` for the next page; none on the last.
    next: Option<u64>,
}

async fn list(
    State(broker): State<Arc<Broker>>,
    _: May<View<Audit>>,
    Asked(query): Asked<ChangesQuery>,
) -> Result<Json<Changes>, ApiError> {
    let kind = query.kind.as_deref().map(Kind::from_str).transpose();
    let kind = kind.map_err(|error| ApiError::bad_request(crate::http::problem::sentence(&error)))?;
    let limit = objects::limit(query.limit)?;
    let start = query.before.map_or(Start::Newest, Start::Before);
    let wanted = ChangeQuery { start, object: query.object, kind, limit, ..ChangeQuery::newest() };
    let mut items = broker.store.changes(wanted).await?;
    let next = if items.len() < limit { None } else { items.last().map(|change| change.sequence) };
    items.iter_mut().for_each(without_digests);
    Ok(Json(Changes { items, next }))
}

/// Digests of secrets never leave.
pub fn without_digests(change: &mut Change) {
    for state in [&mut change.before, &mut change.after].into_iter().flatten() {
        objects::leave_out_digests(&mut state.spec);
    }
}

pub fn routes() -> Api {
    let list = get_with(list, |operation| {
        crud::described(operation, "list_changes", "changes", "Lists changes of settings, newest first.")
    });
    ApiRouter::new().api_route("/changes", list)
}
