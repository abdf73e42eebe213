//! What a directory is like and how it is reached. Plain values: where they are kept, and how secrets are
//! sealed there, is the caller's.

use std::{sync::Arc, time::Duration};

use rustls::ClientConfig;
use zeroize::Zeroizing;

use super::filter::is_attribute;

/// Servers of one directory at most; a domain with more is named by a DNS name for all of them.
pub const SERVERS_MAX: usize = 16;
/// Connections for the service account, and as many for users' own binds, at most for each server.
pub const POOL_MAX: usize = 64;

/// One directory: an Active Directory domain, or a tree of an LDAP server.
#[derive(Clone)]
pub struct Settings {
    /// Servers that hold the same directory, the preferred one first. One to [`SERVERS_MAX`].
    pub servers: Vec<Server>,
    /// What is called how.
    pub schema: Schema,
    /// Below which entry people and groups are looked for, such as `DC=ad,DC=example,DC=org`.
    pub base_dn: String,
    /// The directory's DNS name, such as `ad.example.org`: the suffix that names have without being given
    /// another one.
    pub domain: String,
    /// The short name of an Active Directory domain, for `DOMAIN\user`.
    pub netbios: Option<String>,
    /// Further suffixes of user principal names that belong to this directory.
    pub upn_suffixes: Vec<String>,
    /// As whom the directory is asked.
    pub bind: Bind,
    /// Who may vouch for the servers: from `oriel_net::tls::authority_client`, with the authorities that the
    /// administrator gave or those of the system. Certificate and name are always verified.
    pub tls: Arc<ClientConfig>,
    /// Until a connection stands, TLS included.
    pub connect_timeout: Duration,
    /// Until a question is answered completely.
    pub answer_timeout: Duration,
    /// Requests to the directory at once, and connections kept to a server. One to [`POOL_MAX`].
    pub pool: usize,
    /// For how long somebody's groups are answered from memory; nothing for not at all.
    pub membership_cache: Duration,
}

/// A server of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// DNS name or address, for which the server's certificate must be.
    pub host: String,
    /// TCP port; [`Security::port`] is the usual one.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
}

/// How a connection is protected. That it is not is no choice: a bind sends the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Security {
    /// TLS from the first byte.
    Ldaps,
    /// A plain connection that becomes TLS before anything else is said (RFC 4511, 4.14).
    StartTls,
}

impl Security {
    /// The usual port.
    pub fn port(self) -> u16 {
        match self {
            Security::Ldaps => 636,
            Security::StartTls => 389,
        }
    }
}

/// What is called how in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// Active Directory, or Samba as its domain controller.
    ActiveDirectory,
    /// OpenLDAP and what is like it (RFC 4519, RFC 2307, RFC 4530).
    OpenLdap(OpenLdap),
}

/// Names of attributes and classes in an LDAP directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLdap {
    /// Where people are; the base of the directory if it is not given. For [`Bind::AsUser`] each person's
    /// entry is directly below it.
    pub users_dn: Option<String>,
    /// Where groups are; the base of the directory if it is not given.
    pub groups_dn: Option<String>,
    /// The class of people.
    pub user_class: String,
    /// Classes of groups.
    pub group_classes: Vec<String>,
    /// What never changes of an entry, however it is renamed.
    pub id: String,
    /// What people sign in with.
    pub account: String,
    /// Their name for others to read.
    pub full_name: String,
    /// Their address.
    pub mail: String,
    /// A group's name.
    pub group_name: String,
    /// Attributes of a group that hold the names of its members' entries.
    pub members: Vec<String>,
    /// Attribute of a group that holds the account of its members (RFC 2307); empty for none.
    pub member_accounts: String,
}

impl Default for OpenLdap {
    fn default() -> Self {
        let owned = str::to_owned;
        Self {
            users_dn: None,
            groups_dn: None,
            user_class: owned("person"),
            group_classes: ["groupOfNames", "groupOfUniqueNames", "posixGroup"].map(owned).to_vec(),
            id: owned("entryUUID"),
            account: owned("uid"),
            full_name: owned("cn"),
            mail: owned("mail"),
            group_name: owned("cn"),
            members: ["member", "uniqueMember"].map(owned).to_vec(),
            member_accounts: owned("memberUid"),
        }
    }
}

/// As whom the directory is asked about people.
#[derive(Clone)]
pub enum Bind {
    /// A service account, which looks people up.
    Service {
        /// Its distinguished name, or `name@domain` in Active Directory.
        name: String,
        /// Its password.
        password: Zeroizing<String>,
    },
    /// Whoever signs in, with their own password. Nothing can be searched, and nobody's membership be read
    /// later, without somebody signing in.
    AsUser,
}

/// Settings that cannot work, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSettings(pub String);

impl Settings {
    /// Whether they can work, as far as that is seen without asking a server.
    pub fn check(&self) -> Result<(), InvalidSettings> {
        let wrong = |sentence: &str| Err(InvalidSettings(sentence.to_owned()));
        if self.servers.is_empty() || self.servers.len() > SERVERS_MAX {
            return Err(InvalidSettings(format!("a directory has one to {SERVERS_MAX} servers")));
        }
        for server in &self.servers {
            if rustls_pki_types::ServerName::try_from(server.host.as_str()).is_err() {
                return Err(InvalidSettings(format!(
                    "{:?} is neither a DNS name nor an address of a server",
                    server.host
                )));
            }
        }
        if self.base_dn.trim().is_empty() {
            return wrong("the base of the directory is missing, such as DC=ad,DC=example,DC=org");
        }
        if self.domain.trim().is_empty() {
            return wrong("the directory's DNS name is missing, such as ad.example.org");
        }
        if !(1..=POOL_MAX).contains(&self.pool) {
            return Err(InvalidSettings(format!("the pool has one to {POOL_MAX} connections")));
        }
        if self.connect_timeout.is_zero() || self.answer_timeout.is_zero() {
            return wrong("a timeout of nothing lets no server answer");
        }
        if let Bind::Service { name, password } = &self.bind
            && (name.trim().is_empty() || password.is_empty())
        {
            // With an empty one of them, LDAP takes it for a bind as nobody and says yes (RFC 4513, 5.1.2).
            return wrong("the service account needs a name and a password");
        }
        if let Schema::OpenLdap(names) = &self.schema {
            let needed = [
                &names.user_class,
                &names.id,
                &names.account,
                &names.full_name,
                &names.mail,
                &names.group_name,
            ];
            let lists = names.group_classes.iter().chain(&names.members);
            let optional = (!names.member_accounts.is_empty()).then_some(&names.member_accounts);
            for name in needed.into_iter().chain(lists).chain(optional) {
                if !is_attribute(name) {
                    return Err(InvalidSettings(format!(
                        "{name:?} is not the name of an attribute or class: those have letters, digits and \
                         hyphens, and begin with a letter"
                    )));
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl std::fmt::Debug for Bind {
    /// The password is left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Bind::Service { name, .. } => write!(f, "as {name:?}"),
            Bind::AsUser => f.write_str("as the user"),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "directory {:?} at {:?} {:?}", self.domain, self.servers, self.bind)
    }
}
