//! Keeps what is known of directories' people true: asks about whoever is in use when the last answer is older
//! than the directory's settings say.

use std::{collections::HashSet, sync::Arc, time::Duration};

use jiff::SignedDuration;
use oriel_identity::{Refused, external, ldap};
use oriel_model::{Id, Kind, Timestamp, directory::Directory, user::User};
use oriel_net::supervise::ShutdownSignal;
use tokio::{sync::watch, task::JoinSet, time::timeout};

use super::{OfDirectory, standing};
use crate::{
    Broker,
    farm::{FarmView, Person},
    hosts::lock,
};

/// How often it looks without being nudged.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long a request of somebody who is known waits for their directory; then it goes on with what is known.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a request of somebody whom this broker does not know waits for their directory.
const PATIENCE_UNKNOWN: Duration = Duration::from_secs(5);
/// People who are asked about at once, all directories together. More wait for the next look.
const ASKING_MAX: usize = 1_000;
/// People of one directory whom the loop asks about at once, which leaves most of its connections to sign-ins.
const AT_ONCE: usize = 4;

/// Runs until the signal.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    let mut changes = broker.farm.changes(&[Kind::Directory]);
    loop {
        let view = broker.farm.load();
        broker.directories.keep_only(|id| view.directories.get(id).is_some());
        let looking = async {
            let mut looking: JoinSet<()> = JoinSet::new();
            for (directory, people) in due(&broker, &view) {
                let broker = broker.clone();
                looking.spawn(async move { ask_about_all(&broker, directory, people).await });
            }
            looking.join_all().await;
        };
        tokio::select! {
            () = signal.given() => return,
            () = looking => {}
        }
        tokio::select! {
            () = signal.given() => return,
            () = changes.next() => {}
            () = broker.directories.flushed.notified() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// Who is in use and due, by directory.
fn due(broker: &Broker, view: &FarmView) -> Vec<(Id<Directory>, Vec<Id<User>>)> {
    if view.directories.is_empty() {
        return Vec::new();
    }
    let connected = broker.gateways.connections().into_iter().map(|one| one.user);
    let with_sessions = broker.hosts.sessions().into_iter().filter_map(|session| session.user);
    let administrators = broker.presences.at(broker.now()).into_iter().map(|one| one.user);
    let in_use: HashSet<_> = connected.chain(with_sessions).chain(administrators).collect();
    let mut due: std::collections::HashMap<_, Vec<_>> = Default::default();
    for user in in_use.into_iter().filter(|user| external::is_derived(*user)) {
        let Some(person) = view.people.get(user) else { continue };
        if is_due(broker, view, user, person.directory, broker.now()) {
            due.entry(person.directory).or_default().push(user);
        }
    }
    due.into_iter().collect()
}

/// Whether a directory can be asked about somebody, and should.
fn is_due(
    broker: &Broker,
    view: &FarmView,
    user: Id<User>,
    directory: Id<Directory>,
    now: Timestamp,
) -> bool {
    let Some(object) = view.directories.get(directory) else { return false };
    let cache = SignedDuration::from_secs(object.spec.membership_cache_secs.into());
    object.spec.enabled
        && object.spec.bind_name.is_some()
        && view.people.is_due(user, cache, now)
        && !broker.directories.rests(directory, now)
}

/// A few at a time, until the directory does not answer.
async fn ask_about_all(broker: &Arc<Broker>, directory: Id<Directory>, people: Vec<Id<User>>) {
    for some in people.chunks(AT_ONCE) {
        if broker.directories.rests(directory, broker.now()) {
            return;
        }
        let mut asking = JoinSet::new();
        for user in some {
            let Some(person) = broker.farm.load().people.get(*user) else { continue };
            if let Some(mut asked) = broker.ask_about(directory, &person.external) {
                asking.spawn(async move { drop(asked.wait_for(|done| *done).await) });
            }
        }
        asking.join_all().await;
    }
}

impl Broker {
    /// Makes sure that somebody whose sign-in is used is known, and that what is known is not too old. Waits a
    /// bounded time for their directory, and not at all while it is known to be out of reach.
    pub async fn meet(self: &Arc<Self>, whose: &OfDirectory) {
        let OfDirectory { directory, external } = whose;
        let (view, user) = (self.farm.load(), external::user_id(*directory, external));
        if !is_due(self, &view, user, *directory, self.now()) {
            return;
        }
        let patience = if view.people.get(user).is_some() { PATIENCE } else { PATIENCE_UNKNOWN };
        if let Some(mut asked) = self.ask_about(*directory, external) {
            // Too slow: what is known has to do.
            let _ = timeout(patience, asked.wait_for(|done| *done)).await;
        }
    }

    /// As [`Broker::meet`], for somebody whom an object stands for or who was here before.
    pub async fn meet_known(self: &Arc<Self>, user: Id<User>) {
        let view = self.farm.load();
        let external = view.users.get(user).and_then(|user| user.spec.external.clone());
        let chosen = external.map(|one| OfDirectory { directory: one.directory, external: one.id });
        if let Some(whose) = chosen.or_else(|| view.kept_in(user)) {
            self.meet(&whose).await;
        }
    }

    /// Begins to ask a directory about somebody, unless that goes on already; turns true when it is done. None:
    /// too many are asked about.
    fn ask_about(
        self: &Arc<Self>,
        directory: Id<Directory>,
        external: &str,
    ) -> Option<watch::Receiver<bool>> {
        let user = external::user_id(directory, external);
        let mut asking = lock(&self.directories.asking);
        if let Some(asked) = asking.get(&user) {
            return Some(asked.clone());
        }
        if asking.len() >= ASKING_MAX {
            return None;
        }
        let (done, asked) = watch::channel(false);
        asking.insert(user, asked.clone());
        let (broker, external) = (self.clone(), external.to_owned());
        tokio::spawn(async move {
            // Also when it panics: nobody is to wait for it for ever.
            let _over = Over { broker: broker.clone(), user, done };
            refresh(&broker, directory, external).await;
        });
        Some(asked)
    }
}

/// Says at its end that somebody has been asked about.
struct Over {
    broker: Arc<Broker>,
    user: Id<User>,
    done: watch::Sender<bool>,
}

impl Drop for Over {
    fn drop(&mut self) {
        lock(&self.broker.directories.asking).remove(&self.user);
        self.done.send_replace(true);
    }
}

/// Asks a directory about somebody, and takes in what it says.
pub(super) async fn refresh(broker: &Broker, directory: Id<Directory>, external: String) {
    let view = broker.farm.load();
    let user = external::user_id(directory, &external);
    let client = match broker.directories.client(&view, directory) {
        Ok(client) => client,
        Err(why) => {
            view.people.asked(user, broker.now());
            return standing::note(broker, directory, Err(&why));
        }
    };
    let answer = client.refresh(&ldap::PersonId(external)).await;
    let now = broker.now();
    match answer {
        Ok(person) => {
            view.people.put(known(directory, person, now));
            standing::note(broker, directory, Ok(()));
        }
        Err(Refused::UnknownUser | Refused::Disabled | Refused::AccountExpired) => {
            standing::note(broker, directory, Ok(()));
            if view.people.shut(user, now) {
                tracing::info!(user.id = %user, directory.id = %directory, "a directory's person is no more, or may not sign in any more");
            }
        }
        Err(refused) => {
            view.people.asked(user, now);
            match refused {
                Refused::Unavailable(why) => standing::note(broker, directory, Err(&why)),
                Refused::Busy => {}
                // That they may not sign in anew for the moment does not end what they have.
                _ => standing::note(broker, directory, Ok(())),
            }
        }
    }
}

/// What a directory said of somebody, as it is kept.
pub(super) fn known(directory: Id<Directory>, person: ldap::Person, now: Timestamp) -> Person {
    Person {
        directory,
        external: person.id.0,
        name: person.name,
        account: person.account,
        full_name: person.full_name.unwrap_or_default(),
        enabled: true,
        groups: person.groups.iter().map(|group| external::group_id(directory, &group.0)).collect(),
        credential_revision: 0,
        seen_at: now,
    }
}
