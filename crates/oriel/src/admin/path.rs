//! Paths of fields: `settings.max_sessions`, `rules.rules[0].effect`.

use serde_json::{Map, Value};

use crate::failure::{Failure, Outcome};

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into this field.
    Field(String),
    /// To the entry of a list with this number.
    Entry(usize),
}

/// Reads a path.
pub fn parse(path: &str) -> Outcome<Vec<Step>> {
    let wrong = || {
        Failure::Usage(format!(
            "\"{path}\" is not the path of a field, such as settings.max_sessions or rules.rules[0].effect"
        ))
    };
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, entries) = part.split_once('[').map_or((part, None), |(name, rest)| (name, Some(rest)));
        if name.is_empty() {
            return Err(wrong());
        }
        steps.push(Step::Field(name.to_owned()));
        let Some(entries) = entries else { continue };
        let entries = entries.strip_suffix(']').ok_or_else(wrong)?;
        for number in entries.split("][") {
            steps.push(Step::Entry(number.parse().map_err(|_| wrong())?));
        }
    }
    Ok(steps)
}

/// Writes a path, as [`parse`] reads it.
pub fn written(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Field(name) if text.is_empty() => text += name,
            Step::Field(name) => text += &format!(".{name}"),
            Step::Entry(number) => text += &format!("[{number}]"),
        }
    }
    text
}

/// Sets the field at a path, making the objects on the way; the entry after a list's last is appended.
pub fn put(value: &mut Value, path: &str, new: Value) -> Outcome {
    let mut place = value;
    for step in parse(path)? {
        place = match step {
            Step::Field(name) => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                place.as_object_mut().expect("it was just made one").entry(name).or_insert(Value::Null)
            }
            Step::Entry(number) => {
                if !place.is_array() {
                    *place = Value::Array(Vec::new());
                }
                let entries = place.as_array_mut().expect("it was just made one");
                let count = entries.len();
                if number == count {
                    entries.push(Value::Null);
                }
                entries.get_mut(number).ok_or_else(|| {
                    Failure::Usage(format!("\"{path}\": the list has {count} entries, counted from 0"))
                })?
            }
        };
    }
    *place = new;
    Ok(())
}

/// Removes the field at a path, if it is there.
pub fn remove(value: &mut Value, path: &str) -> Outcome {
    let mut steps = parse(path)?;
    let last = steps.pop();
    let place = steps.iter().try_fold(value, |place, step| into_mut(place, step));
    match (place, last) {
        (Some(Value::Object(fields)), Some(Step::Field(name))) => {
            fields.remove(&name);
        }
        (Some(Value::Array(entries)), Some(Step::Entry(number))) if number < entries.len() => {
            entries.remove(number);
        }
        _ => {}
    }
    Ok(())
}

fn into_mut<'v>(place: &'v mut Value, step: &Step) -> Option<&'v mut Value> {
    match step {
        Step::Field(name) => place.get_mut(name),
        Step::Entry(number) => place.get_mut(number),
    }
}

/// The value at a path; none when there is nothing there.
pub fn get<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    parse(path).ok()?.iter().try_fold(value, |place, step| match step {
        Step::Field(name) => place.get(name),
        Step::Entry(number) => place.get(number),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_and_entries_are_set_and_removed() {
        let mut value = json!({"a": {"b": 1}, "list": [{"c": 2}]});
        put(&mut value, "a.d", json!(true)).expect("a path");
        put(&mut value, "list[0].c", json!(3)).expect("a path");
        put(&mut value, "list[1]", json!("new")).expect("a path");
        assert_eq!(value, json!({"a": {"b": 1, "d": true}, "list": [{"c": 3}, "new"]}));
        remove(&mut value, "list[0]").expect("a path");
        remove(&mut value, "a.b").expect("a path");
        remove(&mut value, "no.such[7].field").expect("a path");
        assert_eq!(value, json!({"a": {"d": true}, "list": ["new"]}));
        assert_eq!(get(&value, "list[0]"), Some(&json!("new")));
        assert_eq!(get(&value, "list[1]"), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", "a..b", "a[", "a[x]", "[0]"] {
            assert!(matches!(parse(path), Err(Failure::Usage(_))), "{path}");
        }
        assert!(put(&mut json!({"a": []}), "a[1]", json!(1)).is_err(), "no entry is left out");
    }
}
