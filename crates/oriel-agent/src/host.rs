//! The agent's port to the software that runs sessions on this machine.
//!
//! xrdp is the first adapter ([`crate::xrdp`]); Windows and a session host of our own can follow. So
//! nothing of xrdp, X or Linux shows here. Deliberately absent: who may have a session and where
//! (brokers decide that), and how full the host may be ([`crate::admission`]).

use std::{net::SocketAddr, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use oriel_model::{
    Id,
    host::AccountMode,
    resource::Window,
    session::{Connection, EndReason, Session, SessionState},
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::proc::ProcessId;

/// Names a session, across reconnects.
pub type SessionId = Id<Session>;
/// Names one attachment of a client to a session.
pub type ConnectionId = Id<Connection>;

/// Software that runs sessions.
///
/// Requests return as soon as the change is under way; its effect shows in [`SessionHost::snapshot`].
/// Dropping a future in the middle leaves nothing half done that the next call would trip over.
#[async_trait]
pub trait SessionHost: Send + Sync {
    /// What it is and where it listens.
    fn describe(&self) -> HostSoftware;

    /// Changes whenever the snapshot does in a way that brokers should hear of at once.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Everything about its sessions, now.
    fn snapshot(&self) -> HostSnapshot;

    /// How long sessions may idle, linger or stay disconnected, from now on.
    fn set_limits(&self, limits: SessionLimits);

    /// Reserves a seat in a new session, or the return to a running one, and makes the one-time logon.
    /// The seat shows in the snapshot from then on, until it is taken, released or too late. Preparing
    /// the same session for the same connection again is not an error and makes a new logon.
    async fn prepare(&self, seat: &SeatRequest) -> Result<Prepared, Refusal>;

    /// Gives back a seat that nobody has taken; a running session is left alone.
    async fn release(&self, session: SessionId) -> Result<(), Refusal>;

    /// Shows a message to the user of a session.
    async fn message(&self, session: SessionId, title: &str, text: &str) -> Result<(), Refusal>;

    /// Detaches the client; the session runs on.
    async fn disconnect(&self, session: SessionId, asked_by: &str) -> Result<(), Refusal>;

    /// Ends the session, giving its programs a moment to finish.
    async fn log_off(&self, session: SessionId, asked_by: &str) -> Result<(), Refusal>;

    /// Ends the session at once.
    async fn reset(&self, session: SessionId, asked_by: &str) -> Result<(), Refusal>;

    /// What runs in the session. Takes as long as one measurement of CPU use.
    async fn processes(&self, session: SessionId) -> Result<Vec<SessionProcess>, Refusal>;

    /// Ends one process of the session.
    async fn end_process(&self, session: SessionId, pid: u32) -> Result<(), Refusal>;

    /// Programs installed on the machine that could be published.
    async fn apps(&self, languages: &[String]) -> Result<Vec<App>, Refusal>;

    /// Processes of the programs in its sessions; neither the sessions' own servers nor anything else of
    /// the machine.
    fn session_processes(&self) -> Vec<ProcessId>;

    /// Whether [`SessionHost::power`] is carried out on this machine.
    fn can(&self, action: PowerAction) -> bool;

    /// Restarts or stops the machine.
    async fn power(&self, action: PowerAction) -> Result<(), Refusal>;

    /// Stops watching. If `with_sessions`, the sessions end first, which the snapshot still shows, and
    /// then the software.
    async fn shut_down(&self, with_sessions: bool);
}

/// What the session software is and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSoftware {
    /// Name and version, such as "xrdp 0.9.21.1".
    pub name: String,
    /// Address of the RDP listener.
    pub rdp_address: SocketAddr,
    /// SHA-256 of the listener's certificate (DER).
    pub certificate_sha256: [u8; 32],
    /// Most sessions that it can run at a time, whatever brokers allow.
    pub sessions_max: u32,
    /// Whether sessions follow the size of the client's window by themselves.
    pub has_dynamic_resize: bool,
}

/// A seat that a broker wants reserved.
#[derive(Debug, Clone)]
pub struct SeatRequest {
    /// The session: new, or running if [`SeatRequest::is_reconnect`].
    pub session: SessionId,
    /// The connection that will use the one-time logon.
    pub connection: ConnectionId,
    /// Whether the session must exist already.
    pub is_reconnect: bool,
    /// Whose the session is.
    pub owner: Owner,
    /// The farm's user name, for reports.
    pub user_name: String,
    /// The operating system's account.
    pub account: String,
    /// Where the account comes from if it does not exist.
    pub accounts: AccountMode,
    /// Who connects, for reports.
    pub client: ClientFacts,
    /// What it is for, for reports and for finding it again.
    pub resource: ResourceRef,
    /// What runs in a new session; in a running one, what opens in it. `None` opens nothing further.
    pub start: Option<Start>,
    /// Whether further programs of the user may open in it.
    pub is_shared: bool,
    /// Whether the session starts before anybody comes. It needs no [`SeatRequest::start`] then.
    pub is_prelaunch: bool,
    /// Whether, at a return, the window of the resource's program comes to the front.
    pub brings_to_front: bool,
    /// Resources that are open in the same program: where the resource has no window of its own, the youngest
    /// of theirs comes to the front.
    pub same_program: Vec<String>,
    /// Width and height of the client's window in pixels; zero where they are not known.
    pub size: (u16, u16),
}

/// Whose a session is, as brokers said when it was made; kept and reported as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The farm's user, a UUID; empty for a session that is older than this field.
    pub user_id: String,
    /// By which brokers know that the session is this user's; empty in a return.
    pub proof: Vec<u8>,
}

/// The client, as the broker knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFacts {
    /// Name of the user's device.
    pub name: String,
    /// Its network address.
    pub address: String,
    /// Kind of client, a word of the model.
    pub kind: String,
    /// Its version.
    pub version: String,
    /// Its operating system.
    pub operating_system: String,
}

/// The published resource behind a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRef {
    /// Its id, a UUID.
    pub id: String,
    /// Its name when the session was started.
    pub name: String,
}

/// What runs in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// A whole desktop.
    Desktop,
    /// One program, filling the session.
    Program(Program),
    /// Nothing yet: room for programs, in a session that starts before anybody comes.
    Nothing,
}

/// A program to start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// An absolute path, or a name to find in the path.
    pub program: String,
    /// Its arguments in the shell's quoting; nothing else of a shell is interpreted.
    pub arguments: String,
    /// The folder it starts in: absolute, or beginning with `~`; empty for the home.
    pub start_in: String,
    /// How its window opens.
    #[serde(default)]
    pub window: Window,
    /// What it opens, behind its arguments: an address, or a file or folder, absolute or beginning with `~`.
    /// Without a [`Program::program`], the file manager opens it.
    #[serde(default)]
    pub opens: String,
}

/// Something to do to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerAction {
    /// Start it again.
    Reboot,
    /// Switch it off.
    Stop,
}

/// How long sessions may be left alone. `None` means for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// After the last program of an application session has ended, until it is disconnected.
    pub linger_disconnect: Option<Duration>,
    /// From then (or from the disconnection) until it is logged off.
    pub linger_logoff: Option<Duration>,
    /// Without input, until it is disconnected.
    pub idle_disconnect: Option<Duration>,
    /// Disconnected, until it is logged off.
    pub disconnected_logoff: Option<Duration>,
    /// From the reservation until somebody has logged on, and from there until the session is up.
    pub readiness: Duration,
}

impl Default for SessionLimits {
    /// The product's defaults, until a broker has said otherwise.
    fn default() -> Self {
        Self {
            linger_disconnect: Some(Duration::from_secs(25)),
            linger_logoff: Some(Duration::ZERO),
            idle_disconnect: None,
            disconnected_logoff: None,
            readiness: Duration::from_secs(60),
        }
    }
}

/// A seat that is reserved.
#[derive(Debug)]
pub struct Prepared {
    /// The session.
    pub session: SessionId,
    /// The name to log on with.
    pub logon_name: String,
    /// The one-time logon. Never logged.
    pub one_time_logon: Zeroizing<String>,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// The host said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// For the broker to act on.
    pub kind: RefusalKind,
    /// For people.
    pub reason: String,
}

impl Refusal {
    /// A refusal with its sentence.
    pub fn new(kind: RefusalKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}

/// Kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// Something failed that should not.
    Internal,
    /// No seat is left.
    Full,
    /// The host takes no logons.
    LogonsDisabled,
    /// The host takes no new sessions.
    Draining,
    /// The account does not exist or may not log on.
    NoAccount,
    /// No such session.
    UnknownSession,
    /// The program does not exist.
    NoProgram,
    /// The session software does not work.
    Unhealthy,
    /// The request makes no sense.
    BadRequest,
    /// No such process in the session.
    UnknownProcess,
    /// The file or folder to open does not exist.
    NoDocument,
    /// This host has no way to do that.
    NotSupported,
}

/// Everything about a host's sessions at one moment.
#[derive(Debug, Clone, Default)]
pub struct HostSnapshot {
    /// Running and reserved sessions.
    pub sessions: Vec<SessionSnapshot>,
    /// What ended lately, newest last.
    pub ended: Vec<Ended>,
    /// Why the session software does not work; `None` while it does.
    pub problem: Option<String>,
    /// Logons refused since the agent started.
    pub refused_logons: u64,
}

/// One session at one moment.
#[derive(Debug, Clone)]
pub struct SessionSnapshot {
    /// Which.
    pub id: SessionId,
    /// Whose it is.
    pub owner: Owner,
    /// The farm's user name.
    pub user_name: String,
    /// The operating system's account.
    pub account: String,
    /// Whether it is reserved, attached or left alone.
    pub state: SessionState,
    /// When it was started (reserved, while nobody has logged on).
    pub started_at: Timestamp,
    /// Time since the last input.
    pub idle: Duration,
    /// What it is for.
    pub resource: ResourceRef,
    /// Whether further programs may open in it.
    pub is_shared: bool,
    /// The client of the latest prepare.
    pub client: ClientFacts,
    /// Programs that have a window.
    pub programs: Vec<String>,
    /// Whether it is a whole desktop.
    pub is_desktop: bool,
    /// The resources whose programs run now, each once.
    pub open: Vec<String>,
    /// Whether it was started before anybody came, and nobody has come yet.
    pub is_prelaunched: bool,
    /// Since when nobody is attached to it; `None` while somebody is, or before the first.
    pub disconnected: Option<Duration>,
    /// The connection that logged on last, and how long that took: until the session's own program ran, or at a
    /// return until the client was attached. `None` within: it is not through.
    pub logon: Option<(ConnectionId, Option<Duration>)>,
}

/// A session, or a connection to one, that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Which session.
    pub session: SessionId,
    /// The connection that was attached, if one was.
    pub connection: Option<ConnectionId>,
    /// Whose it was.
    #[serde(default)]
    pub owner: Owner,
    /// The farm's user name.
    pub user_name: String,
    /// The published resource that the session was for, a UUID.
    #[serde(default)]
    pub resource_id: String,
    /// Why. Whether the session itself is gone follows from the reason.
    pub reason: EndReason,
    /// More, as a sentence; may be empty.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// A process in a session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionProcess {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Share of one CPU, 0 to 1, more with several threads.
    pub cpu: f32,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// When it was started, milliseconds since the Unix epoch.
    pub started_at_ms: i64,
    /// Its command line, shortened.
    pub command_line: String,
}

/// A program installed on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its name among the machine's programs.
    pub id: String,
    /// For people, in the language asked for.
    pub name: String,
    /// What it is for; may be empty.
    pub comment: String,
    /// What to start.
    pub program: String,
    /// With these arguments, in the shell's quoting.
    pub arguments: String,
    /// Words to sort it by.
    pub categories: Vec<String>,
    /// Its picture as PNG; may be empty.
    pub icon_png: Vec<u8>,
}
