//! The change log: who changed what, when and from where.

use std::{str::FromStr, sync::Arc};

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use oriel_model::{Id, Kind, Timestamp};
use oriel_store::{Change, ChangeQuery, ObjectState, Start};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    caller::{Audit, May, View},
    crud::{self, Api},
    input::Asked,
};
use crate::{
    Broker,
    app::{
        documents::{
            self,
            diff::{self, FieldChange, Side},
        },
        objects,
    },
    farm::FarmView,
    http::ApiError,
};

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
    /// Only changes that were made together: the `transaction` of one of them.
    transaction: Option<u64>,
    /// Only changes by authors in whose name this stands, such as `token admin`.
    by: Option<String>,
    /// Only changes made then or later, as in `2026-12-01T08:00:00Z`.
    since: Option<Timestamp>,
    /// Only changes made before.
    until: Option<Timestamp>,
    /// Shows names in place of ids, in what was said and in what is different.
    names: bool,
    /// Only changes before the one with this number: `next` of the previous answer.
    before: Option<u64>,
    /// Most changes of the answer: 1 to 1000; 100 when not said.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
}

/// A change, and what is different field by field.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeShown {
    /// The change.
    #[serde(flatten)]
    change: Change,
    /// What is different; nothing where a secret was changed.
    changes: Vec<FieldChange>,
}

/// One page of the change log, newest first.
#[derive(Debug, Serialize, JsonSchema)]
struct Changes {
    /// The changes. The log holds no secrets; what is kept of one is left out here, too.
    items: Vec<ChangeShown>,
    /// Pass it as `before` for the next page; none on the last.
    next: Option<u64>,
}

async fn list(
    State(broker): State<Arc<Broker>>,
    may: May<View<Audit>>,
    Asked(query): Asked<ChangesQuery>,
) -> Result<Json<Changes>, ApiError> {
    let kind = query.kind.as_deref().map(Kind::from_str).transpose();
    let kind = kind.map_err(|error| ApiError::bad_request(crate::http::problem::sentence(&error)))?;
    let limit = objects::limit(query.limit)?;
    let start = query.before.map_or(Start::Newest, Start::Before);
    let ChangesQuery { object, transaction, by, since, until, .. } = query;
    let wanted = ChangeQuery { start, object, kind, transaction, by, since, until, limit };
    let items = broker.store.changes(wanted).await?;
    let next = if items.len() < limit { None } else { items.last().map(|change| change.sequence) };
    let view = broker.farm.load();
    // Before or after: who may see an object may see that it moved away.
    let sees = |change: &Change| may.rights().sees_change(change);
    Ok(Json(Changes {
        items: items.into_iter().filter(sees).map(|change| shown(change, &view, query.names)).collect(),
        next,
    }))
}

/// A change as it is shown: compared by ids, with names where they are asked for. What has been deleted
/// since has no name any more.
pub fn shown(mut change: Change, view: &Arc<FarmView>, with_names: bool) -> ChangeShown {
    without_digests(&mut change);
    let names = documents::names::Shown::of(view);
    let plain = |state: &Option<ObjectState>| {
        state
            .as_ref()
            .map_or(Value::Null, |state| json!({"name": state.name, "site": state.site, "spec": state.spec}))
    };
    let named = |state: &Option<ObjectState>| {
        state.as_ref().map_or(Value::Null, |state| documents::state_shown(change.kind, state, &names))
    };
    let (old, new) = (plain(&change.before), plain(&change.after));
    let changes = if with_names {
        let (old_named, new_named) = (named(&change.before), named(&change.after));
        let changes =
            diff::between(Side { ids: &old, shown: &old_named }, Side { ids: &new, shown: &new_named });
        for (state, shown) in [(&mut change.before, old_named), (&mut change.after, new_named)] {
            if let (Some(state), Value::Object(mut shown)) = (state, shown) {
                state.spec = shown.remove("spec").unwrap_or_default();
            }
        }
        changes
    } else {
        diff::plain(&old, &new)
    };
    ChangeShown { change, changes }
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
