//! The port.

use async_trait::async_trait;
use jiff::Timestamp;
use oriel_model::{Id, icon::IconId, user::User};
use serde_json::Value;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::{
    Change, ChangeQuery, Checked, CommitError, Committed, Dropped, EndedSignIn, Entry, EntryQuery, Event,
    KeptAnswer, KeptPerson, OwnedSecret, Retention, Snapshot, StoreError, Transaction, UserState,
};

/// Where settings are kept. Every call answers within seconds or says [`StoreError::Busy`]; none
/// blocks the async runtime. What was answered with `Ok` survives a crash and a loss of power.
#[async_trait]
pub trait SettingsStore: Send + Sync {
    /// Every settings object, seen at one moment, and the sequence number of the newest change.
    async fn load(&self) -> Result<Snapshot, StoreError>;

    /// Carries out all writes in their order, or none. The change log is written with them.
    async fn commit(&self, transaction: Transaction) -> Result<Committed, CommitError>;

    /// Reads the change log; at most [`crate::CHANGES_MAX`] changes at a time.
    async fn changes(&self, query: ChangeQuery) -> Result<Vec<Change>, StoreError>;

    /// Writes events into the log, in their order, all or none; at most [`crate::EVENTS_MAX`] of them, each of
    /// at most [`crate::EVENT_BYTES_MAX`] bytes. Answers the number of the newest entry.
    async fn append(&self, events: Vec<Event>) -> Result<u64, StoreError>;

    /// Reads the log: changes and events; at most [`crate::ENTRIES_MAX`] entries at a time.
    async fn entries(&self, query: EntryQuery) -> Result<Vec<Entry>, StoreError>;

    /// Follows the chain of the log for a step of at most [`crate::CHECKED_MAX`] entries, on from where the
    /// last step came; from where the log begins at first.
    async fn check_log(&self, checked: Option<Checked>) -> Result<Checked, StoreError>;

    /// Drops the oldest entries that are not to be kept, and their changes; says so in an entry that carries
    /// the hash of the last of them, so that the chain can be followed from there. One step of some
    /// thousands; what was changed together goes together. None: there was nothing to drop.
    async fn drop_oldest(&self, keep: Retention, at: Timestamp) -> Result<Option<Dropped>, StoreError>;

    /// The sequence number of the newest change, as it grows. Read on with
    /// [`ChangeQuery::after`]; numbers appear in the order in which changes become visible.
    fn watch(&self) -> watch::Receiver<u64>;

    /// A secret of a settings object, opened; none when it has no such secret.
    async fn secret(&self, owner: Id<Value>, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// Every secret of every settings object, opened, in the order of their owners and names: for the
    /// export of a whole farm.
    async fn secrets(&self) -> Result<Vec<OwnedSecret>, StoreError>;

    /// An icon's bytes.
    async fn blob(&self, id: &IconId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps an icon's bytes and names them; the same bytes are kept once.
    /// At most [`crate::BLOB_BYTES_MAX`] bytes.
    async fn put_blob(&self, bytes: Vec<u8>) -> Result<IconId, StoreError>;

    /// What a user keeps in the portal; the default for a user who keeps nothing.
    async fn user_state(&self, user: Id<User>) -> Result<UserState, StoreError>;

    /// Replaces what a user keeps in the portal. Not in the change log. It goes with the user.
    async fn put_user_state(&self, user: Id<User>, state: UserState) -> Result<(), StoreError>;

    /// Notes that a user used the one-time code of this time step; false: one of it or of a later step was
    /// used before, so this one does not count. Not in the change log. It goes with the user.
    async fn use_code(&self, user: Id<User>, step: i64) -> Result<bool, StoreError>;

    /// What directories said of people last, the newest first; at most [`crate::PEOPLE_MAX`].
    async fn people(&self) -> Result<Vec<KeptPerson>, StoreError>;

    /// Keeps what directories said of people, in place of what they said before; at most
    /// [`crate::PERSON_BYTES_MAX`] bytes of each. Forgets what was said at `expired` and before, and the oldest
    /// beyond [`crate::PEOPLE_MAX`]. Not in the change log.
    async fn keep_people(&self, people: Vec<KeptPerson>, expired: Timestamp) -> Result<(), StoreError>;

    /// What brokers remember of the duty `name`; none: nothing yet.
    async fn kept(&self, name: &'static str) -> Result<Option<Value>, StoreError>;

    /// Remembers `value` for the duty `name`, in place of what was remembered. Not in the change log.
    async fn keep(&self, name: &'static str, value: Value) -> Result<(), StoreError>;

    /// The answer that `caller` was given to a request with `key`; none: there is none, or it is forgotten.
    async fn answer(&self, caller: Id<Value>, key: &str) -> Result<Option<KeptAnswer>, StoreError>;

    /// Keeps an answer, in place of an earlier one; at most [`crate::ANSWER_BYTES_MAX`] bytes. Forgets those
    /// of `expired` and before, and the oldest beyond [`crate::ANSWERS_MAX`]. Not in the change log. It goes
    /// with the caller's token.
    async fn keep_answer(&self, answer: KeptAnswer, expired: Timestamp) -> Result<(), StoreError>;

    /// The sign-ins that were ended before their time and have not expired at `now`.
    async fn ended_sign_ins(&self, now: Timestamp) -> Result<Vec<EndedSignIn>, StoreError>;

    /// Remembers that a sign-in was ended, until it expires by itself; forgets those expired at `now`.
    async fn end_sign_in(&self, ended: EndedSignIn, now: Timestamp) -> Result<(), StoreError>;
}
