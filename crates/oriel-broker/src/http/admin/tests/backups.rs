//! Backups: made when they are due, and farms restored from them.

use std::time::Duration;

use oriel_net::clock::ManualClock;
use zeroize::Zeroizing;

use super::{
    archives::{comparable, furnished},
    documents::PASSPHRASE,
    *,
};
use crate::app::documents::{RestoreError, backup, restore};

/// How long something may take that happens within milliseconds.
const DEADLINE: Duration = Duration::from_secs(20);

impl Office {
    async fn set_backups(&self, backup: Value) {
        let set = self.put("farm/backup-passphrase", json!({"passphrase": PASSPHRASE})).await;
        set.expect(StatusCode::NO_CONTENT);
        let farm = json!({"kind": "farm", "name": "Oriel", "spec": {"backup": backup}});
        self.apply(&[farm]).await.expect(StatusCode::OK);
    }

    /// Waits until the names of the backups, newest first, are these.
    async fn backups_become(&self, expected: &[&str]) {
        let found = async || {
            let listed = self.get("backups").await.expect(StatusCode::OK);
            names(&listed).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let started = std::time::Instant::now();
        while found().await != expected {
            assert!(started.elapsed() < DEADLINE, "not {expected:?}: {:?}", found().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn failure_of_backups(&self) -> Option<String> {
        let status = self.get("status").await.expect(StatusCode::OK);
        status["backup"]["failure"]["why"].as_str().map(str::to_owned)
    }
}

#[tokio::test]
async fn every_night_a_backup_is_made_and_the_oldest_goes() {
    let clock = ManualClock::new("2026-11-21T12:00:00Z".parse().expect("a time"));
    let at = |time: &str| clock.set(time.parse().expect("a time"));
    let office = Office::open_with(|config| config.clock = Arc::new(clock.clone())).await;
    office.set_backups(json!({"enabled": true, "at": "02:30:00", "time_zone": "UTC", "keep": 2})).await;
    let (pace, stop) = (Duration::from_millis(2), ShutdownHandle::new());
    let looking = tokio::spawn(backup::run_at(office.broker.clone(), stop.signal(), pace, pace));

    // The night of before is made up for.
    let [first, second, third, fourth] = ["21T12-00-00", "22T02-30-00", "23T02-30-01", "24T09-00-00"]
        .map(|at| format!("oriel-2026-11-{at}Z.json"));
    office.backups_become(&[&first]).await;
    at("2026-11-22T02:29:59Z");
    let status = office.get("status").await.expect(StatusCode::OK);
    assert_eq!(status["backup"]["next"], "2026-11-22T02:30:00Z");
    at("2026-11-22T02:30:00Z");
    office.backups_become(&[&second, &first]).await;
    at("2026-11-23T02:30:01Z");
    office.backups_become(&[&third, &second]).await;

    // One that fails is told of and tried again, and costs none of those that are there.
    let in_the_way = format!("{}/.oriel-2026-11-24T02-30-00Z.json.part", backup::FOLDER);
    std::fs::create_dir(office.config.data_dir.join(in_the_way)).expect("made");
    at("2026-11-24T02:30:00Z");
    let told = async |is_told: bool| {
        let started = std::time::Instant::now();
        while office.failure_of_backups().await.is_some() != is_told {
            assert!(started.elapsed() < DEADLINE, "a failure is told: {is_told}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    told(true).await;
    office.backups_become(&[&third, &second]).await;
    at("2026-11-24T09:00:00Z");
    office.backups_become(&[&fourth, &third]).await;
    told(false).await;

    // Switched off, none is made any more.
    office.set_backups(json!({"enabled": false})).await;
    at("2026-11-25T09:00:00Z");
    assert_eq!(backup::make_if_due(&office.broker).await.expect("looked"), None);
    stop.give();
    looking.await.expect("no panic");
    office.backups_become(&[&fourth, &third]).await;
}

#[tokio::test]
async fn a_backup_is_made_when_it_is_due_and_restores_a_farm() {
    let office = furnished().await;
    assert!(backup::make_if_due(&office.broker).await.expect("nothing to do").is_none());
    let message =
        office.post("backups", json!({})).await.refused(StatusCode::CONFLICT, "no_backup_passphrase");
    assert_eq!(message, "The farm has no passphrase for its backups yet.");
    let status = office.get("status").await.expect(StatusCode::OK);
    assert_eq!(status["backup"]["failure"]["why"], message);

    let set = office.put("farm/backup-passphrase", json!({"passphrase": PASSPHRASE})).await;
    set.expect(StatusCode::NO_CONTENT);
    office
        .put("farm/backup-passphrase", json!({"passphrase": "short"}))
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    let backup = json!({"enabled": true, "at": "02:30:00", "time_zone": "Europe/Berlin", "keep": 2});
    let farm = json!({"kind": "farm", "name": "Oriel", "spec": {"backup": backup}});
    office.apply(&[farm]).await.expect(StatusCode::OK);
    backup::make_if_due(&office.broker).await.expect("made");
    assert!(backup::make_if_due(&office.broker).await.expect("looked").is_none(), "one a day");
    let listed = office.get("backups").await.expect(StatusCode::OK);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let status = office.get("status").await.expect(StatusCode::OK);
    assert_eq!(status["backup"]["newest"], listed["items"][0]);
    assert_eq!(status["backup"]["failure"], json!(null));
    assert!(status["backup"]["next"].is_string());

    let name = listed["items"][0]["name"].as_str().expect("a name");
    let path = office.broker.config.data_dir.join(backup::FOLDER).join(name);
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(!text.contains(PASSPHRASE));
    let archive: Value = serde_json::from_str(&text).expect("an archive");
    let target = Office::open().await;
    let body = json!({"archive": archive, "passphrase": PASSPHRASE});
    target.post("import", body).await.expect(StatusCode::OK);
    assert_eq!(comparable(target.export().await), comparable(office.export().await));
    assert!(target.can_sign_in("bob", "bobs own password").await);
    // The passphrase came along, so the restored farm goes on backing itself up.
    backup::make(&target.broker, &oriel_store::Author::system()).await.expect("made");
}

#[tokio::test]
async fn a_backup_that_cannot_be_written_is_said_in_status() {
    let office = Office::open().await;
    let set = office.put("farm/backup-passphrase", json!({"passphrase": PASSPHRASE})).await;
    set.expect(StatusCode::NO_CONTENT);
    let folder = office.broker.config.data_dir.join(backup::FOLDER);
    std::fs::write(&folder, "in the way").expect("a file");
    let message =
        office.post("backups", json!({})).await.refused(StatusCode::SERVICE_UNAVAILABLE, "backup_failed");
    assert!(message.contains(&folder.display().to_string()), "{message}");
    let status = office.get("status").await.expect(StatusCode::OK);
    assert_eq!(status["backup"]["failure"]["why"], message);
    std::fs::remove_file(&folder).expect("removed");
    office.post("backups", json!({})).await.expect(StatusCode::CREATED);
    let status = office.get("status").await.expect(StatusCode::OK);
    assert_eq!(status["backup"]["failure"], json!(null));
}

// ---- Restoring ----

#[tokio::test]
async fn a_farm_is_restored_as_itself() {
    let office = furnished().await;
    let lost = json!({"passphrase": PASSPHRASE, "farm_keys": true});
    let archive = office.post("export", lost).await.expect(StatusCode::OK);
    assert_eq!(archive["farm_keys"], true);
    let (farm, broker, fingerprint) =
        (office.broker.farm_id, office.broker.broker_id, office.broker.authority.fingerprint());
    let secret = async |office: &Office, name: &str| {
        office.broker.store.secret(office.broker.farm_id.cast(), name).await.expect("reads").expect("there")
    };
    let proofs = secret(&office, crate::session_proof::SECRET).await;
    let sign_ins = secret(&office, crate::sign_in_token::SECRET).await;
    let old_token = office.token.clone();

    let folder = tempfile::tempdir().expect("a folder");
    // The new machine has another name; there was only one broker.
    let config = BrokerConfig { name: "other".into(), ..config(folder.path()) };
    let restored =
        restore(&config, serde_json::from_value(archive.clone()).expect("an archive"), passphrase());
    let restored = restored.await.expect("restored");
    assert_eq!(
        (&*restored.farm, restored.objects),
        ("Oriel", archive["documents"].as_array().map_or(0, Vec::len))
    );
    let new = Office::run(config.clone(), Arc::new(folder)).await;
    assert_eq!((new.broker.farm_id, new.broker.broker_id), (farm, broker));
    assert_eq!(new.broker.authority.fingerprint(), fingerprint);
    assert_eq!(secret(&new, crate::session_proof::SECRET).await, proofs);
    assert_ne!(secret(&new, crate::sign_in_token::SECRET).await, sign_ins, "who signed out stays out");
    assert!(new.can_sign_in("bob", "bobs own password").await);
    let ids = |archive: &Value| -> Vec<Value> {
        let documents = archive["documents"].as_array().expect("documents").clone();
        documents
            .into_iter()
            .filter(|d| !d["name"].as_str().is_some_and(|n| n.starts_with("restored ")))
            .collect()
    };
    assert_eq!(ids(&new.export().await), ids(&archive), "every object with its id");
    assert_eq!(new.export().await["icons"], archive["icons"]);
    assert_ne!(new.token, old_token);
    for token in [&new.token, &old_token] {
        let answer = new.send(token, Method::GET, "status", "", Vec::new(), None).await;
        answer.expect(StatusCode::OK);
    }
    let again = restore(&config, serde_json::from_value(archive).expect("an archive"), passphrase()).await;
    assert!(matches!(again, Err(RestoreError::NotEmpty(_))), "{again:?}");
}

#[tokio::test]
async fn what_is_no_backup_of_a_farm_as_itself_touches_nothing() {
    let office = furnished().await;
    let with =
        |farm_keys: bool| office.post("export", json!({"passphrase": PASSPHRASE, "farm_keys": farm_keys}));
    let good = with(true).await.expect(StatusCode::OK);
    let without = with(false).await.expect(StatusCode::OK);
    let refused = office.post("export", json!({"farm_keys": true})).await;
    refused.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder.path().join("data"));
    let fails = async |archive: &Value, with: &str, part: &str| {
        let archive = serde_json::from_value(archive.clone()).expect("an archive");
        let error = restore(&config, archive, Zeroizing::new(with.into())).await.expect_err(part);
        let said = format!("{error} {error:?}");
        assert!(said.contains(part), "{part}: {said}");
        assert!(!config.data_dir.exists(), "{part}");
    };
    fails(&without, PASSPHRASE, "the farm's own keys are not in this backup").await;
    fails(&good, "not the passphrase", "the passphrase is wrong").await;
    let mut other = good.clone();
    other["farm"]["id"] = json!("0192f0c1-2b7a-7c3e-9d55-0e6f3a1b2c4d");
    fails(&other, PASSPHRASE, "the farm's own keys are not in this backup").await;
    let mut cut = good.clone();
    let documents = cut["documents"].as_array_mut().expect("documents");
    documents.retain(|document| document["kind"] != "pool");
    fails(&cut, PASSPHRASE, "there is no pool").await;
    let mut nobodys = good.clone();
    nobodys["documents"].as_array_mut().expect("documents").retain(|document| document["kind"] != "farm");
    fails(&nobodys, PASSPHRASE, "must have one farm").await;
}

fn passphrase() -> Zeroizing<String> {
    Zeroizing::new(PASSPHRASE.into())
}
