//! What is set for a RADIUS provider: plain values, checked once.

use std::{fmt, time::Duration};

use zeroize::Zeroizing;

use super::{attribute::Attribute, packet::VALUE_MAX};

/// The port for sign-ins (RFC 2865, 3).
pub const PORT: u16 = 1812;
/// The longest secret, in bytes: longer than any server takes.
pub const SECRET_MAX: usize = 255;
/// The longest wait for one answer. Twice what Microsoft advises for approval on a phone.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(120);
/// How often a question may be repeated: whoever is silent after eleven is not there.
pub const RETRIES_MAX: u32 = 10;
/// The longest name of a server (RFC 1035, 2.3.4).
const HOST_MAX: usize = 255;
/// Attributes that may be set: more than anybody does, and short of a packet that is too long.
const ATTRIBUTES_MAX: usize = 32;

/// A RADIUS provider.
#[derive(Debug, Clone)]
pub struct Settings {
    /// One server, or two.
    pub servers: Vec<Server>,
    /// What two are for.
    pub mode: Mode,
    /// How long to wait for an answer before asking again.
    pub timeout: Duration,
    /// How often to ask again.
    pub retries: u32,
    /// How the password goes to the server.
    pub encoding: Encoding,
    /// Send `anna` for `FARM\anna` and `anna@farm.example`.
    pub is_domain_left_out: bool,
    /// What we call ourselves to the server (NAS-Identifier).
    pub nas_identifier: String,
    /// Sent in every request on top. One of a type that Oriel sends by itself takes its place.
    pub attributes: Vec<Attribute>,
}

/// One server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port for sign-ins.
    pub port: u16,
    /// What both sides know.
    pub secret: SharedSecret,
    /// Answers without Message-Authenticator count, although anybody between could have forged them: only
    /// for servers that cannot send it.
    pub is_unsigned_allowed: bool,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What two servers are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Both are asked at once, and the first answer counts (active-active).
    Both,
    /// The second is asked when the first does not answer (active-passive).
    Failover,
}

/// How a password goes to the server. Answers to its questions always go as PAP does it, which is what the
/// standard has for them (RFC 2865, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hidden with the secret; the server sees it.
    Pap,
    /// Proved with MD5; the server must keep passwords readable.
    Chap,
    /// Proved with MS-CHAPv2, by both sides.
    MsChap2,
}

/// What a server and the farm both know. It is wiped when it is dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedSecret(Zeroizing<String>);

impl SharedSecret {
    /// A secret of 1 to 255 bytes.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Secret`].
    pub fn new(secret: Zeroizing<String>) -> Result<Self, SettingsError> {
        if (1..=SECRET_MAX).contains(&secret.len()) { Ok(Self(secret)) } else { Err(SettingsError::Secret) }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

/// What is wrong with settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Too few or too many.
    #[error("a RADIUS provider has one server or two, and {0} are set")]
    Servers(usize),
    /// Both the same.
    #[error("both servers are {0}: leave one out, or name another")]
    Twice(String),
    /// Not a name of a server.
    #[error("{0:?} is neither the name nor the address of a server")]
    Host(String),
    /// Port zero.
    #[error("port 0 of the server {0} cannot be: RADIUS usually has 1812")]
    Port(String),
    /// No secret, or too long.
    #[error("a shared secret has from 1 to {SECRET_MAX} bytes")]
    Secret,
    /// Outside its bounds.
    #[error("the wait for an answer is from 1 to {} s", TIMEOUT_MAX.as_secs())]
    Timeout,
    /// Too many.
    #[error("a question is repeated at most {RETRIES_MAX} times")]
    Retries,
    /// Empty or too long.
    #[error("the name that we tell the server (NAS-Identifier) has from 1 to {VALUE_MAX} bytes")]
    NasIdentifier,
    /// Too many.
    #[error("at most {ATTRIBUTES_MAX} attributes can be set, and {0} are")]
    Attributes(usize),
}

impl Settings {
    /// Checks what can be checked without asking anybody.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !(1..=2).contains(&self.servers.len()) {
            return Err(SettingsError::Servers(self.servers.len()));
        }
        for server in &self.servers {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte);
            let host = server.host.as_str();
            if !(1..=HOST_MAX).contains(&host.len()) || !host.bytes().all(is_name) {
                return Err(SettingsError::Host(host.chars().take(40).collect()));
            }
            if server.port == 0 {
                return Err(SettingsError::Port(server.host.clone()));
            }
        }
        if let [first, second] = &self.servers[..]
            && first.host.eq_ignore_ascii_case(&second.host)
            && first.port == second.port
        {
            return Err(SettingsError::Twice(first.to_string()));
        }
        if !(Duration::from_secs(1)..=TIMEOUT_MAX).contains(&self.timeout) {
            return Err(SettingsError::Timeout);
        }
        if self.retries > RETRIES_MAX {
            return Err(SettingsError::Retries);
        }
        if !(1..=VALUE_MAX).contains(&self.nas_identifier.len()) {
            return Err(SettingsError::NasIdentifier);
        }
        if self.attributes.len() > ATTRIBUTES_MAX {
            return Err(SettingsError::Attributes(self.attributes.len()));
        }
        Ok(())
    }

    /// The name as the server is to see it.
    pub(super) fn name_for_server<'a>(&self, user: &'a str) -> &'a str {
        if !self.is_domain_left_out {
            return user;
        }
        match user.rsplit_once('\\') {
            Some((_, name)) => name,
            None => user.split_once('@').map_or(user, |(name, _)| name),
        }
    }
}
