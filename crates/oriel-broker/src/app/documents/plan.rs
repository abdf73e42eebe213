//! From a draft to a plan that people read, and to a transaction.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use oriel_model::{
    Id, Kind, SettingsObject,
    icon::IconId,
    reference::Names,
    validate::{Mistake, Mistakes, fold},
};
use oriel_store::{ChangeQuery, CommitError, ObjectState, Transaction, Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Refused, any_kind,
    diff::{self, FieldChange, Side},
    draft::{Draft, Edit, What, within},
    names::Shown,
};
use crate::{
    Broker,
    app::{
        administrators::{Caller, permitted},
        credential::{Credential, PASSWORD_SECRET},
        objects,
    },
    farm::FarmView,
};

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlannedAction {
    /// It is made.
    Create,
    /// It says something else.
    Change,
    /// It is deleted.
    Delete,
    /// It is as it shall be already; nothing is written.
    Unchanged,
}

/// One object of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanItem {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub action: PlannedAction,
    /// Field by field, with names in place of ids.
    #[serde(default)]
    pub changes: Vec<FieldChange>,
}

/// What a change of many objects does, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Every object that was asked for.
    pub plan: Vec<PlanItem>,
    /// Number of the newest change of settings: after it was carried out, or that the plan was made on.
    pub sequence: u64,
    /// Whether it was carried out.
    pub committed: bool,
    /// What could not be done, and is nobody's mistake: a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A draft that is ready to be written.
pub struct Ready {
    /// What is written.
    pub draft: Draft,
    /// Secrets, written after the objects.
    pub secrets: Vec<Write>,
    /// Icons that come with it and need not be in the store yet.
    pub icons: Vec<IconId>,
    /// See [`Plan::notes`].
    pub notes: Vec<String>,
    /// Refuse it if what it touches was changed after this number.
    pub based_on: Option<u64>,
}

impl From<Draft> for Ready {
    fn from(draft: Draft) -> Self {
        Self { draft, secrets: Vec::new(), icons: Vec::new(), notes: Vec::new(), based_on: None }
    }
}

impl Ready {
    /// The farm as it would be knows the passwords that come with it: who can sign in is checked, too.
    fn take_in_passwords(&mut self) {
        for write in &self.secrets {
            let (owner, password) = match write {
                Write::PutSecret { owner, name, value, .. } if name == PASSWORD_SECRET => {
                    (owner, Credential::from_secret(value))
                }
                Write::DeleteSecret { owner, name, .. } if name == PASSWORD_SECRET => (owner, None),
                _ => continue,
            };
            let credentials = Arc::make_mut(&mut Arc::make_mut(&mut self.draft.after).credentials);
            match password {
                Some(password) => credentials.insert(owner.cast(), password),
                None => credentials.remove(&owner.cast()),
            };
        }
    }
}

/// How often a change is planned anew when others write at the same time. Within one broker changes wait
/// for each other, so only other brokers and joining components get in between.
const ATTEMPTS: usize = 4;
/// How long the broker's memory may take to show what others have written.
const CATCH_UP: Duration = Duration::from_secs(5);

/// Plans a change with `make` and, unless it is only tried, writes it in one transaction. `make` costs CPU
/// in proportion to the farm, so it runs beside the async threads; it is called again when another writer
/// was faster.
pub async fn carry_out(
    broker: &Arc<Broker>,
    by: &Caller,
    dry_run: bool,
    make: impl Fn(Arc<FarmView>) -> Result<Ready, Refused> + Send + Sync + 'static,
) -> Result<Plan, Refused> {
    // What is only tried keeps nobody waiting.
    let _turn = if dry_run { None } else { Some(objects::turn().await) };
    let (make, own_broker) = (Arc::new(make), broker.broker_id.cast());
    for attempt in 1.. {
        let view = broker.farm.load();
        let sequence = view.sequence;
        let made = make.clone();
        let work = tokio::task::spawn_blocking(move || {
            let mut ready = made(view)?;
            ready.take_in_passwords();
            check(&ready.draft, own_broker)?;
            let items = items(&ready.draft);
            let writes = writes(&ready.draft);
            Ok::<_, Refused>((ready, items, writes))
        });
        let (ready, plan, writes) = work.await.map_err(|error| unavailable(&error))??;
        check_icons(broker, &ready).await?;
        if let Some(based_on) = ready.based_on {
            must_be_unchanged(broker, &ready.draft, based_on).await?;
        }
        let mut transaction = Transaction::new(by.author.clone(), broker.now());
        transaction.writes = writes;
        transaction.writes.extend(ready.secrets);
        // What is only tried would be refused, too.
        permitted(&by.rights, &broker.farm.load(), &transaction)?;
        let notes = ready.notes;
        if dry_run || (transaction.writes.is_empty()) {
            return Ok(Plan { plan, sequence, committed: !dry_run, notes });
        }
        match broker.commit(transaction).await {
            Ok(committed) => {
                return Ok(Plan { plan, sequence: committed.sequence, committed: true, notes });
            }
            Err(error) if attempt < ATTEMPTS && is_overtaken(&error) => {
                let newest = broker.store.changes(ChangeQuery::newest().limit(1)).await?;
                let newest = newest.first().map_or(0, |change| change.sequence);
                // Not caught up: then the next attempt fails as this one did.
                let _ = broker.farm.reached(newest, CATCH_UP).await;
            }
            Err(CommitError::Invalid { kind, name, mistakes }) => {
                return Err(Refused::Invalid(placed(&ready.draft, kind, &name, mistakes)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refused::Busy)
}

/// What the store finds wrong (a spec that is too large) is told where the caller said it.
fn placed(draft: &Draft, kind: Kind, name: &str, mistakes: Vec<Mistake>) -> Vec<Mistake> {
    let edit = draft.puts().find(|edit| edit.kind == kind && edit.name == name);
    let place = edit.map_or("", |edit| &edit.place);
    mistakes
        .into_iter()
        .map(|mistake| Mistake { field: within(place, &mistake.field), message: mistake.message })
        .collect()
}

fn unavailable(error: &tokio::task::JoinError) -> Refused {
    oriel_store::StoreError::Unavailable { reason: error.to_string() }.into()
}

/// Somebody else wrote in between; planned on what they wrote, it may go through.
fn is_overtaken(error: &CommitError) -> bool {
    matches!(
        error,
        CommitError::Stale { .. }
            | CommitError::Deleted { .. }
            | CommitError::NameTaken { .. }
            | CommitError::IdTaken { .. }
            | CommitError::NotFound { .. }
    )
}

/// Everything wrong with a draft, at once.
fn check(draft: &Draft, own_broker: Id<Value>) -> Result<(), Refused> {
    let mut mistakes = Mistakes::default();
    draft.check(&mut mistakes);
    draft.check_names(&mut mistakes);
    for kept in draft.kept() {
        let edit = &draft.edits[kept.edit];
        let used = objects::ChangeError::InUse { kind: edit.kind, name: edit.name.clone(), by: kept.by };
        mistakes.add(&edit.place, used.to_string());
    }
    for edit in draft.edits.iter().filter(|edit| edit.what == What::Delete && edit.id == own_broker) {
        mistakes.add(&edit.place, "is the broker that serves this call, and stays");
    }
    let found = mistakes.into_vec();
    if found.is_empty() { Ok(()) } else { Err(Refused::Invalid(found)) }
}

/// The icons that resources name for the first time must be kept in the store, or come with the call.
async fn check_icons(broker: &Broker, ready: &Ready) -> Result<(), Refused> {
    let draft = &ready.draft;
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    for edit in draft.puts().filter(|edit| edit.kind == Kind::Resource) {
        let icon_of =
            |view: &FarmView| view.resources.get(edit.id.cast()).and_then(|r| r.spec.icon.as_ref()?.sent());
        let (old, new) = (icon_of(&draft.before), icon_of(&draft.after));
        if let Some(icon) = new.filter(|new| Some(new) != old.as_ref() && !ready.icons.contains(new)) {
            wanted.entry(icon.0).or_insert_with(|| within(&edit.place, "spec.icon"));
        }
    }
    let mut mistakes = Mistakes::default();
    for (icon, field) in wanted {
        if broker.store.blob(&IconId(icon)).await?.is_none() {
            mistakes.add(&field, "there is no such icon: send the picture first");
        }
    }
    let found = mistakes.into_vec();
    if found.is_empty() { Ok(()) } else { Err(Refused::Invalid(found)) }
}

/// Refuses a change of objects that others have changed after the change with this number.
async fn must_be_unchanged(broker: &Broker, draft: &Draft, based_on: u64) -> Result<(), Refused> {
    let touched: HashMap<Id<Value>, &Edit> =
        draft.edits.iter().filter(|edit| edit.what != What::Keep).map(|edit| (edit.id, edit)).collect();
    let mut after = based_on;
    loop {
        let changes = broker.store.changes(ChangeQuery::after(after)).await?;
        let Some(last) = changes.last() else { return Ok(()) };
        after = last.sequence;
        if let Some(change) = changes.iter().find(|change| touched.contains_key(&change.id)) {
            return Err(Refused::ChangedSince {
                kind: change.kind,
                name: change.name.clone(),
                by: change.author.name.clone(),
                at: change.at,
            });
        }
    }
}

/// The plan as people read it, in the order of the edits.
fn items(draft: &Draft) -> Vec<PlanItem> {
    let names = Shown::either(&draft.after, &draft.before);
    draft
        .edits
        .iter()
        .map(|edit| {
            let any = any_kind::of(edit.kind);
            let (before, after) = match edit.what {
                What::Keep => (None, None),
                _ => (any.stored(&draft.before, edit.id), any.stored(&draft.after, edit.id)),
            };
            let action = match (&before, &after) {
                (None, Some(_)) => PlannedAction::Create,
                (Some(_), Some(_)) => PlannedAction::Change,
                (Some(_), None) => PlannedAction::Delete,
                (None, None) => PlannedAction::Unchanged,
            };
            let changes = changes(edit.kind, before.as_ref(), after.as_ref(), &names);
            let name = after.or(before).map_or_else(|| edit.name.clone(), |object| object.name);
            PlanItem { kind: edit.kind, name, action, changes }
        })
        .collect()
}

fn changes(
    kind: Kind,
    before: Option<&SettingsObject>,
    after: Option<&SettingsObject>,
    names: &Rc<dyn Names>,
) -> Vec<FieldChange> {
    // What is made or deleted is compared with an object of its name that says nothing.
    let name = after.or(before).map(|object| object.name.clone()).unwrap_or_default();
    let state = |object: Option<&SettingsObject>| match object {
        Some(object) => (object.name.clone(), object.site, object.spec.clone()),
        None => (name.clone(), None, json!({})),
    };
    let of = |object: Option<&SettingsObject>| {
        let (name, site, spec) = state(object);
        let state = ObjectState { name, site, spec };
        (plain_state(kind, &state), state_shown(kind, &state, names))
    };
    let ((old, old_shown), (new, new_shown)) = (of(before), of(after));
    diff::between(Side { ids: &old, shown: &old_shown }, Side { ids: &new, shown: &new_shown })
}

/// A state as JSON with ids, without the farm's own fields.
pub fn plain_state(kind: Kind, state: &ObjectState) -> Value {
    let mut spec = state.spec.clone();
    any_kind::without_own_fields(kind, &mut spec);
    json!({"name": state.name, "site": state.site, "spec": spec})
}

/// A state as JSON with names in place of ids, without the farm's own fields. A spec that this version
/// cannot read is shown as it is stored.
pub fn state_shown(kind: Kind, state: &ObjectState, names: &Rc<dyn Names>) -> Value {
    let spec = any_kind::of(kind).with_names(&state.spec, names.clone());
    let mut spec = spec.unwrap_or_else(|| state.spec.clone());
    any_kind::without_own_fields(kind, &mut spec);
    let site =
        state.site.map(|site| names.name_of(Kind::Site, site.cast()).unwrap_or_else(|| site.to_string()));
    json!({"name": state.name, "site": site, "spec": spec})
}

/// The writes of a draft, in an order in which every name is free when it is taken: deletions first, then
/// what gives a name up before what takes it. Objects that swap names go by way of a name of their own.
pub(super) fn writes(draft: &Draft) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut held: HashMap<(Kind, String), Id<Value>> = HashMap::new();
    let mut waiting = VecDeque::new();
    for edit in &draft.edits {
        let any = any_kind::of(edit.kind);
        let before = any.stored(&draft.before, edit.id);
        match (edit.what, before) {
            (What::Delete, Some(before)) => {
                writes.push(Write::Delete {
                    kind: edit.kind,
                    id: edit.id,
                    expected_revision: before.revision,
                });
            }
            (What::Put, before) => {
                let Some(after) = any.stored(&draft.after, edit.id) else { continue };
                if let Some(before) = before.as_ref().filter(|before| fold(&before.name) != fold(&after.name))
                {
                    held.insert((edit.kind, fold(&before.name)), edit.id);
                }
                waiting.push_back((before, after));
            }
            _ => {}
        }
    }
    let mut turned = 0;
    while let Some((before, after)) = waiting.pop_front() {
        let name = (after.kind, fold(&after.name));
        let is_held = held.get(&name).is_some_and(|holder| *holder != after.id);
        if !is_held {
            if let Some(before) = &before {
                held.remove(&(before.kind, fold(&before.name)));
            }
            writes.push(write(before.as_ref(), after));
            turned = 0;
        } else if turned <= waiting.len() {
            waiting.push_back((before, after));
            turned += 1;
        } else {
            // All that are left wait for each other.
            let Some(mut before) = before else {
                waiting.push_back((before, after));
                continue;
            };
            held.remove(&(before.kind, fold(&before.name)));
            let step = SettingsObject { name: after.id.to_string(), ..before.clone() };
            writes.push(write(Some(&before), step));
            before.revision += 1;
            waiting.push_back((Some(before), after));
            turned = 0;
        }
    }
    writes
}

fn write(before: Option<&SettingsObject>, after: SettingsObject) -> Write {
    let SettingsObject { kind, id, name, site, spec, .. } = after;
    match before {
        Some(before) => Write::Update { kind, id, expected_revision: before.revision, name, site, spec },
        None => Write::Create { kind, id, name, site, spec },
    }
}

/// Those of `later` that are not consequences: about a field that is named already, or about an object
/// that could not be read.
pub fn without_consequences(first: Vec<Mistake>, later: Vec<Mistake>, unread: &[String]) -> Vec<Mistake> {
    let is_new = |mistake: &Mistake| {
        !first.iter().any(|known| known.field == mistake.field)
            && !unread.iter().any(|id| mistake.message.contains(id.as_str()))
    };
    let later: Vec<_> = later.into_iter().filter(is_new).collect();
    first.into_iter().chain(later).collect()
}
