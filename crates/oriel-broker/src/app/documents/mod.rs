//! Settings as documents: the whole farm, or parts of it, as text that people and scripts keep, compare and
//! apply.
//!
//! One mechanism carries out changes of many objects, whether they come as documents, from an archive, by
//! turning changes back, or by copying: a [`draft::Draft`] of the farm as it would be, checked as a whole,
//! made into a [`Plan`] for people, and written in one transaction. There is no code for single kinds here:
//! what is particular to one says its spec ([`oriel_model::Spec`]) or [`super::objects::Managed`].
//!
//! Some objects cannot be made by saying what they are: hosts, gateways and brokers come into being when
//! they join or start, tokens and invitations when their secret is made. A document may change and delete
//! them, and only an import makes them. Fields that only the farm itself sets (digests, a broker's own
//! addresses) are no part of a document.

pub mod any_kind;
mod apply;
pub mod archive;
pub mod backup;
pub mod diff;
pub mod draft;
mod export;
mod import;
mod meaning;
pub mod names;
mod obstacle;
mod plan;
mod restore;
mod revert;
mod seal;
mod sections;
mod taken_back;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use oriel_model::{
    Id, Kind, Timestamp,
    permission::Action,
    site::Site,
    validate::{self, Mistake, Mistakes},
};
use oriel_store::{CommitError, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    app::administrators::{Forbidden, Rights},
    farm::FarmView,
};

pub use apply::{Apply, apply};
pub use archive::Archive;
pub use export::export;
pub use import::{Import, import};
pub use obstacle::{Obstacle, Why};
pub use plan::{Plan, PlanItem, PlannedAction, state_shown};
pub use restore::{RestoreError, Restored, restore};
pub use revert::{Back, last_change_before, revert, revert_to};
pub use sections::{CopySections, copy_sections};

/// A settings object as text: with names in place of ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The name of the site it belongs to; none when it belongs to the farm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// What is set, whole: what is left out inherits, or has its default. References are names.
    #[serde(default)]
    #[schemars(with = "Map<String, Value>")]
    pub spec: Value,
    /// Deletes it; one that is not there is deleted already.
    #[serde(default, skip_serializing_if = "is_false")]
    pub delete: bool,
    /// What it was called before; of no matter once it has its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    /// Its id: only in archives, so that what refers to it from outside the farm's settings still finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<uuid::Uuid>")]
    pub id: Option<Id<Value>>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// These fields are wrong.
    #[error("what was sent is not valid")]
    Invalid(Vec<Mistake>),
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Others have changed what this was based on.
    #[error("{kind} \"{name}\" was changed by {by} at {at} in the meantime")]
    ChangedSince {
        /// Kind of the object.
        kind: Kind,
        /// Its name.
        name: String,
        /// Who changed it.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// These stand in the way of turning a change back.
    #[error("{}", obstacle::told(.0))]
    InTheWay(Vec<Obstacle>),
    /// The change cannot be turned back.
    #[error("{0}")]
    NotRevertible(String),
    /// There is no such change.
    #[error("there is no change with the number {0}")]
    NoSuchChange(u64),
    /// There is no such site.
    #[error("there is no site with this id")]
    NoSuchSite,
    /// Only an empty farm takes an import.
    #[error("the farm is not empty: it has {0}")]
    NotEmpty(String),
    /// What is sealed in the archive needs a passphrase.
    #[error("the archive holds secrets, so its passphrase is needed")]
    PassphraseMissing,
    /// It does not open.
    #[error("the passphrase is wrong, or the archive was altered")]
    WrongPassphrase,
    /// The farm has no passphrase for its backups.
    #[error("the farm has no passphrase for its backups yet")]
    NoBackupPassphrase,
    /// The backup's file cannot be written.
    #[error("the backup cannot be written to {path}: {reason}")]
    Backup {
        /// The folder or file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// One call of this size at a time.
    #[error("the broker is busy with another large change; try again in a moment")]
    Busy,
    /// The store says no.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Refused::Commit(error.into())
    }
}

impl From<Mistakes> for Refused {
    fn from(mistakes: Mistakes) -> Self {
        Refused::Invalid(mistakes.into_vec())
    }
}

/// One mistake as an answer.
fn wrong(field: &str, message: impl Into<String>) -> Refused {
    Refused::Invalid(vec![Mistake { field: field.to_owned(), message: message.into() }])
}

/// Reads documents one by one, so that one that cannot be read does not hide the mistakes of the others;
/// `list` is what their list is called in paths.
pub fn read(values: Vec<Value>, list: &str) -> Result<Vec<Document>, Refused> {
    let mut mistakes = Mistakes::default();
    let mut documents = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        match serde_path_to_error::deserialize::<_, Document>(value) {
            Ok(document) => documents.push(document),
            Err(error) => {
                let path = error.path().to_string();
                let message = validate::in_words(&error.into_inner().to_string());
                mistakes.within(&format!("{list}[{index}]"), |m| {
                    m.add(if path == "." { "" } else { &path }, message);
                });
            }
        }
    }
    let mistakes = mistakes.into_vec();
    if mistakes.is_empty() { Ok(documents) } else { Err(Refused::Invalid(mistakes)) }
}

/// Which objects are wanted as documents.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentsQuery {
    /// Only objects of this kind, such as `pool`.
    pub kind: Option<Kind>,
    /// Only objects of this site, and the site itself.
    #[schemars(with = "Option<uuid::Uuid>")]
    pub site: Option<Id<Site>>,
}

/// The farm as documents, without anything secret: in the order in which objects may refer to each other,
/// then of their names. Only what the caller may see.
pub fn list(view: &Arc<FarmView>, query: &DocumentsQuery, rights: &Rights) -> Vec<Document> {
    let names = names::Shown::of(view);
    let mut found = Vec::new();
    for kind in Kind::ALL.iter().copied().filter(|kind| rights.anywhere(kind.area(), Action::View)) {
        if query.kind.is_some_and(|wanted| wanted != kind) {
            continue;
        }
        let any = any_kind::of(kind);
        for id in any.ids(view) {
            let Some(object) = any.stored(view, id) else { continue };
            let is_of_site = |site: Id<Site>| object.site == Some(site) || object.id == site.cast();
            let is_seen = rights.sees_any(kind, object.id, object.site);
            if !is_seen || query.site.is_some_and(|site| !is_of_site(site)) {
                continue;
            }
            let Some(mut spec) = any.with_names(&object.spec, names.clone()) else { continue };
            any_kind::without_own_fields(kind, &mut spec);
            let site = object
                .site
                .map(|site| names.name_of(Kind::Site, site.cast()).unwrap_or_else(|| site.to_string()));
            found.push(Document {
                kind,
                name: object.name,
                site,
                spec,
                delete: false,
                renamed_from: None,
                id: None,
            });
        }
    }
    found
}
