//! What has become of an object since the revision that a change was based on: read from the change log,
//! which holds every state before and after.

use std::collections::HashMap;

use oriel_model::{Id, Timestamp};
use oriel_store::{Change, ChangeQuery, ObjectState, SettingsStore, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::documents::diff::plain;

/// What has become of an object since the revision that a change was based on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stale {
    /// The object's revision now.
    pub revision: u64,
    /// Who changed it last.
    pub changed_by: String,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// What has changed since, field by field.
    pub changes: Vec<ChangedField>,
}

/// A field that others have changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedField {
    /// Its path, such as `spec.description`.
    pub field: String,
    /// What it said at the revision that the change was based on; null where it said nothing.
    pub before: Value,
    /// What it says now; null where it says nothing.
    pub after: Value,
    /// Who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
}

/// Revisions looked back at most: who is further behind than this reads the change log.
const REVISIONS_MAX: usize = 200;

/// What has become of an object since `revision`, which is not its newest; none when the log has nothing
/// newer.
pub async fn since(
    store: &dyn SettingsStore,
    object: Id<Value>,
    revision: u64,
) -> Result<Option<Stale>, StoreError> {
    let newest_first = store.changes(ChangeQuery::newest().of(object).limit(REVISIONS_MAX)).await?;
    let mut newer: Vec<_> = newest_first
        .into_iter()
        .filter(|change| change.revision > revision && change.after.is_some())
        .collect();
    newer.reverse();
    Ok(told(&newer))
}

/// Oldest first.
fn told(newer: &[Change]) -> Option<Stale> {
    let (first, last) = (newer.first()?, newer.last()?);
    let mut authors: HashMap<String, &Change> = HashMap::new();
    for change in newer {
        for difference in plain(&shown(change.before.as_ref()), &shown(change.after.as_ref())) {
            authors.insert(difference.field, change);
        }
    }
    let now = plain(&shown(first.before.as_ref()), &shown(last.after.as_ref()));
    let changes = now.into_iter().map(|difference| {
        // A field that is only different as part of a larger one was changed with that, or by the last.
        let by = authors.get(&difference.field).copied().unwrap_or(last);
        ChangedField {
            field: difference.field,
            before: difference.before,
            after: difference.after,
            changed_by: by.author.name.clone(),
            changed_at: by.at,
        }
    });
    Some(Stale {
        revision: last.revision,
        changed_by: last.author.name.clone(),
        changed_at: last.at,
        changes: changes.collect(),
    })
}

/// A state as it may be shown: without what is kept of secrets.
fn shown(state: Option<&ObjectState>) -> Value {
    let Some(state) = state else { return Value::Null };
    let mut spec = state.spec.clone();
    leave_out_digests(&mut spec);
    json!({"name": state.name, "site": state.site, "spec": spec})
}

/// Digests of secrets are of no use to a reader, and never leave.
pub fn leave_out_digests(spec: &mut Value) {
    if let Value::Object(fields) = spec {
        fields.remove("secret_sha256");
    }
}
