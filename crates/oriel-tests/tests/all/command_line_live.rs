//! What the command line does while things happen: watching, being asked, and losing its connection.

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use oriel_model::session::EndReason;
use oriel_testkit::{farm::Farm, wait};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::{
    command_line::{Terminal, texts},
    policies::log_on,
};

/// A command that goes on, and what it prints.
struct Watching {
    child: Child,
    lines: Option<BufReader<ChildStdout>>,
}

impl Watching {
    fn begin(oriel: &Terminal, line: &str) -> Self {
        let words: Vec<_> = line.split(' ').collect();
        let mut child = oriel.command(&words).stdin(Stdio::null()).spawn().unwrap();
        let lines = child.stdout.take().map(BufReader::new);
        Self { child, lines }
    }

    /// Reads lines until one holds this; gives all of them.
    async fn until(&mut self, part: &str) -> Vec<String> {
        let (mut lines, wanted) = (self.lines.take().unwrap(), part.to_owned());
        let reading = tokio::task::spawn_blocking(move || {
            let mut read = Vec::new();
            loop {
                let mut line = String::new();
                assert!(lines.read_line(&mut line).unwrap() > 0, "{wanted} does not come: {read:#?}");
                let found = line.contains(&wanted);
                read.push(line);
                if found {
                    return (lines, read);
                }
            }
        });
        let (lines, read) = tokio::time::timeout(Duration::from_secs(30), reading)
            .await
            .unwrap_or_else(|_| panic!("{part} does not come"))
            .unwrap();
        self.lines = Some(lines);
        read
    }

    /// The reader leaves.
    fn leave(&mut self) {
        self.lines = None;
    }

    async fn ends_well(mut self) {
        let status = wait::until("it ends", async || {
            self.child.try_wait().unwrap().ok_or_else(|| "it goes on".to_owned())
        });
        let status = status.await;
        assert!(status.success(), "{status}");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It has ended in a test that went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_list_shows_what_comes_and_ends_with_its_reader() {
    let farm = Farm::start().await;
    let oriel = Terminal::new(&farm);
    let mut pools = Watching::begin(&oriel, "watch pools");
    let table = pools.until("Office").await;
    assert_eq!(table.iter().filter(|line| line.starts_with("NAME")).count(), 1, "{table:?}");
    oriel.works("group create Sales").await;
    oriel.works("pool create Lab").await;
    let table = pools.until("Lab").await;
    assert_eq!(
        table.iter().filter(|line| line.starts_with("NAME")).count(),
        1,
        "nothing changed twice: {table:?}"
    );

    // For scripts: a line of JSON for each change of this kind, and of no other.
    let mut changes = Watching::begin(&oriel, "watch groups -o json");
    changes.until("ready").await;
    oriel.works("set pool Lab description=x").await;
    oriel.works("group create IT").await;
    let lines = changes.until("IT").await;
    let change: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((lines.len(), &change["data"]["kind"]), (1, &Value::from("group")), "{lines:?}");
    assert_eq!((&change["data"]["action"], &change["data"]["name"]), (&"created".into(), &"IT".into()));

    // Hosts and sessions: what no settings say.
    let mut hosts = Watching::begin(&oriel, "watch hosts");
    hosts.until("NAME").await;
    let host = farm.add_host("h1").await;
    hosts.until("h1").await;
    oriel.works("user create alice --no-password").await;
    farm.user("bob", &[]).await;
    oriel.works("resource publish desktop Desk --pool Office").await;
    let mut sessions = Watching::begin(&oriel, "watch sessions");
    let table = sessions.until("ID").await;
    assert!(!table.concat().contains("bob"), "{table:?}");
    let bob = farm.signed_in("bob").await;
    let launch = bob.launch(&farm.id_of("resources", "Desk").await.unwrap()).await.unwrap();
    sessions.until("bob").await;
    log_on(&farm, &host, &launch);

    // What becomes of a session is told as its host reports it.
    let mut events = Watching::begin(&oriel, "watch sessions -o json");
    events.until("ready").await;
    let id = host.machine.sessions()[0].session_id.clone();
    host.machine.disconnect_session(&id, EndReason::Disconnected);
    let told = events.until("disconnected").await;
    assert!(told.last().is_some_and(|line| line.contains(&id) && line.contains("\"bob\"")), "{told:?}");
    host.machine.end_session(&id, EndReason::LoggedOff, "");
    let told = events.until("\"now\":null").await;
    assert!(told.last().is_some_and(|line| line.contains(&id)), "{told:?}");

    // `| head`: the next event finds that nobody reads.
    for watching in [&mut pools, &mut changes] {
        watching.leave();
    }
    oriel.works("set pool Lab description=y").await;
    oriel.works("set group IT description=y").await;
    pools.ends_well().await;
    changes.ends_well().await;
}

/// Types a line at a terminal of its own, which answers what is asked.
async fn at_a_terminal(oriel: &Terminal, line: &str, answer: &str) -> (Option<i32>, String) {
    let command = oriel.command(&[]);
    let program = command.get_program().to_string_lossy().into_owned();
    let own = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &format!("{program} {line}"), "/dev/null"])
        .env_clear()
        .envs(own)
        .env("NO_COLOR", "1")
        .current_dir(command.get_current_dir().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let answer = answer.to_owned();
    let typed = move || {
        let mut child = script.spawn().unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        keyboard.write_all(answer.as_bytes()).unwrap();
        // The terminal stays until the program has ended: a keyboard that is pulled out says "end of file".
        let output = child.wait_with_output().unwrap();
        drop(keyboard);
        output
    };
    let output = tokio::task::spawn_blocking(typed).await.unwrap();
    (output.status.code(), texts(&output).0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_asked_before_files_are_applied() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    std::fs::write(farm.directory().join("lab.yaml"), "kind: pool\nname: Lab\n").unwrap();

    for no in ["n\n", "\n", "nonsense\n"] {
        let (code, text) = at_a_terminal(&oriel, "apply -f lab.yaml", no).await;
        assert_eq!(code, Some(1), "{text}");
        let (plan, question) = (text.find("+ pool \"Lab\"").unwrap(), text.find("Do it? [y/N]").unwrap());
        assert!(plan < question && text.contains("nothing was changed"), "{text}");
        oriel.fails("get pool Lab", 5).await;
    }
    let (code, text) = at_a_terminal(&oriel, "apply -f lab.yaml", "y\n").await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Done, as change"), "{text}");
    oriel.works("get pool Lab").await;

    // Nobody is asked about nothing, with --yes, or where nobody sits.
    let (_, text) = at_a_terminal(&oriel, "apply -f lab.yaml", "").await;
    assert!(text.contains("Nothing to change.") && !text.contains("Do it?"), "{text}");
    let change = oriel.json("log --kind pool --object Lab --limit 1").await[0]["change"]["sequence"].clone();
    let (code, text) = at_a_terminal(&oriel, &format!("revert {change} --yes"), "").await;
    assert!(code == Some(0) && !text.contains("Do it?"), "{text}");
    oriel.fails("get pool Lab", 5).await;
    oriel.works("apply -f lab.yaml").await;
}

/// Between the command line and the broker: passes everything on, but the first connection breaks once the
/// request is there, before the answer.
struct Break {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    is_done: Arc<Notify>,
}

impl Break {
    async fn begin(broker: SocketAddr) -> Self {
        let listener = TcpListener::bind((broker.ip(), 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let is_done = Arc::new(Notify::new());
        let (counted, done) = (connections.clone(), is_done.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let far = TcpStream::connect(broker).await.unwrap();
                let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
                tokio::spawn(relay(client, far, first.then(|| done.clone())));
            }
        });
        Self { address, connections, is_done }
    }
}

/// Passes bytes on. With `breaks`, what the broker says after the client's second message is kept back (the
/// first is TLS's hello, the second ends the handshake and brings the request), and all ends when told.
async fn relay(client: TcpStream, broker: TcpStream, breaks: Option<Arc<Notify>>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_broker, mut to_broker) = broker.into_split();
    let is_kept_back = AtomicBool::new(false);
    let there = async {
        let mut bytes = vec![0; 16 * 1024];
        for message in 0.. {
            let read = from_client.read(&mut bytes).await.unwrap_or(0);
            if read == 0 {
                break;
            }
            if message > 0 && breaks.is_some() {
                is_kept_back.store(true, Ordering::SeqCst);
            }
            to_broker.write_all(&bytes[..read]).await.unwrap();
        }
    };
    let back = async {
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let read = from_broker.read(&mut bytes).await.unwrap_or(0);
            if read == 0 {
                break;
            }
            if !is_kept_back.load(Ordering::SeqCst) && to_client.write_all(&bytes[..read]).await.is_err() {
                break;
            }
        }
    };
    match &breaks {
        None => {
            tokio::join!(there, back);
        }
        Some(told) => {
            tokio::select! { _ = async { tokio::join!(there, back) } => {} () = told.notified() => {} }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_twice_as_the_connection_broke_is_done_once() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    let between = Break::begin(farm.ports().management).await;
    let url = format!("https://{}", between.address);
    let words = ["create", "pool", "Lab", "--url", &url];
    let creating = oriel.types(&words, "");
    let breaking = async {
        wait::until("the broker has done it", async || {
            farm.id_of("pools", "Lab").await.map_err(|error| format!("{error:#}"))
        })
        .await;
        between.is_done.notify_one();
    };
    let (output, ()) = tokio::join!(creating, breaking);
    assert!(output.status.success(), "{:?}", texts(&output));
    assert_eq!(texts(&output).0, "Created pool \"Lab\".\n");
    assert_eq!(between.connections.load(Ordering::SeqCst), 2);
    let log = oriel.json("log --kind pool --object Lab").await;
    assert_eq!(log.as_array().map(Vec::len), Some(1), "made once: {log}");
}
