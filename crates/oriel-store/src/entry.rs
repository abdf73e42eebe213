//! The log: every settings change, and what happened beside (sign-ins, launches, session actions, joining),
//! in one sequence of entries. An entry of a change is written with it; the others come from
//! [`crate::SettingsStore::append`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use oriel_model::{Id, Kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Action, Author, Change, Start, StoreError, Via};

/// Entries read at a time at most.
pub const ENTRIES_MAX: usize = 1_000;
/// Events written at a time at most.
pub const EVENTS_MAX: usize = 1_000;
/// Size of an event's subjects and details at most, in bytes of JSON. Names and reasons are a few hundred.
pub const EVENT_BYTES_MAX: usize = 16 * 1024;

macro_rules! words {
    ($(#[$about:meta])* $name:ident: $($(#[$each:meta])* $variant:ident = $word:literal;)*) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$each])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used in the store and the API.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// What a word means; none: nothing.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// What an entry tells. Scripts and log collectors match on these words, so none is ever renamed.
    Code:
    /// A settings object was made.
    SettingsCreated = "settings.created";
    /// A settings object was changed.
    SettingsChanged = "settings.changed";
    /// A settings object was deleted.
    SettingsDeleted = "settings.deleted";
    /// A secret of a settings object was set.
    SettingsSecretSet = "settings.secret_set";
    /// A secret of a settings object was removed.
    SettingsSecretRemoved = "settings.secret_removed";
    /// A user signed in to the portal.
    UserSignedIn = "user.signed_in";
    /// Somebody was refused at the portal.
    UserSignInRefused = "user.sign_in_refused";
    /// A user signed out.
    UserSignedOut = "user.signed_out";
    /// A user put off the end of their hours.
    UserHoursExtended = "user.hours_extended";
    /// An administrator signed in to the management portal.
    AdministratorSignedIn = "administrator.signed_in";
    /// Somebody was refused at the management portal.
    AdministratorSignInRefused = "administrator.sign_in_refused";
    /// A sign-in of an administrator was ended, by themselves or another.
    AdministratorSignedOut = "administrator.signed_out";
    /// Somebody became a root administrator by `oriel recover-root`, or was refused.
    AdministratorRecovered = "administrator.recovered";
    /// A directory of people answers again.
    DirectoryAnswers = "directory.answers";
    /// No server of a directory of people could be asked: the first time, until it answers again.
    DirectoryOutOfReach = "directory.out_of_reach";
    /// Somebody came with an API token that does not count, once or several times within a minute.
    TokenRefused = "token.refused";
    /// A user opened something.
    SessionLaunched = "session.launched";
    /// A user could not open something.
    SessionLaunchRefused = "session.launch_refused";
    /// A message was sent to a session.
    SessionMessaged = "session.messaged";
    /// A session was disconnected from its client.
    SessionDisconnected = "session.disconnected";
    /// A session was logged off.
    SessionLoggedOff = "session.logged_off";
    /// A session was killed.
    SessionReset = "session.reset";
    /// A process of a session was ended.
    SessionProcessEnded = "session.process_ended";
    /// An administrator had a host's machine restarted.
    HostRestarted = "host.restarted";
    /// An administrator had one stopped.
    HostStopped = "host.stopped";
    /// A step of a schedule was carried out on a host.
    ScheduleCarriedOut = "schedule.carried_out";
    /// A component used an invitation and joined the farm.
    ComponentJoined = "component.joined";
    /// Somebody came with an invitation that does not count.
    ComponentJoinRefused = "component.join_refused";
    /// A message of a notification went out.
    NotificationSent = "notification.sent";
    /// A message of a notification could not be sent: the first time, and when it is given up.
    NotificationFailed = "notification.failed";
    /// A backup of all settings was made.
    BackupMade = "backup.made";
    /// A backup of all settings could not be made.
    BackupFailed = "backup.failed";
    /// All settings were exported.
    FarmExported = "farm.exported";
    /// The oldest entries were dropped: details say which, and the hash of the last of them.
    LogDropped = "log.dropped";
    /// Events happened that could not be written down: details say how many, and from when to when.
    LogLost = "log.lost";
}

words! {
    /// How it ended.
    Outcome:
    /// It was done.
    Done = "done";
    /// It was not permitted.
    Refused = "refused";
    /// It was permitted and did not work.
    Failed = "failed";
}

impl From<Action> for Code {
    fn from(action: Action) -> Self {
        match action {
            Action::Created => Code::SettingsCreated,
            Action::Changed => Code::SettingsChanged,
            Action::Deleted => Code::SettingsDeleted,
            Action::SecretSet => Code::SettingsSecretSet,
            Action::SecretRemoved => Code::SettingsSecretRemoved,
        }
    }
}

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// What it is: a kind of settings object, `session` or `connection`.
    pub kind: String,
    /// Which one.
    pub id: Id<Value>,
    /// What it was called then; empty where it has no name.
    pub name: String,
}

impl Subject {
    /// A settings object.
    pub fn object<S: ?Sized>(kind: Kind, id: Id<S>, name: &str) -> Self {
        Self { kind: kind.as_str().to_owned(), id: id.cast(), name: name.to_owned() }
    }
}

/// Something that happened, to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When; kept to the microsecond.
    pub at: Timestamp,
    /// Who did it, or tried to.
    pub author: Author,
    /// What.
    pub code: Code,
    /// How it ended.
    pub outcome: Outcome,
    /// What it was done to.
    pub subjects: Vec<Subject>,
    /// More about it, by name, such as `why`.
    pub details: BTreeMap<String, String>,
}

impl Event {
    /// An event without subjects and details, that worked.
    pub fn new(at: Timestamp, author: Author, code: Code) -> Self {
        Self { at, author, code, outcome: Outcome::Done, subjects: Vec::new(), details: BTreeMap::new() }
    }

    /// With another outcome.
    #[must_use]
    pub fn ended(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// About this, too.
    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        self.subjects.push(subject);
        self
    }

    /// With a detail.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.details.insert(name.to_owned(), value.to_string());
        self
    }
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Entry {
    /// 1 for the first entry of the store, one more with every entry.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it, or tried to.
    pub author: Author,
    /// What.
    pub code: Code,
    /// How it ended.
    pub outcome: Outcome,
    /// What it was done to.
    pub subjects: Vec<Subject>,
    /// More about it, by name, such as `why`.
    pub details: BTreeMap<String, String>,
    /// SHA-256 over the entry and the hash of the one before.
    pub hash: String,
    /// The settings change that it tells of.
    pub change: Option<Change>,
}

impl Entry {
    /// The first subject of a kind.
    pub fn subject(&self, kind: &str) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.kind == kind)
    }
}

/// Which entries to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryQuery {
    /// Where to start, and in which direction, by numbers of entries.
    pub start: Start,
    /// Only with this code, or with codes that begin with this and a dot: `session` for all of sessions.
    pub code: Option<String>,
    /// Only with this outcome.
    pub outcome: Option<Outcome>,
    /// Only about something of this kind.
    pub kind: Option<String>,
    /// Only about the object, session or connection with this id.
    pub object: Option<Id<Value>>,
    /// Only changes of this transaction: see [`Change::transaction`].
    pub transaction: Option<u64>,
    /// Only by authors in whose name this stands; the case of ASCII letters does not matter.
    pub by: Option<String>,
    /// Only what came in this way.
    pub via: Option<Via>,
    /// Only what happened then or later.
    pub since: Option<Timestamp>,
    /// Only what happened before.
    pub until: Option<Timestamp>,
    /// Only where this stands in an author, a name or a detail; the case of ASCII letters does not matter.
    pub text: Option<String>,
    /// At most so many; [`ENTRIES_MAX`] when larger.
    pub limit: usize,
}

impl EntryQuery {
    /// Everything from a start on.
    pub fn from(start: Start) -> Self {
        Self {
            start,
            code: None,
            outcome: None,
            kind: None,
            object: None,
            transaction: None,
            by: None,
            via: None,
            since: None,
            until: None,
            text: None,
            limit: ENTRIES_MAX,
        }
    }
}

/// Refuses what is too much to be written at once.
pub(crate) fn check(events: &[Event]) -> Result<(), StoreError> {
    if events.len() > EVENTS_MAX {
        return Err(StoreError::Refused(format!(
            "{} events at once are too many; at most {EVENTS_MAX} are taken",
            events.len()
        )));
    }
    for event in events {
        let names = event.subjects.iter().map(|subject| subject.kind.len() + subject.name.len() + 80);
        let details = event.details.iter().map(|(name, value)| name.len() + value.len() + 8);
        let size = names.chain(details).sum::<usize>() + event.author.name.len();
        if size > EVENT_BYTES_MAX {
            return Err(StoreError::Refused(format!(
                "the event {} has {size} bytes; at most {EVENT_BYTES_MAX} are taken",
                event.code
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_is_said_once() {
        for code in Code::ALL {
            assert_eq!(Code::from_word(code.as_str()), Some(*code));
            assert_eq!(serde_json::to_value(code).expect("JSON"), code.as_str());
        }
        assert!(Outcome::ALL.iter().all(|one| Outcome::from_word(one.as_str()) == Some(*one)));
    }
}
