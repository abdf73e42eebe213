//! What commands print: tables for people, JSON for scripts.

use std::io::{self, Write};

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::Value;

use crate::failure::{Failure, Outcome};

/// How commands print what they found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For scripts: what the API answered
    Json,
}

/// A column of a table: its title, and where its value is (a JSON pointer).
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    pointer: &'static str,
    form: Form,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// Seconds, as a length of time.
    Seconds,
    /// 0 to 1, as a percentage.
    Share,
    /// Bytes, with a unit.
    Bytes,
}

impl Column {
    /// Shows the value as it is.
    pub const fn plain(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, form: Form::Plain }
    }

    /// Shows a number of seconds as a length of time.
    pub const fn seconds(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, form: Form::Seconds }
    }

    /// Shows a share from 0 to 1 as a percentage.
    pub const fn share(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, form: Form::Share }
    }

    /// Shows a number of bytes with a unit.
    pub const fn bytes(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, form: Form::Bytes }
    }

    fn of(&self, row: &Value) -> String {
        let value = row.pointer(self.pointer).unwrap_or(&Value::Null);
        let number = value.as_f64();
        match (self.form, number) {
            (Form::Seconds, Some(secs)) => length_of_time(secs as u64),
            (Form::Share, Some(share)) => format!("{:.0} %", share * 100.0),
            (Form::Bytes, Some(bytes)) => bytes_in_words(bytes),
            _ => plain(value),
        }
    }
}

/// Prints rows: a table with these columns, or the rows as JSON.
pub fn rows(format: Format, columns: &[Column], rows: &[Value]) -> Outcome {
    match format {
        Format::Json => json(&Value::Array(rows.to_vec())),
        Format::Table => print(&table(columns, rows)),
    }
}

/// Prints one object: every field on a line of its own, or as JSON.
pub fn one(format: Format, object: &Value) -> Outcome {
    match format {
        Format::Json => json(object),
        Format::Table => {
            let mut lines = Vec::new();
            flatten("", object, &mut lines);
            let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            print(&lines.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect::<String>())
        }
    }
}

/// Prints a sentence for people; in JSON, what the API answered.
pub fn done(format: Format, sentence: &str, answer: &Value) -> Outcome {
    match format {
        Format::Json => json(answer),
        Format::Table => print(&format!("{sentence}\n")),
    }
}

/// Prints a value as JSON.
pub fn json(value: &Value) -> Outcome {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::Refused(format!("cannot write JSON: {error}")))?;
    print(&(text + "\n"))
}

/// Prints text. A reader that went away (`| head`) is no failure.
pub fn print(text: &str) -> Outcome {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Refused(format!("cannot write: {error}")))
        }
        _ => Ok(()),
    }
}

fn table(columns: &[Column], rows: &[Value]) -> String {
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| columns.iter().map(|column| column.of(row)).collect()).collect();
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let widest = cells.iter().map(|row| row[index].chars().count()).max().unwrap_or(0);
            widest.max(column.title.chars().count())
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text += &format!("{cell:width$}  ");
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    };
    let mut text = line(&mut columns.iter().map(|column| column.title));
    for row in &cells {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

fn flatten(prefix: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    let join = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                flatten(&join(name), value, lines);
            }
        }
        Value::Array(entries) if entries.iter().any(|entry| entry.is_object()) => {
            for (index, entry) in entries.iter().enumerate() {
                flatten(&format!("{prefix}[{index}]"), entry, lines);
            }
        }
        other => lines.push((prefix.to_owned(), plain(other))),
    }
}

/// A JSON value as people write it. Control characters, which could move a terminal's cursor, are
/// replaced: names come from users.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            Err(_) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        },
        Value::Array(entries) if entries.is_empty() => "-".into(),
        Value::Array(entries) => entries.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) if fields.is_empty() => "-".into(),
        other => other.to_string(),
    }
}

fn length_of_time(secs: u64) -> String {
    match secs {
        0..60 => format!("{secs} s"),
        60..3_600 => format!("{} min", secs / 60),
        3_600..86_400 => format!("{} h {} min", secs / 3_600, secs / 60 % 60),
        _ => format!("{} d {} h", secs / 86_400, secs / 3_600 % 24),
    }
}

fn bytes_in_words(bytes: f64) -> String {
    let mut value = bytes;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{value:.0} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_widest_cell() {
        let columns = [
            Column::plain("NAME", "/name"),
            Column::plain("ON", "/spec/enabled"),
            Column::seconds("IDLE", "/idle"),
        ];
        let rows = [
            json!({"name": "alice", "spec": {"enabled": true}, "idle": 3_720}),
            json!({"name": "bob", "spec": {}}),
        ];
        assert_eq!(table(&columns, &rows), "NAME   ON   IDLE\nalice  yes  1 h 2 min\nbob    -    -\n");
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(plain(&json!("a\u{1b}[2Jb")), "a [2Jb");
    }

    #[test]
    fn an_object_is_shown_with_the_path_of_every_field() {
        let mut lines = Vec::new();
        flatten("", &json!({"a": {"b": 1, "c": []}, "d": [{"e": "f"}]}), &mut lines);
        let lines: Vec<_> = lines.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(lines, ["a.b=1", "a.c=-", "d[0].e=f"]);
    }
}
