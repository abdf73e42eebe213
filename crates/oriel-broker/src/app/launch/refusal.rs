//! Why a launch was refused, in sentences for the user.

use oriel_rules::placement::Obstacle;
use oriel_wire::v1::RefusalCode;

use crate::{
    app::{session::SessionError, welcome::NotWelcome},
    hosts::HostError,
    http::problem::sentence,
    throttle::TooMany,
};

/// Why a launch was refused, in sentences for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// Not there, or not for this user.
    #[error("this is not (or no longer) published for you")]
    NotFound,
    /// In maintenance; the administrator's message, which may be empty.
    #[error("it is in maintenance: {0}")]
    InMaintenance(String),
    /// Not now, or not with this client.
    #[error(transparent)]
    NotWelcome(#[from] NotWelcome),
    /// It opens on the user's own device, and this client cannot do that.
    #[error("it opens on your own device, by a client that is installed there; a web page cannot do that")]
    OnDevice,
    /// It does not exist for the system of the user's device.
    #[error("it does not exist for the operating system of your device")]
    OtherSystem,
    /// What it opens in is not there; why, as a sentence.
    #[error("{0}")]
    NoApplication(String),
    /// As many use it as may; whom to ask, as a sentence.
    #[error("{0}")]
    LimitReached(String),
    /// No host takes it; why, as a sentence.
    #[error("{0}")]
    NoHost(String),
    /// The hosts that were asked said no; why, as a sentence.
    #[error("{0}")]
    HostRefused(String),
    /// The session to return to does not run any more.
    #[error("the session does not run any more")]
    SessionGone,
    /// The last session of it was told to end and has not yet.
    #[error("its last session is still ending")]
    SessionEnding,
    /// This broker has just started and has not heard from the hosts.
    #[error("the farm is starting: its hosts have not reported yet")]
    Starting,
    /// Too many launches of this user.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The broker failed.
    #[error("the launch failed: {0}")]
    Internal(&'static str),
}

impl From<SessionError> for LaunchError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Gone => Self::SessionGone,
            SessionError::Starting => Self::Starting,
            SessionError::Host(error) => Self::HostRefused(sentence(&error)),
        }
    }
}

/// Whether the session cannot be there any more, or the host cannot be asked for it: then a new one is
/// no second one beside it.
pub(super) fn is_gone(error: &HostError) -> bool {
    matches!(
        error,
        HostError::Refused { code: RefusalCode::UnknownSession, .. }
            | HostError::NotConnected
            | HostError::Lost
    )
}

/// What the hosts that were asked said, as a sentence.
pub(super) fn refused(answers: &[(String, HostError)]) -> LaunchError {
    let said =
        |(name, error): &(String, HostError)| format!("{name}: {}", error.to_string().trim_end_matches('.'));
    let text = match answers {
        [] => "No host was left to ask.".to_owned(),
        [only] => format!("The host did not take the session ({}).", said(only)),
        several => {
            let all: Vec<_> = several.iter().map(said).collect();
            format!("No host took the session ({}).", all.join("; "))
        }
    };
    LaunchError::HostRefused(text)
}

pub(super) fn out_of_reach(host_name: &str, obstacle: &Obstacle) -> String {
    let why = match obstacle {
        Obstacle::Disabled => "which is disabled".to_owned(),
        Obstacle::NotBalanced => "which takes only what names it".to_owned(),
        Obstacle::Unreachable => "which cannot be reached".to_owned(),
        Obstacle::Unhealthy { problem } => format!("which has a fault ({})", problem.trim_end_matches('.')),
        Obstacle::LogonsDisabled => "which refuses logons".to_owned(),
        Obstacle::Draining => "which is draining".to_owned(),
        Obstacle::Full { .. } => "which is full".to_owned(),
    };
    format!("Your session runs on {host_name}, {why}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_sentences_with_the_hosts_own_words() {
        let full = || HostError::Refused { code: RefusalCode::Full, reason: String::new() };
        let own =
            HostError::Refused { code: RefusalCode::NoAccount, reason: "There is no account alice.".into() };
        let text = |answers: &[(String, HostError)]| refused(answers).to_string();
        assert_eq!(
            text(&[("h1".into(), own)]),
            "The host did not take the session (h1: There is no account alice)."
        );
        assert_eq!(
            text(&[("h1".into(), full()), ("h2".into(), HostError::TimedOut)]),
            "No host took the session (h1: the host has all the sessions it may have; h2: the host did not \
             answer within 15 seconds)."
        );
    }

    #[test]
    fn a_session_out_of_reach_is_explained() {
        let obstacle = Obstacle::Unhealthy { problem: "xrdp does not start.".into() };
        assert_eq!(
            out_of_reach("h1", &obstacle),
            "Your session runs on h1, which has a fault (xrdp does not start)."
        );
    }
}
