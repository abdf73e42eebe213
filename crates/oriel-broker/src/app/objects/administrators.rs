//! Administrators: at least one who may do everything can always sign in, once one could.

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
        if was_root && !root_can_sign_in(view) {
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
        let is_last = was_root && !root_can_sign_in(view);
        is_last.then(|| "the farm, where nobody else can sign in as root".to_owned()).into_iter().collect()
    }
}

const LAST_ROOT: &str =
    "cannot be changed: nobody else can sign in as root; give another root administrator a password first";

/// Whether somebody who may do everything can sign in. A root administrator without a password does not
/// count: nobody gets in as one.
pub(in crate::app) fn root_can_sign_in(view: &FarmView) -> bool {
    let roots = view.administrators.iter().map(|one| &one.spec);
    let mut roots = roots.filter(|one| one.enabled && one.role == AdministratorRole::Root);
    let can_sign_in = |user: &Object<User>| user.spec.enabled && view.credentials.contains_key(&user.id);
    roots.any(|one| match one.who {
        Who::User(user) => view.users.get(user).is_some_and(|user| can_sign_in(user)),
        Who::Group(group) => {
            view.users.iter().any(|user| user.spec.groups.contains(&group) && can_sign_in(user))
        }
    })
}

/// Notes that after a change of a user nobody could sign in as root.
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
    if before.enabled && roots.any(|one| one.is(id, &before.groups)) && !root_can_sign_in(view) {
        mistakes.add(if after.enabled { "groups" } else { "enabled" }, LAST_ROOT);
    }
}
