use std::collections::HashSet;

use oriel_model::rule::Rule;
use proptest::{collection::vec, option, prelude::*};

use super::*;

pub(crate) fn id<T>(number: u128) -> Id<T> {
    uuid::Uuid::from_u128(number).into()
}

pub(crate) fn rule(effect: Effect, criteria: Vec<Criterion>) -> Rule {
    Rule { name: String::new(), effect, criteria }
}

pub(crate) fn is(matcher: Matcher) -> Criterion {
    Criterion { negated: false, matcher }
}

fn is_not(matcher: Matcher) -> Criterion {
    Criterion { negated: true, matcher }
}

#[track_caller]
fn check(criteria: Vec<Criterion>, facts: &Facts, expected: bool) {
    let rules = Rules { rules: vec![rule(Effect::Allow, criteria)], otherwise: Effect::Deny };
    assert_eq!(decide(&rules, facts).is_allowed(), expected);
}

#[test]
fn each_kind_of_fact_is_matched() {
    let facts = Facts {
        user: Some(id(1)),
        groups: vec![id(2), id(3)],
        site: None,
        gateway: Some(id(4)),
        theme: Some("Office".into()),
        client_name: Some("KIOSK-17".into()),
        client_os: Some(ClientOs::Linux),
        client: Some(ClientKind::Browser),
        client_version: Some("156.0.1".into()),
        address: Some("10.1.2.3".parse().expect("address")),
        hardware_id: Some("AB-CD".into()),
    };
    let browser = |version: &str| {
        let minimum_version = Some(version.to_owned());
        Matcher::Client(vec![ClientKindMatch { kind: ClientKind::Browser, minimum_version }])
    };
    let names = |patterns: &[&str]| Matcher::ClientName(patterns.iter().map(|&p| p.to_owned()).collect());
    check(vec![is(Matcher::User(vec![id(9), id(1)]))], &facts, true);
    check(vec![is(Matcher::Group(vec![id(3)]))], &facts, true);
    check(vec![is_not(Matcher::Group(vec![id(3)]))], &facts, false);
    check(vec![is(Matcher::Gateway(vec![id(5)]))], &facts, false);
    check(vec![is(Matcher::Theme(vec!["office".into()]))], &facts, true);
    check(vec![is(names(&["desk-1", "kiosk-17"]))], &facts, true);
    check(vec![is(names(&["kiosk-??"]))], &facts, true);
    check(vec![is(names(&["kiosk-?"]))], &facts, false);
    check(vec![is(Matcher::ClientOs(vec![ClientOs::Linux]))], &facts, true);
    check(vec![is(browser("156"))], &facts, true);
    check(vec![is(browser("156.0.2"))], &facts, false);
    check(vec![is(Matcher::Address(vec!["10.0.0.0/8".into()]))], &facts, true);
    check(vec![is(Matcher::Address(vec!["10.1.2.0/31".into(), "10.1.2.4/30".into()]))], &facts, false);
    check(vec![is(Matcher::HardwareId(vec!["ab-cd".into()]))], &facts, true);
    check(
        vec![is(Matcher::User(vec![id(1)])), is_not(Matcher::Address(vec!["10.0.0.0/8".into()]))],
        &facts,
        false,
    );
}

#[test]
fn an_unknown_fact_matches_no_is_and_every_is_not() {
    check(vec![is(Matcher::User(vec![id(1)]))], &Facts::default(), false);
    check(vec![is_not(Matcher::User(vec![id(1)]))], &Facts::default(), true);
}

#[test]
fn a_version_that_must_be_known_is_not_met_by_an_unknown_one() {
    let any_known = Matcher::Client(vec![ClientKindMatch {
        kind: ClientKind::Launcher,
        minimum_version: Some("0".into()),
    }]);
    let unknown = Facts { client: Some(ClientKind::Launcher), ..Facts::default() };
    let known = Facts { client_version: Some("0.0".into()), ..unknown.clone() };
    check(vec![is(any_known.clone())], &unknown, false);
    check(vec![is(any_known)], &known, true);
}

#[test]
fn no_rules_leave_it_to_the_default() {
    let deny = Rules { rules: Vec::new(), otherwise: Effect::Deny };
    assert!(decide(&Rules::default(), &Facts::default()).is_allowed());
    assert_eq!(decide(&deny, &Facts::default()), Decision { effect: Effect::Deny, rule: None });
}

/// The engine once more, written from the words of its definition and from nothing else: rules top to
/// bottom, the first whose criteria all match; a criterion matches when one of its objects does, or with
/// *is not* when none does.
pub(crate) fn naive(rules: &Rules, facts: &Facts) -> Decision {
    let hit = |matcher: &Matcher| match matcher {
        Matcher::User(users) => users.iter().any(|user| facts.user == Some(*user)),
        Matcher::Group(groups) => {
            !groups.iter().collect::<HashSet<_>>().is_disjoint(&facts.groups.iter().collect())
        }
        Matcher::Gateway(gateways) => gateways.iter().any(|gateway| facts.gateway == Some(*gateway)),
        Matcher::Theme(themes) => themes.iter().any(|theme| same_text(theme, &facts.theme)),
        Matcher::ClientName(patterns) => match &facts.client_name {
            Some(name) => patterns
                .iter()
                .any(|pattern| wild(&pattern.to_lowercase().into_bytes(), &name.to_lowercase().into_bytes())),
            None => false,
        },
        Matcher::ClientOs(systems) => systems.iter().any(|os| facts.client_os == Some(*os)),
        Matcher::Client(clients) => clients.iter().any(|wanted| {
            facts.client == Some(wanted.kind)
                && match (&wanted.minimum_version, &facts.client_version) {
                    (None, _) => true,
                    (Some(_), None) => false,
                    (Some(minimum), Some(version)) => newer_or_same(version, minimum),
                }
        }),
        Matcher::Address(ranges) => match facts.address {
            Some(address) => ranges
                .iter()
                .any(|range| AddressRange::parse(range).is_some_and(|range| range.contains(address))),
            None => false,
        },
        Matcher::HardwareId(ids) => ids.iter().any(|id| same_text(id, &facts.hardware_id)),
    };
    for (index, rule) in rules.rules.iter().enumerate() {
        let failing =
            rule.criteria.iter().filter(|criterion| hit(&criterion.matcher) == criterion.negated).count();
        if failing == 0 {
            return Decision { effect: rule.effect, rule: Some(index) };
        }
    }
    Decision { effect: rules.otherwise, rule: None }
}

fn same_text(wanted: &str, known: &Option<String>) -> bool {
    known.as_ref().is_some_and(|known| known.to_lowercase() == wanted.to_lowercase())
}

/// `*` is any text, `?` any character: by trying everything.
fn wild(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) => wild(&pattern[1..], text) || (!text.is_empty() && wild(pattern, &text[1..])),
        (Some(b'?'), Some(_)) => wild(&pattern[1..], &text[1..]),
        (Some(a), Some(b)) if a == b => wild(&pattern[1..], &text[1..]),
        _ => false,
    }
}

fn newer_or_same(version: &str, minimum: &str) -> bool {
    let part = |text: &str, index: usize| {
        text.split('.').nth(index).map_or(0, |part| part.parse::<u64>().expect("a number"))
    };
    for index in 0..8 {
        if part(version, index) != part(minimum, index) {
            return part(version, index) > part(minimum, index);
        }
    }
    true
}

const SYSTEMS: [ClientOs; 3] = [ClientOs::Windows, ClientOs::Linux, ClientOs::Ios];
const CLIENTS: [ClientKind; 3] = [ClientKind::Browser, ClientKind::Mstsc, ClientKind::Launcher];
const VERSIONS: [&str; 6] = ["0", "1", "1.0", "1.2", "1.10", "2.0.0.1"];
const ADDRESSES: [&str; 6] =
    ["10.0.0.1", "10.1.2.3", "192.0.2.200", "::ffff:10.1.2.3", "fd00::1", "2001:db8::5"];
const RANGES: [&str; 8] = [
    "10.0.0.0/8",
    "10.1.2.3",
    "10.1.0.0/16",
    "192.0.2.128/25",
    "0.0.0.0/0",
    "fd00::/8",
    "::/0",
    "::ffff:10.0.0.0/112",
];
const NAMES: [&str; 6] = ["kiosk-1", "KIOSK-12", "desk", "Desk-9", "", "k"];
const PATTERNS: [&str; 7] = ["kiosk-*", "*-1?", "desk", "D?sk*", "*", "?", "k*k*"];

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(words).prop_map(str::to_owned)
}

pub(crate) fn facts() -> impl Strategy<Value = Facts> {
    let who = (option::of(0u128..5), vec(0u128..6, 0..4), option::of(0u128..3), option::of(0u128..3));
    let device = (
        option::of(word(&NAMES)),
        option::of(proptest::sample::select(&SYSTEMS[..])),
        option::of(proptest::sample::select(&CLIENTS[..])),
        option::of(word(&VERSIONS)),
        option::of(word(&ADDRESSES)),
    );
    (who, device, option::of(word(&NAMES)), option::of(word(&NAMES))).prop_map(
        |((user, groups, site, gateway), device, theme, hardware_id)| {
            let (client_name, client_os, client, client_version, address) = device;
            Facts {
                user: user.map(id),
                groups: groups.into_iter().map(id).collect(),
                site: site.map(id),
                gateway: gateway.map(id),
                theme,
                client_name,
                client_os,
                client,
                client_version,
                address: address.map(|text| text.parse().expect("an address")),
                hardware_id,
            }
        },
    )
}

fn matchers() -> impl Strategy<Value = Matcher> {
    let client = (proptest::sample::select(&CLIENTS[..]), option::of(word(&VERSIONS)))
        .prop_map(|(kind, minimum_version)| ClientKindMatch { kind, minimum_version });
    prop_oneof![
        vec(0u128..6, 1..4).prop_map(|n| Matcher::User(n.into_iter().map(id).collect())),
        vec(0u128..8, 1..4).prop_map(|n| Matcher::Group(n.into_iter().map(id).collect())),
        vec(0u128..4, 1..3).prop_map(|n| Matcher::Gateway(n.into_iter().map(id).collect())),
        vec(word(&NAMES), 1..3).prop_map(Matcher::Theme),
        vec(word(&PATTERNS), 1..3).prop_map(Matcher::ClientName),
        vec(proptest::sample::select(&SYSTEMS[..]), 1..3).prop_map(Matcher::ClientOs),
        vec(client, 1..3).prop_map(Matcher::Client),
        vec(word(&RANGES), 1..4).prop_map(Matcher::Address),
        vec(word(&NAMES), 1..3).prop_map(Matcher::HardwareId),
    ]
}

pub(crate) fn effects() -> impl Strategy<Value = Effect> {
    prop_oneof![Just(Effect::Allow), Just(Effect::Deny)]
}

pub(crate) fn rule_lists() -> impl Strategy<Value = Rules> {
    let criteria = (any::<bool>(), matchers()).prop_map(|(negated, matcher)| Criterion { negated, matcher });
    let rules = (effects(), vec(criteria, 0..3)).prop_map(|(effect, criteria)| rule(effect, criteria));
    (vec(rules, 0..6), effects()).prop_map(|(rules, otherwise)| Rules { rules, otherwise })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_agrees_with_the_naive_engine(rules in rule_lists(), facts in facts()) {
        prop_assert_eq!(decide(&rules, &facts), naive(&rules, &facts));
    }

    #[test]
    fn rules_behind_the_deciding_one_do_not_matter(rules in rule_lists(), facts in facts()) {
        let decision = decide(&rules, &facts);
        if let Some(index) = decision.rule {
            let mut shorter = rules.clone();
            shorter.rules.truncate(index + 1);
            prop_assert_eq!(decide(&shorter, &facts), decision);
        }
    }

    #[test]
    fn is_not_is_the_opposite_of_is(matcher in matchers(), facts in facts()) {
        let ask = |criterion| {
            let rules = Rules { rules: vec![rule(Effect::Allow, vec![criterion])], otherwise: Effect::Deny };
            decide(&rules, &facts).is_allowed()
        };
        prop_assert_ne!(ask(is(matcher.clone())), ask(is_not(matcher)));
    }

    #[test]
    fn a_rule_put_in_front_decides_or_changes_nothing(
        rules in rule_lists(), more in rule_lists(), facts in facts(),
    ) {
        let Some(first) = more.rules.first() else { return Ok(()) };
        let mut longer = rules.clone();
        longer.rules.insert(0, first.clone());
        let decision = decide(&longer, &facts);
        if decision.rule == Some(0) {
            prop_assert_eq!(decision.effect, first.effect);
        } else {
            let before = decide(&rules, &facts);
            let moved = before.rule.map(|rule| rule + 1);
            prop_assert_eq!(decision, Decision { effect: before.effect, rule: moved });
        }
    }

    #[test]
    fn ranges_hold_what_each_of_them_holds(
        ranges in vec((any::<u32>(), 0u8..=32), 1..20), addresses in vec(any::<u32>(), 20),
    ) {
        let texts: Vec<_> = ranges
            .iter()
            .map(|(bits, prefix)| format!("{}/{prefix}", std::net::Ipv4Addr::from_bits(*bits)))
            .collect();
        // Addresses near the ends of ranges are where it would go wrong.
        let near = ranges.iter().flat_map(|(bits, _)| [*bits, bits.wrapping_add(1), bits.wrapping_sub(1)]);
        for bits in near.chain(addresses) {
            let address = IpAddr::from(std::net::Ipv4Addr::from_bits(bits));
            let facts = Facts { address: Some(address), ..Facts::default() };
            let matcher = Matcher::Address(texts.clone());
            let rules = Rules { rules: vec![rule(Effect::Deny, vec![is(matcher)])], otherwise: Effect::Allow };
            prop_assert_eq!(decide(&rules, &facts), naive(&rules, &facts));
        }
    }

    #[test]
    fn patterns_match_as_by_trying_everything(
        pattern in "[ab*?]{0,6}", text in "[ab]{0,8}",
    ) {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(
            matches_pattern(&chars(&pattern), &chars(&text)),
            wild(pattern.as_bytes(), text.as_bytes())
        );
    }
}

#[test]
fn a_pattern_of_many_stars_is_not_costly() {
    let greedy: Vec<char> = format!("{}b", "*a".repeat(100)).chars().collect();
    // By trying everything this would take longer than the universe is old.
    assert!(!matches_pattern(&greedy, &vec!['a'; 200]));
}
