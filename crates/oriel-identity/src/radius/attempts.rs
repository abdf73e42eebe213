//! When one server is asked, asked again, and given up.

use std::time::{Duration, Instant};

use super::error::{Dropped, Failure};

/// How often to ask, and how long to wait each time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub timeout: Duration,
    pub retries: u32,
}

/// Asking one server one thing.
pub(super) struct Attempts {
    pace: Pace,
    began: Instant,
    sent: u32,
    dropped: Option<Dropped>,
    is_refused: bool,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send the request, the first time or again.
    Send,
    /// Wait for an answer, at most until then.
    Wait(Instant),
    /// No answer will come any more.
    GiveUp(Failure),
}

impl Attempts {
    pub fn begin(pace: Pace, now: Instant) -> Self {
        Self { pace, began: now, sent: 0, dropped: None, is_refused: false }
    }

    pub fn step(&mut self, now: Instant) -> Step {
        let due = self.began + self.pace.timeout * self.sent;
        let is_last = self.sent > self.pace.retries;
        if is_last && (self.is_refused || now >= due) {
            return Step::GiveUp(self.failure(now.min(due)));
        }
        if now < due {
            return Step::Wait(due);
        }
        self.sent += 1;
        self.is_refused = false;
        Step::Send
    }

    /// Something came that is no answer. It may be a forger's, so the wait goes on. Says whether it is the
    /// first, which is worth a line in the log.
    pub fn dropped(&mut self, why: Dropped) -> bool {
        self.dropped.replace(why).is_none()
    }

    /// The server's machine says that nobody listens. It may be starting, so the question is repeated as
    /// often as it would have been, and only the last wait is saved.
    pub fn refused(&mut self) {
        self.is_refused = true;
    }

    fn failure(&self, until: Instant) -> Failure {
        let waited = until - self.began;
        match self.dropped {
            Some(why) => Failure::Dropped { why, waited },
            None if self.is_refused => Failure::Refused,
            None => Failure::Silent { waited, tries: self.sent },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Everything that is done until the end, by the half second.
    fn story(mut attempts: Attempts, began: Instant) -> (Vec<u32>, Failure) {
        let mut sent = Vec::new();
        for half in 0.. {
            let now = began + half * SECOND / 2;
            match attempts.step(now) {
                Step::Send => {
                    sent.push(half);
                    assert!(matches!(attempts.step(now), Step::Wait(until) if until > now));
                }
                Step::Wait(until) => assert!(until > now),
                Step::GiveUp(failure) => return (sent, failure),
            }
        }
        unreachable!("it is given up")
    }

    #[test]
    fn a_question_is_repeated_at_its_pace_and_then_given_up() {
        let began = Instant::now();
        let pace = |retries| Pace { timeout: 3 * SECOND, retries };
        let (sent, failure) = story(Attempts::begin(pace(2), began), began);
        assert_eq!(sent, [0, 6, 12]);
        assert_eq!(failure, Failure::Silent { waited: 9 * SECOND, tries: 3 });
        let (sent, failure) = story(Attempts::begin(pace(0), began), began);
        assert_eq!((sent, failure), (vec![0], Failure::Silent { waited: 3 * SECOND, tries: 1 }));
    }

    #[test]
    fn the_end_names_what_was_seen_meanwhile() {
        let began = Instant::now();
        let mut attempts = Attempts::begin(Pace { timeout: SECOND, retries: 0 }, began);
        assert_eq!(attempts.step(began), Step::Send);
        assert!(attempts.dropped(Dropped::NoMessageAuthenticator));
        assert!(!attempts.dropped(Dropped::WrongAuthenticator));
        let expected = Failure::Dropped { why: Dropped::WrongAuthenticator, waited: SECOND };
        assert_eq!(story(attempts, began).1, expected);
    }

    #[test]
    fn a_refusal_saves_the_last_wait_only() {
        let began = Instant::now();
        let mut attempts = Attempts::begin(Pace { timeout: SECOND, retries: 1 }, began);
        for sent in 0..2 {
            let now = began + sent * SECOND;
            assert_eq!(attempts.step(now), Step::Send);
            attempts.refused();
            let expected =
                if sent == 0 { Step::Wait(began + SECOND) } else { Step::GiveUp(Failure::Refused) };
            assert_eq!(attempts.step(now), expected);
        }
    }
}
