//! What stands in the way of turning a change back, named by object and field, with who put it there.

use std::fmt;

use oriel_model::{Id, Kind, Timestamp, validate::Mistake};
use oriel_store::{Change, ChangeQuery, ObjectState};
use serde_json::{Value, json};

use super::{Refused, diff, taken_back::is_along};
use crate::Broker;

/// Obstacles named at most: who reads so many turns back by moment, or not at all.
pub const OBSTACLES_MAX: usize = 100;
/// Revisions looked back at most for who changed a field; beyond, it is who changed the object last.
const REVISIONS_MAX: usize = 200;

/// One thing that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Kind of the object.
    pub kind: Kind,
    /// The object.
    pub id: Id<Value>,
    /// Its name.
    pub name: String,
    /// What it is.
    pub why: Why,
    /// Who did it last, and when; none: nobody did.
    pub done: Option<(String, Timestamp)>,
}

/// Why an object cannot say what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It is not there any more.
    Deleted,
    /// It is there again.
    MadeAgain,
    /// This version cannot read what it said then.
    Unreadable(String),
    /// A field says something else again, by a change after the object had this revision.
    Changed {
        /// The field's path.
        field: String,
        /// The revision.
        revision: u64,
    },
}

impl Obstacle {
    /// As a mistake of what was asked for.
    pub fn as_mistake(&self) -> Mistake {
        let field = if let Why::Changed { field, .. } = &self.why { field.clone() } else { String::new() };
        Mistake { field, message: self.to_string() }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, why, done, .. } = self;
        // Whole sentences, each of its own: they are translated.
        match (why, done) {
            (Why::Deleted, None) => write!(f, "{kind} \"{name}\" has been deleted since"),
            (Why::Deleted, Some((by, at))) => {
                write!(f, "{kind} \"{name}\" has been deleted since, by {by} at {at}")
            }
            (Why::MadeAgain, None) => write!(f, "{kind} \"{name}\" has been made again since"),
            (Why::MadeAgain, Some((by, at))) => {
                write!(f, "{kind} \"{name}\" has been made again since, by {by} at {at}")
            }
            (Why::Unreadable(reason), _) => {
                write!(f, "what {kind} \"{name}\" said then cannot be read by this version: {reason}")
            }
            (Why::Changed { field, .. }, done) => {
                let field = field.strip_prefix("spec.").unwrap_or(field);
                match done {
                    None => write!(f, "field \"{field}\" of {kind} \"{name}\" has been changed again since"),
                    Some((by, at)) => write!(
                        f,
                        "field \"{field}\" of {kind} \"{name}\" has been changed again since, by {by} at {at}"
                    ),
                }
            }
        }
    }
}

/// All of them in one sentence; one by one they stand beside it.
pub fn told(obstacles: &[Obstacle]) -> String {
    match obstacles {
        [one] => one.to_string(),
        many => format!("{} things stand in the way of turning this back", many.len()),
    }
}

/// Finds in the log who put them there.
pub async fn name_who(broker: &Broker, obstacles: &mut [Obstacle]) -> Result<(), Refused> {
    let mut log: Option<(Id<Value>, Vec<Change>)> = None;
    for obstacle in obstacles {
        let changes = match &log {
            Some((id, changes)) if *id == obstacle.id => changes,
            _ => {
                let query = ChangeQuery::newest().of(obstacle.id).limit(REVISIONS_MAX);
                &log.insert((obstacle.id, broker.store.changes(query).await?)).1
            }
        };
        let did = match &obstacle.why {
            Why::Deleted | Why::MadeAgain => changes.first(),
            Why::Unreadable(_) => None,
            Why::Changed { field, revision } => {
                let later = changes.iter().filter(|change| change.revision > *revision);
                later.into_iter().find(|change| touches(change, field))
            }
        };
        if let Some(change) = did {
            obstacle.done = Some((change.author.name.clone(), change.at));
        }
    }
    Ok(())
}

fn touches(change: &Change, field: &str) -> bool {
    let fields = diff::plain(&whole(change.before.as_ref()), &whole(change.after.as_ref()));
    fields.iter().any(|changed| is_along(&changed.field, field))
}

fn whole(state: Option<&ObjectState>) -> Value {
    state.map_or(Value::Null, |state| json!({"name": state.name, "site": state.site, "spec": state.spec}))
}
