//! Changing any field of any settings object: `--set settings.max_sessions=40 --unset description`.

use std::{fs, io::Read, path::PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use crate::failure::{Failure, Outcome};

/// Options that change fields of an object's spec.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Any field")]
pub struct Edits {
    /// Set a field of the spec, such as settings.max_sessions=40 or description="For guests". The value
    /// is JSON; what is no JSON is taken as text
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// Remove a field of the spec, so that it inherits or has its default
    #[arg(long = "unset", value_name = "FIELD")]
    unset: Vec<String>,
    /// Replace the whole spec with the JSON of this file (- for standard input); --set and --unset
    /// still apply
    #[arg(long = "spec", value_name = "FILE")]
    spec: Option<PathBuf>,
}

impl Edits {
    /// Carries them out on a spec.
    pub fn apply(&self, spec: &mut Value) -> Outcome {
        if let Some(path) = &self.spec {
            *spec = read(path)?;
        }
        for assignment in &self.set {
            let (field, value) = assignment
                .split_once('=')
                .ok_or_else(|| Failure::Usage(format!("--set \"{assignment}\" is not FIELD=VALUE")))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            put(spec, field, value)?;
        }
        for field in &self.unset {
            remove(spec, field);
        }
        Ok(())
    }
}

fn read(path: &PathBuf) -> Outcome<Value> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::Usage(format!("cannot read {}: {error}", path.display()));
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map_err(|error| failed(&error))?;
        text
    } else {
        fs::read_to_string(path).map_err(|error| failed(&error))?
    };
    serde_json::from_str(&text).map_err(|error| failed(&error))
}

/// Sets the field at a dotted path, making the objects on the way.
pub fn put(spec: &mut Value, field: &str, value: Value) -> Outcome {
    let mut place = spec;
    for part in field.split('.') {
        if part.is_empty() {
            return Err(Failure::Usage(format!(
                "\"{field}\" is not the path of a field, such as settings.max_sessions"
            )));
        }
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = place.as_object_mut().expect("it was just made one").entry(part).or_insert(Value::Null);
    }
    *place = value;
    Ok(())
}

fn remove(spec: &mut Value, field: &str) {
    let (parents, last) = field.rsplit_once('.').unwrap_or(("", field));
    let mut place = Some(spec);
    for part in parents.split('.').filter(|part| !part.is_empty()) {
        place = place.and_then(|value| value.get_mut(part));
    }
    if let Some(Value::Object(fields)) = place {
        fields.remove(last);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_set_by_path_as_json_or_text() {
        let edits = Edits {
            set: vec![
                "settings.max_sessions=40".into(),
                "description=For guests".into(),
                "enabled=false".into(),
            ],
            unset: vec!["settings.accounts".into(), "no.such.field".into()],
            spec: None,
        };
        let mut spec = json!({"settings": {"accounts": "create"}});
        edits.apply(&mut spec).expect("valid");
        assert_eq!(
            spec,
            json!({"settings": {"max_sessions": 40}, "description": "For guests", "enabled": false})
        );
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        let edits = Edits { set: vec!["enabled".into()], ..Edits::default() };
        assert!(matches!(edits.apply(&mut json!({})), Err(Failure::Usage(_))));
        assert!(put(&mut json!({}), "a..b", json!(1)).is_err());
    }
}
