//! `oriel watch`: a list that lives, by the broker's events.

use std::ops::ControlFlow;

use clap::{Args, builder::PossibleValuesParser};
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{Desk, columns, names, output, words};
use crate::failure::{Failure, Outcome};

/// `oriel watch`
#[derive(Debug, Args)]
pub struct Watch {
    /// sessions, or a kind of object such as hosts
    #[arg(value_name = "WHAT", value_parser = watched())]
    what: String,
}

fn watched() -> PossibleValuesParser {
    let kinds = Kind::ALL.iter().flat_map(|kind| [kind.plural(), kind.as_str()]);
    let mut all: Vec<_> = std::iter::once("sessions").chain(kinds).collect();
    all.dedup();
    all.into()
}

impl Watch {
    pub(super) fn run(&self, desk: &Desk) -> Outcome {
        let kind = words::kind(&self.what);
        let topics = match kind {
            None => "sessions",
            Some(Kind::Host) => "settings,hosts,load",
            Some(_) => "settings",
        };
        let mut shown = Shown::default();
        let mut event = Event::default();
        let mut is_read = true;
        desk.client.lines("events", &[("topics", topics)], "text/event-stream", |line| {
            // Each line may be the last that somebody reads: the broker sends some when nothing happens, too.
            is_read = output::is_read();
            if event.take(line) {
                let done = std::mem::take(&mut event);
                if done.is_about(kind) {
                    is_read = match desk.format.is_for_people() {
                        true => shown.draw(desk, kind)?,
                        false => print(&done)?,
                    };
                }
            }
            Ok(if is_read { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        if !is_read {
            return Ok(());
        }
        Err(Failure::Unreachable("the broker ended the stream of events: it may be restarting".into()))
    }
}

/// What was shown last.
#[derive(Debug, Default)]
struct Shown(String);

impl Shown {
    /// Shows the list as it is now, if it differs; false when nobody reads it any more.
    fn draw(&mut self, desk: &Desk, kind: Option<Kind>) -> Outcome<bool> {
        let (columns, mut rows) = match kind {
            None => (columns::SESSIONS, desk.client.list("sessions", &[])?),
            Some(Kind::Farm) => (columns::of(Kind::Farm), vec![desk.client.get("farm", &[])?]),
            Some(kind) => (columns::of(kind), desk.client.list(kind.plural(), &[])?),
        };
        if let Some(kind) = kind {
            names::to_names(&desk.client, kind, &mut rows)?;
        }
        let text = output::table_of(desk.format, columns, &rows);
        if text == self.0 {
            return Ok(true);
        }
        let is_first = self.0.is_empty();
        self.0 = text;
        match output::lines_of_terminal() {
            // To the top left corner, and all below is cleared.
            Some(lines) => output::write(&format!("\u{1b}[H\u{1b}[2J{}", fitted(&self.0, lines))),
            None if is_first => output::write(&self.0),
            None => output::write(&format!("\n{}", self.0)),
        }
    }
}

/// As much of a table as so many lines show, and how much more there is.
fn fitted(table: &str, lines: usize) -> String {
    let all = table.lines().count();
    // The last line is for the cursor.
    if all < lines {
        return table.to_owned();
    }
    let shown = lines.saturating_sub(2).max(1);
    let mut text: String = table.lines().take(shown).flat_map(|line| [line, "\n"]).collect();
    text += &format!("… and {} more\n", all - shown);
    text
}

/// One line of JSON for each event; false when nobody reads it any more.
fn print(event: &Event) -> Outcome<bool> {
    let data = serde_json::from_str::<Value>(&event.data).unwrap_or_else(|_| event.data.clone().into());
    let line = json!({"event": event.name, "id": event.id, "data": data});
    output::write(&format!("{line}\n"))
}

/// An event as it arrives, line by line ([WHATWG HTML], 9.2.6).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Event {
    name: String,
    id: Option<String>,
    data: String,
}

impl Event {
    /// Whether it can change a list of this kind, or of sessions: a change of settings says what it changed.
    fn is_about(&self, kind: Option<Kind>) -> bool {
        let Some(kind) = kind.filter(|_| self.name == "settings") else { return !self.data.is_empty() };
        let data = serde_json::from_str::<Value>(&self.data).unwrap_or_default();
        data["kind"].as_str().is_none_or(|changed| changed == kind.as_str())
    }

    /// Takes a line; true when the event is whole.
    fn take(&mut self, line: &str) -> bool {
        let line = line.trim_end_matches('\r');
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => return line.is_empty() && *self != Self::default(),
            "event" => value.clone_into(&mut self.name),
            "id" => self.id = Some(value.to_owned()),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data += value;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_put_together_from_their_lines() {
        let mut event = Event::default();
        let mut found = Vec::new();
        for line in [
            ": keep alive",
            "",
            "event: settings",
            "id: 7",
            "data: {\"a\":",
            "data: 1}",
            "",
            "data:x\r",
            "\r",
        ] {
            if event.take(line) {
                found.push(std::mem::take(&mut event));
            }
        }
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0],
            Event { name: "settings".into(), id: Some("7".into()), data: "{\"a\":\n1}".into() }
        );
        assert_eq!(found[1].data, "x");
    }

    #[test]
    fn changes_of_other_kinds_are_passed_over() {
        let event = |name: &str, data: &str| Event { name: name.into(), id: None, data: data.into() };
        let pool = event("settings", r#"{"kind": "pool"}"#);
        assert!(pool.is_about(Some(Kind::Pool)) && !pool.is_about(Some(Kind::User)) && pool.is_about(None));
        assert!(event("ready", r#"{"topics": []}"#).is_about(Some(Kind::User)));
        assert!(event("hosts", "{}").is_about(Some(Kind::Host)));
        assert!(!event("", "").is_about(None));
    }

    #[test]
    fn what_does_not_fit_the_terminal_is_counted() {
        assert_eq!(fitted("A\nb\nc\n", 4), "A\nb\nc\n");
        assert_eq!(fitted("A\nb\nc\nd\n", 4), "A\nb\n… and 2 more\n");
    }
}
