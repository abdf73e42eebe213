//! `oriel log`: who changed what, field by field.

use clap::Args;
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
pub struct Log {
    /// Only changes of objects of this kind
    #[arg(long, value_name = "KIND", value_parser = words::kinds())]
    kind: Option<Kind>,
    /// Only changes of this object: its id, or with --kind its name
    #[arg(long, value_name = "NAME", add = completion::objects())]
    object: Option<String>,
    /// Only what was changed together: in the transaction with this number
    #[arg(long, value_name = "NUMBER")]
    transaction: Option<u64>,
    /// Only changes by authors in whose name this stands, such as admin
    #[arg(long, value_name = "AUTHOR")]
    by: Option<String>,
    /// Only changes since this time, such as 2026-12-01, 2026-12-01T08:00:00Z or 3h
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only changes before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Only changes before the one with this number
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// Most changes shown
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
    /// One line for each change, without its fields
    #[arg(long)]
    brief: bool,
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
        let mut query = vec![("limit", self.limit.to_string()), ("names", "true".to_owned())];
        query.extend(self.kind.map(|kind| ("kind", kind.to_string())));
        query.extend(self.transaction.map(|transaction| ("transaction", transaction.to_string())));
        query.extend(self.by.map(|by| ("by", by)));
        query.extend(self.since.map(|since| ("since", since.to_string())));
        query.extend(self.until.map(|until| ("until", until.to_string())));
        query.extend(self.before.map(|before| ("before", before.to_string())));
        if let Some(object) = &self.object {
            query.push(("object", object_id(desk, self.kind, object)?));
        }
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = desk.client.get("changes", &query)?;
        let changes = answer["items"].as_array().cloned().unwrap_or_default();
        if !desk.format.is_for_people() {
            return output::value(desk.format, &Value::Array(changes));
        }
        output::print(&changes.iter().map(|change| told(change, self.brief)).collect::<String>())
    }
}

fn object_id(desk: &Desk, kind: Option<Kind>, object: &str) -> Outcome<String> {
    match kind {
        Some(kind) => names::id(&desk.client, kind, object),
        None if object.parse::<uuid::Uuid>().is_ok() => Ok(object.to_owned()),
        None => Err(Failure::Usage(format!("say also the kind of \"{object}\", as in --kind user"))),
    }
}

fn told(change: &Value, brief: bool) -> String {
    let author = &change["author"];
    let address = author["address"].as_str().map(|address| format!(" from {address}")).unwrap_or_default();
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
        "{}  {}  {} {done} {} \"{}\" ({}{address}{with})\n",
        plain(&change["sequence"]),
        plain(&change["at"]),
        plain(&author["name"]),
        plain(&change["kind"]).replace('_', " "),
        plain(&change["name"]),
        plain(&author["via"]),
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
            told(&change, false),
            "7  2026-11-21 00:00:00Z  token admin changed logon hours \"Day\" (cli from 192.0.2.7, together with 5)\n    \
             + spec.description: x\n    spec.order: 1 -> 2\n"
        );
        assert_eq!(told(&change, true).lines().count(), 1);
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
