//! What a list's objects look like: the fields that may be named in a filter, an order or a choice of
//! fields, from the JSON schema of what is shown.

use std::{
    any::TypeId,
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use schemars::JsonSchema;
use serde_json::Value;

use super::ListError;
use crate::hosts::lock;

/// The JSON schema of what is shown.
#[derive(Debug)]
pub struct Shape(Value);

/// Schemas are made once for each type, of which there are as many as kinds.
static KNOWN: Mutex<Option<HashMap<TypeId, Arc<Shape>>>> = Mutex::new(None);

/// References within references: deeper than any spec.
const DEPTH_MAX: usize = 16;
/// Fields named in an error at most.
const NAMED_MAX: usize = 24;

/// What lies at the end of a path.
#[derive(Debug, Default)]
pub struct Nature {
    /// The JSON types that it may have, other than null; lists count as what they hold.
    types: BTreeSet<String>,
    /// Whether it holds fields of its own.
    pub has_fields: bool,
    /// Whether it is a list, or lies in one.
    pub is_list: bool,
}

impl Nature {
    /// Whether it is nothing but this.
    pub fn is_only(&self, kinds: &[&str]) -> bool {
        !self.types.is_empty() && self.types.iter().all(|kind| kinds.contains(&kind.as_str()))
    }
}

/// A place in the schema: all alternatives that a field may have.
struct Place<'a> {
    nodes: Vec<&'a Value>,
    is_list: bool,
}

impl Shape {
    /// The shape of what is shown as `T`.
    pub fn of<T: JsonSchema + 'static>() -> Arc<Self> {
        let mut known = lock(&KNOWN);
        let known = known.get_or_insert_default();
        known
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(Self(schemars::schema_for!(T).to_value())))
            .clone()
    }

    /// What lies at `path`; an error that names what there is instead. `part` is the part of the query.
    pub fn nature(&self, part: &'static str, path: &str) -> Result<Nature, ListError> {
        let mut place = self.expanded(&[&self.0], false);
        let mut so_far = String::new();
        for name in path.split('.') {
            let fields: Vec<&Value> = place.nodes.iter().filter_map(|node| field(node, name)).collect();
            if fields.is_empty() {
                return Err(ListError::unknown(part, path, &so_far, &self.names(&place)));
            }
            so_far = if so_far.is_empty() { name.to_owned() } else { format!("{so_far}.{name}") };
            place = self.expanded(&fields, place.is_list);
        }
        let has_fields = place.nodes.iter().any(|node| {
            node.get("properties").is_some()
                || node.get("additionalProperties").is_some_and(|any| any.as_bool() != Some(false))
        });
        let types = place.nodes.iter().flat_map(|node| types(node)).filter(|kind| *kind != "null");
        let types = types.map(ToOwned::to_owned).collect();
        Ok(Nature { types, has_fields, is_list: place.is_list })
    }

    /// Follows references, alternatives and lists.
    fn expanded<'a>(&'a self, from: &[&'a Value], in_list: bool) -> Place<'a> {
        let mut place = Place { nodes: Vec::new(), is_list: in_list };
        for node in from {
            self.expand(node, &mut place, 0);
        }
        place
    }

    fn expand<'a>(&'a self, node: &'a Value, place: &mut Place<'a>, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        if let Some(reference) = node.get("$ref").and_then(Value::as_str)
            && let Some(target) = reference.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer))
        {
            self.expand(target, place, depth + 1);
        }
        for word in ["anyOf", "oneOf", "allOf"] {
            for alternative in node.get(word).and_then(Value::as_array).into_iter().flatten() {
                self.expand(alternative, place, depth + 1);
            }
        }
        if let Some(items) = node.get("items") {
            place.is_list = true;
            self.expand(items, place, depth + 1);
        } else {
            place.nodes.push(node);
        }
    }

    fn names(&self, place: &Place<'_>) -> Vec<String> {
        let names: BTreeSet<&String> = place
            .nodes
            .iter()
            .filter_map(|node| node.get("properties")?.as_object())
            .flat_map(|all| all.keys())
            .collect();
        names.into_iter().take(NAMED_MAX).cloned().collect()
    }
}

fn field<'a>(node: &'a Value, name: &str) -> Option<&'a Value> {
    let named = node.get("properties").and_then(|all| all.get(name));
    // Of a table, every name may be asked for.
    named.or_else(|| node.get("additionalProperties").filter(|any| any.is_object()))
}

fn types(node: &Value) -> Vec<&str> {
    match node.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        // Alternatives of words.
        _ if node.get("const").is_some() || node.get("enum").is_some() => vec!["string"],
        _ => Vec::new(),
    }
}
