//! Names and ids: people type names, the API wants ids, and tables show names again.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::{client::Client, objects::Noun};
use crate::failure::{Failure, Outcome};

/// Finds an object by name or id and returns all of it.
pub fn find(client: &Client, noun: &Noun, name_or_id: &str) -> Outcome<Value> {
    let found = client.list(noun.path, &[("name", name_or_id), ("exact", "true")])?;
    if let Some(object) = found.into_iter().next() {
        return Ok(object);
    }
    if Uuid::try_parse(name_or_id).is_ok() {
        return client.get(&format!("{}/{name_or_id}", noun.path), &[]);
    }
    let near = client.get(noun.path, &[("name", name_or_id), ("limit", "5")])?;
    let near: Vec<_> = items(&near).filter_map(|object| object["name"].as_str()).collect();
    let hint = match near.as_slice() {
        [] => format!("see oriel {} list", noun.command),
        names => format!("did you mean {}?", names.join(", ")),
    };
    Err(Failure::Refused(format!("there is no {} \"{name_or_id}\": {hint}", noun.word)))
}

/// The id of an object, by name or id.
pub fn id(client: &Client, noun: &Noun, name_or_id: &str) -> Outcome<String> {
    Ok(id_of(&find(client, noun, name_or_id)?))
}

/// The ids of objects, by names or ids.
pub fn ids(client: &Client, noun: &Noun, names: &[String]) -> Outcome<Vec<String>> {
    names.iter().map(|name| id(client, noun, name)).collect()
}

/// An object's id.
pub fn id_of(object: &Value) -> String {
    object["id"].as_str().unwrap_or_default().to_owned()
}

/// An object's revision.
pub fn revision_of(object: &Value) -> u64 {
    object["revision"].as_u64().unwrap_or_default()
}

/// The objects of a page.
pub fn items(page: &Value) -> impl Iterator<Item = &Value> {
    page["items"].as_array().into_iter().flatten()
}

/// Writes names in place of the ids at `pointer`, for tables: a single id, or a list of them.
pub fn show_names(client: &Client, noun: &Noun, pointer: &str, rows: &mut [Value]) -> Outcome {
    if rows.iter().all(|row| row.pointer(pointer).is_none_or(Value::is_null)) {
        return Ok(());
    }
    let all = client.list(noun.path, &[])?;
    let names: HashMap<&str, &Value> =
        all.iter().filter_map(|object| Some((object["id"].as_str()?, &object["name"]))).collect();
    let name = |value: &mut Value| {
        if let Some(found) = value.as_str().and_then(|id| names.get(id)) {
            *value = (*found).clone();
        }
    };
    for place in rows.iter_mut().filter_map(|row| row.pointer_mut(pointer)) {
        match place {
            Value::Array(ids) => ids.iter_mut().for_each(name),
            single => name(single),
        }
    }
    Ok(())
}
