//! The first adapter: one SQLite file, for a farm with one broker.
//!
//! One thread owns the connection that writes, another the one that reads; callers hand them work
//! through bounded lines. Other processes must not write to the file: a lock beside it keeps a
//! second broker out, and nothing here would notice what somebody wrote around it.

mod lock;
mod log;
mod migrations;
mod rows;
mod sql;
mod worker;

#[cfg(test)]
mod tests;

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use async_trait::async_trait;
use jiff::Timestamp;
use oriel_model::{Id, icon::IconId, user::User};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, ffi::SQLITE_IOERR_SHMSIZE};
use serde_json::Value;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::{
    Change, ChangeQuery, Checked, CommitError, Committed, Dropped, EndedSignIn, Entry, EntryQuery, Event,
    FarmKey, KeptAnswer, KeptPerson, OpenError, OwnedSecret, Retention, SettingsStore, Snapshot, StoreError,
    Transaction, UserState, answer, blob, entry, plan,
    secret::{self, SecretPlace},
};
use rows::Fault;
use worker::Worker;

/// The settings store in one SQLite file.
pub struct SqliteStore {
    // Dropped in this order: the file is let go of when nothing works on it any more.
    reader: Worker,
    writer: Worker,
    _lock: File,
    key: Arc<FarmKey>,
    newest: watch::Sender<u64>,
}

impl SqliteStore {
    /// Opens the store in the file at `path`, and makes it when it is not there; brings an older
    /// schema up to date. Blocks; [`crate::open`] does not.
    ///
    /// Dropping the store waits for the writes that are under way.
    pub fn open(path: &Path, key: FarmKey) -> Result<Self, OpenError> {
        let unavailable = |reason: &dyn std::fmt::Display| OpenError::Unavailable {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let lock = lock::take(path)?;
        create_private(path).map_err(|error| unusable(path, &error, &error))?;
        let mut write =
            connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|error| refusal(path, &error))?;
        migrations::run(&mut write, path, migrations::ALL)?;
        begin_log(&mut write).map_err(|error| faulty(path, &error))?;
        check_key(&write, path, &key)?;
        let read = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|error| refusal(path, &error))?;
        let sequence = rows::newest_sequence(&write).map_err(|error| faulty(path, &error))?;
        Ok(Self {
            reader: Worker::start("store-read", read).map_err(|error| unavailable(&error))?,
            writer: Worker::start("store-write", write).map_err(|error| unavailable(&error))?,
            _lock: lock,
            key: Arc::new(key),
            newest: watch::Sender::new(sequence),
        })
    }
}

/// Why a file cannot be opened as a store.
fn refusal(path: &Path, error: &rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        _ if is_full(error) => OpenError::Full { path: path.to_owned() },
        Some(ErrorCode::NotADatabase) => OpenError::NotAStore { path: path.to_owned() },
        _ => OpenError::Unavailable { path: path.to_owned(), reason: error.to_string() },
    }
}

fn faulty(path: &Path, fault: &Fault) -> OpenError {
    match fault {
        Fault::Sql(error) => refusal(path, error),
        Fault::Unreadable(_) => OpenError::Unavailable { path: path.to_owned(), reason: fault.to_string() },
    }
}

/// Why a file beside the store, or the store's own, cannot be used as one.
fn unusable(store: &Path, error: &io::Error, reason: &dyn std::fmt::Display) -> OpenError {
    match error.kind() {
        io::ErrorKind::StorageFull => OpenError::Full { path: store.to_owned() },
        _ => OpenError::Unavailable { path: store.to_owned(), reason: reason.to_string() },
    }
}

/// Whether there was no room. SQLite has words of its own for the file that its connections share, which is
/// the first that needs room at a start: it calls that an I/O error.
fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE)
}

/// Makes the file if it is not there, for its owner only; SQLite gives its other files the same mode.
fn create_private(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        result => result?.sync_all()?,
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn connect(path: &Path, mode: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.execute_batch(sql::PRAGMAS_OF_CONNECTION)?;
    connection.set_prepared_statement_cache_capacity(sql::STATEMENTS);
    Ok(connection)
}

/// Refuses a farm key that the secrets were not sealed with, before anything is sealed with it.
fn check_key(connection: &Connection, path: &Path, key: &FarmKey) -> Result<(), OpenError> {
    let unavailable = |error: Fault| faulty(path, &error);
    match rows::key_check(connection).map_err(unavailable)? {
        Some(sealed) => secret::check_key(key, sealed)
            .map_err(|source| OpenError::WrongKey { path: path.to_owned(), source }),
        None => rows::insert_key_check(connection, &secret::key_check(key)).map_err(unavailable),
    }
}

/// The connection as it is within a transaction of the database.
fn immediate(connection: &mut Connection) -> Result<rusqlite::Transaction<'_>, Fault> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

fn begin_log(connection: &mut Connection) -> Result<(), Fault> {
    let transaction = immediate(connection)?;
    log::begin(&transaction)?;
    Ok(transaction.commit()?)
}

fn commit(connection: &mut Connection, key: &FarmKey, wanted: Transaction) -> Result<Committed, CommitError> {
    let prepared = wanted.prepare(key)?;
    let transaction = immediate(connection)?;
    let present = rows::present(&transaction, &prepared.needs())?;
    let plan = plan::plan(prepared, present)?;
    let mut log = log::Tail::of(&transaction)?;
    for step in &plan.steps {
        rows::write(&transaction, &step.write)?;
        rows::insert_change(&transaction, &step.change)?;
        log.change(&step.change)?;
    }
    if !plan.steps.is_empty() {
        log.keep()?;
    }
    transaction.commit().map_err(Fault::from)?;
    Ok(plan.into_committed())
}

#[async_trait]
impl SettingsStore for SqliteStore {
    async fn load(&self) -> Result<Snapshot, StoreError> {
        self.reader
            .run(|connection| {
                let transaction = connection.transaction().map_err(Fault::from)?;
                let sequence = rows::newest_sequence(&transaction)?;
                Ok(Snapshot { objects: rows::objects(&transaction)?, sequence })
            })
            .await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Committed, CommitError> {
        let (key, newest) = (self.key.clone(), self.newest.clone());
        self.writer
            .run(move |connection| {
                let committed = commit(connection, &key, transaction)?;
                newest.send_if_modified(|sequence| {
                    std::mem::replace(sequence, committed.sequence) != *sequence
                });
                Ok(committed)
            })
            .await
    }

    async fn changes(&self, query: ChangeQuery) -> Result<Vec<Change>, StoreError> {
        self.reader.run(move |connection| Ok(rows::changes(connection, &query)?)).await
    }

    async fn append(&self, events: Vec<Event>) -> Result<u64, StoreError> {
        entry::check(&events)?;
        self.writer
            .run(move |connection| {
                let transaction = immediate(connection)?;
                let mut log = log::Tail::of(&transaction)?;
                for event in &events {
                    log.event(event)?;
                }
                let newest = log.keep()?;
                transaction.commit().map_err(Fault::from)?;
                Ok(newest)
            })
            .await
    }

    async fn entries(&self, query: EntryQuery) -> Result<Vec<Entry>, StoreError> {
        self.reader.run(move |connection| Ok(log::entries(connection, &query)?)).await
    }

    async fn check_log(&self, checked: Option<Checked>) -> Result<Checked, StoreError> {
        self.reader
            .run(move |connection| {
                // The entries and the end of the log as they are at one moment.
                let transaction = connection.transaction().map_err(Fault::from)?;
                Ok(log::check(&transaction, checked)?)
            })
            .await
    }

    async fn drop_oldest(&self, keep: Retention, at: Timestamp) -> Result<Option<Dropped>, StoreError> {
        self.writer
            .run(move |connection| {
                let transaction = immediate(connection)?;
                let dropped = log::drop_oldest(&transaction, &keep, at)?;
                transaction.commit().map_err(Fault::from)?;
                Ok(dropped)
            })
            .await
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    async fn secret(&self, owner: Id<Value>, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let (key, name) = (self.key.clone(), name.to_owned());
        self.reader
            .run(move |connection| {
                let Some((kind, sealed)) = rows::secret(connection, owner, &name)? else { return Ok(None) };
                let place = SecretPlace { kind, owner, name: &name };
                match secret::open(&key, &place, sealed) {
                    Ok(secret) => Ok(Some(secret)),
                    Err(source) => Err(StoreError::Secret { name, source }),
                }
            })
            .await
    }

    async fn secrets(&self) -> Result<Vec<OwnedSecret>, StoreError> {
        let key = self.key.clone();
        self.reader
            .run(move |connection| {
                let sealed = rows::secrets(connection)?.into_iter();
                sealed
                    .map(|(kind, owner, name, sealed)| {
                        let place = SecretPlace { kind, owner, name: &name };
                        match secret::open(&key, &place, sealed) {
                            Ok(value) => Ok(OwnedSecret { kind, owner, name, value }),
                            Err(source) => Err(StoreError::Secret { name, source }),
                        }
                    })
                    .collect()
            })
            .await
    }

    async fn blob(&self, id: &IconId) -> Result<Option<Vec<u8>>, StoreError> {
        let id = id.clone();
        self.reader.run(move |connection| Ok(rows::blob(connection, &id)?)).await
    }

    async fn put_blob(&self, bytes: Vec<u8>) -> Result<IconId, StoreError> {
        self.writer
            .run(move |connection| {
                let id = blob::id(&bytes)?;
                let (exists, count) = rows::blob_exists(connection, &id)?;
                if !exists {
                    if count >= blob::BLOBS_MAX {
                        return Err(blob::too_many());
                    }
                    rows::insert_blob(connection, &id, &bytes)?;
                }
                Ok(id)
            })
            .await
    }

    async fn user_state(&self, user: Id<User>) -> Result<UserState, StoreError> {
        self.reader.run(move |connection| Ok(rows::user_state(connection, user)?.unwrap_or_default())).await
    }

    async fn put_user_state(&self, user: Id<User>, state: UserState) -> Result<(), StoreError> {
        state.check()?;
        self.writer.run(move |connection| Ok(rows::put_user_state(connection, user, &state)?)).await
    }

    async fn use_code(&self, user: Id<User>, step: i64) -> Result<bool, StoreError> {
        self.writer.run(move |connection| Ok(rows::use_code(connection, user, step)?)).await
    }

    async fn people(&self) -> Result<Vec<KeptPerson>, StoreError> {
        self.reader.run(|connection| Ok(rows::people(connection)?)).await
    }

    async fn keep_people(&self, people: Vec<KeptPerson>, expired: Timestamp) -> Result<(), StoreError> {
        people.iter().try_for_each(KeptPerson::check)?;
        self.writer
            .run(move |connection| {
                let transaction = immediate(connection)?;
                for kept in &people {
                    rows::put_person(&transaction, kept)?;
                }
                rows::forget_people(&transaction, expired)?;
                Ok(transaction.commit().map_err(Fault::from)?)
            })
            .await
    }

    async fn kept(&self, name: &'static str) -> Result<Option<Value>, StoreError> {
        self.reader.run(move |connection| Ok(rows::kept(connection, name)?)).await
    }

    async fn keep(&self, name: &'static str, value: Value) -> Result<(), StoreError> {
        self.writer.run(move |connection| Ok(rows::put_kept(connection, name, &value)?)).await
    }

    async fn answer(&self, caller: Id<Value>, key: &str) -> Result<Option<KeptAnswer>, StoreError> {
        let (farm_key, key) = (self.key.clone(), key.to_owned());
        self.reader
            .run(move |connection| {
                let Some((at, sealed)) = rows::answer(connection, caller, &key)? else { return Ok(None) };
                let opened = answer::in_place(caller, &key, |place| secret::open(&farm_key, place, sealed));
                let name = "answer".to_owned();
                let bytes = opened.map_err(|source| StoreError::Secret { name, source })?;
                Ok(Some(KeptAnswer { caller, key, at, bytes }))
            })
            .await
    }

    async fn keep_answer(&self, kept: KeptAnswer, expired: Timestamp) -> Result<(), StoreError> {
        answer::check(&kept)?;
        let farm_key = self.key.clone();
        self.writer
            .run(move |connection| {
                let transaction = immediate(connection)?;
                let KeptAnswer { caller, key, at, bytes } = &kept;
                let sealed = answer::in_place(*caller, key, |place| secret::seal(&farm_key, place, bytes));
                rows::put_answer(&transaction, *caller, key, *at, &sealed)?;
                rows::forget_answers(&transaction, expired)?;
                Ok(transaction.commit().map_err(Fault::from)?)
            })
            .await
    }

    async fn ended_sign_ins(&self, now: Timestamp) -> Result<Vec<EndedSignIn>, StoreError> {
        self.reader.run(move |connection| Ok(rows::ended_sign_ins(connection, now)?)).await
    }

    async fn end_sign_in(&self, ended: EndedSignIn, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| {
                let transaction = immediate(connection)?;
                rows::forget_ended_sign_ins(&transaction, now)?;
                rows::put_ended_sign_in(&transaction, &ended)?;
                Ok(transaction.commit().map_err(Fault::from)?)
            })
            .await
    }
}
