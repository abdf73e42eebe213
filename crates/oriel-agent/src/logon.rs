//! One-time logons: secrets that open one session once, within a minute.
//!
//! Only a digest is kept. What is deliberately absent: how the secret reaches us (a PAM step, in
//! `pam`), where digests outlive the agent, and what follows from a logon (the adapter's business).

use std::{collections::HashMap, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::host::{ConnectionId, SessionId};

/// How long a one-time logon works. The gateway dials right after the click, so a minute is ample even
/// for a slow client, and short enough that a stolen one is stale.
pub const LOGON_VALID: Duration = Duration::from_secs(60);
/// Bytes of randomness in a secret.
const SECRET_BYTES: usize = 32;
/// Most logons remembered, used ones included; they leave by age long before this is reached.
const LOGONS_MAX: usize = 10_000;

/// A refused logon. Goes to the log and the count, never to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: LogonRefusal,
    /// Whose secret it was, if it was one.
    pub owner: Option<(SessionId, ConnectionId)>,
}

/// Why a logon was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogonRefusal {
    /// No secret is waiting under this name.
    #[error("no logon is expected for this name")]
    UnknownName,
    /// The secret belongs to another name; it is void now.
    #[error("the secret was made for another session and is void now")]
    WrongName,
    /// Not the secret of this name.
    #[error("wrong secret")]
    WrongSecret,
    /// It was good once already.
    #[error("the secret has been used before")]
    Used,
    /// Too late.
    #[error("the secret has expired")]
    Expired,
    /// That it is used now could not be noted, so it might be used again.
    #[error("that the secret is used now cannot be written down")]
    NotNoted,
}

/// The secrets that are out.
#[derive(Debug, Default)]
pub struct OneTimeLogons {
    by_name: HashMap<String, Logon>,
    refused: u64,
}

/// A secret that is out, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logon {
    digest: [u8; 32],
    /// Whose.
    pub session: SessionId,
    connection: ConnectionId,
    expires_at: Timestamp,
    is_void: bool,
}

impl OneTimeLogons {
    /// Makes the secret with which `name` may log on once. An earlier one for the same name is void.
    pub fn issue(
        &mut self,
        name: &str,
        session: SessionId,
        connection: ConnectionId,
        now: Timestamp,
    ) -> (Zeroizing<String>, Timestamp) {
        let mut bytes = Zeroizing::new([0_u8; SECRET_BYTES]);
        SystemRandom::new().fill(bytes.as_mut()).expect("the system's random source works");
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
        let expires_at = now + LOGON_VALID;
        self.forget_old(now);
        let logon = Logon { digest: digest_of(&secret), session, connection, expires_at, is_void: false };
        self.by_name.insert(name.to_owned(), logon);
        (secret, expires_at)
    }

    /// What is out under a name, to be kept where it outlives the agent.
    pub fn get(&self, name: &str) -> Option<&Logon> {
        self.by_name.get(name)
    }

    /// Takes over what an earlier agent gave out.
    pub fn restore(&mut self, name: &str, logon: Logon) {
        self.by_name.insert(name.to_owned(), logon);
    }

    /// Takes a secret in. It works once: a second try, or a try under another name, finds it void. `note`
    /// gets the void logon before the answer is yes, so that it stays void should the agent end there; it
    /// says whether that is certain.
    ///
    /// # Errors
    /// The reason, which is also counted.
    pub fn redeem(
        &mut self,
        name: &str,
        secret: &str,
        now: Timestamp,
        note: impl FnOnce(&Logon) -> bool,
    ) -> Result<(SessionId, ConnectionId), Refused> {
        let outcome = self.check(name, &digest_of(secret), now, note);
        if outcome.is_err() {
            self.refused += 1;
        }
        outcome
    }

    fn check(
        &mut self,
        name: &str,
        given: &[u8; 32],
        now: Timestamp,
        note: impl FnOnce(&Logon) -> bool,
    ) -> Result<(SessionId, ConnectionId), Refused> {
        // Comparing digests of 256-bit secrets leaks nothing that helps to guess one.
        let Some((owner, logon)) = self.by_name.iter_mut().find(|(_, logon)| logon.digest == *given) else {
            let is_expected = self.by_name.contains_key(name);
            let reason = if is_expected { LogonRefusal::WrongSecret } else { LogonRefusal::UnknownName };
            return Err(Refused { reason, owner: None });
        };
        let is_first = !std::mem::replace(&mut logon.is_void, true);
        let is_noted = !is_first || note(logon);
        let reason = match () {
            () if owner != name => LogonRefusal::WrongName,
            () if !is_first => LogonRefusal::Used,
            () if logon.expires_at <= now => LogonRefusal::Expired,
            () if !is_noted => LogonRefusal::NotNoted,
            () => return Ok((logon.session, logon.connection)),
        };
        Err(Refused { reason, owner: Some((logon.session, logon.connection)) })
    }

    /// Takes back what was issued for `name`.
    pub fn revoke(&mut self, name: &str) {
        if let Some(logon) = self.by_name.get_mut(name) {
            logon.is_void = true;
        }
    }

    /// Logons refused since the agent started.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// A void or late secret is remembered for a while, so that the log can tell "used" from "wrong".
    fn forget_old(&mut self, now: Timestamp) {
        self.by_name.retain(|_, logon| logon.expires_at + LOGON_VALID > now);
        if self.by_name.len() >= LOGONS_MAX {
            self.by_name.retain(|_, logon| !logon.is_void);
        }
    }
}

fn digest_of(secret: &str) -> [u8; 32] {
    digest(&SHA256, secret.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> (SessionId, ConnectionId) {
        (SessionId::generate(Timestamp::UNIX_EPOCH), ConnectionId::generate(Timestamp::UNIX_EPOCH))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn redeem(
        logons: &mut OneTimeLogons,
        name: &str,
        secret: &str,
        second: i64,
    ) -> Result<(SessionId, ConnectionId), LogonRefusal> {
        logons.redeem(name, secret, at(second), |_| true).map_err(|refused| refused.reason)
    }

    #[test]
    fn a_secret_works_once() {
        let (session, connection) = ids();
        let mut logons = OneTimeLogons::default();
        let (secret, expires_at) = logons.issue("alice~1", session, connection, at(0));
        assert_eq!((secret.len(), expires_at), (43, at(60)));
        assert_eq!(redeem(&mut logons, "alice~1", &secret, 59), Ok((session, connection)));
        assert_eq!(redeem(&mut logons, "alice~1", &secret, 59), Err(LogonRefusal::Used));
        assert_eq!(logons.refused(), 1);
    }

    #[test]
    fn another_name_burns_it() {
        let (session, connection) = ids();
        let mut logons = OneTimeLogons::default();
        let (secret, _) = logons.issue("alice~1", session, connection, at(0));
        assert_eq!(redeem(&mut logons, "bob~1", &secret, 1), Err(LogonRefusal::WrongName));
        assert_eq!(redeem(&mut logons, "alice~1", &secret, 1), Err(LogonRefusal::Used));
    }

    #[test]
    fn late_wrong_and_unexpected_secrets_are_refused_and_a_wrong_one_burns_nothing() {
        let (session, connection) = ids();
        let mut logons = OneTimeLogons::default();
        let (secret, _) = logons.issue("alice~1", session, connection, at(0));
        assert_eq!(redeem(&mut logons, "alice~1", "guess", 1), Err(LogonRefusal::WrongSecret));
        assert_eq!(redeem(&mut logons, "carol~1", "guess", 1), Err(LogonRefusal::UnknownName));
        assert_eq!(redeem(&mut logons, "alice~1", &secret, 60), Err(LogonRefusal::Expired));
        let (secret, _) = logons.issue("alice~1", session, connection, at(61));
        assert!(redeem(&mut logons, "alice~1", &secret, 62).is_ok());
        assert_eq!(logons.refused(), 3);
    }

    /// What a restarted agent knows, if this one ended now.
    fn restarted(logons: &OneTimeLogons, name: &str) -> OneTimeLogons {
        let kept = serde_json::to_vec(logons.get(name).expect("it is out")).expect("JSON");
        let mut fresh = OneTimeLogons::default();
        fresh.restore(name, serde_json::from_slice(&kept).expect("JSON"));
        fresh
    }

    #[test]
    fn a_restarted_agent_takes_it_once_and_in_time() {
        let (session, connection) = ids();
        let mut logons = OneTimeLogons::default();
        let (secret, _) = logons.issue("alice~1", session, connection, at(0));
        let kept = serde_json::to_string(logons.get("alice~1").expect("it is out")).expect("JSON");
        assert!(!kept.contains(secret.as_str()));
        let late = redeem(&mut restarted(&logons, "alice~1"), "alice~1", &secret, 60);
        assert_eq!(late, Err(LogonRefusal::Expired));
        let mut logons = restarted(&logons, "alice~1");
        assert_eq!(redeem(&mut logons, "alice~1", &secret, 59), Ok((session, connection)));
        let again = redeem(&mut restarted(&logons, "alice~1"), "alice~1", &secret, 59);
        assert_eq!(again, Err(LogonRefusal::Used));
    }

    #[test]
    fn it_is_void_before_the_answer_is_yes_and_refused_where_that_cannot_be_noted() {
        let (session, connection) = ids();
        let mut logons = OneTimeLogons::default();
        let (secret, _) = logons.issue("alice~1", session, connection, at(0));
        let mut noted = None;
        let outcome = logons.redeem("alice~1", &secret, at(1), |logon| {
            noted = Some(logon.is_void);
            false
        });
        assert_eq!((noted, outcome.map_err(|no| no.reason)), (Some(true), Err(LogonRefusal::NotNoted)));
        assert_eq!(redeem(&mut logons, "alice~1", &secret, 1), Err(LogonRefusal::Used));
    }

    #[test]
    fn a_newer_secret_or_a_release_voids_the_older() {
        let (session, connection) = ids();
        let mut logons = OneTimeLogons::default();
        let (first, _) = logons.issue("alice~1", session, connection, at(0));
        let (second, _) = logons.issue("alice~1", session, connection, at(1));
        assert_eq!(redeem(&mut logons, "alice~1", &first, 2), Err(LogonRefusal::WrongSecret));
        logons.revoke("alice~1");
        assert_eq!(redeem(&mut logons, "alice~1", &second, 2), Err(LogonRefusal::Used));
    }
}
