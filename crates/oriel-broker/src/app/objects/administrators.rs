//! Administrators: at least one of them may always do everything.

use oriel_model::{
    Id, Object,
    administrator::{Administrator, Who},
    permission::AdministratorRole,
    user::User,
    validate::Mistakes,
};

use super::{Managed, Nothing, kinds::whole};
use crate::{Broker, farm::FarmView};

impl Managed for Administrator {
    whole!();

    type Beside = Nothing;

    fn beside(_: &Broker, _: &FarmView, _: &Object<Self>) -> Nothing {
        Nothing {}
    }

    fn check(&self, view: &FarmView, id: Id<Self>, before: Option<&Self>, mistakes: &mut Mistakes) {
        let was_root = before.is_some_and(|before| before.enabled && before.role == AdministratorRole::Root);
        if was_root && !has_root(view) {
            let field = match before {
                Some(before) if before.role != self.role => "role",
                Some(before) if before.enabled != self.enabled => "enabled",
                _ => "who",
            };
            mistakes.add(field, LAST_ROOT);
        }
        if view.administrators.iter().any(|other| other.id != id && other.spec.who == self.who) {
            mistakes.add("who", "is an administrator already, by another object");
        }
    }

    fn kept_by(object: &Object<Self>, view: &FarmView) -> Vec<String> {
        let was_root = object.spec.enabled && object.spec.role == AdministratorRole::Root;
        let is_last = was_root && !has_root(view);
        is_last.then(|| "the farm, as its last root administrator".to_owned()).into_iter().collect()
    }
}

const LAST_ROOT: &str = "cannot be changed: without it nobody could sign in as root";

/// Whether somebody who may do everything has a password to sign in with.
pub(in crate::app) fn root_can_sign_in(view: &FarmView) -> bool {
    is_root_for(view, |user| view.credentials.contains_key(&user))
}

/// Whether somebody who may sign in may do everything.
pub(super) fn has_root(view: &FarmView) -> bool {
    is_root_for(view, |_| true)
}

fn is_root_for(view: &FarmView, wanted: impl Fn(Id<User>) -> bool) -> bool {
    let roots = view.administrators.iter().map(|one| &one.spec);
    let mut roots = roots.filter(|one| one.enabled && one.role == AdministratorRole::Root);
    // A directory may be out of reach just when root is needed: its people do not count.
    let wanted = |user: &Object<User>| user.spec.enabled && user.spec.external.is_none() && wanted(user.id);
    roots.any(|one| match one.who {
        Who::User(user) => view.users.get(user).is_some_and(|user| wanted(user)),
        Who::Group(group) => {
            let mut members = view.users.iter().filter(|user| user.spec.groups.contains(&group));
            members.any(|user| wanted(user))
        }
    })
}

/// Notes that a change of a user would leave the farm without a root administrator.
pub(super) fn check_user(
    after: &User,
    view: &FarmView,
    id: Id<User>,
    before: Option<&User>,
    mistakes: &mut Mistakes,
) {
    let Some(before) = before else { return };
    if before.enabled == after.enabled && before.groups == after.groups {
        return;
    }
    let roots = view.administrators.iter().map(|one| &one.spec);
    let mut roots = roots.filter(|one| one.enabled && one.role == AdministratorRole::Root);
    if before.enabled && roots.any(|one| one.is(id, &before.groups)) && !has_root(view) {
        mistakes.add(if after.enabled { "groups" } else { "enabled" }, LAST_ROOT);
    }
}
