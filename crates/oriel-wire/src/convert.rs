//! Between wire messages and the nouns of `oriel-model`.

use oriel_model::{
    Timestamp,
    host::{AccountMode, EffectiveHostSettings, Linger, LogonMode},
    resource::Window,
    session::SessionState,
};

use crate::v1;

impl From<LogonMode> for v1::LogonMode {
    fn from(mode: LogonMode) -> Self {
        match mode {
            LogonMode::Enabled => v1::LogonMode::Enabled,
            LogonMode::Disabled => v1::LogonMode::Disabled,
            LogonMode::Drain => v1::LogonMode::Drain,
            LogonMode::DrainUntilReboot => v1::LogonMode::DrainUntilReboot,
        }
    }
}

impl From<v1::LogonMode> for LogonMode {
    fn from(mode: v1::LogonMode) -> Self {
        match mode {
            v1::LogonMode::Enabled => LogonMode::Enabled,
            v1::LogonMode::Disabled => LogonMode::Disabled,
            v1::LogonMode::Drain => LogonMode::Drain,
            v1::LogonMode::DrainUntilReboot => LogonMode::DrainUntilReboot,
        }
    }
}

impl From<SessionState> for v1::SessionState {
    fn from(state: SessionState) -> Self {
        match state {
            SessionState::Prepared => v1::SessionState::Prepared,
            SessionState::Active => v1::SessionState::Active,
            SessionState::Disconnected => v1::SessionState::Disconnected,
            SessionState::Ending => v1::SessionState::Ending,
        }
    }
}

impl From<v1::SessionState> for SessionState {
    fn from(state: v1::SessionState) -> Self {
        match state {
            v1::SessionState::Prepared => SessionState::Prepared,
            v1::SessionState::Active => SessionState::Active,
            v1::SessionState::Disconnected => SessionState::Disconnected,
            v1::SessionState::Ending => SessionState::Ending,
        }
    }
}

impl From<Window> for v1::WindowState {
    fn from(window: Window) -> Self {
        match window {
            Window::Maximised => v1::WindowState::Maximised,
            Window::Normal => v1::WindowState::Normal,
            Window::Minimised => v1::WindowState::Minimised,
            Window::FullScreen => v1::WindowState::FullScreen,
        }
    }
}

impl From<v1::WindowState> for Window {
    fn from(window: v1::WindowState) -> Self {
        match window {
            v1::WindowState::Maximised => Window::Maximised,
            v1::WindowState::Normal => Window::Normal,
            v1::WindowState::Minimised => Window::Minimised,
            v1::WindowState::FullScreen => Window::FullScreen,
        }
    }
}

/// What a broker tells an agent of its host.
pub fn host_settings(
    settings: &EffectiveHostSettings,
    enabled: bool,
    logon_mode: LogonMode,
    revision: u64,
) -> v1::HostSettings {
    v1::HostSettings {
        max_sessions: settings.max_sessions,
        linger_disconnect_secs: linger_secs(settings.linger_disconnect_secs),
        linger_logoff_secs: linger_secs(settings.linger_logoff_secs),
        readiness_timeout_secs: settings.readiness_timeout_secs,
        idle_disconnect_minutes: settings.idle_disconnect_minutes,
        disconnected_logoff_minutes: settings.disconnected_logoff_minutes,
        create_accounts: settings.accounts == AccountMode::Create,
        logon_mode: v1::LogonMode::from(logon_mode).into(),
        enabled,
        logon_mode_revision: revision,
        cpu_optimisation: Some(v1::CpuOptimisation {
            enabled: settings.cpu_optimisation.enabled,
            above_percent: settings.cpu_optimisation.above_percent,
            critical_percent: settings.cpu_optimisation.critical_percent,
            idle_percent: settings.cpu_optimisation.idle_percent,
            after_secs: settings.cpu_optimisation.after_secs,
            excluded: settings.cpu_optimisation.excluded.clone(),
        }),
    }
}

/// What stands for never among seconds; settings know no such length.
const NEVER_SECS: u32 = u32::MAX;

fn linger_secs(linger: Linger) -> u32 {
    match linger {
        Linger::Secs(secs) => secs,
        Linger::Never => NEVER_SECS,
    }
}

/// How long a session without a program is kept.
pub fn linger(secs: u32) -> Linger {
    if secs == NEVER_SECS { Linger::Never } else { Linger::Secs(secs) }
}

/// Milliseconds since the Unix epoch as a moment; the epoch itself where a peer sent nonsense.
pub fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
