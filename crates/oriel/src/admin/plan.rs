//! What a change would do, as the broker plans it: shown before it is done, and asked about.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{Desk, names, objects, output};
use crate::failure::{Failure, Outcome};

/// Whether a change is asked about.
#[derive(Debug, Clone, Default, Args)]
pub struct Asking {
    /// Do not ask before it is done (asked is on a terminal only)
    #[arg(short, long)]
    pub yes: bool,
}

impl Asking {
    /// Asks on a terminal; scripts are not asked.
    ///
    /// # Errors
    /// The answer was no, or there is nobody to ask.
    pub fn agree(&self, question: &str) -> Outcome {
        if !self.yes && io::stdout().is_terminal() && !agreed(&format!("{question} [y/N] "))? {
            return Err(Failure::Refused("nothing was changed".into()));
        }
        Ok(())
    }
}

/// What the broker plans to do.
pub struct Plan(Value);

impl Plan {
    /// Reads a broker's answer.
    pub fn new(answer: Value) -> Self {
        Self(answer)
    }

    /// The number of the newest change that it was made on.
    pub fn sequence(&self) -> Option<u64> {
        self.0["sequence"].as_u64()
    }

    fn entries(&self) -> &[Value] {
        self.0["plan"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Whether it would change nothing.
    pub fn is_empty(&self) -> bool {
        self.entries().iter().all(|entry| entry["action"] == "unchanged")
    }

    /// Prints it: for people with a sign before everything that comes, goes or changes.
    pub fn print(&self, desk: &Desk) -> Outcome {
        if !desk.format.is_for_people() {
            return output::value(desk.format, &self.0);
        }
        output::print(&told(self.entries(), Colours::of_terminal()))?;
        for note in self.0["notes"].as_array().into_iter().flatten() {
            output::print(&format!("{}\n", output::plain(note)))?;
        }
        Ok(())
    }
}

/// The signs of colour for a terminal; none for files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Colours {
    green: &'static str,
    red: &'static str,
    yellow: &'static str,
    end: &'static str,
}

impl Colours {
    /// As standard output shows them.
    pub fn of_terminal() -> Self {
        // https://no-color.org
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        if wanted && io::stdout().is_terminal() {
            Self { green: "\u{1b}[32m", red: "\u{1b}[31m", yellow: "\u{1b}[33m", end: "\u{1b}[0m" }
        } else {
            Self::default()
        }
    }
}

fn told(entries: &[Value], colours: Colours) -> String {
    let mut text = String::new();
    let mut counts = [0_usize; 4];
    for entry in entries {
        let (sign, colour, count) = match entry["action"].as_str() {
            Some("create") => ("+", colours.green, 0),
            Some("delete") => ("-", colours.red, 2),
            Some("unchanged") => {
                counts[3] += 1;
                continue;
            }
            _ => ("~", colours.yellow, 1),
        };
        counts[count] += 1;
        let kind = output::plain(&entry["kind"]).replace('_', " ");
        text += &format!("{colour}{sign} {kind} \"{}\"{}\n", output::plain(&entry["name"]), colours.end);
        // Of what comes or goes, what is empty is not worth a line.
        let is_whole = count != 1;
        for change in entry["changes"].as_array().into_iter().flatten() {
            let is_empty = |value: &Value| matches!(output::plain(value).as_str(), "" | "-");
            if !(is_whole && is_empty(&change["before"]) && is_empty(&change["after"])) {
                text += &line(change, colours);
            }
        }
    }
    if counts[..3] == [0, 0, 0] {
        return "Nothing to change.\n".into();
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let [create, change, delete, unchanged] = counts;
    text + &format!("{create} to create, {change} to change, {delete} to delete, {unchanged} unchanged.\n")
}

/// A field: what it said and what it will say. What comes or goes as a whole is told field by field.
pub fn line(change: &Value, colours: Colours) -> String {
    let Colours { green, red, end, .. } = colours;
    let field = output::plain(&change["field"]);
    let (before, after) = (&change["before"], &change["after"]);
    let all = |sign: &str, colour: &str, value: &Value| {
        let mut fields = Vec::new();
        output::flatten(&field, value, &mut fields);
        // What is empty is not worth a line, unless it is all there is.
        if fields.len() > 1 {
            fields.retain(|(_, value)| !value.is_empty() && value != "-");
        }
        let lines =
            fields.into_iter().map(|(field, value)| format!("    {colour}{sign} {field}: {value}{end}\n"));
        lines.collect::<String>()
    };
    match (before.is_null(), after.is_null()) {
        (true, _) => all("+", green, after),
        (false, true) => all("-", red, before),
        (false, false) => {
            let (before, after) = (shown(before), shown(after));
            let same = if before == after { " (another with the same name)" } else { "" };
            format!("    {field}: {red}{before}{end} -> {green}{after}{end}{same}\n")
        }
    }
}

/// A value in a line of its own kind: a text without letters is still seen.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".into(),
        value => output::plain(value),
    }
}

/// Shows what a change of one object would do. `body` is what would be sent to make or change it; `finish`
/// may complete its document.
pub fn of_change(desk: &Desk, kind: Kind, body: &Value, finish: impl FnOnce(&mut Value)) -> Outcome {
    let mut object = body.clone();
    names::to_names(&desk.client, kind, std::slice::from_mut(&mut object))?;
    let mut document = objects::document(kind, &object);
    finish(&mut document);
    let body = json!({"documents": [document]});
    Plan::new(send(desk, "apply", &body, Stage::Planned)?).print(desk)
}

/// Says what an action would do that is no change of settings.
pub fn of_action(desk: &Desk, sentence: &str) -> Outcome {
    output::done(desk.format, sentence, &json!({"dry_run": true, "would": sentence}))
}

/// Whether something is planned, or done as it was planned on this number of the newest change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is changed.
    Planned,
    /// It is done, if nothing that it touches was changed since.
    Done(Option<u64>),
}

/// Sends `body` to be planned or done.
pub fn send(desk: &Desk, path: &str, body: &Value, stage: Stage) -> Outcome<Value> {
    let mut body = body.clone();
    match stage {
        Stage::Planned => {
            body["dry_run"] = true.into();
            desk.client.ask(path, &body)
        }
        Stage::Done(sequence) => {
            if let Some(sequence) = sequence {
                body["sequence"] = sequence.into();
            }
            desk.client.post(path, &body)
        }
    }
}

/// Plans, shows the plan, asks, and does it.
pub fn carry_out(desk: &Desk, asking: &Asking, send: impl Fn(Stage) -> Outcome<Value>) -> Outcome {
    let plan = Plan::new(send(Stage::Planned)?);
    if desk.client.dry_run() || plan.is_empty() {
        return plan.print(desk);
    }
    let people = desk.format.is_for_people();
    if people {
        plan.print(desk)?;
    }
    asking.agree("Do it?")?;
    let done = send(Stage::Done(plan.sequence()))?;
    match done["sequence"].as_u64() {
        Some(sequence) if people => output::print(&format!("Done, as change {sequence} of the log.\n")),
        _ if people => output::print("Done.\n"),
        _ => output::value(desk.format, &done),
    }
}

/// Asks on the terminal itself: standard input may be the file that is applied.
fn agreed(question: &str) -> Outcome<bool> {
    let failed = |error: io::Error| {
        Failure::Usage(format!("cannot ask on the terminal ({error}): say --yes, and nothing is asked"))
    };
    let mut terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(failed)?;
    terminal.write_all(question.as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    io::BufReader::new(&terminal).read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_as_what_comes_goes_and_changes() {
        let entries = [
            json!({"kind": "pool", "name": "Office", "action": "create",
                "changes": [{"field": "spec", "before": null, "after": {"enabled": true, "description": ""}}]}),
            json!({"kind": "logon_hours", "name": "Day", "action": "change", "changes": [
                {"field": "spec.order", "before": 1, "after": 2},
                {"field": "spec.outside.message", "before": "", "after": "Closed"},
                {"field": "spec.description", "before": "old", "after": null},
                {"field": "site", "before": "Main", "after": "Main"}]}),
            json!({"kind": "user", "name": "bob", "action": "delete", "changes": [
                {"field": "spec.full_name", "before": "", "after": null}]}),
            json!({"kind": "user", "name": "eve", "action": "unchanged", "changes": []}),
        ];
        assert_eq!(
            told(&entries, Colours::default()),
            "+ pool \"Office\"\n    + spec.enabled: yes\n~ logon hours \"Day\"\n    spec.order: 1 -> 2\n    \
             spec.outside.message: \"\" -> Closed\n    \
             - spec.description: old\n    site: Main -> Main (another with the same name)\n- user \"bob\"\n\n1 to create, 1 to change, 1 to delete, 1 unchanged.\n"
        );
        assert_eq!(told(&entries[3..], Colours::default()), "Nothing to change.\n");
    }
}
