//! Client policies: which one holds for a client, and what it enforces.

use oriel_model::{
    Id,
    policy::{Policy, PolicySettings},
    session::ChannelPolicy,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ordered::{LookedAt, Ordered},
    rules::Facts,
};

/// All client policies, in order.
pub type Policies = Ordered<Policy>;

/// The settings of somebody's client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effective {
    /// The policy that holds; none: everything is left to the user.
    pub policy: Option<Holding>,
    /// What it enforces. An absent group is left to the user.
    pub settings: PolicySettings,
    /// The groups that are enforced, by their fields in the settings.
    pub enforced: Vec<Group>,
    /// The virtual channels that are left open; the gateway enforces it.
    pub channels: ChannelPolicy,
    /// The policies that were looked at, in order, up to the one that holds.
    pub looked_at: Vec<LookedAt>,
}

/// A policy that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Holding {
    /// Which.
    pub id: Id<Policy>,
    /// Its name: clients show it beside what it locks.
    pub name: String,
}

/// A group of a policy's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are those of the fields of the settings")]
pub enum Group {
    Display,
    Clipboard,
    Drives,
    Printing,
    Audio,
    Keyboard,
    Connection,
    Network,
    Options,
    Redirection,
}

/// The policy that holds for the client that `facts` describe, and what comes of it.
pub fn effective(policies: &Policies, facts: &Facts) -> Effective {
    let choice = policies.choose(facts);
    let settings = choice.chosen.map(|policy| policy.spec.settings.clone()).unwrap_or_default();
    Effective {
        policy: choice.chosen.map(|policy| Holding { id: policy.id, name: policy.name.clone() }),
        enforced: enforced(&settings),
        channels: settings.channels(),
        settings,
        looked_at: choice.looked_at,
    }
}

/// The groups that are present.
pub fn enforced(settings: &PolicySettings) -> Vec<Group> {
    // Every field is named, so that a new group is not forgotten here.
    let PolicySettings {
        display,
        clipboard,
        drives,
        printing,
        audio,
        keyboard,
        connection,
        network,
        options,
        redirection,
    } = settings;
    [
        (display.is_some(), Group::Display),
        (clipboard.is_some(), Group::Clipboard),
        (drives.is_some(), Group::Drives),
        (printing.is_some(), Group::Printing),
        (audio.is_some(), Group::Audio),
        (keyboard.is_some(), Group::Keyboard),
        (connection.is_some(), Group::Connection),
        (network.is_some(), Group::Network),
        (options.is_some(), Group::Options),
        (redirection.is_some(), Group::Redirection),
    ]
    .into_iter()
    .filter_map(|(is_present, group)| is_present.then_some(group))
    .collect()
}

#[cfg(test)]
mod tests {
    use oriel_model::{
        policy::{Clipboard, Direction, Display},
        rule::{Effect, Matcher, Rules},
    };
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{
        ordered::object,
        rules::tests::{facts, id, is, naive, rule, rule_lists},
    };

    #[test]
    fn the_first_that_is_enabled_and_allows_holds_and_the_way_to_it_is_told() {
        let no_clipboard = PolicySettings {
            clipboard: Some(Clipboard { direction: Direction::None, ..Clipboard::default() }),
            ..PolicySettings::default()
        };
        let display = PolicySettings { display: Some(Display::default()), ..PolicySettings::default() };
        let sales = Rules {
            rules: vec![rule(Effect::Allow, vec![is(Matcher::Group(vec![id(9)]))])],
            otherwise: Effect::Deny,
        };
        let policies = Policies::new([
            object(3, "rest", Policy { order: 5, settings: display, ..Policy::default() }),
            object(2, "sales", Policy { rules: sales, settings: no_clipboard, ..Policy::default() }),
            object(1, "off", Policy { enabled: false, ..Policy::default() }),
        ]);
        let name = |effective: &Effective| effective.policy.as_ref().map(|policy| policy.name.clone());
        let seller = effective(&policies, &Facts { groups: vec![id(9)], ..Facts::default() });
        assert_eq!(name(&seller).as_deref(), Some("sales"));
        assert_eq!(seller.enforced, [Group::Clipboard]);
        assert!(!seller.channels.clipboard && seller.channels.drives);
        let other = effective(&policies, &Facts::default());
        assert_eq!(name(&other).as_deref(), Some("rest"));
        assert_eq!(other.enforced, [Group::Display]);
        let looked: Vec<_> = other
            .looked_at
            .iter()
            .map(|looked| (&*looked.name, looked.decision.map(|decision| decision.effect)))
            .collect();
        assert_eq!(looked, [("off", None), ("sales", Some(Effect::Deny)), ("rest", Some(Effect::Allow))]);
    }

    #[test]
    fn without_a_policy_everything_is_the_users() {
        let nothing = effective(&Policies::default(), &Facts::default());
        assert_eq!(nothing.policy, None);
        assert!(nothing.enforced.is_empty());
        assert_eq!(nothing.channels, ChannelPolicy::default());
    }

    #[test]
    fn groups_are_called_as_their_fields() {
        let all = serde_json::json!({
            "display": {}, "clipboard": {}, "drives": {}, "printing": {}, "audio": {}, "keyboard": {},
            "connection": {}, "network": {}, "options": {}, "redirection": {"routes": []},
        });
        let settings: PolicySettings = serde_json::from_value(all.clone()).expect("settings");
        let mut named: Vec<_> =
            enforced(&settings).iter().map(|group| serde_json::to_value(group).expect("a word")).collect();
        named.sort_by_key(|name| name.as_str().map(str::to_owned));
        let fields: Vec<_> = all.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(named, fields);
        let shown = serde_json::to_value(&settings).expect("json");
        assert_eq!(shown.as_object().expect("an object").len(), fields.len(), "a group is not tested");
    }

    proptest! {
        #[test]
        fn it_agrees_with_looking_at_them_one_by_one(
            specs in vec((any::<bool>(), -1i32..2, rule_lists()), 0..6), facts in facts(),
        ) {
            let specs: Vec<_> = specs
                .into_iter()
                .map(|(enabled, order, rules)| Policy { enabled, order, rules, ..Policy::default() })
                .collect();
            let objects =
                (0u128..).zip(&specs).map(|(number, spec)| object(number, &number.to_string(), spec.clone()));
            let policies = Policies::new(objects);
            let mut best: Option<(i32, usize)> = None;
            for (number, spec) in specs.iter().enumerate() {
                let holds = spec.enabled && naive(&spec.rules, &facts).effect == Effect::Allow;
                if holds && best.is_none_or(|(order, _)| spec.order < order) {
                    best = Some((spec.order, number));
                }
            }
            let chosen = effective(&policies, &facts).policy.map(|policy| policy.name);
            prop_assert_eq!(chosen, best.map(|(_, number)| number.to_string()));
        }
    }
}
