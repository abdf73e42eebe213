//! The published resources as users list them.

use std::{collections::HashMap, sync::Arc};

use oriel_model::{Id, Object, resource::Resource, validate::fold};
use oriel_rules::access::{self, Access, Facts};

use super::Objects;

/// The published resources, and the place of each among all: sorting is done once for every change of
/// a resource, not for every user who lists.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    resources: HashMap<Id<Resource>, Arc<Object<Resource>>>,
    places: HashMap<Id<Resource>, u32>,
}

impl Listing {
    /// Indexes the resources.
    pub fn new(resources: &Objects<Resource>) -> Self {
        let mut sorted: Vec<_> = resources.iter().collect();
        sorted.sort_by_cached_key(|object| (object.spec.order, fold(&object.name), object.id));
        Self {
            resources: resources.iter().map(|object| (object.id, object.clone())).collect(),
            places: sorted.iter().zip(0..).map(|(object, place)| (object.id, place)).collect(),
        }
    }

    /// What somebody sees, in the order in which it is shown; folders without anything are left out.
    pub fn visible(&self, facts: &Facts) -> Vec<(&Object<Resource>, Access)> {
        let mut seen = access::visible(&self.resources, facts);
        seen.sort_by_cached_key(|(object, _)| self.places.get(&object.id).copied().unwrap_or(u32::MAX));
        seen
    }

    /// How one resource looks to somebody; none: there is no such resource.
    pub fn access(&self, resource: Id<Resource>, facts: &Facts) -> Option<(&Arc<Object<Resource>>, Access)> {
        let object = self.resources.get(&resource)?;
        let find = |id| self.resources.get(&id).map(|object| &**object);
        Some((object, access::access(object, find, facts)))
    }
}
