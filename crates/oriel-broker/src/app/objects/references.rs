//! References between settings objects: that they lead somewhere, and who holds one.

use std::collections::HashSet;

use oriel_model::{
    Id, Kind, Spec,
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

/// Names what refers to an object, and what lies in it if it is a site: `resource "Writer"`.
pub fn users_of(view: &FarmView, kind: Kind, id: Id<Value>) -> Vec<String> {
    let mut found = Vec::new();
    view.each_reference(|user_kind, user, name, site, references| {
        if user == id || is_spent(view, user_kind, user) {
            return;
        }
        let lies_in = kind == Kind::Site && site.is_some_and(|site| site.cast() == id);
        if lies_in || references.iter().any(|reference| reference.id == id) {
            found.push(format!("{user_kind} \"{name}\""));
        }
    });
    found.sort();
    found
}

/// An invitation that was used keeps nothing.
fn is_spent(view: &FarmView, kind: Kind, id: Id<Value>) -> bool {
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

/// Checks that a followed site follows no other itself, so that one step leads to what holds.
pub fn followed_sites(view: &FarmView, id: Option<Id<Site>>, spec: &Site, mistakes: &mut Mistakes) {
    for (section, followed) in &spec.follows {
        let field = format!("follows.{}", section.as_str());
        if Some(*followed) == id {
            mistakes.add(&field, "a site cannot follow itself");
        } else if let Some(site) = view.sites.get(*followed)
            && site.spec.follows.contains_key(section)
        {
            let message = format!("\"{}\" follows another site in this itself; name that one", site.name);
            mistakes.add(&field, message);
        }
        let follower =
            view.sites.iter().find(|site| id.is_some() && site.spec.follows.get(section).copied() == id);
        if let Some(follower) = follower {
            mistakes.add(&field, format!("\"{}\" follows this site in it; one step only", follower.name));
        }
    }
}

/// Checks that a resource's folder is one, and that no folder lies in itself.
pub fn folder(view: &FarmView, id: Option<Id<Resource>>, spec: &Resource, mistakes: &mut Mistakes) {
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
