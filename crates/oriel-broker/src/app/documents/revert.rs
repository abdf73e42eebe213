//! Turning changes back. The log is never rewritten: what turns a change back is a change of its own.

use std::{collections::BTreeMap, sync::Arc};

use oriel_model::{Id, Kind, SettingsObject, Timestamp, site::Site, validate::Mistake};
use oriel_store::{Action, Change, ChangeQuery, ObjectState, Start};
use serde_json::{Value, json};

use super::{
    Plan, Refused, any_kind, diff,
    draft::Draft,
    obstacle::{self, OBSTACLES_MAX, Obstacle, Why},
    plan::{Ready, carry_out},
    taken_back::taken_back,
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

/// Turns one change, or one transaction, back: what others have changed in other fields since stays. Refused
/// where a field that it touched says something else again: turning that back too is for [`revert_to`], or for
/// a person. With `based_on`, also refused where what it touches was changed after that number.
pub async fn revert(
    broker: &Arc<Broker>,
    by: &Caller,
    sequence: u64,
    back: Back,
    based_on: Option<u64>,
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
    let plan = carry_out(broker, by, dry_run, move |view| {
        let mut ready = Ready::from(Draft::new(view.clone()));
        ready.based_on = based_on;
        let mut obstacles = Vec::new();
        for (id, touched) in &touched {
            obstacles.extend(turn_back(&view, *id, touched, &mut ready).err().into_iter().flatten());
        }
        unobstructed(ready, obstacles)
    });
    match plan.await {
        Err(Refused::InTheWay(mut obstacles)) => {
            obstacle::name_who(broker, &mut obstacles).await?;
            Err(Refused::InTheWay(obstacles))
        }
        plan => plan,
    }
}

fn unobstructed(ready: Ready, mut obstacles: Vec<Obstacle>) -> Result<Ready, Refused> {
    obstacles.truncate(OBSTACLES_MAX);
    if obstacles.is_empty() { Ok(ready) } else { Err(Refused::InTheWay(obstacles)) }
}

/// Makes an object say what it said before it was touched, in the fields that were touched.
fn turn_back(
    view: &FarmView,
    id: Id<Value>,
    touched: &Touched,
    ready: &mut Ready,
) -> Result<(), Vec<Obstacle>> {
    let (kind, name) = (touched.kind, &touched.name);
    let now = any_kind::of(kind).stored(view, id);
    let Some((action, _)) = touched.last else {
        ready.notes.extend(touched.note_of_secret());
        return Ok(());
    };
    let obstacle = |why| vec![Obstacle { kind, id, name: name.clone(), why, done: None }];
    let then = match &now {
        Some(_) if action == Action::Deleted => return Err(obstacle(Why::MadeAgain)),
        None if action != Action::Deleted => return Err(obstacle(Why::Deleted)),
        None => touched.before.clone(),
        Some(now) => touched.taken_back_from(now)?,
    };
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
    if let (Some(now), Some(then)) = (&now, &then)
        && is_same(now, then)
    {
        ready.draft.keep("change", kind, id, name);
        return Ok(());
    }
    let made = become_state(kind, id, now.as_ref(), then.as_ref(), "change", &mut ready.draft);
    made.map_err(|obstacle| vec![obstacle])
}

/// Makes an object say what it said; none: it was not there.
fn become_state(
    kind: Kind,
    id: Id<Value>,
    now: Option<&SettingsObject>,
    then: Option<&ObjectState>,
    place: &str,
    draft: &mut Draft,
) -> Result<(), Obstacle> {
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
            draft.put_any(place, &object).map_err(|Mistake { message, .. }| Obstacle {
                kind,
                id,
                name: object.name.clone(),
                why: Why::Unreadable(message),
                done: None,
            })?;
        }
    }
    Ok(())
}

/// Makes every object say what it said after the change with this number. What joins and what is secret
/// does not come and go with it: hosts that have joined since stay, a token that was deleted stays deleted,
/// passwords stay as they are; notes say so. With `based_on`, refused where what it touches was changed after
/// that number.
pub async fn revert_to(
    broker: &Arc<Broker>,
    by: &Caller,
    to: u64,
    based_on: Option<u64>,
    dry_run: bool,
) -> Result<Plan, Refused> {
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
        // What was written between reading the log and now would be overlooked; what was written since the
        // plan that somebody looked at, they have not seen.
        ready.based_on = Some(based_on.unwrap_or(newest).min(newest));
        let mut obstacles = Vec::new();
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
                (Some(now), Some(then)) => is_same(now, then),
                (now, then) => now.is_none() && then.is_none(),
            };
            if !is_same {
                let made = become_state(kind, *id, now.as_ref(), then.as_ref(), "change", &mut ready.draft);
                obstacles.extend(made.err());
            }
        }
        unobstructed(ready, obstacles)
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
    /// What it said after the last of them; none: it was not there.
    after: Option<ObjectState>,
    /// What the last of them did, and the object's revision then; none: only secrets were changed.
    last: Option<(Action, u64)>,
    /// A secret that was changed, and stays changed.
    secret: Option<String>,
}

impl Touched {
    /// What an object that is there says without these changes; none: they made it, and it goes.
    fn taken_back_from(&self, now: &SettingsObject) -> Result<Option<ObjectState>, Vec<Obstacle>> {
        let revision = self.last.map_or(0, |(_, revision)| revision);
        if now.revision == revision {
            return Ok(self.before.clone());
        }
        let obstacle = |why| {
            let done = Some((now.changed_by.clone(), now.changed_at));
            Obstacle { kind: self.kind, id: now.id, name: now.name.clone(), why, done }
        };
        let changed = |field| obstacle(Why::Changed { field, revision });
        let readable = |state: &ObjectState| {
            let spec = any_kind::of(self.kind).normal(&state.spec);
            let reason = "it was written by another version".to_owned();
            spec.map(|spec| json(&state.name, state.site, &spec))
                .ok_or_else(|| vec![Obstacle { done: None, ..obstacle(Why::Unreadable(reason)) }])
        };
        let Some(after) = &self.after else { return Ok(self.before.clone()) };
        let (after, now) = (readable(after)?, json(&now.name, now.site, &now.spec));
        let Some(before) = &self.before else {
            let since = diff::plain(&after, &now);
            let obstacles: Vec<_> = since.into_iter().map(|change| changed(change.field)).collect();
            return if obstacles.is_empty() { Ok(None) } else { Err(obstacles) };
        };
        let fields = |paths: Vec<String>| paths.into_iter().map(changed).collect::<Vec<_>>();
        let mut then = taken_back(&readable(before)?, &after, &now).map_err(fields)?;
        Ok(Some(ObjectState {
            name: then["name"].as_str().unwrap_or_default().to_owned(),
            site: serde_json::from_value(then["site"].take()).unwrap_or_default(),
            spec: then["spec"].take(),
        }))
    }

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
        after: None,
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
    touched.after = change.after;
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

/// Whether an object says what a state says, whatever defaults are written out in it.
fn is_same(now: &SettingsObject, then: &ObjectState) -> bool {
    let spec = any_kind::of(now.kind).normal(&then.spec);
    now.name == then.name && now.site == then.site && spec.is_some_and(|spec| spec == now.spec)
}

fn json(name: &str, site: Option<Id<Site>>, spec: &Value) -> Value {
    json!({"name": name, "site": site, "spec": spec})
}
