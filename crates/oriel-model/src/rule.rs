//! Rules: who or what something applies to. One shape serves publishing filters, client policies,
//! second factors, logon hours and theme access; `oriel-rules` evaluates it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{gateway::Gateway, group::Group, id::Id, user::User, validate::Mistakes};

/// Ordered rules: the first that matches decides, then the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// In order.
    pub rules: Vec<Rule>,
    /// What holds when no rule matches.
    pub otherwise: Effect,
}

impl Default for Rules {
    fn default() -> Self {
        Self { rules: Vec::new(), otherwise: Effect::Allow }
    }
}

/// One rule: all its criteria must match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// For people: shown wherever the rule is named as the one that decided.
    #[serde(default)]
    pub name: String,
    /// What it says.
    pub effect: Effect,
    /// ANDed. At most one of each type; none: matches always.
    #[serde(default)]
    pub criteria: Vec<Criterion>,
}

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Let it.
    Allow,
    /// Refuse it.
    Deny,
}

/// A condition: one of the objects applies, or (negated) none of them does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Criterion {
    /// True: *is not* one of.
    #[serde(default)]
    pub negated: bool,
    /// The objects, ORed.
    #[serde(flatten)]
    pub matcher: Matcher,
}

/// What a criterion looks at, and the objects it looks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "type", content = "objects")]
pub enum Matcher {
    /// The user.
    User(Vec<Id<User>>),
    /// A group the user belongs to.
    Group(Vec<Id<Group>>),
    /// The gateway the user came through.
    Gateway(Vec<Id<Gateway>>),
    /// The theme (address) the user signed in at, by name.
    Theme(Vec<String>),
    /// The name of the user's device; `*` and `?` match any text and any character.
    ClientName(Vec<String>),
    /// The operating system of the user's device.
    ClientOs(Vec<ClientOs>),
    /// The kind of client, with an optional smallest version.
    Client(Vec<ClientKindMatch>),
    /// The client's address: single addresses or ranges such as `10.0.0.0/8` or `fd00::/8`.
    Address(Vec<String>),
    /// The hardware id that the client reports.
    HardwareId(Vec<String>),
}

/// Operating systems of users' devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ClientOs {
    Windows,
    MacOs,
    Linux,
    ChromeOs,
    Android,
    Ios,
    Other,
}

/// Kinds of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// The portal's own session page.
    Browser,
    /// Microsoft's clients.
    Mstsc,
    /// Microsoft's app on any device.
    WindowsApp,
    /// FreeRDP.
    FreeRdp,
    /// Oriel's launcher.
    Launcher,
    /// Anything else.
    Other,
}

/// A kind of client, with an optional smallest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientKindMatch {
    /// The kind.
    pub kind: ClientKind,
    /// Smallest version, dotted numbers such as `10.2`.
    #[serde(default)]
    pub minimum_version: Option<String>,
}

/// Most rules of one list; ten times what anyone can oversee.
pub const RULES_MAX: usize = 500;
/// Most objects of one criterion.
pub const OBJECTS_MAX: usize = 5_000;

impl Matcher {
    /// How many objects it has.
    pub fn len(&self) -> usize {
        match self {
            Matcher::User(objects) => objects.len(),
            Matcher::Group(objects) => objects.len(),
            Matcher::Gateway(objects) => objects.len(),
            Matcher::Theme(objects)
            | Matcher::ClientName(objects)
            | Matcher::Address(objects)
            | Matcher::HardwareId(objects) => objects.len(),
            Matcher::ClientOs(objects) => objects.len(),
            Matcher::Client(objects) => objects.len(),
        }
    }

    /// Whether it has no objects (which validation refuses).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Longest text that a criterion looks for, in characters.
const TEXT_MAX: usize = 255;

impl Matcher {
    fn check_texts(&self, mistakes: &mut Mistakes) {
        match self {
            Matcher::Theme(texts) | Matcher::ClientName(texts) | Matcher::HardwareId(texts) => {
                for (index, text) in texts.iter().enumerate() {
                    mistakes.text(&format!("objects[{index}]"), text, TEXT_MAX);
                }
            }
            Matcher::Client(clients) => {
                for (index, client) in clients.iter().enumerate() {
                    client.validate(&format!("objects[{index}]"), mistakes);
                }
            }
            _ => {}
        }
    }
}

impl ClientKindMatch {
    /// Checks that the version is one.
    pub fn validate(&self, field: &str, mistakes: &mut Mistakes) {
        let Some(version) = &self.minimum_version else { return };
        let numbers = version.split('.').all(|part| !part.is_empty() && part.parse::<u32>().is_ok());
        if !numbers || version.split('.').count() > 6 {
            let shown: String = version.chars().take(64).collect();
            let message = format!("\"{shown}\" is not a version of dotted numbers such as 10.2");
            mistakes.add(&format!("{field}.minimum_version"), message);
        }
    }
}

impl Rules {
    /// Checks sizes and that each criterion can match at all.
    pub fn validate(&self, mistakes: &mut Mistakes) {
        if self.rules.len() > RULES_MAX {
            mistakes.add("rules", format!("has more than {RULES_MAX} entries"));
        }
        for (index, rule) in self.rules.iter().enumerate() {
            mistakes.within(&format!("rules[{index}]"), |m| rule.validate(m));
        }
    }
}

impl Rule {
    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("name", &self.name, 255);
        let mut seen = Vec::new();
        for (index, criterion) in self.criteria.iter().enumerate() {
            let field = format!("criteria[{index}]");
            let kind = std::mem::discriminant(&criterion.matcher);
            if seen.contains(&kind) {
                mistakes.add(&field, "is of a type that this rule has already; write two rules instead");
            }
            seen.push(kind);
            mistakes.within(&field, |m| {
                if criterion.matcher.is_empty() {
                    m.add("objects", "needs at least one object");
                }
                if criterion.matcher.len() > OBJECTS_MAX {
                    m.add("objects", format!("has more than {OBJECTS_MAX} entries"));
                }
                criterion.matcher.check_texts(m);
                if let Matcher::Address(ranges) = &criterion.matcher {
                    for (index, range) in ranges.iter().enumerate() {
                        if AddressRange::parse(range).is_none() {
                            m.add(
                                &format!("objects[{index}]"),
                                format!("\"{range}\" is not an address or a range such as 10.0.0.0/8"),
                            );
                        }
                    }
                }
            });
        }
    }
}

/// A range of IP addresses in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    network: std::net::IpAddr,
    prefix: u8,
}

impl AddressRange {
    /// Reads `10.1.2.3`, `10.0.0.0/8` or `fd00::/8`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let network: std::net::IpAddr = address.trim().parse().ok()?;
        let longest = if network.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        if prefix > longest {
            return None;
        }
        match network.to_canonical() {
            // IPv4 addresses mapped into IPv6 are IPv4 addresses, and so are ranges of them.
            canonical if canonical != network && prefix >= 96 => {
                Some(Self { network: canonical, prefix: prefix - 96 })
            }
            _ => Some(Self { network, prefix }),
        }
    }

    /// The first and the last address of the range.
    pub fn bounds(&self) -> (std::net::IpAddr, std::net::IpAddr) {
        match self.network {
            std::net::IpAddr::V4(network) => {
                let host = u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                let bits = network.to_bits();
                let [first, last] = [bits & !host, bits | host].map(std::net::Ipv4Addr::from_bits);
                (first.into(), last.into())
            }
            std::net::IpAddr::V6(network) => {
                let host = u128::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                let bits = network.to_bits();
                let [first, last] = [bits & !host, bits | host].map(std::net::Ipv6Addr::from_bits);
                (first.into(), last.into())
            }
        }
    }

    /// Whether `address` lies in the range; an IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: std::net::IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (std::net::IpAddr::V4(network), std::net::IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix);
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            (std::net::IpAddr::V6(network), std::net::IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix);
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_what_they_say() {
        let check = |range: &str, address: &str| {
            let range = AddressRange::parse(range).expect("a range");
            range.contains(address.parse().expect("an address"))
        };
        assert!(check("10.0.0.0/8", "10.200.3.4"));
        assert!(!check("10.0.0.0/8", "11.0.0.1"));
        assert!(check("0.0.0.0/0", "192.0.2.1"));
        assert!(check("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(check("::ffff:192.0.2.0/120", "192.0.2.1"));
        assert!(check("fd00::/8", "fd12::1"));
        assert!(!check("fd00::/8", "10.0.0.1"));
        assert_eq!(AddressRange::parse("10.0.0.0/33"), None);
    }

    #[test]
    fn a_range_has_a_first_and_a_last_address() {
        let check = |range: &str, first: &str, last: &str| {
            let bounds = AddressRange::parse(range).expect("a range").bounds();
            assert_eq!(bounds, (first.parse().expect("address"), last.parse().expect("address")));
        };
        check("10.1.2.3/8", "10.0.0.0", "10.255.255.255");
        check("10.1.2.3", "10.1.2.3", "10.1.2.3");
        check("0.0.0.0/0", "0.0.0.0", "255.255.255.255");
        check("fd00::/8", "fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    }

    #[test]
    fn two_criteria_of_one_type_are_refused() {
        let criterion = || Criterion { negated: false, matcher: Matcher::Theme(vec!["a".into()]) };
        let rule =
            Rule { name: String::new(), effect: Effect::Deny, criteria: vec![criterion(), criterion()] };
        let mut mistakes = Mistakes::default();
        Rules { rules: vec![rule], otherwise: Effect::Allow }.validate(&mut mistakes);
        assert_eq!(mistakes.into_vec()[0].field, "rules[0].criteria[1]");
    }

    #[test]
    fn a_criterion_reads_as_people_write_it() {
        let text = r#"{"type":"client_name","negated":true,"objects":["kiosk-*"]}"#;
        let criterion: Criterion = serde_json::from_str(text).expect("valid");
        assert!(criterion.negated);
        assert_eq!(criterion.matcher, Matcher::ClientName(vec!["kiosk-*".into()]));
    }
}
