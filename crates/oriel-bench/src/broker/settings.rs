//! The settings of a large farm, with rules as real ones have them: most on folders and for groups, some on
//! resources themselves, by address, by device or by client, *is* and *is not*; and policies and hours of
//! which most hold for few people and the last for everybody.

use serde_json::{Value, json};

/// Programs in one folder.
pub const FOLDER_SIZE: usize = 100;

/// Makes the specs of a farm's objects, each by its number.
pub struct Settings {
    /// The pool that programs run in.
    pub pool: String,
    /// Groups.
    pub groups: Vec<String>,
    /// Folders, once there are any.
    pub folders: Vec<String>,
}

impl Settings {
    fn group(&self, number: usize) -> &str {
        &self.groups[number % self.groups.len()]
    }

    /// A folder: for one group, and for some of another only at work.
    pub fn folder(&self, number: usize) -> Value {
        let rules = json!([
            rule(
                "deny",
                json!([
                    { "type": "group", "objects": [self.group(number + 7)] },
                    { "type": "address", "objects": ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"], "negated": true },
                ])
            ),
            rule("allow", json!([{ "type": "group", "objects": [self.group(number)] }])),
        ]);
        json!({ "target": { "kind": "folder" }, "rules": { "rules": rules, "otherwise": "deny" } })
    }

    /// A program in one of the folders.
    pub fn program(&self, number: usize) -> Value {
        json!({
            "target": {
                "kind": "application",
                "program": "/usr/bin/program",
                "source": { "from": "pools", "pools": [self.pool] },
            },
            "folder": self.folders[number / FOLDER_SIZE % self.folders.len()],
            "rules": self.rules(number),
        })
    }

    /// Half of the programs leave it to their folder, the others have a rule of their own, or three.
    fn rules(&self, number: usize) -> Value {
        let rules = match number % 8 {
            0 => vec![
                rule("deny", json!([{ "type": "client_os", "objects": ["android", "ios"] }])),
                rule("deny", json!([{ "type": "address", "objects": offices(number), "negated": true }])),
                rule(
                    "allow",
                    json!([
                        { "type": "group", "objects": [self.group(number / FOLDER_SIZE), self.group(number + 3)] },
                        { "type": "client", "objects": [
                            { "kind": "browser" }, { "kind": "launcher", "minimum_version": "1.4" },
                        ] },
                    ]),
                ),
            ],
            2 => vec![rule("deny", json!([{ "type": "client_name", "objects": ["kiosk-*", "LOBBY-??"] }]))],
            _ => Vec::new(),
        };
        let otherwise = if rules.len() == 3 { "deny" } else { "allow" };
        json!({ "rules": rules, "otherwise": otherwise })
    }

    /// One of `count` policies: the last is everybody's, each other one some people's at some addresses.
    pub fn policy(&self, number: usize, count: usize) -> Value {
        let settings = json!({
            "clipboard": { "direction": if number.is_multiple_of(2) { "to_session" } else { "both" } },
            "drives": {},
            "options": { "sign_out_minutes": 60 },
        });
        json!({ "order": number, "rules": self.some_people(number, count), "settings": settings })
    }

    /// One of `count` logon hours: the last is everybody's and has no end, each other one keeps office hours.
    pub fn hours(&self, number: usize, count: usize) -> Value {
        const WORK: [&str; 5] = ["monday", "tuesday", "wednesday", "thursday", "friday"];
        let open = if number + 1 == count {
            json!([{ "days": WORK, "from": "00:00:00" }, { "days": ["saturday", "sunday"], "from": "00:00:00" }])
        } else {
            json!([{ "days": WORK, "from": "07:00:00", "to": "19:00:00" }])
        };
        let clock = json!({ "of": "user", "otherwise": "Europe/Berlin" });
        json!({ "order": number, "rules": self.some_people(number, count), "open": open, "clock": clock })
    }

    /// Rules of one of `count` settings of which the first that fits holds. Nobody but the last one's people
    /// come from the addresses that are asked for here.
    fn some_people(&self, number: usize, count: usize) -> Value {
        if number + 1 == count {
            return json!({ "rules": [], "otherwise": "allow" });
        }
        let criteria = json!([
            { "type": "group", "objects": [self.group(number), self.group(number + 1)] },
            { "type": "address", "objects": [format!("172.16.{}.0/24", number % 256)] },
        ]);
        json!({ "rules": [rule("allow", criteria)], "otherwise": "deny" })
    }
}

/// How many rules settings have.
pub fn rules_of(spec: &Value) -> usize {
    spec["rules"]["rules"].as_array().map_or(0, Vec::len)
}

fn rule(effect: &str, criteria: Value) -> Value {
    json!({ "name": format!("{effect} some"), "effect": effect, "criteria": criteria })
}

/// Address ranges, ten of them; all users come from the last.
fn offices(number: usize) -> Vec<String> {
    let branches = (0..9).map(|branch| format!("192.168.{}.0/28", (number + branch) % 256));
    branches.chain(["10.1.0.0/16".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use oriel_model::{
        Spec, logon_hours::LogonHours, policy::Policy, resource::Resource, validate::Mistakes,
    };

    use super::*;

    fn check<S: Spec>(spec: Value) {
        let spec: S = serde_json::from_value(spec).expect("it can be read");
        let mut mistakes = Mistakes::default();
        spec.validate(&mut mistakes);
        assert_eq!(mistakes.into_vec(), []);
    }

    #[test]
    fn the_farm_is_valid_and_has_the_rules_that_are_promised() {
        let id = |number: usize| format!("0192f0c1-2b7a-7c3e-9d55-{number:012}");
        let ids = |count: usize| (0..count).map(id).collect::<Vec<_>>();
        let settings = Settings { pool: id(0), groups: ids(40), folders: ids(100) };
        let programs: usize = (0..10_000).map(|number| rules_of(&settings.program(number))).sum();
        let folders: usize = (0..100).map(|number| rules_of(&settings.folder(number))).sum();
        assert_eq!((programs, folders), (5_000, 200));
        for number in 0..8 {
            check::<Resource>(settings.program(number));
            check::<Resource>(settings.folder(number));
            check::<Policy>(settings.policy(number, 8));
            check::<LogonHours>(settings.hours(number, 8));
        }
    }
}
