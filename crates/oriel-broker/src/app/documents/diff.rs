//! What is different between two states of an object, field by field.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One field that is different.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// Its path, such as `spec.settings.max_sessions`.
    pub field: String,
    /// What it says before; null: nothing.
    pub before: Value,
    /// What it says after; null: nothing.
    pub after: Value,
}

/// A JSON value, and the same with names in place of ids. What is compared are ids, what is shown are
/// names: a renamed pool is no change of the hosts in it.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// With ids.
    pub ids: &'a Value,
    /// As it is shown.
    pub shown: &'a Value,
}

/// The fields that are different, in the order of their names.
pub fn between(before: Side<'_>, after: Side<'_>) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(&mut String::new(), Some(before), Some(after), &mut found);
    found
}

/// As [`between`], where nothing has names.
pub fn plain(before: &Value, after: &Value) -> Vec<FieldChange> {
    between(Side { ids: before, shown: before }, Side { ids: after, shown: after })
}

fn compare<'a>(
    path: &mut String,
    before: Option<Side<'a>>,
    after: Option<Side<'a>>,
    found: &mut Vec<FieldChange>,
) {
    // What says nothing is as good as absent.
    let (before, after) = (before.filter(Side::says), after.filter(Side::says));
    if before.map(|side| side.ids) == after.map(|side| side.ids) {
        return;
    }
    match (before, after) {
        // What is made or deleted is told field by field too, but not deeper.
        (Some(side), None) | (None, Some(side)) if path.is_empty() && side.ids.is_object() => {
            for name in keys(side.ids) {
                step(path, name, |path| {
                    let field = |side: Option<Side<'a>>| side.and_then(|side| side.field(name));
                    compare(path, field(before), field(after), found);
                });
            }
        }
        (Some(before), Some(after)) if before.ids.is_object() && after.ids.is_object() => {
            let names: BTreeSet<&String> = [before.ids, after.ids].iter().flat_map(|ids| keys(ids)).collect();
            for name in names {
                let dot = if path.is_empty() { "" } else { "." };
                step(path, &format!("{dot}{name}"), |path| {
                    compare(path, before.field(name), after.field(name), found);
                });
            }
        }
        (Some(before), Some(after)) if before.ids.is_array() && after.ids.is_array() => {
            compare_lists(path, before, after, found);
        }
        _ => {
            let shown = |side: Option<Side>| side.map_or(Value::Null, |side| side.shown.clone());
            found.push(FieldChange { field: path.clone(), before: shown(before), after: shown(after) });
        }
    }
}

/// Compares what is left between the common beginning and the common end, so that one more entry in a long
/// list is one line.
fn compare_lists(path: &mut String, before: Side, after: Side, found: &mut Vec<FieldChange>) {
    let (old, new) = (items(before.ids), items(after.ids));
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old[start..].iter().rev().zip(new[start..].iter().rev());
    let end = rest.take_while(|(a, b)| a == b).count();
    for index in start..(old.len() - end).max(new.len() - end) {
        let (was, is) = (entry(before, index, old.len() - end), entry(after, index, new.len() - end));
        step(path, &format!("[{index}]"), |path| compare(path, was, is, found));
    }
}

fn entry(side: Side<'_>, index: usize, length: usize) -> Option<Side<'_>> {
    if index < length { side.entry(index) } else { None }
}

fn step(path: &mut String, part: &str, then: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(part);
    then(path);
    path.truncate(length);
}

fn keys(value: &Value) -> impl Iterator<Item = &String> {
    value.as_object().into_iter().flat_map(|fields| fields.keys())
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

impl<'a> Side<'a> {
    fn says(&self) -> bool {
        !self.ids.is_null()
    }

    fn field(self, name: &str) -> Option<Side<'a>> {
        let ids = self.ids.get(name)?;
        Some(Side { ids, shown: self.shown.get(name).unwrap_or(ids) })
    }

    fn entry(self, index: usize) -> Option<Side<'a>> {
        let ids = self.ids.get(index)?;
        Some(Side { ids, shown: self.shown.get(index).unwrap_or(ids) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(before: Value, after: Value, expected: &[(&str, Value, Value)]) {
        let found: Vec<_> =
            plain(&before, &after).into_iter().map(|c| (c.field, c.before, c.after)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(f, b, a)| ((*f).to_owned(), b.clone(), a.clone())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_different_is_named_by_its_path() {
        check(json!({"a": 1}), json!({"a": 1, "b": null}), &[]);
        check(
            json!({"name": "x", "spec": {"n": 1, "gone": true}}),
            json!({"name": "x", "spec": {"n": 2, "new": [1]}}),
            &[
                ("spec.gone", json!(true), Value::Null),
                ("spec.n", json!(1), json!(2)),
                ("spec.new", Value::Null, json!([1])),
            ],
        );
    }

    #[test]
    fn one_entry_more_or_less_in_a_list_is_one_line() {
        check(json!([1, 2, 3]), json!([1, 9, 2, 3]), &[("[1]", Value::Null, json!(9))]);
        check(json!([1, 2, 3]), json!([1, 3]), &[("[1]", json!(2), Value::Null)]);
        check(json!([{"a": 1}, 2]), json!([{"a": 3}, 2]), &[("[0].a", json!(1), json!(3))]);
        check(json!([1, 1]), json!([1]), &[("[1]", json!(1), Value::Null)]);
        check(json!([]), json!([1, 2]), &[("[0]", Value::Null, json!(1)), ("[1]", Value::Null, json!(2))]);
    }

    #[test]
    fn ids_are_compared_and_names_are_shown() {
        let (old, new) = (json!({"pool": "id-1"}), json!({"pool": "id-2"}));
        let named = json!({"pool": "Office"});
        let change =
            between(Side { ids: &old, shown: &named }, Side { ids: &new, shown: &json!({"pool": "Home"}) });
        assert_eq!(
            change[0],
            FieldChange { field: "pool".into(), before: json!("Office"), after: json!("Home") }
        );
        assert!(between(Side { ids: &old, shown: &named }, Side { ids: &old, shown: &json!({}) }).is_empty());
    }
}
