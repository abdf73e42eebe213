//! The log: changes of settings and what happened beside, in one sequence; and whether anybody tampered with it.

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use oriel_model::{Id, Kind, Timestamp};
use oriel_store::{Author, ChainFault, Code, Entry, EntryQuery, Outcome, Start, Subject, Via};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    caller::{Audit, May, View},
    changes::{self, ChangeShown},
    crud::{self, Api},
    documents::Turn,
    input::Asked,
};
use crate::{Broker, app::objects, farm::FarmView, http::ApiError};

/// Longest text that is searched for, in characters.
const TEXT_MAX: usize = 200;

/// Which entries are wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct AuditQuery {
    /// Only with this code, such as `session.launched`, or with codes that begin with this word: `session`.
    code: Option<String>,
    /// Only with this outcome.
    outcome: Option<Outcome>,
    /// Only about something of this kind, such as `user` or `session`.
    kind: Option<String>,
    /// Only about the object, session or connection with this id.
    #[schemars(with = "Option<uuid::Uuid>")]
    object: Option<Id<Value>>,
    /// Only changes that were made together: the `transaction` of one of them.
    transaction: Option<u64>,
    /// Only by authors in whose name this stands, such as `token admin`.
    by: Option<String>,
    /// Only what came in this way.
    via: Option<Via>,
    /// Only what happened then or later, as in `2026-12-01T08:00:00Z`.
    since: Option<Timestamp>,
    /// Only what happened before.
    until: Option<Timestamp>,
    /// Only where this stands in an author, an address, a name or a detail.
    text: Option<String>,
    /// Shows names in place of ids, in what was said and in what is different.
    names: bool,
    /// Only entries before the one with this number, newest first: `next` of the previous answer.
    before: Option<u64>,
    /// Only entries after the one with this number, oldest first: to follow or to export the log.
    after: Option<u64>,
    /// Most entries of the answer: 1 to 1000; 100 when not said.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
}

/// An entry of the log.
#[derive(Debug, Serialize, JsonSchema)]
struct EntryShown {
    /// 1 for the first entry, one more with every entry.
    number: u64,
    /// When.
    at: Timestamp,
    /// Who did it, or tried to.
    author: Author,
    /// What.
    code: Code,
    /// How it ended.
    outcome: Outcome,
    /// What it was done to.
    subjects: Vec<Subject>,
    /// More about it, by name, such as `why`.
    details: BTreeMap<String, String>,
    /// SHA-256 over the entry and the hash of the one before.
    hash: String,
    /// The change of settings that it tells of.
    change: Option<ChangeShown>,
}

/// One page of the log.
#[derive(Debug, Serialize, JsonSchema)]
struct Entries {
    /// The entries that the caller may see.
    items: Vec<EntryShown>,
    /// Pass it as `before` (or `after`) for the next page; none on the last.
    next: Option<u64>,
}

/// Whether the log is what was written.
#[derive(Debug, Serialize, JsonSchema)]
struct Verification {
    /// The first entry that is kept.
    first: u64,
    /// The last one up to which everything is as it was written.
    through: u64,
    /// Its hash. Who keeps it elsewhere can tell later whether the log up to there was written anew.
    hash: String,
    /// What is wrong; none: nothing.
    fault: Option<ChainFault>,
}

async fn list(
    State(broker): State<Arc<Broker>>,
    may: May<View<Audit>>,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<Entries>, ApiError> {
    let limit = objects::limit(query.limit)?;
    let (names, start) = (query.names, start(&query)?);
    check(&query)?;
    let AuditQuery { code, outcome, kind, object, transaction, by, via, since, until, text, .. } =
        query;
    let wanted =
        EntryQuery { start, code, outcome, kind, object, transaction, by, via, since, until, text, limit };
    let items = broker.store.entries(wanted).await?;
    let next = if items.len() < limit { None } else { items.last().map(|entry| entry.number) };
    let view = broker.farm.load();
    let sees = |entry: &Entry| may.rights().sees_entry(&view, entry);
    let items = items.into_iter().filter(sees).map(|entry| shown(entry, &view, names)).collect();
    Ok(Json(Entries { items, next }))
}

fn start(query: &AuditQuery) -> Result<Start, ApiError> {
    match (query.before, query.after) {
        (None, None) => Ok(Start::Newest),
        (Some(before), None) => Ok(Start::Before(before)),
        (None, Some(after)) => Ok(Start::After(after)),
        (Some(_), Some(_)) => Err(ApiError::bad_request("Say before or after, not both.")),
    }
}

/// Refuses what nothing can match: a typing mistake must not look like an empty log.
fn check(query: &AuditQuery) -> Result<(), ApiError> {
    if let Some(code) = &query.code {
        let begins = |known: &str| {
            known.strip_prefix(&**code).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if !Code::ALL.iter().any(|known| begins(known.as_str())) {
            let known: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
            let message = "There is no code of that name, and none that begins so.";
            return Err(ApiError::bad_request(message).advice(format!("There are: {}.", known.join(", "))));
        }
    }
    if let Some(kind) = &query.kind
        && !["session", "connection"].contains(&&**kind)
    {
        Kind::from_str(kind)
            .map_err(|error| ApiError::bad_request(crate::http::problem::sentence(&error)))?;
    }
    if query.text.as_ref().is_some_and(|text| text.chars().count() > TEXT_MAX) {
        return Err(ApiError::bad_request(format!(
            "A text to search for has at most {TEXT_MAX} characters."
        )));
    }
    Ok(())
}

fn shown(entry: Entry, view: &Arc<FarmView>, names: bool) -> EntryShown {
    let Entry { number, at, author, code, outcome, subjects, details, hash, change } = entry;
    let change = change.map(|change| changes::shown(change, view, names));
    EntryShown { number, at, author, code, outcome, subjects, details, hash, change }
}

async fn verify(
    State(broker): State<Arc<Broker>>,
    _: May<View<Audit>>,
    _turn: Turn,
) -> Result<Json<Verification>, ApiError> {
    let mut checked = broker.store.check_log(None).await?;
    while !checked.is_end {
        checked = broker.store.check_log(Some(checked)).await?;
    }
    let oriel_store::Checked { first, through, hash, fault, .. } = checked;
    Ok(Json(Verification { first, through, hash, fault }))
}

pub fn routes() -> Api {
    let list = get_with(list, |operation| {
        let about =
            "Lists entries of the log: changes of settings, sign-ins, launches, what was done to sessions.";
        crud::described(operation, "list_entries", "audit", about)
    });
    let verify = get_with(verify, |operation| {
        let about = "Follows the chain of hashes through the whole log: finds what was edited or removed.";
        crud::described(operation, "verify_log", "audit", about)
    });
    ApiRouter::new().api_route("/audit", list).api_route("/audit/verification", verify)
}
