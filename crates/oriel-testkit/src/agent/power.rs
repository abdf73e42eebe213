//! The simulated machine's power: it restarts, stops, and is woken.

use std::time::{Duration, Instant};

use oriel_model::session::EndReason;
use oriel_wire::v1::{self, agent_reply};

use super::{SimulatedHost, State, end};

/// How long it was up when the test began, in seconds: longer than any test puts the clock forward.
const UP_BEFORE_SECS: u64 = 10_000_000;

/// The machine's power.
#[derive(Default)]
pub(super) struct Power {
    /// Since when it is up; in the future while it restarts, none while it is off.
    up_since: Option<Instant>,
    /// How long it was up at that moment.
    up_before_secs: u64,
    /// How long a restart takes.
    restart: Duration,
    /// How often it has started anew.
    starts: u32,
    /// Why it does not do what it is told; none: it does.
    refusal: Option<String>,
    /// Addresses that it was told to wake.
    pub(super) called: Vec<Vec<u8>>,
}

impl Power {
    pub(super) fn on() -> Self {
        Self {
            up_since: Some(Instant::now()),
            up_before_secs: UP_BEFORE_SECS,
            restart: Duration::from_millis(300),
            ..Self::default()
        }
    }

    pub(super) fn uptime_secs(&self) -> u64 {
        self.up_before_secs + self.up_since.map_or(0, |since| since.elapsed().as_secs())
    }

    fn is_on(&self) -> bool {
        self.up_since.is_some_and(|since| since <= Instant::now())
    }
}

impl SimulatedHost {
    /// How long its restarts take from now on.
    pub fn set_restart_time(&self, restart: Duration) {
        self.state().power.restart = restart;
    }

    /// Refuses to restart and to stop from now on, for this reason; none: it does so again.
    pub fn refuse_power(&self, reason: Option<&str>) {
        self.state().power.refusal = reason.map(str::to_owned);
    }

    /// Whether it is up.
    pub fn is_on(&self) -> bool {
        self.state().power.is_on()
    }

    /// How often it was restarted, or stopped and woken.
    pub fn starts(&self) -> u32 {
        self.state().power.starts
    }

    /// The network addresses that it was told to wake so far.
    pub fn called(&self) -> Vec<Vec<u8>> {
        self.state().power.called.clone()
    }

    /// Its own network address: one for each name.
    pub fn mac_address(&self) -> [u8; 6] {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.name.as_bytes());
        // Locally administered, one station.
        let mut address = [2; 6];
        address[1..].copy_from_slice(&digest.as_ref()[..5]);
        address
    }

    /// Switches it on, as the packet does that wakes it. Nothing happens while it is up.
    pub fn wake(&self) {
        self.change(|state| {
            if state.power.up_since.is_none() {
                state.power.up_since = Some(Instant::now());
                state.power.starts += 1;
            }
        });
    }

    pub(super) fn is_off(&self) -> bool {
        !self.is_on()
    }

    pub(super) fn switch(&self, state: &mut State, action: v1::PowerAction) -> agent_reply::Body {
        if let Some(reason) = &state.power.refusal {
            return super::refused(v1::RefusalCode::NotSupported, reason);
        }
        let up_since = match action {
            v1::PowerAction::Reboot => {
                state.power.starts += 1;
                Some(Instant::now() + state.power.restart)
            }
            v1::PowerAction::Stop => None,
            v1::PowerAction::Unspecified => {
                return super::refused(v1::RefusalCode::BadRequest, "It is neither to restart nor to stop.");
            }
        };
        (state.power.up_since, state.power.up_before_secs) = (up_since, 0);
        let running: Vec<String> = state.sessions.keys().cloned().collect();
        for session in running {
            end(state, &session, EndReason::HostFailed, "the host was restarted");
        }
        agent_reply::Body::Done(v1::Done {})
    }
}
