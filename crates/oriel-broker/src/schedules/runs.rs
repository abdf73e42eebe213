//! How the times of schedules went: the latest of each schedule, kept with the notes of what was done.

use std::collections::BTreeMap;

use oriel_model::{Id, Timestamp, host::Host, schedule::Schedule};
use oriel_rules::schedule::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most times that are kept of a schedule: a month of nights.
const RUNS_MAX: usize = 31;
/// Most hosts whose trouble a time tells: who has more looks at the first ones, and the counts say how many.
const PROBLEMS_MAX: usize = 20;
/// Longest text of one, in characters: an agent's complaint has 300 at most, and some words before it.
const PROBLEM_MAX: usize = 500;

/// How one time of a schedule went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Which time.
    pub occurrence: Timestamp,
    /// When the latest host was through, or in trouble.
    pub at: Timestamp,
    /// How many hosts went as planned.
    pub done: u32,
    /// How many did not do what they were told, or were away for too long.
    pub given_up: u32,
    /// For how many it was withdrawn.
    pub withdrawn: u32,
    /// What went wrong, one entry for a host: its latest trouble, also where a later attempt went well.
    pub problems: Vec<RunProblem>,
}

/// What went wrong with one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunProblem {
    /// The host.
    pub host: Id<Host>,
    /// Its name at that time.
    pub host_name: String,
    /// What it was.
    pub text: String,
}

/// The runs of all schedules, each schedule's newest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Runs(BTreeMap<Id<Schedule>, Vec<Run>>);

impl Runs {
    /// A host is through.
    pub(super) fn note(
        &mut self,
        schedule: Id<Schedule>,
        occurrence: Timestamp,
        host: (Id<Host>, &str),
        outcome: Outcome,
        at: Timestamp,
    ) {
        let Some(run) = self.run(schedule, occurrence, at) else { return };
        match outcome {
            Outcome::Done => run.done += 1,
            Outcome::Withdrawn => run.withdrawn += 1,
            Outcome::GivenUp => {
                run.given_up += 1;
                if !run.problems.iter().any(|problem| problem.host == host.0) {
                    run.complain(host, "it did not do what it was told, or was away for too long");
                }
            }
        }
    }

    /// A host is in trouble.
    pub(super) fn complain(
        &mut self,
        schedule: Id<Schedule>,
        occurrence: Timestamp,
        host: (Id<Host>, &str),
        text: &str,
        at: Timestamp,
    ) {
        if let Some(run) = self.run(schedule, occurrence, at) {
            run.complain(host, text);
        }
    }

    /// Those of a schedule, newest first.
    pub(super) fn of(&self, schedule: Id<Schedule>) -> &[Run] {
        self.0.get(&schedule).map_or(&[], Vec::as_slice)
    }

    /// Forgets schedules that are gone; says whether there were any.
    pub(super) fn retain(&mut self, is_known: impl Fn(Id<Schedule>) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|id, _| is_known(*id));
        self.0.len() != before
    }

    /// The run of a time, begun if need be; none where it is older than all that are kept.
    fn run(&mut self, schedule: Id<Schedule>, occurrence: Timestamp, at: Timestamp) -> Option<&mut Run> {
        let runs = self.0.entry(schedule).or_default();
        let index = match runs.binary_search_by(|run| occurrence.cmp(&run.occurrence)) {
            Ok(index) => index,
            Err(index) => {
                let fresh = Run { occurrence, at, done: 0, given_up: 0, withdrawn: 0, problems: Vec::new() };
                runs.insert(index, fresh);
                runs.truncate(RUNS_MAX);
                index
            }
        };
        let run = runs.get_mut(index)?;
        run.at = run.at.max(at);
        Some(run)
    }
}

impl Run {
    fn complain(&mut self, (host, host_name): (Id<Host>, &str), text: &str) {
        let text: String = text.chars().take(PROBLEM_MAX).collect();
        match self.problems.iter().position(|problem| problem.host == host) {
            Some(index) => self.problems[index].text = text,
            None if self.problems.len() < PROBLEMS_MAX => {
                self.problems.push(RunProblem { host, host_name: host_name.to_owned(), text });
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<T>(number: u32) -> Id<T> {
        format!("00000000-0000-7000-8000-{number:012}").parse().expect("an id")
    }

    fn day(number: i64) -> Timestamp {
        Timestamp::from_second(number * 86_400).expect("a moment")
    }

    #[test]
    fn a_month_of_nights_is_kept_newest_first_and_one_that_ends_late_finds_its_place() {
        let mut runs = Runs::default();
        for night in (0..100).filter(|night| *night != 90) {
            runs.note(id(1), day(night), (id(2), "h"), Outcome::Done, day(night));
        }
        runs.note(id(1), day(90), (id(2), "h"), Outcome::GivenUp, day(100));
        runs.note(id(1), day(3), (id(2), "h"), Outcome::Done, day(100));
        let kept = runs.of(id(1));
        assert_eq!(kept.len(), RUNS_MAX);
        assert!(kept.is_sorted_by(|newer, older| newer.occurrence > older.occurrence));
        assert_eq!((kept[0].occurrence, kept[9].given_up, kept[9].at), (day(99), 1, day(100)));
        assert_eq!(kept[30].occurrence, day(69));
        assert_eq!(runs.of(id(9)), []);
        assert!(runs.retain(|schedule| schedule != id(1)));
        assert_eq!(runs.of(id(1)), []);
    }

    #[test]
    fn the_latest_trouble_of_a_host_is_told_and_of_many_hosts_some() {
        let mut runs = Runs::default();
        runs.complain(id(1), day(1), (id(2), "h2"), &"long".repeat(1_000), day(1));
        runs.complain(id(1), day(1), (id(2), "h2"), "no power", day(1));
        runs.note(id(1), day(1), (id(2), "h2"), Outcome::GivenUp, day(1));
        for host in 3..100 {
            runs.note(id(1), day(1), (id(host), "h"), Outcome::GivenUp, day(1));
        }
        let run = &runs.of(id(1))[0];
        assert_eq!((run.given_up, run.problems.len()), (98, PROBLEMS_MAX));
        assert_eq!((run.problems[0].host_name.as_str(), run.problems[0].text.as_str()), ("h2", "no power"));
        assert!(run.problems[1].text.contains("away"));
    }
}
