//! Use cases of administrators on settings objects. One mechanism serves every kind: a kind says in
//! [`Managed`] where its objects are, what its spec may refer to and how it is shown.
//!
//! Deliberately absent: who may do it (the handlers' permissions), and SQL (the store).

mod gateways;
mod hosts;
mod icons;
mod invitations;
mod kinds;
mod references;
mod tokens;
mod users;

use oriel_model::{
    Id, Kind, Object, Spec,
    site::Site,
    validate::{self, Mistake, Mistakes},
};
use oriel_store::{Author, CommitError, Transaction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    Broker,
    farm::{FarmView, Objects},
};

pub use gateways::{GatewayState, GatewayView};
pub use hosts::{HostState, HostView, InstalledApp, InstalledApps, apps, set_logon_mode};
pub use icons::{IconError, NewIcon, create as create_icon};
pub use invitations::{
    InvitationSettings, InvitationState, InvitationView, IssuedInvitation, NewInvitation, create as invite,
};
pub use tokens::{
    ChangedToken, IssuedToken, NewToken, TokenSettings, TokenView, change as change_token,
    create as create_token, find as find_token, same_digest, secret_sha256,
};
pub use users::{NewUser, UserView, create as create_user, members, set_password};

/// A kind of settings object as administrators see it.
pub trait Managed: Spec {
    /// What a list and a single object look like from outside.
    type View: Serialize + JsonSchema + Send;

    /// The objects of this kind.
    fn all(view: &FarmView) -> &Objects<Self>;

    /// An object as it is shown: with what is known at run time, without secrets.
    fn show(broker: &Broker, view: &FarmView, object: &Object<Self>) -> Self::View;

    /// Notes every reference in the spec that leads nowhere. `id` is that of the object; none while
    /// it is being made.
    fn check(&self, _view: &FarmView, _id: Option<Id<Self>>, _mistakes: &mut Mistakes) {}

    /// Names what uses an object, so that it cannot be deleted: `resource "Writer"`.
    fn used_by(_view: &FarmView, _id: Id<Self>) -> Vec<String> {
        Vec::new()
    }

    /// Deletes an object that still has this revision and that nothing uses.
    fn delete(
        broker: &Broker,
        author: Author,
        id: Id<Self>,
        revision: u64,
    ) -> impl Future<Output = Result<(), ChangeError>> + Send {
        async move {
            let _turn = turn().await;
            broker.commit(deletion(broker, author, id, revision)?).await?;
            Ok(())
        }
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

pub(crate) async fn turn() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

/// Which objects of a list are wanted.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListQuery {
    /// Only objects whose name contains this; upper and lower case are the same.
    pub name: Option<String>,
    /// With `name`: only the object that is called exactly this.
    pub exact: bool,
    /// Only objects of this site.
    pub site: Option<Id<Site>>,
    /// Most objects of the answer: 1 to 1000.
    pub limit: Option<usize>,
    /// Go on after this: `next` of the previous answer.
    pub after: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Page<T> {
    /// The objects, in the order of their names.
    pub items: Vec<T>,
    /// Pass it as `after` for the next page; none on the last.
    pub next: Option<String>,
}

/// Objects of one answer unless said otherwise.
pub const LIMIT_DEFAULT: usize = 100;
/// Objects of one answer at most: a table that people still scroll.
pub const LIMIT_MAX: usize = 1_000;

impl ListQuery {
    /// The page's size.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
    }

    fn takes<S: Spec>(&self, object: &Object<S>) -> bool {
        let name = object.name.to_lowercase();
        let named = self.name.as_ref().is_none_or(|wanted| {
            let wanted = wanted.to_lowercase();
            if self.exact { name == wanted } else { name.contains(&wanted) }
        });
        named && self.site.is_none_or(|site| object.site == Some(site))
    }
}

/// One page of the objects of a kind.
pub fn list<S: Managed>(broker: &Broker, query: &ListQuery) -> Page<S::View> {
    list_where::<S>(broker, query, |_| true)
}

/// One page of those objects of a kind for which `wanted` holds.
fn list_where<S: Managed>(
    broker: &Broker,
    query: &ListQuery,
    wanted: impl Fn(&Object<S>) -> bool,
) -> Page<S::View> {
    let view = broker.farm.load();
    let after = query.after.as_ref().map(|name| name.to_lowercase());
    let mut found = S::all(&view)
        .sorted()
        .into_iter()
        .filter(|object| after.as_ref().is_none_or(|after| object.name.to_lowercase() > *after))
        .filter(|object| query.takes(object) && wanted(object));
    let page: Vec<_> = found.by_ref().take(query.limit()).collect();
    let next = found.next().and_then(|_| page.last().map(|object| object.name.clone()));
    Page { items: page.iter().map(|object| S::show(broker, &view, object)).collect(), next }
}

/// One object.
pub fn get<S: Managed>(broker: &Broker, id: Id<S>) -> Result<S::View, ChangeError> {
    let view = broker.farm.load();
    let object = S::all(&view).get(id).ok_or(ChangeError::NotFound(S::KIND))?;
    Ok(S::show(broker, &view, object))
}

/// Makes an object.
pub async fn create<S: Managed>(
    broker: &Broker,
    author: Author,
    new: New<S>,
) -> Result<S::View, ChangeError> {
    let _turn = turn().await;
    let now = broker.now();
    let id = Id::<S>::generate(now);
    check(&broker.farm.load(), None, &new.name, new.site, &new.spec)?;
    references::check_icon(broker, &new.spec).await?;
    broker.commit(Transaction::new(author, now).create(id, new.name, new.site, &new.spec)).await?;
    get(broker, id)
}

/// Replaces name, site and spec of an object that still has this revision.
pub async fn change<S: Managed>(
    broker: &Broker,
    author: Author,
    id: Id<S>,
    revision: u64,
    changed: Changed<S>,
) -> Result<S::View, ChangeError> {
    let _turn = turn().await;
    let view = broker.farm.load();
    let mut object = (**S::all(&view).get(id).ok_or(ChangeError::NotFound(S::KIND))?).clone();
    check(&view, Some(id), &changed.name, changed.site, &changed.spec)?;
    references::check_icon(broker, &changed.spec).await?;
    (object.revision, object.name, object.site) = (revision, changed.name, changed.site);
    object.spec = changed.spec;
    broker.commit(Transaction::new(author, broker.now()).update(&object)).await?;
    get(broker, id)
}

/// What deletes an object that still has this revision, if nothing uses it.
fn deletion<S: Managed>(
    broker: &Broker,
    author: Author,
    id: Id<S>,
    revision: u64,
) -> Result<Transaction, ChangeError> {
    let view = broker.farm.load();
    let object = S::all(&view).get(id).ok_or(ChangeError::NotFound(S::KIND))?;
    let by = S::used_by(&view, id);
    if !by.is_empty() {
        return Err(ChangeError::InUse { kind: S::KIND, name: object.name.clone(), by });
    }
    Ok(Transaction::new(author, broker.now()).delete(id, revision))
}

/// Everything wrong with an object that is to be written: its own limits and its references.
fn check<S: Managed>(
    view: &FarmView,
    id: Option<Id<S>>,
    name: &str,
    site: Option<Id<Site>>,
    spec: &S,
) -> Result<(), ChangeError> {
    let mut mistakes = Mistakes::default();
    validate::name(&mut mistakes, name);
    if let Some(site) = site
        && view.sites.get(site).is_none()
    {
        mistakes.add("site", "does not exist");
    }
    mistakes.within("spec", |m| {
        spec.validate(m);
        spec.check(view, id, m);
    });
    let found = mistakes.into_vec();
    if found.is_empty() { Ok(()) } else { Err(ChangeError::Invalid(found)) }
}
