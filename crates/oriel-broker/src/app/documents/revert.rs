//! Turning changes back. The log is never rewritten: what turns a change back is a change of its own.

use std::{collections::BTreeMap, sync::Arc};

use oriel_model::{Id, Kind, SettingsObject, validate::Mistake};
use oriel_store::{Action, Author, Change, ChangeQuery, ObjectState};
use serde_json::Value;

use super::{
    Plan, Refused, any_kind,
    draft::Draft,
    plan::{Ready, carry_out},
};
use crate::{Broker, farm::FarmView};

/// Changes turned back in one go at most: as many as one transaction may write.
const CHANGES_BACK_MAX: usize = oriel_store::WRITES_MAX;

/// Turns one change back. Refused where the object has been changed since: turning that back too is for
/// [`revert_to`], or for a person.
pub async fn revert(
    broker: &Arc<Broker>,
    author: Author,
    sequence: u64,
    dry_run: bool,
) -> Result<Plan, Refused> {
    let found = broker.store.changes(ChangeQuery::after(sequence.saturating_sub(1)).limit(1)).await?;
    let Some(change) = found.into_iter().find(|change| change.sequence == sequence) else {
        return Err(Refused::NoSuchChange(sequence));
    };
    carry_out(broker, author, dry_run, move |view| {
        let mut draft = Draft::new(view.clone());
        turn_back(&view, &change, &mut draft)?;
        let mut ready = Ready::from(draft);
        if change.action == Action::Deleted {
            let (kind, name) = (change.kind, &change.name);
            ready.notes.push(format!("secrets of {kind} \"{name}\", such as a password, do not come back"));
        }
        Ok(ready)
    })
    .await
}

fn turn_back(view: &FarmView, change: &Change, draft: &mut Draft) -> Result<(), Refused> {
    let place = "change";
    let any = any_kind::of(change.kind);
    let now = any.stored(view, change.id);
    match change.action {
        Action::SecretSet | Action::SecretRemoved => {
            let message = "this is a change of a secret, which the log does not hold: set the secret anew";
            return Err(Refused::NotRevertible(message.into()));
        }
        Action::Deleted if now.is_some() => {
            let (kind, name) = (change.kind, &change.name);
            return Err(Refused::NotRevertible(format!("{kind} \"{name}\" has been made again since")));
        }
        Action::Deleted => {}
        Action::Created | Action::Changed => {
            let Some(now) = &now else {
                let (kind, name) = (change.kind, &change.name);
                return Err(Refused::NotRevertible(format!("{kind} \"{name}\" has been deleted since")));
            };
            if now.revision != change.revision {
                return Err(Refused::ChangedSince {
                    kind: now.kind,
                    name: now.name.clone(),
                    by: now.changed_by.clone(),
                    at: now.changed_at,
                });
            }
        }
    }
    become_state(change.kind, change.id, now.as_ref(), change.before.as_ref(), place, draft)
}

/// Makes an object say what it said; none: it was not there.
fn become_state(
    kind: Kind,
    id: Id<Value>,
    now: Option<&SettingsObject>,
    then: Option<&ObjectState>,
    place: &str,
    draft: &mut Draft,
) -> Result<(), Refused> {
    match (now, then) {
        (Some(_), None) => draft.delete(place, kind, id),
        (None, None) => {}
        (now, Some(then)) => {
            let object = SettingsObject {
                kind,
                id,
                name: then.name.clone(),
                site: then.site,
                spec: then.spec.clone(),
                revision: now.map_or(0, |now| now.revision),
                changed_at: oriel_model::Timestamp::UNIX_EPOCH,
                changed_by: String::new(),
            };
            draft.put_any(place, &object).map_err(|Mistake { message, .. }| {
                let name = &object.name;
                Refused::NotRevertible(format!(
                    "what {kind} \"{name}\" said then cannot be read by this version: {message}"
                ))
            })?;
        }
    }
    Ok(())
}

/// Makes every object say what it said after the change with this number. What joins and what is secret
/// does not come and go with it: hosts that have joined since stay, a token that was deleted stays deleted,
/// passwords stay as they are; notes say so.
pub async fn revert_to(
    broker: &Arc<Broker>,
    author: Author,
    to: u64,
    dry_run: bool,
) -> Result<Plan, Refused> {
    let newest = broker.farm.load().sequence;
    if to > newest {
        return Err(Refused::NoSuchChange(to));
    }
    let firsts = since(broker, to).await?;
    carry_out(broker, author, dry_run, move |view| {
        let mut ready = Ready::from(Draft::new(view.clone()));
        // What was written between reading the log and now would be overlooked.
        ready.based_on = Some(newest);
        for (id, first) in &firsts {
            let any = any_kind::of(first.kind);
            let now = any.stored(&view, *id);
            let then = first.then();
            if let Some(secret) = &first.secret {
                let (kind, name) = (first.kind, &first.name);
                ready.notes.push(format!("secret \"{secret}\" of {kind} \"{name}\" stays as it is now"));
            }
            let Some(then) = then else { continue };
            if now.is_some() != then.is_some() && any.comes().is_some() {
                let (kind, name) = (first.kind, &first.name);
                let how = if now.is_some() { "is there" } else { "is not there" };
                ready.notes.push(format!("{kind} \"{name}\" {how} since, and stays so"));
                continue;
            }
            let then = then.map(|then| with_own_fields_of(first.kind, then, now.as_ref()));
            let is_same = match (&now, &then) {
                (Some(now), Some(then)) => {
                    now.name == then.name && now.site == then.site && same_spec(now, then)
                }
                (None, None) => true,
                _ => false,
            };
            if !is_same {
                become_state(first.kind, *id, now.as_ref(), then.as_ref(), "change", &mut ready.draft)?;
            }
        }
        Ok(ready)
    })
    .await
}

/// What an object said before the first of some changes.
struct First {
    kind: Kind,
    name: String,
    /// None: only secrets were changed.
    before: Option<Option<ObjectState>>,
    /// A secret that was changed, and stays changed.
    secret: Option<String>,
}

impl First {
    fn then(&self) -> Option<Option<ObjectState>> {
        self.before.clone()
    }
}

/// The state before, of every object that was changed after the change with this number.
async fn since(broker: &Broker, to: u64) -> Result<BTreeMap<Id<Value>, First>, Refused> {
    let mut firsts: BTreeMap<Id<Value>, First> = BTreeMap::new();
    let (mut after, mut count) = (to, 0);
    loop {
        let changes = broker.store.changes(ChangeQuery::after(after)).await?;
        let Some(last) = changes.last() else { return Ok(firsts) };
        after = last.sequence;
        count += changes.len();
        if count > CHANGES_BACK_MAX {
            let message = format!(
                "more than {CHANGES_BACK_MAX} changes were made since; import a backup of that time instead"
            );
            return Err(Refused::NotRevertible(message));
        }
        for change in changes {
            let first = firsts.entry(change.id).or_insert_with(|| First {
                kind: change.kind,
                name: change.name.clone(),
                before: None,
                secret: None,
            });
            first.name.clone_from(&change.name);
            match change.action {
                Action::SecretSet | Action::SecretRemoved => first.secret = change.secret,
                Action::Created => {
                    first.before.get_or_insert(None);
                }
                Action::Changed | Action::Deleted => {
                    first.before.get_or_insert(change.before);
                }
            }
        }
    }
}

/// What only the farm itself sets is as it is now.
fn with_own_fields_of(kind: Kind, mut then: ObjectState, now: Option<&SettingsObject>) -> ObjectState {
    if let (Value::Object(fields), Some(now)) = (&mut then.spec, now) {
        for field in any_kind::of(kind).own_fields() {
            match now.spec.get(*field) {
                Some(value) => fields.insert((*field).to_owned(), value.clone()),
                None => fields.remove(*field),
            };
        }
    }
    then
}

/// Whether two specs say the same, whatever defaults are written out in them.
fn same_spec(now: &SettingsObject, then: &ObjectState) -> bool {
    let any = any_kind::of(now.kind);
    any.normal(&then.spec).is_some_and(|then| then == now.spec)
}
