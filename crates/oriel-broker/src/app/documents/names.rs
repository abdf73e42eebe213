//! Names in place of ids, for documents.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
};

use oriel_model::{
    Id, Kind, Timestamp,
    reference::Names,
    validate::{NAME_MAX, fold},
};
use serde_json::Value;

use crate::farm::FarmView;

/// Names to show: as they will be; of what is deleted, as they were.
pub struct Shown {
    after: Arc<FarmView>,
    before: Arc<FarmView>,
}

impl Shown {
    /// The names of one view.
    pub fn of(view: &Arc<FarmView>) -> Rc<dyn Names> {
        Self::either(view, view)
    }

    /// The names of what will be and of what was.
    pub fn either(after: &Arc<FarmView>, before: &Arc<FarmView>) -> Rc<dyn Names> {
        Rc::new(Self { after: after.clone(), before: before.clone() })
    }
}

impl Names for Shown {
    /// A name that looks like an id would be read as one, so such an object is shown by its id.
    fn name_of(&self, kind: Kind, id: Id<Value>) -> Option<String> {
        let name = self.after.name_of(kind, id).or_else(|| self.before.name_of(kind, id))?;
        (name.parse::<Id<Value>>().is_err()).then(|| name.to_owned())
    }

    fn id_of(&self, _: Kind, _: &str) -> Option<Id<Value>> {
        None
    }
}

/// Names that are read: those of the objects of one call, then those of the farm. One that leads nowhere
/// is given an id and remembered, so that all such names of a spec are found, not only the first.
pub struct Meant {
    view: Arc<FarmView>,
    /// Objects of the call, by kind and folded name.
    given: HashMap<(Kind, String), Id<Value>>,
    /// Objects whose names in the farm count no more: renamed or deleted by the call.
    gone: HashSet<Id<Value>>,
    unknown: RefCell<HashMap<Id<Value>, String>>,
}

impl Meant {
    /// Only the names of the farm.
    pub fn new(view: Arc<FarmView>) -> Self {
        Self { view, given: HashMap::new(), gone: HashSet::new(), unknown: RefCell::default() }
    }

    /// An object of the call. False: there is one of this kind and name already.
    pub fn give(&mut self, kind: Kind, name: &str, id: Id<Value>) -> bool {
        self.gone.insert(id);
        self.given.insert((kind, fold(name)), id).is_none()
    }

    /// The object's name in the farm counts no more.
    pub fn forget(&mut self, id: Id<Value>) {
        self.gone.insert(id);
    }

    /// The object of this kind and name, whatever it was called before.
    pub fn find(&self, kind: Kind, name: &str) -> Option<Id<Value>> {
        let given = self.given.get(&(kind, fold(name))).copied();
        given.or_else(|| self.view.id_of(kind, name).filter(|id| !self.gone.contains(id)))
    }

    /// Whether any name has led nowhere.
    pub fn has_unknown(&self) -> bool {
        !self.unknown.borrow().is_empty()
    }

    /// The name that led nowhere and was given this id.
    pub fn unknown(&self, id: Id<Value>) -> Option<String> {
        self.unknown.borrow().get(&id).cloned()
    }
}

impl Names for Meant {
    fn name_of(&self, _: Kind, _: Id<Value>) -> Option<String> {
        None
    }

    fn id_of(&self, kind: Kind, name: &str) -> Option<Id<Value>> {
        Some(self.find(kind, name).unwrap_or_else(|| {
            let id = Id::generate(Timestamp::UNIX_EPOCH);
            self.unknown.borrow_mut().insert(id, name.chars().take(NAME_MAX).collect());
            id
        }))
    }
}
