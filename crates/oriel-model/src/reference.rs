//! References between settings objects: which others a spec names, and names in place of ids.
//!
//! Every reference is an [`Id`](crate::Id) that knows its kind, so nothing is listed by hand: a spec is
//! written out with its ids marked ([`of`]), with the names of what they lead to ([`with_names`]),
//! or read from text that has names where ids belong ([`from_names`]). The three work on one thread,
//! for the time of one call: serde hands no context to a field, so it is kept beside it.
//!
//! Deliberately absent: whether a reference leads anywhere. That is known to whoever has the objects.

use std::{cell::RefCell, io, rc::Rc};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{Id, Kind};

/// One reference of a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Kind of the object it leads to.
    pub kind: Kind,
    /// Which object.
    pub id: Id<Value>,
    /// Where it stands in the spec: `target.source.pools[0]`.
    pub field: String,
}

/// Knows the names of objects.
pub trait Names {
    /// The name of an object; none: there is no such object.
    fn name_of(&self, kind: Kind, id: Id<Value>) -> Option<String>;

    /// The id of an object; none: there is no such object.
    fn id_of(&self, kind: Kind, name: &str) -> Option<Id<Value>>;
}

enum Scope {
    Mark,
    Seek { wanted: Uuid, is_found: bool },
    Write(Rc<dyn Names>),
    Read(Rc<dyn Names>),
}

thread_local! {
    /// What ids do when they are written or read; nothing outside the calls of this module.
    static SCOPE: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// Runs `work` in `scope` and gives the scope back. A panic inside leaves no scope behind.
fn within<R>(scope: Scope, work: impl FnOnce() -> R) -> (R, Scope) {
    struct Leave(Option<Scope>);
    impl Drop for Leave {
        fn drop(&mut self) {
            SCOPE.set(self.0.take());
        }
    }
    let outer = Leave(SCOPE.replace(Some(scope)));
    let result = work();
    let scope = SCOPE.take().expect("a scope inside gives back what it replaced");
    drop(outer);
    (result, scope)
}

/// The references of a spec, in the order of their fields' names.
pub fn of<S: Serialize>(spec: &S) -> Vec<Reference> {
    let (written, _) = within(Scope::Mark, || serde_json::to_value(spec));
    let mut found = Vec::new();
    find(&written.expect("a spec is always JSON"), &mut String::new(), &mut found);
    found
}

/// Whether a spec names an object: costs a small part of finding out where ([`of`]).
pub fn mentions<S: Serialize>(spec: &S, wanted: Id<Value>) -> bool {
    let seek = Scope::Seek { wanted: wanted.uuid(), is_found: false };
    let (written, scope) = within(seek, || serde_json::to_writer(io::sink(), spec));
    written.expect("a spec is always JSON");
    matches!(scope, Scope::Seek { is_found: true, .. })
}

/// Begins a reference that is written to be found: no text of a spec can have it.
const MARK: char = '\u{1}';

fn marked(text: &str) -> Option<(Kind, Uuid)> {
    let (kind, id) = text.strip_prefix(MARK)?.split_once(' ')?;
    Some((kind.parse().ok()?, id.parse().ok()?))
}

fn find(value: &Value, path: &mut String, found: &mut Vec<Reference>) {
    let length = path.len();
    match value {
        Value::String(text) => {
            if let Some((kind, id)) = marked(text) {
                found.push(Reference { kind, id: id.into(), field: path.clone() });
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                find(value, path, found);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                find(value, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// Writes a spec with names in place of ids. What leads nowhere keeps its id.
pub fn with_names<S: Serialize>(spec: &S, names: Rc<dyn Names>) -> Value {
    let (written, _) = within(Scope::Write(names), || serde_json::to_value(spec));
    written.expect("a spec is always JSON")
}

/// Reads a spec that may have names where ids belong; `spec` is its JSON, or a deserializer around it that
/// keeps the paths of fields.
///
/// # Errors
///
/// What serde says; a name that leads nowhere is named.
pub fn from_names<'de, S: Deserialize<'de>, D: Deserializer<'de>>(
    spec: D,
    names: Rc<dyn Names>,
) -> Result<S, D::Error> {
    within(Scope::Read(names), || S::deserialize(spec)).0
}

/// How an id is written now; none: as itself.
pub(crate) fn written(kind: Option<Kind>, id: Uuid) -> Option<String> {
    let kind = kind?;
    let names = SCOPE.with_borrow_mut(|scope| match scope {
        Some(Scope::Mark) => Some(None),
        Some(Scope::Write(names)) => Some(Some(names.clone())),
        Some(Scope::Seek { wanted, is_found }) => {
            *is_found |= id == *wanted;
            None
        }
        _ => None,
    })?;
    let Some(names) = names else { return Some(format!("{MARK}{kind} {id}")) };
    names.name_of(kind, id.into())
}

/// What a text that is no id means now; none: nothing.
pub(crate) fn read(kind: Option<Kind>, name: &str) -> Option<Result<Uuid, String>> {
    let kind = kind?;
    let names = SCOPE.with_borrow(|scope| match scope {
        Some(Scope::Read(names)) => Some(names.clone()),
        _ => None,
    })?;
    let shown: String = name.chars().take(crate::validate::NAME_MAX).collect();
    Some(names.id_of(kind, name).map(Id::uuid).ok_or_else(|| format!("there is no {kind} \"{shown}\"")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{host::Host, resource::Resource};

    struct Office;
    const OFFICE: Uuid = Uuid::from_u128(7);

    impl Names for Office {
        fn name_of(&self, kind: Kind, id: Id<Value>) -> Option<String> {
            (kind == Kind::Pool && id.uuid() == OFFICE).then(|| "Office".to_owned())
        }
        fn id_of(&self, kind: Kind, name: &str) -> Option<Id<Value>> {
            (kind == Kind::Pool && name == "Office").then(|| OFFICE.into())
        }
    }

    fn desktop(pools: Value) -> Value {
        json!({"target": {"kind": "desktop", "source": {"from": "pools", "pools": pools}}})
    }

    #[test]
    fn references_are_found_with_their_kinds_and_places() {
        let spec: Resource = serde_json::from_value(desktop(json!([OFFICE]))).expect("valid");
        let found = of(&spec);
        let mentions = |id: Uuid| mentions(&spec, id.into());
        assert!(mentions(OFFICE) && !mentions(Uuid::from_u128(8)));
        assert_eq!(
            found,
            [Reference { kind: Kind::Pool, id: OFFICE.into(), field: "target.source.pools[0]".into() }]
        );
    }

    #[test]
    fn names_stand_for_ids_both_ways_also_inside_of_tagged_enums() {
        let spec: Resource = from_names(&desktop(json!(["Office"])), Rc::new(Office)).expect("valid");
        assert_eq!(of(&spec)[0].id, OFFICE.into());
        let written = with_names(&spec, Rc::new(Office));
        assert_eq!(written["target"]["source"]["pools"], json!(["Office"]));
        let plain = serde_json::to_value(&spec).expect("json");
        assert_eq!(plain["target"]["source"]["pools"], json!([OFFICE]), "outside the call, ids are ids");
    }

    #[test]
    fn a_name_that_leads_nowhere_is_named() {
        let error =
            from_names::<Host, _>(&json!({"pool": "Offcie"}), Rc::new(Office)).expect_err("no such pool");
        assert!(error.to_string().contains("there is no pool \"Offcie\""), "{error}");
    }
}
