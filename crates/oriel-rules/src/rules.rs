//! The rule engine: ordered rules, criteria ANDed, objects ORed, *is* / *is not*, first match wins,
//! then a default. It always says which rule decided.
//!
//! Rules are compiled once ([`CompiledRules`]) and asked often: texts are folded, address ranges are
//! parsed and merged, and every list of objects is sorted, so that a criterion with thousands of objects
//! costs a few comparisons. Whoever asks is prepared once, too ([`Asker`]).

use std::net::IpAddr;

use oriel_model::{
    Id,
    gateway::Gateway,
    group::Group,
    rule::{AddressRange, ClientKind, ClientKindMatch, ClientOs, Criterion, Effect, Matcher, Rules},
    site::Site,
    user::User,
    validate::fold,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
pub(crate) mod tests;

/// What is known of whoever asks. A fact that is not known matches no *is*, and so every *is not*.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Facts {
    /// Who.
    pub user: Option<Id<User>>,
    /// The groups the user belongs to, nested ones resolved.
    pub groups: Vec<Id<Group>>,
    /// The site they signed in to: that of the broker.
    pub site: Option<Id<Site>>,
    /// The gateway they came through.
    pub gateway: Option<Id<Gateway>>,
    /// The theme they signed in at.
    pub theme: Option<String>,
    /// Name of their device.
    pub client_name: Option<String>,
    /// Its operating system.
    pub client_os: Option<ClientOs>,
    /// Its client.
    pub client: Option<ClientKind>,
    /// The client's version, dotted numbers.
    pub client_version: Option<String>,
    /// Its address.
    pub address: Option<IpAddr>,
    /// The hardware id that it reports.
    pub hardware_id: Option<String>,
}

/// What the rules said, and which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The answer.
    pub effect: Effect,
    /// Index of the rule that decided; none: no rule matched and the default did.
    pub rule: Option<usize>,
}

impl Decision {
    /// Whether the answer is yes.
    pub fn is_allowed(self) -> bool {
        self.effect == Effect::Allow
    }
}

/// Evaluates `rules` against `facts`, once. Whoever asks the same rules again keeps [`CompiledRules`].
pub fn decide(rules: &Rules, facts: &Facts) -> Decision {
    CompiledRules::new(rules).decide(&Asker::new(facts))
}

/// Facts made ready for many rules.
#[derive(Debug, Clone)]
pub struct Asker<'a> {
    facts: &'a Facts,
    /// Sorted.
    groups: Vec<Id<Group>>,
    theme: Option<String>,
    client_name: Option<Vec<char>>,
    hardware_id: Option<String>,
    version: Option<Vec<u64>>,
    address: Option<Address>,
}

impl<'a> Asker<'a> {
    /// Folds, parses and sorts what is known.
    pub fn new(facts: &'a Facts) -> Self {
        let mut groups = facts.groups.clone();
        groups.sort_unstable();
        Self {
            facts,
            groups,
            theme: facts.theme.as_deref().map(fold),
            client_name: facts.client_name.as_deref().map(|name| fold(name).chars().collect()),
            hardware_id: facts.hardware_id.as_deref().map(fold),
            version: facts.client_version.as_deref().map(numbers),
            address: facts.address.map(Address::new),
        }
    }

    /// What is known, as it was given.
    pub fn facts(&self) -> &'a Facts {
        self.facts
    }
}

/// [`Rules`] made ready for being asked.
#[derive(Debug, Clone)]
pub struct CompiledRules {
    rules: Box<[CompiledRule]>,
    otherwise: Effect,
}

#[derive(Debug, Clone)]
struct CompiledRule {
    effect: Effect,
    criteria: Box<[CompiledCriterion]>,
}

#[derive(Debug, Clone)]
struct CompiledCriterion {
    negated: bool,
    objects: Objects,
}

/// The objects of a criterion; every list is sorted.
#[derive(Debug, Clone)]
enum Objects {
    Users(Box<[Id<User>]>),
    Groups(Box<[Id<Group>]>),
    Gateways(Box<[Id<Gateway>]>),
    Themes(Box<[String]>),
    ClientNames { names: Box<[Vec<char>]>, patterns: Box<[Vec<char>]> },
    ClientOs(Box<[ClientOs]>),
    Clients(Box<[Client]>),
    Addresses(Box<[(Address, Address)]>),
    HardwareIds(Box<[String]>),
}

impl CompiledRules {
    /// Compiles rules. Objects that mean nothing (validation refuses them) match nothing.
    pub fn new(rules: &Rules) -> Self {
        let rule = |rule: &oriel_model::rule::Rule| CompiledRule {
            effect: rule.effect,
            criteria: rule.criteria.iter().map(CompiledCriterion::new).collect(),
        };
        Self { rules: rules.rules.iter().map(rule).collect(), otherwise: rules.otherwise }
    }

    /// What the rules say about whoever asks.
    pub fn decide(&self, asker: &Asker<'_>) -> Decision {
        for (index, rule) in self.rules.iter().enumerate() {
            if rule.criteria.iter().all(|criterion| criterion.matches(asker)) {
                return Decision { effect: rule.effect, rule: Some(index) };
            }
        }
        Decision { effect: self.otherwise, rule: None }
    }
}

impl CompiledCriterion {
    fn new(criterion: &Criterion) -> Self {
        Self { negated: criterion.negated, objects: Objects::new(&criterion.matcher) }
    }

    fn matches(&self, asker: &Asker<'_>) -> bool {
        self.objects.hold(asker) != self.negated
    }
}

impl Objects {
    fn new(matcher: &Matcher) -> Self {
        match matcher {
            Matcher::User(users) => Objects::Users(sorted(users.iter().copied())),
            Matcher::Group(groups) => Objects::Groups(sorted(groups.iter().copied())),
            Matcher::Gateway(gateways) => Objects::Gateways(sorted(gateways.iter().copied())),
            Matcher::Theme(themes) => Objects::Themes(sorted(themes.iter().map(|theme| fold(theme)))),
            Matcher::ClientName(patterns) => {
                let folded = patterns.iter().map(|pattern| fold(pattern).chars().collect::<Vec<_>>());
                let (patterns, names): (Vec<_>, Vec<_>) =
                    folded.partition(|pattern| pattern.iter().any(|c| matches!(c, '*' | '?')));
                Objects::ClientNames { names: sorted(names), patterns: sorted(patterns) }
            }
            Matcher::ClientOs(systems) => Objects::ClientOs(systems.iter().copied().collect()),
            Matcher::Client(clients) => Objects::Clients(clients.iter().map(Client::new).collect()),
            Matcher::Address(ranges) => Objects::Addresses(merged(ranges)),
            Matcher::HardwareId(ids) => Objects::HardwareIds(sorted(ids.iter().map(|id| fold(id)))),
        }
    }

    fn hold(&self, asker: &Asker<'_>) -> bool {
        let facts = asker.facts;
        match self {
            Objects::Users(users) => facts.user.is_some_and(|user| users.binary_search(&user).is_ok()),
            Objects::Groups(groups) => have_common(groups, &asker.groups),
            Objects::Gateways(gateways) => {
                facts.gateway.is_some_and(|gateway| gateways.binary_search(&gateway).is_ok())
            }
            Objects::Themes(themes) => {
                asker.theme.as_ref().is_some_and(|theme| themes.binary_search(theme).is_ok())
            }
            Objects::ClientNames { names, patterns } => asker.client_name.as_ref().is_some_and(|name| {
                names.binary_search(name).is_ok()
                    || patterns.iter().any(|pattern| matches_pattern(pattern, name))
            }),
            Objects::ClientOs(systems) => facts.client_os.is_some_and(|os| systems.contains(&os)),
            Objects::Clients(clients) => clients.iter().any(|client| client.holds(asker)),
            Objects::Addresses(ranges) => asker.address.is_some_and(|address| {
                let behind = ranges.partition_point(|(first, _)| *first <= address);
                behind > 0 && address <= ranges[behind - 1].1
            }),
            Objects::HardwareIds(ids) => {
                asker.hardware_id.as_ref().is_some_and(|id| ids.binary_search(id).is_ok())
            }
        }
    }
}

fn sorted<T: Ord>(objects: impl IntoIterator<Item = T>) -> Box<[T]> {
    let mut objects: Vec<T> = objects.into_iter().collect();
    objects.sort_unstable();
    objects.dedup();
    objects.into()
}

/// Whether two sorted lists share an element: each of the shorter is looked up in the longer.
fn have_common<T: Ord>(a: &[T], b: &[T]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short.iter().any(|element| long.binary_search(element).is_ok())
}

/// A kind of client, with the smallest version if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    kind: ClientKind,
    minimum: Option<Vec<u64>>,
}

impl Client {
    pub(crate) fn new(wanted: &ClientKindMatch) -> Self {
        Self { kind: wanted.kind, minimum: wanted.minimum_version.as_deref().map(numbers) }
    }

    pub(crate) fn is_kind(&self, asker: &Asker<'_>) -> bool {
        asker.facts.client == Some(self.kind)
    }

    /// An unknown version is none that is new enough.
    pub(crate) fn holds(&self, asker: &Asker<'_>) -> bool {
        self.is_kind(asker) && (self.minimum.is_none() || asker.version >= self.minimum)
    }
}

/// The dotted numbers of a version, without zeros at the end; what is not a number counts as 0.
fn numbers(version: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = version.split('.').map(|part| part.trim().parse().unwrap_or(0)).collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

/// An address as a number, the two families apart. An IPv4 address mapped into IPv6 is IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Address {
    is_v6: bool,
    bits: u128,
}

impl Address {
    fn new(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self { is_v6: false, bits: address.to_bits().into() },
            IpAddr::V6(address) => Self { is_v6: true, bits: address.to_bits() },
        }
    }
}

/// Ranges in order, those that overlap made one.
fn merged(ranges: &[String]) -> Box<[(Address, Address)]> {
    let parsed = ranges.iter().filter_map(|range| AddressRange::parse(range));
    let bounds = sorted(parsed.map(|range| {
        let (first, last) = range.bounds();
        (Address::new(first), Address::new(last))
    }));
    let mut merged: Vec<(Address, Address)> = Vec::with_capacity(bounds.len());
    for (first, last) in bounds {
        match merged.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged.into()
}

/// Whether `text` matches a pattern of `*` and `?`; both are folded. On a mismatch only the last `*`
/// takes one more character, so that no pattern is costly.
fn matches_pattern(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            star = Some((star_p, star_t + 1));
            p = star_p + 1;
            t = star_t + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}
