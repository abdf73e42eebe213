//! Backups: sealed archives in the folder `backups` of the broker's data directory, made every day at a
//! time, or when an administrator asks. A file is there whole or not at all, and only the broker's own user
//! can read it.
//!
//! Deliberately absent: sending backups elsewhere. The folder is for whatever copies files at this place.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{ToSpan, civil::DateTime, tz::TimeZone};
use oriel_model::{Timestamp, farm::Backup};
use oriel_net::supervise::ShutdownSignal;
use oriel_store::{Author, Transaction};
use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{Refused, archive, export};
use crate::{
    Broker,
    app::{
        administrators::{Caller, permitted},
        audit::Event,
    },
    hosts::lock,
    http::problem::{in_words, sentence},
};

/// Name of the farm's secret that holds the passphrase of its backups.
pub const PASSPHRASE_SECRET: &str = "backup_passphrase";
/// The folder, in the broker's data directory.
pub const FOLDER: &str = "backups";

/// How often the broker looks whether a backup is due: a clock that was set forward is noticed as soon.
const LOOK: Duration = Duration::from_secs(20);
/// How long it waits after a backup that failed. Who makes room on a disk need not wait long.
const AGAIN_AFTER: Duration = Duration::from_secs(10 * 60);

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BackupFile {
    /// Its file's name.
    pub name: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Its size.
    pub bytes: u64,
}

/// How backups are doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BackupState {
    /// Whether they are made every day.
    pub enabled: bool,
    /// The newest one.
    pub newest: Option<BackupFile>,
    /// When the next one is due.
    pub next: Option<Timestamp>,
    /// What went wrong with the last one; none: it was made.
    pub failure: Option<BackupFailure>,
}

/// A backup that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BackupFailure {
    /// When.
    pub at: Timestamp,
    /// Why, as a sentence.
    pub why: String,
}

/// What the broker remembers of its backups.
#[derive(Debug, Default)]
pub struct Backups {
    failure: Mutex<Option<BackupFailure>>,
    /// One at a time.
    turn: tokio::sync::Mutex<()>,
}

/// Sets the passphrase of the farm's backups. It is never given back.
pub async fn set_passphrase(
    broker: &Broker,
    by: &Caller,
    passphrase: Zeroizing<String>,
) -> Result<(), Refused> {
    archive::check_passphrase("passphrase", &passphrase)?;
    let secret = Zeroizing::new(passphrase.as_bytes().to_vec());
    let transaction = Transaction::new(by.author.clone(), broker.now());
    let transaction = transaction.put_secret(broker.farm_id, PASSPHRASE_SECRET, secret);
    permitted(&by.rights, &broker.farm.load(), &transaction)?;
    broker.commit(transaction).await?;
    Ok(())
}

/// The backups that are there, newest first.
pub async fn backups(broker: &Broker) -> Result<Vec<BackupFile>, Refused> {
    let folder = folder(broker);
    on_disk(move || match files(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        found => found.map_err(|error| failed(&folder, &error)),
    })
    .await
}

/// How backups are doing. A folder that cannot be read is a failure like any other.
pub async fn state(broker: &Broker) -> BackupState {
    let settings = broker.farm.load().farm().backup;
    let found = backups(broker).await;
    let unreadable = found.as_ref().err().map(|error| failure(broker, error));
    BackupState {
        enabled: settings.enabled,
        newest: found.unwrap_or_default().into_iter().next(),
        next: settings.enabled.then(|| due(&settings, broker.now()).next).flatten(),
        failure: lock(&broker.backups.failure).clone().or(unreadable),
    }
}

fn failure(broker: &Broker, error: &Refused) -> BackupFailure {
    BackupFailure { at: broker.now(), why: sentence(error) }
}

/// Makes a backup now, and deletes the oldest beyond those that are kept.
pub async fn make(broker: &Arc<Broker>, by: &Author) -> Result<BackupFile, Refused> {
    let _turn = broker.backups.turn.lock().await;
    let made = make_one(broker).await;
    let failure = made.as_ref().err().map(|error| failure(broker, error));
    let before = std::mem::replace(&mut *lock(&broker.backups.failure), failure.clone());
    match (&made, failure) {
        (Ok(file), _) => broker.record(&Event::BackupMade { file: &file.name, by }),
        (Err(error), failure) => {
            tracing::error!(error = in_words(error), "a backup of all settings could not be made");
            let why = failure.map(|failure| failure.why).unwrap_or_default();
            // It is tried again every few minutes: that it still fails for the same reason is no news.
            if *by != Author::system() || before.is_none_or(|before| before.why != why) {
                broker.record(&Event::BackupFailed { why: &why, by });
            }
        }
    }
    made
}

async fn make_one(broker: &Arc<Broker>) -> Result<BackupFile, Refused> {
    let passphrase = broker.store.secret(broker.farm_id.cast(), PASSPHRASE_SECRET).await?;
    let passphrase = passphrase.ok_or(Refused::NoBackupPassphrase)?;
    let passphrase = String::from_utf8(passphrase.to_vec()).map_err(|_| Refused::NoBackupPassphrase)?;
    let settings = broker.farm.load().farm().backup;
    let archive = export(broker, Some(Zeroizing::new(passphrase)), settings.farm_keys).await?;
    let (folder, keep) = (folder(broker), settings.keep);
    on_disk(move || {
        let made_at = archive.made_at;
        let bytes = serde_json::to_vec_pretty(&archive).expect("plain JSON: its maps have text keys");
        let file = write(&folder, made_at, &bytes).map_err(|error| failed(&folder, &error))?;
        forget_oldest(&folder, keep as usize).map_err(|error| failed(&folder, &error))?;
        Ok(file)
    })
    .await
}

fn folder(broker: &Broker) -> PathBuf {
    broker.config.data_dir.join(FOLDER)
}

fn failed(path: &Path, error: &io::Error) -> Refused {
    Refused::Backup { path: path.display().to_string(), reason: error.to_string() }
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| oriel_store::StoreError::Unavailable { reason: error.to_string() })?
}

// ---- Files ----

const PREFIX: &str = "oriel-";
const SUFFIX: &str = ".json";
/// In a file's name: no colons, which some file systems do not take; names sort by time.
const TIME: &str = "%Y-%m-%dT%H-%M-%S";

fn name(made_at: Timestamp) -> String {
    format!("{PREFIX}{}Z{SUFFIX}", made_at.strftime(TIME))
}

fn made_at(name: &str) -> Option<Timestamp> {
    let time = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.strip_suffix('Z')?;
    let time = DateTime::strptime(TIME, time).ok()?;
    time.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
}

/// The backups in a folder, newest first. Other files are no matter.
fn files(folder: &Path) -> io::Result<Vec<BackupFile>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if let Some(made_at) = made_at(&name) {
            found.push(BackupFile { name, made_at, bytes: entry.metadata()?.len() });
        }
    }
    found.sort_by_key(|file| std::cmp::Reverse(file.made_at));
    Ok(found)
}

/// Writes a backup beside its place and then gives it its name, so that it is there whole or not at all.
fn write(folder: &Path, made_at: Timestamp, bytes: &[u8]) -> io::Result<BackupFile> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let name = name(made_at);
    let beside = folder.join(format!(".{name}.part"));
    let written = (|| {
        // What a crash left of an earlier one.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, folder.join(&name))?;
        fs::File::open(folder)?.sync_all()
    })();
    if let Err(error) = written {
        // A disk that is full stays so if halves are left on it.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    Ok(BackupFile { name, made_at: whole_second(made_at), bytes: bytes.len() as u64 })
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn forget_oldest(folder: &Path, keep: usize) -> io::Result<()> {
    for file in files(folder)?.into_iter().skip(keep.max(1)) {
        fs::remove_file(folder.join(file.name))?;
    }
    Ok(())
}

// ---- Times ----

/// The times of a daily backup around a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    /// The last one at or before the moment.
    last: Option<Timestamp>,
    /// The first one after it.
    next: Option<Timestamp>,
}

/// When backups are due around `now`. A time that the change to summer time leaves out comes later by as
/// much as was left out; one that comes twice is the first.
fn due(settings: &Backup, now: Timestamp) -> Due {
    let zone = TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC);
    let today = now.to_zoned(zone.clone()).date();
    let days = [-1, 0, 1].map(|days| {
        let day = today.checked_add(days.days()).ok()?;
        Some(day.to_datetime(settings.at).to_zoned(zone.clone()).ok()?.timestamp())
    });
    let times = || days.iter().copied().flatten();
    Due { last: times().rfind(|time| *time <= now), next: times().find(|time| *time > now) }
}

/// Makes a backup if one is due that has not been made, also when the broker was off at the time; whether
/// there was anything to do.
pub async fn make_if_due(broker: &Arc<Broker>) -> Result<Option<BackupFile>, Refused> {
    let (settings, now) = (broker.farm.load().farm().backup, broker.now());
    if !settings.enabled {
        return Ok(None);
    }
    let Some(last_due) = due(&settings, now).last else { return Ok(None) };
    let newest = backups(broker).await?.into_iter().next();
    if newest.is_some_and(|file| file.made_at >= last_due) {
        return Ok(None);
    }
    make(broker, &Author::system()).await.map(Some)
}

/// Makes backups when they are due, until the signal.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    run_at(broker, signal, LOOK, AGAIN_AFTER).await;
}

/// As [`run`], with pauses of its own.
pub(crate) async fn run_at(
    broker: Arc<Broker>,
    signal: ShutdownSignal,
    look: Duration,
    again_after: Duration,
) {
    loop {
        // A failure is in the log and in the state already.
        let pause = if make_if_due(&broker).await.is_ok() { look } else { again_after };
        tokio::select! {
            () = signal.given() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_backup_is_due_every_day_by_the_clocks_of_its_time_zone() {
        let settings = |at: &str| Backup {
            enabled: true,
            at: at.parse().expect("a time"),
            time_zone: "Europe/Berlin".into(),
            keep: 3,
            farm_keys: false,
        };
        let check = |time: &str, now: &str, last: &str, next: &str| {
            let expected = Due { last: Some(at(last)), next: Some(at(next)) };
            assert_eq!(due(&settings(time), at(now)), expected, "{time} at {now}");
        };
        check("02:30:00", "2026-01-10T12:00:00Z", "2026-01-10T01:30:00Z", "2026-01-11T01:30:00Z");
        check("02:30:00", "2026-01-10T01:29:59Z", "2026-01-09T01:30:00Z", "2026-01-10T01:30:00Z");
        check("02:30:00", "2026-01-10T01:30:00Z", "2026-01-10T01:30:00Z", "2026-01-11T01:30:00Z");
        // 29 March 2026: from 2 to 3 o'clock there is no time; half past two is half past three.
        check("02:30:00", "2026-03-29T12:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z");
        // 25 October 2026: half past two comes twice; the first one counts, and only once.
        check("02:30:00", "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
        check("02:30:00", "2026-10-25T01:45:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
    }

    #[test]
    fn a_file_says_when_it_was_made() {
        let made = at("2026-11-21T02:30:07.5Z");
        assert_eq!(name(made), "oriel-2026-11-21T02-30-07Z.json");
        assert_eq!(made_at(&name(made)), Some(at("2026-11-21T02:30:07Z")));
        for other in ["oriel-.json", "notes.json", ".oriel-2026-11-21T02-30-07Z.json.part"] {
            assert_eq!(made_at(other), None, "{other}");
        }
    }

    #[test]
    fn files_are_whole_private_and_bounded_in_number() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("backups");
        let day = |day: i64| Timestamp::from_second(1_800_000_000 + day * 86_400).expect("in range");
        fs::create_dir(&folder).expect("made");
        fs::write(folder.join("notes.txt"), "mine").expect("written");
        fs::write(folder.join(format!(".{}.part", name(day(4)))), "half").expect("written");
        for number in 0..5 {
            let file = write(&folder, day(number), b"{}").expect("written");
            forget_oldest(&folder, 2).expect("forgotten");
            let mode = fs::metadata(folder.join(&file.name)).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let left: Vec<_> = files(&folder).expect("read").into_iter().map(|file| file.made_at).collect();
        assert_eq!(left, [day(4), day(3)]);
        assert!(folder.join("notes.txt").exists(), "other files stay");
        assert_eq!(fs::read_dir(&folder).expect("read").count(), 3, "no halves are left");
    }
}
