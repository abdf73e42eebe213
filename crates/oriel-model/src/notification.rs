//! Notifications: who is told when something in the farm crosses a line, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    administrator::is_address,
    gateway::Gateway,
    host::Host,
    id::Id,
    object::{Kind, Spec},
    pool::Pool,
    site::Site,
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// Tells people when something happens in the farm. One that belongs to a site watches what belongs to that
/// site, whatever its target says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notification {
    /// A disabled notification watches nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// For administrators.
    #[serde(default)]
    pub description: String,
    /// What is watched.
    pub event: Watched,
    /// The line that is crossed: for what is a number, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<CrossedLine>,
    /// Where it is watched.
    #[serde(default)]
    pub target: NotificationTarget,
    /// How long it lasts before anybody is told, in minutes.
    #[serde(default)]
    pub grace_minutes: u32,
    /// The time between two messages at least, in minutes. What happens meanwhile is in the next one.
    #[serde(default = "a_quarter")]
    pub interval_minutes: u32,
    /// Whether one message is enough until it is well again; otherwise there is one every interval.
    #[serde(default = "yes")]
    pub until_recovered: bool,
    /// Whether those who were told are told, too, when it is well again.
    #[serde(default)]
    pub tell_recovered: bool,
    /// Who gets mail.
    #[serde(default)]
    pub mail: MailTo,
    /// What is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// The name of a script in the folder that the broker's node file names as `scripts`. It is run there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
}

fn yes() -> bool {
    true
}

fn a_quarter() -> u32 {
    15
}

/// What a notification watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// CPU of hosts and gateways in use, in percent.
    Cpu,
    /// Memory of hosts in use, in percent.
    Memory,
    /// The disk of hosts in use, in percent: of the system's and the homes' file system, the fuller one.
    Disk,
    /// Sessions of a host, as a number or in percent of its limit.
    Sessions,
    /// Sessions of a host with a client, as a number or in percent of its limit.
    ActiveSessions,
    /// Disconnected sessions of a host, as a number or in percent of its limit.
    DisconnectedSessions,
    /// Connections that a gateway carries.
    TunnelledSessions,
    /// Connections of a gateway that failed in the last ten minutes.
    FailedConnections,
    /// Uses of a published resource that only so many may use, as a number or in percent of its limit.
    Uses,
    /// Sign-ins refused in the last ten minutes, in the portals and in management.
    RefusedSignIns,
    /// Days that a certificate is still valid: those that gateways show, the farm's authority's, and those by
    /// which this broker, gateways and agents know each other, once their renewal is overdue.
    CertificateDays,
    /// A host's agent is not connected.
    HostAway,
    /// A host's session software does not work.
    HostUnhealthy,
    /// A gateway is not connected.
    GatewayAway,
    /// The last backup could not be made.
    BackupFailed,
    /// A schedule gave a host up at its last time.
    ScheduleGivenUp,
}

/// What a watched thing belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A host.
    Host,
    /// A gateway.
    Gateway,
    /// A host or a gateway.
    Machine,
    /// A settings object, which may belong to a site.
    Site,
    /// The farm as a whole.
    Farm,
}

impl Watched {
    /// Everything there is to watch.
    pub const ALL: &'static [Watched] = &[
        Watched::Cpu,
        Watched::Memory,
        Watched::Disk,
        Watched::Sessions,
        Watched::ActiveSessions,
        Watched::DisconnectedSessions,
        Watched::TunnelledSessions,
        Watched::FailedConnections,
        Watched::Uses,
        Watched::RefusedSignIns,
        Watched::CertificateDays,
        Watched::HostAway,
        Watched::HostUnhealthy,
        Watched::GatewayAway,
        Watched::BackupFailed,
        Watched::ScheduleGivenUp,
    ];

    /// Whether it is a number, which crosses a line; otherwise it is so or not.
    pub fn is_number(self) -> bool {
        !matches!(
            self,
            Watched::HostAway
                | Watched::HostUnhealthy
                | Watched::GatewayAway
                | Watched::BackupFailed
                | Watched::ScheduleGivenUp
        )
    }

    /// Whether it is always a share, in percent.
    pub fn is_share(self) -> bool {
        matches!(self, Watched::Cpu | Watched::Memory | Watched::Disk)
    }

    /// Whether it may be counted in percent of a limit.
    pub fn has_limit(self) -> bool {
        matches!(
            self,
            Watched::Sessions | Watched::ActiveSessions | Watched::DisconnectedSessions | Watched::Uses
        )
    }

    /// What it belongs to.
    pub fn place(self) -> Place {
        match self {
            Watched::Cpu | Watched::CertificateDays => Place::Machine,
            Watched::Memory
            | Watched::Disk
            | Watched::Sessions
            | Watched::ActiveSessions
            | Watched::DisconnectedSessions
            | Watched::HostAway
            | Watched::HostUnhealthy => Place::Host,
            Watched::TunnelledSessions | Watched::FailedConnections | Watched::GatewayAway => Place::Gateway,
            Watched::Uses | Watched::ScheduleGivenUp => Place::Site,
            Watched::RefusedSignIns | Watched::BackupFailed => Place::Farm,
        }
    }

    /// Its word, as settings have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Watched::Cpu => "cpu",
            Watched::Memory => "memory",
            Watched::Disk => "disk",
            Watched::Sessions => "sessions",
            Watched::ActiveSessions => "active_sessions",
            Watched::DisconnectedSessions => "disconnected_sessions",
            Watched::TunnelledSessions => "tunnelled_sessions",
            Watched::FailedConnections => "failed_connections",
            Watched::Uses => "uses",
            Watched::RefusedSignIns => "refused_sign_ins",
            Watched::CertificateDays => "certificate_days",
            Watched::HostAway => "host_away",
            Watched::HostUnhealthy => "host_unhealthy",
            Watched::GatewayAway => "gateway_away",
            Watched::BackupFailed => "backup_failed",
            Watched::ScheduleGivenUp => "schedule_given_up",
        }
    }
}

/// A line that a number crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrossedLine {
    /// Which way.
    pub direction: Direction,
    /// Where it is.
    pub value: u32,
    /// Whether it is in percent of the limit, of what has one. CPU, memory and disk always are.
    #[serde(default)]
    pub percent: bool,
}

/// Which way a line is crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Above it.
    RisesAbove,
    /// Below it.
    FallsBelow,
}

/// Where something is watched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "of", deny_unknown_fields)]
pub enum NotificationTarget {
    /// Everywhere.
    #[default]
    All,
    /// In these sites.
    Sites {
        /// At least one.
        sites: Vec<Id<Site>>,
    },
    /// On the members of these pools.
    Pools {
        /// At least one.
        pools: Vec<Id<Pool>>,
    },
    /// On these hosts.
    Hosts {
        /// At least one.
        hosts: Vec<Id<Host>>,
    },
    /// On these gateways.
    Gateways {
        /// At least one.
        gateways: Vec<Id<Gateway>>,
    },
}

/// Who gets mail. It goes through the farm's mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MailTo {
    /// The administrators who are `notified`.
    pub administrators: bool,
    /// Further addresses.
    pub addresses: Vec<String>,
}

/// An address that is called with a POST of JSON, signed with the secret that
/// `POST /notifications/{id}/webhook-secret` makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where: `https://example.org/hooks/oriel`.
    pub url: String,
    /// Certificates of authorities (PEM) that its server's certificate may come from, beside those that the
    /// broker's machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_certificates: Option<String>,
}

/// Further addresses of one notification: more people than that are a list of the mail server's.
const ADDRESSES_MAX: usize = 20;
/// Objects that one target names.
const TARGETS_MAX: usize = 1_000;
/// A week: who wants to hear later looks by themselves.
const MINUTES_MAX: u32 = 7 * 24 * 60;
/// Longest address that is called, in characters.
const URL_MAX: usize = 2_000;
/// Longest list of certificates, in characters: some ten of them.
pub(crate) const CERTIFICATES_MAX: usize = 32_000;
/// Longest name of a script's file, in characters.
const SCRIPT_MAX: usize = 100;

impl Spec for Notification {
    const KIND: Kind = Kind::Notification;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        mistakes.range("grace_minutes", &self.grace_minutes, 0..=MINUTES_MAX);
        mistakes.range("interval_minutes", &self.interval_minutes, 1..=MINUTES_MAX);
        self.validate_threshold(mistakes);
        self.validate_target(mistakes);
        if self.mail.addresses.len() > ADDRESSES_MAX {
            mistakes.add("mail.addresses", format!("has more than {ADDRESSES_MAX} entries"));
        }
        for (index, address) in self.mail.addresses.iter().enumerate() {
            if address.len() > 254 || !is_address(address) {
                let field = format!("mail.addresses[{index}]");
                mistakes.add(&field, "must be an address such as anna@example.org");
            }
        }
        if let Some(webhook) = &self.webhook {
            mistakes.within("webhook", |m| webhook.validate(m));
        }
        if let Some(script) = &self.script {
            mistakes.text("script", script, SCRIPT_MAX);
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if script.starts_with('.') || !script.chars().all(is_plain) {
                mistakes.add("script", "must be the name of a file, of letters, digits, and . - _");
            }
        }
    }
}

impl Notification {
    fn validate_threshold(&self, mistakes: &mut Mistakes) {
        let Some(line) = &self.threshold else {
            if self.event.is_number() {
                mistakes.add("threshold", "is needed: this event is a number");
            }
            return;
        };
        if !self.event.is_number() {
            mistakes.add("threshold", "cannot be said: this event is no number");
        }
        if line.percent && !self.event.has_limit() && !self.event.is_share() {
            mistakes.add("threshold.percent", "cannot be true: this number has no limit");
        }
        let most = if line.percent || self.event.is_share() { 100 } else { 1_000_000 };
        mistakes.range("threshold.value", &line.value, 0..=most);
        if line.direction == Direction::FallsBelow && line.value == 0 {
            mistakes.add("threshold.value", "is 0; nothing falls below that");
        }
    }

    fn validate_target(&self, mistakes: &mut Mistakes) {
        use NotificationTarget::{All, Gateways, Hosts, Pools, Sites};
        let (field, count) = match &self.target {
            All => return,
            Sites { sites } => ("target.sites", sites.len()),
            Pools { pools } => ("target.pools", pools.len()),
            Hosts { hosts } => ("target.hosts", hosts.len()),
            Gateways { gateways } => ("target.gateways", gateways.len()),
        };
        if count == 0 {
            mistakes.add(field, "needs at least one");
        } else if count > TARGETS_MAX {
            mistakes.add(field, format!("has more than {TARGETS_MAX} entries"));
        }
        let fits = match (&self.target, self.event.place()) {
            (_, Place::Farm) => false,
            (Pools { .. } | Hosts { .. }, place) => matches!(place, Place::Host | Place::Machine),
            (Gateways { .. }, place) => matches!(place, Place::Gateway | Place::Machine),
            (All | Sites { .. }, _) => true,
        };
        if !fits {
            mistakes.add("target.of", "does not fit this event, which happens elsewhere");
        }
    }
}

impl Webhook {
    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.text("url", &self.url, URL_MAX);
        let host = self.url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
        if host.is_none_or(|host| host.is_empty() || host.contains('@')) || !self.url.is_ascii() {
            mistakes.add("url", "must be an address such as https://example.org/hooks/oriel");
        }
        if let Some(pem) = &self.trusted_certificates {
            mistakes.text("trusted_certificates", pem, CERTIFICATES_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(spec: serde_json::Value) -> Vec<String> {
        let spec: Notification = serde_json::from_value(spec).expect("a notification");
        let mut mistakes = Mistakes::default();
        spec.validate(&mut mistakes);
        mistakes.into_vec().into_iter().map(|mistake| mistake.field).collect()
    }

    #[test]
    fn what_makes_no_sense_is_refused_field_by_field() {
        use serde_json::json;
        let above = |value: u32| json!({"direction": "rises_above", "value": value});
        let none: [&str; 0] = [];
        assert_eq!(mistakes(json!({"event": "cpu", "threshold": above(90)})), none);
        assert_eq!(mistakes(json!({"event": "cpu"})), ["threshold"]);
        assert_eq!(mistakes(json!({"event": "cpu", "threshold": above(101)})), ["threshold.value"]);
        assert_eq!(mistakes(json!({"event": "host_away", "threshold": above(1)})), ["threshold"]);
        let percent = json!({"direction": "rises_above", "value": 3, "percent": true});
        assert_eq!(
            mistakes(json!({"event": "tunnelled_sessions", "threshold": percent})),
            ["threshold.percent"]
        );
        let never = json!({"direction": "falls_below", "value": 0});
        assert_eq!(mistakes(json!({"event": "sessions", "threshold": never})), ["threshold.value"]);
        assert_eq!(
            mistakes(json!({"event": "gateway_away", "target": {"of": "hosts", "hosts": []}})),
            ["target.hosts", "target.of"]
        );
        let mail = json!({"addresses": ["a@b", "a@b\r\nBcc: c@d"]});
        assert_eq!(mistakes(json!({"event": "host_away", "mail": mail})), ["mail.addresses[1]"]);
        for url in ["http://example.org/", "https://", "https://u:p@example.org/", "https:///x"] {
            let webhook = json!({"url": url});
            assert_eq!(mistakes(json!({"event": "host_away", "webhook": webhook})), ["webhook.url"], "{url}");
        }
        for script in ["../x", "/bin/sh", ".hidden", "a b", "a/b", ""] {
            assert!(!mistakes(json!({"event": "host_away", "script": script})).is_empty(), "{script}");
        }
        assert_eq!(mistakes(json!({"event": "host_away", "script": "tell-me.sh"})), none);
    }

    #[test]
    fn words_are_those_of_the_settings() {
        for watched in Watched::ALL {
            assert_eq!(serde_json::to_value(watched).expect("JSON"), watched.as_str());
        }
    }
}
