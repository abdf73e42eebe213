//! The published resources as users list them.

use std::sync::Arc;

use oriel_model::{Id, Object, resource::Resource};
use oriel_rules::{
    access::{Access, Catalogue},
    rules::Facts,
};

use super::Objects;

/// The published resources, sorted and with their rules compiled: done once for every change of a
/// resource, not for every user who lists.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    catalogue: Catalogue,
}

impl Listing {
    /// Indexes the resources; what `previous` has of those that did not change is used again.
    pub fn new(resources: &Objects<Resource>, previous: &Listing) -> Self {
        Self { catalogue: Catalogue::new(resources.iter().cloned(), &previous.catalogue) }
    }

    /// All resources with their rules compiled.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
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
