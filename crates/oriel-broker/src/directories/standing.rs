//! How a directory stood when it was asked last. That it cannot be asked is told once, not with every question.

use jiff::SignedDuration;
use oriel_model::{Id, Timestamp, directory::Directory};
use schemars::JsonSchema;
use serde::Serialize;

use super::Directories;
use crate::{Broker, app::audit::Event, hosts::lock};

/// A directory that was out of reach is asked about nobody who is known before that, so that nobody waits for it.
const REST: SignedDuration = SignedDuration::from_secs(15);
/// The log is told at most this often that the same directory is out of reach.
const TELL_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// Longest reason that is kept, in characters: some servers, with a sentence each.
const REASON_MAX: usize = 2_000;

/// How a directory stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryStanding {
    /// Nobody has asked it since this broker began.
    Unknown,
    /// It answered.
    Answers,
    /// No server of it could be asked.
    OutOfReach,
}

/// How a directory stood when this broker asked it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DirectoryState {
    /// How.
    pub standing: DirectoryStanding,
    /// When; none: never.
    pub asked_at: Option<Timestamp>,
    /// Why it could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip)]
    told_at: Option<Timestamp>,
    /// Whether the log's last word is that it is out of reach.
    #[serde(skip)]
    is_told: bool,
}

impl Default for DirectoryState {
    fn default() -> Self {
        let standing = DirectoryStanding::Unknown;
        Self { standing, asked_at: None, why: None, told_at: None, is_told: false }
    }
}

impl DirectoryState {
    /// Takes in how it went; whether the log is to be told.
    fn take_in(&mut self, outcome: Result<(), &str>, now: Timestamp) -> bool {
        self.asked_at = Some(now);
        match outcome {
            Ok(()) => {
                self.standing = DirectoryStanding::Answers;
                self.why = None;
                std::mem::take(&mut self.is_told)
            }
            Err(why) => {
                self.standing = DirectoryStanding::OutOfReach;
                self.why = Some(why.chars().take(REASON_MAX).collect());
                let is_quiet = |told: Timestamp| now.duration_since(told).abs() >= TELL_AGAIN;
                let tells = !self.is_told && self.told_at.is_none_or(is_quiet);
                if tells {
                    (self.told_at, self.is_told) = (Some(now), true);
                }
                tells
            }
        }
    }
}

impl Directories {
    /// How a directory stood last.
    pub fn standing(&self, id: Id<Directory>) -> DirectoryState {
        lock(&self.standings).get(&id).cloned().unwrap_or_default()
    }

    /// Whether it is not to be asked about people who are known: it has just been out of reach.
    pub(super) fn rests(&self, id: Id<Directory>, now: Timestamp) -> bool {
        let standings = lock(&self.standings);
        standings.get(&id).is_some_and(|last| {
            last.standing == DirectoryStanding::OutOfReach
                && last.asked_at.is_some_and(|at| now.duration_since(at).abs() < REST)
        })
    }

    /// Asks it anew at the next occasion: its settings are others.
    pub(super) fn forget_standing(&self, id: Id<Directory>) {
        if let Some(standing) = lock(&self.standings).get_mut(&id) {
            standing.standing = DirectoryStanding::Unknown;
        }
    }

    fn take_in(&self, id: Id<Directory>, outcome: Result<(), &str>, now: Timestamp) -> bool {
        lock(&self.standings).entry(id).or_default().take_in(outcome, now)
    }

    /// Forgets those that are no more.
    pub(super) fn keep_only(&self, is_there: impl Fn(Id<Directory>) -> bool) {
        lock(&self.standings).retain(|id, _| is_there(*id));
    }
}

/// Notes how asking a directory went.
pub(super) fn note(broker: &Broker, id: Id<Directory>, outcome: Result<(), &str>) {
    if !broker.directories.take_in(id, outcome, broker.now()) {
        return;
    }
    match outcome {
        Ok(()) => broker.record(&Event::DirectoryAnswers { directory: id }),
        Err(why) => broker.record(&Event::DirectoryOutOfReach { directory: id, why }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_a_directory_is_out_of_reach_is_told_once_and_so_is_its_return() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let mut standing = DirectoryState::default();
        assert!(!standing.take_in(Ok(()), at(0)));
        assert!(standing.take_in(Err("dc1 does not answer"), at(1)));
        assert!(!standing.take_in(Err("dc1 does not answer"), at(1_000)));
        assert_eq!(standing.why.as_deref(), Some("dc1 does not answer"));
        assert!(standing.take_in(Ok(()), at(1_001)) && standing.why.is_none());
        // One that comes and goes does not fill the log.
        assert!(standing.take_in(Err("x"), at(1_002)) && standing.take_in(Ok(()), at(1_003)));
        assert!(!standing.take_in(Err("x"), at(1_004)) && !standing.take_in(Ok(()), at(1_005)));
    }

    #[test]
    fn whoever_is_known_does_not_wait_for_one_that_is_out_of_reach() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let (directories, id) = (Directories::default(), Id::generate(at(0)));
        assert!(!directories.rests(id, at(0)));
        directories.take_in(id, Err("x"), at(0));
        assert!(directories.rests(id, at(14)) && !directories.rests(id, at(15)));
        directories.forget_standing(id);
        assert!(!directories.rests(id, at(1)));
    }
}
