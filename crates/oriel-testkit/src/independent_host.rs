//! A session host whose RDP is not ours: the program of `tools/rdp-host`, on `ironrdp-server`. It shows that
//! the gateway gets along with a server that nobody wrote for it; [`crate::rdp::RdpHost`] is for all else,
//! because this one cannot show what a client asked for, nor misbehave.
//!
//! Logons are those of a [`SimulatedHost`], as with the other. The program is a process: it belongs to a
//! cargo workspace of its own, so that its packages stay out of ours.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use anyhow::{Context as _, bail};
use oriel_model::Timestamp;
use oriel_net::fingerprint::Fingerprint;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
};

use crate::agent::{LoggedOn, RdpListener, SimulatedHost};

/// How long the program may take to listen, on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// Keys that are kept of a connection; later ones are dropped.
const KEYS_KEPT: usize = 256;

/// The running program. Dropping it kills it, with all its connections.
pub struct IndependentHost {
    listener: RdpListener,
    shared: Arc<Shared>,
    _program: Child,
}

/// One client's connection that came as far as its logon.
#[derive(Debug, Clone, Default)]
pub struct IndependentConnection {
    /// Whom the logon let in; none if it was refused.
    pub logged_on: Option<LoggedOn>,
    /// Scan codes of keys that went down, oldest first.
    pub pressed: Vec<u8>,
    /// Scan codes of keys that went up, oldest first.
    pub released: Vec<u8>,
    /// Why it ended; none while it lives.
    pub ended: Option<String>,
}

struct Shared {
    logons: Arc<SimulatedHost>,
    connections: Mutex<BTreeMap<u64, IndependentConnection>>,
    orders: mpsc::UnboundedSender<Value>,
}

/// A program that runs and listens, before it is known whose logons it asks for.
pub struct StartedHost {
    listener: RdpListener,
    program: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl StartedHost {
    /// Starts the program.
    ///
    /// # Errors
    /// It has not been built, cannot be started, or does not say where it listens.
    pub async fn start() -> anyhow::Result<Self> {
        let path = program()?;
        let mut program = Command::new(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", path.display()))?;
        let input = program.stdin.take().context("no input")?;
        let mut lines = BufReader::new(program.stdout.take().context("no output")?).lines();
        let line = tokio::time::timeout(START_DEADLINE, lines.next_line()).await;
        let line = line.context("rdp-host does not listen in time")??.context("rdp-host ended at once")?;
        let listener = listener(&line).with_context(|| format!("rdp-host began with {line}"))?;
        Ok(Self { listener, program, input, lines })
    }

    /// What the agent says of it.
    pub fn listener(&self) -> RdpListener {
        self.listener.clone()
    }

    /// From now on it serves clients, with the one-time logons of `host`.
    pub fn serve(self, host: Arc<SimulatedHost>) -> IndependentHost {
        let (orders, receive_orders) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { logons: host, connections: Mutex::default(), orders });
        tokio::spawn(write_orders(self.input, receive_orders));
        tokio::spawn(read_events(self.lines, shared.clone()));
        IndependentHost { listener: self.listener, shared, _program: self.program }
    }
}

impl IndependentHost {
    /// What the agent says of it.
    pub fn listener(&self) -> RdpListener {
        self.listener.clone()
    }

    /// Every connection that ever came as far as its logon, oldest first.
    pub fn connections(&self) -> Vec<IndependentConnection> {
        self.shared.connections().values().cloned().collect()
    }
}

impl Shared {
    fn connections(&self) -> MutexGuard<'_, BTreeMap<u64, IndependentConnection>> {
        self.connections.lock().unwrap()
    }

    /// Answers a logon. Hangs up when its session ends, as a session host does.
    fn log_on(self: &Arc<Self>, number: u64, logon: &Value) -> anyhow::Result<()> {
        let text = |key: &str| logon[key].as_str().with_context(|| format!("no {key}"));
        let logged_on = self.logons.log_on(text("name")?, text("secret")?, Timestamp::now());
        let connection = IndependentConnection { logged_on: logged_on.clone(), ..Default::default() };
        self.connections().insert(number, connection);
        // An error means that the program has ended.
        let _ = self.orders.send(json!({ "connection": number, "allow": logged_on.is_some() }));
        if let Some(LoggedOn { session, .. }) = logged_on {
            let shared = self.clone();
            tokio::spawn(async move {
                shared.logons.session_gone(&session).await;
                let _ = shared.orders.send(json!({ "connection": number, "hang_up": "its session ended" }));
            });
        }
        Ok(())
    }

    fn key(&self, number: u64, key: &Value) -> anyhow::Result<()> {
        let scan_code = key["scan_code"].as_u64().context("no scan code")?.try_into()?;
        if let Some(connection) = self.connections().get_mut(&number) {
            let pressed = key["pressed"].as_bool().context("neither up nor down")?;
            let keys = if pressed { &mut connection.pressed } else { &mut connection.released };
            if keys.len() < KEYS_KEPT {
                keys.push(scan_code);
            }
        }
        Ok(())
    }

    fn ended(&self, number: u64, why: &Value) {
        let mut connections = self.connections();
        let Some(connection) = connections.get_mut(&number) else { return };
        connection.ended = Some(why.as_str().unwrap_or_default().to_owned());
        if let Some(client) = connection.logged_on.clone() {
            drop(connections);
            self.logons.client_left(&client);
        }
    }

    fn take(self: &Arc<Self>, line: &str) -> anyhow::Result<()> {
        let event: Value = serde_json::from_str(line)?;
        let number = event["connection"].as_u64().context("no connection")?;
        let object = event.as_object().context("no object")?;
        match object.iter().find(|(key, _)| *key != "connection") {
            Some((key, logon)) if key == "logon" => self.log_on(number, logon),
            Some((word, key)) if word == "key" => self.key(number, key),
            Some((key, why)) if key == "ended" => {
                self.ended(number, why);
                Ok(())
            }
            _ => bail!("an event that is not known"),
        }
    }
}

async fn write_orders(mut input: ChildStdin, mut orders: mpsc::UnboundedReceiver<Value>) {
    while let Some(order) = orders.recv().await {
        if input.write_all(format!("{order}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_events(mut lines: Lines<BufReader<ChildStdout>>, shared: Arc<Shared>) {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Err(error) = shared.take(&line) {
            tracing::error!(line, error = format!("{error:#}"), "rdp-host says what is not understood");
        }
    }
}

fn listener(line: &str) -> anyhow::Result<RdpListener> {
    let first: Value = serde_json::from_str(line)?;
    let text = |key: &str| first[key].as_str().with_context(|| format!("no {key}"));
    let address = text("listening")?.to_owned();
    let certificate_sha256 = *text("certificate_sha256")?.parse::<Fingerprint>()?.as_bytes();
    Ok(RdpListener { address, certificate_sha256 })
}

/// The built program, in its own folder of the target directory that the test's executable is in.
fn program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let mut folders = own.ancestors().skip(1).take(3);
    folders
        .find_map(|folder| Some(folder.join("rdp-host/debug/rdp-host")).filter(|path| path.is_file()))
        .context(
            "the program rdp-host has not been built: run `make test`, or \
         `cargo build --manifest-path tools/rdp-host/Cargo.toml --target-dir target/rdp-host`",
        )
}
