//! What somebody sees: which resources, in which state, and why.
//!
//! The published resources are made ready once for every change of one of them ([`Catalogue`]): rules
//! compiled, order and folders known. A list then costs little more than looking at each resource.

use std::{collections::HashMap, sync::Arc};

use oriel_model::{
    Id, Object,
    resource::{Resource, Status, Target},
    rule::{Effect, Rules},
    validate::fold,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{Asker, CompiledRules, Decision, Facts};

#[cfg(test)]
mod tests;

/// How a resource looks to somebody, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Access {
    /// Seen, can be opened.
    Open {
        /// The rule that decided.
        decision: Decision,
    },
    /// Seen, but in maintenance.
    Maintenance {
        /// For the user.
        message: String,
        /// The folder whose maintenance it inherits; none: its own.
        inherited_from: Option<Id<Resource>>,
        /// The rule that decided that it is seen.
        decision: Decision,
    },
    /// Not seen.
    Hidden {
        /// Why not.
        because: Hidden,
    },
}

/// Why a resource is not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Hidden {
    /// It is published in other sites than the one that the user signed in to.
    OtherSite {
        /// The folder whose sites it inherits; none: its own.
        inherited_from: Option<Id<Resource>>,
    },
    /// Its own rules say so.
    Rule {
        /// Which.
        decision: Decision,
    },
    /// A folder above it is hidden by its rules.
    FolderRule {
        /// The folder.
        folder: Id<Resource>,
        /// Which rule of the folder.
        decision: Decision,
    },
    /// It is disabled.
    Disabled {
        /// The folder whose status it inherits; none: its own.
        inherited_from: Option<Id<Resource>>,
    },
    /// The folder it lies in is gone, or folders contain each other.
    LostFolder,
}

impl Access {
    /// Whether it is seen.
    pub fn is_visible(&self) -> bool {
        !matches!(self, Access::Hidden { .. })
    }
}

/// Deepest nesting of folders that is followed: deeper ones count as lost, so that a cycle ends.
pub const FOLDER_DEPTH_MAX: usize = 32;

/// The published resources, ready for being listed.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// In the order in which they are shown.
    entries: Vec<Entry>,
    places: HashMap<Id<Resource>, u32>,
}

/// What a list looks at stands here, not in the resource: most resources say so little that nothing else
/// is read.
#[derive(Debug, Clone)]
struct Entry {
    resource: Arc<Object<Resource>>,
    /// None: it has no rules, and everybody sees it.
    rules: Option<Arc<CompiledRules>>,
    above: Above,
    is_folder: bool,
    /// Whether it is enabled, in every site.
    is_plain: bool,
}

/// What rules say that are not there.
const EVERYBODY: Decision = Decision { effect: Effect::Allow, rule: None };

/// Where a resource lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Above {
    Top,
    /// In the folder at this place.
    Folder(u32),
    /// Nowhere that can be reached from the top.
    Lost,
}

impl Catalogue {
    /// Makes resources ready; what `previous` has of those that did not change is used again.
    pub fn new(resources: impl IntoIterator<Item = Arc<Object<Resource>>>, previous: &Catalogue) -> Self {
        let mut sorted: Vec<_> = resources.into_iter().collect();
        sorted.sort_by_cached_key(|object| (object.spec.order, fold(&object.name), object.id));
        let places: HashMap<_, _> = sorted.iter().map(|object| object.id).zip(0..).collect();
        let above: Vec<_> = sorted.iter().map(|object| above(object, &sorted, &places)).collect();
        let entries = sorted.into_iter().zip(above).map(|(resource, above)| {
            let known = previous.entry(resource.id).filter(|known| Arc::ptr_eq(&known.resource, &resource));
            let spec = &resource.spec;
            let rules = match known {
                Some(known) => known.rules.clone(),
                None if spec.rules == Rules::default() => None,
                None => Some(Arc::new(CompiledRules::new(&spec.rules))),
            };
            let is_folder = spec.target == Target::Folder;
            let is_plain = spec.status == Status::Enabled && spec.sites.is_empty();
            Entry { resource, rules, above, is_folder, is_plain }
        });
        Self { entries: entries.collect(), places }
    }

    /// A resource.
    pub fn get(&self, id: Id<Resource>) -> Option<&Arc<Object<Resource>>> {
        Some(&self.entry(id)?.resource)
    }

    /// Every resource, in the order in which it is shown.
    pub fn resources(&self) -> impl Iterator<Item = &Arc<Object<Resource>>> {
        self.entries.iter().map(|entry| &entry.resource)
    }

    /// What somebody sees, in the order in which it is shown: every visible resource with its access, and
    /// the folders that lead to them. Folders without anything are left out.
    pub fn visible(&self, facts: &Facts) -> Vec<(&Arc<Object<Resource>>, Access)> {
        let mut look = Look::new(self, facts);
        let mut leads = vec![false; self.entries.len()];
        let mut seen: Vec<Option<Access>> = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let access = (!entry.is_folder).then(|| look.at(entry)).filter(Access::is_visible);
            let mut above = if access.is_some() { entry.above } else { Above::Top };
            while let Above::Folder(folder) = above
                && !std::mem::replace(&mut leads[folder as usize], true)
            {
                above = self.entries[folder as usize].above;
            }
            seen.push(access);
        }
        let mut of_folder = |place: usize| leads[place].then(|| look.at(&self.entries[place]));
        let all = self.entries.iter().zip(seen).enumerate();
        all.filter_map(|(place, (entry, access))| {
            Some((&entry.resource, access.or_else(|| of_folder(place))?))
        })
        .collect()
    }

    /// How every resource looks to somebody, folders without anything included, in the order in which they
    /// are shown: effective access.
    pub fn all(&self, facts: &Facts) -> Vec<(&Arc<Object<Resource>>, Access)> {
        let mut look = Look::new(self, facts);
        self.entries.iter().map(|entry| (&entry.resource, look.at(entry))).collect()
    }

    /// How one resource looks to somebody; none: there is no such resource.
    pub fn access(&self, id: Id<Resource>, facts: &Facts) -> Option<(&Arc<Object<Resource>>, Access)> {
        let entry = self.entry(id)?;
        Some((&entry.resource, Look::new(self, facts).at(entry)))
    }

    /// The status of a resource with that of the folders above it, whoever asks: of those that are not
    /// enabled, a disabled one, else the nearest. None: there is no such resource, or it is lost.
    pub fn status(&self, id: Id<Resource>) -> Option<&Status> {
        let mut entry = self.entry(id)?;
        let mut status = &entry.resource.spec.status;
        loop {
            match &entry.resource.spec.status {
                Status::Disabled => return Some(&Status::Disabled),
                nearest if *status == Status::Enabled => status = nearest,
                _ => {}
            }
            match entry.above {
                Above::Top => return Some(status),
                Above::Folder(place) => entry = &self.entries[place as usize],
                Above::Lost => return None,
            }
        }
    }

    fn entry(&self, id: Id<Resource>) -> Option<&Entry> {
        self.entries.get(*self.places.get(&id)? as usize)
    }
}

/// Where a resource lies. A folder from which the top cannot be reached lies nowhere.
fn above(
    resource: &Object<Resource>,
    sorted: &[Arc<Object<Resource>>],
    places: &HashMap<Id<Resource>, u32>,
) -> Above {
    let parent = |object: &Object<Resource>| match object.spec.folder {
        None => Above::Top,
        Some(folder) => match places.get(&folder) {
            Some(&place) if sorted[place as usize].spec.target == Target::Folder => Above::Folder(place),
            _ => Above::Lost,
        },
    };
    let direct = parent(resource);
    if resource.spec.target != Target::Folder {
        return direct;
    }
    let mut above = direct;
    for _ in 0..FOLDER_DEPTH_MAX {
        match above {
            Above::Top => return direct,
            Above::Folder(place) => above = parent(&sorted[place as usize]),
            Above::Lost => break,
        }
    }
    // The one whose own folder is missing says so; those below it learn it from there. In a cycle, and
    // below too deep a nesting, there is no such one: each is lost by itself.
    match above {
        Above::Lost => direct,
        _ => Above::Lost,
    }
}

/// One look of somebody at the catalogue. A folder is decided once, however much it holds.
struct Look<'a> {
    catalogue: &'a Catalogue,
    asker: Asker<'a>,
    folders: HashMap<u32, Access>,
}

impl<'a> Look<'a> {
    fn new(catalogue: &'a Catalogue, facts: &'a Facts) -> Self {
        Self { catalogue, asker: Asker::new(facts), folders: HashMap::new() }
    }

    /// First what a resource says itself, then what the folders above it say.
    fn at(&mut self, entry: &Entry) -> Access {
        if !entry.is_plain
            && let sites = &entry.resource.spec.sites
            && !sites.is_empty()
            && !self.asker.facts().site.is_some_and(|site| sites.contains(&site))
        {
            return Access::Hidden { because: Hidden::OtherSite { inherited_from: None } };
        }
        let decision = entry.rules.as_ref().map_or(EVERYBODY, |rules| rules.decide(&self.asker));
        if !decision.is_allowed() {
            return Access::Hidden { because: Hidden::Rule { decision } };
        }
        if !entry.is_plain && entry.resource.spec.status == Status::Disabled {
            return Access::Hidden { because: Hidden::Disabled { inherited_from: None } };
        }
        let inherited = match entry.above {
            Above::Top => None,
            Above::Lost => return Access::Hidden { because: Hidden::LostFolder },
            Above::Folder(place) => {
                let folder = self.catalogue.entries[place as usize].resource.id;
                match self.folder(place) {
                    Access::Open { .. } => None,
                    Access::Hidden { because } => {
                        return Access::Hidden { because: below(because.clone(), folder) };
                    }
                    Access::Maintenance { message, inherited_from, .. } => {
                        Some((message.clone(), Some(inherited_from.unwrap_or(folder))))
                    }
                }
            }
        };
        let own = match &entry.resource.spec.status {
            _ if entry.is_plain => None,
            Status::Maintenance { message } => Some((message.clone(), None)),
            Status::Enabled | Status::Disabled => None,
        };
        match own.or(inherited) {
            None => Access::Open { decision },
            Some((message, inherited_from)) => Access::Maintenance { message, inherited_from, decision },
        }
    }

    /// Folders nest at most [`FOLDER_DEPTH_MAX`] deep: the catalogue saw to it.
    fn folder(&mut self, place: u32) -> &Access {
        if !self.folders.contains_key(&place) {
            let catalogue = self.catalogue;
            let access = self.at(&catalogue.entries[place as usize]);
            self.folders.insert(place, access);
        }
        &self.folders[&place]
    }
}

/// A folder's reason, as seen from what lies in it.
fn below(because: Hidden, folder: Id<Resource>) -> Hidden {
    match because {
        Hidden::Rule { decision } => Hidden::FolderRule { folder, decision },
        Hidden::Disabled { inherited_from } => {
            Hidden::Disabled { inherited_from: Some(inherited_from.unwrap_or(folder)) }
        }
        Hidden::OtherSite { inherited_from } => {
            Hidden::OtherSite { inherited_from: Some(inherited_from.unwrap_or(folder)) }
        }
        other => other,
    }
}
