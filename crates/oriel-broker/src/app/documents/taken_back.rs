//! What an object says without one change of it: what the change made of its fields is taken back, and what
//! others have made of its other fields since stays.

use serde_json::{Map, Value};

/// The state `now` without the change from `before` to `after`.
///
/// # Errors
///
/// The paths of fields that the change touched and that say something else again since. A list is one
/// field: what moved in it cannot be told from what was replaced.
pub fn taken_back(before: &Value, after: &Value, now: &Value) -> Result<Value, Vec<String>> {
    let mut overtaken = Vec::new();
    let state = merged(&mut String::new(), said(before), said(after), said(now), &mut overtaken);
    if overtaken.is_empty() { Ok(state.unwrap_or(Value::Null)) } else { Err(overtaken) }
}

/// Whether a change of one path touches what another path names: one lies within the other.
pub fn is_along(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn merged(
    path: &mut String,
    before: Option<&Value>,
    after: Option<&Value>,
    now: Option<&Value>,
    overtaken: &mut Vec<String>,
) -> Option<Value> {
    if before == after || before == now {
        return now.cloned();
    }
    if after == now {
        return before.cloned();
    }
    let (Some(Value::Object(was)), Some(Value::Object(made)), Some(Value::Object(is))) = (before, after, now)
    else {
        overtaken.push(path.clone());
        return now.cloned();
    };
    let mut fields = Map::new();
    let new = was.keys().filter(|name| !is.contains_key(*name));
    for name in is.keys().chain(new) {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        let of = |fields: &'_ Map<String, Value>| fields.get(name).filter(|value| !value.is_null()).cloned();
        let (was, made, is) = (of(was), of(made), of(is));
        if let Some(value) = merged(path, was.as_ref(), made.as_ref(), is.as_ref(), overtaken) {
            fields.insert(name.clone(), value);
        }
        path.truncate(length);
    }
    Some(Value::Object(fields))
}

/// What says nothing is as good as absent.
fn said(value: &Value) -> Option<&Value> {
    Some(value).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(before: Value, after: Value, now: Value, expected: Result<Value, &[&str]>) {
        let found = taken_back(&before, &after, &now);
        let expected = expected.map_err(|paths| paths.iter().map(|path| (*path).to_owned()).collect());
        assert_eq!(found, expected, "{before} -> {after}, now {now}");
    }

    #[test]
    fn what_others_have_said_in_other_fields_stays() {
        check(
            json!({"a": 1, "b": 1}),
            json!({"a": 2, "b": 1}),
            json!({"a": 2, "b": 3}),
            Ok(json!({"a": 1, "b": 3})),
        );
        check(
            json!({"in": {"a": 1}}),
            json!({"in": {"a": 2}}),
            json!({"in": {"a": 2, "b": 1}}),
            Ok(json!({"in": {"a": 1, "b": 1}})),
        );
        // What came goes, and what went comes back.
        check(json!({}), json!({"a": 1}), json!({"a": 1, "b": 1}), Ok(json!({"b": 1})));
        check(json!({"a": 1}), json!({"a": null}), json!({"b": 1}), Ok(json!({"a": 1, "b": 1})));
        // What says again what it said is back already.
        check(json!({"a": 1}), json!({"a": 2}), json!({"a": 1, "b": 1}), Ok(json!({"a": 1, "b": 1})));
    }

    #[test]
    fn what_was_changed_again_is_named() {
        check(json!({"a": 1}), json!({"a": 2}), json!({"a": 3}), Err(&["a"]));
        check(
            json!({"in": {"a": 1, "b": 1}, "c": 1}),
            json!({"in": {"a": 2, "b": 2}, "c": 2}),
            json!({"in": {"a": 3, "b": 2}, "c": 3}),
            Err(&["c", "in.a"]),
        );
        check(json!({"l": [1]}), json!({"l": [1, 2]}), json!({"l": [0, 1, 2]}), Err(&["l"]));
        check(json!({"in": {"a": 1}}), json!({"in": {"a": 2}}), json!({}), Err(&["in"]));
        // It came with the change, and holds what others have put there since.
        check(json!({}), json!({"in": {"a": 1}}), json!({"in": {"a": 1, "b": 1}}), Err(&["in"]));
    }

    #[test]
    fn a_path_is_along_another_when_one_lies_within_the_other() {
        assert!(is_along("spec.rules", "spec.rules[3].name") && is_along("spec.a.b", "spec.a"));
        assert!(is_along("name", "name"));
        assert!(!is_along("spec.rule", "spec.rules") && !is_along("spec.a", "spec.b"));
    }
}
