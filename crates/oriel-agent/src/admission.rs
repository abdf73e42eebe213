//! Whether the host takes one more session. The broker proposes; this is the host's yes or no.

use oriel_model::host::LogonMode;

use crate::host::{Refusal, RefusalKind};

/// What the decision looks at.
#[derive(Debug, Clone, Copy)]
pub struct Admission<'a> {
    /// Whether the host is in use at all.
    pub is_enabled: bool,
    /// The logon mode in force.
    pub mode: LogonMode,
    /// Most sessions at a time.
    pub max_sessions: u32,
    /// Sessions and promised seats now, without the one asked for.
    pub sessions: usize,
    /// Whether the session exists already.
    pub is_reconnect: bool,
    /// What is wrong with the session software, if anything.
    pub problem: Option<&'a str>,
}

/// Says yes, or no with the reason.
///
/// # Errors
/// The refusal to send to the broker.
pub fn admit(host: Admission<'_>) -> Result<(), Refusal> {
    if let Some(problem) = host.problem {
        return Err(Refusal::new(RefusalKind::Unhealthy, problem));
    }
    if !host.is_enabled || host.mode == LogonMode::Disabled {
        return Err(Refusal::new(RefusalKind::LogonsDisabled, "this host takes no logons"));
    }
    if host.is_reconnect {
        return Ok(());
    }
    if matches!(host.mode, LogonMode::Drain | LogonMode::DrainUntilReboot) {
        return Err(Refusal::new(RefusalKind::Draining, "this host is being drained"));
    }
    if host.sessions >= host.max_sessions as usize {
        let reason = format!("this host is full: {} of {} sessions", host.sessions, host.max_sessions);
        return Err(Refusal::new(RefusalKind::Full, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_admits_by_mode_and_room() {
        let open = Admission {
            is_enabled: true,
            mode: LogonMode::Enabled,
            max_sessions: 2,
            sessions: 1,
            is_reconnect: false,
            problem: None,
        };
        let check = |host: Admission<'_>, expected: Option<RefusalKind>| {
            assert_eq!(admit(host).err().map(|refusal| refusal.kind), expected, "{host:?}");
        };
        check(open, None);
        check(Admission { sessions: 2, ..open }, Some(RefusalKind::Full));
        check(Admission { sessions: 2, is_reconnect: true, ..open }, None);
        check(Admission { mode: LogonMode::Drain, ..open }, Some(RefusalKind::Draining));
        check(Admission { mode: LogonMode::DrainUntilReboot, ..open }, Some(RefusalKind::Draining));
        check(Admission { mode: LogonMode::Drain, is_reconnect: true, ..open }, None);
        check(
            Admission { mode: LogonMode::Disabled, is_reconnect: true, ..open },
            Some(RefusalKind::LogonsDisabled),
        );
        check(Admission { is_enabled: false, ..open }, Some(RefusalKind::LogonsDisabled));
        check(Admission { problem: Some("xrdp is down"), ..open }, Some(RefusalKind::Unhealthy));
    }
}
