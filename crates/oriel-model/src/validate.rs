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
    name.trim().chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
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
    fn names_are_compared_without_case_and_without_blanks_around_them() {
        assert_eq!(fold(" Straße "), fold("STRASSE"));
        assert_eq!(fold("ΟΔΥΣΣΕΥΣ"), fold("οδυσσευς"));
        assert_ne!(fold("alice"), fold("alicia"));
    }
}
