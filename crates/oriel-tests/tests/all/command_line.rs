//! The administrator's command line against a running broker, as a person types it.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use oriel_net::identity::NodeIdentity;
use oriel_testkit::{farm::Farm, processes::program};
use serde_json::Value;

/// Somebody at a terminal.
pub struct Terminal {
    directory: PathBuf,
    url: String,
    token: String,
}

impl Terminal {
    pub fn new(farm: &Farm) -> Self {
        let directory = farm.directory().to_owned();
        let identity = NodeIdentity::load(&directory.join("broker")).unwrap();
        std::fs::write(directory.join("authority.pem"), identity.authority_pem()).unwrap();
        let url = format!("https://{}", farm.ports().management);
        Self { directory, url, token: farm.admin.token().to_owned() }
    }

    /// The same terminal with another token.
    pub fn as_token(&self, token: &str) -> Self {
        Self { directory: self.directory.clone(), url: self.url.clone(), token: token.to_owned() }
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program().unwrap());
        command
            .args(words)
            .env_clear()
            .env("HOME", &self.directory)
            .env("ORIEL_URL", &self.url)
            .env("ORIEL_TOKEN", &self.token)
            .env("ORIEL_AUTHORITY", self.directory.join("authority.pem"))
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Types words, and then into the program.
    pub async fn types(&self, words: &[&str], input: &str) -> Output {
        let mut command = self.command(words);
        let input = input.to_owned();
        let typed = move || {
            let mut child = command.spawn().unwrap();
            // A program that does not want it may have ended.
            let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
            child.wait_with_output().unwrap()
        };
        tokio::task::spawn_blocking(typed).await.unwrap()
    }

    /// Types a line that works; gives what was printed.
    pub async fn works(&self, line: &str) -> String {
        let words: Vec<_> = line.split(' ').collect();
        let output = self.types(&words, "").await;
        let (out, error) = texts(&output);
        assert!(output.status.success(), "oriel {line}: {out}{error}");
        out
    }

    pub async fn json(&self, line: &str) -> Value {
        let out = self.works(&format!("{line} -o json")).await;
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("oriel {line}: {error}: {out}"))
    }

    /// Types a line that fails with an exit code; gives the complaint.
    pub async fn fails(&self, line: &str, code: i32) -> String {
        let words: Vec<_> = line.split(' ').collect();
        let output = self.types(&words, "").await;
        let (out, error) = texts(&output);
        assert_eq!(output.status.code(), Some(code), "oriel {line}: {out}{error}");
        assert!(!error.trim().is_empty(), "oriel {line} fails without a word");
        error
    }
}

pub fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_farm_is_set_up_and_looked_after_from_the_command_line() {
    let farm = Farm::start().await;
    let _host = farm.add_host("h1").await;
    let oriel = Terminal::new(&farm);

    oriel.works("group create Sales").await;
    let made = oriel.types(
        &["user", "create", "alice", "--group", "Sales", "--full-name", "Alice A.", "--password-stdin"],
        "correct-horse-7f3a\n",
    );
    let made = made.await;
    assert!(made.status.success(), "{:?}", texts(&made));
    assert!(oriel.works("user list").await.contains("alice"));
    assert!(oriel.works("group members Sales").await.contains("alice"));
    let apps = oriel.json("host apps h1").await;
    assert!(apps.to_string().contains("Editor"), "{apps}");
    oriel.works("resource publish folder Tools").await;
    oriel.works("resource publish editor --from-host h1 --folder Tools --group Sales").await;
    oriel.works("resource publish desktop Desktop --pool Office").await;
    let resources = oriel.json("resource list").await.to_string();
    for name in ["Tools", "Editor", "Desktop"] {
        assert!(resources.contains(name), "{name}: {resources}");
    }

    let alice = farm.signed_in("alice").await;
    assert_eq!(alice.resource_names().await.unwrap(), ["Desktop", "Editor", "Tools"]);
    let why = oriel.works("why launch --user alice --resource Editor").await;
    assert!(why.starts_with("A new session starts on h1."), "{why}");

    let editor = farm.id_of("resources", "Editor").await.unwrap();
    let launched = alice.launch(&editor).await.unwrap();
    let session = launched["session_id"].as_str().unwrap();
    farm.sessions_until("it is known", |sessions| sessions.len() == 1).await;
    assert!(oriel.works("session list").await.contains("alice"));
    for line in [
        format!("session show {session}"),
        format!("session message {session} Hello"),
        format!("session processes {session}"),
        format!("session end-process {session} 42"),
        format!("session disconnect {session}"),
        format!("session reset {session}"),
    ] {
        oriel.works(&line).await;
    }
    farm.sessions_until("it is gone", |sessions| sessions.is_empty()).await;

    oriel.works("host drain h1").await;
    let why = oriel.works("why launch --user alice --resource Desktop").await;
    assert!(why.starts_with("The only host of pool Office is draining."), "{why}");
    oriel.works("host enable h1").await;
    oriel.works("pool set Office settings.max_sessions=5").await;
    assert_eq!(oriel.json("pool show Office").await["spec"]["settings"]["max_sessions"], 5);

    let invitation = oriel.works("invite agent --pool Office --hours 2").await;
    assert!(invitation.contains("oriel1."), "{invitation}");
    assert!(oriel.works("log --code settings --limit 100").await.contains("Sales"));
    // Events are written behind, in their order: once the last is there, all are.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let told = loop {
        let told = oriel.works("log --code session --limit 100").await;
        if told.contains("session.reset") {
            break told;
        }
        assert!(std::time::Instant::now() < deadline, "{told}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    for code in ["launched", "messaged", "process_ended", "disconnected"] {
        assert!(told.contains(&format!("session.{code} session {session}")), "{told}");
    }
    assert!(told.contains("token admin session.reset") && told.contains("(cli from 127.0.0.1)"), "{told}");
    let exported = oriel.works("log export --after 2").await;
    for (line, number) in exported.lines().zip(3..) {
        assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap()["number"], number);
    }
    assert!(exported.contains("session.reset"));
    assert!(oriel.works("log verify").await.starts_with("Entries 1 to "));
    for line in [
        "status",
        "gateway list",
        "broker list",
        "site list",
        "token list",
        "invite list",
        "ports",
        "farm show",
    ] {
        assert!(!oriel.works(line).await.trim().is_empty(), "oriel {line} prints nothing");
        oriel.json(line).await;
    }
    oriel.works("user delete alice").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_says_why_and_with_which_exit_code() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    oriel.works("group create Sales").await;
    oriel.works("user create carol --no-password --group Sales").await;
    for (line, code, part) in [
        ("user show nobody", 5, "nobody"),
        ("get pool Offcie", 5, "did you mean Office?"),
        ("set host nobody description=x", 5, "nobody"),
        ("host apps nobody", 5, "nobody"),
        ("session reset 0192", 5, "0192"),
        ("revert 100000", 5, "100000"),
        ("group delete Sales", 6, "carol"),
        ("pool create office", 6, "office"),
        ("set pool Office settings.max_sesions=5", 7, "did you mean max_sessions?"),
        ("set pool Office settings.max_sessions=0", 7, "settings.max_sessions"),
        ("create resource R target.kind=folder folder=Nowhere", 5, "Nowhere"),
        ("create host h2", 2, "oriel invite agent"),
        ("get pol", 2, "pool"),
        ("explain pool setings", 2, "did you mean settings"),
        ("apply -f nowhere.yaml", 2, "nowhere.yaml"),
        ("login --dry-run", 2, "--dry-run"),
        ("user create", 2, "NAME"),
        ("usr list", 2, "usr"),
        ("status --url https://127.0.0.1:1", 3, "127.0.0.1:1"),
        ("broker run --config nowhere.toml", 2, "nowhere.toml"),
        ("gateway join oriel1.AAAA --data joined", 2, "damaged"),
    ] {
        let complaint = oriel.fails(line, code).await;
        assert!(complaint.to_lowercase().contains(&part.to_lowercase()), "oriel {line}: {complaint}");
        assert!(!complaint.contains("panicked"), "oriel {line}: {complaint}");
    }
    // A password that is too short, told before anything is made.
    let refused = oriel.types(&["user", "create", "bob", "--password-stdin"], "short\n").await;
    assert_eq!(refused.status.code(), Some(7), "{:?}", texts(&refused));
    assert!(texts(&refused).1.contains("8"), "{:?}", texts(&refused));

    // Somebody else's farm at that address, and a wrong token.
    let other = Farm::broker_only().await;
    let url = format!("status --url https://{}", other.ports().management);
    oriel.fails(&url, 3).await;
    let stranger = Terminal { token: "wrong".into(), ..Terminal::new(&farm) };
    let complaint = stranger.fails("status", 4).await;
    assert!(complaint.contains("token"), "{complaint}");
    let secret = oriel.works("token create watcher --role viewer").await;
    let viewer = Terminal { token: secret.trim().into(), ..Terminal::new(&farm) };
    viewer.works("get pools").await;
    viewer.fails("pool create Mine", 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_file_with_mistakes_is_refused_with_all_of_them() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    let check = async |service: &str, text: &str, keys: &[&str]| {
        let path = farm.directory().join(format!("{service}.toml"));
        std::fs::write(&path, text).unwrap();
        let complaint = oriel.fails(&format!("{service} run --config {}", shown(&path)), 2).await;
        for key in keys {
            assert!(complaint.contains(key), "{service}: {key} is not named: {complaint}");
        }
    };
    check(
        "broker",
        "dat_dir = \"x\"\nagent_listen = 7\nstore = \"oracle://x\"\n",
        &["dat_dir", "data_dir", "agent_listen", "store"],
    )
    .await;
    check("gateway", "data_dir = \"/d\"\nlisten = \"nonsense\"\npassword = 1\n", &["listen", "password"])
        .await;
    check("agent", "rdp_listen = \"127.0.0.1:99999\"\n", &["data_dir", "rdp_listen"]).await;
    check("broker", "this is not toml", &["broker.toml"]).await;
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
