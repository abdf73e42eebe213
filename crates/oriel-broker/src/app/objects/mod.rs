//! Use cases of administrators on settings objects. One mechanism serves every kind: a kind says in
//! [`Managed`] where its objects are, what its spec may refer to and how it is shown.
//!
//! What may be seen and done is asked of the caller's rights here; the handlers ask beforehand whether it
//! may be done at all. Deliberately absent: SQL (the store).

mod administrators;
mod directories;
mod effective;
mod gateways;
mod hosts;
mod icons;
mod invitations;
mod kinds;
mod list;
mod pools;
mod references;
mod referrers;
mod resources;
mod stale;
mod tokens;
mod users;
mod view;

use std::{borrow::Cow, sync::Arc};

use oriel_model::{
    Id, Kind, Object, Timestamp,
    permission::Action,
    site::Site,
    validate::{self, Mistake, Mistakes},
};
use oriel_store::{CommitError, Transaction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    Broker,
    app::{
        administrators::{Caller, Forbidden, Rights, target_of},
        documents::draft::{Draft, Kept},
    },
    farm::{FarmView, Held},
};

pub(in crate::app) use administrators::root_can_sign_in;
pub use effective::EffectiveSite;
pub use gateways::GatewayState;
pub use hosts::{HostState, InstalledApp, InstalledApps, apps, set_logon_mode};
pub use icons::{IconError, NewIcon, create as create_icon, icon_of};
pub use invitations::{InvitationSettings, InvitationState, IssuedInvitation, NewInvitation};
pub use list::{Cut, ListError, ListQuery, Page, Row, Selection, limit};
pub(super) use references::{check as check_references, users_of};
pub use referrers::{Referrers, referrers};
pub use resources::{Moved, Moves, move_resources};
pub use stale::{Stale, leave_out_digests};
pub(crate) use tokens::random_secret;
pub use tokens::{
    IssuedToken, NewToken, TokenError, TokenFacts, TokenSettings, find as find_token,
    rights_of as rights_of_token, same_digest, secret_sha256,
};
pub(in crate::app) use users::hashed;
pub use users::{NewUser, UserFacts, members, remove_factor, set_password};
pub use view::{Nothing, Revised, View};

/// A kind of settings object as administrators see it.
pub trait Managed: Held {
    /// What of its spec is shown, and taken: all but what is secret.
    type Shown: Clone + Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// What is shown of it beside what is set.
    type Beside: Serialize + JsonSchema + Send + 'static;
    /// What is sent to make one.
    type New: DeserializeOwned + JsonSchema + Send + 'static;
    /// What is answered when one was made: the object, perhaps with a secret that is shown once.
    type Made: Serialize + JsonSchema + Send + Revised + 'static;

    /// What of the spec is shown.
    fn shown(&self) -> Cow<'_, Self::Shown>;

    /// The spec that says what was sent; what is not shown stays as it is `now`.
    fn said(sent: Self::Shown, now: &Self) -> Self;

    /// What is shown beside what is set.
    fn beside(broker: &Broker, view: &FarmView, object: &Object<Self>) -> Self::Beside;

    /// Makes one.
    fn make(
        broker: &Broker,
        by: &Caller,
        new: Self::New,
    ) -> impl Future<Output = Result<Self::Made, ChangeError>> + Send;

    /// Notes what is wrong with the spec among the other objects, beyond references that lead nowhere.
    /// `view` is the farm as it would be, this object included; `before` is what the object says now.
    fn check(&self, _view: &FarmView, _id: Id<Self>, _before: Option<&Self>, _mistakes: &mut Mistakes) {}

    /// Names what else keeps `object` from being deleted, beyond the references to it. `view` is the farm
    /// as it would be without it.
    fn kept_by(_object: &Object<Self>, _view: &FarmView) -> Vec<String> {
        Vec::new()
    }
}

/// What an administrator sends to make an object.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct New<S> {
    /// Its name, unique among the objects of its kind.
    pub name: String,
    /// The site it belongs to; none when it belongs to the farm.
    #[serde(default)]
    pub site: Option<Id<Site>>,
    /// What is set. An absent field inherits, or has its default.
    pub spec: S,
}

/// What an administrator sends to change an object: all of it, as it shall be.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed<S> {
    /// Its name.
    pub name: String,
    /// The site it belongs to.
    #[serde(default)]
    pub site: Option<Id<Site>>,
    /// What is set, whole: what is left out inherits, or has its default.
    pub spec: S,
    /// The revision that was read; or say it in the header If-Match.
    #[serde(default)]
    pub revision: Option<u64>,
}

/// Why an administrator's change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such object.
    #[error("there is no {0} with this id")]
    NotFound(Kind),
    /// These fields are wrong.
    #[error("what was sent is not valid")]
    Invalid(Vec<Mistake>),
    /// It is needed elsewhere.
    #[error("{kind} \"{name}\" is in use by {}", listed(.by))]
    InUse {
        /// Kind of the object.
        kind: Kind,
        /// Its name.
        name: String,
        /// What uses it.
        by: Vec<String>,
    },
    /// The farm's directory has been changed by others, or the store says no.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// It is not the object that was read: others have changed it since.
    #[error(
        "{kind} \"{name}\" was changed by {} at {} in the meantime (revision {}, yours is based on {based_on})",
        .since.changed_by, .since.changed_at, .since.revision
    )]
    Stale {
        /// Kind of the object.
        kind: Kind,
        /// Its name now.
        name: String,
        /// The revision that the change was based on.
        based_on: u64,
        /// What has become of the object since.
        since: Box<Stale>,
    },
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The list cannot be had like this.
    #[error(transparent)]
    List(#[from] ListError),
    /// Too many passwords wait to be hashed.
    #[error("the broker is busy hashing passwords; try again in a moment")]
    Busy,
}

/// More users of an object than this are counted, not named.
const NAMED_USERS_MAX: usize = 5;

fn listed(by: &[String]) -> String {
    let named = by.iter().take(NAMED_USERS_MAX).cloned().collect::<Vec<_>>().join(", ");
    match by.len().saturating_sub(NAMED_USERS_MAX) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// References are checked against this broker's memory and then written, so changes by administrators
/// go through one at a time; what another broker writes in between is caught by revisions, and a
/// reference that leads nowhere is left out when it is read.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Waits for the caller's turn to change settings.
pub(crate) async fn turn() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

/// One page of the objects of a kind that the caller may see.
pub fn list<S: Managed>(
    broker: &Broker,
    rights: &Rights,
    query: &ListQuery,
) -> Result<Page<View<S>>, ListError> {
    list_where::<S>(broker, rights, query, |_| true)
}

/// One page of those objects of a kind for which `wanted` holds.
fn list_where<S: Managed>(
    broker: &Broker,
    rights: &Rights,
    query: &ListQuery,
    wanted: impl Fn(&Object<S>) -> bool,
) -> Result<Page<View<S>>, ListError> {
    let selection = Selection::read::<View<S>>(&query.cut(), "name")?;
    let view = broker.farm.load();
    let named = query.name.as_deref().map(|name| (validate::fold(name), query.exact));
    let is_named = |name: &str| match &named {
        None => true,
        Some((wanted, true)) => name == wanted,
        Some((wanted, false)) => name.contains(wanted),
    };
    let rows = |after: Option<&str>| {
        let all = S::all(&view).in_order(after).filter(|(name, _)| is_named(name));
        let all = all.filter(|(_, object)| query.site.is_none_or(|site| object.site == Some(site)));
        let all = all.filter(|(_, object)| wanted(object) && rights.sees(object));
        all.map(|(name, item)| Row { place: name, item })
    };
    Ok(selection.page(rows, |object| View::of(broker, &view, object)))
}

/// One object. What the caller may not see is not there.
pub fn get<S: Managed>(broker: &Broker, rights: &Rights, id: Id<S>) -> Result<View<S>, ChangeError> {
    let view = broker.farm.load();
    let object = seen(&view, rights, id)?;
    Ok(View::of(broker, &view, object))
}

/// The object, if it is there and the caller may see it.
fn seen<'v, S: Managed>(
    view: &'v FarmView,
    rights: &Rights,
    id: Id<S>,
) -> Result<&'v Arc<Object<S>>, ChangeError> {
    S::all(view).get(id).filter(|object| rights.sees(object)).ok_or(ChangeError::NotFound(S::KIND))
}

/// An object that the caller may see.
pub fn seen_by<S: Managed>(
    broker: &Broker,
    rights: &Rights,
    id: Id<S>,
) -> Result<Arc<Object<S>>, ChangeError> {
    seen(&broker.farm.load(), rights, id).cloned()
}

/// The revision that an object has now.
pub fn revision<S: Managed>(broker: &Broker, rights: &Rights, id: Id<S>) -> Result<u64, ChangeError> {
    let view = broker.farm.load();
    seen(&view, rights, id).map(|object| object.revision)
}

/// An object to which the caller may do this.
pub fn permitted<S: Managed>(
    broker: &Broker,
    rights: &Rights,
    action: Action,
    id: Id<S>,
) -> Result<Arc<Object<S>>, ChangeError> {
    let view = broker.farm.load();
    let object = seen(&view, rights, id)?;
    if !rights.on(action, &target_of(object)) {
        let what = serde_json::to_value(action).unwrap_or_default();
        let what = what.as_str().unwrap_or("use");
        return Err(Forbidden(format!("{what} {} \"{}\"", S::KIND, object.name)).into());
    }
    Ok(object.clone())
}

/// Makes an object.
pub async fn create<S: Managed>(broker: &Broker, by: &Caller, new: New<S>) -> Result<View<S>, ChangeError> {
    let _turn = turn().await;
    let now = broker.now();
    let id = Id::<S>::generate(now);
    check(broker.farm.load(), id, &new.name, new.site, &new.spec)?;
    references::check_icon(broker, &new.spec).await?;
    broker
        .commit_by(by, Transaction::new(by.author.clone(), now).create(id, new.name, new.site, &new.spec))
        .await?;
    get(broker, &by.rights, id)
}

/// Replaces name, site and spec of an object that still has this revision.
pub async fn change<S: Managed>(
    broker: &Broker,
    by: &Caller,
    id: Id<S>,
    revision: u64,
    changed: Changed<S::Shown>,
) -> Result<View<S>, ChangeError> {
    let _turn = turn().await;
    let view = broker.farm.load();
    let mut object = (**seen(&view, &by.rights, id)?).clone();
    must_be_fresh(broker, &object, revision).await?;
    let spec = S::said(changed.spec, &object.spec);
    check(view.clone(), id, &changed.name, changed.site, &spec)?;
    references::check_icon(broker, &spec).await?;
    (object.revision, object.name, object.site, object.spec) = (revision, changed.name, changed.site, spec);
    broker.commit_by(by, Transaction::new(by.author.clone(), broker.now()).update(&object)).await?;
    get(broker, &by.rights, id)
}

/// What an object would be changed to by a merge patch (RFC 7396) of its name, site and spec.
pub fn patched<S: Managed>(
    broker: &Broker,
    rights: &Rights,
    id: Id<S>,
    patch: Map<String, Value>,
) -> Result<Value, ChangeError> {
    let view = broker.farm.load();
    let object = seen(&view, rights, id)?;
    let mut whole = json!({"name": object.name, "site": object.site, "spec": object.spec.shown()});
    merge(&mut whole, Value::Object(patch));
    Ok(whole)
}

/// RFC 7396, 2. Processing Merge Patch Documents. What was read from JSON is not deeper than its reader
/// allows.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Deletes an object that still has this revision and that nothing uses.
pub async fn delete<S: Managed>(
    broker: &Broker,
    by: &Caller,
    id: Id<S>,
    revision: u64,
) -> Result<(), ChangeError> {
    let _turn = turn().await;
    let view = broker.farm.load();
    let object = seen(&view, &by.rights, id)?;
    must_be_fresh(broker, object, revision).await?;
    let mut draft = Draft::new(view.clone());
    draft.delete("", S::KIND, id.cast());
    if let Some(Kept { by, .. }) = draft.kept().pop() {
        return Err(ChangeError::InUse { kind: S::KIND, name: object.name.clone(), by });
    }
    broker.commit_by(by, Transaction::new(by.author.clone(), broker.now()).delete(id, revision)).await?;
    Ok(())
}

/// Refuses a change that is based on an older revision, with what has become of the object since.
async fn must_be_fresh<S: Managed>(
    broker: &Broker,
    object: &Object<S>,
    based_on: u64,
) -> Result<(), ChangeError> {
    if object.revision == based_on {
        return Ok(());
    }
    let told = stale::since(&*broker.store, object.id.cast(), based_on).await.map_err(CommitError::from)?;
    // A revision that is not there yet: then nothing has happened since.
    let since = told.unwrap_or_else(|| Stale {
        revision: object.revision,
        changed_by: object.changed_by.clone(),
        changed_at: object.changed_at,
        changes: Vec::new(),
    });
    let (kind, name) = (S::KIND, object.name.clone());
    Err(ChangeError::Stale { kind, name, based_on, since: Box::new(since) })
}

/// Everything wrong with an object that is to be written, checked on the farm as it would be.
pub(in crate::app) fn check<S: Managed>(
    view: Arc<FarmView>,
    id: Id<S>,
    name: &str,
    site: Option<Id<Site>>,
    spec: &S,
) -> Result<(), ChangeError> {
    let mut draft = Draft::new(view);
    draft.put(
        "",
        Object {
            id,
            name: name.to_owned(),
            site,
            spec: spec.clone(),
            revision: 0,
            changed_at: Timestamp::UNIX_EPOCH,
            changed_by: String::new(),
        },
    );
    let mut mistakes = Mistakes::default();
    draft.check(&mut mistakes);
    let found = mistakes.into_vec();
    if found.is_empty() { Ok(()) } else { Err(ChangeError::Invalid(found)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn a_patch_is_merged_as_the_standard_says() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, patch.clone());
            assert_eq!(merged, result, "{target} patched with {patch}");
        }
    }
}
