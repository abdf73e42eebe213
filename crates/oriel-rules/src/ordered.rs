//! Settings of which one holds: those that are enabled, in order; the first whose rules allow. Client
//! policies and logon hours are such.

use std::{fmt, sync::Arc};

use oriel_model::{Id, Object, Spec, logon_hours::LogonHours, policy::Policy, rule::Rules, validate::fold};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{Asker, CompiledRules, Decision, Facts};

/// What has a place among its like and rules for whom it holds.
pub trait Ruled: Spec {
    /// A disabled one holds for nobody.
    fn is_enabled(&self) -> bool;
    /// Smaller first, then by name.
    fn order(&self) -> i32;
    /// Whom it holds for.
    fn rules(&self) -> &Rules;
}

macro_rules! ruled {
    ($spec:ty) => {
        impl Ruled for $spec {
            fn is_enabled(&self) -> bool {
                self.enabled
            }
            fn order(&self) -> i32 {
                self.order
            }
            fn rules(&self) -> &Rules {
                &self.rules
            }
        }
    };
}

ruled!(Policy);
ruled!(LogonHours);

/// All settings of one kind in their order, with their rules compiled: kept for as long as none changes.
#[derive(Clone)]
pub struct Ordered<S: Ruled> {
    entries: Vec<(Arc<Object<S>>, CompiledRules)>,
}

impl<S: Ruled> Default for Ordered<S> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<S: Ruled> fmt::Debug for Ordered<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|(object, _)| &object.name)).finish()
    }
}

/// The one that holds, and what was said of those that were looked at.
#[derive(Debug, Clone)]
pub struct Choice<'a, S> {
    /// The one; none: nothing is set for whoever asked.
    pub chosen: Option<&'a Arc<Object<S>>>,
    /// In order, up to the one that holds.
    pub looked_at: Vec<LookedAt>,
}

/// One that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LookedAt {
    /// Which.
    pub id: Id<()>,
    /// Its name.
    pub name: String,
    /// What its rules say; none: it is disabled.
    pub decision: Option<Decision>,
    /// Name of the rule that decided, if one did and has a name.
    pub rule_name: Option<String>,
}

impl<S: Ruled> Ordered<S> {
    /// Sorts them and compiles their rules.
    pub fn new(objects: impl IntoIterator<Item = Arc<Object<S>>>) -> Self {
        let mut objects: Vec<_> = objects.into_iter().collect();
        objects.sort_by_cached_key(|object| (object.spec.order(), fold(&object.name), object.id));
        let entries = objects.into_iter().map(|object| {
            let rules = CompiledRules::new(object.spec.rules());
            (object, rules)
        });
        Self { entries: entries.collect() }
    }

    /// The one that holds for whoever `facts` describe.
    pub fn choose(&self, facts: &Facts) -> Choice<'_, S> {
        let asker = Asker::new(facts);
        let mut looked_at = Vec::new();
        for (object, rules) in &self.entries {
            let decision = object.spec.is_enabled().then(|| rules.decide(&asker));
            let rule = decision.and_then(|decision| object.spec.rules().rules.get(decision.rule?));
            looked_at.push(LookedAt {
                id: object.id.cast(),
                name: object.name.clone(),
                decision,
                rule_name: rule.map(|rule| rule.name.clone()).filter(|name| !name.is_empty()),
            });
            if decision.is_some_and(Decision::is_allowed) {
                return Choice { chosen: Some(object), looked_at };
            }
        }
        Choice { chosen: None, looked_at }
    }
}

#[cfg(test)]
pub(crate) fn object<S: Ruled>(number: u128, name: &str, spec: S) -> Arc<Object<S>> {
    Arc::new(Object {
        id: crate::rules::tests::id(number),
        name: name.to_owned(),
        site: None,
        spec,
        revision: 1,
        changed_at: jiff::Timestamp::UNIX_EPOCH,
        changed_by: "test".into(),
    })
}
