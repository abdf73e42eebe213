//! Why a launch would be answered as it would be: the whole decision with its inputs, for
//! `oriel why launch`. Nothing is prepared and nothing changes.

use oriel_model::{
    Id, Object, Timestamp,
    inherit::Inherited,
    pool::{Balancing, EffectiveBalancing},
    resource::{Resource, Source},
    site::Site,
    user::User,
};
use oriel_rules::{
    access::Access,
    launch::{self, LookedAt, Opening, OverLimit, OwnSession, Plan, Unopenable},
    placement::HostSnapshot,
    policy::Effective,
    rules::Facts,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    launch::{Moment, Opens},
    policy,
    welcome::{NotWelcome, Welcome},
};
use crate::{Broker, farm::FarmView, http::problem::sentence};

/// A decision with all that went into it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
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
    /// Whether each of these serves the launch.
    pub looked_at: Vec<LookedAt>,
    /// The limits of use that it goes beyond.
    pub over_limits: Vec<OverLimit>,
    /// The client policy that holds, and those passed over.
    pub policy: Effective,
    /// Whether the user is let in now: by the kind of their client, and by the hours.
    #[serde(flatten)]
    pub welcome: Welcome,
    /// What would be done; none: the user may not open it.
    pub plan: Option<Plan>,
    /// The answer as a sentence.
    pub summary: String,
    /// When this was decided.
    pub at: Timestamp,
}

/// What placement looks at.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
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

/// Whom and when an explanation is for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// What is known of the user and the device.
    pub facts: Facts,
    /// The time zone of the device.
    pub user_zone: Option<String>,
    /// The moment; none: now.
    pub at: Option<Timestamp>,
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
    /// Explains a launch. The user, their groups and their site are filled into `facts`.
    pub fn explain_launch(
        &self,
        user: Id<User>,
        resource: Id<Resource>,
        asked: Asked,
    ) -> Result<Explanation, ExplainError> {
        let view = self.farm.load();
        let user = &*view.person(user).ok_or(ExplainError::NoUser)?;
        let Asked { facts, user_zone, at } = asked;
        let facts = self.filled(&view, user, facts);
        let (object, access) = view.listing.access(resource, &facts).ok_or(ExplainError::NoResource)?;
        let (opens, cannot_open) = match launch::opening(object, view.listing.catalogue()) {
            Ok(Opening::InSession(opening)) => (Some(Opens::new(object, &opening)), None),
            Ok(Opening::OnDevice(_)) => (None, None),
            Err(Unopenable::Folder) => return Err(ExplainError::NoResource),
            Err(why) => (None, Some(why)),
        };
        let sessions: Vec<_> = self.sessions_of(user).iter().map(|session| session.as_own(&view)).collect();
        let now = at.unwrap_or_else(|| self.now());
        let welcome = Welcome::look(&view, &facts, user_zone.as_deref(), None, now);
        let mut placement =
            opens.as_ref().map(|opens| self.placement_inputs(&view, &opens.source, &opens.sites));
        if let Some(placement) = &mut placement {
            placement.hosts.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let may_open =
            user.spec.enabled && matches!(access, Access::Open { .. }) && welcome.may_open().is_ok();
        let (mut plan, mut looked_at, mut over_limits) = (None, Vec::new(), Vec::new());
        if let (Some(opens), Some(placement)) = (&opens, &placement) {
            let uses = |resource| self.uses.count(&view, &self.hosts, resource);
            let limits = opens.limits(&view, facts.site, uses);
            let (sessions, limits) = (&*sessions, &*limits);
            let client_address = facts.address;
            // Hosts and sessions are those of now, whatever the moment asked for.
            let moment =
                Moment { sessions, placement, limits, client_address, another: false, now: self.now() };
            let inputs = opens.inputs(&moment);
            looked_at = launch::look(&inputs);
            over_limits = launch::over_limits(&inputs);
            plan = may_open.then(|| launch::plan(&inputs));
        }
        let summary = match (welcome.may_open(), cannot_open) {
            _ if !user.spec.enabled || !matches!(access, Access::Open { .. }) => {
                summary(&view, user.spec.enabled, &access, None)
            }
            (Err(NotWelcome::Hours { message, begins_again, .. }), _) => {
                format!("{message} {begins_again}").trim_end().to_owned()
            }
            (Err(refused), _) => sentence(&refused),
            (Ok(()), Some(why)) => capital(&why.to_string()),
            (Ok(()), None) if opens.is_none() => {
                "It opens on the user's own device, without a session.".into()
            }
            (Ok(()), None) => summary(&view, true, &access, plan.as_ref()),
        };
        Ok(Explanation {
            user: user.id,
            user_name: user.name.clone(),
            user_enabled: user.spec.enabled,
            resource: object.id,
            resource_name: object.name.clone(),
            rule_name: rule_name(&view, &object.spec, &access).map(str::to_owned),
            summary,
            policy: policy::effective(&view, &facts),
            welcome,
            facts,
            access,
            placement,
            sessions,
            looked_at,
            over_limits,
            plan,
            at: now,
        })
    }

    /// The facts with what is known of the user, and the site where none is said.
    pub(crate) fn filled(&self, view: &FarmView, user: &Object<User>, facts: Facts) -> Facts {
        let site = facts.site.or_else(|| view.site_of(facts.gateway, self.broker_id));
        Facts { user: Some(user.id), groups: user.spec.groups.clone(), site, ..facts }
    }

    /// What placement looks at for a source, at this moment; with sites, only their hosts.
    pub(crate) fn placement_inputs(
        &self,
        view: &FarmView,
        source: &Source,
        sites: &[Id<Site>],
    ) -> PlacementInputs {
        let mut hosts = view.hosts_of(source);
        if !sites.is_empty() {
            hosts.retain(|host| view.site_of_host(host.id).is_some_and(|site| sites.contains(&site)));
        }
        let pools: std::collections::BTreeSet<_> = hosts.iter().map(|host| host.spec.pool).collect();
        // Hosts of several pools are compared by what all of them have: their load.
        let balancing = match pools.iter().next() {
            Some(pool) if pools.len() == 1 => Balancing::effective(&view.levels_of_pool(*pool)),
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

/// A reason as a sentence.
fn capital(reason: &str) -> String {
    let mut chars = reason.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

pub(crate) fn rule_name<'a>(view: &'a FarmView, resource: &'a Resource, access: &Access) -> Option<&'a str> {
    use oriel_rules::access::Hidden;
    let (rules, decision) = match access {
        Access::Open { decision } | Access::Maintenance { decision, .. } => (&resource.rules, decision),
        Access::Hidden { because: Hidden::Rule { decision } } => (&resource.rules, decision),
        Access::Hidden { because: Hidden::FolderRule { folder, decision } } => {
            (&view.resources.get(*folder)?.spec.rules, decision)
        }
        Access::Hidden { .. } => return None,
    };
    Some(&*rules.rules.get(decision.rule?)?.name).filter(|name| !name.is_empty())
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
        (_, Some(Plan::LimitReached { over })) => {
            let OverLimit { name, limit, uses, message, .. } = over;
            let sentence = format!("As many as may use {name} are using it: {uses} of {limit}.");
            if message.is_empty() { sentence } else { format!("{sentence} The user reads: {message}") }
        }
        (_, Some(Plan::OwnSessionOutOfReach { host_name, .. })) => {
            format!("The user's own session is on {host_name}, which does not take it back now.")
        }
        (Access::Open { .. }, None) => "The user may open it.".to_owned(),
    }
}
