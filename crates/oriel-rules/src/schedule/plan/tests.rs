use oriel_model::schedule::{ScheduleTarget, ScheduledMessage};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::rules::tests::id;

const T: &str = "2026-11-22T02:00:00Z";

fn time() -> Timestamp {
    T.parse().expect("a moment")
}

/// So many minutes after the time.
fn at(minutes: i64) -> Timestamp {
    time() + SignedDuration::from_mins(minutes)
}

fn schedule(action: ScheduledAction) -> Schedule {
    Schedule {
        enabled: true,
        description: String::new(),
        action,
        target: ScheduleTarget::Hosts { hosts: vec![id(1)] },
        starts_at: "2026-11-22T03:00:00".parse().expect("a time"),
        time_zone: "Europe/Berlin".into(),
        repeat: None,
        messages: Vec::new(),
        also_absent: false,
    }
}

fn reboot(drain_minutes: Option<u32>, force_after_minutes: Option<u32>) -> Schedule {
    schedule(ScheduledAction::Reboot { drain: Drain { drain_minutes, force_after_minutes } })
}

fn host(sessions: u32) -> HostState {
    HostState { is_reachable: true, sessions, booted_at: None }
}

const AWAY: HostState = HostState { is_reachable: false, sessions: 0, booted_at: None };

/// One schedule and one host, carried out step by step.
struct Night {
    spec: Schedule,
    done: Vec<Done>,
}

impl Night {
    fn new(spec: Schedule) -> Self {
        Self { spec, done: Vec::new() }
    }

    /// What is planned so many minutes after the time; it is carried out.
    fn step(&mut self, minutes: i64, host: HostState) -> Vec<Action> {
        let planned = [Planned { id: id(9), spec: &self.spec, hosts: vec![id(1)] }];
        let hosts = HashMap::from([(id(1), host)]);
        let steps = plan(&planned, &hosts, &self.done, at(minutes));
        self.done.extend(steps.iter().map(|step| step.done(at(minutes))));
        steps.into_iter().map(|step| step.action).collect()
    }

    fn hold(&self) -> Option<LogonMode> {
        holds(&self.done).get(&id(1)).map(|hold| hold.mode)
    }
}

fn release(outcome: Outcome) -> Vec<Action> {
    vec![Action::Release { outcome }]
}

#[test]
fn a_host_that_drains_empty_restarts_early_and_is_then_free() {
    let mut night = Night::new(reboot(Some(60), Some(30)));
    assert_eq!(night.step(-61, host(1)), []);
    assert_eq!(night.step(-60, host(1)), [Action::Drain]);
    assert_eq!(night.hold(), Some(LogonMode::Drain));
    assert_eq!(night.step(-40, host(1)), []);
    assert_eq!(night.step(-30, host(0)), [Action::Reboot { attempt: 1 }]);
    assert_eq!(night.step(-29, AWAY), []);
    let back = HostState { booted_at: Some(at(-28)), ..host(0) };
    assert_eq!(night.step(-27, back), release(Outcome::Done));
    assert_eq!(night.hold(), None);
    assert_eq!(night.step(0, back), []);
    assert_eq!(night.step(5, back), []);
}

#[test]
fn a_seat_promised_just_before_the_drain_has_time_to_show() {
    let mut night = Night::new(reboot(Some(60), Some(30)));
    assert_eq!(night.step(-60, host(0)), [Action::Drain]);
    assert_eq!(night.step(-60, host(0)), []);
    assert_eq!(night.step(-59, host(1)), []);
}

#[test]
fn sessions_that_still_run_are_logged_off_at_the_deadline_and_not_before() {
    let mut night = Night::new(reboot(Some(60), Some(30)));
    night.step(-60, host(3));
    assert_eq!(night.step(29, host(3)), []);
    assert_eq!(night.step(30, host(3)), [Action::ForceLogOff]);
    assert_eq!(night.step(31, host(2)), []);
    // One that does not end goes down with the host.
    assert_eq!(night.step(32, host(1)), [Action::Reboot { attempt: 1 }]);
}

#[test]
fn without_a_deadline_the_last_session_is_waited_for() {
    let mut night = Night::new(reboot(None, None));
    assert_eq!(night.step(-1, host(1)), []);
    assert_eq!(night.step(0, host(1)), [Action::Drain]);
    assert_eq!(night.step(60 * 24 * 3, host(1)), []);
    assert_eq!(night.step(60 * 24 * 3 + 1, host(0)), [Action::Reboot { attempt: 1 }]);
}

#[test]
fn each_message_is_sent_once_and_says_what_is_left() {
    let mut spec = reboot(Some(10), Some(30));
    let message = |minutes_before| ScheduledMessage {
        minutes_before,
        text: "Restart at {time}, in {minutes} minutes.".into(),
    };
    spec.messages = vec![message(30), message(5)];
    let mut night = Night::new(spec);
    let texts = |actions: Vec<Action>| -> Vec<String> {
        let text = |action| match action {
            Action::Message { text, .. } => Some(text),
            _ => None,
        };
        actions.into_iter().filter_map(text).collect()
    };
    assert_eq!(texts(night.step(-31, host(1))), [""; 0]);
    assert_eq!(texts(night.step(-30, host(0))), [""; 0], "nobody is there");
    assert_eq!(texts(night.step(-29, host(1))), ["Restart at 03:00, in 29 minutes."]);
    assert_eq!(texts(night.step(-28, host(2))), [""; 0]);
    assert_eq!(texts(night.step(-10, host(2))), [""; 0]);
    assert_eq!(texts(night.step(-5, host(2))), ["Restart at 03:00, in 5 minutes."]);
    assert_eq!(texts(night.step(-4, host(2))), [""; 0]);
}

#[test]
fn of_messages_that_were_missed_only_the_latest_is_sent() {
    let mut spec = reboot(None, None);
    let message = |minutes_before| ScheduledMessage { minutes_before, text: String::new() };
    spec.messages = vec![message(5), message(30)];
    let mut night = Night::new(spec);
    let sent = night.step(-3, host(1));
    assert_eq!(sent, [Action::Message { minutes_before: 5, text: String::new() }]);
    assert_eq!(night.step(-2, host(1)), []);
}

#[test]
fn a_host_that_was_away_is_restarted_when_it_is_back_only_if_that_is_set() {
    let run = |also_absent: bool, back_after: i64, booted_at: Option<Timestamp>| {
        let mut night = Night::new(Schedule { also_absent, ..reboot(None, Some(10)) });
        assert_eq!(night.step(0, AWAY), []);
        night.step(back_after, HostState { booted_at, ..host(1) })
    };
    assert_eq!(run(false, 10, None), [Action::Drain], "it was away for a moment");
    assert_eq!(run(false, 20, None), []);
    assert_eq!(run(true, 20, None), [Action::Drain]);
    assert_eq!(run(true, 60 * 24 + 1, None), []);
    assert_eq!(run(true, 20, Some(at(15))), [], "it has restarted since");
}

#[test]
fn who_comes_late_has_the_same_time_to_finish() {
    let mut night = Night::new(Schedule { also_absent: true, ..reboot(Some(60), Some(10)) });
    assert_eq!(night.step(100, host(1)), [Action::Drain]);
    assert_eq!(night.step(109, host(1)), []);
    assert_eq!(night.step(110, host(1)), [Action::ForceLogOff]);
}

#[test]
fn a_host_that_does_not_restart_is_told_again_and_then_given_up() {
    let mut night = Night::new(reboot(None, Some(0)));
    night.step(0, host(0));
    assert_eq!(night.step(1, host(0)), [Action::Reboot { attempt: 1 }]);
    assert_eq!(night.step(15, host(0)), []);
    assert_eq!(night.step(16, host(0)), [Action::Reboot { attempt: 2 }]);
    assert_eq!(night.step(31, host(0)), [Action::Reboot { attempt: 3 }]);
    assert_eq!(night.step(46, host(0)), release(Outcome::GivenUp));
    assert_eq!(night.hold(), None);
}

#[test]
fn a_host_that_is_stopped_is_held_until_it_is_back() {
    let mut night = Night::new(schedule(ScheduledAction::Stop { drain: Drain::default() }));
    night.step(-60, host(0));
    assert_eq!(night.step(-50, host(0)), [Action::Stop { attempt: 1 }]);
    assert_eq!(night.step(-40, AWAY), []);
    assert_eq!(night.hold(), Some(LogonMode::Drain));
    let back = HostState { booted_at: Some(at(300)), ..host(0) };
    assert_eq!(night.step(301, back), release(Outcome::Done));
}

#[test]
fn logons_are_off_for_as_long_as_is_said_and_sessions_end_as_is_said() {
    let action = ScheduledAction::Disable { duration_minutes: Some(120), sessions: AtDisable::LogOff };
    let mut night = Night::new(schedule(action));
    assert_eq!(night.step(-1, host(2)), []);
    let how = AtDisable::LogOff;
    assert_eq!(night.step(0, host(2)), [Action::Disable, Action::EndSessions { how }]);
    assert_eq!(night.hold(), Some(LogonMode::Disabled));
    assert_eq!(night.step(119, host(0)), []);
    assert_eq!(night.step(120, host(0)), release(Outcome::Done));
    assert_eq!(night.hold(), None);
    assert_eq!(night.step(121, host(0)), []);
}

#[test]
fn logons_that_are_off_for_good_are_so_by_the_hosts_settings() {
    let action = ScheduledAction::Disable { duration_minutes: None, sessions: AtDisable::Keep };
    let mut night = Night::new(schedule(action));
    assert_eq!(night.step(0, host(2)), [Action::DisableLogons]);
    assert_eq!(night.hold(), None);
    assert_eq!(night.step(1, host(2)), []);
}

#[test]
fn a_host_that_is_off_is_started_a_few_times_and_one_that_is_on_is_not() {
    let mut night = Night::new(schedule(ScheduledAction::Start {}));
    assert_eq!(night.step(0, host(0)), []);
    assert_eq!(night.step(1, AWAY), [Action::Start { attempt: 1 }]);
    assert_eq!(night.step(5, AWAY), []);
    assert_eq!(night.step(6, AWAY), [Action::Start { attempt: 2 }]);
    assert_eq!(night.step(20, AWAY), release(Outcome::GivenUp));
    assert_eq!(night.step(21, host(0)), []);

    let mut night = Night::new(schedule(ScheduledAction::Start {}));
    night.step(1, AWAY);
    assert_eq!(night.step(3, host(0)), release(Outcome::Done), "it is there");
    assert_eq!(night.step(4, AWAY), [], "and has gone again by itself");
}

#[test]
fn a_schedule_that_is_changed_meanwhile_lets_its_hosts_go() {
    let check = |change: fn(&mut Schedule)| {
        let mut night = Night::new(reboot(Some(60), None));
        night.step(-30, host(1));
        assert_eq!(night.hold(), Some(LogonMode::Drain));
        change(&mut night.spec);
        assert_eq!(night.step(-20, host(1)), release(Outcome::Withdrawn));
        assert_eq!(night.hold(), None);
        assert_eq!(night.step(-19, host(1)), []);
    };
    check(|spec| spec.enabled = false);
    check(|spec| spec.starts_at = "2026-11-23T03:00:00".parse().expect("a time"));
    // And one that is gone altogether.
    let mut night = Night::new(reboot(Some(60), None));
    night.step(-30, host(1));
    let hosts = HashMap::from([(id(1), host(1))]);
    let steps = plan(&[], &hosts, &night.done, at(-20));
    assert_eq!(steps[0].action, Action::Release { outcome: Outcome::Withdrawn });
}

#[test]
fn a_nightly_restart_waits_for_the_one_of_the_night_before() {
    let mut spec = reboot(Some(60), None);
    spec.repeat = Some("FREQ=DAILY".into());
    let mut night = Night::new(spec);
    assert_eq!(night.step(-60, host(1)), [Action::Drain]);
    assert_eq!(night.step(60 * 24 - 60, host(1)), [], "the first is not over");
    assert_eq!(night.step(60 * 24 - 30, host(0)), [Action::Reboot { attempt: 1 }]);
    let back = HostState { booted_at: Some(at(60 * 24 - 28)), ..host(0) };
    assert_eq!(night.step(60 * 24 - 27, back), release(Outcome::Done));
    assert_eq!(night.step(60 * 24 - 26, back), [Action::Drain], "now it is tonight's turn");
}

#[test]
fn notes_are_forgotten_when_nothing_can_come_of_them() {
    let mut night = Night::new(reboot(Some(60), None));
    night.step(-60, host(1));
    let kept = |night: &Night, minutes| {
        let planned = [Planned { id: id(9), spec: &night.spec, hosts: vec![id(1)] }];
        still_needed(&planned, &night.done, at(minutes)).len()
    };
    assert_eq!(kept(&night, 60 * 24 * 9), 1, "the host is held");
    night.step(10, host(0));
    night.step(12, HostState { booted_at: Some(at(11)), ..host(0) });
    assert_eq!(kept(&night, 60 * 24 + 1), 3);
    assert_eq!(kept(&night, 60 * 24 * 2 + 1), 0);
    assert_eq!(still_needed(&[], &night.done, at(20)), []);
}

/// A host of a simulated night.
#[derive(Debug, Clone, Default)]
struct Machine {
    is_off_until: Option<i64>,
    is_cut_off: bool,
    sessions: u32,
    booted_at: Option<Timestamp>,
    reboots: u32,
    messages: Vec<u32>,
    has_begun: Option<i64>,
}

impl Machine {
    fn state(&self) -> HostState {
        HostState {
            is_reachable: self.is_off_until.is_none() && !self.is_cut_off,
            sessions: self.sessions,
            booted_at: self.booted_at,
        }
    }

    /// A minute goes by; `chance` decides what happens in it.
    fn live(&mut self, minute: i64, chance: u8, is_held: bool) {
        if self.is_off_until == Some(minute) {
            self.is_off_until = None;
            self.booted_at = Some(at(minute));
        }
        if self.is_off_until.is_some() {
            return;
        }
        match chance % 16 {
            0..=2 if !is_held && !self.is_cut_off => self.sessions += 1,
            3..=4 => self.sessions = self.sessions.saturating_sub(1),
            5 if chance > 200 => self.is_cut_off = true,
            6 | 7 => self.is_cut_off = false,
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_night_goes_as_it_must_whatever_happens(
        chances in vec(any::<u8>(), 1_500),
        drain_minutes in proptest::option::of(0u32..90),
        force_after_minutes in proptest::option::of(0u32..90),
        also_absent in any::<bool>(),
        leads in proptest::collection::btree_set(0u32..100, 0..4),
        seed in any::<u64>(),
    ) {
        let mut spec = reboot(drain_minutes, force_after_minutes);
        spec.also_absent = also_absent;
        spec.messages = leads
            .iter()
            .map(|&minutes_before| ScheduledMessage { minutes_before, text: String::new() })
            .collect();
        let mut machines = vec![Machine::default(); 3];
        let mut done: Vec<Done> = Vec::new();
        let ids: Vec<Id<Host>> = (0..3).map(id).collect();
        for minute in -120i64..380 {
            let chance = |index: usize| {
                chances[((minute + 120) as usize * 3 + index).wrapping_add(seed as usize) % chances.len()]
            };
            let held = holds(&done);
            for (index, machine) in machines.iter_mut().enumerate() {
                machine.live(minute, chance(index), held.contains_key(&ids[index]));
            }
            // The broker is down now and then.
            if chance(0) % 7 == 3 {
                continue;
            }
            let planned = [Planned { id: id(9), spec: &spec, hosts: ids.clone() }];
            let hosts: HashMap<_, _> =
                ids.iter().copied().zip(machines.iter().map(Machine::state)).collect();
            let steps = plan(&planned, &hosts, &done, at(minute));
            // Another broker that has the same notes, in whatever order, plans the same.
            let mut shuffled = done.clone();
            shuffled.reverse();
            prop_assert_eq!(&steps, &plan(&planned, &hosts, &shuffled, at(minute)));
            let needed = still_needed(&planned, &done, at(minute));
            prop_assert_eq!(&steps, &plan(&planned, &hosts, &needed, at(minute)));
            for step in &steps {
                let index = ids.iter().position(|id| *id == step.host).expect("one of them");
                let machine = &mut machines[index];
                let is_release = matches!(step.action, Action::Release { .. });
                prop_assert!(machine.is_off_until.is_none() || is_release);
                let begun = machine.has_begun.unwrap_or(minute);
                let deadline = force_after_minutes.map(|force| begun.max(0) + i64::from(force));
                match &step.action {
                    Action::Drain => {
                        prop_assert!(minute >= -i64::from(drain_minutes.unwrap_or(0)));
                        prop_assert!(also_absent || minute < 15, "too late without also_absent");
                        machine.has_begun = Some(minute);
                    }
                    Action::Message { minutes_before, .. } => {
                        prop_assert!(!machine.messages.contains(minutes_before), "told twice");
                        machine.messages.push(*minutes_before);
                    }
                    Action::ForceLogOff => {
                        prop_assert!(deadline.is_some_and(|deadline| minute >= deadline));
                        machine.sessions = machine.sessions.saturating_sub(2);
                    }
                    Action::Reboot { .. } => {
                        let is_past = deadline.is_some_and(|deadline| minute >= deadline);
                        prop_assert!(machine.sessions == 0 || is_past, "sessions before the deadline");
                        prop_assert!(machine.has_begun.is_some());
                        machine.reboots += 1;
                        machine.sessions = 0;
                        machine.is_off_until = Some(minute + 3);
                    }
                    Action::Release { .. } => {}
                    other => prop_assert!(false, "{:?} is not a part of it", other),
                }
                done.push(step.done(at(minute)));
            }
            let again = plan(&planned, &hosts, &done, at(minute));
            prop_assert!(again.is_empty(), "carried out, it is not planned again: {:?}", again);
        }
        for machine in &machines {
            prop_assert!(machine.reboots <= 1);
        }
        // Hours after the deadline, whoever began and could be reached has restarted and is free.
        for (index, machine) in machines.iter().enumerate() {
            if let (Some(begun), Some(_)) = (machine.has_begun, force_after_minutes) {
                let late = begun.max(0) + 90 + 60;
                if late < 380 && !machine.is_cut_off {
                    prop_assert_eq!(machine.reboots, 1, "host {}", index);
                    prop_assert!(!holds(&done).contains_key(&ids[index]));
                }
            }
        }
    }
}
