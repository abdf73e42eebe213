//! YAML with the place of every value, so that a mistake is told with its line; and YAML written.
//!
//! Bounded: aliases that explode, nesting without end and keys that stand twice are refused before
//! anything is done with the file.

use std::fmt;

use serde::{
    Deserialize,
    de::{self, Deserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Error, Spanned};

use super::path::Step;
use crate::failure::{Failure, Outcome};

/// Deepest nesting of a file. Settings are ten deep; what a recursive reader needs for this many fits a
/// thread's stack several times.
const DEPTH_MAX: usize = 64;
/// Most values of a file: a farm with ten thousand resources has a tenth.
const VALUES_MAX: usize = 5_000_000;
/// Most documents of a file: a farm with ten thousand resources and as many users fits several times.
const DOCUMENTS_MAX: usize = 100_000;
/// Most values that aliases may stand for in all.
const ALIASED_MAX: usize = 100_000;

/// A value and the line that it stands on.
#[derive(Debug, Clone)]
pub struct Placed {
    line: u64,
    tree: Tree,
}

#[derive(Debug, Clone)]
enum Tree {
    Leaf(Value),
    List(Vec<Placed>),
    Fields(Vec<(String, Placed)>),
}

/// Reads a file of any number of documents. The failure names line and column.
pub fn read(text: &str, file: &str) -> Outcome<Vec<Placed>> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_documents: DOCUMENTS_MAX,
            max_events: VALUES_MAX,
            max_nodes: VALUES_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: ALIASED_MAX },
        strict_booleans: true,
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
        Failure::Usage(format!("{file}{place}: {}", complaint(error.without_snippet())))
    })
}

/// What is wrong, without its place. What settings files run into is said in our words.
fn complaint(error: &Error) -> String {
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("\"{key}\" stands here a second time"),
        Error::Budget { .. } => format!(
            "the file is too large or nested too deeply: at most {VALUES_MAX} values, {DOCUMENTS_MAX} documents \
             and {DEPTH_MAX} levels are taken"
        ),
        other => {
            let text = other.to_string();
            if text.starts_with("alias replay") {
                return format!(
                    "its aliases (*name) stand for more than the {ALIASED_MAX} values that are taken"
                );
            }
            let text = text.lines().next().unwrap_or_default();
            text.split(" at line ").next().unwrap_or_default().to_owned()
        }
    }
}

/// Writes a value.
pub fn write(value: &Value) -> Outcome<String> {
    serde_saphyr::to_string(value).map_err(|error| Failure::Refused(format!("cannot write YAML: {error}")))
}

impl Placed {
    /// The line that it begins on, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The value without places.
    pub fn value(&self) -> Value {
        match &self.tree {
            Tree::Leaf(value) => value.clone(),
            Tree::List(entries) => entries.iter().map(Placed::value).collect(),
            Tree::Fields(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), value.value()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }

    /// The entries of a list.
    pub fn entries(&self) -> Option<&[Placed]> {
        match &self.tree {
            Tree::List(entries) => Some(entries),
            _ => None,
        }
    }

    /// A field.
    pub fn field(&self, name: &str) -> Option<&Placed> {
        match &self.tree {
            Tree::Fields(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The names of its fields.
    pub fn names(&self) -> impl Iterator<Item = (&str, &Placed)> {
        let fields = match &self.tree {
            Tree::Fields(fields) => fields.as_slice(),
            _ => &[],
        };
        fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The line of what stands at a path; of the nearest thing around it that is there.
    pub fn line_of(&self, path: &[Step]) -> u64 {
        let mut place = self;
        for step in path {
            let next = match step {
                Step::Field(name) => place.field(name),
                Step::Entry(number) => place.entries().and_then(|entries| entries.get(*number)),
            };
            match next {
                Some(next) => place = next,
                None => break,
            }
        }
        place.line
    }
}

impl<'de> Deserialize<'de> for Placed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let placed = Spanned::<Tree>::deserialize(deserializer)?;
        Ok(Self { line: placed.referenced.line(), tree: placed.value })
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyTree;

        impl<'de> Visitor<'de> for AnyTree {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Tree, E> {
                Ok(Tree::Leaf(Value::Null))
            }

            fn visit_none<E: de::Error>(self) -> Result<Tree, E> {
                self.visit_unit()
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
                Tree::deserialize(deserializer)
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Tree, E> {
                let number =
                    Number::from_f64(value).ok_or_else(|| E::custom("not a number that settings know"))?;
                Ok(Tree::Leaf(number.into()))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::Leaf(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
                let mut found = Vec::new();
                while let Some(entry) = entries.next_element()? {
                    found.push(entry);
                }
                Ok(Tree::List(found))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Tree, A::Error> {
                let mut found = Vec::new();
                while let Some((name, value)) = fields.next_entry::<String, Placed>()? {
                    found.push((name, value));
                }
                Ok(Tree::Fields(found))
            }
        }

        deserializer.deserialize_any(AnyTree)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::path, *};

    #[test]
    fn values_come_with_their_lines() {
        let text = "kind: pool\nname: Office\nspec:\n  settings:\n    max_sessions: 5\n  tags: [a, b]\n---\nkind: site\n";
        let read = read(text, "farm.yaml").expect("valid");
        assert_eq!(read.len(), 2);
        assert_eq!(
            read[0].value(),
            json!({"kind": "pool", "name": "Office", "spec": {"settings": {"max_sessions": 5}, "tags": ["a", "b"]}})
        );
        let line = |path: &str| read[0].line_of(&path::parse(path).expect("a path"));
        assert_eq!(line("spec.settings.max_sessions"), 5);
        assert_eq!(line("spec.settings.no_such"), 5, "the place of what is around it");
        assert_eq!(line("spec.tags[1]"), 6);
        assert_eq!(read[1].line(), 8);
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let texts = vec![
            "",
            " ",
            "yes",
            "no",
            "null",
            "~",
            "true",
            "10.2",
            "0x1f",
            "1e3",
            "- a",
            "a: b",
            "a #b",
            "#",
            "\"",
            "'",
            "line\nline\n",
            "  in front",
            "at end  ",
            "\t",
            "08:00:00",
            "2026-12-01",
            "ü€😀",
            "{x}",
            "[x]",
            "*a",
            "&a",
            "!tag",
            "%",
            "@",
            "`",
            "|",
            ">",
            "?",
            ":",
            ",",
            "---",
            "...",
            "\u{7f}",
            "a\r\nb",
            "\u{2028}",
            "0o17",
            ".inf",
            "NaN",
        ];
        let all = json!({
            "texts": texts, "numbers": [0, -1, 1.5, u64::MAX, i64::MIN], "rest": [null, true, {}, [], [[]], {"a": [{"b": {}}]}],
            "keys": {"": 1, "yes": 2, "a: b": 3, "- x": 4, "null": 5, "10": 6},
        });
        let written = write(&all).expect("writable");
        let back = read(&written, "written").unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(back.len(), 1);
        assert_eq!(back[0].value(), all, "{written}");
    }

    #[test]
    fn hostile_files_are_refused_with_their_place() {
        let check = |text: &str, place: &str| {
            let error = read(text, "farm.yaml").expect_err(text).to_string();
            assert!(error.starts_with(&format!("farm.yaml:{place}")), "{error}");
            assert!(!error.contains('\n'), "{error}");
        };
        check("a: 1\nb: 2\na: 3\n", "3:1: \"a\" stands here a second time");
        check("a: [1, 2\nb: }", "");
        check("a: *nowhere\n", "1");
        check(&"[".repeat(10_000), "1");
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (one, next) in ('a'..='h').zip('b'..='i') {
            bomb += &format!("{next}: &{next} [{}]\n", vec![format!("*{one}"); 9].join(","));
        }
        check(&bomb, "");
        let error = read(&bomb, "farm.yaml").expect_err("explodes").to_string();
        let expected = "its aliases (*name) stand for more than the 100000 values that are taken";
        assert!(error.ends_with(expected), "{error}");
    }
}
