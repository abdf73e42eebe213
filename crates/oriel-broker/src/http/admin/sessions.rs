//! Sessions: listed, and acted on through the host they run on.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{Json, extract::State, response::NoContent};
use jiff::SignedDuration;
use oriel_model::{
    Id, Timestamp,
    gateway::Gateway,
    host::{EffectiveHostSettings, Host},
    logon::LogonSteps,
    permission::Action,
    pool::Pool,
    resource::Resource,
    session::{Connection, Session, SessionState},
    user::User,
    validate::Mistakes,
};
use oriel_rules::thresholds::{self, SessionNumbers, SessionSeverity};
use oriel_wire::{
    convert::moment,
    v1::{ClientFacts, Process},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    caller::{Control, May, Sessions, View},
    crud::{self, Api},
    input::{Asked, IdOf, Sent},
    respond::Written,
};
use crate::{
    Broker,
    app::{
        administrators::{Forbidden, Rights},
        objects::{Cut, Page, Row, Selection},
        session::{Actor, MESSAGE_TEXT_MAX, MESSAGE_TITLE_MAX, SessionError},
    },
    farm::FarmView,
    gateways::{LiveConnection, Traffic},
    hosts::HostSession,
    http::ApiError,
};

/// A session as administrators see it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionView<'a> {
    /// Its id.
    pub id: Id<Session>,
    /// Whose it is; none when it was not started through the farm, or the user was deleted.
    pub user: Option<Id<User>>,
    /// The user's name; empty when it was not started through the farm.
    pub user_name: &'a str,
    /// The operating system's account.
    pub account: &'a str,
    /// Where it runs.
    pub host: Id<Host>,
    /// The host's name.
    pub host_name: &'a str,
    /// What it was started for.
    pub resource: Option<Id<Resource>>,
    /// What that was called then.
    pub resource_name: &'a str,
    /// Its state.
    pub state: SessionState,
    /// When it began.
    pub started_at: Timestamp,
    /// Seconds since the last input.
    pub idle_secs: u64,
    /// When the last input was. An event tells when five minutes have passed since, and when input comes after
    /// that: until then this moment stands.
    pub last_input_at: Timestamp,
    /// When the client went away, as far as this broker has seen it; none while one is attached.
    pub left_at: Option<Timestamp>,
    /// Whether it is a whole desktop.
    pub desktop: bool,
    /// Whether further programs of the user may open in it.
    pub shared: bool,
    /// Programs with a window now.
    pub programs: &'a [String],
    /// The gateway that carries its connection; none while no client is attached through one.
    pub gateway: Option<Id<Gateway>>,
    /// The gateway's name; empty where there is none.
    pub gateway_name: &'a str,
    /// The client that was last attached.
    pub client: ClientView<'a>,
    /// The connection that is open; none while no client is attached through a gateway.
    pub connection: Option<ConnectionView>,
    /// The latest logon to it, step by step, kept while the session lives; none where no gateway says anything of
    /// it.
    pub logon: Option<LogonSteps>,
    /// How its numbers stand to the thresholds of its host.
    pub severity: SessionSeverity,
}

/// The connection of a session, as its gateway measures it every few seconds.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectionView {
    /// Its id.
    pub id: Id<Connection>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Round trip between gateway and client, in milliseconds; none until the client has answered.
    pub round_trip_ms: Option<f64>,
    /// What passes from the session to the client at present, in kbit/s.
    pub kbits_to_client: u64,
    /// What passes from the client to the session at present, in kbit/s.
    pub kbits_to_host: u64,
    /// What has passed from the session to the client, in bytes.
    pub bytes_to_client: u64,
    /// What has passed from the client to the session, in bytes.
    pub bytes_to_host: u64,
}

impl From<&LiveConnection> for ConnectionView {
    fn from(live: &LiveConnection) -> Self {
        let Traffic { bytes_to_client, bytes_to_host, .. } = live.traffic;
        let kbits = |bytes_per_sec: u64| (bytes_per_sec * 8).div_ceil(1_000);
        Self {
            id: live.id,
            opened_at: live.opened_at,
            // To a tenth.
            round_trip_ms: live
                .traffic
                .round_trip_us
                .map(|micros| (f64::from(micros) / 100.0).round() / 10.0),
            kbits_to_client: kbits(live.traffic.bytes_to_client_per_sec),
            kbits_to_host: kbits(live.traffic.bytes_to_host_per_sec),
            bytes_to_client,
            bytes_to_host,
        }
    }
}

/// The client of a session.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientView<'a> {
    /// Name of the user's device.
    pub name: &'a str,
    /// Its address.
    pub address: &'a str,
    /// What it connects with, such as `browser`.
    pub kind: &'a str,
    /// The client's version.
    pub version: &'a str,
    /// The device's operating system.
    pub operating_system: &'a str,
}

/// A process of a session.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProcessView {
    /// Its number on the host.
    pub process_id: u32,
    /// Its name.
    pub name: String,
    /// Share of one CPU, 0 to 1; more with several threads.
    pub cpu_load: f32,
    /// Memory it has to itself, in bytes.
    pub memory_bytes: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// The command it was started with.
    pub command_line: String,
}

/// The processes of a session.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Processes {
    /// In the host's order.
    pub processes: Vec<ProcessView>,
}

/// Which sessions are wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct SessionsQuery {
    /// Only those of this user.
    user: Option<Id<User>>,
    /// Only those on this host.
    host: Option<Id<Host>>,
    /// Only those on the hosts of this pool.
    pool: Option<Id<Pool>>,
    /// Only those started for this resource.
    resource: Option<Id<Resource>>,
    /// Only sessions of which all of these hold, separated by commas: `path:value` (is), `path!:value` (is
    /// not), `path~:part` (contains); with `|` between them, one of them is enough, such as
    /// `state:disconnected,user_name~:an|host_name~:an`.
    filter: Option<String>,
    /// Paths to sort by, separated by commas; with `-` in front the largest comes first. Without it: oldest
    /// first.
    sort: Option<String>,
    /// Only these fields of each session, as paths separated by commas; the id is always there.
    fields: Option<String>,
    /// Most sessions of the answer: 1 to 1000; 100 when not said.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
    /// Go on after this: `next` of the previous answer. It stays right while sessions come and go.
    after: Option<String>,
    /// Says in `total` how many fit on all pages together, too.
    count: bool,
}

/// A message to a session.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Message {
    /// Its title.
    title: String,
    /// What the user reads.
    text: String,
}

/// A process to end.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProcessToEnd {
    /// Its number on the host.
    process_id: u32,
}

async fn list(
    State(broker): State<Arc<Broker>>,
    may: May<View<Sessions>>,
    Asked(query): Asked<SessionsQuery>,
) -> Result<Written<Page<SessionView<'static>>>, ApiError> {
    page(&broker, may.rights(), query)
}

async fn show(
    State(broker): State<Arc<Broker>>,
    may: May<View<Sessions>>,
    IdOf(id): IdOf<Session>,
) -> Result<Written<SessionView<'static>>, ApiError> {
    let session = seen(&broker, may.rights(), id)?;
    Ok(Written::new(&Shown::new(&broker).view(&session)))
}

async fn message(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Sessions>>,
    IdOf(id): IdOf<Session>,
    Sent(message): Sent<Message>,
) -> Result<NoContent, ApiError> {
    let Message { title, text } = message.checked()?;
    controlled(&broker, may.rights(), id)?;
    broker.message_session(id, Actor::Administrator(&may.by().author), &title, &text).await?;
    Ok(NoContent)
}

async fn disconnect(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Sessions>>,
    IdOf(id): IdOf<Session>,
) -> Result<NoContent, ApiError> {
    controlled(&broker, may.rights(), id)?;
    broker.disconnect_session(id, Actor::Administrator(&may.by().author)).await?;
    Ok(NoContent)
}

async fn log_off(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Sessions>>,
    IdOf(id): IdOf<Session>,
) -> Result<NoContent, ApiError> {
    controlled(&broker, may.rights(), id)?;
    broker.log_off_session(id, Actor::Administrator(&may.by().author)).await?;
    Ok(NoContent)
}

async fn reset(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Sessions>>,
    IdOf(id): IdOf<Session>,
) -> Result<NoContent, ApiError> {
    controlled(&broker, may.rights(), id)?;
    broker.reset_session(id, Actor::Administrator(&may.by().author)).await?;
    Ok(NoContent)
}

async fn processes(
    State(broker): State<Arc<Broker>>,
    may: May<View<Sessions>>,
    IdOf(id): IdOf<Session>,
) -> Result<Json<Processes>, ApiError> {
    seen(&broker, may.rights(), id)?;
    let found = broker.session_processes(id, Actor::Administrator(&may.by().author)).await?;
    Ok(Json(Processes { processes: found.into_iter().map(ProcessView::from).collect() }))
}

async fn end_process(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Sessions>>,
    IdOf(id): IdOf<Session>,
    Sent(process): Sent<ProcessToEnd>,
) -> Result<NoContent, ApiError> {
    controlled(&broker, may.rights(), id)?;
    broker.end_session_process(id, Actor::Administrator(&may.by().author), process.process_id).await?;
    Ok(NoContent)
}

pub fn routes() -> Api {
    macro_rules! acts {
        ($path:literal, $handler:ident, $id:literal, $summary:literal) => {
            ApiRouter::new().api_route(
                $path,
                post_with($handler, |operation| crud::described(operation, $id, "sessions", $summary)),
            )
        };
    }
    let list = get_with(list, |operation| {
        crud::described(
            operation,
            "list_sessions",
            "sessions",
            "Lists the sessions of all hosts, oldest first.",
        )
    });
    let show =
        get_with(show, |operation| crud::described(operation, "show_session", "sessions", "Shows one."));
    let processes = get_with(processes, |operation| {
        let summary = "Lists the processes of a session.";
        let operation = crud::described(operation, "list_session_processes", "sessions", summary);
        crud::refusing(operation, &[409, 504])
    });
    ApiRouter::new()
        .api_route("/sessions", list)
        .api_route("/sessions/{id}", show)
        .api_route("/sessions/{id}/processes", processes)
        .merge(acts!(
            "/sessions/{id}/message",
            message,
            "message_session",
            "Shows a message on the session's screen."
        ))
        .merge(acts!(
            "/sessions/{id}/disconnect",
            disconnect,
            "disconnect_session",
            "Takes the client away; the programs run on."
        ))
        .merge(acts!("/sessions/{id}/log-off", log_off, "log_off_session", "Ends a session in order."))
        .merge(acts!(
            "/sessions/{id}/reset",
            reset,
            "reset_session",
            "Ends a session at once; what was not saved is lost."
        ))
        .merge(acts!(
            "/sessions/{id}/end-process",
            end_process,
            "end_session_process",
            "Ends one process of a session."
        ))
}

/// A session, if it runs and the caller may see it.
fn seen(broker: &Broker, rights: &Rights, id: Id<Session>) -> Result<HostSession, ApiError> {
    let view = broker.farm.load();
    let found = broker.hosts.session(id).ok_or_else(|| broker.unknown_session())?;
    if rights.on_session(&view, Action::View, &found) { Ok(found) } else { Err(SessionError::Gone.into()) }
}

/// Refuses to act on a session that the caller may not act on; one they may not see is not there.
fn controlled(broker: &Broker, rights: &Rights, id: Id<Session>) -> Result<(), ApiError> {
    let session = seen(broker, rights, id)?;
    if rights.on_session(&broker.farm.load(), Action::Control, &session) {
        return Ok(());
    }
    Err(Forbidden(format!("control the sessions of {}", session.user_name)).into())
}

fn page(
    broker: &Broker,
    rights: &Rights,
    query: SessionsQuery,
) -> Result<Written<Page<SessionView<'static>>>, ApiError> {
    let SessionsQuery { user, host, pool, resource, filter, sort, fields, limit, after, count } = query;
    let cut = Cut { filter, sort, fields, limit, after, count };
    let selection = Selection::read::<SessionView<'static>>(&cut, "id")?;
    let reported = match user {
        Some(user) => vec![broker.hosts.sessions_of(user).into()],
        None => broker.hosts.reported_sessions(),
    };
    let shown = Shown::new(broker);
    let view = broker.farm.load();
    let mut all: Vec<&HostSession> = reported.iter().flat_map(|of_host| of_host.iter()).collect();
    all.sort_unstable_by_key(|session| session.id);
    let pool_of = |host: Id<Host>| view.hosts.get(host).map(|host| host.spec.pool);
    let rows = |after: Option<&str>| {
        let after: Option<Id<Session>> = after.and_then(|after| after.parse().ok());
        let first = after.map_or(0, |after| all.partition_point(|session| session.id <= after));
        all.into_iter()
            .skip(first)
            .filter(|session| host.is_none_or(|host| session.host == host))
            .filter(|session| pool.is_none_or(|pool| pool_of(session.host) == Some(pool)))
            .filter(|session| resource.is_none_or(|resource| session.resource == Some(resource)))
            .filter(|session| rights.on_session(&view, Action::View, session))
            .map(|session| Row { place: session.id, item: session })
    };
    Ok(Written::new(&selection.page(rows, |session| shown.view(session))))
}

/// Shows sessions: what holds for a host is looked up once for all of its sessions.
pub struct Shown<'a> {
    broker: &'a Broker,
    farm: Arc<FarmView>,
    now: Timestamp,
    connections: HashMap<Id<Session>, LiveConnection>,
    settings: RefCell<HashMap<Id<Host>, EffectiveHostSettings>>,
}

impl<'a> Shown<'a> {
    /// As the farm is now.
    pub fn new(broker: &'a Broker) -> Self {
        let mut connections = broker.gateways.connections();
        // Where one takes over from another, the later one counts.
        connections.sort_by_key(|open| open.opened_at);
        let connections = connections.into_iter().map(|open| (open.session, open)).collect();
        let (farm, now) = (broker.farm.load(), broker.now());
        Self { broker, farm, now, connections, settings: RefCell::default() }
    }

    /// A session as administrators see it.
    pub fn view<'s>(&'s self, session: &'s HostSession) -> SessionView<'s> {
        let connection = self.connections.get(&session.id);
        let gateway = connection.map(|connection| connection.gateway);
        let connection = connection.map(ConnectionView::from);
        let logon = self.broker.logons.steps(session);
        let idle = SignedDuration::from_secs(session.idle_secs.try_into().unwrap_or(i64::MAX));
        let last_input_at = self.now.checked_sub(idle).unwrap_or(session.started_at).max(session.started_at);
        // A directory's people are called as they were at the launch.
        let own = session.user.and_then(|id| self.farm.users.get(id));
        let own = own.filter(|user| user.spec.external.is_none());
        let of_directory = session.user.filter(|id| self.farm.people.get(*id).is_some());
        let host = self.farm.hosts.get(session.host);
        let gateway_name = gateway.and_then(|id| self.farm.gateways.get(id));
        let ClientFacts { name, address, kind, version, operating_system } = &session.client;
        SessionView {
            id: session.id,
            user: own.map(|user| user.id).or(of_directory),
            user_name: own.map_or(&session.user_name, |user| &user.name),
            account: &session.account,
            host: session.host,
            host_name: host.map_or("", |host| &host.name),
            resource: session.resource,
            resource_name: &session.resource_name,
            state: session.state,
            started_at: session.started_at,
            idle_secs: session.idle_secs,
            last_input_at,
            left_at: session.left_at,
            desktop: session.desktop,
            shared: session.shared,
            programs: &session.programs,
            gateway,
            gateway_name: gateway_name.map_or("", |gateway| &gateway.name),
            client: ClientView { name, address, kind, version, operating_system },
            severity: self.severity(session, connection.as_ref(), logon),
            connection,
            logon,
        }
    }

    fn severity(
        &self,
        session: &HostSession,
        connection: Option<&ConnectionView>,
        logon: Option<LogonSteps>,
    ) -> SessionSeverity {
        let mut settings = self.settings.borrow_mut();
        let settings = settings.entry(session.host).or_insert_with(|| {
            self.farm.resolved_hosts.get(session.host).map(|host| host.settings.clone()).unwrap_or_default()
        });
        let numbers = SessionNumbers {
            round_trip_ms: connection.and_then(|connection| connection.round_trip_ms),
            logon_ms: logon.and_then(|logon| logon.total_ms),
            ..SessionNumbers::default()
        };
        judged(settings, session, numbers, self.now)
    }
}

fn judged(
    settings: &EffectiveHostSettings,
    session: &HostSession,
    numbers: SessionNumbers,
    now: Timestamp,
) -> SessionSeverity {
    let left = session.left_at.map(|at| now.duration_since(at).as_secs().max(0).unsigned_abs());
    let numbers = SessionNumbers { idle_secs: session.idle_secs, disconnected_secs: left, ..numbers };
    thresholds::session(settings, session.state, &numbers)
}

impl Message {
    fn checked(self) -> Result<Self, ApiError> {
        let mut mistakes = Mistakes::default();
        mistakes.optional_text("title", &self.title, MESSAGE_TITLE_MAX);
        mistakes.text("text", &self.text, MESSAGE_TEXT_MAX);
        let mistakes = mistakes.into_vec();
        if mistakes.is_empty() { Ok(self) } else { Err(ApiError::invalid(mistakes)) }
    }
}

impl From<Process> for ProcessView {
    fn from(process: Process) -> Self {
        Self {
            process_id: process.process_id,
            name: process.name,
            cpu_load: if process.cpu_load.is_finite() { process.cpu_load } else { 0.0 },
            memory_bytes: process.memory_bytes,
            started_at: moment(process.started_at_ms),
            command_line: process.command_line,
        }
    }
}

#[cfg(test)]
mod tests {
    use oriel_model::host::{Severity, Threshold};

    use super::*;
    use crate::hosts::session_for_tests;
    use oriel_wire::v1::{ConnectionMeasures, ConnectionOpened};

    #[test]
    fn a_session_is_judged_by_its_idle_time_and_by_how_long_it_was_left() {
        let left_at = Timestamp::UNIX_EPOCH;
        let session = HostSession {
            state: SessionState::Disconnected,
            idle_secs: 9 * 60,
            left_at: Some(left_at),
            ..session_for_tests()
        };
        let numbers = SessionNumbers::default();
        let settings = EffectiveHostSettings {
            idle_threshold: Threshold::new(10, 20),
            disconnected_threshold: Threshold::new(30, 60),
            ..EffectiveHostSettings::default()
        };
        let after = |minutes| {
            let now = left_at + SignedDuration::from_mins(minutes);
            judged(&settings, &session, numbers, now).disconnected
        };
        assert_eq!(
            [after(29), after(30), after(60)],
            [Severity::Normal, Severity::Warning, Severity::Critical]
        );
        assert_eq!(judged(&settings, &session, numbers, left_at).idle, Severity::Normal);
        let idle = HostSession { state: SessionState::Active, idle_secs: 20 * 60, left_at: None, ..session };
        let worst = judged(&settings, &idle, numbers, left_at);
        assert_eq!((worst.idle, worst.disconnected), (Severity::Critical, Severity::Normal));
    }

    #[test]
    fn what_a_gateway_says_is_bounded_and_shown_in_the_words_of_the_network() {
        let told = |measures: &ConnectionMeasures| {
            let opened = ConnectionOpened {
                connection_id: Id::<Connection>::generate(Timestamp::UNIX_EPOCH).to_string(),
                session_id: Id::<Session>::generate(Timestamp::UNIX_EPOCH).to_string(),
                user_id: Id::<User>::generate(Timestamp::UNIX_EPOCH).to_string(),
                ..ConnectionOpened::default()
            };
            let live = LiveConnection::read(Id::generate(Timestamp::UNIX_EPOCH), &opened).expect("ids");
            ConnectionView::from(&LiveConnection { traffic: Traffic::read(measures), ..live })
        };
        assert_eq!(told(&ConnectionMeasures::default()).round_trip_ms, None);
        let usual = ConnectionMeasures {
            round_trip_us: 23_449,
            bytes_to_client_per_sec: 125_000,
            bytes_to_host_per_sec: 1,
            ..ConnectionMeasures::default()
        };
        let usual = told(&usual);
        assert_eq!((usual.round_trip_ms, usual.kbits_to_client, usual.kbits_to_host), (Some(23.4), 1_000, 1));
        let lies = ConnectionMeasures {
            round_trip_us: u32::MAX,
            bytes_to_client: u64::MAX,
            bytes_to_host: u64::MAX,
            bytes_to_client_per_sec: u64::MAX,
            bytes_to_host_per_sec: u64::MAX,
            ..ConnectionMeasures::default()
        };
        let lies = told(&lies);
        assert_eq!((lies.round_trip_ms, lies.kbits_to_client), (Some(60_000.0), 100_000_000));
        assert_eq!(lies.bytes_to_client, 1 << 53);
    }
}
