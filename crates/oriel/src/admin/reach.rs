//! What a role may do and how far it reaches, as options: the same for administrators and tokens.

use clap::{Args, ValueEnum};
use oriel_model::{
    Kind,
    permission::{Action, Area},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What an administrator or a token may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Role {
    /// Everything
    Root,
    /// Everything but administrators and tokens; may be reduced to sites and areas
    Power,
    /// Nothing but what --allow says
    Custom,
    /// See everything but administrators and tokens, change nothing
    Viewer,
    /// See sessions and act on them
    HelpDesk,
}

impl Role {
    /// Its word in a spec.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Root => "root",
            Role::Power => "power",
            Role::Custom => "custom",
            Role::Viewer => "viewer",
            Role::HelpDesk => "help_desk",
        }
    }
}

/// How far a role reaches.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reach")]
pub struct ReachOptions {
    /// Only this site, by its name (may be given several times)
    #[arg(long = "reach-site", value_name = "SITE")]
    sites: Vec<String>,
    /// For power and viewer: nothing of this area is seen (infrastructure, hosts, publishing, directory,
    /// sessions, administrators or audit)
    #[arg(long = "reach-hidden", value_name = "AREA", value_parser = area)]
    hidden: Vec<Area>,
    /// For power: this area is seen, and nothing in it changed
    #[arg(long = "reach-view-only", value_name = "AREA", value_parser = area)]
    view_only: Vec<Area>,
    /// For custom: permits actions (view, modify, add, delete, control) in an area, perhaps only to a kind of
    /// object: view,modify:publishing or control:hosts/pool
    #[arg(long = "reach-allow", value_name = "ACTIONS:AREA[/KIND]", value_parser = grant)]
    allow: Vec<Value>,
    /// For help_desk: only this user's sessions
    #[arg(long = "reach-user", value_name = "USER")]
    users: Vec<String>,
    /// For help_desk: only the sessions of this group's members
    #[arg(long = "reach-group", value_name = "GROUP")]
    groups: Vec<String>,
}

impl ReachOptions {
    /// As a spec says it, with names where ids belong; none: nothing was given.
    pub fn said(&self) -> Option<Value> {
        let mut reach = json!({});
        let parts = [
            ("sites", json!(self.sites)),
            ("hidden", json!(self.hidden)),
            ("view_only", json!(self.view_only)),
            ("grants", json!(self.allow)),
            ("users", json!(self.users)),
            ("groups", json!(self.groups)),
        ];
        for (field, entries) in parts {
            if entries.as_array().is_some_and(|entries| !entries.is_empty()) {
                reach[field] = entries;
            }
        }
        (reach != json!({})).then_some(reach)
    }
}

fn area(word: &str) -> Result<Area, String> {
    this(word, "area")
}

fn grant(text: &str) -> Result<Value, String> {
    let form = || "must look like view,modify:publishing or control:hosts/pool".to_owned();
    let (actions, place) = text.split_once(':').ok_or_else(form)?;
    let (area, kind) = place.split_once('/').map_or((place, None), |(area, kind)| (area, Some(kind)));
    let actions = actions.split(',').map(|word| this(word.trim(), "action"));
    let actions: Vec<Action> = actions.collect::<Result<_, _>>()?;
    let mut grant = json!({"actions": actions, "area": this::<Area>(area.trim(), "area")?});
    if let Some(kind) = kind {
        grant["kind"] = json!(this::<Kind>(kind.trim(), "kind of object")?);
    }
    Ok(grant)
}

/// A word of the definition.
fn this<T: DeserializeOwned>(word: &str, what: &str) -> Result<T, String> {
    let plain = word.replace('-', "_");
    serde_json::from_value(plain.into()).map_err(|error| format!("{word} is no {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_permitted_reads_as_it_is_documented() {
        let grants = |text: &str| grant(text).expect(text);
        assert_eq!(
            grants("view,modify:publishing"),
            json!({"actions": ["view", "modify"], "area": "publishing"})
        );
        assert_eq!(
            grants("control:hosts/pool"),
            json!({"actions": ["control"], "area": "hosts", "kind": "pool"})
        );
        for wrong in ["publishing", "see:publishing", "view:all", "view:hosts/thing", ":hosts"] {
            assert!(grant(wrong).is_err(), "{wrong}");
        }
        assert_eq!(ReachOptions::default().said(), None);
        let reach = ReachOptions { hidden: vec![Area::Audit], ..ReachOptions::default() };
        assert_eq!(reach.said(), Some(json!({"hidden": ["audit"]})));
    }
}
