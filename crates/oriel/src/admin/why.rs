//! `oriel why`: a decision as a text that begins with the answer and ends with its inputs.

use clap::{Args, Subcommand};
use oriel_model::Kind;
use serde_json::{Map, Value};

use super::{
    Desk,
    access::{self, Access},
    names,
    output::{self, plain},
};
use crate::failure::Outcome;

/// `oriel why …`
#[derive(Debug, Subcommand)]
pub enum WhyCommand {
    /// Why would this user's launch of this resource be answered as it would? Nothing is started
    Launch(Launch),
    /// What does this user see, what not, and which rule decided each?
    Access(Access),
}

/// `oriel why launch`
#[derive(Debug, Args)]
pub struct Launch {
    /// The user (name or id)
    #[arg(long)]
    user: String,
    /// What they open (name or id)
    #[arg(long)]
    resource: String,
    /// Address of their device, for rules that look at it
    #[arg(long, value_name = "IP")]
    address: Option<String>,
    /// Name of their device
    #[arg(long, value_name = "NAME")]
    client_name: Option<String>,
    /// Operating system of their device: windows, mac_os, linux, chrome_os, android, ios or other
    #[arg(long, value_name = "WORD")]
    client_os: Option<String>,
}

impl WhyCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            WhyCommand::Launch(launch) => launch.run(desk),
            WhyCommand::Access(access) => access.run(desk),
        }
    }
}

impl Launch {
    fn run(self, desk: &Desk) -> Outcome {
        let mut body = Map::new();
        body.insert("user".into(), names::id(&desk.client, Kind::User, &self.user)?.into());
        body.insert("resource".into(), names::id(&desk.client, Kind::Resource, &self.resource)?.into());
        body.extend(self.address.map(|address| ("address".into(), address.into())));
        body.extend(self.client_name.map(|name| ("client_name".into(), name.into())));
        body.extend(self.client_os.map(|os| ("client_os".into(), os.into())));
        let answer = desk.client.ask("explain/launch", &Value::Object(body))?;
        match desk.format.is_for_people() {
            true => output::print(&told(&answer)),
            false => output::value(desk.format, &answer),
        }
    }
}

/// The explanation as text.
fn told(answer: &Value) -> String {
    let mut text = format!(
        "{}\n\n{} opens {}, decided {}\n",
        plain(&answer["summary"]),
        plain(&answer["user_name"]),
        plain(&answer["resource_name"]),
        plain(&answer["at"]),
    );
    text += "\nMay they?\n";
    if answer["user_enabled"] == false {
        text += "  The account is disabled.\n";
    }
    text += &format!("  {}\n", access(&answer["access"], &answer["rule_name"]));
    text += "\nTheir sessions\n";
    text += &lines(&answer["sessions"], "none", |session| {
        format!(
            "{} on {}, {}, since {}{}",
            plain(&session["id"]),
            host_name(answer, &session["host"]),
            plain(&session["state"]),
            plain(&session["started_at"]),
            if session["shared"] == true { ", shared" } else { "" },
        )
    });
    if answer["over_limits"].as_array().is_some_and(|over| !over.is_empty()) {
        text += "\nLimits of use that are reached\n";
        text += &lines(&answer["over_limits"], "none", |over| {
            format!("{}: {} of {}", plain(&over["name"]), plain(&over["uses"]), plain(&over["limit"]))
        });
    }
    text += &access::part("Client policy", access::policy(&answer["policy"]));
    let placement = &answer["placement"];
    text += &format!("\nHosts {}, by {}\n", plain(&placement["place"]), balancing(&placement["balancing"]));
    text += &lines(&placement["hosts"], "none", host);
    let plan = &answer["plan"];
    let ranking = [&plan["ranking"], &plan["otherwise"]].into_iter().find(|ranking| ranking.is_object());
    if let Some(ranking) = ranking {
        text += "\nIn this order they are asked\n";
        text += &lines(&ranking["candidates"], "none", |candidate| {
            format!(
                "{} (load {:.2})",
                plain(&candidate["name"]),
                candidate["load"].as_f64().unwrap_or_default()
            )
        });
        text += "\nNot asked\n";
        text += &lines(&ranking["passed_over"], "none", |passed| {
            format!("{}: {}", plain(&passed["name"]), obstacle(&passed["obstacle"]))
        });
    }
    text
}

fn lines(list: &Value, none: &str, line: impl Fn(&Value) -> String) -> String {
    match list.as_array().map(Vec::as_slice) {
        None | Some([]) => format!("  {none}\n"),
        Some(entries) => entries.iter().map(|entry| format!("  {}\n", line(entry))).collect(),
    }
}

/// Whether they may, and what decided.
pub(super) fn access(access: &Value, rule_name: &Value) -> String {
    let decision = [&access["decision"], &access["because"]["decision"]];
    let decision = decision.into_iter().find(|decision| decision.is_object()).unwrap_or(&Value::Null);
    let by = deciding_rule(decision, rule_name);
    match (plain(&access["answer"]).as_str(), plain(&access["because"]["reason"]).as_str()) {
        ("open", _) => format!("Yes, by {by}."),
        ("maintenance", _) => {
            format!("They see it (by {by}), but it is in maintenance: {}", plain(&access["message"]))
        }
        ("hidden", "rule") => format!("No, by {by}."),
        ("hidden", "folder_rule") => format!("No: the folder it lies in is hidden from them by {by}."),
        ("hidden", "disabled") => "No: it, or a folder above it, is disabled.".into(),
        ("hidden", "other_site") => "No: it is published in other sites than the one they sign in to.".into(),
        ("hidden", "lost_folder") => "No: the folder it lies in is gone.".into(),
        (other, because) => format!("{other} {because}"),
    }
}

/// The rule that decided, counted from 1 and with its name.
pub(super) fn deciding_rule(decision: &Value, name: &Value) -> String {
    match (decision["rule"].as_u64(), name.as_str()) {
        (Some(index), Some(_)) => format!("rule {} \"{}\"", index + 1, plain(name)),
        (Some(index), None) => format!("rule {}", index + 1),
        (None, _) if decision.is_object() => "the default, as no rule matches".into(),
        (None, _) => String::new(),
    }
}

fn balancing(balancing: &Value) -> String {
    if balancing["method"] == "round_robin" {
        return "turn".into();
    }
    let on: Vec<_> =
        ["sessions", "memory", "cpu"].into_iter().filter(|counter| balancing[counter] != false).collect();
    format!("load ({})", on.join(" + "))
}

fn host(host: &Value) -> String {
    let share = |field: &str| host[field].as_f64().unwrap_or_default() * 100.0;
    let mut text = format!(
        "{}: {} of {} sessions, CPU {:.0} %, memory {:.0} %, logons {}, last report {}",
        plain(&host["name"]),
        plain(&host["sessions"]),
        plain(&host["max_sessions"]),
        share("cpu_load"),
        share("memory_load"),
        plain(&host["logon_mode"]),
        plain(&host["last_report"]),
    );
    if host["enabled"] == false {
        text += ", disabled (itself or its pool)";
    }
    if let Some(problem) = host["problem"].as_str() {
        text += &format!(", problem: {problem}");
    }
    text
}

fn obstacle(obstacle: &Value) -> String {
    match obstacle["obstacle"].as_str().unwrap_or_default() {
        "disabled" => "it, or its pool, is disabled".into(),
        "not_balanced" => "it takes only what names it".into(),
        "unreachable" => "its agent does not report".into(),
        "unhealthy" => format!("its session software does not work: {}", plain(&obstacle["problem"])),
        "logons_disabled" => "logons are disabled".into(),
        "draining" => "it is draining: it takes reconnections only".into(),
        "full" => "it has all the sessions it may have".into(),
        other => other.replace('_', " "),
    }
}

fn host_name(answer: &Value, id: &Value) -> String {
    let hosts = answer["placement"]["hosts"].as_array();
    let found = hosts.into_iter().flatten().find(|host| host["id"] == *id);
    found.map_or_else(|| plain(id), |host| plain(&host["name"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_answer_comes_first_and_every_input_is_named() {
        let text = told(&json!({
            "summary": "The only host of pool Office is draining.",
            "user_name": "alice", "user_enabled": true, "resource_name": "Writer", "at": "2026-11-21T00:00:00Z",
            "access": {"answer": "open", "decision": {"effect": "allow", "rule": 0}}, "rule_name": "for group Office",
            "sessions": [],
            "over_limits": [{"name": "Writer", "uses": 2, "limit": 2}],
            "policy": {"policy": {"id": "b", "name": "Kiosk"}, "enforced": ["clipboard"], "looked_at": []},
            "placement": {
                "place": "of pool Office", "balancing": {"method": "resource", "cpu": false},
                "hosts": [{"name": "h1", "sessions": 3, "max_sessions": 5, "logon_mode": "drain", "enabled": true}],
            },
            "plan": {"plan": "refuse", "ranking": {"candidates": [], "passed_over": [
                {"name": "h1", "obstacle": {"obstacle": "draining"}},
            ]}},
        }));
        assert!(text.starts_with("The only host of pool Office is draining.\n"));
        for part in [
            "Yes, by rule 1 \"for group Office\".",
            "  Writer: 2 of 2",
            "  \"Kiosk\" holds; it enforces clipboard.",
            "by load (sessions + memory)",
            "h1: 3 of 5 sessions",
            "h1: it is draining",
        ] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
    }
}
