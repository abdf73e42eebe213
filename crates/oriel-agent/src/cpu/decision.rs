//! Which processes get a lower priority, and which get theirs back. A plain function of what was measured
//! and what time it is.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use oriel_model::host::CpuOptimisation;

use crate::proc::ProcessId;

/// By how much a process is lowered, on the scale of nice(1), where more is less. A tenth of the CPU goes to
/// it beside one that was left alone, and all of it where nobody else wants any.
const LOWERED_BY: i32 = 10;
/// The end of that scale.
const LOWEST: i32 = 19;
/// A process that takes less than this share of one CPU slows nobody, whatever the others take. On a crowded
/// host the heaviest get little each, so it is not more: thirty to a CPU are still above it.
const SHARE_MIN: f32 = 0.03;
/// Measurements fade with this time: a moment's burst is none, and what lasts counts within seconds.
const FADE: Duration = Duration::from_secs(2);

/// The priority that one becomes when it is lowered.
pub fn lowered(priority: i32) -> i32 {
    (priority + LOWERED_BY).min(LOWEST)
}

/// What was measured of one process.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Which.
    pub process: ProcessId,
    /// Number of its parent.
    pub parent: u32,
    /// Name of its program's file.
    pub name: String,
    /// Share of one CPU since the last measurement; more with several threads.
    pub share: f32,
    /// Its priority, as nice(1) counts.
    pub priority: i32,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Gets a lower priority than this, which it has: [`lowered`].
    pub lower: Vec<(ProcessId, i32)>,
    /// Gets back this priority, which it had.
    pub restore: Vec<(ProcessId, i32)>,
}

/// What is known from one measurement to the next.
#[derive(Debug, Default)]
pub struct Optimiser {
    last: Option<Duration>,
    load: f32,
    /// Since when the host is on the present side of its threshold.
    side: Option<Side>,
    processes: HashMap<ProcessId, Process>,
    lowered: BTreeMap<ProcessId, i32>,
}

#[derive(Debug, Clone, Copy)]
struct Side {
    is_busy: bool,
    since: Duration,
}

#[derive(Debug, Default)]
struct Process {
    share: f32,
    above_since: Option<Duration>,
    below_since: Option<Duration>,
}

impl Optimiser {
    /// What has a lower priority now, with the one that it had.
    pub fn lowered(&self) -> &BTreeMap<ProcessId, i32> {
        &self.lowered
    }

    /// Decides. `load` is the share of all CPUs that is in use, 0 to 1; `now` counts from any moment.
    pub fn step(&mut self, settings: &CpuOptimisation, load: f32, samples: &[Sample], now: Duration) -> Plan {
        if !settings.enabled {
            *self = Self { lowered: std::mem::take(&mut self.lowered), ..Self::default() };
            return self.restore(|_| true);
        }
        self.adopt_children(samples);
        self.measure(load, samples, now);
        let is_excluded = |sample: &Sample| settings.excluded.contains(&sample.name);
        let candidates: Vec<&Sample> = samples.iter().filter(|sample| !is_excluded(sample)).collect();
        let is_busy = self.load * 100.0 >= settings.above_percent as f32;
        let side = self.side.filter(|side| side.is_busy == is_busy).unwrap_or(Side { is_busy, since: now });
        self.side = Some(side);
        let patience = Duration::from_secs(settings.after_secs.into());
        let has_lasted = |since: Option<Duration>| since.is_some_and(|since| now - since >= patience);

        let share = |process: &ProcessId| self.processes.get(process).map_or(0.0, |known| known.share);
        let busiest = candidates.iter().map(|sample| share(&sample.process)).fold(0.0, f32::max);
        let part = |percent: u32| busiest * percent as f32 / 100.0;
        let (critical, idle) = (part(settings.critical_percent).max(SHARE_MIN), part(settings.idle_percent));
        for known in self.processes.values_mut() {
            let since = |is_so: bool, before: Option<Duration>| is_so.then(|| before.unwrap_or(now));
            known.above_since = since(known.share >= critical, known.above_since);
            known.below_since = since(known.share < idle || known.share < SHARE_MIN, known.below_since);
        }

        // What is no longer a session's, or is to be left alone since, gets its priority back at once.
        let may_stay: Vec<ProcessId> = candidates.iter().map(|sample| sample.process).collect();
        let is_calm = !is_busy && has_lasted(Some(side.since));
        let is_idle = |process: &ProcessId| {
            self.processes.get(process).is_some_and(|known| has_lasted(known.below_since))
        };
        let back: Vec<ProcessId> = self
            .lowered
            .keys()
            .filter(|process| is_calm || !may_stay.contains(process) || is_idle(process))
            .copied()
            .collect();
        let mut plan = self.restore(|process| back.contains(process));
        if is_busy && has_lasted(Some(side.since)) {
            for sample in candidates {
                let process = sample.process;
                let is_heavy =
                    self.processes.get(&process).is_some_and(|known| has_lasted(known.above_since));
                if is_heavy && sample.priority < LOWEST && !self.lowered.contains_key(&process) {
                    self.lowered.insert(process, sample.priority);
                    plan.lower.push((process, sample.priority));
                }
            }
        }
        plan
    }

    /// A process that was started by one with a lower priority has it from there, and gets it back with it.
    fn adopt_children(&mut self, samples: &[Sample]) {
        for sample in samples {
            if self.lowered.contains_key(&sample.process) {
                continue;
            }
            let parent = self.lowered.iter().find(|(process, _)| process.pid == sample.parent);
            if let Some((_, priority)) = parent.filter(|(_, priority)| lowered(**priority) == sample.priority)
            {
                self.lowered.insert(sample.process, *priority);
            }
        }
    }

    fn measure(&mut self, load: f32, samples: &[Sample], now: Duration) {
        let passed = self.last.map_or(Duration::ZERO, |last| now.saturating_sub(last));
        self.last = Some(now);
        let weight = 1.0 - (-passed.as_secs_f32() / FADE.as_secs_f32()).exp();
        let faded = |before: f32, now: f32| before + (now - before) * weight;
        self.load = faded(self.load, load);
        let mut before = std::mem::take(&mut self.processes);
        for sample in samples {
            let mut known = before.remove(&sample.process).unwrap_or_default();
            known.share = faded(known.share, sample.share);
            self.processes.insert(sample.process, known);
        }
    }

    fn restore(&mut self, which: impl Fn(&ProcessId) -> bool) -> Plan {
        let (back, stay) =
            std::mem::take(&mut self.lowered).into_iter().partition(|(process, _)| which(process));
        self.lowered = stay;
        let back: BTreeMap<ProcessId, i32> = back;
        Plan { lower: Vec::new(), restore: back.into_iter().collect() }
    }
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
