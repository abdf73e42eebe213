//! Session prelaunch: which resource a session is started for at sign-in, before the user opens
//! anything, and when such a session is dropped.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use oriel_model::{Id, policy::Prelaunch, resource::Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    access::{Access, Catalogue},
    rules::Facts,
};

/// How long a session that was started beforehand is kept unused.
pub const KEPT: SignedDuration = SignedDuration::from_mins(10);

/// What a user opened in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// Which resource.
    pub resource: Id<Resource>,
    /// How often, as far as that is counted.
    pub times: u32,
    /// When last.
    pub last: Timestamp,
}

/// All that is decided from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What the user's client policy says.
    pub mode: Prelaunch,
    /// The published resources.
    pub catalogue: &'a Catalogue,
    /// Who signs in.
    pub facts: &'a Facts,
    /// What they opened in the past.
    pub opened: &'a [Opened],
    /// Whether they have a session already.
    pub has_session: bool,
    /// Days on which nothing is started.
    pub not_on: &'a [Date],
    /// The time zone of the user's device, or what stands for it.
    pub zone: &'a TimeZone,
    /// The time.
    pub now: Timestamp,
}

/// What is started beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "prelaunch")]
pub enum Choice {
    /// A session for this resource.
    Start {
        /// Which.
        resource: Id<Resource>,
        /// What the user opened more often, and why it is not that.
        passed_over: Vec<PassedOver>,
    },
    /// Nothing.
    Nothing {
        /// Why.
        because: Nothing,
        /// What the user opened in the past, and why it is none of it.
        passed_over: Vec<PassedOver>,
    },
}

/// Why nothing is started beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nothing {
    /// No policy says that it should be.
    Off,
    /// It is one of the days on which nothing is.
    Date,
    /// The user has a session.
    HasSession,
    /// Nothing that the user opened in the past will do.
    NoResource,
}

/// A resource that no session is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PassedOver {
    /// Which.
    pub resource: Id<Resource>,
    /// Why not.
    pub because: Unfit,
}

/// Why no session is started for a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// It is gone, or the user cannot open it now.
    NotOpen,
    /// It needs no session.
    NoSession,
    /// It is excluded.
    Excluded,
    /// Only so many may use it at a time: a session that waits would take a use from somebody.
    Limited,
}

/// Chooses what a session is started for at sign-in: what the user opened most often, the latest of those
/// opened equally often.
pub fn choose(inputs: &Inputs<'_>) -> Choice {
    let nothing = |because| Choice::Nothing { because, passed_over: Vec::new() };
    if inputs.mode == Prelaunch::Off {
        return nothing(Nothing::Off);
    }
    if inputs.not_on.contains(&inputs.zone.to_datetime(inputs.now).date()) {
        return nothing(Nothing::Date);
    }
    if inputs.has_session {
        return nothing(Nothing::HasSession);
    }
    let mut opened: Vec<_> = inputs.opened.iter().collect();
    opened.sort_by_key(|opened| (Reverse(opened.times), Reverse(opened.last), opened.resource));
    let mut passed_over = Vec::new();
    for opened in opened {
        match unfit(inputs, opened.resource) {
            None => return Choice::Start { resource: opened.resource, passed_over },
            Some(because) => passed_over.push(PassedOver { resource: opened.resource, because }),
        }
    }
    Choice::Nothing { because: Nothing::NoResource, passed_over }
}

fn unfit(inputs: &Inputs<'_>, resource: Id<Resource>) -> Option<Unfit> {
    match inputs.catalogue.access(resource, inputs.facts) {
        Some((resource, Access::Open { .. })) => {
            let resource = &resource.spec;
            if !resource.target.needs_session() {
                return Some(Unfit::NoSession);
            }
            // A document's session is its application's.
            let runs = resource.target.opens_in().and_then(|id| inputs.catalogue.get(id));
            let both = || std::iter::once(resource).chain(runs.map(|object| &object.spec));
            if both().any(|resource| resource.no_prelaunch) {
                Some(Unfit::Excluded)
            } else {
                both().any(|resource| resource.limit.is_some()).then_some(Unfit::Limited)
            }
        }
        _ => Some(Unfit::NotOpen),
    }
}

/// Until when a session that was started beforehand is kept if it is not used.
pub fn kept_until(started_at: Timestamp) -> Timestamp {
    started_at.saturating_add(KEPT).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::civil::date;
    use oriel_model::{
        Object,
        resource::{Application, AtLimit, Status, Target, UseLimit},
    };

    use super::*;
    use crate::rules::tests::id;

    fn application(number: u128, change: impl FnOnce(&mut Resource)) -> Arc<Object<Resource>> {
        let mut spec = Resource::new(Target::Application(Application::new("writer")));
        change(&mut spec);
        Arc::new(Object {
            id: id(number),
            name: format!("r{number}"),
            site: None,
            spec,
            revision: 1,
            changed_at: Timestamp::UNIX_EPOCH,
            changed_by: "test".into(),
        })
    }

    fn opened(resource: u128, times: u32, last: i64) -> Opened {
        Opened { resource: id(resource), times, last: Timestamp::from_second(last).expect("in range") }
    }

    /// A quarter past midnight of 25 December in Berlin, still the 24th in London.
    fn check(mode: Prelaunch, has_session: bool, zone: &str, past: &[Opened]) -> Choice {
        let limit = UseLimit { uses: 2, at_limit: AtLimit::Refuse, message: String::new() };
        let catalogue = Catalogue::new([
            application(1, |_| {}),
            application(2, |r| r.no_prelaunch = true),
            application(3, |r| r.status = Status::Disabled),
            application(4, |r| r.limit = Some(limit)),
            application(5, |_| {}),
            application(6, |r| {
                r.target = Target::WebApplication { url: "https://x".into(), browser: None };
            }),
            application(7, |r| {
                r.target = Target::Document { application: id(2), path: "/x".into() };
            }),
        ]);
        choose(&Inputs {
            mode,
            catalogue: &catalogue,
            facts: &Facts::default(),
            opened: past,
            has_session,
            not_on: &[date(2026, 12, 25)],
            zone: &TimeZone::get(zone).expect("a zone"),
            now: "2026-12-24T23:15:00Z".parse().expect("a time"),
        })
    }

    #[test]
    fn what_was_opened_most_often_is_started_the_latest_of_equals_first() {
        let start = |past: &[Opened]| match check(Prelaunch::Basic, false, "Europe/London", past) {
            Choice::Start { resource, .. } => resource,
            other => panic!("{other:?}"),
        };
        assert_eq!(start(&[opened(1, 3, 10), opened(5, 2, 20)]), id(1));
        assert_eq!(start(&[opened(1, 2, 10), opened(5, 2, 20)]), id(5));
    }

    #[test]
    fn what_will_not_do_is_passed_over_with_its_reason() {
        let past = [2, 3, 4, 6, 7, 8].map(|number| opened(number, 100 - number as u32, 1));
        let Choice::Nothing { because: Nothing::NoResource, passed_over } =
            check(Prelaunch::Basic, false, "UTC", &past)
        else {
            panic!("nothing will do");
        };
        let reasons: Vec<_> = passed_over.iter().map(|passed| passed.because).collect();
        assert_eq!(
            reasons,
            [
                Unfit::Excluded,
                Unfit::NotOpen,
                Unfit::Limited,
                Unfit::NoSession,
                Unfit::Excluded,
                Unfit::NotOpen
            ]
        );
    }

    #[test]
    fn nothing_starts_without_a_policy_beside_a_session_or_on_days_that_are_left_out() {
        let past = [opened(1, 1, 1)];
        let because = |mode, has_session, zone| match check(mode, has_session, zone, &past) {
            Choice::Nothing { because, .. } => Some(because),
            Choice::Start { .. } => None,
        };
        assert_eq!(because(Prelaunch::Off, false, "UTC"), Some(Nothing::Off));
        assert_eq!(because(Prelaunch::Basic, true, "UTC"), Some(Nothing::HasSession));
        assert_eq!(because(Prelaunch::Basic, false, "Europe/Berlin"), Some(Nothing::Date));
        assert_eq!(because(Prelaunch::Basic, false, "UTC"), None);
    }
}
