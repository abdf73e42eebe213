//! A kind of settings object whose spec is not known to the caller: what documents, plans and exports do
//! with objects of every kind, written once over [`Managed`] and handed out by [`of`].

use std::{
    collections::{HashMap, HashSet},
    marker::PhantomData,
    rc::Rc,
};

use oriel_model::{
    Id, Kind, Object, SettingsObject, Spec,
    reference::{self, Names, Reference},
    validate::{self, Mistake, Mistakes, fold},
};
use serde_json::Value;

use crate::{
    app::objects::{Managed, check_references},
    farm::FarmView,
};

/// What can be done with objects of a kind without knowing their spec.
pub trait AnyKind: Sync {
    /// Fields that only the farm itself sets.
    fn own_fields(&self) -> &'static [&'static str];

    /// Whether an object is nothing without the fields that only the farm itself sets.
    fn needs_own_fields(&self) -> bool;

    /// How objects come into being where a document cannot make them.
    fn comes(&self) -> Option<&'static str>;

    /// All objects, in the order of their names.
    fn ids(&self, view: &FarmView) -> Vec<Id<Value>>;

    /// An object with its whole spec as JSON.
    fn stored(&self, view: &FarmView, id: Id<Value>) -> Option<SettingsObject>;

    /// A spec with names in place of ids; none: this version cannot read it.
    fn with_names(&self, spec: &Value, names: Rc<dyn Names>) -> Option<Value>;

    /// Reads a spec that may have names where ids belong, and writes it with ids and with every default.
    fn read(&self, spec: &Value, names: Rc<dyn Names>) -> Result<Value, Mistake>;

    /// A spec with every default written out; none: this version cannot read it.
    fn normal(&self, spec: &Value) -> Option<Value>;

    /// The references of a spec; none of one that this version cannot read.
    fn references(&self, spec: &Value) -> Vec<Reference>;

    /// Takes an object into a view; the error says why its spec cannot be read.
    fn put(&self, view: &mut FarmView, object: &SettingsObject) -> Result<(), String>;

    /// Notes everything wrong with an object of `after`, its name and site included.
    fn check(&self, before: &FarmView, after: &FarmView, id: Id<Value>, mistakes: &mut Mistakes);

    /// Names what keeps an object of `before` from being deleted, beyond the references to it.
    fn kept_by(&self, before: &FarmView, after: &FarmView, id: Id<Value>) -> Vec<String>;

    /// Pairs of objects with one name, of which at least one is among `edited`.
    fn clashes(&self, view: &FarmView, edited: &HashSet<Id<Value>>) -> Vec<[Id<Value>; 2]>;
}

struct Of<S>(PhantomData<fn() -> S>);

macro_rules! kinds {
    ($($variant:ident, $spec:ty, $word:literal, $plural:ident, $area:ident, $about:literal;)*) => {
        /// What can be done with objects of this kind.
        pub fn of(kind: Kind) -> &'static dyn AnyKind {
            match kind {
                $(Kind::$variant => &Of::<$spec>(PhantomData),)*
            }
        }
    };
}

oriel_model::every_kind!(kinds);

impl<S: Managed> AnyKind for Of<S> {
    fn own_fields(&self) -> &'static [&'static str] {
        S::OWN_FIELDS
    }

    fn needs_own_fields(&self) -> bool {
        if S::OWN_FIELDS.is_empty() {
            return false;
        }
        let schema = schemars::schema_for!(S);
        let required = schema.get("required").and_then(Value::as_array);
        required.is_some_and(|names| {
            names.iter().filter_map(Value::as_str).any(|name| S::OWN_FIELDS.contains(&name))
        })
    }

    fn comes(&self) -> Option<&'static str> {
        S::COMES
    }

    fn ids(&self, view: &FarmView) -> Vec<Id<Value>> {
        S::all(view).sorted().iter().map(|object| object.id.cast()).collect()
    }

    fn stored(&self, view: &FarmView, id: Id<Value>) -> Option<SettingsObject> {
        let object = S::all(view).get(id.cast())?;
        Some(SettingsObject {
            kind: S::KIND,
            id,
            name: object.name.clone(),
            site: object.site,
            spec: json(&object.spec),
            revision: object.revision,
            changed_at: object.changed_at,
            changed_by: object.changed_by.clone(),
        })
    }

    fn with_names(&self, spec: &Value, names: Rc<dyn Names>) -> Option<Value> {
        let spec = S::deserialize(spec).ok()?;
        Some(reference::with_names(&spec, names))
    }

    fn read(&self, spec: &Value, names: Rc<dyn Names>) -> Result<Value, Mistake> {
        let mut track = serde_path_to_error::Track::new();
        let reader = serde_path_to_error::Deserializer::new(spec, &mut track);
        let read: Result<S, _> = reference::from_names(reader, names);
        read.map(|spec| json(&spec)).map_err(|error| {
            let path = track.path().to_string();
            let field = if path == "." { "spec".to_owned() } else { format!("spec.{path}") };
            Mistake { field, message: validate::in_words(&error.to_string()) }
        })
    }

    fn normal(&self, spec: &Value) -> Option<Value> {
        S::deserialize(spec).ok().map(|spec| json(&spec))
    }

    fn references(&self, spec: &Value) -> Vec<Reference> {
        S::deserialize(spec).map(|spec| reference::of(&spec)).unwrap_or_default()
    }

    fn put(&self, view: &mut FarmView, object: &SettingsObject) -> Result<(), String> {
        let decoded: Object<S> = object.decode().map_err(|error| error.reason)?;
        S::insert(view, decoded);
        Ok(())
    }

    fn check(&self, before: &FarmView, after: &FarmView, id: Id<Value>, mistakes: &mut Mistakes) {
        let Some(object) = S::all(after).get(id.cast()) else { return };
        validate::name(mistakes, &object.name);
        if let Some(site) = object.site
            && after.sites.get(site).is_none()
        {
            mistakes.add("site", "does not exist");
        }
        mistakes.within("spec", |m| {
            object.spec.validate(m);
            check_references(after, &object.spec, m);
            object.spec.check(after, object.id, S::all(before).get(object.id).map(|old| &old.spec), m);
        });
    }

    fn kept_by(&self, before: &FarmView, after: &FarmView, id: Id<Value>) -> Vec<String> {
        S::all(before).get(id.cast()).map_or_else(Vec::new, |object| S::kept_by(object, after))
    }

    fn clashes(&self, view: &FarmView, edited: &HashSet<Id<Value>>) -> Vec<[Id<Value>; 2]> {
        let mut holders: HashMap<String, Id<Value>> = HashMap::with_capacity(S::all(view).len());
        let mut found = Vec::new();
        for object in S::all(view).iter() {
            let id = object.id.cast();
            if let Some(other) = holders.insert(fold(&object.name), id)
                && (edited.contains(&id) || edited.contains(&other))
            {
                found.push([id, other]);
            }
        }
        found
    }
}

fn json<S: Spec>(spec: &S) -> Value {
    serde_json::to_value(spec).expect("a spec is plain JSON: its maps have text keys")
}

/// Takes the farm's own fields out of a spec.
pub fn without_own_fields(kind: Kind, spec: &mut Value) {
    if let Value::Object(fields) = spec {
        for field in of(kind).own_fields() {
            fields.remove(*field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nothing_without_its_secret_is_known_from_its_spec() {
        let found: Vec<_> = Kind::ALL.iter().filter(|kind| of(**kind).needs_own_fields()).collect();
        assert_eq!(found, [&Kind::Token, &Kind::Invitation]);
    }
}
