use std::{fs, os::unix::fs::PermissionsExt, time::Instant};

use oriel_model::{Id, Timestamp, notification::Watched};

use super::*;

fn message() -> Message {
    Message {
        id: Id::generate(Timestamp::UNIX_EPOCH),
        is_test: true,
        farm: Id::generate(Timestamp::UNIX_EPOCH),
        farm_name: "Farm $(id); `id`".into(),
        notification: Id::generate(Timestamp::UNIX_EPOCH),
        notification_name: "n\0ul".into(),
        event: Watched::HostAway,
        at: Timestamp::UNIX_EPOCH,
        said: Vec::new(),
        more: 3,
    }
}

/// A folder with a script of this mode. Another process writes it: while this one has it open for writing, a
/// test beside that starts a process would hold it open.
fn folder(script: &str, mode: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tell");
    let written = std::process::Command::new("sh")
        .args(["-c", "printf '%s' \"$1\" > \"$2\"", "sh", script])
        .arg(&path)
        .status();
    assert!(written.expect("sh").success());
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
    folder
}

async fn ran(folder: &Path, name: &str) -> Result<(), String> {
    run_for(Some(folder), name, &message(), PATIENCE).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_script_gets_the_message_and_nothing_else_of_the_brokers_environment() {
    let folder = folder("#!/bin/sh\nenv > out; pwd >> out\n", 0o700);
    ran(folder.path(), "tell").await.expect("it ran");
    let out = fs::read_to_string(folder.path().join("out")).expect("written");
    for line in
        ["ORIEL_EVENT=host_away", "ORIEL_FARM=Farm $(id); `id`", "ORIEL_NOTIFICATION=nul", "ORIEL_COUNT=3"]
    {
        assert!(out.lines().any(|one| one == line), "{line}: {out}");
    }
    assert!(!out.contains("CARGO"), "{out}");
}

#[tokio::test]
async fn a_script_that_fails_says_why() {
    let folder = folder("#!/bin/sh\necho no luck >&2; sleep 1000 & exit 3\n", 0o700);
    let begun = Instant::now();
    let error = ran(folder.path(), "tell").await.expect_err("it fails");
    assert_eq!(error, "the script tell ended with exit status: 3: no luck");
    assert!(begun.elapsed() < Duration::from_secs(30), "what it left running is not waited for");
}

#[tokio::test]
async fn a_script_that_runs_too_long_is_ended_with_all_that_it_started() {
    let folder = folder("#!/bin/sh\nsleep 1000 & echo $! > child; wait\n", 0o700);
    let file = folder.path().join("child");
    let outcome = run_for(Some(folder.path()), "tell", &message(), Duration::from_secs(2)).await;
    assert!(matches!(outcome, Err(ScriptError::TooSlow(_))));
    let child = fs::read_to_string(file).expect("it ran");
    let status = format!("/proc/{}/stat", child.trim());
    let is_gone = || fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z "));
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_gone() {
        assert!(Instant::now() < deadline, "{} still runs", child.trim());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn only_plain_files_that_nobody_else_may_write_are_run() {
    let safe = folder("#!/bin/sh\ntouch ran\n", 0o700);
    let path = safe.path();
    std::os::unix::fs::symlink("/bin/true", path.join("link")).expect("a link");
    fs::create_dir(path.join("sub")).expect("a folder");
    for name in ["link", "sub", "none", "../tell", "sub/../tell", ".", "", "/bin/true"] {
        assert!(matches!(run(Some(path), name, &message()).await, Err(ScriptError::Absent(_))), "{name}");
    }
    assert!(matches!(run(None, "tell", &message()).await, Err(ScriptError::NoFolder)));
    for mode in [0o770, 0o702] {
        let unsafe_file = folder("#!/bin/sh\n", mode);
        let outcome = run(Some(unsafe_file.path()), "tell", &message()).await;
        assert!(matches!(outcome, Err(ScriptError::NotSafe(_))), "{mode:o}");
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("set");
    assert!(matches!(run(Some(path), "tell", &message()).await, Err(ScriptError::NotSafe(_))));
    assert!(!path.join("ran").exists());
}
