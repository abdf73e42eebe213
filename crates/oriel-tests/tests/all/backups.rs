//! Backups when things go wrong: the broker's machine is lost, or its disk is full.

use std::{net::TcpListener, path::Path, process::Stdio};

use oriel_testkit::{
    farm::{BrokerPorts, Farm, PASSWORD},
    http::AdminClient,
    processes::{AtWork, ProcessFarm, Service, broker_file, program},
    rdp::{ClientOptions, RdpClient},
    wait,
};
use serde_json::{Value, json};

use crate::{command_line::Terminal, connection::Launch};

const PASSPHRASE: &str = "what-nobody-guesses-81";

/// Sets up backups and makes one; gives its name.
pub async fn back_up(admin: &AdminClient) -> String {
    admin
        .try_put("/farm/backup-passphrase", json!({ "passphrase": PASSPHRASE }))
        .await
        .unwrap()
        .assert(204, "");
    let farm = json!({ "kind": "farm", "name": "Oriel", "spec": { "backup": { "farm_keys": true } } });
    admin.post("/apply", json!({ "documents": [farm] })).await.unwrap();
    admin.post("/backups", json!({})).await.unwrap()["name"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_farm_whose_broker_is_lost_goes_on_from_its_backup() {
    let mut farm = ProcessFarm::start().await.unwrap();
    let AtWork { rdp: _rdp, agent, desktop, portal: alice, launch, client: _client } =
        farm.at_work("alice").await.unwrap();
    let launch = Launch::from(launch);
    let (data, config) = (farm.directory().join("broker"), farm.directory().join("broker.toml"));
    let name = back_up(&farm.admin).await;
    let [file, passphrase] = ["backup", "passphrase"].map(|name| farm.directory().join(name));
    std::fs::copy(data.join("backups").join(name), &file).unwrap();
    std::fs::write(&passphrase, PASSPHRASE).unwrap();

    farm.kill(Service::Broker);
    std::fs::remove_dir_all(&data).unwrap();
    let mut restoring = tokio::process::Command::new(program().unwrap());
    restoring.args(["broker", "restore", "--config"]).arg(&config).arg("--from").arg(&file);
    let restored = restoring.arg("--passphrase-file").arg(&passphrase).output().await.unwrap();
    let said = String::from_utf8_lossy(&restored.stdout);
    assert!(restored.status.success(), "{said}{}", String::from_utf8_lossy(&restored.stderr));
    assert!(said.starts_with("Restored the farm \"Oriel\" with "), "{said}");
    farm.start_service(Service::Broker).unwrap();

    // Nobody joins again: the gateway and the host find the farm that they know.
    farm.gateway_attached().await;
    farm.host_reachable("h1").await;
    alice.get("/me").await.unwrap().assert(401, "signed_out");
    alice.sign_in("alice", PASSWORD).await.unwrap();
    let again = wait::until("her session is hers still", async || {
        let again = alice.launch(&desktop).await.map_err(|error| format!("{error:#}"))?;
        wait::ensure(again["session_id"] == json!(launch.session), again.to_string()).map(|()| again)
    })
    .await;
    assert_eq!(again["reconnected"], true, "{again}");
    let ticket = Launch::from(again).ticket;
    let mut client = RdpClient::connect(farm.gateway, &ticket, ClientOptions::default()).await.unwrap();
    client.frame().await.unwrap();
    assert_eq!(agent.host().sessions().len(), 1);
    let token = std::fs::read_to_string(data.join("admin.token")).unwrap();
    assert_ne!(token.trim(), farm.admin.token());
    AdminClient::new(farm.ports.management, token.trim()).get("/status").await.unwrap();

    let mut again = tokio::process::Command::new(program().unwrap());
    again.args(["broker", "restore", "--config"]).arg(&config).arg("--from").arg(&file);
    let again = again.arg("--passphrase-file").arg(&passphrase).output().await.unwrap();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.code() == Some(6) && said.contains("There is a farm already"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_backup_with_the_farms_own_keys_restores_it() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    for (name, text) in [("right", PASSPHRASE), ("wrong", "something-else-22")] {
        std::fs::write(farm.directory().join(name), text).unwrap();
    }
    oriel.works("export --file without --passphrase-file right").await;
    oriel.works("export --file with --passphrase-file right --farm-keys").await;
    oriel.fails("export --file with --farm-keys", 2).await;
    let restore = |from: &str, passphrase: &str| {
        format!("broker restore --data new --from {from} --passphrase-file {passphrase}")
    };
    let said = oriel.fails(&restore("without", "right"), 1).await;
    assert!(said.contains("oriel import") && said.contains("join again"), "{said}");
    let said = oriel.fails(&restore("with", "wrong"), 1).await;
    assert!(said.contains("passphrase is wrong"), "{said}");
    let said = oriel.fails("broker restore --data new --from with", 2).await;
    assert!(said.contains("no terminal to ask on"), "{said}");
    std::fs::write(farm.directory().join("letter"), "Dear Sir or Madam").unwrap();
    oriel.fails(&restore("letter", "right"), 2).await;
    assert!(!farm.directory().join("new").exists(), "what fails touches nothing");
    oriel.works(&restore("with", "right")).await;
    let said = oriel.fails(&restore("with", "right"), 6).await;
    assert!(said.contains("There is a farm already"), "{said}");
    oriel.fails("broker restore --from with --passphrase-file right", 2).await;
}

/// A broker whose backups lie on a small disk of their own, in a mount namespace that goes with it.
struct SmallDisk {
    broker: tokio::process::Child,
    folder: tempfile::TempDir,
    admin: AdminClient,
    ports: BrokerPorts,
}

impl SmallDisk {
    async fn start() -> Self {
        const MOUNTED: &str = "mkdir -m 0700 \"$1\" \"$1/backups\" && \
            mount -t tmpfs -o size=256k,mode=0700 tmpfs \"$1/backups\" && exec \"$2\" broker run --config \"$3\"";
        let folder = tempfile::TempDir::with_prefix("oriel-small-disk-").unwrap();
        let free = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [gateway, agent, management] = free.map(|listener| listener.local_addr().unwrap());
        let (data, config) = (folder.path().join("broker"), folder.path().join("broker.toml"));
        let ports = BrokerPorts { gateway, agent, management };
        std::fs::write(&config, broker_file(&data, ports)).unwrap();
        let mut command = tokio::process::Command::new("unshare");
        command.args(["--mount", "sh", "-c", MOUNTED, "sh"]).arg(&data).arg(program().unwrap()).arg(&config);
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null()).kill_on_drop(true);
        let broker = command.spawn().unwrap();
        let admin = wait::until("the broker answers", async || {
            let token =
                std::fs::read_to_string(data.join("admin.token")).map_err(|error| error.to_string())?;
            let admin = AdminClient::new(management, token.trim());
            admin.get("/status").await.map_err(|error| format!("{error:#}"))?;
            Ok::<_, String>(admin)
        })
        .await;
        Self { broker, folder, admin, ports }
    }

    /// The small disk, as the broker sees it.
    fn disk(&self) -> std::path::PathBuf {
        let root = format!("/proc/{}/root", self.broker.id().expect("it runs"));
        let folder = self.folder.path().strip_prefix("/").unwrap();
        Path::new(&root).join(folder).join("broker/backups")
    }

    /// What `oriel status` prints.
    async fn status(&self) -> String {
        let output = tokio::process::Command::new(program().unwrap())
            .arg("status")
            .env_clear()
            .env("HOME", self.folder.path())
            .env("ORIEL_URL", format!("https://{}", self.ports.management))
            .env("ORIEL_TOKEN", self.admin.token())
            .env("ORIEL_AUTHORITY", self.folder.path().join("broker/authority.pem"))
            .output();
        let output = output.await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_no_backup_that_is_there_and_administrators_are_told() {
    let farm = SmallDisk::start().await;
    let name = back_up(&farm.admin).await;
    let good = std::fs::read(farm.disk().join(&name)).unwrap();
    assert!(!farm.status().await.contains("No space left"));

    let zeros = std::io::repeat(0);
    let mut other = std::fs::File::create(farm.disk().join("other")).unwrap();
    let full = std::io::copy(&mut std::io::Read::take(zeros, 1024 * 1024), &mut other).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    for _ in 0..2 {
        let refused = farm.admin.try_post("/backups", json!({})).await.unwrap();
        refused.assert_says(503, "backup_failed", "No space left on device");
    }
    let status = farm.admin.get("/status").await.unwrap();
    assert!(status["backup"]["failure"]["at"].is_string(), "{status}");
    let told = farm.status().await;
    assert!(told.contains("No space left on device"), "{told}");

    let names = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&farm.admin.get("/backups").await.unwrap()), std::slice::from_ref(&name));
    assert_eq!(std::fs::read(farm.disk().join(&name)).unwrap(), good, "the last good one is as it was");
    let mut left: Vec<_> =
        std::fs::read_dir(farm.disk()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [std::ffi::OsString::from(&name), "other".into()], "no half is left");

    drop(other);
    std::fs::remove_file(farm.disk().join("other")).unwrap();
    farm.admin.post("/backups", json!({})).await.unwrap();
    let status = farm.admin.get("/status").await.unwrap();
    assert_eq!(status["backup"]["failure"], Value::Null);
}
