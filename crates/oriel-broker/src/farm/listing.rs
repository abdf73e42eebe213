//! The published resources as users list them.

use std::sync::Arc;

use oriel_model::{Id, Object, resource::Resource, sorted::SortedMap};
use oriel_rules::{
    access::{Access, Catalogue, Changed},
    rules::Facts,
};

/// The published resources, sorted and with their rules compiled: done once for every change of a
/// resource, not for every user who lists.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    catalogue: Catalogue,
    routed: SortedMap<Id<Resource>, Arc<Object<Resource>>>,
}

impl Listing {
    /// Takes in what has become of some resources.
    pub fn take_in(&mut self, changed: Vec<Changed>) {
        for (id, resource) in &changed {
            match resource.as_ref().filter(|resource| !resource.spec.routes.is_empty()) {
                Some(resource) => self.routed.insert(*id, resource.clone()),
                None => self.routed.remove(id),
            };
        }
        self.catalogue.take_in(changed);
    }

    /// All resources with their rules compiled.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The resources that send clients to certain addresses.
    pub fn routed(&self) -> impl Iterator<Item = &Arc<Object<Resource>>> {
        self.routed.values()
    }

    /// What somebody sees, in the order in which it is shown; folders without anything are left out.
    pub fn visible(&self, facts: &Facts) -> Vec<(&Arc<Object<Resource>>, Access)> {
        self.catalogue.visible(facts)
    }

    /// How one resource looks to somebody; none: there is no such resource.
    pub fn access(&self, resource: Id<Resource>, facts: &Facts) -> Option<(&Arc<Object<Resource>>, Access)> {
        self.catalogue.access(resource, facts)
    }
}
