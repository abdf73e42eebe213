//! What people and programs are told.

use std::fmt::Write as _;

use oriel_model::{
    Id, Kind, Object, Timestamp,
    farm::Farm,
    notification::{Notification, Watched},
    permission::Target,
    site::Site,
};
use oriel_rules::notification::{Happening, Subject, Telling, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::farm::FarmView;

/// Most that one message names; of more it says how many.
const NAMED_MAX: usize = 50;
/// Longest sentence about one of them, in characters.
const DETAIL_MAX: usize = 500;

/// A message, as it waits to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Message {
    pub id: Id<Message>,
    /// One that somebody asked for, to try.
    pub is_test: bool,
    pub farm: Id<Farm>,
    pub farm_name: String,
    pub notification: Id<Notification>,
    pub notification_name: String,
    pub event: Watched,
    pub at: Timestamp,
    pub said: Vec<Said>,
    /// How many more there are.
    pub more: usize,
}

impl oriel_model::id::Noun for Message {
    const SETTINGS: Option<Kind> = None;
}

/// One thing that is so, or is so no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Said {
    pub subject: Subject,
    pub site: Option<Id<Site>>,
    pub name: String,
    /// As people read it: `93.5 %`, `19 of 20`; empty where there is no number.
    pub value: String,
    pub since: Timestamp,
    pub detail: String,
    /// Whether it is well again.
    #[serde(default)]
    pub recovered: bool,
}

impl Message {
    pub fn of(
        view: &FarmView,
        farm: Id<Farm>,
        notification: &Object<Notification>,
        telling: &Telling,
        at: Timestamp,
    ) -> Self {
        let event = notification.spec.event;
        let said = telling.happenings.iter().take(NAMED_MAX).map(|happening| Said::of(event, happening));
        Self {
            id: Id::generate(at),
            is_test: false,
            farm,
            farm_name: view.farm_name(),
            notification: notification.id,
            notification_name: notification.name.clone(),
            event,
            at,
            said: said.collect(),
            more: telling.happenings.len().saturating_sub(NAMED_MAX),
        }
    }

    /// One that somebody asked for.
    pub fn test(view: &FarmView, farm: Id<Farm>, of: &Object<Notification>, at: Timestamp) -> Self {
        let nothing = Telling { notification: of.id, happenings: Vec::new() };
        Self { is_test: true, ..Self::of(view, farm, of, &nothing, at) }
    }

    /// With only what `keep` says, for whom the rest is none of their business.
    pub fn only(&self, keep: &[bool]) -> Self {
        let said = self.said.iter().zip(keep).filter(|(_, keep)| **keep).map(|(said, _)| said.clone());
        Self { said: said.collect(), ..self.clone() }
    }

    /// A line.
    pub fn subject(&self) -> String {
        let what = match (&*self.said, self.said.len() + self.more) {
            _ if self.is_test => format!("test of the notification {}", self.notification_name),
            ([one], 1) => one.headline(self.event),
            (said, count) if !said.is_empty() && said.iter().all(|one| one.recovered) => {
                format!("{}: {count} well again", title(self.event))
            }
            (_, count) => format!("{}: {count} at once", title(self.event)),
        };
        // A name may hold a line's end; a header must not.
        format!("[{}] {what}", self.farm_name).replace(|c: char| c.is_control(), " ")
    }

    /// The whole of it, for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.is_test {
            text.push_str("This is a test. Nothing has happened.\n");
        } else {
            let _ = writeln!(text, "{}:\n", title(self.event));
        }
        for said in &self.said {
            let when = if said.recovered { "it was so since" } else { "since" };
            let _ = writeln!(text, "- {}, {when} {:.0}", said.headline(self.event), said.since);
            if !said.detail.is_empty() {
                let _ = writeln!(text, "  {}", said.detail.replace('\n', " "));
            }
        }
        if self.more > 0 {
            let _ = writeln!(text, "- and {} more", self.more);
        }
        let _ = writeln!(
            text,
            "\nThe notification \"{}\" of the farm \"{}\" said this at {:.0}.",
            self.notification_name, self.farm_name, self.at
        );
        text
    }

    /// For programs.
    pub fn json(&self) -> Json {
        let happenings: Vec<_> = self.said.iter().map(Said::json).collect();
        json!({
            "id": self.id,
            "test": self.is_test,
            "farm": {"id": self.farm, "name": self.farm_name},
            "notification": {"id": self.notification, "name": self.notification_name},
            "event": self.event,
            "at": self.at,
            "subject": self.subject(),
            "happenings": happenings,
            "more": self.more,
        })
    }
}

impl Said {
    fn of(event: Watched, happening: &Happening) -> Self {
        let reading = &happening.reading;
        let value = match reading.value {
            Value::Number { count, .. } if event.is_share() => format!("{count:.1} %"),
            Value::Number { count, of: Some(most) } => format!("{count:.0} of {most:.0}"),
            Value::Number { count, .. } => format!("{:.0}", count.floor()),
            Value::Is(_) | Value::Unknown => String::new(),
        };
        Self {
            subject: reading.subject,
            site: reading.site,
            name: reading.name.clone(),
            value,
            since: happening.since,
            detail: reading.detail.chars().take(DETAIL_MAX).collect(),
            recovered: happening.recovered,
        }
    }

    /// What has to be seen by whoever is told this.
    pub fn target(&self, farm: Id<Farm>) -> Target {
        let (kind, id) = match self.subject {
            Subject::Host(id) | Subject::HostNode(id) => (Kind::Host, id.cast()),
            Subject::Gateway(id) | Subject::GatewayCertificate(id) | Subject::GatewayNode(id) => {
                (Kind::Gateway, id.cast())
            }
            Subject::Resource(id) => (Kind::Resource, id.cast()),
            Subject::Schedule(id) => (Kind::Schedule, id.cast()),
            Subject::Farm | Subject::AuthorityCertificate | Subject::BrokerCertificate => {
                (Kind::Farm, farm.cast())
            }
        };
        Target { kind, id: Some(id), site: self.site }
    }

    fn headline(&self, event: Watched) -> String {
        let value = if self.value.is_empty() { String::new() } else { format!(": {}", self.value) };
        let again = if self.recovered { " (well again)" } else { "" };
        format!("{}, {}{value}{again}", title(event), self.name)
    }

    fn json(&self) -> Json {
        let (kind, id) = match self.subject {
            Subject::Host(id) => ("host", Some(id.to_string())),
            Subject::Gateway(id) => ("gateway", Some(id.to_string())),
            Subject::Resource(id) => ("resource", Some(id.to_string())),
            Subject::Schedule(id) => ("schedule", Some(id.to_string())),
            Subject::Farm => ("farm", None),
            Subject::AuthorityCertificate => ("authority_certificate", None),
            Subject::BrokerCertificate => ("broker_certificate", None),
            Subject::GatewayCertificate(id) => ("gateway_certificate", Some(id.to_string())),
            Subject::GatewayNode(id) => ("gateway_node_certificate", Some(id.to_string())),
            Subject::HostNode(id) => ("host_node_certificate", Some(id.to_string())),
        };
        json!({
            "subject": kind, "id": id, "name": self.name, "value": self.value, "since": self.since,
            "detail": self.detail, "recovered": self.recovered,
        })
    }
}

/// What has happened, in words.
fn title(event: Watched) -> &'static str {
    match event {
        Watched::Cpu => "CPU in use",
        Watched::Memory => "Memory in use",
        Watched::Disk => "Disk in use",
        Watched::Sessions => "Sessions",
        Watched::ActiveSessions => "Active sessions",
        Watched::DisconnectedSessions => "Disconnected sessions",
        Watched::TunnelledSessions => "Connections carried",
        Watched::FailedConnections => "Connections failed in ten minutes",
        Watched::Uses => "Uses of a limited resource",
        Watched::RefusedSignIns => "Sign-ins refused in ten minutes",
        Watched::CertificateDays => "Days that a certificate is still valid",
        Watched::HostAway => "Host away",
        Watched::HostUnhealthy => "Session software does not work",
        Watched::GatewayAway => "Gateway away",
        Watched::BackupFailed => "Backup failed",
        Watched::ScheduleGivenUp => "Schedule gave hosts up",
    }
}
