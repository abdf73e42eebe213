//! What administrators ask of a directory: whether it can be asked, and whom it has.

use std::sync::Arc;

use oriel_identity::{
    external,
    ldap::{self, Cursor, FOUND_MAX, NotAsked},
};
use oriel_model::{Id, Kind, directory::Directory, permission::Action};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::standing;
use crate::{
    Broker,
    app::{
        administrators::{Caller, Rights},
        objects::{self, ChangeError},
    },
};

/// People or groups shown at once unless another number is asked for.
const SHOWN: usize = 50;
/// Longest text that is searched for, in characters.
const TEXT_MAX: usize = 256;

/// What is looked for in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sought {
    /// People.
    Users,
    /// Groups.
    Groups,
}

impl Sought {
    pub(super) fn in_ldap(self) -> ldap::Kind {
        match self {
            Sought::Users => ldap::Kind::Users,
            Sought::Groups => ldap::Kind::Groups,
        }
    }

    /// The kind of object that stands for one.
    pub(super) fn kind(self) -> Kind {
        match self {
            Sought::Users => Kind::User,
            Sought::Groups => Kind::Group,
        }
    }

    /// The id that an object for one has.
    pub(super) fn object(self, directory: Id<Directory>, id: &str) -> Id<Value> {
        match self {
            Sought::Users => external::user_id(directory, id).cast(),
            Sought::Groups => external::group_id(directory, id).cast(),
        }
    }
}

/// A question to a directory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeopleQuery {
    /// People or groups.
    pub kind: Sought,
    /// What a name begins with; empty: all of them.
    #[serde(default)]
    pub text: String,
    /// Where the page before ended: its `next`.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many at most; up to 200, 50 if it is not said.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// Some of those that a directory has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DirectoryPage {
    /// In the order of their accounts.
    pub items: Vec<DirectoryEntry>,
    /// The cursor of the next page; null: this is the last.
    pub next: Option<String>,
    /// Whether more match than are ever shown: type more letters.
    pub is_cut: bool,
}

/// A person or a group of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DirectoryEntry {
    /// What it is there: what choosing it needs.
    pub external: String,
    /// A person's whole name to sign in with; a group's name.
    pub name: String,
    /// The short name.
    pub account: String,
    /// The name for others to read.
    pub full_name: Option<String>,
    /// The mail address.
    pub mail: Option<String>,
    /// Where it is in the directory.
    pub dn: String,
    /// The object that stands for it here; null: nobody chose it yet.
    pub object: Option<Id<Value>>,
}

/// How each server of a directory answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DirectoryCheck {
    /// The server that is asked now: the first that can be. Null: none can.
    pub answering: Option<String>,
    /// Each, in the order in which they are asked.
    pub servers: Vec<DirectoryServerState>,
}

/// How a server answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DirectoryServerState {
    /// Its name or address with the port.
    pub server: String,
    /// Whether it can be used.
    pub works: bool,
    /// What it calls itself.
    pub name: Option<String>,
    /// How long connecting, signing in and asking took, in milliseconds.
    pub took_ms: Option<u64>,
    /// What is wrong, and what to do.
    pub why: Option<String>,
}

/// Why a directory said nothing.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is none, or the caller may not.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// It has nobody with this id.
    #[error("the directory has nobody with this id, or the service account does not see them")]
    Nobody,
    /// It cannot be asked.
    #[error("the directory cannot be asked: {0}")]
    NotAsked(String),
}

impl From<NotAsked> for DirectoryError {
    fn from(error: NotAsked) -> Self {
        Self::NotAsked(error.to_string())
    }
}

/// A page of a directory's people or groups.
pub async fn people(
    broker: &Broker,
    rights: &Rights,
    id: Id<Directory>,
    query: &PeopleQuery,
) -> Result<DirectoryPage, DirectoryError> {
    objects::seen_by(broker, rights, id)?;
    let view = broker.farm.load();
    let client = broker.directories.client(&view, id).map_err(DirectoryError::NotAsked)?;
    let after = query.cursor.as_deref().map(Cursor::from_text);
    let limit = query.limit.unwrap_or(SHOWN).clamp(1, FOUND_MAX);
    let text: String = query.text.trim().chars().take(TEXT_MAX).collect();
    let found = client.search(query.kind.in_ldap(), &text, after.as_ref(), limit).await;
    note(broker, id, &found);
    let page = found?;
    let items = page.found.into_iter().map(|found| {
        let object = query.kind.object(id, &found.id);
        DirectoryEntry {
            object: view.name_of(query.kind.kind(), object).is_some().then_some(object),
            external: found.id,
            name: found.name,
            account: found.account,
            full_name: found.full_name,
            mail: found.mail,
            dn: found.dn,
        }
    });
    Ok(DirectoryPage {
        items: items.collect(),
        next: page.next.map(|next| next.to_string()),
        is_cut: page.is_cut,
    })
}

pub(super) fn note<T>(broker: &Broker, id: Id<Directory>, answer: &Result<T, NotAsked>) {
    match answer {
        Ok(_) => standing::note(broker, id, Ok(())),
        Err(NotAsked::Unavailable(why)) => standing::note(broker, id, Err(why)),
        Err(NotAsked::Busy | NotAsked::NoServiceAccount) => {}
    }
}

/// Asks every server of a directory once.
pub async fn check(
    broker: &Broker,
    by: &Caller,
    id: Id<Directory>,
) -> Result<DirectoryCheck, DirectoryError> {
    objects::permitted(broker, &by.rights, Action::Control, id)?;
    let view = broker.farm.load();
    let client = broker.directories.client(&view, id).map_err(DirectoryError::NotAsked)?;
    let check = client.check().await;
    let answering = check.answering().map(ToString::to_string);
    let servers: Vec<_> = check
        .servers
        .iter()
        .map(|one| {
            let answer = one.outcome.as_ref().ok();
            DirectoryServerState {
                server: one.server.to_string(),
                works: answer.is_some(),
                name: answer.and_then(|answer| answer.name.clone()),
                took_ms: answer.map(|answer| u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX)),
                why: one.outcome.as_ref().err().cloned(),
            }
        })
        .collect();
    let why: Vec<_> = servers.iter().filter_map(|one| one.why.as_deref()).collect();
    let why = why.join(" ");
    standing::note(broker, id, if answering.is_some() { Ok(()) } else { Err(&why) });
    Ok(DirectoryCheck { answering, servers })
}

/// Asks about everybody of a directory anew: at once about whoever is in use, about others when they come again.
pub fn flush(broker: &Arc<Broker>, by: &Caller, id: Id<Directory>) -> Result<(), DirectoryError> {
    objects::permitted(broker, &by.rights, Action::Control, id)?;
    let view = broker.farm.load();
    if let Ok(client) = broker.directories.client(&view, id) {
        client.flush();
    }
    view.people.flush(id);
    broker.directories.forget_standing(id);
    broker.directories.flushed.notify_one();
    Ok(())
}
