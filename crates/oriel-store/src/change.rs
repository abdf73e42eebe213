//! The change log: who changed what, when and from where, with the state before and after.

use std::net::IpAddr;

use jiff::Timestamp;
use oriel_model::{Id, Kind, SettingsObject, site::Site};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Changes read at a time at most: about what one page of an audit view or one refresh of a
/// broker's memory takes, and a bound on the memory of one answer.
pub const CHANGES_MAX: usize = 1_000;

/// Who makes a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Author {
    /// Readable: `token admin`, `user alice`, `system`.
    pub name: String,
    /// How it came in.
    pub via: Via,
    /// The client's address, where there is one.
    pub address: Option<IpAddr>,
}

impl Author {
    /// The farm itself, at start or on a schedule.
    pub fn system() -> Self {
        Self { name: "system".to_owned(), via: Via::System, address: None }
    }
}

/// How a change came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A portal in a browser.
    Portal,
    /// The command line.
    Cli,
    /// The REST API, called by something else.
    Api,
    /// The farm itself.
    System,
    /// The broker's machine, by whoever may read its data directory: `oriel recover-root`.
    Recovery,
}

impl Via {
    const ALL: [Via; 5] = [Via::Portal, Via::Cli, Via::Api, Via::System, Via::Recovery];

    /// The word used in the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Via::Portal => "portal",
            Via::Cli => "cli",
            Via::Api => "api",
            Via::System => "system",
            Via::Recovery => "recovery",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.as_str() == word)
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The object was made.
    Created,
    /// Its name, site or spec was changed.
    Changed,
    /// It was deleted, and its secrets with it.
    Deleted,
    /// One of its secrets was set. The log never holds the secret.
    SecretSet,
    /// One of its secrets was removed.
    SecretRemoved,
}

impl Action {
    const ALL: [Action; 5] =
        [Action::Created, Action::Changed, Action::Deleted, Action::SecretSet, Action::SecretRemoved];

    /// The word used in the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Created => "created",
            Action::Changed => "changed",
            Action::Deleted => "deleted",
            Action::SecretSet => "secret_set",
            Action::SecretRemoved => "secret_removed",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// What an object said at one revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectState {
    /// Its name.
    pub name: String,
    /// Its site; none when it belongs to the farm.
    pub site: Option<Id<Site>>,
    /// Its spec.
    pub spec: Value,
}

/// One entry of the change log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// 1 for the first change of the store, one more with every change.
    pub sequence: u64,
    /// What was changed together has the same number here: the sequence of the first change of its
    /// transaction.
    pub transaction: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub author: Author,
    /// Kind of the object.
    pub kind: Kind,
    /// Id of the object.
    pub id: Id<Value>,
    /// Name of the object after the change, or before it was deleted.
    pub name: String,
    /// What was done.
    pub action: Action,
    /// Name of the secret, where the change is about one.
    pub secret: Option<String>,
    /// What the object said before; for `changed` and `deleted`.
    pub before: Option<ObjectState>,
    /// What it says since; for `created` and `changed`.
    pub after: Option<ObjectState>,
    /// The object's revision after the change; the last one when it was deleted.
    pub revision: u64,
}

impl Change {
    /// The object as it is after the change, for a reader that keeps objects in memory. None when
    /// it was deleted or only a secret changed: see [`Change::action`].
    pub fn object(&self) -> Option<SettingsObject> {
        let after = self.after.clone()?;
        Some(SettingsObject {
            kind: self.kind,
            id: self.id,
            name: after.name,
            site: after.site,
            spec: after.spec,
            revision: self.revision,
            changed_at: self.at,
            changed_by: self.author.name.clone(),
        })
    }
}

/// Which changes to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeQuery {
    /// Where to start, and in which direction.
    pub start: Start,
    /// Only changes of this object.
    pub object: Option<Id<Value>>,
    /// Only changes of objects of this kind.
    pub kind: Option<Kind>,
    /// Only changes of this transaction: see [`Change::transaction`].
    pub transaction: Option<u64>,
    /// Only changes by authors in whose name this stands; the case of ASCII letters does not matter.
    pub by: Option<String>,
    /// Only changes made then or later.
    pub since: Option<Timestamp>,
    /// Only changes made before.
    pub until: Option<Timestamp>,
    /// At most so many; [`CHANGES_MAX`] when larger.
    pub limit: usize,
}

/// Where reading the change log starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the change after this sequence number, oldest first: to follow the log.
    After(u64),
    /// At the change before this sequence number, newest first: to page back.
    Before(u64),
    /// At the newest, newest first: to look at what happened lately.
    Newest,
}

impl ChangeQuery {
    /// What happened after the change with this sequence number, oldest first.
    pub fn after(sequence: u64) -> Self {
        Self { start: Start::After(sequence), ..Self::newest() }
    }

    /// What happened lately, newest first.
    pub fn newest() -> Self {
        Self {
            start: Start::Newest,
            object: None,
            kind: None,
            transaction: None,
            by: None,
            since: None,
            until: None,
            limit: CHANGES_MAX,
        }
    }

    /// What happened before the change with this sequence number, newest first.
    pub fn before(sequence: u64) -> Self {
        Self { start: Start::Before(sequence), ..Self::newest() }
    }

    /// Only changes of this object.
    pub fn of<T: ?Sized>(self, object: Id<T>) -> Self {
        Self { object: Some(object.cast()), ..self }
    }

    /// Only changes of objects of this kind.
    pub fn of_kind(self, kind: Kind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// Only changes of this transaction.
    pub fn of_transaction(self, transaction: u64) -> Self {
        Self { transaction: Some(transaction), ..self }
    }

    /// At most so many.
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_in_the_log_reads_back() {
        assert!(Via::ALL.into_iter().all(|via| Via::from_word(via.as_str()) == Some(via)));
        assert!(Action::ALL.into_iter().all(|action| Action::from_word(action.as_str()) == Some(action)));
    }
}
