//! The steps of a logon, from what broker, gateway and host measured, each by its own clock. Only lengths of
//! time are put together, never moments of different machines.

use oriel_model::logon::{LaunchTimes, LogonSteps};

/// Nobody waits for a step for longer than this, in milliseconds: what says so is wrong.
pub const STEP_MAX_MS: u32 = 600_000;

/// What was measured of one logon. None: it has not come to that, or nobody says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// At the broker.
    pub launch: Option<LaunchTimes>,
    /// At the gateway, since the client's arrival: until it had reached the host.
    pub host_reached_ms: Option<u32>,
    /// Until the logon had gone to the host.
    pub logon_sent_ms: Option<u32>,
    /// Until a picture had gone to the client.
    pub first_picture_ms: Option<u32>,
    /// On the host: how long the logon took there.
    pub on_host_ms: Option<u32>,
}

/// The steps. Host and session's picture run in parallel towards the end, so a host is never said to have
/// taken longer than the user waited, and what is left is the picture's.
pub fn steps(measured: &Measured) -> LogonSteps {
    let bounded = |millis: Option<u32>| millis.map(|millis| millis.min(STEP_MAX_MS));
    let Measured { launch, .. } = *measured;
    let connect = bounded(measured.logon_sent_ms);
    let waited = connect.zip(bounded(measured.first_picture_ms));
    let waited = waited.map(|(connect, picture)| picture.saturating_sub(connect));
    let on_host = bounded(measured.on_host_ms).filter(|_| connect.is_some());
    let on_host = on_host.map(|on_host| waited.map_or(on_host, |waited| on_host.min(waited)));
    let picture = waited.map(|waited| waited - on_host.unwrap_or(0));
    let brokering = bounded(launch.map(|launch| launch.brokering_ms));
    let prepare = bounded(launch.map(|launch| launch.prepare_ms));
    let all = [brokering, prepare, connect, on_host, picture];
    LogonSteps {
        brokering_ms: brokering,
        prepare_ms: prepare,
        connect_ms: connect,
        host_reached_ms: bounded(measured.host_reached_ms)
            .map(|reached| reached.min(connect.unwrap_or(reached))),
        host_logon_ms: on_host,
        first_picture_ms: picture,
        total_ms: picture.map(|_| all.into_iter().flatten().sum()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Measured = Measured {
        launch: Some(LaunchTimes { brokering_ms: 3, prepare_ms: 40 }),
        host_reached_ms: Some(20),
        logon_sent_ms: Some(120),
        first_picture_ms: Some(1_120),
        on_host_ms: Some(700),
    };

    /// Brokering, prepare, connect, host logon, first picture; all.
    fn shown(measured: Measured) -> ([Option<u32>; 5], Option<u32>) {
        let LogonSteps {
            brokering_ms,
            prepare_ms,
            connect_ms,
            host_logon_ms,
            first_picture_ms,
            total_ms,
            ..
        } = steps(&measured);
        ([brokering_ms, prepare_ms, connect_ms, host_logon_ms, first_picture_ms], total_ms)
    }

    #[test]
    fn the_steps_add_up_to_what_the_user_waited() {
        assert_eq!(shown(WHOLE), ([Some(3), Some(40), Some(120), Some(700), Some(300)], Some(1_163)));
        assert_eq!(steps(&WHOLE).host_reached_ms, Some(20));
        // The picture was there before the host had finished.
        let quick = Measured { on_host_ms: Some(1_400), ..WHOLE };
        assert_eq!(shown(quick), ([Some(3), Some(40), Some(120), Some(1_000), Some(0)], Some(1_163)));
        // A host without a word of its own.
        let silent = Measured { on_host_ms: None, ..WHOLE };
        assert_eq!(shown(silent), ([Some(3), Some(40), Some(120), None, Some(1_000)], Some(1_163)));
    }

    #[test]
    fn what_has_not_come_yet_is_none() {
        assert_eq!(shown(Measured::default()), ([None; 5], None));
        let connecting = Measured { logon_sent_ms: None, first_picture_ms: None, ..WHOLE };
        assert_eq!(shown(connecting), ([Some(3), Some(40), None, None, None], None));
        let black = Measured { first_picture_ms: None, ..WHOLE };
        assert_eq!(shown(black), ([Some(3), Some(40), Some(120), Some(700), None], None));
    }

    #[test]
    fn what_cannot_be_is_bounded() {
        let most = Some(u32::MAX);
        let times = LaunchTimes { brokering_ms: u32::MAX, prepare_ms: u32::MAX };
        let liars = Measured {
            launch: Some(times),
            host_reached_ms: most,
            logon_sent_ms: most,
            first_picture_ms: most,
            on_host_ms: most,
        };
        let (all, total) = shown(liars);
        assert!(all.into_iter().flatten().all(|step| step <= STEP_MAX_MS), "{all:?}");
        assert_eq!(total, Some(3 * STEP_MAX_MS));
        // A picture before the logon.
        let backwards = Measured { first_picture_ms: Some(1), ..WHOLE };
        assert_eq!(shown(backwards), ([Some(3), Some(40), Some(120), Some(0), Some(0)], Some(163)));
        assert_eq!(steps(&Measured { host_reached_ms: most, ..WHOLE }).host_reached_ms, Some(120));
    }
}
