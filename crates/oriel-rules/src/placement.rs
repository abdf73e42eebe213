//! Chooses session hosts for a new session.
//!
//! The result is an order, not one host: the broker proposes, the host confirms, and on a no the next
//! candidate is asked.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use oriel_model::{
    Id,
    host::{Host, LogonMode},
    pool::{EffectiveBalancing, Method},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often a host reports at least while it has sessions, and its agent gives a sign of life.
pub const HEARTBEAT_INTERVAL: SignedDuration = SignedDuration::from_secs(1);

/// How long a host may stay silent before nothing more is placed on it, where nothing else is set.
/// Five missed heartbeats: a lost packet or a busy moment must not empty a pool.
pub const HEARTBEAT_GRACE: SignedDuration = SignedDuration::from_secs(5);

/// What a broker knows of a host when it places a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostSnapshot {
    /// Which.
    pub id: Id<Host>,
    /// Its name, for explanations.
    pub name: Arc<str>,
    /// Whether an administrator has it in use.
    pub enabled: bool,
    /// When its agent last reported; none: never since this broker started.
    pub last_report: Option<Timestamp>,
    /// Why its session software does not work; none: it works.
    pub problem: Option<String>,
    /// Whether it takes logons.
    pub logon_mode: LogonMode,
    /// Sessions that run, and seats promised.
    pub sessions: u32,
    /// Most sessions at a time.
    pub max_sessions: u32,
    /// Share of its CPUs in use, 0 to 1.
    pub cpu_load: f32,
    /// Share of its memory in use, 0 to 1.
    pub memory_load: f32,
    /// Whether sessions are placed on it by load; if not, it takes only what names it.
    pub balanced: bool,
    /// How long its agent may be silent, in seconds, before nothing more is placed on it: its pool's.
    pub agent_timeout_secs: u32,
}

/// Why a host gets no new session. Ordered from the farthest from a yes to the nearest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "obstacle")]
pub enum Obstacle {
    /// An administrator disabled it.
    Disabled,
    /// It takes only what names it.
    NotBalanced,
    /// Its agent does not report.
    Unreachable,
    /// Its session software does not work.
    Unhealthy {
        /// Why.
        problem: String,
    },
    /// Logons are disabled.
    LogonsDisabled,
    /// It takes reconnections only.
    Draining,
    /// It has all the sessions it may have.
    Full {
        /// How many that is.
        limit: u32,
    },
}

impl Obstacle {
    /// Said of several hosts: "are draining".
    fn of_hosts(&self, count: usize) -> &'static str {
        match (self, count) {
            (Obstacle::Disabled, 1) => "is disabled",
            (Obstacle::Disabled, _) => "are disabled",
            (Obstacle::NotBalanced, 1) => "takes only what names it",
            (Obstacle::NotBalanced, _) => "take only what names them",
            (Obstacle::Unreachable, 1) => "cannot be reached",
            (Obstacle::Unreachable, _) => "cannot be reached",
            (Obstacle::Unhealthy { .. }, 1) => "has a fault",
            (Obstacle::Unhealthy { .. }, _) => "have a fault",
            (Obstacle::LogonsDisabled, 1) => "refuses logons",
            (Obstacle::LogonsDisabled, _) => "refuse logons",
            (Obstacle::Draining, 1) => "is draining",
            (Obstacle::Draining, _) => "are draining",
            (Obstacle::Full { .. }, 1) => "is full",
            (Obstacle::Full { .. }, _) => "are full",
        }
    }
}

/// What keeps `host` from taking a new session at `now`; none: nothing does.
pub fn obstacle(host: &HostSnapshot, now: Timestamp) -> Option<Obstacle> {
    if !host.enabled {
        return Some(Obstacle::Disabled);
    }
    if !is_alive(host, now) {
        return Some(Obstacle::Unreachable);
    }
    if let Some(problem) = &host.problem {
        return Some(Obstacle::Unhealthy { problem: problem.clone() });
    }
    match host.logon_mode {
        LogonMode::Enabled => {}
        LogonMode::Disabled => return Some(Obstacle::LogonsDisabled),
        LogonMode::Drain | LogonMode::DrainUntilReboot => return Some(Obstacle::Draining),
    }
    (host.sessions >= host.max_sessions).then_some(Obstacle::Full { limit: host.max_sessions })
}

/// What keeps `host` from taking back a session that runs on it; a full or draining host does.
pub fn reconnect_obstacle(host: &HostSnapshot, now: Timestamp) -> Option<Obstacle> {
    obstacle(host, now).filter(|obstacle| !matches!(obstacle, Obstacle::Draining | Obstacle::Full { .. }))
}

/// Whether the host's agent reported recently enough.
pub fn is_alive(host: &HostSnapshot, now: Timestamp) -> bool {
    let timeout = SignedDuration::from_secs(host.agent_timeout_secs.into());
    host.last_report.is_some_and(|last| now.duration_since(last) <= timeout)
}

/// Hosts in the order in which they are asked, and those that are not asked at all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ranking {
    /// Best first.
    pub candidates: Vec<Candidate>,
    /// With what stands in the way.
    pub passed_over: Vec<PassedOver>,
}

/// A host that may take the session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// Which.
    pub host: Id<Host>,
    /// Its name.
    pub name: Arc<str>,
    /// Sum of the counters that are on, each 0 to 1: less is better. 0 for round robin.
    pub load: f32,
}

/// A host that gets no new session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PassedOver {
    /// Which.
    pub host: Id<Host>,
    /// Its name.
    pub name: Arc<str>,
    /// Why.
    pub obstacle: Obstacle,
}

/// Ranks `hosts` for a new session. `named`: the source names these very hosts, so that those take it
/// that are not balanced. `turn` counts placements, for round robin.
pub fn rank(
    hosts: &[HostSnapshot],
    named: bool,
    balancing: &EffectiveBalancing,
    turn: u64,
    now: Timestamp,
) -> Ranking {
    let mut ranking = Ranking::default();
    let mut hosts: Vec<&HostSnapshot> = hosts.iter().collect();
    // A fixed order first, so that equal loads and turns give the same answer on every broker.
    hosts.sort_by_key(|host| host.id);
    for host in hosts {
        let reserved = (host.enabled && !host.balanced && !named).then_some(Obstacle::NotBalanced);
        match reserved.or_else(|| obstacle(host, now)) {
            Some(obstacle) => {
                ranking.passed_over.push(PassedOver { host: host.id, name: host.name.clone(), obstacle })
            }
            None => ranking.candidates.push(Candidate {
                host: host.id,
                name: host.name.clone(),
                load: load(host, balancing),
            }),
        }
    }
    match balancing.method {
        Method::Resource => ranking.candidates.sort_by(|a, b| a.load.total_cmp(&b.load)),
        Method::RoundRobin => {
            let count = ranking.candidates.len().max(1) as u64;
            let first = usize::try_from(turn % count).unwrap_or(0);
            ranking.candidates.rotate_left(first);
        }
    }
    ranking
}

/// How loaded a host is: the counters that are on, added. Sessions count as a share of the limit, so that
/// hosts of different sizes fill evenly.
fn load(host: &HostSnapshot, balancing: &EffectiveBalancing) -> f32 {
    let EffectiveBalancing { method: Method::Resource, sessions, memory, cpu, .. } = *balancing else {
        return 0.0;
    };
    let share = |on: bool, value: f32| if on && value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 };
    let filled = host.sessions as f32 / host.max_sessions.max(1) as f32;
    share(sessions, filled) + share(memory, host.memory_load) + share(cpu, host.cpu_load)
}

/// Why there is no host, in a sentence that names the pool or the like: see [`Refusal::fmt`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Where was looked: `of pool Office`, `of site Main`; empty for a list of hosts.
    pub place: String,
    /// How many hosts each obstacle stands at.
    pub obstacles: Vec<(Obstacle, usize)>,
}

impl Refusal {
    /// Sums up a ranking without candidates.
    pub fn new(place: impl Into<String>, ranking: &Ranking) -> Self {
        let mut obstacles = BTreeMap::new();
        for passed in &ranking.passed_over {
            // Faults and limits differ from host to host, but people count them as one.
            let kind = match &passed.obstacle {
                Obstacle::Unhealthy { .. } => Obstacle::Unhealthy { problem: String::new() },
                Obstacle::Full { .. } => Obstacle::Full { limit: 0 },
                other => other.clone(),
            };
            *obstacles.entry(kind).or_insert(0) += 1;
        }
        Self { place: place.into(), obstacles: obstacles.into_iter().rev().collect() }
    }
}

impl fmt::Display for Refusal {
    /// "All 3 hosts of pool Office are draining." or "Of the 3 hosts of pool Office, 2 are full and 1
    /// cannot be reached."
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: usize = self.obstacles.iter().map(|(_, count)| count).sum();
        let place = if self.place.is_empty() { String::new() } else { format!(" {}", self.place) };
        match (&self.obstacles[..], total) {
            ([], _) => write!(f, "There is no host{place}."),
            ([(obstacle, _)], 1) => write!(f, "The only host{place} {}.", obstacle.of_hosts(1)),
            ([(obstacle, _)], 2) => write!(f, "Both hosts{place} {}.", obstacle.of_hosts(2)),
            ([(obstacle, _)], _) => write!(f, "All {total} hosts{place} {}.", obstacle.of_hosts(total)),
            (several, _) => {
                write!(f, "Of the {total} hosts{place}, ")?;
                for (index, (obstacle, count)) in several.iter().enumerate() {
                    let joint = match index {
                        0 => "",
                        _ if index + 1 == several.len() => " and ",
                        _ => ", ",
                    };
                    write!(f, "{joint}{count} {}", obstacle.of_hosts(*count))?;
                }
                write!(f, ".")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    fn by_load() -> EffectiveBalancing {
        EffectiveBalancing::default()
    }

    fn in_turn() -> EffectiveBalancing {
        EffectiveBalancing { method: Method::RoundRobin, ..by_load() }
    }

    fn host(number: u128) -> HostSnapshot {
        HostSnapshot {
            id: uuid::Uuid::from_u128(number).into(),
            name: format!("host{number}").into(),
            enabled: true,
            last_report: Some(NOW),
            problem: None,
            logon_mode: LogonMode::Enabled,
            sessions: 0,
            max_sessions: 10,
            cpu_load: 0.0,
            memory_load: 0.0,
            balanced: true,
            agent_timeout_secs: 5,
        }
    }

    fn names(ranking: &Ranking) -> Vec<&str> {
        ranking.candidates.iter().map(|candidate| &*candidate.name).collect()
    }

    #[test]
    fn the_smallest_sum_of_the_counters_that_are_on_wins() {
        let hosts = [
            HostSnapshot { sessions: 5, ..host(1) },
            HostSnapshot { cpu_load: 0.4, ..host(2) },
            HostSnapshot { memory_load: 0.3, ..host(3) },
        ];
        assert_eq!(names(&rank(&hosts, false, &by_load(), 0, NOW)), ["host3", "host2", "host1"]);
        let cpu_only = EffectiveBalancing { sessions: false, memory: false, ..by_load() };
        assert_eq!(names(&rank(&hosts, false, &cpu_only, 0, NOW)), ["host1", "host3", "host2"]);
    }

    #[test]
    fn round_robin_takes_turns() {
        let hosts = [host(1), host(2), host(3)];
        let first = |turn| names(&rank(&hosts, false, &in_turn(), turn, NOW))[0].to_owned();
        assert_eq!([first(0), first(1), first(2), first(3)], ["host1", "host2", "host3", "host1"]);
    }

    #[test]
    fn each_obstacle_is_found_and_said() {
        let check = |changed: HostSnapshot, expected: &str| {
            let ranking = rank(&[changed], false, &by_load(), 0, NOW);
            assert_eq!(Refusal::new("of pool Office", &ranking).to_string(), expected);
        };
        check(HostSnapshot { enabled: false, ..host(1) }, "The only host of pool Office is disabled.");
        check(
            HostSnapshot { last_report: None, ..host(1) },
            "The only host of pool Office cannot be reached.",
        );
        check(
            HostSnapshot { problem: Some("xrdp".into()), ..host(1) },
            "The only host of pool Office has a fault.",
        );
        check(
            HostSnapshot { logon_mode: LogonMode::Disabled, ..host(1) },
            "The only host of pool Office refuses logons.",
        );
        check(
            HostSnapshot { logon_mode: LogonMode::DrainUntilReboot, ..host(1) },
            "The only host of pool Office is draining.",
        );
        check(HostSnapshot { sessions: 10, ..host(1) }, "The only host of pool Office is full.");
    }

    #[test]
    fn a_refusal_counts_the_obstacles() {
        let draining = |number| HostSnapshot { logon_mode: LogonMode::Drain, ..host(number) };
        let say = |hosts: &[HostSnapshot]| {
            Refusal::new("of pool Office", &rank(hosts, false, &by_load(), 0, NOW)).to_string()
        };
        assert_eq!(say(&[draining(1), draining(2), draining(3)]), "All 3 hosts of pool Office are draining.");
        assert_eq!(say(&[draining(1), draining(2)]), "Both hosts of pool Office are draining.");
        let full = HostSnapshot { sessions: 10, ..host(4) };
        let away = HostSnapshot { last_report: None, ..host(5) };
        assert_eq!(
            say(&[draining(1), full, away]),
            "Of the 3 hosts of pool Office, 1 is full, 1 is draining and 1 cannot be reached."
        );
        assert_eq!(say(&[]), "There is no host of pool Office.");
    }

    #[test]
    fn a_draining_or_full_host_takes_its_sessions_back() {
        let full = HostSnapshot { sessions: 10, logon_mode: LogonMode::Enabled, ..host(1) };
        let draining = HostSnapshot { logon_mode: LogonMode::Drain, ..host(1) };
        let closed = HostSnapshot { logon_mode: LogonMode::Disabled, ..host(1) };
        assert_eq!(reconnect_obstacle(&full, NOW), None);
        assert_eq!(reconnect_obstacle(&draining, NOW), None);
        assert_eq!(reconnect_obstacle(&closed, NOW), Some(Obstacle::LogonsDisabled));
    }

    #[test]
    fn a_host_that_is_not_balanced_takes_what_names_it() {
        let hosts = [HostSnapshot { balanced: false, ..host(1) }];
        let ranking = rank(&hosts, false, &by_load(), 0, NOW);
        let refusal = Refusal::new("of pool Office", &ranking).to_string();
        assert_eq!(refusal, "The only host of pool Office takes only what names it.");
        assert_eq!(names(&rank(&hosts, true, &by_load(), 0, NOW)), ["host1"]);
        assert_eq!(reconnect_obstacle(&hosts[0], NOW), None);
    }

    #[test]
    fn each_host_may_be_silent_as_long_as_its_pool_says() {
        let slow = HostSnapshot { agent_timeout_secs: 60, ..host(1) };
        assert_eq!(obstacle(&slow, NOW + SignedDuration::from_secs(60)), None);
        assert_eq!(obstacle(&slow, NOW + SignedDuration::from_secs(61)), Some(Obstacle::Unreachable));
    }

    #[test]
    fn silence_is_forgiven_for_the_grace_only() {
        let late = |seconds| {
            let now = NOW + SignedDuration::from_secs(seconds);
            obstacle(&host(1), now)
        };
        assert_eq!(late(5), None);
        assert_eq!(late(6), Some(Obstacle::Unreachable));
    }

    proptest! {
        #[test]
        fn no_host_with_an_obstacle_is_ever_a_candidate(
            loads in proptest::collection::vec((any::<bool>(), 0u32..20, any::<f32>(), any::<f32>()), 0..12),
            turn in any::<u64>(),
            resource in any::<bool>(),
        ) {
            let hosts: Vec<HostSnapshot> = loads
                .into_iter()
                .enumerate()
                .map(|(number, (enabled, sessions, cpu_load, memory_load))| HostSnapshot {
                    enabled, sessions, cpu_load, memory_load, ..host(number as u128)
                })
                .collect();
            let balancing = if resource { by_load() } else { in_turn() };
            let ranking = rank(&hosts, false, &balancing, turn, NOW);
            prop_assert_eq!(ranking.candidates.len() + ranking.passed_over.len(), hosts.len());
            for candidate in &ranking.candidates {
                let host = hosts.iter().find(|host| host.id == candidate.host).expect("one of them");
                prop_assert_eq!(obstacle(host, NOW), None);
            }
            prop_assert!(ranking.candidates.windows(2).all(|pair| pair[0].load <= pair[1].load));
        }
    }
}
