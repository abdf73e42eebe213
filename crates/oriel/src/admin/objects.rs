//! What is the same for every kind of settings object: list, show, create, set, delete.

use clap::Args;
use serde_json::{Value, json};

use super::{
    Desk, Format,
    edit::Edits,
    names,
    output::{self, Column},
};
use crate::failure::Outcome;

/// A kind of settings object as this command line knows it.
#[derive(Debug)]
pub struct Noun {
    /// Below `/api/v1`.
    pub path: &'static str,
    /// In sentences.
    pub word: &'static str,
    /// After `oriel`.
    pub command: &'static str,
    /// The table of `list`.
    pub columns: &'static [Column],
    /// Where other objects are named: their noun, and the pointer to their ids.
    pub refers: &'static [(&'static Noun, &'static str)],
}

/// Options of `list`.
#[derive(Debug, Clone, Default, Args)]
pub struct ListOptions {
    /// Only those whose name contains this
    #[arg(value_name = "PART_OF_NAME")]
    pub filter: Option<String>,
}

/// Names one object.
#[derive(Debug, Clone, Args)]
pub struct Named {
    /// Name or id
    pub name: String,
}

/// Options of `create` that are the same for every kind.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options")]
pub struct CreateOptions {
    /// Put it into this site ("" for none)
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    #[command(flatten)]
    pub edits: Edits,
}

/// Options of `set` that are the same for every kind.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options")]
pub struct SetOptions {
    /// Give it another name
    #[arg(long, value_name = "NEW_NAME")]
    pub rename: Option<String>,
    #[command(flatten)]
    pub others: CreateOptions,
}

/// Lists the objects of a kind.
pub fn list(desk: &Desk, noun: &Noun, options: &ListOptions) -> Outcome {
    let query: Vec<_> = options.filter.as_deref().map(|part| ("name", part)).into_iter().collect();
    let mut rows = desk.client.list(noun.path, &query)?;
    if desk.format == Format::Table {
        for (other, pointer) in noun.refers {
            names::show_names(&desk.client, other, pointer, &mut rows)?;
        }
    }
    output::rows(desk.format, noun.columns, &rows)
}

/// Shows one object.
pub fn show(desk: &Desk, noun: &Noun, named: &Named) -> Outcome {
    let mut object = names::find(&desk.client, noun, &named.name)?;
    if desk.format == Format::Table {
        for (other, pointer) in noun.refers {
            names::show_names(&desk.client, other, pointer, std::slice::from_mut(&mut object))?;
        }
    }
    output::one(desk.format, &object)
}

/// Makes an object.
pub fn create(desk: &Desk, noun: &Noun, name: &str, options: &CreateOptions, spec: Value) -> Outcome {
    let body = new(desk, name, options, spec)?;
    let made = desk.client.post(noun.path, &body)?;
    created(desk, noun, &made)
}

/// What is sent to make an object.
pub fn new(desk: &Desk, name: &str, options: &CreateOptions, mut spec: Value) -> Outcome<Value> {
    options.edits.apply(&mut spec)?;
    let mut body = json!({"name": name, "spec": spec});
    if let Some(site) = site(desk, options)? {
        body["site"] = site;
    }
    Ok(body)
}

/// Says that something was made.
pub fn created(desk: &Desk, noun: &Noun, made: &Value) -> Outcome {
    let name = made["name"].as_str().unwrap_or_default();
    output::done(desk.format, &format!("Created {} \"{name}\" ({}).", noun.word, names::id_of(made)), made)
}

/// Changes an object: reads it, lets `edit` work on its spec, and writes it back on the same revision.
pub fn set(
    desk: &Desk,
    noun: &Noun,
    named: &Named,
    options: &SetOptions,
    edit: impl FnOnce(&mut Value) -> Outcome,
) -> Outcome {
    let object = names::find(&desk.client, noun, &named.name)?;
    let path = format!("{}/{}", noun.path, names::id_of(&object));
    write_back(desk, noun.word, &path, object, options, edit)
}

/// Writes an object back after `edit`, based on the revision that it was read with. What is so already
/// is not written again, so that a script can say what shall be as often as it likes.
pub fn write_back(
    desk: &Desk,
    word: &str,
    path: &str,
    object: Value,
    options: &SetOptions,
    edit: impl FnOnce(&mut Value) -> Outcome,
) -> Outcome {
    let mut spec = object["spec"].clone();
    edit(&mut spec)?;
    options.others.edits.apply(&mut spec)?;
    let name = options.rename.as_deref().or(object["name"].as_str()).unwrap_or_default();
    let mut body = json!({"name": name, "spec": spec, "revision": names::revision_of(&object)});
    body["site"] = match site(desk, &options.others)? {
        Some(site) => site,
        None => object["site"].clone(),
    };
    let unchanged =
        body["name"] == object["name"] && body["spec"] == object["spec"] && body["site"] == object["site"];
    let called = body["name"].as_str().unwrap_or_default().to_owned();
    if unchanged {
        return output::done(
            desk.format,
            &format!("Nothing to change: {word} \"{called}\" is so already."),
            &object,
        );
    }
    let changed = desk.client.put(path, &body)?;
    output::done(desk.format, &format!("Changed {word} \"{called}\"."), &changed)
}

/// Deletes an object.
pub fn delete(desk: &Desk, noun: &Noun, named: &Named) -> Outcome {
    let object = names::find(&desk.client, noun, &named.name)?;
    let path = format!("{}/{}", noun.path, names::id_of(&object));
    desk.client.delete(&path, names::revision_of(&object))?;
    let name = object["name"].as_str().unwrap_or_default();
    output::done(desk.format, &format!("Deleted {} \"{name}\".", noun.word), &object)
}

/// The site that `--site` names: absent, null for "", or an id.
fn site(desk: &Desk, options: &CreateOptions) -> Outcome<Option<Value>> {
    Ok(match options.site.as_deref() {
        None => None,
        Some("") => Some(Value::Null),
        Some(name) => Some(names::id(&desk.client, &super::site::NOUN, name)?.into()),
    })
}
