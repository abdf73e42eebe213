//! A session as its host reports it.

use oriel_model::{
    Id, Object, Timestamp,
    gateway::Gateway,
    host::Host,
    resource::Resource,
    session::{Connection, Session, SessionState},
    site::Site,
    user::User,
};
use oriel_rules::{launch::OwnSession, rules::Facts};
use oriel_wire::{
    convert::moment,
    v1::{ClientFacts, SessionReport},
};

use crate::{app::launch::open_in, farm::FarmView, session_proof::SessionProofKey};

/// More programs in one session than anyone opens.
const OPEN_MAX: usize = 256;

/// A session as its host reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct HostSession {
    /// Which.
    pub id: Id<Session>,
    /// Where it runs.
    pub host: Id<Host>,
    /// Whose it is, proven; none: it was not started through the farm, as far as can be proven. It takes
    /// up its place, but nobody is led to it.
    pub user: Option<Id<User>>,
    /// What the user was called when it began, for show; empty where there is no user.
    pub user_name: String,
    /// The operating system's account.
    pub account: String,
    /// Its state.
    pub state: SessionState,
    /// When it began.
    pub started_at: Timestamp,
    /// Seconds since the last input.
    pub idle_secs: u64,
    /// Since when this broker has seen it without a client; none while one is attached.
    pub left_at: Option<Timestamp>,
    /// What it was started for, if that is known.
    pub resource: Option<Id<Resource>>,
    /// What that was called then.
    pub resource_name: String,
    /// Whether further programs of the user may open in it.
    pub shared: bool,
    /// Whether it is a whole desktop.
    pub desktop: bool,
    /// Programs with a window now.
    pub programs: Vec<String>,
    /// The resources whose programs run in it.
    pub open: Vec<Id<Resource>>,
    /// Whether it was started beforehand and nobody has come for it yet.
    pub prelaunched: bool,
    /// Seconds since its last client left, as its host says; none while one is attached, or before the first.
    pub disconnected_secs: Option<u64>,
    /// The client of the latest prepare.
    pub client: ClientFacts,
    /// What the latest logon took on the host; none before it is through.
    pub logon: Option<HostLogon>,
}

/// What a logon took on its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLogon {
    /// The connection that logged on.
    pub connection: Id<Connection>,
    /// How long, in milliseconds.
    pub took_ms: u32,
}

impl HostSession {
    /// Reads a report; none when its id is not one of the farm's.
    pub(crate) fn from_report(
        host: Id<Host>,
        report: SessionReport,
        proofs: &SessionProofKey,
    ) -> Option<Self> {
        let SessionReport { session_id, user_id, resource_id, proof, .. } = &report;
        let user = proofs.owner(host, session_id, user_id, resource_id, proof);
        Some(Self {
            user,
            id: report.session_id.parse().ok()?,
            host,
            state: report.state().into(),
            started_at: moment(report.started_at_ms),
            idle_secs: report.idle_secs,
            left_at: None,
            resource: report.resource_id.parse().ok(),
            user_name: user.map(|_| report.user_name).unwrap_or_default(),
            account: report.account,
            resource_name: report.resource_name,
            shared: report.shared,
            desktop: report.desktop,
            programs: report.programs,
            open: report.open_resource_ids.iter().filter_map(|id| id.parse().ok()).take(OPEN_MAX).collect(),
            prelaunched: report.prelaunched,
            disconnected_secs: Some(report.disconnected_secs).filter(|secs| *secs > 0),
            client: report.client.unwrap_or_default(),
            logon: report.logon.filter(|logon| logon.took_ms > 0).and_then(|logon| {
                Some(HostLogon { connection: logon.connection_id.parse().ok()?, took_ms: logon.took_ms })
            }),
        })
    }

    /// The same facts as at the launch, from what the host was told then.
    pub fn facts(&self, user: &Object<User>, gateway: Option<Id<Gateway>>, site: Option<Id<Site>>) -> Facts {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let client = &self.client;
        Facts {
            user: Some(user.id),
            groups: user.spec.groups.clone(),
            site,
            gateway,
            client_name: text(&client.name),
            client_os: word(&client.operating_system),
            client: word(&client.kind),
            client_version: text(&client.version),
            address: client.address.parse().ok(),
            ..Facts::default()
        }
    }

    /// What a launch looks at.
    pub fn as_own(&self, view: &FarmView) -> OwnSession {
        OwnSession {
            id: self.id,
            host: self.host,
            resource: self.resource,
            open: open_in(view, self),
            shared: self.shared,
            desktop: self.desktop,
            prelaunched: self.prelaunched,
            client_address: self.client.address.parse().ok(),
            state: self.state,
            started_at: self.started_at,
        }
    }
}

/// A word of the public contract as its value.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

/// A session that nobody has touched, for tests to change.
#[cfg(test)]
pub(crate) fn session_for_tests() -> HostSession {
    let began = Timestamp::UNIX_EPOCH;
    HostSession {
        id: Id::generate(began),
        host: Id::generate(began),
        user: None,
        user_name: String::new(),
        account: "x".into(),
        state: SessionState::Active,
        started_at: began,
        idle_secs: 0,
        left_at: None,
        resource: None,
        resource_name: String::new(),
        shared: false,
        desktop: true,
        programs: Vec::new(),
        open: Vec::new(),
        prelaunched: false,
        disconnected_secs: None,
        client: ClientFacts::default(),
        logon: None,
    }
}
