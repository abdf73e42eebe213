//! The rule engine: ordered rules, criteria ANDed, objects ORed, *is* / *is not*, first match wins,
//! then a default. It always says which rule decided. And, built on it, which resources a user sees.

use std::{borrow::Borrow, collections::HashMap, net::IpAddr};

use oriel_model::{
    Id, Object,
    gateway::Gateway,
    group::Group,
    resource::{Resource, Status, Target},
    rule::{AddressRange, ClientKind, ClientKindMatch, ClientOs, Criterion, Effect, Matcher, Rules},
    user::User,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of whoever asks. A fact that is not known matches no *is*, and so every *is not*.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Facts {
    /// Who.
    pub user: Option<Id<User>>,
    /// The groups the user belongs to, nested ones resolved.
    pub groups: Vec<Id<Group>>,
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

/// Evaluates `rules` against `facts`.
pub fn decide(rules: &Rules, facts: &Facts) -> Decision {
    for (index, rule) in rules.rules.iter().enumerate() {
        if rule.criteria.iter().all(|criterion| matches(criterion, facts)) {
            return Decision { effect: rule.effect, rule: Some(index) };
        }
    }
    Decision { effect: rules.otherwise, rule: None }
}

fn matches(criterion: &Criterion, facts: &Facts) -> bool {
    let is = match &criterion.matcher {
        Matcher::User(users) => facts.user.is_some_and(|user| users.contains(&user)),
        Matcher::Group(groups) => facts.groups.iter().any(|group| groups.contains(group)),
        Matcher::Gateway(gateways) => facts.gateway.is_some_and(|gateway| gateways.contains(&gateway)),
        Matcher::Theme(themes) => is_one_of(themes, facts.theme.as_deref()),
        Matcher::ClientName(patterns) => facts
            .client_name
            .as_deref()
            .is_some_and(|name| patterns.iter().any(|pattern| matches_pattern(pattern, name))),
        Matcher::ClientOs(systems) => facts.client_os.is_some_and(|os| systems.contains(&os)),
        Matcher::Client(clients) => clients.iter().any(|wanted| matches_client(wanted, facts)),
        Matcher::Address(ranges) => facts.address.is_some_and(|address| {
            ranges.iter().any(|range| AddressRange::parse(range).is_some_and(|range| range.contains(address)))
        }),
        Matcher::HardwareId(ids) => is_one_of(ids, facts.hardware_id.as_deref()),
    };
    is != criterion.negated
}

fn is_one_of(wanted: &[String], actual: Option<&str>) -> bool {
    actual.is_some_and(|actual| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(actual)))
}

fn matches_client(wanted: &ClientKindMatch, facts: &Facts) -> bool {
    if facts.client != Some(wanted.kind) {
        return false;
    }
    match (&wanted.minimum_version, &facts.client_version) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(minimum), Some(version)) => numbers(version) >= numbers(minimum),
    }
}

/// The dotted numbers of a version; what is not a number counts as 0.
fn numbers(version: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = version.split('.').map(|part| part.trim().parse().unwrap_or(0)).collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

/// Whether `text` matches a pattern of `*` and `?`, letters of either case. Linear in time for any
/// pattern: on a mismatch only the last `*` takes one more character.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
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

/// How a resource looks to somebody, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Access {
    /// Seen, can be opened.
    Open {
        /// The rule that decided.
        decision: Decision,
    },
    /// Seen, but in maintenance.
    Maintenance {
        /// For the user.
        message: String,
        /// The folder whose maintenance it inherits; none: its own.
        inherited_from: Option<Id<Resource>>,
        /// The rule that decided that it is seen.
        decision: Decision,
    },
    /// Not seen.
    Hidden {
        /// Why not.
        because: Hidden,
    },
}

/// Why a resource is not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Hidden {
    /// Its own rules say so.
    Rule {
        /// Which.
        decision: Decision,
    },
    /// A folder above it is hidden by its rules.
    FolderRule {
        /// The folder.
        folder: Id<Resource>,
        /// Which rule of the folder.
        decision: Decision,
    },
    /// It is disabled.
    Disabled {
        /// The folder whose status it inherits; none: its own.
        inherited_from: Option<Id<Resource>>,
    },
    /// The folder it lies in is gone, or folders contain each other.
    LostFolder,
}

impl Access {
    /// Whether it is seen.
    pub fn is_visible(&self) -> bool {
        !matches!(self, Access::Hidden { .. })
    }
}

/// Deepest nesting of folders that is followed: deeper ones count as lost, so that a cycle ends.
pub const FOLDER_DEPTH_MAX: usize = 32;

/// How `resource` looks to whoever `facts` describe. `find` knows the folders.
pub fn access<'a>(
    resource: &'a Object<Resource>,
    find: impl Fn(Id<Resource>) -> Option<&'a Object<Resource>>,
    facts: &Facts,
) -> Access {
    let decision = decide(&resource.spec.rules, facts);
    if !decision.is_allowed() {
        return Access::Hidden { because: Hidden::Rule { decision } };
    }
    let mut maintenance = None;
    let mut current = resource;
    for _ in 0..FOLDER_DEPTH_MAX {
        let inherited_from = (current.id != resource.id).then_some(current.id);
        if let Some(folder) = inherited_from {
            let decision = decide(&current.spec.rules, facts);
            if !decision.is_allowed() {
                return Access::Hidden { because: Hidden::FolderRule { folder, decision } };
            }
        }
        match &current.spec.status {
            Status::Enabled => {}
            Status::Disabled => return Access::Hidden { because: Hidden::Disabled { inherited_from } },
            Status::Maintenance { message } => {
                maintenance.get_or_insert_with(|| (message.clone(), inherited_from));
            }
        }
        match current.spec.folder {
            None => {
                return match maintenance {
                    None => Access::Open { decision },
                    Some((message, inherited_from)) => {
                        Access::Maintenance { message, inherited_from, decision }
                    }
                };
            }
            Some(folder) => match find(folder) {
                Some(folder) if folder.spec.target == Target::Folder => current = folder,
                _ => return Access::Hidden { because: Hidden::LostFolder },
            },
        }
    }
    Access::Hidden { because: Hidden::LostFolder }
}

/// What somebody sees: every visible resource with its access, and the folders that lead to them.
/// A folder is decided once, however many resources it holds; folders without anything are left out.
pub fn visible<'a, R: Borrow<Object<Resource>>>(
    resources: &'a HashMap<Id<Resource>, R>,
    facts: &Facts,
) -> Vec<(&'a Object<Resource>, Access)> {
    let mut listing = Listing { resources, facts, folders: HashMap::new() };
    let mut seen = Vec::new();
    let mut used = std::collections::HashSet::new();
    for resource in resources.values().map(Borrow::borrow) {
        if resource.spec.target == Target::Folder {
            continue;
        }
        let access = listing.look(resource, 0);
        if !access.is_visible() {
            continue;
        }
        let mut folder = resource.spec.folder;
        while let Some(id) = folder
            && used.insert(id)
        {
            folder = resources.get(&id).and_then(|folder| folder.borrow().spec.folder);
        }
        seen.push((resource, access));
    }
    for id in used {
        if let Some(folder) = resources.get(&id) {
            let folder = folder.borrow();
            let access = listing.look(folder, 0);
            seen.push((folder, access));
        }
    }
    seen
}

/// The same answers as [`access`], with the folders remembered.
struct Listing<'a, 'f, R> {
    resources: &'a HashMap<Id<Resource>, R>,
    facts: &'f Facts,
    folders: HashMap<Id<Resource>, Access>,
}

impl<R: Borrow<Object<Resource>>> Listing<'_, '_, R> {
    fn look(&mut self, resource: &Object<Resource>, depth: usize) -> Access {
        let own = decide(&resource.spec.rules, self.facts);
        if !own.is_allowed() {
            return Access::Hidden { because: Hidden::Rule { decision: own } };
        }
        if resource.spec.status == Status::Disabled {
            return Access::Hidden { because: Hidden::Disabled { inherited_from: None } };
        }
        let above = match resource.spec.folder {
            None => None,
            Some(_) if depth + 1 >= FOLDER_DEPTH_MAX => {
                return Access::Hidden { because: Hidden::LostFolder };
            }
            Some(id) => match self.folder(id, depth + 1) {
                None => return Access::Hidden { because: Hidden::LostFolder },
                Some(access) => Some((id, access)),
            },
        };
        let inherited = match above {
            None | Some((_, Access::Open { .. })) => None,
            Some((id, Access::Hidden { because })) => {
                return Access::Hidden { because: below(because, id) };
            }
            Some((id, Access::Maintenance { message, inherited_from, .. })) => {
                Some((message, Some(inherited_from.unwrap_or(id))))
            }
        };
        let own_maintenance = match &resource.spec.status {
            Status::Maintenance { message } => Some((message.clone(), None)),
            _ => None,
        };
        match own_maintenance.or(inherited) {
            None => Access::Open { decision: own },
            Some((message, inherited_from)) => Access::Maintenance { message, inherited_from, decision: own },
        }
    }

    fn folder(&mut self, id: Id<Resource>, depth: usize) -> Option<Access> {
        if let Some(known) = self.folders.get(&id) {
            return Some(known.clone());
        }
        let folder = self.resources.get(&id)?.borrow();
        if folder.spec.target != Target::Folder {
            return None;
        }
        let access = self.look(folder, depth);
        self.folders.insert(id, access.clone());
        Some(access)
    }
}

/// A folder's reason, as seen from what lies in it.
fn below(because: Hidden, folder: Id<Resource>) -> Hidden {
    match because {
        Hidden::Rule { decision } => Hidden::FolderRule { folder, decision },
        Hidden::Disabled { inherited_from } => {
            Hidden::Disabled { inherited_from: Some(inherited_from.unwrap_or(folder)) }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use oriel_model::rule::Rule;
    use proptest::prelude::*;

    use super::*;

    fn id<T>(number: u128) -> Id<T> {
        uuid::Uuid::from_u128(number).into()
    }

    fn rule(effect: Effect, criteria: Vec<Criterion>) -> Rule {
        Rule { name: String::new(), effect, criteria }
    }

    fn is(matcher: Matcher) -> Criterion {
        Criterion { negated: false, matcher }
    }

    fn is_not(matcher: Matcher) -> Criterion {
        Criterion { negated: true, matcher }
    }

    fn resource(number: u128, target: Target, folder: Option<u128>) -> Object<Resource> {
        Object {
            id: id(number),
            name: format!("r{number}"),
            site: None,
            spec: Resource { folder: folder.map(id), ..Resource::new(target) },
            revision: 1,
            changed_at: jiff::Timestamp::UNIX_EPOCH,
            changed_by: "test".into(),
        }
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
        check(vec![is(Matcher::User(vec![id(9), id(1)]))], &facts, true);
        check(vec![is(Matcher::Group(vec![id(3)]))], &facts, true);
        check(vec![is_not(Matcher::Group(vec![id(3)]))], &facts, false);
        check(vec![is(Matcher::Gateway(vec![id(5)]))], &facts, false);
        check(vec![is(Matcher::Theme(vec!["office".into()]))], &facts, true);
        check(vec![is(Matcher::ClientName(vec!["kiosk-??".into()]))], &facts, true);
        check(vec![is(Matcher::ClientName(vec!["kiosk-?".into()]))], &facts, false);
        check(vec![is(Matcher::ClientOs(vec![ClientOs::Linux]))], &facts, true);
        check(vec![is(browser("156"))], &facts, true);
        check(vec![is(browser("156.0.2"))], &facts, false);
        check(vec![is(Matcher::Address(vec!["10.0.0.0/8".into()]))], &facts, true);
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
    fn a_folders_status_and_rules_hold_for_all_below_it() {
        let mut outer = resource(1, Target::Folder, None);
        let inner = resource(2, Target::Folder, Some(1));
        let app =
            resource(3, Target::Desktop { source: Default::default(), size: Default::default() }, Some(2));
        let see = |outer: &Object<Resource>| {
            let all: HashMap<_, _> = [outer, &inner, &app].into_iter().map(|r| (r.id, r.clone())).collect();
            let found = visible(&all, &Facts::default());
            let listed = found.iter().find(|(r, _)| r.id == app.id).map(|(_, access)| access.clone());
            let single = access(&all[&app.id], |id| all.get(&id), &Facts::default());
            assert_eq!(single.is_visible(), listed.is_some());
            single
        };
        assert!(matches!(see(&outer), Access::Open { .. }));
        outer.spec.status = Status::Maintenance { message: "Back at noon".into() };
        assert!(matches!(
            see(&outer),
            Access::Maintenance { inherited_from: Some(from), .. } if from == outer.id
        ));
        outer.spec.status = Status::Disabled;
        assert_eq!(
            see(&outer),
            Access::Hidden { because: Hidden::Disabled { inherited_from: Some(outer.id) } }
        );
        outer.spec.status = Status::Enabled;
        outer.spec.rules.otherwise = Effect::Deny;
        assert!(matches!(see(&outer), Access::Hidden { because: Hidden::FolderRule { .. } }));
    }

    #[test]
    fn folders_that_contain_each_other_end_as_lost() {
        let one = resource(1, Target::Folder, Some(2));
        let two = resource(2, Target::Folder, Some(1));
        let app =
            resource(3, Target::Desktop { source: Default::default(), size: Default::default() }, Some(2));
        let all: HashMap<_, _> = [one, two, app].into_iter().map(|r| (r.id, r)).collect();
        assert!(visible(&all, &Facts::default()).is_empty());
        let lost = access(&all[&id(3)], |id| all.get(&id), &Facts::default());
        assert_eq!(lost, Access::Hidden { because: Hidden::LostFolder });
    }

    #[test]
    fn folders_with_nothing_in_them_are_left_out() {
        let all: HashMap<_, _> = [resource(1, Target::Folder, None)].into_iter().map(|r| (r.id, r)).collect();
        assert!(visible(&all, &Facts::default()).is_empty());
    }

    /// The same engine written as plainly as the sentence that defines it.
    fn naive(rules: &Rules, facts: &Facts) -> Effect {
        rules
            .rules
            .iter()
            .filter(|rule| {
                rule.criteria.iter().all(|criterion| {
                    let hit = match &criterion.matcher {
                        Matcher::User(users) => users.iter().any(|user| facts.user == Some(*user)),
                        Matcher::Group(groups) => groups.iter().any(|group| facts.groups.contains(group)),
                        _ => false,
                    };
                    if criterion.negated { !hit } else { hit }
                })
            })
            .map(|rule| rule.effect)
            .next()
            .unwrap_or(rules.otherwise)
    }

    fn effects() -> impl Strategy<Value = Effect> {
        prop_oneof![Just(Effect::Allow), Just(Effect::Deny)]
    }

    fn criteria() -> impl Strategy<Value = Criterion> {
        let numbers = || proptest::collection::vec(0u128..6, 1..4);
        let matcher = prop_oneof![
            numbers().prop_map(|n| Matcher::User(n.into_iter().map(id).collect())),
            numbers().prop_map(|n| Matcher::Group(n.into_iter().map(id).collect())),
        ];
        (any::<bool>(), matcher).prop_map(|(negated, matcher)| Criterion { negated, matcher })
    }

    fn rule_lists() -> impl Strategy<Value = Rules> {
        let rules = (effects(), proptest::collection::vec(criteria(), 0..3))
            .prop_map(|(effect, criteria)| rule(effect, criteria));
        (proptest::collection::vec(rules, 0..6), effects())
            .prop_map(|(rules, otherwise)| Rules { rules, otherwise })
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_naive_engine(
            rules in rule_lists(),
            user in 0u128..6,
            groups in proptest::collection::vec(0u128..6, 0..4),
        ) {
            let facts = Facts {
                user: Some(id(user)),
                groups: groups.into_iter().map(id).collect(),
                ..Facts::default()
            };
            prop_assert_eq!(decide(&rules, &facts).effect, naive(&rules, &facts));
        }

        #[test]
        fn rules_behind_the_deciding_one_do_not_matter(rules in rule_lists(), user in 0u128..6) {
            let facts = Facts { user: Some(id(user)), ..Facts::default() };
            let decision = decide(&rules, &facts);
            if let Some(index) = decision.rule {
                let mut shorter = rules.clone();
                shorter.rules.truncate(index + 1);
                prop_assert_eq!(decide(&shorter, &facts), decision);
            }
        }

        #[test]
        fn patterns_never_hang_and_a_text_matches_itself(text in "[a-z]{0,40}") {
            prop_assert!(matches_pattern(&text, &text));
            prop_assert!(matches_pattern("*", &text));
            let greedy = format!("{}b", "*a".repeat(20));
            let matched = matches_pattern(&greedy, &"a".repeat(200));
            prop_assert!(!matched);
        }
    }
}
