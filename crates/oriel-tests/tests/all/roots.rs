//! `oriel recover-root` on the machine of a broker that runs.

use std::{
    io::Write,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Output, Stdio},
};

use oriel_testkit::{
    farm::Farm,
    processes::{ProcessFarm, program},
};
use serde_json::json;

use crate::command_line::{Terminal, texts};

const PASSWORD: &str = "found-on-a-sticky-note";
/// `nobody`.
const SOMEBODY_ELSE: u32 = 65_534;

/// Types the command, and the password into it.
async fn recover(config: &Path, words: &[&str], as_user: Option<u32>) -> Output {
    let mut command = Command::new(program().unwrap());
    command.arg("recover-root").args(words).args(["--user", "anna", "--password-stdin"]);
    command.env_clear().env("HOME", config.parent().unwrap());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(user) = as_user {
        command.uid(user);
    }
    let typed = move || {
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes());
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(typed).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_can_read_the_brokers_data_makes_somebody_root_again() {
    let farm = ProcessFarm::start().await.unwrap();
    let config = farm.directory().join("broker.toml");
    let config_option = ["--config", config.to_str().unwrap()];
    let done = recover(&config, &config_option, None).await;
    let (out, error) = texts(&done);
    assert!(done.status.success() && out.contains("\"anna\" can sign in"), "{out}{error}");
    let administrators = farm.admin.get("/administrators").await.unwrap();
    let root = &administrators["items"][0];
    assert_eq!((&root["name"], &root["spec"]["role"]), (&json!("anna"), &json!("root")));
    let log = farm.admin.get("/changes?limit=1").await.unwrap();
    let author = &log["items"][0]["author"];
    assert_eq!((&author["name"], &author["via"]), (&json!("oriel recover-root"), &json!("recovery")));
    let first = farm.admin.get("/first-start").await.unwrap();
    assert_eq!(first["needed"], false);

    // Once more, for who forgot it again and lost the telephone.
    let again = [&config_option[..], &["--reset-second-factor"]].concat();
    let done = recover(&config, &again, None).await;
    assert!(done.status.success(), "{:?}", texts(&done));

    let key = farm.directory().join("broker/farm.key");
    let (url, data) = (format!("https://{}", farm.ports.management), farm.directory().join("broker"));
    let words = ["--data", data.to_str().unwrap(), "--url", &url];
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    let refused = recover(&config, &words, is_root.then_some(SOMEBODY_ELSE)).await;
    let (_, error) = texts(&refused);
    assert!(
        refused.status.code() == Some(4) && error.contains("only root, or the user that the broker runs as"),
        "{error}"
    );
    if !is_root {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    let nowhere = recover(&config, &["--data", "/nowhere"], None).await;
    let (_, error) = texts(&nowhere);
    assert!(nowhere.status.code() == Some(2) && error.contains("is /nowhere the data directory"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_and_tokens_reach_as_far_as_the_command_line_says() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    oriel.works("site create Berlin").await;
    oriel.works("user create anna --no-password").await;
    oriel.works("administrator create Anna --user anna --role power --reach-hidden audit").await;
    oriel.works("administrator set Anna --role custom --reach-allow view,modify:publishing").await;
    let anna = oriel.json("administrator show Anna").await;
    assert_eq!(
        anna["spec"]["reach"],
        json!({"grants": [{"actions": ["view", "modify"], "area": "publishing"}]})
    );
    let listed = oriel.works("administrator list").await;
    for word in ["NAME", "ROLE", "USER", "Anna", "custom", "anna"] {
        assert!(listed.contains(word), "{word}: {listed}");
    }
    let explained = oriel.works("explain administrator").await;
    assert!(explained.contains("who") && explained.contains("reach"), "{explained}");
    let said = oriel.fails("administrator create B --user anna --role root", 7).await;
    assert!(said.contains("is an administrator already"), "{said}");
    let said =
        oriel.fails("administrator create B --user anna --role custom --reach-allow fly:hosts", 2).await;
    assert!(said.contains("fly is no action"), "{said}");
    assert!(oriel.works("administrator sessions").await.contains("USER"));
    oriel.works("administrator message Lunch").await;
    oriel.works("administrator reset-second-factor anna").await;

    let secret = oriel.works("token create berlin --role power --reach-site Berlin --days 3").await;
    let berlin = oriel.as_token(secret.trim());
    berlin.works("pool create Here --site Berlin").await;
    let said = berlin.fails("pool create Elsewhere --site Main", 5).await;
    assert!(said.contains("there is no site \"Main\""), "another site is not even seen: {said}");
    berlin.fails("pool create Everywhere", 4).await;
    let listed = oriel.json("token list").await;
    let token = listed.as_array().unwrap().iter().find(|token| token["name"] == "berlin").unwrap();
    assert!(token["last_used_at"].is_string() && token["spec"]["expires_at"].is_string(), "{token}");
    assert!(oriel.works("token list").await.contains("LAST USED"));
}
