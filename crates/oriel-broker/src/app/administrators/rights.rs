//! What somebody may do, asked of settings objects, sessions and whole transactions.
//!
//! The answer for one object is the model's ([`oriel_model::permission`]); here are the objects. Beyond
//! roles there is one rule: only root touches what makes somebody an administrator, else a right to
//! change users would be the right to become root.

use std::sync::Arc;

use oriel_model::{
    Id, Kind, Object,
    administrator::Who,
    directory::External,
    group::Group,
    host::Host,
    permission::{Action, AdministratorRole, Area, Permissions, Reach, SessionTarget, Target},
    site::Site,
    token::Token,
    user::User,
};
use oriel_store::{Change, Code, Entry, Subject, Transaction, Write};
use serde_json::Value;

use crate::{
    farm::{FarmView, Held},
    hosts::HostSession,
};

/// What somebody may do: whatever any of these roles permits.
#[derive(Debug, Clone)]
pub struct Rights {
    roles: Arc<[(AdministratorRole, Reach)]>,
    /// Only what these permit, too: those of a token's owner.
    within: Option<Arc<Rights>>,
}

/// What was not permitted: `change host "alpha"`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("your role does not permit to {0}")]
pub struct Forbidden(pub String);

impl Rights {
    /// Those of the farm itself.
    pub fn everything() -> Self {
        Self::of([(AdministratorRole::Root, Reach::default())].into())
    }

    fn of(roles: Arc<[(AdministratorRole, Reach)]>) -> Self {
        Self { roles, within: None }
    }

    /// Those of a token, which are never more than those of its owner; none when the owner is no administrator
    /// any more.
    pub fn of_token(view: &FarmView, token: &Token) -> Option<Self> {
        let own = Self::of([(token.role, token.reach.clone())].into());
        let Some(owner) = token.owner else { return Some(own) };
        let owner = view.person(owner).filter(|owner| owner.spec.enabled)?;
        Some(Self { within: Some(Self::of_user(view, &owner)?.into()), ..own })
    }

    /// Those of a user; none when they are no administrator.
    pub fn of_user(view: &FarmView, user: &Object<User>) -> Option<Self> {
        let theirs = view.administrators.iter().filter(|one| one.spec.enabled);
        let theirs = theirs.filter(|one| one.spec.is(user.id, &user.spec.groups));
        let roles: Vec<_> = theirs.map(|one| (one.spec.role, one.spec.reach.clone())).collect();
        (!roles.is_empty()).then(|| Self::of(roles.into()))
    }

    /// The roles, each with its reach.
    pub fn roles(&self) -> impl Iterator<Item = Permissions<'_>> {
        self.roles.iter().map(|(role, reach)| Permissions { role: *role, reach })
    }

    /// Whether one of the roles permits something, and one of the owner's where they belong to one.
    fn permit(&self, permits: &dyn Fn(Permissions<'_>) -> bool) -> bool {
        self.roles().any(permits) && self.within.as_ref().is_none_or(|within| within.permit(permits))
    }

    /// Whether there is no limit.
    pub fn is_root(&self) -> bool {
        self.permit(&|role| role.is_root())
    }

    /// Whether an action is permitted somewhere in an area.
    pub fn anywhere(&self, area: Area, action: Action) -> bool {
        self.permit(&|role| role.anywhere(area, action))
    }

    /// Whether an action is permitted everywhere in an area.
    pub fn everywhere(&self, area: Area, action: Action) -> bool {
        self.permit(&|role| role.everywhere(area, action))
    }

    /// Whether an action on a settings object is permitted.
    pub fn on(&self, action: Action, target: &Target) -> bool {
        self.permit(&|role| role.on(action, target))
    }

    /// Whether an object is seen.
    pub fn sees<S: Held>(&self, object: &Object<S>) -> bool {
        self.on(Action::View, &target_of(object))
    }

    /// Whether an object of any kind, which may be there no more, is seen.
    pub fn sees_any(&self, kind: Kind, id: Id<Value>, site: Option<Id<Site>>) -> bool {
        self.on(Action::View, &Target { kind, id: Some(id), site: of_itself(kind, id, site) })
    }

    /// Whether an entry of the change log is seen: who may see the object, where it was or where it is, may.
    pub fn sees_change(&self, change: &Change) -> bool {
        let states = [&change.before, &change.after];
        let mut sites = states.into_iter().flatten().map(|state| state.site).peekable();
        if sites.peek().is_none() {
            return self.sees_any(change.kind, change.id, None);
        }
        sites.any(|site| self.sees_any(change.kind, change.id, site))
    }

    /// Whether an entry of the log is seen: who may see what it is about may. What is about nothing in
    /// particular is for those who see the whole log.
    pub fn sees_entry(&self, view: &FarmView, entry: &Entry) -> bool {
        let object = |subject: &Subject| {
            let kind: Option<Kind> = subject.kind.parse().ok();
            kind.is_some_and(|kind| self.sees_any(kind, subject.id, view.site_of_object(kind, subject.id)))
        };
        let id = |kind: Kind| entry.subject(kind.as_str()).map(|subject| subject.id);
        let user = id(Kind::User).map(Id::cast::<User>);
        match entry.code {
            Code::SettingsCreated
            | Code::SettingsChanged
            | Code::SettingsDeleted
            | Code::SettingsSecretSet
            | Code::SettingsSecretRemoved => {
                entry.change.as_ref().is_some_and(|change| self.sees_change(change))
            }
            Code::TokenRefused
            | Code::AdministratorSignedIn
            | Code::AdministratorSignInRefused
            | Code::AdministratorSignedOut
            | Code::AdministratorRecovered => self.anywhere(Area::Administrators, Action::View),
            Code::UserSignedIn | Code::UserSignInRefused | Code::UserSignedOut | Code::UserHoursExtended => {
                match user {
                    Some(user) => {
                        self.sees_sessions_of(view, user) || self.sees_any(Kind::User, user.cast(), None)
                    }
                    None => self.everywhere(Area::Audit, Action::View),
                }
            }
            Code::SessionLaunchRefused => {
                let site = id(Kind::Resource).and_then(|id| view.site_of_object(Kind::Resource, id));
                self.on_session_at(view, Action::View, site, user)
            }
            Code::SessionLaunched
            | Code::SessionMessaged
            | Code::SessionDisconnected
            | Code::SessionLoggedOff
            | Code::SessionReset
            | Code::SessionProcessEnded => {
                let site = id(Kind::Host).and_then(|id| view.site_of_object(Kind::Host, id));
                self.on_session_at(view, Action::View, site, user)
            }
            Code::DirectoryAnswers | Code::DirectoryOutOfReach => entry.subjects.iter().all(object),
            Code::ScheduleCarriedOut
            | Code::HostRestarted
            | Code::HostStopped
            | Code::NotificationSent
            | Code::NotificationFailed => entry.subjects.iter().all(object),
            Code::BackupMade | Code::BackupFailed => self.anywhere(Area::Infrastructure, Action::View),
            Code::ComponentJoined => entry.subjects.iter().any(object),
            Code::ComponentJoinRefused | Code::FarmExported | Code::LogDropped | Code::LogLost => {
                self.everywhere(Area::Audit, Action::View)
            }
        }
    }

    /// Whether an action on a session is permitted.
    pub fn on_session(&self, view: &FarmView, action: Action, session: &HostSession) -> bool {
        self.on_session_of(view, action, session.host, session.user)
    }

    /// Whether this user's sessions are seen, wherever they run.
    pub fn sees_sessions_of(&self, view: &FarmView, user: Id<User>) -> bool {
        let person = view.person(user);
        let groups = person.as_deref().map_or(&[][..], |user| &user.spec.groups);
        self.permit(&|role| role.sees_sessions_of(user, groups))
    }

    /// Whether an action on a session of this user on this host is permitted.
    pub fn on_session_of(
        &self,
        view: &FarmView,
        action: Action,
        host: Id<Host>,
        user: Option<Id<User>>,
    ) -> bool {
        let site = view.hosts.get(host).and_then(|host| host.site);
        self.on_session_at(view, action, site, user)
    }

    fn on_session_at(
        &self,
        view: &FarmView,
        action: Action,
        site: Option<Id<Site>>,
        user: Option<Id<User>>,
    ) -> bool {
        let known = user.and_then(|user| view.person(user));
        let groups = known.as_deref().map_or(&[][..], |user| &user.spec.groups);
        self.permit(&|role| role.on_session(action, &SessionTarget { site, user, groups }))
    }
}

/// An object, as far as permissions look at it.
pub fn target_of<S: Held>(object: &Object<S>) -> Target {
    let id = object.id.cast();
    Target { kind: S::KIND, id: Some(id), site: of_itself(S::KIND, id, object.site) }
}

/// A site belongs to itself.
fn of_itself(kind: Kind, id: Id<Value>, site: Option<Id<Site>>) -> Option<Id<Site>> {
    if kind == Kind::Site { Some(id.cast()) } else { site }
}

/// Whether everything that a transaction writes is permitted, on the farm as it is now.
///
/// # Errors
///
/// The first thing that is not.
pub fn permitted(rights: &Rights, view: &FarmView, transaction: &Transaction) -> Result<(), Forbidden> {
    if rights.is_root() {
        return Ok(());
    }
    let mut made = Vec::new();
    for write in &transaction.writes {
        match write {
            Write::Create { kind, id, name, site, spec } => {
                made.push(*id);
                let target = Target { kind: *kind, id: Some(*id), site: of_itself(*kind, *id, *site) };
                require(rights, Action::Add, &target, name)?;
                no_promotion(view, *kind, *id, spec, name)?;
            }
            Write::Update { kind, id, name, site, spec, .. } => {
                existing(rights, view, Action::Modify, *kind, *id)?;
                let target = Target { kind: *kind, id: Some(*id), site: of_itself(*kind, *id, *site) };
                require(rights, Action::Modify, &target, name)?;
                no_promotion(view, *kind, *id, spec, name)?;
            }
            Write::Delete { kind, id, .. } => existing(rights, view, Action::Delete, *kind, *id)?,
            Write::PutSecret { kind, owner, .. } | Write::DeleteSecret { kind, owner, .. } => {
                if !made.contains(owner) {
                    existing(rights, view, Action::Modify, *kind, *owner)?;
                }
            }
        }
    }
    Ok(())
}

fn existing(
    rights: &Rights,
    view: &FarmView,
    action: Action,
    kind: Kind,
    id: Id<Value>,
) -> Result<(), Forbidden> {
    let name = view.name_of(kind, id).unwrap_or_default();
    let site = of_itself(kind, id, view.site_of_object(kind, id));
    require(rights, action, &Target { kind, id: Some(id), site }, name)?;
    if makes_administrators(view, kind, id) {
        return Err(Forbidden(format!(
            "change {kind} \"{name}\", which has to do with administrators: only root may"
        )));
    }
    Ok(())
}

fn require(rights: &Rights, action: Action, target: &Target, name: &str) -> Result<(), Forbidden> {
    if rights.on(action, target) {
        return Ok(());
    }
    let verb = match action {
        Action::View => "see",
        Action::Modify => "change",
        Action::Add => "add",
        Action::Delete => "delete",
        Action::Control => "control",
    };
    Err(Forbidden(format!("{verb} {} \"{name}\"", target.kind)))
}

/// Whether a user is an administrator now, or members of a group are.
fn makes_administrators(view: &FarmView, kind: Kind, id: Id<Value>) -> bool {
    let is = |user: Id<User>, groups: &[Id<Group>]| {
        view.administrators.iter().any(|one| one.spec.is(user, groups))
    };
    match kind {
        Kind::User => {
            let user = id.cast::<User>();
            let person = view.person(user);
            let own = view.users.get(user);
            is(user, person.as_deref().map_or(&[][..], |user| &user.spec.groups))
                || is(user, own.map_or(&[][..], |user| &user.spec.groups))
        }
        // Whoever says where a directory is says who its people are.
        Kind::Directory => view.administrators.iter().any(|one| {
            let is_of_it = |external: Option<&External>| {
                external.is_some_and(|external| external.directory.cast() == id)
            };
            match one.spec.who {
                Who::User(user) => {
                    view.users.get(user).is_some_and(|user| is_of_it(user.spec.external.as_ref()))
                }
                Who::Group(group) => {
                    view.groups.get(group).is_some_and(|group| is_of_it(group.spec.external.as_ref()))
                        || view.users.iter().any(|user| {
                            user.spec.groups.contains(&group) && is_of_it(user.spec.external.as_ref())
                        })
                }
            }
        }),
        Kind::Group => view.administrators.iter().any(|one| one.spec.who == Who::Group(id.cast())),
        _ => false,
    }
}

/// Refuses to make somebody an administrator by putting them into a group.
fn no_promotion(
    view: &FarmView,
    kind: Kind,
    id: Id<Value>,
    spec: &Value,
    name: &str,
) -> Result<(), Forbidden> {
    if kind != Kind::User {
        return Ok(());
    }
    let groups: Vec<Id<Group>> =
        spec.get("groups").and_then(|groups| serde_json::from_value(groups.clone()).ok()).unwrap_or_default();
    if view.administrators.iter().any(|one| one.spec.is(id.cast(), &groups)) {
        return Err(Forbidden(format!("make user \"{name}\" an administrator: only root may")));
    }
    Ok(())
}
