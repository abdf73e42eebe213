//! What administrators may do: a role, how far it reaches, and the answer for each thing that is done.
//!
//! An area is a part of administration, an action is what is done in it. Whoever may do anything to an
//! object may see it; what nobody allows is refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Kind, group::Group, id::Id, site::Site, user::User, validate::Mistakes};

/// What an administrator, or a token, may do at all. How far that goes, [`Reach`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdministratorRole {
    /// Everything, without limits. Only root decides about administrators.
    Root,
    /// Everything but administrators and tokens, which it sees; may be reduced to sites and areas.
    Power,
    /// Nothing but what is granted.
    Custom,
    /// Sees everything but administrators and tokens, changes nothing.
    Viewer,
    /// Sees sessions and acts on them, perhaps only those of certain users; sees no settings.
    HelpDesk,
}

/// The area that an operation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Farm, sites, brokers, gateways, invitations.
    Infrastructure,
    /// Hosts, pools and what is scheduled for them.
    Hosts,
    /// Published resources, and the policies and hours that hold for those who open them.
    Publishing,
    /// Users and groups.
    Directory,
    /// Sessions.
    Sessions,
    /// API tokens and other administrators.
    Administrators,
    /// The change log.
    Audit,
}

impl Area {
    /// Every area.
    pub const ALL: &'static [Area] = &[
        Area::Infrastructure,
        Area::Hosts,
        Area::Publishing,
        Area::Directory,
        Area::Sessions,
        Area::Administrators,
        Area::Audit,
    ];
}

/// What is done in an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Look.
    View,
    /// Change what is there.
    Modify,
    /// Make something.
    Add,
    /// Delete something.
    Delete,
    /// Act on what runs: message, disconnect, log off, reset, drain.
    Control,
}

impl Action {
    /// Every action.
    pub const ALL: &'static [Action] =
        &[Action::View, Action::Modify, Action::Add, Action::Delete, Action::Control];
}

/// How far a role reaches. Empty: as far as the role goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reach {
    /// Only these sites; absent: all. What belongs to no site is then seen, but not changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites: Option<Vec<Id<Site>>>,
    /// Areas of which nothing is seen. For the roles power and viewer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Area>,
    /// Areas in which nothing is changed and nothing acted on. For the role power.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub view_only: Vec<Area>,
    /// What the role custom may do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// Whose sessions the role help desk sees: these users', and those of `groups`; both empty: everybody's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<Id<User>>,
    /// Whose sessions the role help desk sees: those of members of these groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Id<Group>>,
}

/// Something that the role custom may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// What may be done. Whoever may do anything may see it.
    pub actions: Vec<Action>,
    /// In this area.
    pub area: Area,
    /// Only to objects of this kind, which is one of the area's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Only to the object with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Id<Value>>,
    /// Only to what belongs to this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Id<Site>>,
}

/// Limits: more than any administrator has, and what one check may cost.
const ENTRIES_MAX: usize = 200;

impl Reach {
    /// Checks it for a role.
    pub fn validate(&self, role: AdministratorRole, mistakes: &mut Mistakes) {
        use AdministratorRole::{Custom, HelpDesk, Power, Root, Viewer};
        let is_for = |field: &str, is_said: bool, roles: &[AdministratorRole], mistakes: &mut Mistakes| {
            if is_said && !roles.contains(&role) {
                mistakes.add(field, "means nothing for this role");
            }
        };
        if self.sites.is_some() && role == Root {
            mistakes.add("sites", "cannot be said for root, which has no limits");
        }
        if self.sites.as_ref().is_some_and(Vec::is_empty) {
            mistakes.add("sites", "must name a site; leave it out for all");
        }
        is_for("hidden", !self.hidden.is_empty(), &[Power, Viewer], mistakes);
        is_for("view_only", !self.view_only.is_empty(), &[Power], mistakes);
        is_for("grants", !self.grants.is_empty(), &[Custom], mistakes);
        is_for("users", !self.users.is_empty(), &[HelpDesk], mistakes);
        is_for("groups", !self.groups.is_empty(), &[HelpDesk], mistakes);
        for (field, count) in [
            ("sites", self.sites.as_ref().map_or(0, Vec::len)),
            ("grants", self.grants.len()),
            ("users", self.users.len()),
            ("groups", self.groups.len()),
        ] {
            if count > ENTRIES_MAX {
                mistakes.add(field, format!("has {count} entries; at most {ENTRIES_MAX} are allowed"));
            }
        }
        for (index, grant) in self.grants.iter().enumerate() {
            mistakes.within(&format!("grants[{index}]"), |m| grant.validate(m));
        }
    }
}

impl Grant {
    fn validate(&self, mistakes: &mut Mistakes) {
        if self.actions.is_empty() {
            mistakes.add("actions", "must name something that may be done");
        }
        if self.area == Area::Administrators && self.actions.iter().any(|action| *action != Action::View) {
            mistakes.add("actions", "can only be view: administrators are decided about by root");
        }
        if let Some(kind) = self.kind
            && kind.area() != self.area
        {
            let area = serde_json::to_value(kind.area()).ok();
            let area = area.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
            mistakes.add("kind", format!("belongs to the area {area}"));
        }
    }

    fn allows(&self, action: Action) -> bool {
        action == Action::View || self.actions.contains(&action)
    }
}

/// A settings object, as far as permissions look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: Kind,
    /// Which one; none: one that is to be made.
    pub id: Option<Id<Value>>,
    /// The site it belongs to; a site belongs to itself.
    pub site: Option<Id<Site>>,
}

/// A session, as far as permissions look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTarget<'a> {
    /// The site of its host.
    pub site: Option<Id<Site>>,
    /// Whose it is; none where it was not started through the farm.
    pub user: Option<Id<User>>,
    /// The user's groups.
    pub groups: &'a [Id<Group>],
}

/// A role with its reach: what somebody may do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Permissions<'a> {
    /// The role.
    pub role: AdministratorRole,
    /// How far it reaches.
    pub reach: &'a Reach,
}

impl Permissions<'_> {
    /// Whether an action is permitted somewhere in an area: the first question about every call. What it
    /// is done to is asked after.
    pub fn anywhere(&self, area: Area, action: Action) -> bool {
        self.by_role(area, action)
            && (self.role != AdministratorRole::Custom
                || self.reach.grants.iter().any(|grant| grant.area == area && grant.allows(action)))
    }

    /// Whether an action is permitted everywhere in an area.
    pub fn everywhere(&self, area: Area, action: Action) -> bool {
        let is_whole = |grant: &Grant| {
            grant.area == area
                && grant.allows(action)
                && grant.kind.is_none()
                && grant.object.is_none()
                && grant.site.is_none()
        };
        let of_somebody = area == Area::Sessions && !self.sees_everybody();
        self.by_role(area, action)
            && self.reach.sites.is_none()
            && !of_somebody
            && (self.role != AdministratorRole::Custom || self.reach.grants.iter().any(is_whole))
    }

    /// Whether an action on a settings object is permitted.
    pub fn on(&self, action: Action, target: &Target) -> bool {
        let area = target.kind.area();
        if !self.by_role(area, action) || !self.in_sites(action, target.site) {
            return false;
        }
        let covers = |grant: &Grant| {
            grant.area == area
                && grant.allows(action)
                && grant.kind.is_none_or(|kind| kind == target.kind)
                && grant.object.is_none_or(|object| Some(object) == target.id)
                && grant.site.is_none_or(|site| Some(site) == target.site)
        };
        self.role != AdministratorRole::Custom || self.reach.grants.iter().any(covers)
    }

    /// Whether an action on a session is permitted.
    pub fn on_session(&self, action: Action, target: &SessionTarget<'_>) -> bool {
        if !self.by_role(Area::Sessions, action) {
            return false;
        }
        let is_in_sites = match &self.reach.sites {
            None => true,
            Some(sites) => target.site.is_some_and(|site| sites.contains(&site)),
        };
        let covers = |grant: &Grant| {
            grant.area == Area::Sessions
                && grant.allows(action)
                && grant.site.is_none_or(|site| Some(site) == target.site)
        };
        is_in_sites
            && (self.sees_everybody()
                || target.user.is_some_and(|user| self.reach.users.contains(&user))
                || target.groups.iter().any(|group| self.reach.groups.contains(group)))
            && (self.role != AdministratorRole::Custom || self.reach.grants.iter().any(covers))
    }

    /// Whether this user's sessions are seen, wherever they run.
    pub fn sees_sessions_of(&self, user: Id<User>, groups: &[Id<Group>]) -> bool {
        self.anywhere(Area::Sessions, Action::View)
            && (self.sees_everybody()
                || self.reach.users.contains(&user)
                || groups.iter().any(|group| self.reach.groups.contains(group)))
    }

    /// Whether it may do everything.
    pub fn is_root(&self) -> bool {
        self.role == AdministratorRole::Root
    }

    /// What the role itself says, without how far it reaches in sites, objects and users.
    fn by_role(&self, area: Area, action: Action) -> bool {
        let is_hidden = self.reach.hidden.contains(&area);
        match self.role {
            AdministratorRole::Root => true,
            AdministratorRole::Power if area == Area::Administrators => action == Action::View && !is_hidden,
            AdministratorRole::Power => {
                !is_hidden && (action == Action::View || !self.reach.view_only.contains(&area))
            }
            AdministratorRole::Custom => area != Area::Administrators || action == Action::View,
            AdministratorRole::Viewer => action == Action::View && area != Area::Administrators && !is_hidden,
            AdministratorRole::HelpDesk => {
                area == Area::Sessions && matches!(action, Action::View | Action::Control)
            }
        }
    }

    fn in_sites(&self, action: Action, site: Option<Id<Site>>) -> bool {
        match (&self.reach.sites, site) {
            (None, _) => true,
            (Some(_), None) => action == Action::View,
            (Some(sites), Some(site)) => sites.contains(&site),
        }
    }

    fn sees_everybody(&self) -> bool {
        self.reach.users.is_empty() && self.reach.groups.is_empty()
    }
}

#[cfg(test)]
mod tests;
