//! The log: changes of settings and what happened beside, in one sequence; and whether anybody tampered with it.

use std::{collections::BTreeMap, io, str::FromStr, sync::Arc};

use aide::{
    OperationOutput,
    axum::{ApiRouter, routing::get_with},
    generate::GenContext,
    openapi::{self, Operation},
};
use axum::{
    BoxError, Json,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::header;
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
use crate::{
    Broker,
    app::{
        audit::syslog::{self, SyslogState},
        objects,
    },
    farm::FarmView,
    http::ApiError,
};

/// Longest text that is searched for, in characters.
const TEXT_MAX: usize = 200;
/// Entries that an export reads at a time: what it holds in memory.
const EXPORT_PAGE: usize = 200;
/// The media type of lines of JSON.
const LINES: &str = "application/x-ndjson";

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

/// How the log is sent to a syslog server.
#[derive(Debug, Serialize, JsonSchema)]
struct SyslogShown {
    /// How it goes; none: the settings name no server.
    syslog: Option<SyslogState>,
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
    /// What was dropped before the first, by age or size; none: nothing, or the log does not say it any more.
    dropped: Option<DroppedShown>,
}

/// What the log need not hold any more.
#[derive(Debug, Serialize, JsonSchema)]
struct DroppedShown {
    /// The last entry that was dropped; all before it were, too.
    through: u64,
    /// When.
    at: Timestamp,
    /// Why: `age` or `size`.
    why: String,
}

/// Entries as lines of JSON.
struct Lines(Body);

impl IntoResponse for Lines {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, LINES)], self.0).into_response()
    }
}

impl OperationOutput for Lines {
    type Inner = Self;

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        // Each line is what the list has as an item.
        let described = Json::<EntryShown>::inferred_responses(context, operation);
        let entry = described.into_iter().find_map(|(_, response)| response.content.into_values().next());
        let response = openapi::Response {
            description: "Entries, a line of JSON each, the oldest first. An answer that breaks off is not \
                whole: go on with `after`, the number of the last entry that came."
                .into(),
            content: [(LINES.to_owned(), entry.unwrap_or_default())].into_iter().collect(),
            ..openapi::Response::default()
        };
        vec![(Some(200), response)]
    }
}

async fn list(
    State(broker): State<Arc<Broker>>,
    may: May<View<Audit>>,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<Entries>, ApiError> {
    let limit = objects::limit(query.limit)?;
    let (names, start) = (query.names, start(&query)?);
    check(&query)?;
    let wanted = wanted(query, start, limit);
    let items = broker.store.entries(wanted).await?;
    let next = if items.len() < limit { None } else { items.last().map(|entry| entry.number) };
    let view = broker.farm.load();
    let sees = |entry: &Entry| may.rights().sees_entry(&view, entry);
    let items = items.into_iter().filter(sees).map(|entry| shown(entry, &view, names)).collect();
    Ok(Json(Entries { items, next }))
}

fn wanted(query: AuditQuery, start: Start, limit: usize) -> EntryQuery {
    let AuditQuery { code, outcome, kind, object, transaction, by, via, since, until, text, .. } = query;
    EntryQuery { start, code, outcome, kind, object, transaction, by, via, since, until, text, limit }
}

async fn export(
    State(broker): State<Arc<Broker>>,
    may: May<View<Audit>>,
    Asked(query): Asked<AuditQuery>,
) -> Result<Lines, ApiError> {
    if query.before.is_some() || query.limit.is_some() {
        let message = "An export goes from the oldest entry to the newest.";
        return Err(ApiError::bad_request(message).advice("Say after, since or until, not before or limit."));
    }
    check(&query)?;
    // What happens meanwhile is in the next export.
    let newest = EntryQuery { limit: 1, ..EntryQuery::from(Start::Newest) };
    let newest = broker.store.entries(newest).await?.first().map_or(0, |entry| entry.number);
    let names = query.names;
    let start = Start::After(query.after.unwrap_or(0));
    let first = (start != Start::After(newest)).then(|| wanted(query, start, EXPORT_PAGE));
    let caller = may.by().clone();
    let pages = stream::try_unfold(first, move |query| {
        let (broker, caller) = (broker.clone(), caller.clone());
        async move {
            let Some(query) = query else { return Ok(None) };
            let mut items = broker.store.entries(query.clone()).await?;
            let is_full = items.len() == query.limit;
            items.retain(|entry| entry.number <= newest);
            let last = items.last().map(|entry| entry.number).filter(|last| is_full && *last < newest);
            let next = last.map(|last| EntryQuery { start: Start::After(last), ..query });
            let view = broker.farm.load();
            let mut lines = Vec::new();
            for entry in items.into_iter().filter(|entry| caller.rights.sees_entry(&view, entry)) {
                serde_json::to_writer(&mut lines, &shown(entry, &view, names)).map_err(io::Error::other)?;
                lines.push(b'\n');
            }
            Ok::<_, BoxError>(Some((Bytes::from(lines), next)))
        }
    });
    Ok(Lines(Body::from_stream(pages)))
}

async fn show_syslog(
    State(broker): State<Arc<Broker>>,
    _: May<View<Audit>>,
) -> Result<Json<SyslogShown>, ApiError> {
    Ok(Json(SyslogShown { syslog: syslog::state(&broker).await? }))
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
    let dropped = if first > 1 { dropped(&broker).await? } else { None };
    Ok(Json(Verification { first, through, hash, fault, dropped }))
}

/// What the newest entry about dropping says.
async fn dropped(broker: &Broker) -> Result<Option<DroppedShown>, ApiError> {
    let code = Some(Code::LogDropped.as_str().to_owned());
    let query = EntryQuery { code, limit: 1, ..EntryQuery::from(Start::Newest) };
    let found = broker.store.entries(query).await?.into_iter().next();
    Ok(found.and_then(|entry| {
        let through = entry.details.get("through")?.parse().ok()?;
        Some(DroppedShown { through, at: entry.at, why: entry.details.get("why")?.clone() })
    }))
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
    let export = get_with(export, |operation| {
        let about = "Sends entries of the log as lines of JSON, the oldest first, however many there are.";
        crud::described(operation, "export_entries", "audit", about)
    });
    let syslog = get_with(show_syslog, |operation| {
        let about = "Shows how the log is sent to the syslog server.";
        crud::described(operation, "show_syslog", "audit", about)
    });
    ApiRouter::new()
        .api_route("/audit", list)
        .api_route("/audit/export", export)
        .api_route("/audit/syslog", syslog)
        .api_route("/audit/verification", verify)
}
