//! Directories of people elsewhere: Active Directory and OpenLDAP.
//!
//! What is here is how to ask one. The people in it are no settings objects: they stay the directory's. Only
//! groups and users that an administrator has chosen from it have an object each, which says where they come
//! from ([`External`]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::Id,
    notification::CERTIFICATES_MAX,
    object::{Kind, Spec},
    validate::Mistakes,
};

/// A directory of people elsewhere. The password of the account that looks things up is not here: it is a
/// sealed secret beside the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Whether its people may sign in.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What it is.
    pub kind: DirectoryKind,
    /// Its DNS domain, as in `corp.example`: what people write behind the @ of their name.
    pub domain: String,
    /// Its NetBIOS name, as in `CORP`: what people write before the backslash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netbios_name: Option<String>,
    /// What else may stand behind the @ of its people's names.
    #[serde(default)]
    pub upn_suffixes: Vec<String>,
    /// Its servers, in the order in which they are asked: the next one when one does not answer.
    pub servers: Vec<DirectoryServer>,
    /// Below which entry people and groups are looked for, as in `DC=corp,DC=example`.
    pub base_dn: String,
    /// The account that looks people and groups up: its distinguished name, or `name@domain`. Absent: the
    /// directory is asked with the name and password of whoever signs in, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_name: Option<String>,
    /// Certificates of authorities (PEM) that the servers' certificates come from; absent: those that the
    /// broker's machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_certificates: Option<String>,
    /// How long a connection to a server may take, in seconds.
    #[serde(default = "connect_secs")]
    pub connect_timeout_secs: u32,
    /// How long a server may take for an answer, in seconds.
    #[serde(default = "answer_secs")]
    pub answer_timeout_secs: u32,
    /// How long it is taken as known to which groups somebody belongs, in seconds.
    #[serde(default = "membership_secs")]
    pub membership_cache_secs: u32,
    /// How long people who are signed in go on working while no server answers, in hours.
    #[serde(default = "offline_hours")]
    pub offline_hours: u32,
    /// What is put behind people's accounts on session hosts, as in `.lab`, so that two people of one name in two
    /// directories have two accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_suffix: Option<String>,
    /// What an OpenLDAP directory calls things. Active Directory has names of its own.
    #[serde(default)]
    pub attributes: DirectoryAttributes,
}

/// What a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryKind {
    /// Active Directory, or Samba as its domain controller.
    ActiveDirectory,
    /// OpenLDAP, or another server with its schema.
    Openldap,
}

/// A server of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectoryServer {
    /// Its name, which its certificate must be for, or its address.
    pub host: String,
    /// Its port; absent: 636 for LDAPS, 389 for StartTLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the way there is kept secret.
    #[serde(default)]
    pub security: DirectorySecurity,
}

/// How the way to a server of a directory is kept secret: no password goes there in the clear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectorySecurity {
    /// By TLS from the first byte on.
    #[default]
    Ldaps,
    /// By StartTLS; a server that does not offer it is not used.
    Starttls,
}

/// What an OpenLDAP directory calls things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DirectoryAttributes {
    /// Below which entry people are; absent: below the base. Without a service account, each person's entry is
    /// directly below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people_dn: Option<String>,
    /// Below which entry groups are; absent: below the base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_dn: Option<String>,
    /// Class of the entries that are people.
    pub user_class: String,
    /// What people sign in with.
    pub user_name: String,
    /// A person's full name.
    pub full_name: String,
    /// A person's mail address.
    pub mail: String,
    /// Classes of the entries that are groups.
    pub group_classes: Vec<String>,
    /// A group's name.
    pub group_name: String,
    /// What holds the members of a group, as distinguished names.
    pub members: Vec<String>,
    /// What holds the members of a group as names that they sign in with (RFC 2307); empty: nothing does.
    pub member_accounts: String,
    /// What stays when an entry is renamed or moved.
    pub id: String,
}

impl Default for DirectoryAttributes {
    fn default() -> Self {
        // RFC 4519, RFC 2307 and RFC 4530.
        let text = str::to_owned;
        Self {
            people_dn: None,
            groups_dn: None,
            user_class: text("person"),
            user_name: text("uid"),
            full_name: text("cn"),
            mail: text("mail"),
            group_classes: ["groupOfNames", "groupOfUniqueNames", "posixGroup"].map(text).to_vec(),
            group_name: text("cn"),
            members: ["member", "uniqueMember"].map(text).to_vec(),
            member_accounts: text("memberUid"),
            id: text("entryUUID"),
        }
    }
}

/// Where a group or a user comes from that an administrator has chosen from a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// The directory.
    pub directory: Id<Directory>,
    /// What it is there: a SID, or an entry's UUID. It stays when the entry is renamed.
    pub id: String,
}

fn yes() -> bool {
    true
}

// A server in the same building answers within milliseconds; ten seconds would be a person's patience at
// the sign-in, and the next server is to be asked within it.
fn connect_secs() -> u32 {
    3
}

fn answer_secs() -> u32 {
    5
}

fn membership_secs() -> u32 {
    300
}

fn offline_hours() -> u32 {
    24
}

/// Servers of one directory: each that hangs costs its time at a sign-in.
const SERVERS_MAX: usize = 16;
/// Other endings of names.
const SUFFIXES_MAX: usize = 64;
/// Longest distinguished name, in characters.
const DN_MAX: usize = 1_000;
/// Classes of groups, and attributes of members.
const NAMES_MAX: usize = 16;
/// Longest name of an attribute or a class, in characters.
const ATTRIBUTE_MAX: usize = 64;
/// Longest end of an account, in characters: accounts have at most 32.
const ACCOUNT_SUFFIX_MAX: usize = 12;
/// Longest external id, in characters: a SID has at most 184.
const EXTERNAL_MAX: usize = 256;

impl Directory {
    /// The endings of its people's names: its domain first.
    pub fn suffixes(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.domain).chain(self.upn_suffixes.iter().map(String::as_str))
    }
}

impl Spec for Directory {
    const KIND: Kind = Kind::Directory;

    fn validate(&self, mistakes: &mut Mistakes) {
        domain(mistakes, "domain", &self.domain);
        if let Some(name) = &self.netbios_name {
            let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '&');
            if name.is_empty() || name.chars().count() > 15 || !name.chars().all(is_plain) {
                mistakes.add("netbios_name", "must be a NetBIOS name of 1 to 15 characters, such as CORP");
            }
        }
        if self.upn_suffixes.len() > SUFFIXES_MAX {
            mistakes.add("upn_suffixes", format!("has more than {SUFFIXES_MAX} entries"));
        }
        for (index, suffix) in self.upn_suffixes.iter().take(SUFFIXES_MAX).enumerate() {
            domain(mistakes, &format!("upn_suffixes[{index}]"), suffix);
        }
        match self.servers.len() {
            0 => mistakes.add("servers", "must name at least one"),
            1..=SERVERS_MAX => {}
            _ => mistakes.add("servers", format!("has more than {SERVERS_MAX} entries")),
        }
        for (index, server) in self.servers.iter().take(SERVERS_MAX).enumerate() {
            mistakes.within(&format!("servers[{index}]"), |m| server.validate(m));
        }
        distinguished_name(mistakes, "base_dn", &self.base_dn);
        if let Some(name) = &self.bind_name {
            mistakes.text("bind_name", name, DN_MAX);
        }
        if let Some(pem) = &self.trusted_certificates {
            mistakes.text("trusted_certificates", pem, CERTIFICATES_MAX);
        }
        if let Some(suffix) = &self.account_suffix {
            let is_plain =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
            if suffix.is_empty() || suffix.len() > ACCOUNT_SUFFIX_MAX || !suffix.chars().all(is_plain) {
                let message = "must be 1 to 12 lower-case letters, digits, _, . or -";
                mistakes.add("account_suffix", message);
            }
        }
        mistakes.range("connect_timeout_secs", &self.connect_timeout_secs, 1..=60);
        mistakes.range("answer_timeout_secs", &self.answer_timeout_secs, 1..=60);
        mistakes.range("membership_cache_secs", &self.membership_cache_secs, 10..=24 * 3_600);
        mistakes.range("offline_hours", &self.offline_hours, 0..=24 * 7);
        mistakes.within("attributes", |m| self.attributes.validate(m));
    }
}

impl DirectoryServer {
    /// The port it listens at.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            DirectorySecurity::Ldaps => 636,
            DirectorySecurity::Starttls => 389,
        })
    }

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.text("host", &self.host, 253);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
        if !self.host.chars().all(is_plain) {
            mistakes.add("host", "must be the name or address of a server, without its port");
        }
        if self.port == Some(0) {
            mistakes.add("port", "must be from 1 to 65535");
        }
    }
}

impl DirectoryAttributes {
    fn validate(&self, mistakes: &mut Mistakes) {
        for (field, dn) in [("people_dn", &self.people_dn), ("groups_dn", &self.groups_dn)] {
            if let Some(dn) = dn {
                distinguished_name(mistakes, field, dn);
            }
        }
        let Self { user_class, user_name, full_name, mail, group_name, id, .. } = self;
        for (field, name) in [
            ("user_class", user_class),
            ("user_name", user_name),
            ("full_name", full_name),
            ("mail", mail),
            ("group_name", group_name),
            ("id", id),
        ] {
            attribute(mistakes, field, name);
        }
        if !self.member_accounts.is_empty() {
            attribute(mistakes, "member_accounts", &self.member_accounts);
        }
        for (field, names) in [("group_classes", &self.group_classes), ("members", &self.members)] {
            if names.is_empty() || names.len() > NAMES_MAX {
                mistakes.add(field, format!("must name 1 to {NAMES_MAX}"));
            }
            for (index, name) in names.iter().take(NAMES_MAX).enumerate() {
                attribute(mistakes, &format!("{field}[{index}]"), name);
            }
        }
    }
}

/// RFC 4512, 1.4: descr.
fn attribute(mistakes: &mut Mistakes, field: &str, name: &str) {
    let mut chars = name.chars();
    let is_descr = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && name.len() <= ATTRIBUTE_MAX
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_descr {
        mistakes.add(field, "must begin with a letter and continue with letters, digits or -");
    }
}

fn distinguished_name(mistakes: &mut Mistakes, field: &str, dn: &str) {
    mistakes.text(field, dn, DN_MAX);
    if !dn.contains('=') {
        mistakes.add(field, "must be a distinguished name such as DC=corp,DC=example");
    }
}

impl External {
    pub(crate) fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.text("id", &self.id, EXTERNAL_MAX);
    }
}

/// Notes a mistake when `name` is no DNS domain.
pub(crate) fn domain(mistakes: &mut Mistakes, field: &str, name: &str) {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        mistakes.add(field, "must be a DNS domain such as corp.example");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn mistakes(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut spec = json!({
            "kind": "active_directory", "domain": "corp.example", "base_dn": "DC=corp,DC=example",
            "servers": [{"host": "dc1.corp.example"}, {"host": "dc2.corp.example", "security": "starttls"}],
        });
        change(&mut spec);
        let spec: Directory = serde_json::from_value(spec).expect("reads");
        let mut found = Mistakes::default();
        spec.validate(&mut found);
        found.into_vec().into_iter().map(|mistake| mistake.field).collect()
    }

    #[test]
    fn what_cannot_be_asked_is_refused_field_by_field() {
        assert!(mistakes(|_| {}).is_empty());
        assert_eq!(mistakes(|spec| spec["servers"] = json!([])), ["servers"]);
        assert_eq!(mistakes(|spec| spec["servers"][1]["host"] = json!("ldap://dc")), ["servers[1].host"]);
        assert_eq!(mistakes(|spec| spec["domain"] = json!("corp example")), ["domain"]);
        assert_eq!(mistakes(|spec| spec["netbios_name"] = json!("A\\B")), ["netbios_name"]);
        assert_eq!(mistakes(|spec| spec["base_dn"] = json!("corp")), ["base_dn"]);
        let odd = json!({"user_name": "uid)(x=*"});
        assert_eq!(mistakes(|spec| spec["attributes"] = odd), ["attributes.user_name"]);
        assert_eq!(mistakes(|spec| spec["membership_cache_secs"] = json!(1)), ["membership_cache_secs"]);
    }

    #[test]
    fn ports_follow_the_way_there() {
        let server = |security| DirectoryServer { host: "dc".into(), port: None, security };
        assert_eq!(server(DirectorySecurity::Ldaps).port(), 636);
        assert_eq!(server(DirectorySecurity::Starttls).port(), 389);
    }
}
