//! What is the same for every kind of settings object: list, show, create, change, delete.

use clap::Args;
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk, Format, columns, completion,
    edit::Edits,
    names, output,
    plan::{self, Asking},
};
use crate::failure::{Failure, Outcome};

/// Options of lists.
#[derive(Debug, Clone, Default, Args)]
pub struct ListOptions {
    /// Only those whose name contains this
    #[arg(value_name = "PART_OF_NAME", add = completion::objects())]
    pub name: Option<String>,
    #[command(flatten)]
    pub narrow: Narrow,
}

/// Which objects of a list, in which order, and which of their fields: done by the broker.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which, and how")]
pub struct Narrow {
    /// Only those of this site
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    /// Only those with this value, such as spec.enabled:false, state.reachable!:true or
    /// spec.description~:guest (contains); with | between them one is enough; several must all hold
    #[arg(long, value_name = "PATH:VALUE")]
    pub filter: Vec<String>,
    /// Order by these fields, such as state.cpu_load, or -state.sessions for the largest first
    #[arg(long, value_name = "PATHS", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// Only these fields, separated by commas: the columns of the table
    #[arg(long, value_name = "PATHS", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// At most so many
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<u32>,
    /// Only say how many there are
    #[arg(long, conflicts_with_all = ["sort", "fields", "limit"])]
    pub count: bool,
}

/// Names one object.
#[derive(Debug, Clone, Args)]
pub struct Named {
    /// Name or id
    #[arg(add = completion::objects())]
    pub name: String,
}

/// Names one object to be deleted.
#[derive(Debug, Clone, Args)]
pub struct Deletion {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    asking: Asking,
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

impl Narrow {
    /// The parts of the API's query.
    pub fn query(&self, desk: &Desk) -> Outcome<Vec<(&'static str, String)>> {
        let mut query = Vec::new();
        if let Some(site) = &self.site {
            query.push(("site", names::id(&desk.client, Kind::Site, site)?));
        }
        if !self.filter.is_empty() {
            query.push(("filter", self.filter.join(",")));
        }
        query.extend(self.sort.clone().map(|sort| ("sort", sort)));
        if !self.fields.is_empty() {
            query.push(("fields", self.fields.join(",")));
        }
        Ok(query)
    }
}

/// Lists the objects of a kind.
pub fn list(desk: &Desk, kind: Kind, options: &ListOptions) -> Outcome {
    let mut query = options.narrow.query(desk)?;
    query.extend(options.name.clone().map(|part| ("name", part)));
    if options.narrow.count && kind != Kind::Farm {
        return count(desk, kind.plural(), &query);
    }
    let mut rows = match kind {
        Kind::Farm => vec![desk.client.get("farm", &[])?],
        _ => read(desk, kind.plural(), query, options.narrow.limit)?,
    };
    print(desk, kind, &mut rows, &options.narrow.fields)
}

/// Says how many objects a list has.
pub fn count(desk: &Desk, path: &str, query: &[(&str, String)]) -> Outcome {
    let mut query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    query.extend([("count", "true"), ("limit", "1")]);
    let total = desk.client.get(path, &query)?["total"].take();
    output::done(desk.format, &total.to_string(), &json!({"total": total}))
}

/// Reads a list, or its first entries.
pub fn read(desk: &Desk, path: &str, query: Vec<(&str, String)>, limit: Option<u32>) -> Outcome<Vec<Value>> {
    let mut query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    match limit.map(|limit| limit.to_string()) {
        None => desk.client.list(path, &query),
        Some(limit) => {
            query.push(("limit", &limit));
            let mut page = desk.client.get(path, &query)?;
            Ok(match page["items"].take() {
                Value::Array(items) => items,
                _ => Vec::new(),
            })
        }
    }
}

/// Prints objects of a kind as a list.
pub fn print(desk: &Desk, kind: Kind, rows: &mut [Value], fields: &[String]) -> Outcome {
    if desk.format.is_for_people() {
        names::to_names(&desk.client, kind, rows)?;
    }
    if !fields.is_empty() {
        let paths: Vec<_> = fields.iter().map(String::as_str).collect();
        return output::fields(desk.format, &paths, rows);
    }
    if desk.format == Format::Yaml {
        names::to_names(&desk.client, kind, rows)?;
        return rows.iter().try_for_each(|object| output::document(&document(kind, object)));
    }
    output::rows(desk.format, columns::of(kind), rows)
}

/// Shows one object.
pub fn show(desk: &Desk, kind: Kind, named: &Named) -> Outcome {
    let mut object = names::find(&desk.client, kind, &named.name)?;
    if desk.format == Format::Json {
        return output::one(desk.format, &object);
    }
    names::to_names(&desk.client, kind, std::slice::from_mut(&mut object))?;
    match desk.format {
        Format::Yaml => output::document(&document(kind, &object)),
        format => output::one(format, &object),
    }
}

/// An object as a document that `oriel apply` takes. Its spec has names in place of ids already.
pub fn document(kind: Kind, object: &Value) -> Value {
    let mut document = json!({"kind": kind, "name": object["name"], "spec": object["spec"]});
    if object["site"].is_string() {
        document["site"] = object["site"].clone();
    }
    document
}

/// Makes an object and says so.
pub fn create(desk: &Desk, kind: Kind, name: &str, options: &CreateOptions, spec: Value) -> Outcome {
    let body = new(desk, kind, name, options, spec)?;
    send(desk, kind, body)
}

/// What is sent to make an object: its spec may have names in place of ids.
pub fn new(desk: &Desk, kind: Kind, name: &str, options: &CreateOptions, mut spec: Value) -> Outcome<Value> {
    if let Some(instead) = how_it_comes(kind) {
        return Err(Failure::Usage(format!("a {} is not created here: {instead}", names::word(kind))));
    }
    options.edits.apply(kind, &mut spec)?;
    names::to_ids(&desk.client, kind, &mut spec)?;
    let mut body = json!({"name": name, "spec": spec});
    if let Some(site) = site(desk, options)? {
        body["site"] = site;
    }
    Ok(body)
}

/// What makes objects of a kind that are not created by name and spec.
fn how_it_comes(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Farm => Some("there is one farm; change it with oriel farm set"),
        Kind::Broker => Some("it comes by starting: oriel broker run"),
        Kind::Gateway => Some("it joins: oriel invite gateway"),
        Kind::Host => Some("it joins: oriel invite agent"),
        Kind::Invitation => Some("use oriel invite gateway or oriel invite agent"),
        _ => None,
    }
}

/// Sends a new object, or only says what would be made.
pub fn send(desk: &Desk, kind: Kind, body: Value) -> Outcome {
    if desk.client.dry_run() {
        return plan::of_change(desk, kind, &body, |_| {});
    }
    created(desk, kind, desk.client.post(kind.plural(), &body)?)
}

/// Says that something was made. A secret that is shown only now goes to standard output alone.
pub fn created(desk: &Desk, kind: Kind, made: Value) -> Outcome {
    let sentence = format!("Created {} \"{}\".", names::word(kind), names::name_of(&made));
    match made["secret"].as_str().filter(|_| desk.format.is_for_people()) {
        Some(secret) => {
            eprintln!("{sentence} Its secret is shown only now:");
            output::print(&format!("{secret}\n"))
        }
        None => output::done(desk.format, &sentence, &made),
    }
}

/// Changes an object: reads it, lets `edit` work on its spec, and writes it back on the same revision.
/// What is so already is not written again, so that a script can say what shall be as often as it likes.
pub fn set(
    desk: &Desk,
    kind: Kind,
    name: &str,
    options: &SetOptions,
    edit: impl FnOnce(&mut Value) -> Outcome,
) -> Outcome {
    let object = names::find(&desk.client, kind, name)?;
    let mut spec = object["spec"].clone();
    edit(&mut spec)?;
    options.others.edits.apply(kind, &mut spec)?;
    names::to_ids(&desk.client, kind, &mut spec)?;
    let old_name = names::name_of(&object);
    let name = options.rename.as_deref().unwrap_or(old_name);
    let mut body = json!({"name": name, "spec": spec, "revision": names::revision_of(&object)});
    body["site"] = match site(desk, &options.others)? {
        Some(site) => site,
        None => object["site"].clone(),
    };
    let (word, called) = (names::word(kind), name.to_owned());
    if ["name", "spec", "site"].iter().all(|part| body[part] == object[part]) {
        return output::done(
            desk.format,
            &format!("Nothing to change: {word} \"{called}\" is so already."),
            &object,
        );
    }
    if desk.client.dry_run() {
        return plan::of_change(desk, kind, &body, |document| {
            if old_name != called {
                document["renamed_from"] = old_name.into();
            }
        });
    }
    let changed = desk.client.put(&address(kind, &object), &body)?;
    output::done(desk.format, &format!("Changed {word} \"{called}\"."), &changed)
}

/// Deletes an object; asks before, where somebody is there to answer.
pub fn delete(desk: &Desk, kind: Kind, deletion: &Deletion) -> Outcome {
    let object = names::find(&desk.client, kind, &deletion.named.name)?;
    if desk.client.dry_run() {
        return plan::of_change(desk, kind, &object, |document| {
            *document = json!({"kind": kind, "name": document["name"], "delete": true});
        });
    }
    let called = format!("{} \"{}\"", names::word(kind), names::name_of(&object));
    deletion.asking.agree(&format!("Delete {called}?"))?;
    desk.client.delete(&address(kind, &object), names::revision_of(&object))?;
    let sentence = format!("Deleted {called}.");
    output::done(desk.format, &sentence, &object)
}

/// The path of an object.
pub fn address(kind: Kind, object: &Value) -> String {
    match kind {
        Kind::Farm => "farm".into(),
        kind => format!("{}/{}", kind.plural(), names::id_of(object)),
    }
}

/// The site that `--site` names: absent, null for "", or an id.
fn site(desk: &Desk, options: &CreateOptions) -> Outcome<Option<Value>> {
    Ok(match options.site.as_deref() {
        None => None,
        Some("") => Some(Value::Null),
        Some(name) => Some(names::id(&desk.client, Kind::Site, name)?.into()),
    })
}
