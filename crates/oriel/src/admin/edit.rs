//! Changing any field of any settings object: `settings.max_sessions=40 --unset description`.

use std::{fs, io::Read, path::PathBuf};

use clap::Args;
use oriel_model::Kind;
use serde_json::Value;

use super::{
    completion,
    path::{self, parse},
    schema::Schema,
    yaml,
};
use crate::failure::{Failure, Outcome};

/// Options that change fields of an object's spec.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Any field")]
pub struct Edits {
    /// Set fields, such as settings.max_sessions=40, "description=For guests" or groups=[Sales,IT]. A value
    /// is JSON or text; objects are named by name or id. oriel explain KIND lists the fields
    #[arg(value_name = "FIELD=VALUE", add = completion::assignments())]
    set: Vec<String>,
    /// Remove a field, so that it inherits or has its default (can be given several times)
    #[arg(long = "unset", value_name = "FIELD", add = completion::fields())]
    unset: Vec<String>,
    /// Replace all fields with the YAML or JSON of this file (- for standard input); what is set or unset
    /// beside it still applies
    #[arg(long = "spec", value_name = "FILE")]
    spec: Option<PathBuf>,
}

impl Edits {
    /// One assignment more, before the others.
    pub fn first(mut self, assignment: &str) -> Self {
        self.set.insert(0, assignment.to_owned());
        self
    }

    /// Carries them out on a spec of this kind.
    pub fn apply(&self, kind: Kind, spec: &mut Value) -> Outcome {
        if let Some(path) = &self.spec {
            *spec = read(path)?;
        }
        let schema = Schema::of(kind);
        for assignment in &self.set {
            let (field, text) = assignment
                .split_once('=')
                .ok_or_else(|| Failure::Usage(format!("\"{assignment}\" is not FIELD=VALUE")))?;
            let text_only = schema.is_text(&parse(field)?);
            path::put(spec, field, value(text, text_only)?)?;
        }
        for field in &self.unset {
            let is_set = |assignment: &&String| assignment.split('=').next() == Some(field.as_str());
            if let Some(both) = self.set.iter().find(is_set) {
                return Err(Failure::Usage(format!("{field} cannot be unset and set at once: {both}")));
            }
            path::remove(spec, field)?;
        }
        Ok(())
    }
}

/// A value as people write it: JSON, a list or an object without quotes, or text.
fn value(text: &str, text_only: bool) -> Outcome<Value> {
    let json = serde_json::from_str::<Value>(text);
    if text_only {
        return Ok(match json {
            Ok(Value::String(quoted)) => Value::String(quoted),
            Ok(Value::Null) => Value::Null,
            _ => Value::String(text.to_owned()),
        });
    }
    match json {
        Ok(value) => Ok(value),
        Err(_) if text.starts_with(['[', '{']) => {
            let read = yaml::read(text, "the value")?;
            Ok(read.first().map(yaml::Placed::value).unwrap_or_default())
        }
        Err(_) => Ok(Value::String(text.to_owned())),
    }
}

/// Largest file of a spec, in bytes: several times what the broker takes.
const FILE_MAX: u64 = 16 * 1024 * 1024;

fn read(path: &PathBuf) -> Outcome<Value> {
    let failed = |error: std::io::Error| Failure::Usage(format!("cannot read {}: {error}", path.display()));
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(FILE_MAX).read_to_string(&mut text).map_err(failed)?;
    } else {
        fs::File::open(path).map_err(failed)?.take(FILE_MAX).read_to_string(&mut text).map_err(failed)?;
    }
    let file = path.display().to_string();
    match yaml::read(&text, &file)?.as_slice() {
        [only] => Ok(only.value()),
        several => Err(Failure::Usage(format!("{file} holds {} documents, not one", several.len()))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edits(set: &[&str], unset: &[&str]) -> Edits {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Edits { set: owned(set), unset: owned(unset), spec: None }
    }

    #[test]
    fn fields_are_set_by_path_as_json_or_text() {
        let mut spec = json!({"settings": {"accounts": "create"}});
        let edits = edits(
            &["settings.max_sessions=40", "description=2026", "enabled=false"],
            &["settings.accounts", "no.such.field"],
        );
        edits.apply(Kind::Pool, &mut spec).expect("valid");
        assert_eq!(
            spec,
            json!({"settings": {"max_sessions": 40}, "description": "2026", "enabled": false}),
            "a description is text, whatever it looks like"
        );
        let mut spec = json!({});
        edits_of_user(&mut spec);
        assert_eq!(spec, json!({"groups": ["Sales", "IT"]}));
    }

    fn edits_of_user(spec: &mut Value) {
        edits(&["groups=[Sales, IT]"], &[]).apply(Kind::User, spec).expect("valid");
    }

    #[test]
    fn a_field_is_not_set_and_unset_at_once() {
        let both = edits(&["description=x"], &["description"]).apply(Kind::Pool, &mut json!({}));
        assert!(matches!(both, Err(Failure::Usage(text)) if text.contains("description")));
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        let wrong = edits(&["enabled"], &[]).apply(Kind::Pool, &mut json!({}));
        assert!(matches!(wrong, Err(Failure::Usage(_))));
    }
}
