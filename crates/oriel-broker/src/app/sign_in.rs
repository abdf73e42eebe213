//! Signing in to the portal, staying signed in, and signing out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use jiff::SignedDuration;
use oriel_identity::{Answer, Limits, Refused};
use oriel_model::{Id, Object, Timestamp, gateway::Gateway, rule::ClientKind, site::Site, user::User};
use oriel_net::supervise::ShutdownSignal;
use oriel_rules::rules::Facts;
use oriel_store::{EndedSignIn, SettingsStore, SignIn, StoreError};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::{audit::Event, client::ClientSays, policy, welcome::NotWelcome};
use crate::{Broker, behind, farm::FarmView, hosts::lock, sign_in_token::SealedSignIn, throttle::TooMany};

/// A use of a sign-in within this part of its idle time seals no new one: a page makes dozens of
/// requests, and a cookie for each would be waste.
const RENEWAL_PART: i64 = 10;

/// Ended sign-ins that wait to be stored; beyond it the oldest are forgotten (in memory they count on).
const UNSTORED_MAX: usize = 10_000;

/// Somebody who is signed in, and where they come from.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub user: Arc<Object<User>>,
    /// Their sign-in.
    pub sign_in: SealedSignIn,
    /// Where the client is, as its gateway saw it.
    pub address: IpAddr,
    /// The gateway they came through.
    pub gateway: Option<Id<Gateway>>,
    /// The site they signed in to.
    pub site: Option<Id<Site>>,
}

impl SignedIn {
    /// What rules look at. What the client says now counts before what it said at the sign-in; where it
    /// is, and by which gateway it came, it is not asked.
    pub fn facts(&self, client: &ClientSays) -> Facts {
        let said = client.clone().or(&self.sign_in.client);
        Facts {
            user: Some(self.user.id),
            groups: self.user.spec.groups.clone(),
            site: self.site,
            gateway: self.gateway,
            theme: None,
            client_name: said.name,
            client_os: said.operating_system,
            client: said.kind.or(Some(ClientKind::Browser)),
            client_version: said.version,
            address: Some(self.address),
            hardware_id: None,
        }
    }

    /// The time zone of the user's device, as it says.
    pub fn zone<'a>(&'a self, client: &'a ClientSays) -> Option<&'a str> {
        client.time_zone.as_deref().or(self.sign_in.client.time_zone.as_deref())
    }
}

/// Why somebody was not signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Name or password is wrong, or anything else that would tell a guesser something.
    #[error("the user name or the password is wrong")]
    Refused,
    /// The right password, which is not good any more.
    #[error("your password has expired or must be changed")]
    ChangePassword,
    /// Their directory does not answer.
    #[error("the directory that knows you does not answer")]
    Unavailable,
    /// Too many at once; worth trying again.
    #[error("too many people are signing in at once; try again in a moment")]
    Busy,
    /// Too many tries from this address or for this account.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The right password, but not now or not with this client.
    #[error(transparent)]
    NotWelcome(#[from] NotWelcome),
    /// Nothing can be sealed.
    #[error("the operating system gave no random bytes")]
    OutOfRandomness,
}

/// There is no sign-in, or it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("you are signed out")]
pub struct SignedOut;

impl Broker {
    /// Lets somebody in: the sign-in, and its sealed form for the cookie. Unknown names, wrong
    /// passwords, disabled and locked accounts get the same answer after the same work.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Zeroizing<String>,
        address: IpAddr,
        gateway: Option<Id<Gateway>>,
        client: ClientSays,
    ) -> Result<(SignedIn, String), SignInError> {
        let now = self.now();
        self.throttle.sign_in(address, name, now)?;
        let limits = Limits::from(&self.farm.load().farm().sign_in);
        let authenticated = match self.people.sign_in(name, password, Some(address), now, &limits).await {
            Ok(authenticated) => authenticated,
            Err(refused) => {
                let name: String = name.chars().take(64).collect();
                self.record(&Event::SignInRefused { user_name: &name, address, why: &refused.to_string() });
                self.notifications.tally.sign_in_refused(now);
                return Err(match refused.answer() {
                    // Users of the portal are asked for no code.
                    Answer::Wrong | Answer::CodeNeeded | Answer::WrongCode => SignInError::Refused,
                    Answer::ChangePassword => SignInError::ChangePassword,
                    Answer::TryAgain if matches!(refused, Refused::Unavailable(_)) => {
                        SignInError::Unavailable
                    }
                    Answer::TryAgain => SignInError::Busy,
                });
            }
        };
        let view = self.farm.load();
        // Deleted or disabled while the password was compared.
        let user = view.person_at(authenticated.user, self.now()).ok_or(SignInError::Refused)?;
        let sign_in = new_sign_in(&view, &user, client, self.now()).ok_or(SignInError::Refused)?;
        let site = view.site_of(gateway, self.broker_id);
        let mut signed_in = SignedIn { user, sign_in, address, gateway, site };
        let welcome = self.welcome(&signed_in, &ClientSays::default()).await;
        if let Err(refused) = welcome.may_sign_in() {
            let (user_name, why) = (&*signed_in.user.name, &*refused.to_string());
            self.record(&Event::SignInRefused { user_name, address, why });
            self.notifications.tally.sign_in_refused(now);
            return Err(refused.into());
        }
        signed_in.sign_in.idle_until =
            idle_until(&signed_in.sign_in, self.now(), idle_time(&view, &signed_in));
        let sealed = self.sign_in_key.seal(&signed_in.sign_in).ok_or(SignInError::OutOfRandomness)?;
        let user = &signed_in.user;
        self.record(&Event::SignedIn { user: user.id, user_name: &user.name, address });
        Ok((signed_in, sealed))
    }

    /// Makes sure that whoever uses a sealed sign-in is known, if a directory knows them.
    pub async fn meet_user(self: &Arc<Self>, token: &str) {
        if !self.farm.load().directories.is_empty()
            && let Ok(sign_in) = self.sign_in_key.open(token, self.now())
            && let Some(whose) = &sign_in.directory
        {
            self.meet(whose).await;
        }
    }

    /// Who a sealed sign-in belongs to, if it still counts. Of a directory's people is asked what was known last;
    /// [`Broker::meet_user`] comes before.
    pub fn signed_in(
        &self,
        token: &str,
        address: IpAddr,
        gateway: Option<Id<Gateway>>,
    ) -> Result<SignedIn, SignedOut> {
        let sign_in = self.sign_in_key.open(token, self.now()).map_err(|_| SignedOut)?;
        if self.ended_sign_ins.contains(sign_in.id) {
            return Err(SignedOut);
        }
        let view = self.farm.load();
        let user = view.person_at(sign_in.user, self.now()).ok_or(SignedOut)?;
        if view.credential_revision(user.id) != Some(sign_in.credential_revision) {
            return Err(SignedOut);
        }
        let site = view.site_of(gateway, self.broker_id);
        Ok(SignedIn { user, sign_in, address, gateway, site })
    }

    /// A new sealed form when some of the idle time is used up; none: the present one will do.
    pub fn renewed(&self, signed_in: &SignedIn) -> Option<String> {
        let idle = idle_time(&self.farm.load(), signed_in);
        let fresh = idle_until(&signed_in.sign_in, self.now(), idle);
        let gained = fresh.duration_since(signed_in.sign_in.idle_until);
        if gained.as_secs() * RENEWAL_PART < idle.as_secs() {
            return None;
        }
        self.sign_in_key.seal(&SealedSignIn { idle_until: fresh, ..signed_in.sign_in.clone() })
    }

    /// Ends a sign-in, at once on this broker.
    pub fn sign_out(&self, signed_in: &SignedIn) {
        self.ended_sign_ins
            .end(EndedSignIn { id: signed_in.sign_in.id, until: signed_in.sign_in.expires_at });
        let (user, address) = (&signed_in.user, signed_in.address);
        self.record(&Event::SignedOut { user: user.id, user_name: &user.name, address });
    }
}

fn new_sign_in(
    view: &FarmView,
    user: &Object<User>,
    client: ClientSays,
    now: Timestamp,
) -> Option<SealedSignIn> {
    let lifetime = SignedDuration::from_hours(view.farm().sign_in.lifetime_hours.into());
    let expires_at = now.checked_add(lifetime).ok()?;
    Some(SealedSignIn {
        id: Id::generate(now),
        user: user.id,
        directory: view.kept_in(user.id),
        credential_revision: view.credential_revision(user.id)?,
        factor_revision: None,
        issued_at: now,
        expires_at,
        idle_until: expires_at,
        client,
    })
}

/// How long a sign-in may lie idle: as the farm says, and no longer than the client's policy does.
fn idle_time(view: &FarmView, signed_in: &SignedIn) -> SignedDuration {
    let of_farm = view.farm().sign_in.idle_minutes;
    let effective = policy::effective(view, &signed_in.facts(&ClientSays::default()));
    let of_policy = policy::sign_out(&effective.settings);
    SignedDuration::from_mins(of_policy.map_or(of_farm, |minutes| minutes.min(of_farm)).into())
}

fn idle_until(sign_in: &SealedSignIn, now: Timestamp, idle: SignedDuration) -> Timestamp {
    now.checked_add(idle).unwrap_or(sign_in.expires_at).min(sign_in.expires_at)
}

/// Sign-ins that were ended before their time. In memory first, stored behind: signing out must not
/// wait for the store.
#[derive(Debug, Default)]
pub struct EndedSignIns {
    ended: Mutex<HashMap<Id<SignIn>, Timestamp>>,
    unstored: Mutex<Vec<EndedSignIn>>,
    written_to: Notify,
}

impl EndedSignIns {
    /// Those that the store remembers.
    pub async fn load_from(store: &dyn SettingsStore, now: Timestamp) -> Result<Self, StoreError> {
        let ended =
            store.ended_sign_ins(now).await?.into_iter().map(|ended| (ended.id, ended.until)).collect();
        Ok(Self { ended: Mutex::new(ended), ..Self::default() })
    }

    /// Whether a sign-in was ended.
    pub fn contains(&self, id: Id<SignIn>) -> bool {
        lock(&self.ended).contains_key(&id)
    }

    /// Ends one.
    pub fn end(&self, ended: EndedSignIn) {
        lock(&self.ended).insert(ended.id, ended.until);
        let mut unstored = lock(&self.unstored);
        if unstored.len() >= UNSTORED_MAX {
            unstored.remove(0);
        }
        unstored.push(ended);
        drop(unstored);
        self.written_to.notify_one();
    }

    /// Stores behind, until the signal; then once more. Forgets those that have expired.
    pub async fn write_behind(
        &self,
        store: &dyn SettingsStore,
        clock: &dyn oriel_net::clock::Clock,
        signal: ShutdownSignal,
    ) {
        behind::write_behind(&self.written_to, signal, || self.write_all(store, clock.now())).await;
    }

    async fn write_all(&self, store: &dyn SettingsStore, now: Timestamp) -> bool {
        lock(&self.ended).retain(|_, until| *until > now);
        let mut waiting = std::mem::take(&mut *lock(&self.unstored));
        while let Some(ended) = waiting.last() {
            if let Err(error) = store.end_sign_in(*ended, now).await {
                tracing::warn!(%error, "an ended sign-in could not be stored; trying again");
                waiting.append(&mut lock(&self.unstored));
                waiting.truncate(UNSTORED_MAX);
                *lock(&self.unstored) = waiting;
                return false;
            }
            waiting.pop();
        }
        true
    }
}
