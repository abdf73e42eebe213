//! One host's part in one time of a schedule: how far it is, and what comes next.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use oriel_model::{
    host::LogonMode,
    schedule::{AtDisable, Drain, Schedule, ScheduledAction},
};

use super::{ABSENT_MAX, Action, HostState, Mark, Outcome, PUNCTUAL, after, minutes, reach};

/// After no new session begins, how long is waited before a host counts as empty: a seat that was
/// promised just before shows by then (a launch takes at most 35 seconds).
const SETTLE: SignedDuration = SignedDuration::from_secs(60);
/// How long sessions take to end that are logged off; those that have not by then go down with the host.
const FORCED: SignedDuration = SignedDuration::from_mins(2);
/// After this long a host that is still up has not done what it was told.
const RETRY: SignedDuration = SignedDuration::from_mins(15);
/// The same for switching on.
const RETRY_START: SignedDuration = SignedDuration::from_mins(5);
/// Then a person must look.
const ATTEMPTS_MAX: u32 = 3;
/// How long after its time a last message is worth sending.
const LATE_MESSAGE: SignedDuration = SignedDuration::from_mins(1);

/// How far it is: what was done, and when first.
#[derive(Debug, Default)]
pub(super) struct Job {
    marks: Vec<(Mark, Timestamp)>,
}

impl Job {
    pub fn take(&mut self, mark: Mark, at: Timestamp) {
        match self.marks.iter_mut().find(|(known, _)| *known == mark) {
            Some((_, first)) => *first = at.min(*first),
            None => self.marks.push((mark, at)),
        }
    }

    fn at(&self, mark: Mark) -> Option<Timestamp> {
        self.marks.iter().find(|(known, _)| *known == mark).map(|(_, at)| *at)
    }

    pub fn is_over(&self) -> bool {
        self.marks.iter().any(|(mark, _)| matches!(mark, Mark::Release { .. }))
    }

    /// Whether anything but a message was done.
    pub fn has_begun(&self) -> bool {
        self.marks.iter().any(|(mark, _)| !matches!(mark, Mark::Message { .. }))
    }

    /// How the host is held back.
    pub fn hold(&self) -> Option<LogonMode> {
        if self.is_over() {
            None
        } else if self.at(Mark::Disable).is_some() {
            Some(LogonMode::Disabled)
        } else {
            self.at(Mark::Drain).map(|_| LogonMode::Drain)
        }
    }

    /// What comes next.
    pub fn next(&self, spec: &Schedule, time: Timestamp, host: HostState, now: Timestamp) -> Vec<Action> {
        if self.is_over() {
            return Vec::new();
        }
        match &spec.action {
            ScheduledAction::Reboot { drain } => self.go_down(spec, drain, true, time, host, now),
            ScheduledAction::Stop { drain } => self.go_down(spec, drain, false, time, host, now),
            ScheduledAction::Disable { duration_minutes, sessions } => {
                self.disable(spec, *duration_minutes, *sessions, time, host, now)
            }
            ScheduledAction::Start {} => self.start(time, host, now),
        }
    }

    /// Whether it may begin now: in time, or late where the schedule is for hosts that were away, too.
    fn may_begin(spec: &Schedule, time: Timestamp, now: Timestamp) -> bool {
        let latest = if spec.also_absent { reach(spec) } else { PUNCTUAL.min(reach(spec)) };
        now < after(time, latest)
    }

    fn go_down(
        &self,
        spec: &Schedule,
        drain: &Drain,
        is_reboot: bool,
        time: Timestamp,
        host: HostState,
        now: Timestamp,
    ) -> Vec<Action> {
        let Some(begun) = self.at(Mark::Drain) else {
            let begins = after(time, -minutes(drain.drain_minutes.unwrap_or(0)));
            // A host that has started since the time needs no restart.
            let is_done = is_reboot && has_booted_since(host, time);
            if !host.is_reachable || is_done || !Self::may_begin(spec, time, now) {
                return Vec::new();
            }
            let message = self.message(spec, time, time.max(now), host, now);
            return (now >= begins).then_some(Action::Drain).into_iter().chain(message).collect();
        };
        if let Some((attempt, ordered)) = self.ordered() {
            return self.after_order(is_reboot, attempt, begun, ordered, host, now);
        }
        let release = |outcome| vec![Action::Release { outcome }];
        if is_reboot && has_booted_since(host, begun) {
            return release(Outcome::Done);
        }
        // Who comes late has the same time to finish.
        let counted_from = time.max(begun);
        if !host.is_reachable {
            let is_lost = now >= after(counted_from, ABSENT_MAX);
            return if is_lost { release(Outcome::GivenUp) } else { Vec::new() };
        }
        let order =
            || vec![if is_reboot { Action::Reboot { attempt: 1 } } else { Action::Stop { attempt: 1 } }];
        if now < after(begun, SETTLE) {
            return self.message(spec, time, counted_from, host, now).into_iter().collect();
        }
        if host.sessions == 0 {
            return order();
        }
        let deadline = drain.force_after_minutes.map(|force| after(counted_from, minutes(force)));
        match (self.at(Mark::ForceLogOff), deadline) {
            (Some(forced), _) if now >= after(forced, FORCED) => order(),
            (Some(_), _) => Vec::new(),
            (None, Some(deadline)) if now >= deadline => vec![Action::ForceLogOff],
            (None, _) => self.message(spec, time, counted_from, host, now).into_iter().collect(),
        }
    }

    /// The last time that the host was told to go down.
    fn ordered(&self) -> Option<(u32, Timestamp)> {
        let orders = self.marks.iter().filter_map(|(mark, at)| match mark {
            Mark::Reboot { attempt } | Mark::Stop { attempt } => Some((*attempt, *at)),
            _ => None,
        });
        orders.max()
    }

    fn after_order(
        &self,
        is_reboot: bool,
        attempt: u32,
        begun: Timestamp,
        ordered: Timestamp,
        host: HostState,
        now: Timestamp,
    ) -> Vec<Action> {
        let release = |outcome| vec![Action::Release { outcome }];
        let since = if is_reboot { begun } else { ordered };
        if host.is_reachable && has_booted_since(host, since) {
            return release(Outcome::Done);
        }
        if now >= after(ordered, ABSENT_MAX) {
            // What was to be off is off; what was to come back has not.
            let is_off = !is_reboot && !host.is_reachable;
            return release(if is_off { Outcome::Done } else { Outcome::GivenUp });
        }
        if !host.is_reachable || now < after(ordered, RETRY) {
            return Vec::new();
        }
        let attempt = attempt + 1;
        match is_reboot {
            _ if attempt > ATTEMPTS_MAX => release(Outcome::GivenUp),
            true => vec![Action::Reboot { attempt }],
            false => vec![Action::Stop { attempt }],
        }
    }

    fn disable(
        &self,
        spec: &Schedule,
        duration_minutes: Option<u32>,
        sessions: AtDisable,
        time: Timestamp,
        host: HostState,
        now: Timestamp,
    ) -> Vec<Action> {
        let begun = self.at(Mark::Disable).or(self.at(Mark::DisableLogons));
        let end_sessions = (sessions != AtDisable::Keep && self.at(Mark::EndSessions).is_none())
            .then_some(Action::EndSessions { how: sessions });
        let Some(begun) = begun else {
            if now < time {
                return self.message(spec, time, time, host, now).into_iter().collect();
            }
            if !host.is_reachable || !Self::may_begin(spec, time, now) {
                return Vec::new();
            }
            let disable = if duration_minutes.is_some() { Action::Disable } else { Action::DisableLogons };
            return [Some(disable), end_sessions].into_iter().flatten().collect();
        };
        let ends = duration_minutes.map(|duration| after(time, minutes(duration)));
        if ends.is_some_and(|ends| now >= ends) {
            return match self.at(Mark::Disable) {
                Some(_) => vec![Action::Release { outcome: Outcome::Done }],
                None => Vec::new(),
            };
        }
        // A host that has gone away right after is told when it is back, but not the day after.
        let is_in_time = now < after(begun, ABSENT_MAX);
        end_sessions.filter(|_| host.is_reachable && is_in_time).into_iter().collect()
    }

    fn start(&self, time: Timestamp, host: HostState, now: Timestamp) -> Vec<Action> {
        let calls = self.marks.iter().filter_map(|(mark, at)| match mark {
            Mark::Start { attempt } => Some((*attempt, *at)),
            _ => None,
        });
        let is_in_time = now >= time && now < after(time, PUNCTUAL);
        match calls.max() {
            None if host.is_reachable || !is_in_time => Vec::new(),
            None => vec![Action::Start { attempt: 1 }],
            Some(_) if host.is_reachable => vec![Action::Release { outcome: Outcome::Done }],
            Some((_, at)) if now < after(at, RETRY_START) => Vec::new(),
            Some((attempt, _)) if attempt < ATTEMPTS_MAX && is_in_time => {
                vec![Action::Start { attempt: attempt + 1 }]
            }
            Some(_) => vec![Action::Release { outcome: Outcome::GivenUp }],
        }
    }

    /// The message that is due: the latest whose time has come. Earlier ones that nobody was there to read,
    /// or that were missed, are left out.
    fn message(
        &self,
        spec: &Schedule,
        time: Timestamp,
        counted_to: Timestamp,
        host: HostState,
        now: Timestamp,
    ) -> Option<Action> {
        if host.sessions == 0 || !host.is_reachable || now >= after(counted_to, LATE_MESSAGE) {
            return None;
        }
        let come =
            spec.messages.iter().filter(|message| now >= after(counted_to, -minutes(message.minutes_before)));
        let due = come.min_by_key(|message| message.minutes_before)?;
        let minutes_before = due.minutes_before;
        if self.at(Mark::Message { minutes_before }).is_some() {
            return None;
        }
        let left = counted_to.duration_since(now).as_secs().max(0);
        let left = (left + 59) / 60;
        let zone = TimeZone::get(&spec.time_zone).unwrap_or(TimeZone::UTC);
        let shown = zone.to_datetime(time.max(counted_to)).strftime("%H:%M").to_string();
        let text = due.text.replace("{minutes}", &left.to_string()).replace("{time}", &shown);
        Some(Action::Message { minutes_before, text })
    }
}

fn has_booted_since(host: HostState, moment: Timestamp) -> bool {
    host.booted_at.is_some_and(|booted| booted > moment)
}
