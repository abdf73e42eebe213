//! `oriel watch`: a list that lives, by the broker's events.

use std::{
    io::{self, IsTerminal},
    ops::ControlFlow,
};

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
        let live = desk.format.is_for_people() && io::stdout().is_terminal();
        if live || desk.format.is_for_people() {
            draw(desk, kind, live)?;
        }
        let mut event = Event::default();
        let mut last: Option<String> = None;
        desk.client.stream("events", &[("topics", topics)], None, |line| {
            if !event.take(line) {
                return Ok(ControlFlow::Continue(()));
            }
            let done = std::mem::take(&mut event);
            if done.id.is_some() {
                last = done.id.clone();
            }
            if done.data.is_empty() {
                return Ok(ControlFlow::Continue(()));
            }
            match desk.format.is_for_people() {
                true => draw(desk, kind, live)?,
                false => print(&done)?,
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Err(Failure::Unreachable("the broker ended the stream of events: it may be restarting".into()))
    }
}

/// The list as it is now.
fn draw(desk: &Desk, kind: Option<Kind>, live: bool) -> Outcome {
    let (columns, mut rows) = match kind {
        None => (columns::SESSIONS, desk.client.list("sessions", &[])?),
        Some(Kind::Farm) => (columns::of(Kind::Farm), vec![desk.client.get("farm", &[])?]),
        Some(kind) => (columns::of(kind), desk.client.list(kind.plural(), &[])?),
    };
    if let Some(kind) = kind {
        names::to_names(&desk.client, kind, &mut rows)?;
    }
    if live {
        // To the top left corner, and all below is cleared.
        output::print("\u{1b}[H\u{1b}[2J")?;
    }
    output::rows(desk.format, columns, &rows)?;
    if live { Ok(()) } else { output::print("\n") }
}

/// One line of JSON for each event.
fn print(event: &Event) -> Outcome {
    let data = serde_json::from_str::<Value>(&event.data).unwrap_or_else(|_| event.data.clone().into());
    let line = json!({"event": event.name, "id": event.id, "data": data});
    output::print(&format!("{line}\n"))
}

/// An event as it arrives, line by line ([WHATWG HTML], 9.2.6).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Event {
    name: String,
    id: Option<String>,
    data: String,
}

impl Event {
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
}
