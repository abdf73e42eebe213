//! Turning changes back. The log is never rewritten: what turns a change back is a change of its own.

use std::{collections::BTreeMap, sync::Arc};

use oriel_model::{Id, Kind, SettingsObject, Timestamp, validate::Mistake};
use oriel_store::{Action, Change, ChangeQuery, ObjectState, Start};
use serde_json::Value;

use super::{
    Plan, Refused, any_kind,
    draft::Draft,
    plan::{Ready, carry_out},
};
use crate::{Broker, app::administrators::Caller, farm::FarmView};

/// Changes turned back in one go at most: as many as one transaction may write.
const CHANGES_BACK_MAX: usize = oriel_store::WRITES_MAX;

/// How much is turned back with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// It alone.
    Change,
    /// Everything that was written in the same transaction.
    Transaction,
}

/// Turns one change, or one transaction, back. Refused where an object has been changed since: turning that
/// back too is for [`revert_to`], or for a person.
pub async fn revert(
    broker: &Arc<Broker>,
    by: &Caller,
    sequence: u64,
    back: Back,
    dry_run: bool,
) -> Result<Plan, Refused> {
    let before = sequence.saturating_sub(1);
    let found = broker.store.changes(ChangeQuery::after(before).limit(1)).await?;
    let Some(change) = found.into_iter().find(|change| change.sequence == sequence) else {
        return Err(Refused::NoSuchChange(sequence));
    };
    let mut touched = AllTouched::new();
    match back {
        Back::Change => touch(&mut touched, change),
        Back::Transaction => {
            let query = ChangeQuery::after(change.transaction.saturating_sub(1));
            collect(broker, query.of_transaction(change.transaction), &mut touched).await?;
        }
    }
    if touched.values().all(|touched| touched.last.is_none()) {
        let message = "this is a change of a secret, which the log does not hold: set the secret anew";
        return Err(Refused::NotRevertible(message.into()));
    }
    carry_out(broker, by, dry_run, move |view| {
        let mut ready = Ready::from(Draft::new(view.clone()));
        for (id, touched) in &touched {
            turn_back(&view, *id, touched, &mut ready)?;
        }
        Ok(ready)
    })
    .await
}

/// Makes an object say what it said before it was touched, unless it was touched again since.
fn turn_back(view: &FarmView, id: Id<Value>, touched: &Touched, ready: &mut Ready) -> Result<(), Refused> {
    let (kind, name) = (touched.kind, &touched.name);
    let now = any_kind::of(kind).stored(view, id);
    let Some((action, revision)) = touched.last else {
        ready.notes.extend(touched.note_of_secret());
        return Ok(());
    };
    match (&now, action == Action::Deleted) {
        (Some(_), true) => {
            return Err(Refused::NotRevertible(format!("{kind} \"{name}\" has been made again since")));
        }
        (None, false) => {
            return Err(Refused::NotRevertible(format!("{kind} \"{name}\" has been deleted since")));
        }
        (Some(now), false) if now.revision != revision => {
            return Err(Refused::ChangedSince {
                kind: now.kind,
                name: now.name.clone(),
                by: now.changed_by.clone(),
                at: now.changed_at,
            });
        }
        _ => {}
    }
    let then = touched.before.as_ref();
    if then.is_some() {
        ready.notes.extend(match (action, kind) {
            // Went with what they belong to.
            (Action::Deleted, Kind::User | Kind::Notification) => {
                Some(format!("secrets of {kind} \"{name}\", such as a password, do not come back"))
            }
            (Action::Deleted, _) => None,
            _ => touched.note_of_secret(),
        });
    }
    become_state(kind, id, now.as_ref(), then, "change", &mut ready.draft)
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
pub async fn revert_to(broker: &Arc<Broker>, by: &Caller, to: u64, dry_run: bool) -> Result<Plan, Refused> {
    let newest = broker.farm.load().sequence;
    if to > newest {
        return Err(Refused::NoSuchChange(to));
    }
    // What is not in the log any more cannot be turned back, and half of it must not be.
    let oldest = broker.store.changes(ChangeQuery::after(to).limit(1)).await?.into_iter().next();
    if to < newest && oldest.is_none_or(|oldest| oldest.sequence != to + 1) {
        let message = format!("the log does not reach back to change {}: the oldest were dropped", to + 1);
        return Err(Refused::NotRevertible(message));
    }
    let mut all = AllTouched::new();
    collect(broker, ChangeQuery::after(to), &mut all).await?;
    carry_out(broker, by, dry_run, move |view| {
        let mut ready = Ready::from(Draft::new(view.clone()));
        // What was written between reading the log and now would be overlooked.
        ready.based_on = Some(newest);
        for (id, touched) in &all {
            let (kind, name) = (touched.kind, &touched.name);
            let any = any_kind::of(kind);
            let now = any.stored(&view, *id);
            ready.notes.extend(touched.note_of_secret());
            if touched.last.is_none() {
                continue;
            }
            let then = touched.before.clone();
            if now.is_some() != then.is_some() && any.comes().is_some() {
                let how = if now.is_some() { "is there" } else { "is not there" };
                ready.notes.push(format!("{kind} \"{name}\" {how} since, and stays so"));
                continue;
            }
            let then = then.map(|then| with_own_fields_of(kind, then, now.as_ref()));
            let is_same = match (&now, &then) {
                (Some(now), Some(then)) => {
                    now.name == then.name && now.site == then.site && same_spec(now, then)
                }
                (None, None) => true,
                _ => false,
            };
            if !is_same {
                become_state(kind, *id, now.as_ref(), then.as_ref(), "change", &mut ready.draft)?;
            }
        }
        Ok(ready)
    })
    .await
}

/// The number of the last change before a moment; 0: there was none, or the log does not know it any more,
/// which [`revert_to`] refuses.
pub async fn last_change_before(broker: &Broker, moment: Timestamp) -> Result<u64, Refused> {
    let query = ChangeQuery { until: Some(moment), ..ChangeQuery::newest() };
    let last = broker.store.changes(query.limit(1)).await?.into_iter().next();
    Ok(last.map_or(0, |change| change.sequence))
}

/// Objects that some changes touched.
type AllTouched = BTreeMap<Id<Value>, Touched>;

/// What some changes did to one object.
struct Touched {
    kind: Kind,
    /// Its name after the last of them.
    name: String,
    /// What it said before the first of them; none: it was not there.
    before: Option<ObjectState>,
    /// What the last of them did, and the object's revision then; none: only secrets were changed.
    last: Option<(Action, u64)>,
    /// A secret that was changed, and stays changed.
    secret: Option<String>,
}

impl Touched {
    fn note_of_secret(&self) -> Option<String> {
        let (kind, name) = (self.kind, &self.name);
        let secret = self.secret.as_ref()?;
        Some(format!("secret \"{secret}\" of {kind} \"{name}\" stays as it is now"))
    }
}

/// Adds the change that comes after those so far.
fn touch(all: &mut AllTouched, change: Change) {
    let touched = all.entry(change.id).or_insert_with(|| Touched {
        kind: change.kind,
        name: String::new(),
        before: None,
        last: None,
        secret: None,
    });
    touched.name = change.name;
    if matches!(change.action, Action::SecretSet | Action::SecretRemoved) {
        touched.secret = change.secret;
        return;
    }
    if touched.last.is_none() {
        touched.before = change.before;
    }
    touched.last = Some((change.action, change.revision));
}

/// Adds all changes that a query finds, oldest first.
async fn collect(broker: &Broker, mut query: ChangeQuery, all: &mut AllTouched) -> Result<(), Refused> {
    let mut count = 0;
    loop {
        let changes = broker.store.changes(query.clone()).await?;
        let Some(last) = changes.last() else { return Ok(()) };
        query.start = Start::After(last.sequence);
        count += changes.len();
        if count > CHANGES_BACK_MAX {
            let message =
                format!("it is more than {CHANGES_BACK_MAX} changes; import a backup of that time instead");
            return Err(Refused::NotRevertible(message));
        }
        changes.into_iter().for_each(|change| touch(all, change));
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
