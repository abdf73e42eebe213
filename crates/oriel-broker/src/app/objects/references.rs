//! References between settings objects: that they lead somewhere, and who holds one.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use oriel_model::{
    Id, Kind, Object, Spec,
    icon::Icon,
    reference::{self, Reference},
    resource::{Resource, Target},
    site::Site,
    validate::{Mistake, Mistakes},
};
use serde_json::Value;

use super::ChangeError;
use crate::{Broker, farm::FarmView};

/// Notes every reference of a spec that leads nowhere.
pub fn check<S: Spec>(view: &FarmView, spec: &S, mistakes: &mut Mistakes) {
    for Reference { kind, id, field } in reference::of(spec) {
        if view.name_of(kind, id).is_none() {
            mistakes.add(&field, format!("there is no {kind} with the id {id}"));
        }
    }
}

/// Names what refers to objects that are deleted, and what lies in them if they are sites: `resource
/// "Writer"`. `deleted` gives each a number, which leads to what was found for it.
pub fn users_of(view: &FarmView, deleted: &HashMap<Id<Value>, usize>) -> BTreeMap<usize, Vec<String>> {
    let mut found: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let note = |user_kind, user, name: &str, site: Option<Id<Site>>, references: &[Reference]| {
        if is_spent(view, user_kind, user) {
            return;
        }
        let used = references.iter().map(|reference| reference.id).chain(site.map(Id::cast));
        for number in used.filter_map(|id| deleted.get(&id)) {
            found.entry(*number).or_default().insert(format!("{user_kind} \"{name}\""));
        }
    };
    let mut ids = deleted.keys();
    match (ids.next(), ids.next()) {
        (Some(one), None) => view.each_mention(*one, note),
        _ => view.each_reference(note),
    }
    found.into_iter().map(|(number, by)| (number, by.into_iter().collect())).collect()
}

/// An invitation that was used keeps nothing.
pub fn is_spent(view: &FarmView, kind: Kind, id: Id<Value>) -> bool {
    kind == Kind::Invitation
        && view.invitations.get(id.cast()).is_some_and(|invitation| invitation.spec.used.is_some())
}

/// Checks what a resource opens in: a published application.
pub fn opens_in(view: &FarmView, target: &Target, mistakes: &mut Mistakes) {
    let Some(application) = target.opens_in().and_then(|id| view.resources.get(id)) else { return };
    if !matches!(application.spec.target, Target::Application(_)) {
        let field = if matches!(target, Target::WebApplication { .. }) { "browser" } else { "application" };
        mistakes.add(&format!("target.{field}"), format!("\"{}\" is not an application", application.name));
    }
}

/// Checks that an application in which others open stays one.
pub fn stays_an_application(
    view: &FarmView,
    id: Id<Resource>,
    spec: &Resource,
    before: Option<&Resource>,
    mistakes: &mut Mistakes,
) {
    let is_application = |spec: &Resource| matches!(spec.target, Target::Application(_));
    if is_application(spec) || !before.is_some_and(is_application) {
        return;
    }
    if let Some(user) = view.resources.iter().find(|user| user.spec.target.opens_in() == Some(id)) {
        mistakes.add("target", format!("must stay an application: \"{}\" opens in it", user.name));
    }
}

/// Checks that a followed site follows no other itself, so that one step leads to what holds.
pub fn followed_sites(view: &FarmView, id: Id<Site>, spec: &Site, mistakes: &mut Mistakes) {
    for (section, followed) in &spec.follows {
        let field = format!("follows.{}", section.as_str());
        if *followed == id {
            mistakes.add(&field, "a site cannot follow itself");
        } else if let Some(site) = view.sites.get(*followed)
            && site.spec.follows.contains_key(section)
        {
            let message = format!("\"{}\" follows another site in this itself; name that one", site.name);
            mistakes.add(&field, message);
        }
        let follows_it =
            |site: &&Arc<Object<Site>>| site.id != id && site.spec.follows.get(section).copied() == Some(id);
        let follower = view.sites.iter().find(follows_it);
        if let Some(follower) = follower {
            mistakes.add(&field, format!("\"{}\" follows this site in it; one step only", follower.name));
        }
    }
}

/// Checks that a resource's folder is one, and that no folder lies in itself.
pub fn folder(
    view: &FarmView,
    id: Id<Resource>,
    spec: &Resource,
    before: Option<&Resource>,
    mistakes: &mut Mistakes,
) {
    if let Some(folder) = spec.folder {
        match view.resources.get(folder) {
            Some(object) if object.spec.target != Target::Folder => {
                mistakes.add("folder", format!("\"{}\" is not a folder", object.name));
            }
            Some(_) | None => {}
        }
        if lies_in(view, folder, id) {
            mistakes.add("folder", "a folder cannot lie in itself or in a folder below it");
        }
    }
    // Only what was a folder can hold something that does not see for itself that it is none.
    let was_folder = before.is_some_and(|before| before.target == Target::Folder);
    if was_folder
        && spec.target != Target::Folder
        && let Some(child) = view.resources.iter().find(|child| child.spec.folder == Some(id))
    {
        mistakes.add("target", format!("must stay a folder: \"{}\" lies in it", child.name));
    }
}

/// Whether `folder` is `id` or lies below it.
fn lies_in(view: &FarmView, folder: Id<Resource>, id: Id<Resource>) -> bool {
    let mut seen = HashSet::new();
    let mut next = Some(folder);
    while let Some(folder) = next {
        if folder == id {
            return true;
        }
        if !seen.insert(folder) {
            return false;
        }
        next = view.resources.get(folder).and_then(|object| object.spec.folder);
    }
    false
}

/// Checks that the picture a resource names is kept. The only reference outside the objects.
pub async fn check_icon<S: Spec>(broker: &Broker, spec: &S) -> Result<(), ChangeError> {
    let Some(resource) = (spec as &dyn std::any::Any).downcast_ref::<Resource>() else { return Ok(()) };
    let Some(icon) = resource.icon.as_ref().and_then(Icon::sent) else { return Ok(()) };
    let found = broker.store.blob(&icon).await.map_err(oriel_store::CommitError::from)?;
    if found.is_some() {
        return Ok(());
    }
    let message = "there is no such icon: send the picture first".to_owned();
    Err(ChangeError::Invalid(vec![Mistake { field: "spec.icon".into(), message }]))
}
