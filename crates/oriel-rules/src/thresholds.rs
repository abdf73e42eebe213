//! How hosts and sessions stand to their thresholds.

use oriel_model::{
    host::{EffectiveHostSettings, Severity, Threshold},
    session::SessionState,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a host stands, number by number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostSeverity {
    /// CPU in use.
    pub cpu: Severity,
    /// Memory in use.
    pub memory: Severity,
    /// Sessions against the most there may be.
    pub sessions: Severity,
}

impl HostSeverity {
    /// The worst of them.
    pub fn worst(self) -> Severity {
        self.cpu.max(self.memory).max(self.sessions)
    }
}

/// Judges a host. Loads are shares, 0 to 1.
pub fn host(
    settings: &EffectiveHostSettings,
    cpu_load: f32,
    memory_load: f32,
    sessions: u32,
) -> HostSeverity {
    let most = f64::from(settings.max_sessions.max(1));
    HostSeverity {
        cpu: settings.cpu_threshold.judge(percent(cpu_load)),
        memory: settings.memory_threshold.judge(percent(memory_load)),
        sessions: settings.sessions_threshold.judge(f64::from(sessions) / most * 100.0),
    }
}

/// A share in percent, to a tenth: so that 0.8, which no float is, counts as 80.
fn percent(share: f32) -> f64 {
    (f64::from(share) * 1000.0).round() / 10.0
}

/// How a session stands, number by number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionSeverity {
    /// Time without input.
    pub idle: Severity,
    /// Time since it was left.
    pub disconnected: Severity,
    /// Round trip to its client.
    pub round_trip: Severity,
    /// How long its latest logon took.
    pub logon: Severity,
}

impl SessionSeverity {
    /// The worst of them.
    pub fn worst(self) -> Severity {
        self.idle.max(self.disconnected).max(self.round_trip).max(self.logon)
    }
}

/// The numbers of a session, as far as they are known.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionNumbers {
    /// Seconds since the last input.
    pub idle_secs: u64,
    /// Seconds since it was left.
    pub disconnected_secs: Option<u64>,
    /// To the client and back, in milliseconds.
    pub round_trip_ms: Option<f64>,
    /// How long the latest logon took, in milliseconds.
    pub logon_ms: Option<u32>,
}

/// Judges a session.
pub fn session(
    settings: &EffectiveHostSettings,
    state: SessionState,
    numbers: &SessionNumbers,
) -> SessionSeverity {
    let minutes = |seconds: u64| (seconds / 60) as f64;
    let judge = |threshold: Threshold, number: Option<f64>| {
        number.map_or(Severity::Normal, |number| threshold.judge(number))
    };
    match state {
        SessionState::Prepared | SessionState::Ending => SessionSeverity::default(),
        SessionState::Active => SessionSeverity {
            idle: settings.idle_threshold.judge(minutes(numbers.idle_secs)),
            disconnected: Severity::Normal,
            round_trip: judge(settings.round_trip_threshold, numbers.round_trip_ms),
            logon: judge(
                settings.logon_threshold,
                numbers.logon_ms.map(|millis| f64::from(millis) / 1_000.0),
            ),
        },
        SessionState::Disconnected => SessionSeverity {
            disconnected: judge(settings.disconnected_threshold, numbers.disconnected_secs.map(minutes)),
            ..SessionSeverity::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_as_bad_as_its_worst_number() {
        let settings = EffectiveHostSettings { max_sessions: 10, ..Default::default() };
        let check = |cpu, memory, sessions, expected: [Severity; 3], worst| {
            let judged = host(&settings, cpu, memory, sessions);
            assert_eq!([judged.cpu, judged.memory, judged.sessions], expected);
            assert_eq!(judged.worst(), worst);
        };
        use Severity::{Critical, Normal, Warning};
        check(0.1, 0.2, 3, [Normal; 3], Normal);
        check(0.8, 0.2, 3, [Warning, Normal, Normal], Warning);
        check(0.8, 0.951, 10, [Warning, Critical, Critical], Critical);
    }

    #[test]
    fn a_session_is_judged_by_what_its_state_makes_worth_judging() {
        let settings = EffectiveHostSettings {
            idle_threshold: Threshold::new(30, 60),
            disconnected_threshold: Threshold::new(10, 20),
            round_trip_threshold: Threshold::new(150, 400),
            logon_threshold: Threshold::new(10, 30),
            ..Default::default()
        };
        let judge = |state, idle_secs, disconnected_secs| {
            let numbers = SessionNumbers { idle_secs, disconnected_secs, ..SessionNumbers::default() };
            session(&settings, state, &numbers).worst()
        };
        assert_eq!(judge(SessionState::Active, 30 * 60 - 1, None), Severity::Normal);
        assert_eq!(judge(SessionState::Active, 30 * 60, None), Severity::Warning);
        assert_eq!(judge(SessionState::Disconnected, 9_999, Some(60)), Severity::Normal);
        assert_eq!(judge(SessionState::Disconnected, 9_999, Some(20 * 60)), Severity::Critical);
        assert_eq!(judge(SessionState::Prepared, 9_999, Some(9_999)), Severity::Normal);
        let network = |state, round_trip_ms, logon_ms| {
            let numbers = SessionNumbers {
                round_trip_ms: Some(round_trip_ms),
                logon_ms: Some(logon_ms),
                ..SessionNumbers::default()
            };
            let SessionSeverity { round_trip, logon, .. } = session(&settings, state, &numbers);
            [round_trip, logon]
        };
        let [active, left] = [SessionState::Active, SessionState::Disconnected];
        assert_eq!(network(active, 149.9, 9_999), [Severity::Normal; 2]);
        assert_eq!(network(active, 150.0, 30_000), [Severity::Warning, Severity::Critical]);
        assert_eq!(network(left, 999.0, 99_000), [Severity::Normal; 2]);
    }
}
