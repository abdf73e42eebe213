//! What can go wrong, in sentences for people.

use std::path::PathBuf;

use jiff::Timestamp;
use oriel_model::{Id, Kind, validate::Mistake};
use serde_json::Value;

use crate::{FarmKeyError, SecretError};

/// The cause inside an adapter; for the log.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Too many requests are waiting; worth trying again.
    #[error("the settings store is busy: too many requests are waiting; try again in a moment")]
    Busy,
    /// No space left; nothing was written.
    #[error("the settings store has no space left, so nothing was written; make room where it lies")]
    Full(#[source] Cause),
    /// Cannot be reached, read or written; nothing was written.
    #[error("the settings store cannot be read or written: {reason}")]
    Unavailable {
        /// What the adapter said.
        reason: String,
    },
    /// Something in the store cannot be understood: it is damaged or from a newer version.
    #[error("the settings store holds something that cannot be read: {0}")]
    Unreadable(String),
    /// A secret cannot be opened.
    #[error("the secret \"{name}\" cannot be opened")]
    Secret {
        /// Name of the secret.
        name: String,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// It does not fit the limits of the store; in words.
    #[error("{0}")]
    Refused(String),
}

/// A transaction was not carried out; nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Somebody else changed the object since it was read.
    #[error(
        "{kind} \"{name}\" was changed by {changed_by} at {changed_at} in the meantime (revision {found}, \
         yours is based on {expected}); look at it again and repeat your change"
    )]
    Stale {
        /// Kind of the object.
        kind: Kind,
        /// Its name now.
        name: String,
        /// Who changed it.
        changed_by: String,
        /// When.
        changed_at: Timestamp,
        /// The revision that the write was based on.
        expected: u64,
        /// The revision that is stored.
        found: u64,
    },
    /// Somebody else deleted the object since it was read.
    #[error("{kind} \"{name}\" was deleted by {deleted_by} at {deleted_at}")]
    Deleted {
        /// Kind of the object.
        kind: Kind,
        /// Its last name.
        name: String,
        /// Who deleted it.
        deleted_by: String,
        /// When.
        deleted_at: Timestamp,
    },
    /// Another object of the kind has this name.
    #[error("there is already a {kind} named \"{name}\"")]
    NameTaken {
        /// Kind of the objects.
        kind: Kind,
        /// The name as the other object writes it.
        name: String,
    },
    /// The id of a new object is in use.
    #[error("there is already an object with the id {id}")]
    IdTaken {
        /// The id.
        id: Id<Value>,
    },
    /// There is and was no such object.
    #[error("there is no {kind} with the id {id}")]
    NotFound {
        /// Kind of the object.
        kind: Kind,
        /// Its id.
        id: Id<Value>,
    },
    /// What was to be written is wrong.
    #[error("{kind} \"{name}\" is not valid: {}", sentences(.mistakes))]
    Invalid {
        /// Kind of the object.
        kind: Kind,
        /// Its name.
        name: String,
        /// What is wrong, each with its field.
        mistakes: Vec<Mistake>,
    },
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address of the store is not understood.
    #[error(
        "\"{0}\" is not the address of a settings store: expected sqlite:FILE, such as sqlite:/var/lib/oriel/settings.db"
    )]
    Address(String),
    /// Another process has it open.
    #[error(
        "the settings store {} is in use by {by}; a settings store on SQLite serves one broker at a time",
        path.display()
    )]
    InUse {
        /// The store's file.
        path: PathBuf,
        /// Who, as far as known.
        by: String,
    },
    /// It was written by a newer version.
    #[error(
        "the settings store {} has schema {found}, which is newer than schema {known} of this program; \
         start it with the version that it was last used with, or a later one",
        path.display()
    )]
    Newer {
        /// The store's file.
        path: PathBuf,
        /// The schema in the file.
        found: u32,
        /// The newest schema of this version.
        known: u32,
    },
    /// The file is something else.
    #[error("{} is not a settings store", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The store's secrets were sealed with another farm key.
    #[error("the farm key does not belong to the settings store {}", path.display())]
    WrongKey {
        /// The store's file.
        path: PathBuf,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// The farm key could not be had.
    #[error(transparent)]
    Key(#[from] FarmKeyError),
    /// There is no room for it.
    #[error(
        "the settings store {} has no space left, so it cannot be opened; make room where it lies",
        path.display()
    )]
    Full {
        /// The store's file.
        path: PathBuf,
    },
    /// The file or its folder cannot be used.
    #[error("the settings store {} cannot be opened: {reason}", path.display())]
    Unavailable {
        /// The store's file.
        path: PathBuf,
        /// What was said.
        reason: String,
    },
}

fn sentences(mistakes: &[Mistake]) -> String {
    let each: Vec<String> = mistakes.iter().map(|m| format!("{} {}", m.field, m.message)).collect();
    each.join("; ")
}
