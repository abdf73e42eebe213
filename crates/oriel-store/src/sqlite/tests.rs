//! What only the SQLite adapter has: its file, its lock, its schema, its disk.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Instant,
};

use oriel_model::{Id, user::User};
use rusqlite::Connection;

use super::{SqliteStore, migrations, worker::Worker};
use crate::{
    ChangeQuery, Code, CommitError, Event, FarmKey, OpenError, SettingsStore, StoreError, Transaction,
    contract::{Folder, alice, at, check_store, group, secret},
};

const KEY: [u8; 32] = [7; 32];

fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, FarmKey::from_bytes(&KEY))
}

fn refused(path: &Path) -> String {
    open(path).err().expect("refused").to_string()
}

async fn create(store: &SqliteStore, name: &str) -> Result<u64, CommitError> {
    let transaction = Transaction::new(alice(), at(1)).create(Id::generate(at(0)), name, None, &group(name));
    Ok(store.commit(transaction).await?.sequence)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_the_contract() {
    let folder = Folder::new();
    let number = std::cell::Cell::new(0);
    check_store(|key| {
        number.set(number.get() + 1);
        let path = folder.path(format!("{}.db", number.get()));
        async move { Arc::new(SqliteStore::open(&path, key).expect("opens")) as Arc<dyn SettingsStore> }
    })
    .await;
}

#[tokio::test]
async fn everything_is_there_after_closing_and_opening() {
    let folder = Folder::new();
    let path = folder.path("settings.db");
    let user = Id::<User>::generate(at(0));
    let store = open(&path).expect("opens");
    let transaction = Transaction::new(alice(), at(1)).create(user, "alice", None, &User::default());
    store.commit(transaction.put_secret(user, "password", secret("hunter2"))).await.expect("committed");
    let before = store.load().await.expect("loads");
    drop(store);
    let store = open(&path).expect("opens again at once");
    assert_eq!(store.load().await.expect("loads"), before);
    assert_eq!(*store.watch().borrow(), 2);
    assert_eq!(store.secret(user.cast(), "password").await.expect("reads"), Some(secret("hunter2")));
    for file in fs::read_dir(path.parent().expect("folder")).expect("readable") {
        let file = file.expect("readable");
        let mode = file.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}

/// Plays both parts: without the variable, the test; with it, the process that gets killed.
#[tokio::test]
async fn kill_9_loses_nothing_that_was_answered() {
    const PATH: &str = "ORIEL_STORE_TEST_KILLED";
    if let Some(path) = std::env::var_os(PATH) {
        let store = open(&PathBuf::from(path)).expect("opens");
        for number in 0.. {
            let sequence =
                create(&store, &format!("group {} {number}", std::process::id())).await.expect("committed");
            println!("\ncommitted {sequence}");
        }
    }
    let folder = Folder::new();
    let path = folder.path("settings.db");
    let mut answered = 0;
    for round in 1..=3 {
        let name = "sqlite::tests::kill_9_loses_nothing_that_was_answered";
        let mut killed = Command::new(std::env::current_exe().expect("known"))
            .args([name, "--exact", "--nocapture"])
            .env(PATH, &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let lines = BufReader::new(killed.stdout.take().expect("piped")).lines();
        let sequences =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("committed ")?.parse().ok());
        answered = sequences.take(20).last().unwrap_or(answered);
        killed.kill().expect("killed");
        killed.wait().expect("gone");

        let store = open(&path).expect("opens after the kill");
        let snapshot = store.load().await.expect("loads");
        assert!(answered >= round && snapshot.sequence >= answered, "{answered} {}", snapshot.sequence);
        assert_eq!(snapshot.objects.len() as u64, snapshot.sequence, "objects and log agree");
    }
}

#[tokio::test]
async fn a_second_broker_on_the_file_is_refused() {
    let folder = Folder::new();
    let path = folder.path("settings.db");
    let store = open(&path).expect("opens");
    let sentence = refused(&path);
    let expected = format!(
        "the settings store {} is in use by process {}; a settings store on SQLite serves one broker at a time",
        path.display(),
        std::process::id()
    );
    assert_eq!(sentence, expected);
    create(&store, "the first goes on").await.expect("committed");
    drop(store);
    open(&path).expect("free again");
}

#[tokio::test]
async fn secrets_cannot_be_read_in_the_files_nor_with_another_key() {
    let folder = Folder::new();
    let path = folder.path("settings.db");
    let user = Id::<User>::generate(at(0));
    let store = open(&path).expect("opens");
    let transaction = Transaction::new(alice(), at(1)).create(user, "alice", None, &User::default());
    store
        .commit(transaction.put_secret(user, "password", secret("hunter2 hunter2")))
        .await
        .expect("committed");
    let in_files = |text: &[u8]| {
        fs::read_dir(path.parent().expect("folder")).expect("readable").any(|file| {
            let bytes = fs::read(file.expect("readable").path()).expect("readable");
            bytes.windows(text.len()).any(|window| window == text)
        })
    };
    assert!(in_files(b"alice"));
    assert!(!in_files(b"hunter2"));
    drop(store);
    assert!(!in_files(b"hunter2"));

    let error = SqliteStore::open(&path, FarmKey::generate()).err().expect("refused");
    let sentence = error.to_string();
    assert!(sentence.starts_with("the farm key does not belong to the settings store"), "{sentence}");

    // A sealed secret that is moved to another user does not open there.
    let other = Id::<User>::generate(at(0));
    let store = open(&path).expect("opens");
    let transaction = Transaction::new(alice(), at(1)).create(other, "mallory", None, &User::default());
    store.commit(transaction).await.expect("committed");
    drop(store);
    let moved = Connection::open(&path).expect("opens");
    let changed = moved.execute("UPDATE secret SET owner = ?1", [other.to_string()]).expect("moved");
    assert_eq!(changed, 1);
    drop(moved);
    let store = open(&path).expect("opens");
    let error = store.secret(other.cast(), "password").await.expect_err("does not open");
    assert_eq!(error.to_string(), "the secret \"password\" cannot be opened");
}

#[tokio::test]
async fn the_log_cannot_be_rewritten() {
    let folder = Folder::new();
    let store = open(&folder.path("settings.db")).expect("opens");
    create(&store, "one").await.expect("committed");
    let before = store.changes(ChangeQuery::newest()).await.expect("reads");
    for statement in [
        "UPDATE change SET author = 'nobody'",
        "DELETE FROM change",
        "UPDATE entry SET author = 'nobody'",
        "DELETE FROM entry",
        "INSERT OR REPLACE INTO change SELECT sequence, at, 'nobody', via, address, kind, object, name, action, \
         secret, state_before, state_after, revision, transaction_first FROM change",
    ] {
        let error = run(&store.writer, move |connection| connection.execute(statement, [])).await;
        let error = error.expect_err("refused").to_string();
        assert!(error.contains("log is append-only"), "{statement}: {error}");
    }
    assert_eq!(store.changes(ChangeQuery::newest()).await.expect("reads"), before);
}

/// What somebody does to the file with another program, and what the check says of it.
#[tokio::test]
async fn whoever_edits_the_log_by_hand_is_found_out() {
    let no_triggers = "DROP TRIGGER entry_is_not_updated; DROP TRIGGER entry_is_not_deleted;
        DROP TRIGGER change_is_not_updated; DROP TRIGGER change_is_not_deleted;";
    for (what, statements, number, sentence) in [
        ("nothing", "", 0, ""),
        (
            "an author",
            "UPDATE entry SET author = 'nobody' WHERE number = 2",
            2,
            "Entry 2 is not what was written",
        ),
        (
            "what was there",
            "UPDATE change SET state_before = NULL WHERE sequence = 2",
            3,
            "Entry 3 is not what",
        ),
        (
            "a time by a microsecond",
            "UPDATE change SET at = at + 1 WHERE sequence = 1",
            1,
            "Entry 1 is not what",
        ),
        ("an entry away", "DELETE FROM entry WHERE number = 2", 2, "Entry 2 is missing."),
        ("two away", "DELETE FROM entry WHERE number IN (2, 3)", 2, "Entries 2 to 3 are missing."),
        ("the first away", "DELETE FROM entry WHERE number = 1", 1, "Entry 1 is missing."),
        ("the newest away", "DELETE FROM entry WHERE number = 4", 4, "The newest entries are missing"),
        ("all away", "DELETE FROM entry", 1, "The newest entries are missing: those from 1 to 4."),
        (
            "a change away",
            "DELETE FROM change WHERE sequence = 2",
            3,
            "Change 2, which entry 3 tells of, is missing.",
        ),
        (
            "one away, the rest moved up",
            "DELETE FROM entry WHERE number = 2; UPDATE entry SET number = number - 1 WHERE number > 2",
            2,
            "Entry 2 is not what was written",
        ),
        ("the beginning", "UPDATE log_head SET dropped_entry = 1", 1, "the entry that says so is missing"),
    ] {
        let folder = Folder::new();
        let path = folder.path("settings.db");
        let store = open(&path).expect("opens");
        let id = Id::<oriel_model::group::Group>::generate(at(0));
        store
            .commit(Transaction::new(alice(), at(1)).create(id, "one", None, &group("")))
            .await
            .expect("made");
        let event =
            Event::new(at(2), alice(), Code::UserSignInRefused).detail("why", "the password is wrong");
        store.append(vec![event]).await.expect("written");
        store.commit(Transaction::new(alice(), at(3)).delete(id, 1)).await.expect("deleted");
        create(&store, "two").await.expect("committed");
        drop(store);
        let by_hand = Connection::open(&path).expect("opens");
        by_hand.execute_batch(&format!("{no_triggers}{statements}")).expect("edited");
        drop(by_hand);
        let store = open(&path).expect("opens");
        let checked = store.check_log(None).await.expect("checks");
        let fault = checked.fault.map(|fault| (fault.number, fault.what));
        assert!(checked.is_end);
        match (sentence, fault) {
            ("", None) => assert_eq!(checked.through, 4),
            (_, Some(fault)) => assert!(fault.0 == number && fault.1.contains(sentence), "{what}: {fault:?}"),
            (_, None) => panic!("{what}: not found out"),
        }
    }
}

#[tokio::test]
async fn a_log_from_before_transactions_were_kept_knows_what_was_written_together() {
    let folder = Folder::new();
    let path = folder.path("settings.db");
    fs::write(&path, "").expect("written");
    let mut old = Connection::open(&path).expect("opens");
    migrations::run(&mut old, &path, &migrations::ALL[..2]).expect("runs");
    for (sequence, at, author) in [
        (1, 10, "alice"),
        (2, 10, "alice"),
        (3, 10, "bob"),
        (4, 11, "alice"),
        (5, 12, "alice"),
        (6, 12, "alice"),
    ] {
        let statement = "INSERT INTO change (sequence, at, author, via, kind, object, name, action, revision)
            VALUES (?1, ?2, ?3, 'cli', 'group', '00000000-0000-0000-0000-000000000001', 'Sales', 'created', 1)";
        old.execute(statement, rusqlite::params![sequence, at, author]).expect("written");
    }
    drop(old);
    let store = open(&path).expect("opens, and brings it up to date");
    let log = store.changes(ChangeQuery::after(0)).await.expect("reads");
    assert_eq!(log.iter().map(|change| change.transaction).collect::<Vec<_>>(), [1, 1, 3, 4, 5, 5]);
    let checked = store.check_log(None).await.expect("checks");
    assert_eq!(
        (checked.fault, checked.through, checked.is_end),
        (None, 6, true),
        "it is chained from now on"
    );
    let rewriting = run(&store.writer, |connection| connection.execute("UPDATE change SET at = 0", [])).await;
    assert!(rewriting.expect_err("refused").to_string().contains("append-only"));
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let folder = Folder::new();
    let store = open(&folder.path("settings.db")).expect("opens");
    create(&store, "one").await.expect("committed");
    let limit = |pages: i64| {
        run(&store.writer, move |connection| {
            let used: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
            connection.pragma_update_and_check(None, "max_page_count", used.saturating_add(pages), |_| Ok(()))
        })
    };
    limit(1).await.expect("set");
    let before = store.load().await.expect("loads");
    let mut large = Transaction::new(alice(), at(1));
    for number in 0..100 {
        large = large.create(Id::generate(at(0)), format!("g{number}"), None, &group(&"x".repeat(1_000)));
    }
    let error = store.commit(large).await.expect_err("full");
    assert!(matches!(error, CommitError::Store(StoreError::Full(_))), "{error:?}");
    assert!(error.to_string().contains("no space left, so nothing was written"), "{error}");
    assert_eq!(store.load().await.expect("loads"), before);
    assert_eq!(*store.watch().borrow(), 1);
    limit(100).await.expect("set");
    assert_eq!(create(&store, "two").await.expect("committed"), 2, "and it goes on when there is room");
}

#[tokio::test]
async fn a_newer_schema_and_files_of_others_are_left_alone() {
    let folder = Folder::new();
    let path = folder.path("newer.db");
    drop(open(&path).expect("opens"));
    Connection::open(&path).expect("opens").pragma_update(None, "user_version", 99).expect("set");
    let bytes = fs::read(&path).expect("readable");
    let sentence = refused(&path);
    let known = migrations::ALL.len();
    let expected = format!("has schema 99, which is newer than schema {known} of this program");
    assert!(sentence.contains(&expected), "{sentence}");
    assert_eq!(fs::read(&path).expect("readable"), bytes);

    let path = folder.path("diary.db");
    Connection::open(&path).expect("opens").execute_batch("CREATE TABLE diary (day TEXT)").expect("made");
    let bytes = fs::read(&path).expect("readable");
    assert!(refused(&path).ends_with("diary.db is not a settings store"));
    assert_eq!(fs::read(&path).expect("readable"), bytes);

    let path = folder.path("letter.txt");
    fs::write(&path, "Dear Sir or Madam, this is not a database. ".repeat(100)).expect("written");
    assert!(refused(&path).ends_with("letter.txt is not a settings store"));
    assert!(refused(&folder.path("no/such/folder.db")).contains("cannot be opened"));
}

#[test]
fn migrations_run_once_each_in_order_and_whole() {
    let folder = Folder::new();
    let path = folder.path("settings.db");
    let mut connection = Connection::open(&path).expect("opens");
    let first = "CREATE TABLE one (a INTEGER) STRICT;";
    let second = "CREATE TABLE two (b INTEGER) STRICT; INSERT INTO one VALUES (1);";
    let broken = "CREATE TABLE three (c INTEGER) STRICT; INSERT INTO nowhere VALUES (1);";
    let count = |connection: &Connection, table: &str| {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u32>(0))
    };
    migrations::run(&mut connection, &path, &[first]).expect("runs");
    assert_eq!(migrations::version(&connection).expect("reads"), 1);
    for _ in 0..2 {
        migrations::run(&mut connection, &path, &[first, second]).expect("runs");
    }
    assert_eq!(count(&connection, "one").expect("there"), 1, "the second ran once");
    migrations::run(&mut connection, &path, &[first, second, broken]).expect_err("breaks");
    assert_eq!(migrations::version(&connection).expect("reads"), 2);
    assert!(count(&connection, "three").is_err(), "nothing of the broken one stays");
}

#[tokio::test]
async fn durability_is_switched_on() {
    let folder = Folder::new();
    let store = open(&folder.path("settings.db")).expect("opens");
    let pragma = |name: &'static str| {
        run(&store.writer, move |connection| {
            connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
        })
    };
    assert_eq!(pragma("journal_mode").await.expect("reads"), "wal".to_owned().into());
    assert_eq!(pragma("synchronous").await.expect("reads"), 2.into(), "FULL");
    assert_eq!(pragma("foreign_keys").await.expect("reads"), 1.into());
}

#[tokio::test]
async fn ten_thousand_objects_are_committed_and_loaded_in_moments() {
    let folder = Folder::new();
    let store = open(&folder.path("settings.db")).expect("opens");
    let mut large = Transaction::new(alice(), at(1));
    for number in 0..10_000 {
        large = large.create(Id::generate(at(0)), format!("g{number}"), None, &group("a group of people"));
    }
    let start = Instant::now();
    store.commit(large).await.expect("committed");
    let committed = start.elapsed();
    let start = Instant::now();
    assert_eq!(store.load().await.expect("loads").objects.len(), 10_000);
    let loaded = start.elapsed();
    println!("10,000 objects: committed in {committed:?}, loaded in {loaded:?}");
    // Wide, for a busy machine and an unoptimised build; it guards against the order of the work.
    assert!(committed.as_secs() < 20 && loaded.as_secs() < 5, "{committed:?} {loaded:?}");
}

async fn run<T: Send + 'static>(
    worker: &Worker,
    job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    worker.run(move |connection| job(connection).map_err(|error| super::Fault::from(error).into())).await
}
