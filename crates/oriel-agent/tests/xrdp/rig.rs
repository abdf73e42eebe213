//! An agent's xrdp adapter in a temporary directory, with FreeRDP clients on a display of their own.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use oriel_agent::{
    host::{
        ClientFacts, ConnectionId, Owner, Program, ResourceRef, SeatRequest, SessionHost, SessionId,
        SessionLimits, Start,
    },
    xrdp::{Xrdp, XrdpConfig},
};
use oriel_model::{
    Timestamp,
    host::AccountMode,
    session::{EndReason, SessionState},
};

/// Short, so that tests are.
pub const LIMITS: SessionLimits = SessionLimits {
    linger_disconnect: Duration::from_secs(1),
    linger_logoff: Duration::ZERO,
    idle_disconnect: None,
    disconnected_logoff: None,
    readiness: Duration::from_secs(60),
};
/// Longest wait for anything. A logon takes some two seconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Ends its process when dropped.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Rig {
    host: Option<Xrdp>,
    config: XrdpConfig,
    folder: tempfile::TempDir,
    output: PathBuf,
    display: String,
    _screen: Running,
    accounts: [String; 2],
}

pub fn program(program: &str, arguments: &str) -> Start {
    Start::Program(Program { program: program.into(), arguments: arguments.into(), start_in: String::new() })
}

impl Rig {
    pub async fn start() -> Self {
        let _ = tracing_subscriber::fmt().with_test_writer().try_init();
        // Closed to all others, as a data directory may be.
        let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("oriel-xrdp-").permissions(closed).tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = XrdpConfig {
            data_dir: folder.path().join("agent"),
            listen: ([127, 0, 0, 1], port).into(),
            machine_name: "rig".into(),
            executable: env!("CARGO_BIN_EXE_oriel-agent").into(),
            desktop_command: None,
        };
        let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-output/agent");
        std::fs::create_dir_all(&output).unwrap();
        let (screen, display) = screen(folder.path());
        let mark = std::process::id() % 100_000;
        let rig = Self {
            host: Some(start(&config).await),
            config,
            folder,
            output,
            display,
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
        let now = Timestamp::now();
        SeatRequest {
            session: SessionId::generate(now),
            connection: ConnectionId::generate(now),
            is_reconnect: false,
            owner: Owner { user_id: format!("user {user}"), proof: vec![7; 32] },
            user_name: user.into(),
            account: self.account(user),
            accounts: AccountMode::Create,
            client: ClientFacts { name: "rig".into(), ..ClientFacts::default() },
            resource: ResourceRef::default(),
            start: Some(start),
            is_shared: false,
        }
    }

    /// A client of FreeRDP that logs on.
    pub fn client(&self, name: &str, secret: &str, more: &[&str]) -> Running {
        let mut command = Command::new("xfreerdp");
        command
            .arg(format!("/v:{}", self.config.listen))
            .args([&format!("/u:{name}"), &format!("/p:{secret}")])
            .args(["/cert:ignore", "/sec:tls", "/bpp:32", "/log-level:ERROR"])
            .args(more)
            .env("DISPLAY", &self.display)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Running(command.spawn().expect("xfreerdp runs"))
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
                panic!("waited in vain until {what}: {:#?}", self.host().snapshot());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn print_logs(&self) {
        let log = self.config.data_dir.join("xrdp/log");
        for file in std::fs::read_dir(log).unwrap().flatten() {
            let text = std::fs::read_to_string(file.path()).unwrap_or_default();
            let last: Vec<&str> = text.lines().rev().take(40).collect();
            eprintln!("--- {}", file.path().display());
            last.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }

    pub fn screenshot(&self, name: &str) {
        let file = self.output.join(format!("{name}.png"));
        let _ =
            Command::new("import").args(["-display", &self.display, "-window", "root"]).arg(file).status();
    }

    /// As after `kill -9`: the old agent does nothing more, the new one knows only the directory.
    pub async fn restart_agent(mut self) -> Self {
        let host = self.host.take().unwrap();
        host.shut_down(false).await;
        drop(host);
        self.host = Some(start(&self.config).await);
        self.until("xrdp listens", || self.host().snapshot().problem.is_none()).await;
        self
    }

    pub fn sesman(&self) -> String {
        let state = std::fs::read(self.config.data_dir.join("xrdp/software.json")).unwrap();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
        state["parts"]["xrdp-sesman"]["pid"].to_string()
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

async fn start(config: &XrdpConfig) -> Xrdp {
    let host = Xrdp::start(config.clone()).await.expect("the adapter starts");
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
