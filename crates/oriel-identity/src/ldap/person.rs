//! Who and what a directory knows.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// What a person keeps for life: the SID in Active Directory, else the entry's UUID. Names change, and are
/// given to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(pub String);

/// The same of a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub String);

/// Somebody of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who, however they are called.
    pub id: PersonId,
    /// The name to sign in with: the user principal name, or the account with the directory's DNS name.
    pub name: String,
    /// The account: `sAMAccountName`, `uid`.
    pub account: String,
    /// Their name for others to read.
    pub full_name: Option<String>,
    /// Their address.
    pub mail: Option<String>,
    /// Every group that they are in, through others and as their primary one too; sorted.
    pub groups: Vec<GroupId>,
    /// When their password expires, if it does and the directory tells.
    pub password_expires: Option<Expiry>,
    /// When their account expires, if it does.
    pub account_expires: Option<Timestamp>,
}

/// When something ends. Directories tell one or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// At this time.
    At(Timestamp),
    /// This long after the answer.
    In(SignedDuration),
}

impl Expiry {
    /// As a time, for an answer of `now`.
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Expiry::At(at) => at,
            Expiry::In(time) => now.saturating_add(time).unwrap_or(Timestamp::MAX),
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// People.
    Users,
    /// Groups.
    Groups,
}

/// A person or group as it is shown in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What rules remember: a [`PersonId`] or [`GroupId`].
    pub id: String,
    /// As [`Person::name`]; a group's name.
    pub name: String,
    /// As [`Person::account`]; a group's short name.
    pub account: String,
    /// A name for others to read.
    pub full_name: Option<String>,
    /// Their address.
    pub mail: Option<String>,
    /// Where it is in the directory.
    pub dn: String,
}

/// A part of what was found, sorted by account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// It.
    pub found: Vec<Found>,
    /// How to ask for what follows; none if nothing does.
    pub next: Option<Cursor>,
    /// That more matches than [`super::MATCHES_MAX`], which is all that is ever shown: to be told, so that
    /// people type more letters.
    pub is_cut: bool,
}

/// After which entry a page begins: good for any server, at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub(super) String);

impl Cursor {
    /// The cursor that was written as this text; one that nobody wrote is only a place in the alphabet.
    pub fn from_text(text: &str) -> Self {
        Self(text.chars().take(CURSOR_MAX).collect())
    }
}

/// Characters of a cursor at most: an account with its identifier.
const CURSOR_MAX: usize = 600;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
