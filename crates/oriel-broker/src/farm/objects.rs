//! The objects of one kind, by id and by name.

use std::sync::Arc;

use oriel_model::{Id, Object, Spec, sorted::SortedMap, validate::fold};

/// The objects of one kind, by id and by name. Copies share what neither has changed since.
#[derive(Debug, Clone)]
pub struct Objects<S: Spec> {
    by_id: SortedMap<Id<S>, Arc<Object<S>>>,
    /// By folded name, in the order in which people see them.
    by_name: SortedMap<Arc<str>, Id<S>>,
}

impl<S: Spec> Default for Objects<S> {
    fn default() -> Self {
        Self { by_id: SortedMap::default(), by_name: SortedMap::default() }
    }
}

impl<S: Spec> Objects<S> {
    /// The object with this id.
    pub fn get(&self, id: Id<S>) -> Option<&Arc<Object<S>>> {
        self.by_id.get(&id)
    }

    /// The object with this name; upper and lower case are the same.
    pub fn by_name(&self, name: &str) -> Option<&Arc<Object<S>>> {
        self.by_name.get(&*fold(name)).and_then(|id| self.by_id.get(id))
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Object<S>>> {
        self.by_id.values()
    }

    /// All of them in the order of their names, for people.
    pub fn sorted(&self) -> Vec<Arc<Object<S>>> {
        self.in_order(None).map(|(_, object)| object.clone()).collect()
    }

    /// Those after a folded name, or all, in the order of their names; each with its folded name.
    pub fn in_order<'a>(
        &'a self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a str, &'a Arc<Object<S>>)> + use<'a, S> {
        self.by_name.after(after).filter_map(|(name, id)| Some((&**name, self.by_id.get(id)?)))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Adds or replaces an object.
    pub fn insert(&mut self, object: Object<S>) {
        self.remove(object.id);
        self.by_name.insert(fold(&object.name).into(), object.id);
        self.by_id.insert(object.id, Arc::new(object));
    }

    /// Forgets an object.
    pub fn remove(&mut self, id: Id<S>) {
        if let Some(object) = self.by_id.remove(&id) {
            let name = fold(&object.name);
            // Two objects may swap their names in one transaction.
            if self.by_name.get(&*name) == Some(&id) {
                self.by_name.remove(&*name);
            }
        }
    }
}
