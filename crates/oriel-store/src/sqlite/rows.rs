//! Rows to values and back. One function for each statement.

use jiff::Timestamp;
use oriel_model::{Id, Kind, SettingsObject, icon::IconId, user::User};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::sql;
use crate::{
    ANSWERS_MAX, Action, Author, CHANGES_MAX, Change, ChangeQuery, CommitError, EndedSignIn, KeptPerson,
    PEOPLE_MAX, Start, StoreError, UserState, Via,
    plan::{Deletion, Needs, Present, RowWrite},
    transaction::to_micros,
};

/// What goes wrong with rows.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    #[error("{0}")]
    Unreadable(String),
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sql(error) if super::is_full(&error) => StoreError::Full(Box::new(error)),
            Fault::Sql(error) => StoreError::Unavailable { reason: error.to_string() },
            Fault::Unreadable(what) => StoreError::Unreadable(what),
        }
    }
}

impl From<Fault> for CommitError {
    fn from(fault: Fault) -> Self {
        StoreError::from(fault).into()
    }
}

// ---- Objects ----

pub(super) fn objects(connection: &Connection) -> Result<Vec<SettingsObject>> {
    let mut statement = connection.prepare_cached(sql::OBJECTS)?;
    let mut rows = statement.query([])?;
    let mut objects = Vec::new();
    while let Some(row) = rows.next()? {
        objects.push(object(row)?);
    }
    Ok(objects)
}

fn object(row: &Row) -> Result<SettingsObject> {
    Ok(SettingsObject {
        id: id(row, 0)?,
        kind: kind(row, 1)?,
        name: row.get(2)?,
        site: site(row, 3)?,
        spec: json(row, 4)?.ok_or_else(|| Fault::Unreadable("an object without a spec".to_owned()))?,
        revision: row.get(5)?,
        changed_at: time(row, 6)?,
        changed_by: row.get(7)?,
    })
}

fn one_object(
    connection: &Connection,
    statement: &str,
    key: &[&dyn ToSql],
) -> Result<Option<SettingsObject>> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(key)?;
    rows.next()?.map(object).transpose()
}

/// Looks up what planning a transaction needs.
pub(super) fn present(connection: &Connection, needs: &Needs) -> Result<Present> {
    let mut present = Present { sequence: newest_sequence(connection)?, ..Present::default() };
    for id in &needs.ids {
        match one_object(connection, sql::OBJECT_BY_ID, params![id.to_string()])? {
            Some(object) => present.objects.push(object),
            None => present.deletions.extend(deletion(connection, *id)?),
        }
    }
    for (kind, name) in &needs.names {
        present.objects.extend(one_object(connection, sql::OBJECT_BY_NAME, params![kind.as_str(), name])?);
    }
    for (owner, name) in &needs.secrets {
        let mut statement = connection.prepare_cached(sql::SECRET_EXISTS)?;
        if statement.query_row(params![owner.to_string(), name], |row| row.get(0))? {
            present.secrets.insert((*owner, name.clone()));
        }
    }
    Ok(present)
}

fn deletion(connection: &Connection, id: Id<Value>) -> Result<Option<Deletion>> {
    let mut statement = connection.prepare_cached(sql::DELETION)?;
    let mut rows = statement.query(params![id.to_string()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Deletion {
        id,
        kind: kind(row, 0)?,
        name: row.get(1)?,
        revision: row.get(2)?,
        by: row.get(3)?,
        at: time(row, 4)?,
    }))
}

/// Carries out one write of a plan.
pub(super) fn write(connection: &Connection, write: &RowWrite) -> Result<()> {
    match write {
        RowWrite::Insert { object, folded_name } => {
            write_object(connection, sql::OBJECT_INSERT, object, folded_name)
        }
        RowWrite::Replace { object, folded_name } => {
            write_object(connection, sql::OBJECT_REPLACE, object, folded_name)
        }
        RowWrite::Delete { id } => execute(connection, sql::OBJECT_DELETE, params![id.to_string()]),
        RowWrite::PutSecret { owner, name, sealed } => {
            execute(connection, sql::SECRET_PUT, params![owner.to_string(), name, sealed])
        }
        RowWrite::DeleteSecret { owner, name } => {
            execute(connection, sql::SECRET_DELETE, params![owner.to_string(), name])
        }
    }
}

fn write_object(
    connection: &Connection,
    statement: &str,
    object: &SettingsObject,
    folded: &str,
) -> Result<()> {
    execute(
        connection,
        statement,
        params![
            object.id.to_string(),
            object.kind.as_str(),
            object.name,
            folded,
            object.site.map(|site| site.to_string()),
            object.spec.to_string(),
            object.revision,
            object.changed_at.as_microsecond(),
            object.changed_by,
        ],
    )
}

// ---- Change log ----

pub(super) fn newest_sequence(connection: &Connection) -> Result<u64> {
    Ok(connection.prepare_cached(sql::NEWEST_SEQUENCE)?.query_row([], |row| row.get(0))?)
}

pub(super) fn insert_change(connection: &Connection, change: &Change) -> Result<()> {
    execute(
        connection,
        sql::CHANGE_INSERT,
        params![
            change.sequence,
            change.at.as_microsecond(),
            change.author.name,
            change.author.via.as_str(),
            change.author.address.map(|address| address.to_string()),
            change.kind.as_str(),
            change.id.to_string(),
            change.name,
            change.action.as_str(),
            change.secret,
            change.before.as_ref().map(to_json),
            change.after.as_ref().map(to_json),
            change.revision,
            change.transaction,
        ],
    )
}

pub(super) fn changes(connection: &Connection, query: &ChangeQuery) -> Result<Vec<Change>> {
    let (after, before, order) = match query.start {
        Start::After(sequence) => (clamp(sequence), i64::MAX, "ASC"),
        Start::Before(sequence) => (0, clamp(sequence), "DESC"),
        Start::Newest => (0, i64::MAX, "DESC"),
    };
    let limit = query.limit.min(CHANGES_MAX);
    let object = query.object.map(|object| object.to_string());
    let kind = query.kind.map(Kind::as_str);
    // A condition that is not there lets SQLite use the index of one that is.
    let mut text = sql::CHANGES.to_owned();
    let mut values: Vec<&dyn ToSql> = vec![&after, &before];
    if let Some(object) = &object {
        values.push(object);
        text += &format!(" AND object = ?{}", values.len());
    }
    if let Some(kind) = &kind {
        values.push(kind);
        text += &format!(" AND kind = ?{}", values.len());
    }
    let transaction = query.transaction.map(clamp);
    if let Some(transaction) = &transaction {
        values.push(transaction);
        text += &format!(" AND transaction_first = ?{}", values.len());
    }
    let by = query.by.as_ref().map(|by| by.to_ascii_lowercase());
    if let Some(by) = &by {
        values.push(by);
        text += &format!(" AND instr(lower(author), ?{}) > 0", values.len());
    }
    let (since, until) = (query.since.map(micros), query.until.map(micros));
    if let Some(since) = &since {
        values.push(since);
        text += &format!(" AND at >= ?{}", values.len());
    }
    if let Some(until) = &until {
        values.push(until);
        text += &format!(" AND at < ?{}", values.len());
    }
    text += &format!(" ORDER BY sequence {order} LIMIT {limit}");
    let mut statement = connection.prepare(&text)?;
    let mut rows = statement.query(values.as_slice())?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        changes.push(change(row, 0)?);
    }
    Ok(changes)
}

fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// SQLite counts to 2^63 - 1; no log gets there.
pub(super) fn clamp(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// The change whose columns begin at `first`.
pub(super) fn change(row: &Row, first: usize) -> Result<Change> {
    let author = Author {
        name: row.get(first + 2)?,
        via: word(row, first + 3, Via::from_word)?,
        address: address(row, first + 4)?,
    };
    Ok(Change {
        sequence: row.get(first)?,
        at: time(row, first + 1)?,
        author,
        kind: kind(row, first + 5)?,
        id: id(row, first + 6)?,
        name: row.get(first + 7)?,
        action: word(row, first + 8, Action::from_word)?,
        secret: row.get(first + 9)?,
        before: json(row, first + 10)?,
        after: json(row, first + 11)?,
        revision: row.get(first + 12)?,
        transaction: row.get(first + 13)?,
    })
}

// ---- Secrets ----

pub(super) fn secret(
    connection: &Connection,
    owner: Id<Value>,
    name: &str,
) -> Result<Option<(Kind, Vec<u8>)>> {
    let mut statement = connection.prepare_cached(sql::SECRET)?;
    let mut rows = statement.query(params![owner.to_string(), name])?;
    rows.next()?.map(|row| Ok((kind(row, 0)?, row.get(1)?))).transpose()
}

/// Kind of its owner, owner, name, sealed bytes.
pub(super) type SealedSecret = (Kind, Id<Value>, String, Vec<u8>);

/// Every secret.
pub(super) fn secrets(connection: &Connection) -> Result<Vec<SealedSecret>> {
    let mut statement = connection.prepare_cached(sql::SECRETS)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((kind(row, 0)?, id(row, 1)?, row.get(2)?, row.get(3)?));
    }
    Ok(found)
}

pub(super) fn key_check(connection: &Connection) -> Result<Option<Vec<u8>>> {
    Ok(connection.prepare_cached(sql::KEY_CHECK)?.query_row([], |row| row.get(0)).optional()?)
}

pub(super) fn insert_key_check(connection: &Connection, sealed: &[u8]) -> Result<()> {
    execute(connection, sql::KEY_CHECK_INSERT, params![sealed])
}

// ---- Beside the settings ----

pub(super) fn blob(connection: &Connection, id: &IconId) -> Result<Option<Vec<u8>>> {
    Ok(connection.prepare_cached(sql::BLOB)?.query_row(params![id.0], |row| row.get(0)).optional()?)
}

/// Whether there is such a blob, and how many there are.
pub(super) fn blob_exists(connection: &Connection, id: &IconId) -> Result<(bool, u64)> {
    let mut statement = connection.prepare_cached(sql::BLOB_EXISTS)?;
    Ok(statement.query_row(params![id.0], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

pub(super) fn insert_blob(connection: &Connection, id: &IconId, bytes: &[u8]) -> Result<()> {
    execute(connection, sql::BLOB_INSERT, params![id.0, bytes])
}

pub(super) fn user_state(connection: &Connection, user: Id<User>) -> Result<Option<UserState>> {
    let mut statement = connection.prepare_cached(sql::USER_STATE)?;
    let mut rows = statement.query(params![user.to_string()])?;
    match rows.next()? {
        Some(row) => json(row, 0),
        None => Ok(None),
    }
}

pub(super) fn put_user_state(connection: &Connection, user: Id<User>, state: &UserState) -> Result<()> {
    execute(connection, sql::USER_STATE_PUT, params![user.to_string(), to_json(state)])
}

/// Whether no code of this step or a later one was used before.
pub(super) fn use_code(connection: &Connection, user: Id<User>, step: i64) -> Result<bool> {
    let written = connection.prepare_cached(sql::CODE_USE)?.execute(params![user.to_string(), step])?;
    Ok(written == 1)
}

pub(super) fn people(connection: &Connection) -> Result<Vec<KeptPerson>> {
    let mut statement = connection.prepare_cached(sql::PEOPLE)?;
    let mut rows = statement.query(params![PEOPLE_MAX])?;
    let mut people = Vec::new();
    while let Some(row) = rows.next()? {
        let person = json(row, 2)?.unwrap_or_default();
        people.push(KeptPerson { user: id(row, 0)?.cast(), at: time(row, 1)?, person });
    }
    Ok(people)
}

pub(super) fn put_person(connection: &Connection, kept: &KeptPerson) -> Result<()> {
    let at = to_micros(kept.at).as_microsecond();
    execute(connection, sql::PERSON_PUT, params![kept.user.to_string(), at, to_json(&kept.person)])
}

pub(super) fn forget_people(connection: &Connection, expired: Timestamp) -> Result<()> {
    execute(connection, sql::PEOPLE_FORGET, params![expired.as_microsecond(), PEOPLE_MAX])
}

pub(super) fn kept(connection: &Connection, name: &str) -> Result<Option<Value>> {
    let mut statement = connection.prepare_cached(sql::KEPT)?;
    let mut rows = statement.query(params![name])?;
    match rows.next()? {
        Some(row) => json(row, 0),
        None => Ok(None),
    }
}

pub(super) fn put_kept(connection: &Connection, name: &str, value: &Value) -> Result<()> {
    execute(connection, sql::KEPT_PUT, params![name, to_json(value)])
}

/// When an answer was given, and its sealed bytes.
pub(super) fn answer(
    connection: &Connection,
    caller: Id<Value>,
    key: &str,
) -> Result<Option<(Timestamp, Vec<u8>)>> {
    let mut statement = connection.prepare_cached(sql::ANSWER)?;
    let mut rows = statement.query(params![caller.to_string(), key])?;
    rows.next()?.map(|row| Ok((time(row, 0)?, row.get(1)?))).transpose()
}

pub(super) fn put_answer(
    connection: &Connection,
    caller: Id<Value>,
    key: &str,
    at: Timestamp,
    sealed: &[u8],
) -> Result<()> {
    let at = to_micros(at).as_microsecond();
    execute(connection, sql::ANSWER_PUT, params![caller.to_string(), key, at, sealed])
}

pub(super) fn forget_answers(connection: &Connection, expired: Timestamp) -> Result<()> {
    execute(connection, sql::ANSWERS_FORGET, params![expired.as_microsecond(), ANSWERS_MAX])
}

pub(super) fn ended_sign_ins(connection: &Connection, now: Timestamp) -> Result<Vec<EndedSignIn>> {
    let mut statement = connection.prepare_cached(sql::ENDED_SIGN_INS)?;
    let mut rows = statement.query(params![now.as_microsecond()])?;
    let mut ended = Vec::new();
    while let Some(row) = rows.next()? {
        ended.push(EndedSignIn { id: id(row, 0)?.cast(), until: time(row, 1)? });
    }
    Ok(ended)
}

pub(super) fn forget_ended_sign_ins(connection: &Connection, now: Timestamp) -> Result<()> {
    execute(connection, sql::ENDED_SIGN_INS_FORGET, params![now.as_microsecond()])
}

pub(super) fn put_ended_sign_in(connection: &Connection, ended: &EndedSignIn) -> Result<()> {
    let until = to_micros(ended.until).as_microsecond();
    execute(connection, sql::ENDED_SIGN_IN_PUT, params![ended.id.to_string(), until])
}

// ---- Columns ----

fn execute(connection: &Connection, statement: &str, values: &[&dyn ToSql]) -> Result<()> {
    connection.prepare_cached(statement)?.execute(values)?;
    Ok(())
}

fn unreadable(what: &str, text: &str) -> Fault {
    let shown: String = text.chars().take(80).collect();
    Fault::Unreadable(format!("the {what} \"{shown}\""))
}

pub(super) fn word<T>(row: &Row, column: usize, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    let text: String = row.get(column)?;
    read(&text).ok_or_else(|| unreadable("word", &text))
}

fn kind(row: &Row, column: usize) -> Result<Kind> {
    word(row, column, |text| text.parse().ok())
}

fn id(row: &Row, column: usize) -> Result<Id<Value>> {
    word(row, column, |text| text.parse().ok())
}

pub(super) fn address(row: &Row, column: usize) -> Result<Option<std::net::IpAddr>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|_| unreadable("address", &text))).transpose()
}

fn site(row: &Row, column: usize) -> Result<Option<Id<oriel_model::site::Site>>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|_| unreadable("site", &text))).transpose()
}

pub(super) fn time(row: &Row, column: usize) -> Result<Timestamp> {
    let micros: i64 = row.get(column)?;
    Timestamp::from_microsecond(micros).map_err(|error| Fault::Unreadable(format!("a time: {error}")))
}

pub(super) fn json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| Fault::Unreadable(format!("JSON: {error}"))))
        .transpose()
}

pub(super) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain JSON: its maps have text keys")
}
