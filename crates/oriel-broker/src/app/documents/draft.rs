//! The farm as it would be. Writes are made on a copy of what is in memory, and every check runs on that
//! copy, so that one mechanism serves single changes, applied documents, imports and reverts: what refers
//! to each other may come in any order, and what is left behind by a deletion is found.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use oriel_model::{
    Id, Kind, Object, SettingsObject,
    validate::{Mistake, Mistakes},
};
use serde_json::Value;

use super::any_kind;
use crate::{
    app::objects::{Managed, users_of},
    farm::FarmView,
};

/// The farm as it would be after some writes.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The farm as it is.
    pub before: Arc<FarmView>,
    /// The farm as it would be. Its indices over several objects are those of `before`.
    pub after: Arc<FarmView>,
    /// What is written.
    pub edits: Vec<Edit>,
}

/// One object that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where the caller said so, for mistakes: `documents[3]`; empty where the caller said nothing else.
    pub place: String,
    /// Kind of the object.
    pub kind: Kind,
    /// The object.
    pub id: Id<Value>,
    /// Its name, as the caller says it.
    pub name: String,
    /// What becomes of it.
    pub what: What,
}

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It is made, or says something else.
    Put,
    /// It is deleted.
    Delete,
    /// It is as it shall be already.
    Keep,
}

/// An object that is to be deleted, and what still needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The index of its edit.
    pub edit: usize,
    /// What needs it: `user "alice"`.
    pub by: Vec<String>,
}

impl Draft {
    /// A draft without writes.
    pub fn new(before: Arc<FarmView>) -> Self {
        Self { after: before.clone(), before, edits: Vec::new() }
    }

    /// Makes an object, or replaces it.
    pub fn put<S: Managed>(&mut self, place: &str, object: Object<S>) {
        self.edit(place, S::KIND, object.id.cast(), &object.name, What::Put);
        S::insert(Arc::make_mut(&mut self.after), object);
    }

    /// As [`Draft::put`], of any kind.
    ///
    /// # Errors
    ///
    /// The spec cannot be read; the draft stays as it was.
    pub fn put_any(&mut self, place: &str, object: &SettingsObject) -> Result<(), Mistake> {
        any_kind::of(object.kind)
            .put(Arc::make_mut(&mut self.after), object)
            .map_err(|message| Mistake { field: within(place, "spec"), message })?;
        self.edit(place, object.kind, object.id, &object.name, What::Put);
        Ok(())
    }

    /// Deletes an object.
    pub fn delete(&mut self, place: &str, kind: Kind, id: Id<Value>) {
        let name = self.before.name_of(kind, id).unwrap_or_default().to_owned();
        self.edit(place, kind, id, &name, What::Delete);
        Arc::make_mut(&mut self.after).remove(kind, id);
    }

    /// Notes that an object is as it shall be already.
    pub fn keep(&mut self, place: &str, kind: Kind, id: Id<Value>, name: &str) {
        self.edit(place, kind, id, name, What::Keep);
    }

    fn edit(&mut self, place: &str, kind: Kind, id: Id<Value>, name: &str, what: What) {
        self.edits.push(Edit { place: place.to_owned(), kind, id, name: name.to_owned(), what });
    }

    /// The objects that are made or changed.
    pub fn puts(&self) -> impl Iterator<Item = &Edit> {
        self.edits.iter().filter(|edit| edit.what == What::Put)
    }

    /// Notes everything wrong with what would be written.
    pub fn check(&self, mistakes: &mut Mistakes) {
        for edit in self.puts() {
            mistakes.within(&edit.place, |m| {
                any_kind::of(edit.kind).check(&self.before, &self.after, edit.id, m);
            });
        }
    }

    /// Notes names that two objects of a kind would have. The store refuses the first of them too, but
    /// knows nothing of places.
    pub fn check_names(&self, mistakes: &mut Mistakes) {
        let mut edited: BTreeMap<Kind, HashSet<Id<Value>>> = BTreeMap::new();
        for edit in self.puts() {
            edited.entry(edit.kind).or_default().insert(edit.id);
        }
        for (kind, ids) in edited {
            for pair in any_kind::of(kind).clashes(&self.after, &ids) {
                // Of two that are written, the later one.
                let Some(edit) = self.puts().filter(|edit| pair.contains(&edit.id)).last() else { continue };
                let message = format!("there would be two of the kind {kind} named \"{}\"", edit.name);
                mistakes.add(&within(&edit.place, "name"), message);
            }
        }
    }

    /// What is to be deleted but still needed.
    pub fn kept(&self) -> Vec<Kept> {
        let deleted: HashMap<Id<Value>, usize> = self
            .edits
            .iter()
            .enumerate()
            .filter(|(_, edit)| edit.what == What::Delete)
            .map(|(index, edit)| (edit.id, index))
            .collect();
        if deleted.is_empty() {
            return Vec::new();
        }
        let mut needed = users_of(&self.after, &deleted);
        for (id, index) in &deleted {
            let by = any_kind::of(self.edits[*index].kind).kept_by(&self.before, &self.after, *id);
            if !by.is_empty() {
                needed.entry(*index).or_default().extend(by);
            }
        }
        needed.into_iter().map(|(edit, by)| Kept { edit, by }).collect()
    }
}

/// The path of a field within a place.
pub fn within(place: &str, field: &str) -> String {
    if place.is_empty() { field.to_owned() } else { format!("{place}.{field}") }
}
