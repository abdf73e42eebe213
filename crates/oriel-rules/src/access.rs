//! What somebody sees: which resources, in which state, and why.
//!
//! The published resources are made ready ([`Catalogue`]): rules compiled, order and folders known. A list
//! then costs little more than looking at each resource, and a change of one resource makes one ready.

use std::{collections::HashMap, mem, sync::Arc};

use oriel_model::{
    Id, Object,
    resource::{Resource, Status, Target},
    rule::{Effect, Rules},
    sorted::SortedMap,
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

/// What holds of a resource's status, its folders considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveStatus<'a> {
    /// The status.
    pub status: &'a Status,
    /// The folder that says so; none: it is the resource's own.
    pub inherited_from: Option<Id<Resource>>,
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

/// The published resources, ready for being listed. Copies share what neither has changed since.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    entries: SortedMap<Place, Entry>,
    places: SortedMap<Id<Resource>, Place>,
    folders: Arc<Folders>,
}

/// Where a resource is shown: by the order that administrators set, then by its folded name.
type Place = (i32, Arc<str>, Id<Resource>);

/// A resource, and what has become of it; none: it is gone.
pub type Changed = (Id<Resource>, Option<Arc<Object<Resource>>>);

/// What a list looks at stands here, not in the resource: most resources say so little that nothing else
/// is read.
#[derive(Debug, Clone)]
struct Entry {
    resource: Arc<Object<Resource>>,
    /// None: it has no rules, and everybody sees it.
    rules: Option<Arc<CompiledRules>>,
    /// Number of the folder that it lies in; none: the top.
    above: Option<u32>,
    /// Its own number, if it is a folder.
    number: Option<u32>,
    /// Whether it is enabled, in every site.
    is_plain: bool,
}

/// The folders by number. An id has its number from the first time that it is named on, be it before there
/// is such a folder: so a change of one touches nothing that lies in it.
#[derive(Debug, Clone, Default)]
struct Folders {
    numbers: HashMap<Id<Resource>, u32>,
    /// None: there is no such folder.
    known: Vec<Option<Folder>>,
    /// How many numbers went with their folders.
    spent: usize,
}

#[derive(Debug, Clone)]
struct Folder {
    entry: Entry,
    /// Whether the top cannot be reached from it: folders contain each other, or nest too deep.
    is_lost: bool,
}

/// What rules say that are not there.
const EVERYBODY: Decision = Decision { effect: Effect::Allow, rule: None };

const LOST: Access = Access::Hidden { because: Hidden::LostFolder };

/// Once so many numbers of folders are spent, all are given anew: they would grow for ever.
const SPENT_MAX: usize = 1_000;

impl Catalogue {
    /// Makes resources ready.
    pub fn new(resources: impl IntoIterator<Item = Arc<Object<Resource>>>) -> Self {
        let mut all = Self::default();
        all.take_in(resources.into_iter().map(|resource| (resource.id, Some(resource))));
        all
    }

    /// Takes in what has become of some resources. The others are left as they are.
    pub fn take_in(&mut self, changed: impl IntoIterator<Item = Changed>) {
        let mut touches_folders = false;
        for (id, resource) in changed {
            let before = self.places.remove(&id).and_then(|place| self.entries.remove(&place));
            let now = resource.map(|resource| self.entry_of(resource));
            let folder = now.as_ref().filter(|now| now.number.is_some());
            if let Some(number) = folder.or(before.as_ref()).and_then(|entry| entry.number) {
                Arc::make_mut(&mut self.folders).set(number, folder);
                touches_folders = true;
            }
            let Some(now) = now else { continue };
            let place: Place = (now.resource.spec.order, fold(&now.resource.name).into(), id);
            self.places.insert(id, place.clone());
            self.entries.insert(place, now);
        }
        if self.folders.spent > SPENT_MAX {
            *self = Self::new(self.resources().cloned().collect::<Vec<_>>());
        } else if touches_folders {
            Arc::make_mut(&mut self.folders).find_lost();
        }
    }

    fn entry_of(&mut self, resource: Arc<Object<Resource>>) -> Entry {
        let spec = &resource.spec;
        let mut number = |folder| match self.folders.numbers.get(&folder) {
            Some(number) => *number,
            None => Arc::make_mut(&mut self.folders).number(folder),
        };
        Entry {
            above: spec.folder.map(&mut number),
            number: (spec.target == Target::Folder).then(|| number(resource.id)),
            rules: (spec.rules != Rules::default()).then(|| Arc::new(CompiledRules::new(&spec.rules))),
            is_plain: spec.status == Status::Enabled && spec.sites.is_empty(),
            resource,
        }
    }

    /// A resource.
    pub fn get(&self, id: Id<Resource>) -> Option<&Arc<Object<Resource>>> {
        Some(&self.entry(id)?.resource)
    }

    /// Every resource, in the order in which it is shown.
    pub fn resources(&self) -> impl Iterator<Item = &Arc<Object<Resource>>> {
        self.entries.values().map(|entry| &entry.resource)
    }

    /// What somebody sees, in the order in which it is shown: every visible resource with its access, and
    /// the folders that lead to them. Folders without anything are left out.
    pub fn visible(&self, facts: &Facts) -> Vec<(&Arc<Object<Resource>>, Access)> {
        let mut look = Look::new(self, facts);
        let mut leads = vec![false; self.folders.known.len()];
        let mut found: Vec<(&Entry, Option<Access>)> = Vec::new();
        for entry in self.entries.values() {
            if entry.number.is_some() {
                found.push((entry, None));
                continue;
            }
            // Most of what somebody does not see lies in folders that they do not see.
            if entry.above.is_some_and(|folder| !look.folder(folder).is_visible()) {
                continue;
            }
            let access = look.at(entry);
            if !access.is_visible() {
                continue;
            }
            let mut above = entry.above;
            while let Some(folder) = above
                && !mem::replace(&mut leads[folder as usize], true)
            {
                above = self.folders.get(folder).and_then(|folder| folder.entry.above);
            }
            found.push((entry, Some(access)));
        }
        let mut of_folder = |number: u32| leads[number as usize].then(|| look.folder(number).clone());
        let shown = found.into_iter().filter_map(|(entry, access)| {
            Some((&entry.resource, access.or_else(|| of_folder(entry.number?))?))
        });
        shown.collect()
    }

    /// How every resource looks to somebody, folders without anything included, in the order in which they
    /// are shown: effective access.
    pub fn all<'a, 'f>(
        &'a self,
        facts: &'f Facts,
    ) -> impl Iterator<Item = (&'a Arc<Object<Resource>>, Access)> + use<'a, 'f> {
        let mut look = Look::new(self, facts);
        self.entries.values().map(move |entry| {
            let access = match entry.number {
                Some(number) => look.folder(number).clone(),
                None => look.at(entry),
            };
            (&entry.resource, access)
        })
    }

    /// How one resource looks to somebody; none: there is no such resource.
    pub fn access(&self, id: Id<Resource>, facts: &Facts) -> Option<(&Arc<Object<Resource>>, Access)> {
        let entry = self.entry(id)?;
        Some((&entry.resource, Look::new(self, facts).at(entry)))
    }

    /// The status of a resource with that of the folders above it, whoever asks. None: there is no such
    /// resource, or it is lost.
    pub fn status(&self, id: Id<Resource>) -> Option<&Status> {
        Some(self.effective_status(&self.entry(id)?.resource)?.status)
    }

    /// The status that holds for a resource: of its own and those of the folders above it that are not
    /// enabled, a disabled one, else the nearest. None: it is lost.
    pub fn effective_status<'a>(&'a self, resource: &'a Object<Resource>) -> Option<EffectiveStatus<'a>> {
        let mut found = EffectiveStatus { status: &resource.spec.status, inherited_from: None };
        let mut here = resource;
        loop {
            match &here.spec.status {
                Status::Enabled => {}
                said if *said == Status::Disabled || *found.status == Status::Enabled => {
                    let inherited_from = (here.id != resource.id).then_some(here.id);
                    found = EffectiveStatus { status: said, inherited_from };
                }
                Status::Disabled | Status::Maintenance { .. } => {}
            }
            if *found.status == Status::Disabled {
                return Some(found);
            }
            if here.spec.target == Target::Folder && self.folders.of(here.id).is_some_and(|own| own.is_lost) {
                return None;
            }
            match here.spec.folder {
                None => return Some(found),
                Some(folder) => here = &self.folders.of(folder)?.entry.resource,
            }
        }
    }

    fn entry(&self, id: Id<Resource>) -> Option<&Entry> {
        self.entries.get(self.places.get(&id)?)
    }
}

impl Folders {
    fn get(&self, number: u32) -> Option<&Folder> {
        self.known.get(number as usize)?.as_ref()
    }

    fn of(&self, id: Id<Resource>) -> Option<&Folder> {
        self.get(*self.numbers.get(&id)?)
    }

    /// The number of a folder that had none.
    fn number(&mut self, id: Id<Resource>) -> u32 {
        // There are never more of them than resources, and those fit into memory.
        let number = self.known.len() as u32;
        self.known.push(None);
        self.numbers.insert(id, number);
        number
    }

    /// Says what the folder of this number is now; none: it is gone.
    fn set(&mut self, number: u32, folder: Option<&Entry>) {
        self.known[number as usize] = folder.map(|entry| Folder { entry: entry.clone(), is_lost: false });
        self.spent += usize::from(folder.is_none());
    }

    /// Finds the folders from which the top cannot be reached. The one whose own folder is missing is none of
    /// them, and those below it learn it from there. In a cycle, and below too deep a nesting, there is no
    /// such one: each is lost by itself.
    fn find_lost(&mut self) {
        let reaches_an_end = |known: &[Option<Folder>], mut number: usize| {
            (0..FOLDER_DEPTH_MAX).any(|_| match &known[number] {
                Some(Folder { entry: Entry { above: Some(above), .. }, .. }) => {
                    number = *above as usize;
                    false
                }
                Some(_) | None => true,
            })
        };
        for number in 0..self.known.len() {
            let is_lost = !reaches_an_end(&self.known, number);
            if let Some(folder) = &mut self.known[number] {
                folder.is_lost = is_lost;
            }
        }
    }

    /// Whether it is a folder that is lost by itself.
    fn is_lost(&self, entry: &Entry) -> bool {
        entry.number.and_then(|number| self.get(number)).is_some_and(|folder| folder.is_lost)
    }
}

/// One look of somebody at the catalogue. A folder is decided once, however much it holds.
struct Look<'a, 'f> {
    catalogue: &'a Catalogue,
    asker: Asker<'f>,
    /// What was decided, by the folder's number.
    folders: Vec<Option<Access>>,
}

impl<'a, 'f> Look<'a, 'f> {
    fn new(catalogue: &'a Catalogue, facts: &'f Facts) -> Self {
        Self { catalogue, asker: Asker::new(facts), folders: vec![None; catalogue.folders.known.len()] }
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
        if self.catalogue.folders.is_lost(entry) {
            return LOST;
        }
        let inherited = match entry.above.zip(entry.resource.spec.folder) {
            None => None,
            Some((number, folder)) => match self.folder(number) {
                Access::Open { .. } => None,
                Access::Hidden { because } => {
                    return Access::Hidden { because: below(because.clone(), folder) };
                }
                Access::Maintenance { message, inherited_from, .. } => {
                    Some((message.clone(), Some(inherited_from.unwrap_or(folder))))
                }
            },
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

    /// Folders that are not lost nest at most [`FOLDER_DEPTH_MAX`] deep.
    fn folder(&mut self, number: u32) -> &Access {
        let place = number as usize;
        if self.folders[place].is_none() {
            let catalogue = self.catalogue;
            let access = catalogue.folders.get(number).map_or(LOST, |folder| self.at(&folder.entry));
            self.folders[place] = Some(access);
        }
        self.folders[place].get_or_insert(LOST)
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
