//! An agent's xrdp adapter in a temporary directory, with FreeRDP clients on a display of their own.

use std::{
    io::Write,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use oriel_agent::{
    host::{
        ClientFacts, ConnectionId, Owner, Prepared, Program, ResourceRef, SeatRequest, SessionHost,
        SessionId, SessionLimits, SessionSnapshot, Start,
    },
    power::Power,
    xrdp::{Xrdp, XrdpConfig},
};
use oriel_model::{
    Timestamp,
    host::AccountMode,
    session::{EndReason, SessionState},
};
use oriel_net::clock::Clock;
use oriel_rdp::channel::ChannelPolicy;

use crate::{gateway::Gateway, killed};

/// Short, so that tests are.
pub const LIMITS: SessionLimits = SessionLimits {
    linger_disconnect: Some(Duration::from_secs(1)),
    linger_logoff: Some(Duration::ZERO),
    idle_disconnect: None,
    disconnected_logoff: None,
    readiness: Duration::from_secs(60),
};
/// Longest wait for anything. A logon takes some two seconds on an idle machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// FreeRDP's client: version 2 and 3.
const CLIENTS: [&str; 2] = ["xfreerdp", "xfreerdp3"];

/// The machine's clock, put forward.
#[derive(Clone, Default)]
pub struct ForwardClock(Arc<AtomicI64>);

impl ForwardClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs().cast_signed(), Ordering::SeqCst);
    }
}

impl Clock for ForwardClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + Duration::from_secs(self.0.load(Ordering::SeqCst).cast_unsigned())
    }
}

/// Ends its process when dropped.
pub struct Running(Child);

impl Running {
    pub fn of(child: Child) -> Self {
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the agent has logged.
static LOGGED: Mutex<String> = Mutex::new(String::new());

/// Keeps lines for [`is_logged`] and shows them with the test.
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        print!("{text}");
        LOGGED.lock().unwrap().push_str(&text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether a line of the agent's log has all these words.
pub fn is_logged(words: &[&str]) -> bool {
    LOGGED.lock().unwrap().lines().any(|line| words.iter().all(|word| line.contains(word)))
}

pub struct Rig {
    host: Option<Xrdp>,
    config: XrdpConfig,
    folder: tempfile::TempDir,
    output: PathBuf,
    display: String,
    clock: ForwardClock,
    _screen: Running,
    accounts: [String; 2],
}

pub fn program(program: &str, arguments: &str) -> Start {
    let (program, arguments) = (program.into(), arguments.into());
    Start::Program(Program { program, arguments, ..Program::default() })
}

pub fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Says in the output what is tested from here on.
pub fn say(what: &str) {
    println!("testing: {what}");
}

/// What is there once the host was told to restart.
pub fn reboot_mark() -> PathBuf {
    std::env::temp_dir().join(format!("oriel-rebooted-{}", std::process::id()))
}

pub fn config(data_dir: PathBuf, listen: SocketAddr) -> XrdpConfig {
    XrdpConfig {
        data_dir,
        listen,
        machine_name: "rig".into(),
        executable: env!("CARGO_BIN_EXE_oriel-agent").into(),
        desktop_command: None,
        power: Power::new(Some(&format!("touch '{}'", reboot_mark().display())), Some("false")).unwrap(),
    }
}

/// A seat in a new session of somebody's.
pub fn seat(user: &str, account: String, start: Start) -> SeatRequest {
    let now = Timestamp::now();
    SeatRequest {
        session: SessionId::generate(now),
        connection: ConnectionId::generate(now),
        is_reconnect: false,
        owner: Owner { user_id: format!("user {user}"), proof: vec![7; 32] },
        user_name: user.into(),
        account,
        accounts: AccountMode::Create,
        client: ClientFacts { name: "rig".into(), ..ClientFacts::default() },
        resource: ResourceRef::default(),
        start: Some(start),
        is_shared: false,
        is_prelaunch: false,
        brings_to_front: false,
        same_program: Vec::new(),
        size: (1024, 768),
    }
}

impl Rig {
    pub async fn start() -> Self {
        let _ = tracing_subscriber::fmt().with_ansi(false).with_writer(|| Log).try_init();
        // Closed to all others, as a data directory may be.
        let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("oriel-xrdp-").permissions(closed).tempdir().unwrap();
        let config = config(folder.path().join("agent"), free_port());
        let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-output/agent");
        std::fs::create_dir_all(&output).unwrap();
        let (screen, display) = screen(folder.path());
        let clock = ForwardClock::default();
        let mark = std::process::id() % 100_000;
        let rig = Self {
            host: Some(start(&config, &clock).await),
            config,
            folder,
            output,
            display,
            clock,
            _screen: screen,
            accounts: ["alice", "bob"].map(|name| format!("ot{mark}-{name}")),
        };
        rig.until("xrdp listens", || rig.host().snapshot().problem.is_none()).await;
        rig
    }

    pub fn host(&self) -> &Xrdp {
        self.host.as_ref().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("{name}-{}", std::process::id()))
    }

    fn account(&self, user: &str) -> String {
        self.accounts.iter().find(|account| account.ends_with(user)).unwrap().clone()
    }

    pub fn seat(&self, user: &str, start: Start) -> SeatRequest {
        seat(user, self.account(user), start)
    }

    /// Time passes for the agent.
    pub fn advance_clock(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Has another agent in our place prepare a seat and be killed. There is no agent then.
    pub async fn prepared_by_a_killed_agent(&mut self, user: &str, start: Start) -> killed::Answer {
        self.host.take().unwrap().shut_down(false).await;
        let order = killed::Order {
            data_dir: self.config.data_dir.clone(),
            listen: self.config.listen,
            account: self.account(user),
            start,
            answer: self.folder.path().join("answer.json"),
        };
        tokio::task::spawn_blocking(move || killed::prepare_and_kill(&order)).await.unwrap()
    }

    /// Starts an agent where there is none.
    pub async fn start_agent(&mut self) {
        self.host = Some(start(&self.config, &self.clock).await);
        self.until("xrdp listens", || self.host().snapshot().problem.is_none()).await;
    }

    /// What xrdp has logged.
    pub fn xrdp_log(&self) -> String {
        std::fs::read_to_string(self.config.data_dir.join("xrdp/log/xrdp.log")).unwrap_or_default()
    }

    /// A gateway before this machine, for one connection.
    pub async fn gateway(&self, prepared: &Prepared, channels: ChannelPolicy) -> Gateway {
        let certificate = self.host().describe().certificate_sha256;
        Gateway::open(self.folder.path(), self.config.listen, certificate, prepared, channels).await
    }

    /// A client of FreeRDP that logs on.
    pub fn client(&self, name: &str, secret: &str, more: &[&str]) -> Running {
        self.client_at(self.config.listen, name, secret, more)
    }

    /// The same at another address.
    pub fn client_at(&self, address: SocketAddr, name: &str, secret: &str, more: &[&str]) -> Running {
        let installed = |name: &&&str| Path::new("/usr/bin").join(name).exists();
        let mut command = Command::new(CLIENTS.iter().find(installed).expect("FreeRDP is installed"));
        command
            .arg(format!("/v:{address}"))
            .args([&format!("/u:{name}"), &format!("/p:{secret}")])
            .args(["/cert:ignore", "/sec:tls", "/bpp:32", "/log-level:ERROR"])
            .args(more)
            .env("DISPLAY", &self.display)
            .stdin(Stdio::null())
            .stdout(self.client_log())
            .stderr(self.client_log());
        Running(command.spawn().expect("xfreerdp runs"))
    }

    /// What clients say.
    fn client_log(&self) -> std::fs::File {
        let log = self.folder.path().join("clients.log");
        std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap()
    }

    /// Prepares and logs on; returns when the session is active and its program shows or has ended.
    pub async fn open(&self, user: &str, start: Start) -> (SessionId, Running) {
        let seat = self.seat(user, start);
        let prepared = self.host().prepare(&seat).await.unwrap();
        let client = self.client(&prepared.logon_name, &prepared.one_time_logon, &["/size:1024x768"]);
        let session = seat.session;
        self.until("the program shows", || {
            self.last_end(session).is_some()
                || (self.state(session) == Some(SessionState::Active) && !self.programs(session).is_empty())
        })
        .await;
        (session, client)
    }

    /// Returns to a session.
    pub async fn reopen(&self, session: SessionId, user: &str, more: &[&str]) -> Running {
        let seat = SeatRequest { session, is_reconnect: true, ..self.seat(user, Start::Desktop) };
        let prepared = self.host().prepare(&SeatRequest { start: None, ..seat }).await.unwrap();
        let ends = self.host().snapshot().ended.len();
        let was_active = self.state(session) == Some(SessionState::Active);
        let client = self.client(&prepared.logon_name, &prepared.one_time_logon, more);
        self.until("the client is back", || {
            let has_come = self.state(session) == Some(SessionState::Active);
            has_come && (!was_active || self.host().snapshot().ended.len() > ends)
        })
        .await;
        client
    }

    /// Prepares the return to a session for one more resource, which opens there, and logs on.
    pub async fn open_in(&self, session: SessionId, user: &str, resource: &str, start: Start) -> Running {
        let wanted = SeatRequest { start: Some(start), ..self.return_seat(session, user, resource) };
        self.come_back(&wanted).await
    }

    /// A seat in a running session, for a resource.
    pub fn return_seat(&self, session: SessionId, user: &str, resource: &str) -> SeatRequest {
        let resource = ResourceRef { id: resource.into(), name: resource.into() };
        let seat = self.seat(user, Start::Desktop);
        SeatRequest { session, resource, is_reconnect: true, is_shared: true, start: None, ..seat }
    }

    /// Logs on for a return and waits until that client is the one that is attached.
    pub async fn come_back(&self, wanted: &SeatRequest) -> Running {
        let prepared = self.host().prepare(wanted).await.unwrap();
        let ends = self.host().snapshot().ended.len();
        let was_active = self.state(wanted.session) == Some(SessionState::Active);
        let client = self.client(&prepared.logon_name, &prepared.one_time_logon, &["/size:800x600"]);
        self.until("the client is in", || {
            let has_come = self.state(wanted.session) == Some(SessionState::Active);
            has_come && (!was_active || self.host().snapshot().ended.len() > ends)
        })
        .await;
        client
    }

    pub fn session(&self, session: SessionId) -> Option<SessionSnapshot> {
        self.host().snapshot().sessions.into_iter().find(|known| known.id == session)
    }

    /// The resources whose programs run in a session.
    pub fn open_resources(&self, session: SessionId) -> Vec<String> {
        self.session(session).map(|known| known.open).unwrap_or_default()
    }

    /// Asks a session's display, as a program in it would. The program is one of the X clients.
    pub async fn ask_display(&self, session: SessionId, command: &[&str]) -> String {
        let processes = self.host().processes(session).await.unwrap();
        let pid = processes.iter().find(|process| process.name == "xterm").map(|process| process.pid);
        let pid = pid.unwrap_or_else(|| panic!("no xterm among {processes:?}"));
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        let variable = |name: &str| {
            let start = format!("{name}=");
            let entry = environ.split(|byte| *byte == 0).find(|entry| entry.starts_with(start.as_bytes()));
            entry.map(|entry| String::from_utf8_lossy(&entry[start.len()..]).into_owned())
        };
        let output = Command::new(command[0])
            .args(&command[1..])
            .env("DISPLAY", variable("DISPLAY").unwrap())
            .env("XAUTHORITY", variable("XAUTHORITY").unwrap_or(variable("HOME").unwrap() + "/.Xauthority"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// Waits until an answer of the session's display has these words.
    pub async fn until_display_says(&self, session: SessionId, command: &[&str], words: &[&str]) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let answer = self.ask_display(session, command).await;
            if words.iter().all(|word| answer.contains(word)) {
                return;
            }
            assert!(Instant::now() < deadline, "{command:?} does not say {words:?}:\n{answer}");
        }
    }

    pub async fn end(&self, session: SessionId) {
        self.host().reset(session, "the test").await.unwrap();
        self.until("gone", || self.state(session).is_none()).await;
    }

    pub fn state(&self, session: SessionId) -> Option<SessionState> {
        self.host().snapshot().sessions.iter().find(|s| s.id == session).map(|s| s.state)
    }

    pub fn programs(&self, session: SessionId) -> Vec<String> {
        let sessions = self.host().snapshot().sessions;
        sessions.into_iter().find(|s| s.id == session).map(|s| s.programs).unwrap_or_default()
    }

    pub fn last_end(&self, session: SessionId) -> Option<EndReason> {
        self.host().snapshot().ended.iter().rev().find(|end| end.session == session).map(|end| end.reason)
    }

    pub async fn pid_of(&self, session: SessionId, command_line: &str) -> u32 {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let processes = self.host().processes(session).await.unwrap();
            if let Some(process) = processes.iter().find(|p| p.command_line == command_line) {
                return process.pid;
            }
            assert!(Instant::now() < deadline, "no \"{command_line}\" among {processes:?}");
        }
    }

    /// Waits on a condition; prints everything known when it does not come.
    pub async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !condition() {
            if Instant::now() > deadline {
                self.screenshot("failure");
                self.print_logs();
                panic!("waited in vain until {what}: {:#?}", self.host.as_ref().map(|host| host.snapshot()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn print_logs(&self) {
        let logs = std::fs::read_dir(self.config.data_dir.join("xrdp/log")).unwrap().flatten();
        let logs = logs.map(|file| file.path()).chain([self.folder.path().join("clients.log")]);
        for file in logs {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let last: Vec<&str> = text.lines().rev().take(40).collect();
            eprintln!("--- {}", file.display());
            last.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }

    /// A file that a session has written.
    pub fn home_file(&self, user: &str, name: &str) -> String {
        std::fs::read_to_string(self.home(user).join(name)).unwrap_or_default()
    }

    pub fn home(&self, user: &str) -> PathBuf {
        Path::new("/home").join(self.account(user))
    }

    /// Gives a client's window another size; says whether there is such a window.
    pub fn size_window(&self, title: &str, width: &str, height: &str) -> bool {
        let order = ["search", "--name", title, "windowsize", width, height];
        Command::new("xdotool").args(order).env("DISPLAY", &self.display).status().unwrap().success()
    }

    pub fn screenshot(&self, name: &str) {
        let file = self.output.join(format!("{name}.png"));
        let _ =
            Command::new("import").args(["-display", &self.display, "-window", "root"]).arg(file).status();
    }

    /// As after `kill -9`: the old agent does nothing more, the new one knows only the directory.
    pub async fn restart_agent(&mut self) {
        self.host.take().unwrap().shut_down(false).await;
        self.start_agent().await;
    }

    /// An agent with a data directory and a port of its own.
    pub async fn another_agent(&self) -> Xrdp {
        start(&config(self.folder.path().join("another"), free_port()), &self.clock).await
    }

    pub fn sesman(&self) -> String {
        self.pid_of_part("xrdp-sesman")
    }

    pub fn xrdp(&self) -> String {
        self.pid_of_part("xrdp")
    }

    fn pid_of_part(&self, name: &str) -> String {
        let state = std::fs::read(self.config.data_dir.join("xrdp/software.json")).unwrap();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
        state["parts"][name]["pid"].to_string()
    }

    pub fn kill_sesman(&self) -> String {
        let pid = self.sesman();
        assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        pid
    }

    pub async fn stop(mut self) {
        let host = self.host.take().unwrap();
        host.shut_down(true).await;
        let left = std::fs::read_to_string("/proc/net/unix").unwrap();
        let here = self.folder.path().to_str().unwrap().to_owned();
        drop(host);
        assert!(!left.contains(&format!("{here}/agent/xrdp/run/sockdir")), "sockets are left");
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(host) = self.host.take() {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Runtime::new().unwrap();
                    runtime.block_on(host.shut_down(true));
                });
            });
        }
        for account in &self.accounts {
            let _ = Command::new("userdel").args(["--remove", account]).stderr(Stdio::null()).status();
        }
    }
}

async fn start(config: &XrdpConfig, clock: &ForwardClock) -> Xrdp {
    let host = Xrdp::start(config.clone(), Arc::new(clock.clone())).await.expect("the adapter starts");
    host.set_limits(LIMITS);
    host
}

/// A display for the clients.
#[expect(clippy::zombie_processes, reason = "`Running` waits; the only other way out is a panic")]
fn screen(folder: &Path) -> (Running, String) {
    let file = folder.join("display");
    let child = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"])
        .stdout(std::fs::File::create(&file).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb runs");
    let deadline = Instant::now() + DEADLINE;
    loop {
        let number = std::fs::read_to_string(&file).unwrap();
        if number.ends_with('\n') {
            return (Running(child), format!(":{}", number.trim()));
        }
        assert!(Instant::now() < deadline, "Xvfb gives no display");
        std::thread::sleep(Duration::from_millis(20));
    }
}
