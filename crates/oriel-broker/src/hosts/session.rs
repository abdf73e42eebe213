//! A session as its host reports it.

use oriel_model::{
    Id, Timestamp,
    host::Host,
    resource::Resource,
    session::{Session, SessionState},
    user::User,
};
use oriel_rules::launch::OwnSession;
use oriel_wire::{
    convert::moment,
    v1::{ClientFacts, SessionReport},
};

use crate::session_proof::SessionProofKey;

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
    /// The client of the latest prepare.
    pub client: ClientFacts,
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
            client: report.client.unwrap_or_default(),
        })
    }

    /// What a launch looks at.
    pub fn as_own(&self) -> OwnSession {
        OwnSession {
            id: self.id,
            host: self.host,
            resource: self.resource,
            // What else was opened in it is not reported: what it was started for is open as long as it runs.
            open: self.resource.into_iter().collect(),
            shared: self.shared,
            desktop: self.desktop,
            prelaunched: false,
            client_address: self.client.address.parse().ok(),
            state: self.state,
            started_at: self.started_at,
        }
    }
}
