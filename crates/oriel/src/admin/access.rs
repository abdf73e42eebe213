//! `oriel why access`: what a user sees, what not, and the rule that decided each.

use clap::Args;
use jiff::Timestamp;
use oriel_model::Kind;
use serde_json::{Map, Value, json};

use super::{
    Desk, log, names,
    output::{self, plain},
    why,
};
use crate::failure::Outcome;

/// `oriel why access`
#[derive(Debug, Args)]
pub struct Access {
    /// The user (name or id)
    #[arg(long)]
    user: String,
    #[command(flatten)]
    facts: Facts,
}

/// What rules look at beside the user; each may be left out.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The device and the way they come by")]
pub struct Facts {
    /// The site they sign in to (name or id); otherwise that of the gateway or the broker
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// The gateway they come by (name or id)
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<String>,
    /// The theme they sign in at
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// Address of their device
    #[arg(long, value_name = "IP")]
    address: Option<String>,
    /// Name of their device
    #[arg(long, value_name = "NAME")]
    client_name: Option<String>,
    /// Operating system of their device: windows, mac_os, linux, chrome_os, android, ios or other
    #[arg(long, value_name = "WORD")]
    client_os: Option<String>,
    /// Kind of client: browser, mstsc, windows_app, free_rdp, launcher or other
    #[arg(long, value_name = "WORD")]
    client_kind: Option<String>,
    /// Version of the client, such as 10.2
    #[arg(long, value_name = "VERSION")]
    client_version: Option<String>,
    /// Hardware id of their device
    #[arg(long, value_name = "ID")]
    hardware_id: Option<String>,
    /// Time zone of their device, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// When, such as 2026-12-01T08:00:00Z; otherwise now
    #[arg(long, value_name = "TIME", value_parser = log::moment)]
    at: Option<Timestamp>,
}

impl Facts {
    /// As the API takes them.
    pub fn fields(&self, desk: &Desk) -> Outcome<Map<String, Value>> {
        let mut fields = Map::new();
        if let Some(site) = &self.site {
            fields.insert("site".into(), names::id(&desk.client, Kind::Site, site)?.into());
        }
        if let Some(gateway) = &self.gateway {
            fields.insert("gateway".into(), names::id(&desk.client, Kind::Gateway, gateway)?.into());
        }
        let texts = [
            ("theme", &self.theme),
            ("address", &self.address),
            ("client_name", &self.client_name),
            ("client_os", &self.client_os),
            ("client_kind", &self.client_kind),
            ("client_version", &self.client_version),
            ("hardware_id", &self.hardware_id),
            ("time_zone", &self.time_zone),
        ];
        for (field, text) in texts {
            fields.extend(text.clone().map(|text| (field.to_owned(), text.into())));
        }
        fields.extend(self.at.map(|at| ("at".to_owned(), at.to_string().into())));
        Ok(fields)
    }
}

impl Access {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let user = names::id(&desk.client, Kind::User, &self.user)?;
        let body = json!({"user": user, "facts": self.facts.fields(desk)?});
        let answer = desk.client.ask("why/access", &body)?;
        match desk.format.is_for_people() {
            true => output::print(&told(&answer, &self.user)),
            false => output::value(desk.format, &answer),
        }
    }
}

/// The answer as text: whether they get in, what they see, what not, and what decided each. Parts that the
/// broker does not tell are left out.
fn told(answer: &Value, user: &str) -> String {
    let name = answer["user_name"].as_str().unwrap_or(user);
    let resources = answer["resources"].as_array().map_or(&[][..], Vec::as_slice);
    let seen = resources.iter().filter(|resource| !is_hidden(resource)).count();
    let mut text = match answer["summary"].as_str() {
        Some(summary) => format!("{summary}\n"),
        None => format!("{name} sees {seen} of {} published resources.\n", resources.len()),
    };
    if answer["user_enabled"] == false {
        text += "The account is disabled: they cannot sign in.\n";
    }
    if let Some(at) = answer["at"].as_str() {
        text += &format!("As of {}.\n", plain(&at.into()));
    }
    text += &part("Logon hours", hours(&answer["hours"]));
    text += &part("Client", client(&answer["clients"]));
    text += &part("Client policy", policy(&answer["policy"]));
    let (hidden, visible): (Vec<_>, Vec<_>) = resources.iter().partition(|resource| is_hidden(resource));
    text += &part("Sees", listed(&visible));
    text += &part("Does not see", listed(&hidden));
    text
}

/// A part of the text; one that has nothing to say is left out.
pub(super) fn part(title: &str, lines: Vec<String>) -> String {
    match lines.is_empty() {
        true => String::new(),
        false => lines.iter().fold(format!("\n{title}\n"), |text, line| text + &format!("  {line}\n")),
    }
}

/// How the rules answered for a resource: the entry itself, or a part of it.
fn verdict(resource: &Value) -> &Value {
    if resource["access"].is_object() { &resource["access"] } else { resource }
}

fn is_hidden(resource: &Value) -> bool {
    verdict(resource)["answer"] == "hidden"
}

/// Resources with what decided, in columns.
fn listed(resources: &[&Value]) -> Vec<String> {
    let name = |resource: &Value| match resource["folder_name"].as_str() {
        Some(folder) => format!("{}/{}", plain(&folder.into()), plain(&resource["name"])),
        None => plain(&resource["name"]),
    };
    let width = resources.iter().map(|resource| name(resource).chars().count()).max().unwrap_or(0);
    let line = |resource: &&Value| {
        let rule = [&resource["rule_name"], &resource["rule"]].into_iter().find(|rule| rule.is_string());
        let sentence = why::access(verdict(resource), rule.unwrap_or(&Value::Null));
        format!("{:width$}  {sentence}", name(resource))
    };
    resources.iter().map(line).collect()
}

fn hours(hours: &Value) -> Vec<String> {
    let Some(is_open) = hours["is_open"].as_bool() else { return Vec::new() };
    let until = hours["until"].as_str().map(|until| format!(" until {}", plain(&until.into())));
    let by = match hours["hours"]["name"].as_str() {
        Some(name) => format!("by \"{}\" ({})", plain(&name.into()), plain(&hours["hours"]["time_zone"])),
        None => "as no hours hold for them".into(),
    };
    let word = if is_open { "Open" } else { "Closed" };
    let mut lines = vec![format!("{word}{}, {by}.", until.unwrap_or_default())];
    if let Some(may) = hours["may"].as_object().filter(|_| !is_open) {
        let can: Vec<_> = [
            ("sign_in", "sign in"),
            ("list", "see the list"),
            ("open", "open something"),
            ("stay", "stay connected"),
        ]
        .into_iter()
        .filter_map(|(field, word)| (may.get(field)? == true).then_some(word))
        .collect();
        lines.push(match can.is_empty() {
            true => "Nothing may be done until then.".into(),
            false => format!("Until then they may: {}.", can.join(", ")),
        });
    }
    lines.extend(message(&hours["message"]));
    lines.extend(passed_over(&hours["looked_at"], &hours["hours"]));
    lines
}

fn client(clients: &Value) -> Vec<String> {
    let (Some(sign_in), Some(open)) = (clients["may_sign_in"].as_bool(), clients["may_open"].as_bool())
    else {
        return Vec::new();
    };
    let by = match clients["entry"].as_u64() {
        Some(entry) => format!(" (entry {} of the site's list)", entry + 1),
        None => String::new(),
    };
    let sentence = match (sign_in, open) {
        (true, true) => format!("It may sign in and open what is published{by}."),
        (true, false) => "It may sign in, but open nothing.".to_owned(),
        (false, _) => "It may not sign in.".to_owned(),
    };
    std::iter::once(sentence).chain(message(&clients["message"])).collect()
}

pub(super) fn policy(policy: &Value) -> Vec<String> {
    if !policy.is_object() {
        return Vec::new();
    }
    let holding = &policy["policy"];
    let Some(name) = holding["name"].as_str() else {
        let mut lines = vec!["None holds: everything is left to the user.".to_owned()];
        lines.extend(passed_over(&policy["looked_at"], holding));
        return lines;
    };
    let groups: Vec<_> = policy["enforced"].as_array().into_iter().flatten().map(plain).collect();
    let enforced = match groups.is_empty() {
        true => "enforces nothing".into(),
        false => format!("enforces {}", groups.join(", ")),
    };
    let mut lines = vec![format!("\"{}\" holds; it {enforced}.", plain(&name.into()))];
    lines.extend(passed_over(&policy["looked_at"], holding));
    lines
}

fn message(message: &Value) -> Option<String> {
    let text = message.as_str().filter(|text| !text.is_empty())?;
    Some(format!("They read: {}", plain(&text.into())))
}

/// Those that were asked first and do not hold, with what decided.
fn passed_over(looked_at: &Value, holding: &Value) -> Vec<String> {
    let entries = looked_at.as_array().into_iter().flatten();
    entries
        .map(|entry| match (&entry["decision"], entry["id"] == holding["id"] && !entry["id"].is_null()) {
            (decision, true) => format!("\"{}\": holds, by {}", plain(&entry["name"]), rule(decision, entry)),
            (decision, false) if decision.is_null() => format!("\"{}\": is disabled", plain(&entry["name"])),
            (decision, false) => {
                format!("\"{}\": does not, by {}", plain(&entry["name"]), rule(decision, entry))
            }
        })
        .collect()
}

fn rule(decision: &Value, entry: &Value) -> String {
    why::deciding_rule(decision, &entry["rule_name"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sees_what_is_told_with_the_rule_that_decided_each() {
        let decided = |effect: &str, rule: Value| json!({"effect": effect, "rule": rule});
        let text = told(
            &json!({
                "user_name": "alice", "at": "2026-11-21T00:00:00Z",
                "resources": [
                    {"name": "Writer", "answer": "open", "decision": decided("allow", json!(0)),
                        "rule_name": "for group Office"},
                    {"name": "Wiki", "access": {"answer": "open", "decision": decided("allow", Value::Null)}},
                    {"name": "Books", "answer": "maintenance", "message": "Back at 9",
                        "decision": decided("allow", Value::Null)},
                    {"name": "Admin", "answer": "hidden",
                        "because": {"reason": "rule", "decision": decided("deny", Value::Null)}},
                ],
                "hours": {
                    "hours": {"id": "h", "name": "Day", "time_zone": "Europe/Berlin"}, "is_open": false,
                    "until": "2026-11-21T07:00:00Z", "message": "Closed.",
                    "may": {"sign_in": true, "list": true, "open": false, "stay": false},
                    "looked_at": [{"id": "h", "name": "Day", "decision": decided("allow", json!(0))}],
                },
                "clients": {"may_sign_in": true, "may_open": false, "message": "Too old."},
                "policy": {
                    "policy": {"id": "b", "name": "Kiosk"}, "enforced": ["clipboard", "drives"],
                    "looked_at": [
                        {"id": "a", "name": "Off", "decision": null},
                        {"id": "b", "name": "Kiosk", "decision": decided("allow", json!(1)), "rule_name": "guests"},
                    ],
                },
            }),
            "x",
        );
        assert!(text.starts_with("alice sees 3 of 4 published resources.\n"), "{text}");
        for line in [
            "  Writer  Yes, by rule 1 \"for group Office\".",
            "  Wiki    Yes, by the default, as no rule matches.",
            "  Books   They see it (by the default, as no rule matches), but it is in maintenance: Back at 9",
            "  Admin  No, by the default, as no rule matches.",
            "  Closed until 2026-11-21 07:00:00Z, by \"Day\" (Europe/Berlin).",
            "  Until then they may: sign in, see the list.",
            "  They read: Closed.",
            "  It may sign in, but open nothing.",
            "  \"Kiosk\" holds; it enforces clipboard, drives.",
            "  \"Off\": is disabled",
            "  \"Kiosk\": holds, by rule 2 \"guests\"",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in:\n{text}");
        }
        let bare = told(&json!({"resources": []}), "bob");
        assert_eq!(bare, "bob sees 0 of 0 published resources.\n", "what is not told is left out");
    }
}
