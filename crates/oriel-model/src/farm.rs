//! The farm: what holds for the whole installation.

use jiff::civil::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    administrator::is_address,
    directory,
    notification::CERTIFICATES_MAX,
    object::{Kind, Spec},
    validate::{self, Mistakes},
};

/// Settings of the whole farm. There is exactly one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Farm {
    /// How long a component's certificate is valid, in hours. It renews itself at two thirds.
    pub certificate_lifetime_hours: u32,
    /// How users sign in.
    pub sign_in: SignInSettings,
    /// How administrators sign in.
    pub administration: AdministrationSettings,
    /// Backups of all settings.
    pub backup: Backup,
    /// The server that the farm's mail goes through; none: it sends none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Mailbox>,
    /// The log of changes and of what happened.
    pub audit: AuditSettings,
}

/// How much of the log is kept. When the oldest entries are dropped, an entry says which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// How long entries are kept, in days.
    pub keep_days: u32,
    /// How large the log may be, in MiB; when it is larger, the oldest go before their time.
    pub size_mib: u32,
    /// Where entries are sent as they come; null: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syslog: Option<Syslog>,
}

/// A syslog server, which gets every entry (RFC 5424) over TLS (RFC 5425).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Syslog {
    /// Its name or address with the port, as in `logs.example:6514`. Its certificate must be for that name.
    pub address: String,
    /// The certificate authority that its certificate must come from, as PEM; none: one that the broker's
    /// machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

/// Size of an authority's PEM at most, in bytes: a few certificates.
const AUTHORITY_BYTES_MAX: usize = 32 * 1024;

impl Syslog {
    fn validate(&self, mistakes: &mut Mistakes) {
        let port = self.address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
        if self.address.len() > 260
            || port.and_then(|port| port.parse::<u16>().ok()).is_none_or(|port| port == 0)
        {
            mistakes.add("address", "must be a name or an address with a port, such as logs.example:6514");
        }
        if let Some(authority) = &self.authority {
            if authority.len() > AUTHORITY_BYTES_MAX {
                mistakes.add("authority", format!("has more than {AUTHORITY_BYTES_MAX} bytes"));
            } else if !authority.contains("-----BEGIN CERTIFICATE-----") {
                mistakes.add("authority", "must be a certificate in PEM form");
            }
        }
    }
}

impl Default for AuditSettings {
    fn default() -> Self {
        // A year, so that every season can be compared; some two million entries.
        Self { keep_days: 366, size_mib: 1_024, syslog: None }
    }
}

/// The server that the farm's mail goes through. The password is a secret of the farm, and is given to the
/// server for which it was set, and to no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mailbox {
    /// Name or address of the server.
    pub server: String,
    /// Its port: usually 587 for submission, 465 with `implicit` TLS.
    #[serde(default = "submission")]
    pub port: u16,
    /// How the way there is kept secret.
    #[serde(default)]
    pub tls: MailTls,
    /// The account that signs in; none: nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Whom mail is from: `oriel@example.org`.
    pub sender: String,
    /// Certificates of authorities (PEM) that the server's certificate may come from, beside those that the
    /// broker's machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_certificates: Option<String>,
}

fn submission() -> u16 {
    587
}

/// How the way to a mail server is kept secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// By STARTTLS; a server that does not offer it is not used.
    #[default]
    Required,
    /// By TLS from the first byte on.
    Implicit,
    /// By STARTTLS where the server offers it. Whoever is between can keep it from doing so, and read along.
    Opportunistic,
}

impl Mailbox {
    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.text("server", &self.server, 253);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        if !self.server.chars().all(is_plain) {
            mistakes.add("server", "must be the name or address of a server, without its port");
        }
        mistakes.range("port", &self.port, 1..=u16::MAX);
        if self.sender.len() > 254 || !is_address(&self.sender) {
            mistakes.add("sender", "must be an address such as oriel@example.org");
        }
        if let Some(name) = &self.user_name {
            mistakes.text("user_name", name, 254);
            if self.tls == MailTls::Opportunistic {
                mistakes.add("tls", "must be required or implicit: a password goes nowhere without it");
            }
        }
        if let Some(pem) = &self.trusted_certificates {
            mistakes.text("trusted_certificates", pem, CERTIFICATES_MAX);
        }
    }
}

/// Backups of all settings, secrets included, sealed with a passphrase: the farm's secret
/// `backup_passphrase`. The broker that holds the store writes them to the folder `backups` of its data
/// directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// Whether any are made.
    pub enabled: bool,
    /// When, every day, by the clocks of `time_zone`.
    pub at: Time,
    /// The time zone, as in `Europe/Berlin`.
    pub time_zone: String,
    /// How many are kept; the oldest goes.
    pub keep: u32,
    /// Whether the farm's own keys are in them, so that `oriel broker restore` can make this farm anew on
    /// another machine, and gateways and hosts go on without joining again. Whoever has such a backup and its
    /// passphrase can make certificates that this farm trusts: keep the two apart.
    pub farm_keys: bool,
}

impl Default for Backup {
    fn default() -> Self {
        // Two weeks of nights, at an hour when nobody changes settings.
        Self {
            enabled: false,
            at: Time::constant(2, 30, 0, 0),
            time_zone: "UTC".into(),
            keep: 14,
            farm_keys: false,
        }
    }
}

/// How administrators sign in to the management portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdministrationSettings {
    /// How long one sign-in lasts at most, in hours.
    pub lifetime_hours: u32,
    /// A sign-in that is not used this long ends, in minutes; null: only with its lifetime.
    pub idle_minutes: Option<u32>,
    /// Whether administrators show a code of their authenticator beside their password.
    pub second_factor: SecondFactor,
}

/// Whether a second factor is wanted beside the password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// Nobody is asked for one, not even who has one.
    Off,
    /// Whoever has one is asked for it.
    #[default]
    Optional,
    /// Whoever has none sets one up before anything else.
    Required,
}

impl Default for AdministrationSettings {
    fn default() -> Self {
        // A working day, and a meeting: whoever is away longer may have left the screen unlocked.
        Self { lifetime_hours: 12, idle_minutes: Some(60), second_factor: SecondFactor::default() }
    }
}

/// How users sign in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignInSettings {
    /// Wrong passwords in a row after which an account is locked.
    pub lockout_after: u32,
    /// How long it stays locked, in minutes.
    pub lockout_minutes: u32,
    /// How long one sign-in lasts at most, in hours.
    pub lifetime_hours: u32,
    /// A sign-in that is not used this long ends, in minutes.
    pub idle_minutes: u32,
    /// The domain of a directory that names without one belong to, unless they are names of the farm's own
    /// users; absent: they are the farm's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_domain: Option<String>,
}

impl Default for Farm {
    fn default() -> Self {
        // 30 days: a component that was off for a holiday still comes back by itself.
        Self {
            certificate_lifetime_hours: 30 * 24,
            sign_in: SignInSettings::default(),
            administration: AdministrationSettings::default(),
            backup: Backup::default(),
            audit: AuditSettings::default(),
            mailbox: None,
        }
    }
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self {
            lockout_after: 5,
            lockout_minutes: 15,
            lifetime_hours: 12,
            idle_minutes: 120,
            default_domain: None,
        }
    }
}

impl Spec for Farm {
    const KIND: Kind = Kind::Farm;
    const COMES: Option<&'static str> = Some("with its first broker, and there is exactly one");

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.range("certificate_lifetime_hours", &self.certificate_lifetime_hours, 1..=24 * 366);
        mistakes.within("backup", |m| {
            m.range("keep", &self.backup.keep, 1..=1_000);
            validate::time_zone(m, "time_zone", &self.backup.time_zone);
        });
        mistakes.within("audit", |m| {
            m.range("keep_days", &self.audit.keep_days, 1..=3_660);
            m.range("size_mib", &self.audit.size_mib, 1..=102_400);
            if let Some(syslog) = &self.audit.syslog {
                m.within("syslog", |m| syslog.validate(m));
            }
        });
        if let Some(mailbox) = &self.mailbox {
            mistakes.within("mailbox", |m| mailbox.validate(m));
        }
        mistakes.within("administration", |m| {
            m.range("lifetime_hours", &self.administration.lifetime_hours, 1..=24 * 7);
            if let Some(minutes) = &self.administration.idle_minutes {
                m.range("idle_minutes", minutes, 5..=24 * 60);
            }
        });
        mistakes.within("sign_in", |m| {
            m.range("lockout_after", &self.sign_in.lockout_after, 3..=100);
            m.range("lockout_minutes", &self.sign_in.lockout_minutes, 1..=24 * 60);
            m.range("lifetime_hours", &self.sign_in.lifetime_hours, 1..=24 * 7);
            m.range("idle_minutes", &self.sign_in.idle_minutes, 5..=24 * 60 * 7);
            if let Some(domain) = &self.sign_in.default_domain {
                directory::domain(m, "default_domain", domain);
            }
        });
    }
}
