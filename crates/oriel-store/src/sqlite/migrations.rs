//! Schema changes, numbered by SQLite's `user_version`. Each happens whole or not at all.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::OpenError;

/// Every schema change, oldest first: the one at index n leads to schema n + 1. Never edit one that
/// was released; add one.
pub(super) const ALL: &[&str] = &[
    include_str!("0001_settings.sql"),
    include_str!("0002_kept.sql"),
    include_str!("0003_transaction.sql"),
    include_str!("0004_answer.sql"),
    include_str!("0005_log.sql"),
    include_str!("0006_used_code.sql"),
    include_str!("0007_person.sql"),
];

/// Marks the file as ours: "ORIL".
const APPLICATION_ID: i64 = 0x4F52_494C;

/// Brings the schema up to date, then switches to write-ahead logging. A file that is something else
/// or newer is left as it is.
pub(super) fn run(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), OpenError> {
    let refuse = |error: rusqlite::Error| super::refusal(path, &error);
    let known = u32::try_from(migrations.len()).expect("there are few migrations");
    let found = version(connection).map_err(refuse)?;
    if !is_ours(connection).map_err(refuse)? {
        return Err(OpenError::NotAStore { path: path.to_owned() });
    }
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).map_err(refuse)?;
    for (migration, version) in migrations.iter().zip(1..).skip(found as usize) {
        step(connection, migration, version).map_err(refuse)?;
        tracing::info!(store.schema = version, "settings store: schema brought up to date");
    }
    Ok(())
}

fn step(connection: &mut Connection, migration: &str, version: u32) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(migration)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whether the file is a store of ours, or empty and so about to become one.
fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let mark: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(mark == APPLICATION_ID || (mark == 0 && tables == 0 && version(connection)? == 0))
}
