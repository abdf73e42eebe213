//! References between settings objects: that they lead somewhere, and who holds one.

use std::collections::HashSet;

use oriel_model::{
    Id, Object, Spec,
    pool::Pool,
    resource::{Resource, Source, Target},
    rule::{Matcher, Rules},
    validate::{Mistake, Mistakes},
};

use super::ChangeError;
use crate::{
    Broker,
    farm::{FarmView, Objects},
};

/// Notes a mistake when `id` names none of `objects`.
pub fn exists<S: Spec>(mistakes: &mut Mistakes, field: &str, objects: &Objects<S>, id: Id<S>) {
    if objects.get(id).is_none() {
        mistakes.add(field, format!("there is no {} with the id {id}", S::KIND));
    }
}

/// As [`exists`], for each of a list.
pub fn all_exist<S: Spec>(mistakes: &mut Mistakes, field: &str, objects: &Objects<S>, ids: &[Id<S>]) {
    for (index, id) in ids.iter().enumerate() {
        exists(mistakes, &format!("{field}[{index}]"), objects, *id);
    }
}

/// Checks the objects that rules name.
pub fn rules(view: &FarmView, rules: &Rules, mistakes: &mut Mistakes) {
    for (index, rule) in rules.rules.iter().enumerate() {
        for (place, criterion) in rule.criteria.iter().enumerate() {
            let field = format!("rules[{index}].criteria[{place}].objects");
            match &criterion.matcher {
                Matcher::User(users) => all_exist(mistakes, &field, &view.users, users),
                Matcher::Group(groups) => all_exist(mistakes, &field, &view.groups, groups),
                Matcher::Gateway(gateways) => all_exist(mistakes, &field, &view.gateways, gateways),
                _ => {}
            }
        }
    }
}

/// Checks that a resource's folder is one, and that no folder lies in itself.
pub fn folder(view: &FarmView, id: Option<Id<Resource>>, spec: &Resource, mistakes: &mut Mistakes) {
    if let Some(folder) = spec.folder {
        match view.resources.get(folder) {
            None => mistakes.add("folder", format!("there is no resource with the id {folder}")),
            Some(object) if object.spec.target != Target::Folder => {
                mistakes.add("folder", format!("\"{}\" is not a folder", object.name));
            }
            Some(_) => {}
        }
        if lies_in(view, folder, id) {
            mistakes.add("folder", "a folder cannot lie in itself or in a folder below it");
        }
    }
    let holds = id.and_then(|id| view.resources.iter().find(|child| child.spec.folder == Some(id)));
    if let Some(child) = holds
        && spec.target != Target::Folder
    {
        mistakes.add("target", format!("must stay a folder: \"{}\" lies in it", child.name));
    }
}

/// Whether `folder` is `id` or lies below it.
fn lies_in(view: &FarmView, folder: Id<Resource>, id: Option<Id<Resource>>) -> bool {
    let mut seen = HashSet::new();
    let mut next = Some(folder);
    while let Some(folder) = next {
        if Some(folder) == id {
            return true;
        }
        if !seen.insert(folder) {
            return false;
        }
        next = view.resources.get(folder).and_then(|object| object.spec.folder);
    }
    false
}

/// Checks where a resource runs.
pub fn source(view: &FarmView, source: &Source, mistakes: &mut Mistakes) {
    match source {
        Source::AllHosts => {}
        Source::Pools { pools } => all_exist(mistakes, "source.pools", &view.pools, pools),
        Source::Hosts { hosts } => all_exist(mistakes, "source.hosts", &view.hosts, hosts),
    }
}

/// Names an object: `pool "Office"`.
pub fn named<S: Spec>(object: &Object<S>) -> String {
    format!("{} \"{}\"", S::KIND, object.name)
}

/// The objects for which `uses` holds, named and sorted.
pub fn users_among<S: Spec>(objects: &Objects<S>, uses: impl Fn(&S) -> bool) -> Vec<String> {
    let mut found: Vec<_> =
        objects.iter().filter(|object| uses(&object.spec)).map(|object| named(object)).collect();
    found.sort();
    found
}

/// The resources whose rules have a criterion for which `names` holds.
pub fn resources_with(view: &FarmView, names: impl Fn(&Matcher) -> bool) -> Vec<String> {
    users_among(&view.resources, |resource| {
        resource.rules.rules.iter().flat_map(|rule| &rule.criteria).any(|c| names(&c.matcher))
    })
}

/// The resources that run on what `names` holds for.
pub fn resources_on(view: &FarmView, names: impl Fn(&Source) -> bool) -> Vec<String> {
    users_among(&view.resources, |resource| resource.target.source().is_some_and(&names))
}

/// What holds a reference to a pool.
pub fn of_pool(view: &FarmView, pool: Id<Pool>) -> Vec<String> {
    let mut found = users_among(&view.hosts, |host| host.pool == pool);
    found.extend(resources_on(
        view,
        |source| matches!(source, Source::Pools { pools } if pools.contains(&pool)),
    ));
    found.extend(users_among(&view.invitations, |invitation| {
        invitation.pool == Some(pool) && invitation.used.is_none()
    }));
    found
}

/// Checks that the icon a resource names is kept. The only reference outside the objects.
pub async fn check_icon<S: Spec>(broker: &Broker, spec: &S) -> Result<(), ChangeError> {
    let Some(resource) = (spec as &dyn std::any::Any).downcast_ref::<Resource>() else { return Ok(()) };
    let Some(icon) = &resource.icon else { return Ok(()) };
    let found = broker.store.blob(icon).await.map_err(oriel_store::CommitError::from)?;
    if found.is_some() {
        return Ok(());
    }
    let message = "there is no such icon: send the picture first".to_owned();
    Err(ChangeError::Invalid(vec![Mistake { field: "spec.icon".into(), message }]))
}
