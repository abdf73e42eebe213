//! Checking specs: every mistake with the field it is in, all at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mistake {
    /// Path of the field, such as `spec.rules[2].criteria[0].objects`.
    pub field: String,
    /// A sentence for the person who typed it.
    pub message: String,
}

/// Collects mistakes; `field` paths nest with [`Mistakes::within`].
#[derive(Debug, Default)]
pub struct Mistakes {
    prefix: String,
    found: Vec<Mistake>,
}

/// More mistakes than this are not worth reading, and bound the answer to hostile input.
const MISTAKES_MAX: usize = 50;

impl Mistakes {
    /// Notes a mistake in `field`.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        if self.found.len() < MISTAKES_MAX {
            let field = join(&self.prefix, field);
            self.found.push(Mistake { field, message: message.into() });
        }
    }

    /// Runs `check` with `field` in front of every field that it names.
    pub fn within(&mut self, field: &str, check: impl FnOnce(&mut Self)) {
        let inner = join(&self.prefix, field);
        let outer = std::mem::replace(&mut self.prefix, inner);
        check(self);
        self.prefix = outer;
    }

    /// Notes a mistake when `text` is not between 1 and `max` characters or has control characters.
    pub fn text(&mut self, field: &str, text: &str, max: usize) {
        if text.trim().is_empty() {
            self.add(field, "must not be empty");
        }
        self.optional_text(field, text, max);
    }

    /// As [`Mistakes::text`], but may be empty.
    pub fn optional_text(&mut self, field: &str, text: &str, max: usize) {
        let length = text.chars().count();
        if length > max {
            self.add(field, format!("is {length} characters long; at most {max} are allowed"));
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            self.add(field, "must not contain control characters");
        }
    }

    /// Notes a mistake when `value` is outside `range`.
    pub fn range<N: PartialOrd + std::fmt::Display>(
        &mut self,
        field: &str,
        value: &N,
        range: std::ops::RangeInclusive<N>,
    ) {
        if !range.contains(value) {
            self.add(field, format!("is {value}; must be from {} to {}", range.start(), range.end()));
        }
    }

    /// What was found; empty when all is well.
    pub fn into_vec(self) -> Vec<Mistake> {
        self.found
    }
}

fn join(prefix: &str, field: &str) -> String {
    match (prefix.is_empty(), field.starts_with('[')) {
        (true, _) => field.to_owned(),
        (false, true) => format!("{prefix}{field}"),
        (false, false) => format!("{prefix}.{field}"),
    }
}

/// What a reader of settings says of a value that does not fit, in words for people: `invalid type: string
/// "abc", expected i32` becomes `is "abc"; must be a whole number from -2147483648 to 2147483647`. What is
/// said otherwise stays as it is.
pub fn in_words(said: &str) -> String {
    let invalid = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "));
    let Some((found, expected)) = invalid.and_then(|said| said.rsplit_once(", expected ")) else {
        return said.to_owned();
    };
    let quoted = found.split_once('`').and_then(|(_, rest)| rest.strip_suffix('`'));
    let found = match (found, quoted) {
        ("null", _) => "empty",
        ("map", _) => "a group of fields",
        ("sequence", _) => "a list",
        (_, Some(value)) => value,
        (text, None) => text.strip_prefix("string ").unwrap_or(text),
    };
    let whole = |from: i64, to: i64| format!("a whole number from {from} to {to}");
    let expected = match expected {
        "u8" => whole(0, u8::MAX.into()),
        "u16" => whole(0, u16::MAX.into()),
        "u32" => whole(0, u32::MAX.into()),
        "i32" => whole(i32::MIN.into(), i32::MAX.into()),
        "u64" | "usize" | "i64" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" | "a borrowed string" | "string" => "text".into(),
        "a sequence" => "a list".into(),
        "a map" => "a group of fields".into(),
        other if other.starts_with("struct ") || other.starts_with("internally tagged enum ") => {
            "a group of fields".into()
        }
        other => other.into(),
    };
    format!("is {found}; must be {expected}")
}

/// Names of objects: at most this many characters, from the guide.
pub const NAME_MAX: usize = 255;
/// Descriptions: at most this many characters.
pub const DESCRIPTION_MAX: usize = 2_000;
/// Commands, arguments and folders of programs: the limit of an RDP alternate shell is 512 bytes,
/// but the host's agent starts the program itself, so this is a bound against nonsense only.
pub const COMMAND_MAX: usize = 2_000;

/// Checks a name of an object.
pub fn name(mistakes: &mut Mistakes, name: &str) {
    mistakes.text("name", name, NAME_MAX);
    if name.trim() != name {
        mistakes.add("name", "must not begin or end with a blank");
    }
}

/// Checks the name of a time zone.
pub fn time_zone(mistakes: &mut Mistakes, field: &str, name: &str) {
    if jiff::tz::TimeZone::get(name).is_err() {
        let shown: String = name.chars().take(64).collect();
        mistakes.add(field, format!("\"{shown}\" is not a time zone such as Europe/Berlin"));
    }
}

/// The form in which names are compared: without blanks around them and without case. `Straße` and
/// `STRASSE` are the same name. Composed and decomposed accents stay different.
pub fn fold(name: &str) -> String {
    let name = name.trim();
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_reported_with_their_paths() {
        let mut mistakes = Mistakes::default();
        mistakes.within("spec", |m| {
            m.text("program", "", 10);
            m.within("rules[2]", |m| m.range("count", &7, 1..=5));
        });
        let found = mistakes.into_vec();
        let fields: Vec<_> = found.iter().map(|m| m.field.as_str()).collect();
        assert_eq!(fields, ["spec.program", "spec.rules[2].count"]);
        assert_eq!(found[1].message, "is 7; must be from 1 to 5");
    }

    #[test]
    fn what_does_not_fit_is_said_in_words() {
        let check = |json: &str, said: &str| {
            let error = serde_json::from_str::<crate::pool::Pool>(json).expect_err(json).to_string();
            let error = error.rsplit_once(" at line ").expect("a place").0;
            assert_eq!(in_words(error), said);
        };
        check(r#"{"enabled":"on, expected off"}"#, r#"is "on, expected off"; must be true or false"#);
        check(
            r#"{"settings":{"max_sessions":"many"}}"#,
            r#"is "many"; must be a whole number from 0 to 4294967295"#,
        );
        check(r#"{"settings":{"max_sessions":-3}}"#, "is -3; must be a whole number from 0 to 4294967295");
        check(r#"{"settings":{"linger_logoff_secs":true}}"#, "is true; must be a number of seconds or never");
        check(r#"{"settings":{"cpu_optimisation":{"excluded":"a"}}}"#, r#"is "a"; must be a list"#);
        check(r#"{"settings":"x"}"#, r#"is "x"; must be a group of fields"#);
        check(r#"{"description":null}"#, "is empty; must be text");
        check(r#"{"description":{}}"#, "is a group of fields; must be text");
        check(
            r#"{"enable":true}"#,
            "unknown field `enable`, expected one of `enabled`, `description`, `balancing`, `settings`",
        );
    }

    #[test]
    fn names_are_compared_without_case_and_without_blanks_around_them() {
        assert_eq!(fold(" Straße "), fold("STRASSE"));
        assert_eq!(fold("ΟΔΥΣΣΕΥΣ"), fold("οδυσσευς"));
        assert_ne!(fold("alice"), fold("alicia"));
    }
}
