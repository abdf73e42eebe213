//! Why a launch would be answered as it would be: the whole decision with its inputs, for
//! `oriel why launch`. Nothing is prepared and nothing changes.

use std::net::IpAddr;

use oriel_model::{
    Id, Object, Timestamp,
    pool::EffectiveBalancing,
    resource::{Resource, Source, Target},
    user::User,
};
use oriel_rules::{
    access::Access,
    launch::{self, Inputs, OwnSession, Plan},
    placement::HostSnapshot,
    rules::Facts,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Broker, farm::FarmView};

/// A decision with all that went into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// Whose launch.
    pub user: Id<User>,
    /// The user's name.
    pub user_name: String,
    /// Whether the account is enabled.
    pub user_enabled: bool,
    /// What is opened.
    pub resource: Id<Resource>,
    /// Its name.
    pub resource_name: String,
    /// What is known of the user and the device.
    pub facts: Facts,
    /// Whether the user may open it, and by which rule.
    pub access: Access,
    /// Name of the rule that decided, if one did and it has a name.
    pub rule_name: Option<String>,
    /// Where sessions of it run, with what is known of each host.
    pub placement: Option<PlacementInputs>,
    /// The user's sessions, on any host.
    pub sessions: Vec<OwnSession>,
    /// Whether each of them serves this launch; empty when nothing is launched.
    #[serde(default)]
    pub looked_at: Vec<launch::LookedAt>,
    /// What would be done; none: the user may not open it.
    pub plan: Option<Plan>,
    /// The answer as a sentence.
    pub summary: String,
    /// When this was decided.
    pub at: Timestamp,
}

/// What placement looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlacementInputs {
    /// The hosts.
    pub hosts: Vec<HostSnapshot>,
    /// Where they are: `of pool Office`.
    pub place: String,
    /// How sessions are spread over them.
    pub balancing: EffectiveBalancing,
    /// Count of placements so far.
    pub turn: u64,
}

/// Why there is no explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// No such user.
    #[error("there is no such user")]
    NoUser,
    /// No such resource, or it is a folder.
    #[error("there is no such published resource, or it is a folder")]
    NoResource,
}

impl Broker {
    /// Explains a launch. The user and their groups are filled into `facts`.
    pub fn explain_launch(
        &self,
        user: Id<User>,
        resource: Id<Resource>,
        facts: Facts,
    ) -> Result<Explanation, ExplainError> {
        let view = self.farm.load();
        let user = view.users.get(user).ok_or(ExplainError::NoUser)?;
        let facts = Facts { user: Some(user.id), groups: user.spec.groups.clone(), ..facts };
        let (object, access) = view.listing.access(resource, &facts).ok_or(ExplainError::NoResource)?;
        let source = object.spec.target.source().ok_or(ExplainError::NoResource)?;
        let sessions: Vec<_> = self.sessions_of(user).iter().map(|session| session.as_own()).collect();
        let mut placement = self.placement_inputs(&view, source);
        placement.hosts.sort_by(|a, b| a.name.cmp(&b.name));
        let now = self.now();
        let may_open = user.spec.enabled && matches!(access, Access::Open { .. });
        let launch = may_open.then(|| inputs(object, &sessions, &placement, facts.address, now));
        let looked_at = launch.as_ref().map(launch::look).unwrap_or_default();
        let plan = launch.as_ref().map(launch::plan);
        Ok(Explanation {
            user: user.id,
            user_name: user.name.clone(),
            user_enabled: user.spec.enabled,
            resource: object.id,
            resource_name: object.name.clone(),
            rule_name: rule_name(&view, &object.spec, &access),
            summary: summary(&view, user.spec.enabled, &access, plan.as_ref()),
            facts,
            access,
            placement: Some(placement),
            sessions,
            looked_at,
            plan,
            at: now,
        })
    }

    /// What placement looks at for a source, at this moment.
    pub(crate) fn placement_inputs(&self, view: &FarmView, source: &Source) -> PlacementInputs {
        let hosts = view.hosts_of(source);
        let pools: std::collections::BTreeSet<_> = hosts.iter().map(|host| host.spec.pool).collect();
        // Hosts of several pools are compared by what all of them have: their load.
        let balancing = match pools.iter().next() {
            Some(pool) if pools.len() == 1 => view.effective_balancing(*pool).0,
            _ => EffectiveBalancing::default(),
        };
        PlacementInputs {
            hosts: hosts.iter().filter_map(|host| self.hosts.snapshot(view, host.id)).collect(),
            place: place(view, source),
            balancing,
            turn: self.turns.load(std::sync::atomic::Ordering::Relaxed),
        }
    }
}

/// Puts together what a launch is decided from.
pub(crate) fn inputs<'a>(
    resource: &Object<Resource>,
    sessions: &'a [OwnSession],
    placement: &'a PlacementInputs,
    client_address: Option<IpAddr>,
    now: Timestamp,
) -> Inputs<'a> {
    let target = &resource.spec.target;
    let is_application = matches!(target, Target::Application(_));
    Inputs {
        resource: resource.id,
        application: is_application.then_some(resource.id),
        share_session: shares(&resource.spec),
        one_instance: matches!(target, Target::Application(application) if application.one_instance),
        another: false,
        sessions,
        hosts: &placement.hosts,
        named_hosts: matches!(target.source(), Some(Source::Hosts { .. })),
        place: &placement.place,
        balancing: &placement.balancing,
        client_address,
        limits: &[],
        turn: placement.turn,
        now,
    }
}

/// Whether a resource opens in a running application session of its user.
pub(crate) fn shares(resource: &Resource) -> bool {
    matches!(&resource.target, oriel_model::resource::Target::Application(application) if application.share_session)
}

/// Where the hosts of a source are, for a refusal.
fn place(view: &FarmView, source: &Source) -> String {
    match source {
        Source::Hosts { .. } => String::new(),
        Source::AllHosts => match view.sites.sorted().as_slice() {
            [only] => format!("of site {}", only.name),
            _ => "of the farm".to_owned(),
        },
        Source::Pools { pools } => {
            let names: Vec<_> =
                pools.iter().filter_map(|pool| view.pools.get(*pool)).map(|pool| &*pool.name).collect();
            match names.as_slice() {
                [] => "of a pool that was deleted".to_owned(),
                [only] => format!("of pool {only}"),
                [first @ .., last] => format!("of pools {} and {last}", first.join(", ")),
            }
        }
    }
}

fn rule_name(view: &FarmView, resource: &Resource, access: &Access) -> Option<String> {
    use oriel_rules::access::Hidden;
    let (rules, decision) = match access {
        Access::Open { decision } | Access::Maintenance { decision, .. } => (&resource.rules, decision),
        Access::Hidden { because: Hidden::Rule { decision } } => (&resource.rules, decision),
        Access::Hidden { because: Hidden::FolderRule { folder, decision } } => {
            (&view.resources.get(*folder)?.spec.rules, decision)
        }
        Access::Hidden { .. } => return None,
    };
    let name = &rules.rules.get(decision.rule?)?.name;
    (!name.is_empty()).then(|| name.clone())
}

fn summary(view: &FarmView, user_enabled: bool, access: &Access, plan: Option<&Plan>) -> String {
    let host_name = |id| {
        view.hosts.get(id).map_or_else(|| "a host that was deleted".to_owned(), |host| host.name.clone())
    };
    if !user_enabled {
        return "The account is disabled.".to_owned();
    }
    match (access, plan) {
        (Access::Hidden { .. }, _) => "The user does not see this resource.".to_owned(),
        (Access::Maintenance { .. }, _) => "The resource is in maintenance.".to_owned(),
        (_, Some(Plan::Return { host, start_program: false, .. })) => {
            format!("The user returns to their own session on {}.", host_name(*host))
        }
        (_, Some(Plan::Return { host, .. })) => {
            format!("The program opens in the user's shared session on {}.", host_name(*host))
        }
        (_, Some(Plan::Start { ranking })) => match ranking.candidates.first() {
            Some(first) => format!("A new session starts on {}.", first.name),
            None => "There is no host.".to_owned(),
        },
        (_, Some(Plan::Refuse { refusal, .. })) => refusal.to_string(),
        (_, Some(Plan::OwnSessionEnding { host, .. })) => {
            format!("The user's last session of it is still ending on {}.", host_name(*host))
        }
        (_, Some(Plan::LimitReached { over })) => over.message.clone(),
        (_, Some(Plan::OwnSessionOutOfReach { host_name, .. })) => {
            format!("The user's own session is on {host_name}, which does not take it back now.")
        }
        (Access::Open { .. }, None) => "The user may open it.".to_owned(),
    }
}
