//! What somebody sees and may do, and why: every resource with its answer and the rule that decided it, the
//! policy that holds and those passed over, the hours, the clients.

use oriel_model::{Id, Timestamp, resource::Resource, user::User};
use oriel_rules::{access::Access, policy::Effective, rules::Facts};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    explain::{Asked, ExplainError, rule_name},
    policy,
    welcome::Welcome,
};
use crate::{Broker, farm::FarmView};

/// What somebody sees and may do, and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EffectiveAccess<'a> {
    /// Who.
    pub user: Id<User>,
    /// The user's name.
    pub user_name: String,
    /// Whether the account is enabled: if not, nothing below comes to anything.
    pub user_enabled: bool,
    /// What is known of the user and the device.
    pub facts: Facts,
    /// The moment that it is said for.
    pub at: Timestamp,
    /// Whether they are let in then: by the kind of their client, and by the hours.
    #[serde(flatten)]
    pub welcome: Welcome,
    /// The client policy that holds, and those passed over.
    pub policy: Effective,
    /// How many of the resources they see.
    pub visible: usize,
    /// Every published resource, in the order in which it is shown.
    pub resources: Vec<ResourceAccess<'a>>,
}

/// How a resource looks to somebody, and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ResourceAccess<'a> {
    /// Which.
    pub id: Id<Resource>,
    /// Its name.
    pub name: &'a str,
    /// What it is, such as `application`.
    pub kind: &'static str,
    /// Whether it is seen and opens, and by which rule: of itself, or of the folder that is named.
    pub access: Access,
    /// Name of the rule that decided, if one did and has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_name: Option<&'a str>,
}

impl Broker {
    /// Says what a user sees and may do. Their groups and their site are filled into what is asked.
    pub fn effective_access<'a>(
        &self,
        view: &'a FarmView,
        user: Id<User>,
        asked: Asked,
    ) -> Result<EffectiveAccess<'a>, ExplainError> {
        let Asked { facts, user_zone, at } = asked;
        let user = view.person(user).ok_or(ExplainError::NoUser)?;
        let facts = self.filled(view, &user, facts);
        let at = at.unwrap_or_else(|| self.now());
        let all = view.listing.catalogue().all(&facts).map(|(object, access)| ResourceAccess {
            id: object.id,
            name: &object.name,
            kind: object.spec.target.as_str(),
            rule_name: rule_name(view, &object.spec, &access),
            access,
        });
        let resources: Vec<_> = all.collect();
        Ok(EffectiveAccess {
            user: user.id,
            user_name: user.name.clone(),
            user_enabled: user.spec.enabled,
            at,
            welcome: Welcome::look(view, &facts, user_zone.as_deref(), None, at),
            policy: policy::effective(view, &facts),
            visible: resources.iter().filter(|resource| resource.access.is_visible()).count(),
            resources,
            facts,
        })
    }
}
