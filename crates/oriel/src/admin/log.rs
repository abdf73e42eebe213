//! `oriel log`: who did what, changes field by field; the log exported, and checked.

use std::ops::ControlFlow;

use clap::{Args, Subcommand};
use jiff::{Span, Timestamp, civil, tz::TimeZone};
use oriel_model::Kind;
use serde_json::Value;

use super::{
    Desk, completion, names,
    output::{self, plain},
    plan::{self, Colours},
    words,
};
use crate::failure::{Failure, Outcome};

/// `oriel log`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Log {
    #[command(subcommand)]
    command: Option<LogCommand>,
    #[command(flatten)]
    filter: Filter,
    /// Only entries before the one with this number
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// Most entries shown
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
    /// One line for each entry, without a change's fields
    #[arg(long)]
    brief: bool,
}

/// `oriel log …`
#[derive(Debug, Subcommand)]
enum LogCommand {
    /// Write entries as lines of JSON, oldest first
    Export(Box<Export>),
    /// Find out whether entries were edited or removed
    Verify,
    /// Show how the log is sent to the syslog server
    Syslog,
}

/// `oriel log export`
#[derive(Debug, Args)]
struct Export {
    #[command(flatten)]
    filter: Filter,
    /// Only entries after the one with this number: the last line of an earlier export
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
}

/// Which entries are wanted.
#[derive(Debug, Args)]
struct Filter {
    /// Only with this code, such as session.launched, or all of session
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Only what was done, refused or failed
    #[arg(long, value_name = "OUTCOME", value_parser = ["done", "refused", "failed"])]
    outcome: Option<String>,
    /// Only about objects of this kind
    #[arg(long, value_name = "KIND", value_parser = words::kinds())]
    kind: Option<Kind>,
    /// Only about this object or session: its id, or with --kind its name
    #[arg(long, value_name = "NAME", add = completion::objects())]
    object: Option<String>,
    /// Only what was changed together: in the transaction with this number
    #[arg(long, value_name = "NUMBER")]
    transaction: Option<u64>,
    /// Only by authors in whose name this stands, such as admin
    #[arg(long, value_name = "AUTHOR")]
    by: Option<String>,
    /// Only what came in this way
    #[arg(long, value_name = "WAY", value_parser = ["portal", "cli", "api", "system", "recovery"])]
    via: Option<String>,
    /// Only since this time, such as 2026-12-01, 2026-12-01T08:00:00Z or 3h
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Only where this stands in an author, an address, a name or a detail
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
}

/// A time as people write it: a moment, a day (of this machine's time zone), or how long ago.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let zone = TimeZone::system();
    if let Ok(time) = text.parse::<civil::DateTime>() {
        return zone.to_timestamp(time).map_err(|error| error.to_string());
    }
    let ago = text.trim_end_matches(" ago").parse::<Span>();
    if let Ok(ago) = ago {
        let then = Timestamp::now().to_zoned(zone).checked_sub(ago.abs());
        return then.map(|then| then.timestamp()).map_err(|error| error.to_string());
    }
    Err("is no time such as 2026-12-01, 2026-12-01T08:00:00Z or 3h".into())
}

impl Log {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self.command {
            Some(LogCommand::Export(export)) => return export.run(desk),
            Some(LogCommand::Verify) => return verify(desk),
            Some(LogCommand::Syslog) => return syslog(desk),
            None => {}
        }
        let mut query = self.filter.query(desk)?;
        query.extend([("limit", self.limit.to_string()), ("names", "true".to_owned())]);
        query.extend(self.before.map(|before| ("before", before.to_string())));
        let entries = page(desk, &query)?["items"].as_array().cloned().unwrap_or_default();
        if !desk.format.is_for_people() {
            return output::value(desk.format, &Value::Array(entries));
        }
        output::print(&entries.iter().map(|entry| told(entry, self.brief)).collect::<String>())
    }
}

impl Export {
    /// Line by line, so that a log of any length passes through.
    fn run(self, desk: &Desk) -> Outcome {
        let mut query = self.filter.query(desk)?;
        query.push(("after", self.after.to_string()));
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        desk.client.lines("audit/export", &query, "application/x-ndjson", |line| {
            let goes_on = output::write(&format!("{line}\n"))?;
            Ok(if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })
    }
}

fn verify(desk: &Desk) -> Outcome {
    let found = desk.client.get("audit/verification", &[])?;
    if !desk.format.is_for_people() {
        output::value(desk.format, &found)?;
    }
    let [first, through, hash] = ["first", "through", "hash"].map(|field| plain(&found[field]));
    match found["fault"]["what"].as_str() {
        Some(what) => Err(Failure::Refused(format!(
            "the log is not what was written: {what} Everything up to entry {through} is as it was written"
        ))),
        None if !desk.format.is_for_people() => Ok(()),
        None if found["through"].as_u64() < found["first"].as_u64() => output::print("The log is empty.\n"),
        None => output::print(&format!(
            "{}Entries {first} to {through} are as they were written.\nThe hash of entry {through}: {hash}\n",
            dropped(&found["dropped"])
        )),
    }
}

/// What the log need not hold any more, as a line; nothing if it holds everything.
fn dropped(dropped: &Value) -> String {
    let [through, at, why] = ["through", "at", "why"].map(|field| plain(&dropped[field]));
    let why = if why == "age" { "for their age" } else { "for the log's size" };
    match dropped.is_object() {
        true => format!("Entries 1 to {through} were dropped {why}, the last of them at {at}.\n"),
        false => String::new(),
    }
}

fn syslog(desk: &Desk) -> Outcome {
    let state = desk.client.get("audit/syslog", &[])?["syslog"].take();
    if !desk.format.is_for_people() {
        return output::value(desk.format, &state);
    }
    output::print(&told_syslog(&state))
}

fn told_syslog(state: &Value) -> String {
    if state.is_null() {
        return "The log is sent nowhere. Name a server with oriel farm set audit.syslog.address=HOST:PORT.\n"
            .to_owned();
    }
    let [server, since, waiting, sent] =
        ["server", "connected_since", "waiting", "sent"].map(|field| plain(&state[field]));
    let connection = match state["connected_since"].is_null() {
        true => format!("There is no connection to {server}."),
        false => format!("The log is sent to {server} since {since}."),
    };
    let failure = match state["failure"]["why"].as_str() {
        Some(_) => format!("{}: {}\n", plain(&state["failure"]["at"]), plain(&state["failure"]["why"])),
        None => String::new(),
    };
    let dropped = match state["dropped"].as_u64() {
        Some(0) | None => String::new(),
        Some(count) => format!("{count} entries were dropped from the log before they were sent.\n"),
    };
    format!("{connection}\n{failure}{waiting} entries wait; those up to {sent} were sent.\n{dropped}")
}

fn page(desk: &Desk, query: &[(&'static str, String)]) -> Outcome<Value> {
    let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    desk.client.get("audit", &query)
}

impl Filter {
    fn query(self, desk: &Desk) -> Outcome<Vec<(&'static str, String)>> {
        let object = self.object.as_deref().map(|object| object_id(desk, self.kind, object)).transpose()?;
        let parts = [
            ("code", self.code),
            ("outcome", self.outcome),
            ("kind", self.kind.map(|kind| kind.to_string())),
            ("object", object),
            ("transaction", self.transaction.map(|transaction| transaction.to_string())),
            ("by", self.by),
            ("via", self.via),
            ("since", self.since.map(|since| since.to_string())),
            ("until", self.until.map(|until| until.to_string())),
            ("text", self.text),
        ];
        Ok(parts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
    }
}

fn object_id(desk: &Desk, kind: Option<Kind>, object: &str) -> Outcome<String> {
    match kind {
        Some(kind) => names::id(&desk.client, kind, object),
        None if object.parse::<uuid::Uuid>().is_ok() => Ok(object.to_owned()),
        None => Err(Failure::Usage(format!("say also the kind of \"{object}\", as in --kind user"))),
    }
}

fn told(entry: &Value, brief: bool) -> String {
    let head = format!("{}  {}  ", plain(&entry["number"]), plain(&entry["at"]));
    if entry["change"].is_object() {
        head + &told_change(&entry["change"], brief)
    } else {
        head + &told_event(entry)
    }
}

fn origin(author: &Value) -> String {
    let address = author["address"].as_str().map(|address| format!(" from {address}")).unwrap_or_default();
    format!("{}{address}", plain(&author["via"]))
}

/// What happened, to what, and more about it.
fn told_event(entry: &Value) -> String {
    let about: Vec<_> = entry["subjects"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|subject| {
            let kind = plain(&subject["kind"]).replace('_', " ");
            match subject["name"].as_str() {
                Some("") | None => format!("{kind} {}", plain(&subject["id"])),
                Some(_) => format!("{kind} \"{}\"", plain(&subject["name"])),
            }
        })
        .collect();
    let about = if about.is_empty() { String::new() } else { format!(" {}", about.join(", ")) };
    let outcome = match entry["outcome"].as_str() {
        Some("done") | None => String::new(),
        Some(outcome) => format!(" {outcome}"),
    };
    let mut text = format!(
        "{} {}{about}{outcome} ({})",
        plain(&entry["author"]["name"]),
        plain(&entry["code"]),
        origin(&entry["author"])
    );
    for (name, value) in entry["details"].as_object().into_iter().flatten() {
        text += &format!(" {name}={}", plain(value));
    }
    text + "\n"
}

fn told_change(change: &Value, brief: bool) -> String {
    let done = match plain(&change["action"]).as_str() {
        "secret_set" => "set the secret of".to_owned(),
        "secret_removed" => "removed the secret of".to_owned(),
        action => action.replace('_', " "),
    };
    // The first change of a transaction gives it its number.
    let first = &change["transaction"];
    let with = match first.as_u64() {
        Some(_) if *first != change["sequence"] => format!(", together with {}", plain(first)),
        _ => String::new(),
    };
    let mut text = format!(
        "{} {done} {} \"{}\" ({}; change {}{with})\n",
        plain(&change["author"]["name"]),
        plain(&change["kind"]).replace('_', " "),
        plain(&change["name"]),
        origin(&change["author"]),
        plain(&change["sequence"]),
    );
    if !brief {
        for difference in change["changes"].as_array().into_iter().flatten() {
            text += &plan::line(difference, Colours::of_terminal());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_told_field_by_field() {
        let change = json!({
            "sequence": 7, "at": "2026-11-21T00:00:00Z", "kind": "logon_hours", "name": "Day", "action": "changed",
            "transaction": 5,
            "author": {"name": "token admin", "via": "cli", "address": "192.0.2.7"},
            "changes": [
                {"field": "spec.description", "before": null, "after": "x"},
                {"field": "spec.order", "before": 1, "after": 2},
            ],
        });
        assert_eq!(
            told(&json!({"number": 12, "at": "2026-11-21T00:00:00Z", "change": change}), false),
            "12  2026-11-21 00:00:00Z  token admin changed logon hours \"Day\" (cli from 192.0.2.7; change 7, together \
             with 5)\n    + spec.description: x\n    spec.order: 1 -> 2\n"
        );
        assert_eq!(told_change(&change, true).lines().count(), 1);
    }

    #[test]
    fn an_event_is_told_in_one_line() {
        let event = json!({
            "number": 3, "at": "2026-11-21T00:00:00Z", "code": "session.reset", "outcome": "failed",
            "author": {"name": "user anna", "via": "portal", "address": null}, "change": null,
            "subjects": [{"kind": "session", "id": "0198", "name": ""}, {"kind": "host", "id": "0199", "name": "a\nb"}],
            "details": {"why": "no answer"},
        });
        assert_eq!(
            told(&event, false),
            "3  2026-11-21 00:00:00Z  user anna session.reset session 0198, host \"a b\" failed (portal) why=no answer\n"
        );
    }

    #[test]
    fn what_was_dropped_and_what_was_not_sent_is_said() {
        let gone = json!({"through": 7, "at": "2026-11-21T00:00:00Z", "why": "age"});
        assert_eq!(
            dropped(&gone),
            "Entries 1 to 7 were dropped for their age, the last of them at 2026-11-21 00:00:00Z.\n"
        );
        assert_eq!(dropped(&Value::Null), "");
        let failed = json!({
            "server": "logs.example:6514", "connected_since": null, "waiting": 3, "sent": 7, "dropped": 2,
            "failure": {"at": "2026-11-21T00:00:00Z", "why": "Nobody answers."},
        });
        assert_eq!(
            told_syslog(&failed),
            "There is no connection to logs.example:6514.\n2026-11-21 00:00:00Z: Nobody answers.\n3 entries wait; \
             those up to 7 were sent.\n2 entries were dropped from the log before they were sent.\n"
        );
        assert!(told_syslog(&Value::Null).starts_with("The log is sent nowhere."));
    }

    #[test]
    fn times_read_as_people_write_them() {
        for text in ["2026-12-01", "2026-12-01T08:00:00Z", "2026-12-01T08:00", "3h", "2 days ago"] {
            assert!(moment(text).is_ok(), "{text}: {:?}", moment(text));
        }
        assert!(moment("soon").is_err());
        assert!(moment("3h").expect("a time") < Timestamp::now());
    }
}
