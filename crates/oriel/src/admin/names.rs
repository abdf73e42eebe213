//! Names and ids: people type names, the API wants ids, and tables and YAML show names again.
//!
//! Which fields of a spec hold references is known to the model alone ([`oriel_model::reference`]).

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use oriel_model::{
    Id, Kind,
    reference::{self, Names, Reference},
    validate::fold,
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    client::Client,
    path::{self, Step},
    schema::Schema,
    words,
};
use crate::failure::{Failure, Outcome};

macro_rules! typed {
    ($($variant:ident, $spec:ty, $word:literal, $plural:ident, $area:ident, $about:literal;)*) => {
        /// A spec with ids where names stood; an error: this version cannot read it.
        fn read(kind: Kind, spec: &Value, names: Rc<dyn Names>) -> Result<Value, serde_json::Error> {
            match kind {
                $(Kind::$variant => {
                    reference::from_names::<$spec, _>(spec, names).and_then(serde_json::to_value)
                })*
            }
        }

        /// The spec with names in place of ids; none: this version cannot read it.
        fn written(kind: Kind, spec: &Value, names: Rc<dyn Names>) -> Option<Value> {
            match kind {
                $(Kind::$variant => {
                    let spec = serde_json::from_value::<$spec>(spec.clone()).ok()?;
                    Some(reference::with_names(&spec, names))
                })*
            }
        }

        /// The references of a spec; none of one that this version cannot read.
        fn references(kind: Kind, spec: &Value) -> Vec<Reference> {
            match kind {
                $(Kind::$variant => {
                    serde_json::from_value::<$spec>(spec.clone()).map(|spec| reference::of(&spec)).unwrap_or_default()
                })*
            }
        }
    };
}

oriel_model::every_kind!(typed);

/// Objects whose names are known.
#[derive(Debug, Default)]
struct Known {
    names: BTreeMap<(Kind, Uuid), String>,
    ids: BTreeMap<(Kind, String), Uuid>,
}

impl Known {
    fn add(&mut self, kind: Kind, object: &Value) {
        if let (Some(id), Some(name)) =
            (object["id"].as_str().and_then(|id| id.parse().ok()), object["name"].as_str())
        {
            self.names.insert((kind, id), name.to_owned());
            self.ids.insert((kind, fold(name)), id);
        }
    }
}

impl Names for Known {
    fn name_of(&self, kind: Kind, id: Id<Value>) -> Option<String> {
        self.names.get(&(kind, id.uuid())).cloned()
    }

    fn id_of(&self, kind: Kind, name: &str) -> Option<Id<Value>> {
        self.ids.get(&(kind, fold(name))).map(|id| (*id).into())
    }
}

/// Knows nothing, and notes which names are asked for.
#[derive(Debug, Default)]
struct Asked(RefCell<BTreeSet<(Kind, String)>>);

impl Names for Asked {
    fn name_of(&self, _: Kind, _: Id<Value>) -> Option<String> {
        None
    }

    fn id_of(&self, kind: Kind, name: &str) -> Option<Id<Value>> {
        self.0.borrow_mut().insert((kind, name.to_owned()));
        Some(Uuid::nil().into())
    }
}

/// Puts ids where a spec has names. What this version cannot read is left as it is: the broker says
/// better what is wrong with it.
pub fn to_ids(client: &Client, kind: Kind, spec: &mut Value) -> Outcome {
    let asked = Rc::new(Asked::default());
    if read(kind, spec, asked.clone()).is_err() {
        return Ok(());
    }
    let asked = asked.0.take();
    if asked.is_empty() {
        return Ok(());
    }
    let mut known = Known::default();
    for (wanted, name) in asked {
        let object = find(client, wanted, &name).map_err(|failure| match failure {
            Failure::NotFound(text) => Failure::NotFound(match place_of(kind, spec, wanted, &name) {
                Some(field) => format!("{field}: {text}"),
                None => text,
            }),
            other => other,
        })?;
        known.add(wanted, &object);
    }
    if let Ok(read) = read(kind, spec, Rc::new(known)) {
        *spec = read;
    }
    Ok(())
}

/// The path of the field in a kind's spec that has this name of an object.
fn place_of(kind: Kind, spec: &Value, wanted: Kind, name: &str) -> Option<String> {
    fn search(schema: &Schema, value: &Value, at: &mut Vec<Step>, wanted: Kind, name: &str) -> bool {
        match value {
            Value::String(text) => text == name && schema.may_name(at, wanted),
            Value::Object(fields) => fields.iter().any(|(field, value)| {
                at.push(Step::Field(field.clone()));
                search(schema, value, at, wanted, name) || at.pop().is_none()
            }),
            Value::Array(entries) => entries.iter().enumerate().any(|(number, value)| {
                at.push(Step::Entry(number));
                search(schema, value, at, wanted, name) || at.pop().is_none()
            }),
            _ => false,
        }
    }
    let mut at = Vec::new();
    search(&Schema::of(kind), spec, &mut at, wanted, name).then(|| path::written(&at))
}

/// Puts names where objects of a kind have ids, in their specs and their sites. What leads nowhere keeps
/// its id.
pub fn to_names(client: &Client, kind: Kind, objects: &mut [Value]) -> Outcome {
    let mut wanted: BTreeSet<Kind> = BTreeSet::new();
    for object in &*objects {
        wanted.extend(references(kind, &object["spec"]).iter().map(|reference| reference.kind));
        wanted.extend(object["site"].is_string().then_some(Kind::Site));
    }
    let mut known = Known::default();
    for kind in wanted {
        for object in client.list(kind.plural(), &[("fields", "id,name")])? {
            known.add(kind, &object);
        }
    }
    let known = Rc::new(known);
    for object in objects {
        if let Some(spec) = written(kind, &object["spec"], known.clone()) {
            object["spec"] = spec;
        }
        let site = object["site"].as_str().and_then(|id| id.parse().ok());
        if let Some(name) = site.and_then(|id: Uuid| known.name_of(Kind::Site, id.into())) {
            object["site"] = name.into();
        }
    }
    Ok(())
}

/// Finds an object by name or id and returns all of it. There is only one farm: its name is of no matter.
pub fn find(client: &Client, kind: Kind, name_or_id: &str) -> Outcome<Value> {
    if kind == Kind::Farm {
        return client.get("farm", &[]);
    }
    let found = client.list(kind.plural(), &[("name", name_or_id), ("exact", "true")])?;
    if let Some(object) = found.into_iter().next() {
        return Ok(object);
    }
    if Uuid::try_parse(name_or_id).is_ok() {
        return client.get(&format!("{}/{name_or_id}", kind.plural()), &[]);
    }
    let all = client.list(kind.plural(), &[("fields", "name")])?;
    let hint = words::did_you_mean(name_or_id, all.iter().filter_map(|object| object["name"].as_str()));
    let hint = hint.unwrap_or_else(|| format!("see oriel get {kind}"));
    Err(Failure::NotFound(format!("there is no {} \"{name_or_id}\": {hint}", word(kind))))
}

/// The id of an object, by name or id.
pub fn id(client: &Client, kind: Kind, name_or_id: &str) -> Outcome<String> {
    Ok(id_of(&find(client, kind, name_or_id)?))
}

/// A kind's word in sentences.
pub fn word(kind: Kind) -> String {
    kind.as_str().replace('_', " ")
}

/// An object's id.
pub fn id_of(object: &Value) -> String {
    object["id"].as_str().unwrap_or_default().to_owned()
}

/// An object's name.
pub fn name_of(object: &Value) -> &str {
    object["name"].as_str().unwrap_or_default()
}

/// An object's revision.
pub fn revision_of(object: &Value) -> u64 {
    object["revision"].as_u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_spec_of_every_kind_that_can_be_empty_survives_the_way_through_its_type() {
        for kind in [Kind::Farm, Kind::Site, Kind::Pool, Kind::Group, Kind::User, Kind::Gateway, Kind::Policy]
        {
            let full = read(kind, &json!({}), Rc::new(Known::default())).expect("all fields have defaults");
            assert_eq!(written(kind, &full, Rc::new(Known::default())), Some(full), "{kind}");
        }
    }

    #[test]
    fn a_name_that_leads_nowhere_is_found_in_its_field() {
        let spec = json!({
            "description": "Guests",
            "rules": {"rules": [{"effect": "allow", "criteria": [{"type": "group", "objects": ["Staff", "Guests"]}]}]},
        });
        let place = place_of(Kind::Policy, &spec, Kind::Group, "Guests");
        assert_eq!(place.as_deref(), Some("rules.rules[0].criteria[0].objects[1]"));
        assert_eq!(place_of(Kind::Policy, &spec, Kind::Group, "Nobody"), None);
    }

    #[test]
    fn names_are_asked_for_with_their_kinds() {
        let asked = Rc::new(Asked::default());
        let spec = json!({"target": {"kind": "desktop", "source": {"from": "pools", "pools": ["Office"]}}});
        read(Kind::Resource, &spec, asked.clone()).expect("readable");
        assert_eq!(asked.0.take().into_iter().collect::<Vec<_>>(), [(Kind::Pool, "Office".to_owned())]);
    }
}
