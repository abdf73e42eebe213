//! Signing in to the management portal. As for users, brokers keep no table that a sign-in needs: the
//! sealed cookie says whose it is, and what they may do is looked up at every call. What is kept in
//! memory is who was here lately, so that administrators can see and end each other's sign-ins.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use jiff::SignedDuration;
use oriel_identity::{Answer, Authenticated, Limits, Refused, SecondFactor};
use oriel_model::{Id, Object, Timestamp, farm, user::User};
use oriel_store::{Author, EndedSignIn, SignIn, Via};
use zeroize::Zeroizing;

use super::{Caller, Rights, Source};
use crate::{
    Broker,
    app::{audit::Event, client::ClientSays, factor::Factor, objects::rights_of_token},
    farm::FarmView,
    hosts::lock,
    sign_in_token::SealedSignIn,
    throttle::TooMany,
};

/// Sign-ins that are shown at most; the one that was quiet longest goes. It still counts.
const SHOWN_MAX: usize = 1_000;
/// Longest description of a browser that is kept, in characters.
const BROWSER_MAX: usize = 200;

/// Why nobody was signed in to the management portal.
#[derive(Debug, thiserror::Error)]
pub enum RefusedSignIn {
    /// Wrong name or password, locked, disabled, or no administrator: callers are not told which.
    #[error("name or password is wrong, or this user is no administrator")]
    Refused,
    /// The password is right; a code is wanted beside it.
    #[error("a code of your authenticator is wanted beside the password")]
    CodeNeeded,
    /// The password is right, the code is not.
    #[error("the code is wrong, or was used before")]
    WrongCode,
    /// Too many passwords wait to be compared.
    #[error("the broker is busy; try again in a moment")]
    Busy,
    /// Too many attempts.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    OutOfRandomness,
}

/// An administrator who is signed in.
#[derive(Debug, Clone)]
pub struct SignedInAdministrator {
    /// Who.
    pub user: Arc<Object<User>>,
    /// What they may do.
    pub rights: Rights,
    /// Their sign-in.
    pub sign_in: SealedSignIn,
    /// Whether they may do nothing but set up a second factor.
    pub must_enrol: bool,
}

impl SignedInAdministrator {
    /// As the caller of the management API.
    pub fn caller(self, address: Option<IpAddr>) -> Caller {
        let author = Author { name: format!("user {}", self.user.name), via: Via::Portal, address };
        let source = Source::SignIn { id: self.sign_in.id, user: self.user.id };
        Caller { author, rights: self.rights, source, must_enrol: self.must_enrol }
    }
}

/// A sign-in of an administrator, as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Which.
    pub id: Id<SignIn>,
    /// Whose.
    pub user: Id<User>,
    /// Where from, last.
    pub address: Option<IpAddr>,
    /// What the browser says of itself.
    pub browser: String,
    /// Since when.
    pub since: Timestamp,
    /// When they last did something.
    pub active_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// What was shown to sign in.
    shown: Shown,
}

/// What was shown to sign in. With a new one of either, the sign-in counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    credential_revision: u64,
    factor_revision: Option<u64>,
}

impl Shown {
    fn at(sign_in: &SealedSignIn) -> Self {
        Self { credential_revision: sign_in.credential_revision, factor_revision: sign_in.factor_revision }
    }
}

/// Who was here lately.
#[derive(Debug, Default)]
pub struct Presences(Mutex<HashMap<Id<SignIn>, Presence>>);

impl Presences {
    /// Those whose sign-in still counts at `now`, the newest first.
    pub fn at(&self, now: Timestamp) -> Vec<Presence> {
        let mut all = lock(&self.0);
        all.retain(|_, one| now < one.expires_at);
        let mut found: Vec<_> = all.values().cloned().collect();
        found.sort_by_key(|one| (std::cmp::Reverse(one.since), one.id));
        found
    }

    /// One of them.
    pub fn get(&self, id: Id<SignIn>) -> Option<Presence> {
        lock(&self.0).get(&id).cloned()
    }

    fn saw(&self, sign_in: &SealedSignIn, address: Option<IpAddr>, browser: &str, at: Timestamp) {
        let mut all = lock(&self.0);
        if !all.contains_key(&sign_in.id) && all.len() >= SHOWN_MAX {
            let quietest = all.values().min_by_key(|one| one.active_at).map(|one| one.id);
            quietest.map(|id| all.remove(&id));
        }
        let browser = browser.chars().filter(|c| !c.is_control()).take(BROWSER_MAX).collect();
        let (id, user, since) = (sign_in.id, sign_in.user, sign_in.issued_at);
        let (expires_at, shown) = (sign_in.expires_at, Shown::at(sign_in));
        all.insert(id, Presence { id, user, address, browser, since, active_at: at, expires_at, shown });
    }

    fn proved(&self, sign_in: &SealedSignIn) {
        if let Some(one) = lock(&self.0).get_mut(&sign_in.id) {
            one.shown = Shown::at(sign_in);
        }
    }

    fn gone(&self, id: Id<SignIn>) -> Option<Presence> {
        lock(&self.0).remove(&id)
    }
}

impl Broker {
    /// Lets an administrator in: the sign-in, and its sealed form for the cookie. Whoever is refused gets
    /// the same answer after the same work.
    pub async fn sign_in_administrator(
        &self,
        name: &str,
        password: Zeroizing<String>,
        code: Option<&str>,
        address: IpAddr,
        browser: &str,
    ) -> Result<(SignedInAdministrator, String), RefusedSignIn> {
        self.throttle.sign_in(address, name, self.now())?;
        let limits = Limits::from(&self.farm.load().farm().sign_in);
        let refused = |why: &str| {
            let name: String = name.chars().take(64).collect();
            self.record(&Event::AdministratorRefused { user_name: &name, address, why });
            self.notifications.tally.sign_in_refused(self.now());
            RefusedSignIn::Refused
        };
        let second = |authenticated: Authenticated| self.second_factor(authenticated.user, code);
        let signing_in = self.people.sign_in_with(name, password, second, Some(address), self.now(), &limits);
        let authenticated = match signing_in.await {
            Ok(authenticated) => authenticated,
            // The second half of signing in is still to come.
            Err(Refused::CodeNeeded) => return Err(RefusedSignIn::CodeNeeded),
            Err(error) => {
                let told = refused(&error.to_string());
                return Err(match error.answer() {
                    Answer::TryAgain => RefusedSignIn::Busy,
                    Answer::WrongCode => RefusedSignIn::WrongCode,
                    Answer::Wrong | Answer::ChangePassword | Answer::CodeNeeded => told,
                });
            }
        };
        let view = self.farm.load();
        let user = view.person_at(authenticated.user, self.now());
        let user = user.ok_or_else(|| refused("deleted or disabled in the meantime"))?;
        let rights = Rights::of_user(&view, &user).ok_or_else(|| refused("no administrator"))?;
        let must_enrol = must_enrol(&view, user.id);
        let sign_in = self.new_administrator_sign_in(&view, user.id).ok_or(RefusedSignIn::OutOfRandomness)?;
        let sealed = self.administrator_key().seal(&sign_in).ok_or(RefusedSignIn::OutOfRandomness)?;
        self.record(&Event::AdministratorSignedIn { user: user.id, user_name: &user.name, address });
        self.presences.saw(&sign_in, Some(address), browser, self.now());
        Ok((SignedInAdministrator { user, rights, sign_in, must_enrol }, sealed))
    }

    /// Whether somebody with the right password shows their second factor, where one is wanted.
    async fn second_factor(&self, user: Id<User>, code: Option<&str>) -> SecondFactor {
        let is_wanted = {
            let view = self.farm.load();
            // That they are no administrator they are told as everybody is.
            let is_administrator =
                view.person(user).is_some_and(|user| Rights::of_user(&view, &user).is_some());
            is_administrator && factor_wanted(&view, user).is_some()
        };
        match code {
            _ if !is_wanted => SecondFactor::Shown,
            None => SecondFactor::Needed,
            Some(code) => self.check_code(user, code).await,
        }
    }

    /// Makes sure that whoever uses a sealed sign-in is known, if a directory knows them.
    pub async fn meet_administrator(self: &Arc<Self>, sealed: &str) {
        if !self.farm.load().directories.is_empty()
            && let Ok(sign_in) = self.administrator_key().open(sealed, self.now())
            && let Some(whose) = &sign_in.directory
        {
            self.meet(whose).await;
        }
    }

    /// The administrator whom a sealed sign-in belongs to, if it still counts. Whoever is no administrator
    /// any more is not signed in any more.
    pub fn administrator_signed_in(&self, sealed: &str) -> Option<SignedInAdministrator> {
        let sign_in = self.administrator_key().open(sealed, self.now()).ok()?;
        if self.ended_sign_ins.contains(sign_in.id) {
            return None;
        }
        let view = self.farm.load();
        let (user, rights) = still(&view, sign_in.user, Shown::at(&sign_in), self.now())?;
        let must_enrol = must_enrol(&view, user.id);
        Some(SignedInAdministrator { user, rights, sign_in, must_enrol })
    }

    /// What a caller may do now; none: their token or sign-in counts no more. For what goes on for long.
    pub fn rights_now(&self, caller: &Caller) -> Option<Rights> {
        let (view, now) = (self.farm.load(), self.now());
        match caller.source {
            Source::System => Some(Rights::everything()),
            Source::Token(id) => {
                let token = view.tokens.get(id)?;
                rights_of_token(&view, &token.spec, now).ok()
            }
            Source::SignIn { id, user } => {
                let presence = self.presences.get(id)?;
                let is_in_time = is_in_time(&view, &presence, now);
                let (user, rights) = still(&view, user, presence.shown, now)?;
                (is_in_time && !must_enrol(&view, user.id)).then_some(rights)
            }
        }
    }

    /// Who is signed in now: not those who were idle for too long, nor whose password is another by now.
    pub fn present(&self) -> Vec<Presence> {
        let (view, now) = (self.farm.load(), self.now());
        let mut all = self.presences.at(now);
        all.retain(|one| is_in_time(&view, one, now) && still(&view, one.user, one.shown, now).is_some());
        all
    }

    /// Notes that an administrator did something, and gives the new sealed form that lasts longer.
    pub fn administrator_active(
        &self,
        administrator: &SignedInAdministrator,
        address: Option<IpAddr>,
        browser: &str,
    ) -> Option<(SealedSignIn, String)> {
        let now = self.now();
        self.presences.saw(&administrator.sign_in, address, browser, now);
        let idle_until = self.idle_until(&administrator.sign_in, now);
        let sign_in = SealedSignIn { idle_until, ..administrator.sign_in.clone() };
        let sealed = self.administrator_key().seal(&sign_in)?;
        Some((sign_in, sealed))
    }

    /// The sign-in of an administrator who has just shown the second factor that they have now.
    pub fn with_factor(&self, sign_in: SealedSignIn) -> Option<(SealedSignIn, String)> {
        let factor_revision = self.farm.load().factors.get(&sign_in.user).map(Factor::revision);
        self.proved(SealedSignIn { factor_revision, ..sign_in })
    }

    /// The sign-in of an administrator who has just chosen the password that they have now.
    pub fn with_password(&self, sign_in: SealedSignIn) -> Option<(SealedSignIn, String)> {
        let credential_revision = self.farm.load().credential_revision(sign_in.user)?;
        self.proved(SealedSignIn { credential_revision, ..sign_in })
    }

    fn proved(&self, sign_in: SealedSignIn) -> Option<(SealedSignIn, String)> {
        self.presences.proved(&sign_in);
        let sealed = self.administrator_key().seal(&sign_in)?;
        Some((sign_in, sealed))
    }

    /// Ends a sign-in of an administrator, at once on this broker; whose it was, if it is known.
    pub fn end_administrator_sign_in(&self, id: Id<SignIn>, by: &Caller) -> Option<Id<User>> {
        let presence = self.presences.gone(id)?;
        self.ended_sign_ins.end(EndedSignIn { id, until: presence.expires_at });
        let view = self.farm.load();
        let user_name = view.person(presence.user).map(|user| user.name.clone()).unwrap_or_default();
        self.record(&Event::AdministratorSignedOut {
            user: presence.user,
            user_name: &user_name,
            by: &by.author,
        });
        Some(presence.user)
    }

    fn new_administrator_sign_in(&self, view: &FarmView, user: Id<User>) -> Option<SealedSignIn> {
        let now = self.now();
        let lifetime = SignedDuration::from_hours(view.farm().administration.lifetime_hours.into());
        let sign_in = SealedSignIn {
            id: Id::generate(now),
            user,
            directory: view.kept_in(user),
            credential_revision: view.credential_revision(user)?,
            factor_revision: factor_wanted(view, user),
            issued_at: now,
            expires_at: now.checked_add(lifetime).ok()?,
            idle_until: now,
            client: ClientSays::default(),
        };
        Some(SealedSignIn { idle_until: self.idle_until(&sign_in, now), ..sign_in })
    }

    fn idle_until(&self, sign_in: &SealedSignIn, now: Timestamp) -> Timestamp {
        let idle = self.farm.load().farm().administration.idle_minutes;
        let until = idle.and_then(|idle| now.checked_add(SignedDuration::from_mins(idle.into())).ok());
        until.unwrap_or(sign_in.expires_at).min(sign_in.expires_at)
    }
}

/// Whether a sign-in has neither expired nor been idle for too long.
fn is_in_time(view: &FarmView, one: &Presence, now: Timestamp) -> bool {
    let idle = view.farm().administration.idle_minutes.map(|idle| SignedDuration::from_mins(idle.into()));
    let idle_until = idle.and_then(|idle| one.active_at.checked_add(idle).ok());
    now < one.expires_at && idle_until.is_none_or(|end| now < end)
}

/// The user and what they may do, if what they showed to sign in still counts.
fn still(
    view: &FarmView,
    user: Id<User>,
    shown: Shown,
    now: Timestamp,
) -> Option<(Arc<Object<User>>, Rights)> {
    let user = view.person_at(user, now)?;
    let is_same = view.credential_revision(user.id)? == shown.credential_revision;
    let wanted = factor_wanted(view, user.id);
    let is_proved = wanted.is_none() || wanted == shown.factor_revision;
    let rights = Rights::of_user(view, &user)?;
    (is_same && is_proved).then_some((user, rights))
}

/// The revision of the second factor that a user must show; none: they have none, or nobody asks.
fn factor_wanted(view: &FarmView, user: Id<User>) -> Option<u64> {
    match view.farm().administration.second_factor {
        farm::SecondFactor::Off => None,
        farm::SecondFactor::Optional | farm::SecondFactor::Required => {
            view.factors.get(&user).map(Factor::revision)
        }
    }
}

/// Whether a user must set up a second factor before anything else.
fn must_enrol(view: &FarmView, user: Id<User>) -> bool {
    view.farm().administration.second_factor == farm::SecondFactor::Required
        && !view.factors.contains_key(&user)
}
