//! What goes wrong, in words that name the server and say what to do.

use std::{fmt, time::Duration};

/// Why bytes are no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not even a header.
    #[error("it is shorter than a header")]
    Short,
    /// The length in the header.
    #[error("its length cannot be right")]
    Length,
    /// An attribute that does not fit.
    #[error("its attributes do not fit into it")]
    Attribute,
}

/// Why something that came from a server's address was dropped. Anybody can send from there, so the wait for
/// a good answer goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    /// Not RADIUS.
    #[error("what it sends is not RADIUS: {0}")]
    Garbage(Malformed),
    /// An answer to something else.
    #[error(
        "it answers with code {0}, which is no answer to this request; is this the port for sign-ins (1812), not the one for accounting?"
    )]
    Code(u8),
    /// The Response Authenticator does not fit.
    #[error("its answers are signed with another secret: is the secret here the same as there?")]
    WrongAuthenticator,
    /// No Message-Authenticator.
    #[error(
        "its answers have no Message-Authenticator, so anybody could have forged them (CVE-2024-3596): update the server or switch Message-Authenticator on there; if that cannot be, answers without it can be allowed for this server"
    )]
    NoMessageAuthenticator,
    /// A wrong Message-Authenticator.
    #[error(
        "the Message-Authenticator of its answers is wrong: somebody changes them on their way, or the server is faulty"
    )]
    WrongMessageAuthenticator,
    /// An echo of what was never sent.
    #[error("its answers echo a Proxy-State that was never sent, as a forged answer would (CVE-2024-3596)")]
    ProxyState,
}

/// Why a server gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Silence.
    #[error(
        "gave no answer within {}, asked {}. Is the address right, do firewalls let UDP through, does the server know this broker as a client, and is the secret the same? (Most servers are silent when it is not.)",
        Seconds(*waited), Times(*tries)
    )]
    Silent {
        /// How long it was waited for.
        waited: Duration,
        /// How often it was asked.
        tries: u32,
    },
    /// Only answers that had to be dropped.
    #[error("gave no answer that can be trusted within {}: {why}", Seconds(*waited))]
    Dropped {
        /// The last reason.
        why: Dropped,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Nobody listens.
    #[error("refuses: nothing listens on that port there")]
    Refused,
    /// The name is not found.
    #[error("was not found: {0}. Is the name right, and does the name server answer?")]
    NotFound(String),
    /// The operating system does not send.
    #[error("could not be reached: {0}")]
    Unreachable(String),
    /// Found by a check.
    #[error(
        "let in a user who does not exist, with a password of random letters: whoever signs in would be let in"
    )]
    LetsInAnybody,
    /// Too much at once.
    #[error("has too many sign-ins waiting for it already; it seems to be slow")]
    Busy,
}

/// One server's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFailure {
    /// Name and port.
    pub server: String,
    /// Why.
    pub failure: Failure,
}

impl fmt::Display for ServerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.server, self.failure)
    }
}

/// Why nobody can say whether somebody may come in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RadiusError {
    /// No server gave an answer: one for each that was asked.
    #[error("{}", Joined(.0))]
    NoAnswer(Vec<ServerFailure>),
    /// RADIUS has no room for the name.
    #[error("a user name for RADIUS has from 1 to 253 bytes, and no zero among them")]
    Name,
    /// PAP has no room for the password.
    #[error("a password for RADIUS with PAP has at most 128 bytes")]
    PasswordTooLong,
    /// The request does not fit.
    #[error("the attributes that are set for the RADIUS server make its requests longer than 4096 bytes")]
    RequestTooLong,
    /// The server of a challenge is not set any more.
    #[error("the RADIUS server {0}, which asked for this answer, is not among the servers any more")]
    ServerGone(String),
    /// A server that never comes to an end.
    #[error("the RADIUS server {0} asked for more than 16 answers, which is taken for a fault of it")]
    TooManyRounds(String),
    /// The server let in, and could not prove that it knows the password.
    #[error(
        "the RADIUS server {0} let the user in without proving that it knows their password (MS-CHAPv2), so its answer does not count"
    )]
    Unproven(String),
    /// The operating system has no random numbers.
    #[error("the operating system gives no random numbers")]
    NoRandom,
}

struct Joined<'a>(&'a [ServerFailure]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no RADIUS server answered: ")?;
        for (place, failure) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            failure.fmt(f)?;
        }
        Ok(())
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_secs(), self.0.subsec_millis()) {
            (secs, 0) => write!(f, "{secs} s"),
            (0, millis) => write!(f, "{millis} ms"),
            (secs, millis) => write!(f, "{secs}.{} s", millis / 100),
        }
    }
}

struct Times(u32);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("once"),
            times => write!(f, "{times} times"),
        }
    }
}
