//! Whom something is meant for, in the short form: groups and users. Any other rule is set as a field.

use clap::Args;
use serde_json::{Value, json};

/// Groups and users.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Whom it is for")]
pub struct MeantFor {
    /// Only for members of this group (name or id; can be given several times)
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Only for this user (name or id; can be given several times)
    #[arg(long = "user", value_name = "USER")]
    users: Vec<String>,
    /// For everybody
    #[arg(long, conflicts_with_all = ["groups", "users"])]
    everybody: bool,
}

impl MeantFor {
    /// The rules that say it; none when nothing was given.
    pub fn rules(&self) -> Option<Value> {
        if self.everybody {
            return Some(json!({"rules": [], "otherwise": "allow"}));
        }
        let rules: Vec<_> = [("group", &self.groups), ("user", &self.users)]
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(kind, names)| allow(kind, names))
            .collect();
        (!rules.is_empty()).then(|| json!({"rules": rules, "otherwise": "deny"}))
    }
}

/// Longest name of a rule that the model takes, in characters.
const NAME_MAX: usize = 255;

/// One rule that lets these users or groups in.
fn allow(kind: &str, names: &[String]) -> Value {
    let name: String = format!("for {kind} {}", names.join(", ")).chars().take(NAME_MAX).collect();
    json!({"name": name, "effect": "allow", "criteria": [{"type": kind, "objects": names}]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_are_sent_are_such_that_the_model_reads() {
        let id = "0192f0c1-2b7a-7c3e-9d55-0e6f3a1b2c4d".to_owned();
        let meant = MeantFor { groups: vec![id.clone()], users: vec![id], everybody: false };
        let rules: oriel_model::rule::Rules =
            serde_json::from_value(meant.rules().expect("something was given")).expect("readable");
        assert_eq!(rules.rules.len(), 2);
        assert_eq!(MeantFor::default().rules(), None);
        let everybody = MeantFor { everybody: true, ..MeantFor::default() };
        let rules: oriel_model::rule::Rules =
            serde_json::from_value(everybody.rules().expect("said")).expect("readable");
        assert_eq!(rules, oriel_model::rule::Rules::default());
    }
}
