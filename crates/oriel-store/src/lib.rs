//! The settings store: settings objects, their sealed secrets, the log of changes and events, and the little
//! that a broker keeps beside them (icons, favourites, ended sign-ins).
//!
//! Callers hold an `Arc<dyn SettingsStore>` from [`open`]. An adapter holds SQL and nothing else:
//! validation and sealing ([`Transaction::prepare`]) and the decision what a transaction changes
//! ([`plan`]) are shared, and each step hands out what the next one demands.
//!
//! Deliberately absent: rules and references between objects (a pool that still has hosts, a group
//! that is gone): most of them lie inside specs, so the use cases check them against their snapshot.
//! Also absent: sessions and load, which belong to the hosts, and any clock: time is an argument.

mod answer;
mod blob;
mod chain;
mod change;
mod entry;
mod error;
mod key;
mod open;
mod person;
mod plan;
mod secret;
mod sign_in;
mod snapshot;
mod sqlite;
mod store;
mod transaction;
mod user_state;

#[cfg(test)]
mod contract;

pub use answer::{ANSWER_BYTES_MAX, ANSWERS_MAX, KeptAnswer};
pub use blob::{BLOB_BYTES_MAX, BLOBS_MAX};
pub use chain::{CHECKED_MAX, ChainFault, Checked, Dropped, Retention};
pub use change::{Action, Author, CHANGES_MAX, Change, ChangeQuery, ObjectState, Start, Via};
pub use entry::{Code, ENTRIES_MAX, EVENT_BYTES_MAX, EVENTS_MAX, Entry, EntryQuery, Event, Outcome, Subject};
pub use error::{CommitError, OpenError, StoreError};
pub use key::{FarmKey, FarmKeyError};
pub use open::open;
pub use person::{KeptPerson, PEOPLE_MAX, PERSON_BYTES_MAX};
pub use secret::{OwnedSecret, SECRET_BYTES_MAX, SecretError};
pub use sign_in::{EndedSignIn, SignIn};
pub use snapshot::Snapshot;
pub use sqlite::SqliteStore;
pub use store::SettingsStore;
pub use transaction::{Committed, SPEC_BYTES_MAX, Transaction, WRITES_MAX, Write};
pub use user_state::{FAVOURITES_MAX, RECENT_MAX, Recent, UserState};
