//! What commands print: tables for people, JSON for scripts.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::Value;

use super::{path, yaml};
use crate::failure::{Failure, Outcome};

/// How commands print what they found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For people with wide screens: more columns
    Wide,
    /// For scripts: what the API answered
    Json,
    /// For files: as documents that `oriel apply` takes
    Yaml,
    /// Names only, one on each line
    Name,
}

impl Format {
    /// Whether people read it.
    pub fn is_for_people(self) -> bool {
        matches!(self, Format::Table | Format::Wide)
    }
}

/// A column of a table: its title, and where its value is (a JSON pointer).
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    pointer: &'static str,
    form: Form,
    wide: bool,
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
    /// Milliseconds, with their unit.
    Millis,
    /// Rules, as whom they let in.
    Rules,
}

impl Column {
    /// Shows the value as it is.
    pub const fn plain(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, form: Form::Plain, wide: false }
    }

    /// Shows a number of seconds as a length of time.
    pub const fn seconds(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, form: Form::Seconds, wide: false }
    }

    /// Shows a share from 0 to 1 as a percentage.
    pub const fn share(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, form: Form::Share, wide: false }
    }

    /// Shows a number of bytes with a unit.
    pub const fn bytes(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, form: Form::Bytes, wide: false }
    }

    /// Shows a number of milliseconds with the unit.
    pub const fn millis(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, form: Form::Millis, wide: false }
    }

    /// Shows rules as whom they let in.
    pub const fn rules(title: &'static str, pointer: &'static str) -> Self {
        Self { title, pointer, form: Form::Rules, wide: false }
    }

    /// Only with `-o wide`.
    pub const fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    fn of(&self, row: &Value) -> String {
        let value = row.pointer(self.pointer).unwrap_or(&Value::Null);
        let number = value.as_f64();
        match (self.form, number) {
            (Form::Seconds, Some(secs)) => length_of_time(secs as u64),
            (Form::Share, Some(share)) => format!("{:.0} %", share * 100.0),
            (Form::Bytes, Some(bytes)) => bytes_in_words(bytes),
            (Form::Millis, Some(millis)) => format!("{millis} ms"),
            (Form::Rules, _) => meant_for(value),
            _ => plain(value),
        }
    }
}

/// Prints rows: a table with these columns, or the rows in another form.
pub fn rows(format: Format, columns: &[Column], rows: &[Value]) -> Outcome {
    match format {
        Format::Table | Format::Wide => print(&table_of(format, columns, rows)),
        Format::Name => print(&rows.iter().map(|row| format!("{}\n", called(row))).collect::<String>()),
        Format::Json | Format::Yaml => value(format, &Value::Array(rows.to_vec())),
    }
}

/// Prints rows with the fields at these paths as columns.
pub fn fields(format: Format, paths: &[&str], rows: &[Value]) -> Outcome {
    if !format.is_for_people() {
        return self::rows(format, &[], rows);
    }
    let titles: Vec<_> = paths.iter().map(|path| path.to_uppercase()).collect();
    let cells = rows
        .iter()
        .map(|row| paths.iter().map(|path| plain(path::get(row, path).unwrap_or(&Value::Null))).collect());
    print(&aligned(&titles.iter().map(String::as_str).collect::<Vec<_>>(), &cells.collect::<Vec<_>>()))
}

/// Prints one object: every field on a line of its own, or in another form.
pub fn one(format: Format, object: &Value) -> Outcome {
    match format {
        Format::Table | Format::Wide => {
            let mut lines = Vec::new();
            flatten("", object, &mut lines);
            let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            print(&lines.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect::<String>())
        }
        _ => value(format, object),
    }
}

/// Prints a sentence for people; for scripts, what the API answered.
pub fn done(format: Format, sentence: &str, answer: &Value) -> Outcome {
    match format {
        Format::Table | Format::Wide => print(&format!("{sentence}\n")),
        _ => value(format, answer),
    }
}

/// Prints a value for scripts.
pub fn value(format: Format, value: &Value) -> Outcome {
    match format {
        Format::Yaml => print(&yaml::write(value)?),
        Format::Name => print(&format!("{}\n", called(value))),
        _ => {
            let text = serde_json::to_string_pretty(value)
                .map_err(|error| Failure::Refused(format!("cannot write JSON: {error}")))?;
            print(&(text + "\n"))
        }
    }
}

/// Prints a document of a file of several.
pub fn document(document: &Value) -> Outcome {
    print(&format!("---\n{}", yaml::write(document)?))
}

/// What an object is called: its name, or its id where it has none.
fn called(object: &Value) -> String {
    let called = object["name"].as_str().or(object["id"].as_str());
    called.map(|text| plain(&Value::String(text.into()))).unwrap_or_default()
}

/// Prints text. A reader that went away (`| head`) is no failure.
pub fn print(text: &str) -> Outcome {
    write(text).map(|_| ())
}

/// Prints text; false when its reader has gone away.
pub fn write(text: &str) -> Outcome<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::Refused(format!("cannot write: {error}"))),
    }
}

/// Rows as a table for people.
pub fn table_of(format: Format, columns: &[Column], rows: &[Value]) -> String {
    let shown: Vec<_> =
        columns.iter().copied().filter(|column| format == Format::Wide || !column.wide).collect();
    table(&shown, rows)
}

/// Whether somebody may still read what is printed: false when standard output is a pipe whose reader left.
pub fn is_read() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let out = io::stdout();
    let mut ends = [PollFd::new(&out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut ends, Some(&now)).is_err() || !ends[0].revents().contains(PollFlags::ERR)
}

/// How many lines the terminal shows; none: standard output is no terminal.
pub fn lines_of_terminal() -> Option<usize> {
    /// What a terminal has that does not say.
    const USUAL: u16 = 24;
    let out = io::stdout();
    if !out.is_terminal() {
        return None;
    }
    let lines = rustix::termios::tcgetwinsize(&out).map_or(0, |size| size.ws_row);
    Some(usize::from(if lines == 0 { USUAL } else { lines }))
}

fn table(columns: &[Column], rows: &[Value]) -> String {
    let titles: Vec<_> = columns.iter().map(|column| column.title).collect();
    let cells: Vec<_> =
        rows.iter().map(|row| columns.iter().map(|column| column.of(row)).collect()).collect();
    aligned(&titles, &cells)
}

fn aligned(titles: &[&str], cells: &[Vec<String>]) -> String {
    let width = |(index, title): (usize, &&str)| {
        let widest = cells.iter().map(|row| row[index].chars().count()).max().unwrap_or(0);
        widest.max(title.chars().count())
    };
    let widths: Vec<usize> = titles.iter().enumerate().map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text += &format!("{cell:width$}  ");
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    };
    let mut text = line(&mut titles.iter().copied());
    for row in cells {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

pub(super) fn flatten(prefix: &str, value: &Value, lines: &mut Vec<(String, String)>) {
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

/// Whom rules let in, as far as few words can say it.
fn meant_for(rules: &Value) -> String {
    let entries = rules["rules"].as_array().map_or(&[][..], Vec::as_slice);
    match (entries, rules["otherwise"].as_str()) {
        ([], Some("deny")) => "nobody".into(),
        ([], _) => "everybody".into(),
        ([only], Some("deny")) => only["name"]
            .as_str()
            .filter(|name| !name.is_empty())
            .map_or("1 rule".into(), |name| plain(&Value::String(name.into()))),
        (several, _) => format!("{} rules", several.len()),
    }
}

/// Text in lines of a readable length, each indented by so many blanks.
pub(super) fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() + indent >= WIDTH {
            out += &format!("{:indent$}{line}\n", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    if !line.is_empty() {
        out += &format!("{:indent$}{line}\n", "");
    }
    out
}

/// Longest line of running text.
const WIDTH: usize = 100;

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
    fn rules_are_told_in_few_words() {
        assert_eq!(meant_for(&Value::Null), "everybody");
        assert_eq!(meant_for(&json!({"rules": [], "otherwise": "deny"})), "nobody");
        let one = json!({"rules": [{"name": "for group Office"}], "otherwise": "deny"});
        assert_eq!(meant_for(&one), "for group Office");
    }

    #[test]
    fn long_text_is_wrapped_and_indented() {
        let text = wrapped(&"word ".repeat(50), 4);
        assert!(text.lines().count() > 2);
        assert!(text.lines().all(|line| line.starts_with("    word") && line.len() <= WIDTH));
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
