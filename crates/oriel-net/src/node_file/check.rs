//! Walks the text of a node file and collects everything that is wrong with it.

use std::collections::BTreeMap;

use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

use super::{Field, Mistake, Presence};

/// A file without mistakes, with defaults filled in.
pub(super) struct Checked {
    pub(super) values: Table,
    /// The line of each key that the file has.
    pub(super) lines: BTreeMap<String, usize>,
}

/// Mistakes come in the file's order, what is missing last.
pub(super) fn check(text: &str, fields: &'static [Field]) -> Result<Checked, Vec<Mistake>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mistakes: Vec<_> = errors.iter().map(|error| syntax_mistake(text, error)).collect();
    let mut walk = Walk {
        text,
        fields,
        unparsed: mistakes.iter().filter_map(|mistake| mistake.line).collect(),
        mistakes,
        values: Table::new(),
        lines: BTreeMap::new(),
    };
    walk.table("", table.get_ref());
    walk.mistakes.sort_by_key(|mistake| mistake.line);
    // Where the text could not be understood, a key may only seem to be missing.
    let understood = errors.is_empty();
    for field in fields.iter().filter(|field| !walk.lines.contains_key(field.key)) {
        match field.presence {
            Presence::Default(value) => {
                let value = DeValue::parse(value).expect("a declared default is TOML");
                let value = field.kind.check(value.get_ref()).expect("a declared default is valid");
                insert(&mut walk.values, field.key, value);
            }
            Presence::Required if understood => walk.mistakes.push(Mistake {
                key: field.key.to_owned(),
                line: None,
                message: format!("is missing: {} {}", field.help, field.kind.expected()),
            }),
            Presence::Required | Presence::Optional => {}
        }
    }
    if walk.mistakes.is_empty() {
        Ok(Checked { values: walk.values, lines: walk.lines })
    } else {
        Err(walk.mistakes)
    }
}

struct Walk<'a> {
    text: &'a str,
    fields: &'static [Field],
    mistakes: Vec<Mistake>,
    values: Table,
    lines: BTreeMap<String, usize>,
    /// Lines that are not TOML.
    unparsed: Vec<usize>,
}

impl Walk<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let line = line_at(self.text, name.span().start);
            self.entry(key, line, value);
        }
    }

    fn entry(&mut self, key: String, line: usize, value: &Spanned<DeValue<'_>>) {
        let section = format!("{key}.");
        let is_section = self.fields.iter().any(|field| field.key.starts_with(&section));
        let message = if let Some(field) = self.fields.iter().find(|field| field.key == key) {
            self.lines.insert(key.clone(), line);
            match field.kind.check(value.get_ref()) {
                Ok(value) => return insert(&mut self.values, &key, value),
                Err(message) => message,
            }
        } else if is_section {
            match value.get_ref() {
                DeValue::Table(table) => return self.table(&section, table),
                _ => format!("is a section: write [{key}] on a line of its own and its keys below"),
            }
        } else {
            match self.meant(&key) {
                Some(meant) => format!("is not a key of this file; did you mean {meant}?"),
                None => "is not a key of this file".to_owned(),
            }
        };
        // What could not be parsed was guessed at: one mistake for that line is enough.
        if !self.unparsed.contains(&line) {
            self.mistakes.push(Mistake { key, line: Some(line), message });
        }
    }

    /// The known key or section that an unknown key most looks like, if it looks like any.
    fn meant(&self, key: &str) -> Option<&'static str> {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let sections = self.fields.iter().filter_map(|field| field.key.split_once('.')).map(|(s, _)| s);
        self.fields
            .iter()
            .map(|field| field.key)
            .chain(sections)
            .map(|known| {
                // The right name in the wrong section is as likely as a slip of the finger.
                let misplaced = if last(known) == last(key) { 1 } else { usize::MAX };
                (distance(key, known).min(misplaced), known)
            })
            .filter(|(distance, known)| *distance <= 1 + known.len() / 5)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, known)| known)
    }
}

fn syntax_mistake(text: &str, error: &toml::de::Error) -> Mistake {
    Mistake {
        key: String::new(),
        line: error.span().map(|span| line_at(text, span.start)),
        message: format!("the file is not valid TOML: {}", error.message()),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// Puts a value under a dotted key.
fn insert(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// How many letters must be changed, added or left out to turn one text into the other
/// (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().take(128).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let change = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
