//! Who uses a resource that only so many may use at a time: the sessions in which hosts say that it is
//! open, and those that have just been promised and that no host has shown yet.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use oriel_model::{
    Id,
    resource::Resource,
    session::{Session, SessionState},
};

use crate::{
    farm::FarmView,
    hosts::{HostSession, Hosts, lock},
};

/// How long a use counts before a host shows it: a user who has a ticket has a minute to come.
const UNSHOWN: Duration = Duration::from_secs(60);

/// How long a session may be unknown that a host has promised: hosts report every second.
const UNREPORTED: Duration = Duration::from_secs(5);

/// Uses that no host shows yet.
#[derive(Debug, Default)]
pub struct Uses {
    promised: Mutex<Promised>,
}

#[derive(Debug, Default)]
struct Promised {
    next: u64,
    uses: HashMap<u64, Use>,
}

#[derive(Debug)]
struct Use {
    resources: Vec<Id<Resource>>,
    /// In which session, once that is known, and since when.
    session: Option<(Id<Session>, Instant)>,
}

/// A place among the users of something: given back when it is dropped, unless it is kept.
#[derive(Debug)]
pub(crate) struct UsePromise {
    uses: Arc<Uses>,
    number: u64,
    kept: bool,
}

impl Uses {
    /// Decides while nobody else does: `decide` is told how many use each resource, and says whether a
    /// use of `resources` begins.
    pub(crate) fn decide<T>(
        self: &Arc<Self>,
        view: &FarmView,
        hosts: &Hosts,
        resources: Vec<Id<Resource>>,
        decide: impl FnOnce(&dyn Fn(Id<Resource>) -> u32) -> (T, bool),
    ) -> (T, Option<UsePromise>) {
        let is_limited =
            |id: &Id<Resource>| view.resources.get(*id).is_some_and(|object| object.spec.limit.is_some());
        if !resources.iter().any(is_limited) {
            return (decide(&|_| 0).0, None);
        }
        let mut promised = lock(&self.promised);
        let shown = promised.now(view, hosts);
        let count = |resource| shown.count(resource, promised.uses.values());
        let (decided, begins) = decide(&count);
        let promise = begins.then(|| {
            promised.next += 1;
            let number = promised.next;
            promised.uses.insert(number, Use { resources, session: None });
            UsePromise { uses: self.clone(), number, kept: false }
        });
        (decided, promise)
    }

    /// How many use each of these now.
    pub(crate) fn counts(
        &self,
        view: &FarmView,
        hosts: &Hosts,
        resources: impl Iterator<Item = Id<Resource>>,
    ) -> Vec<u32> {
        let mut promised = lock(&self.promised);
        let shown = promised.now(view, hosts);
        resources.map(|resource| shown.count(resource, promised.uses.values())).collect()
    }

    /// How many use a resource now.
    pub(crate) fn count(&self, view: &FarmView, hosts: &Hosts, resource: Id<Resource>) -> u32 {
        self.counts(view, hosts, std::iter::once(resource))[0]
    }
}

impl Promised {
    /// What hosts show now. Promises that they show, or will not any more, are forgotten: who has left is no
    /// user, also when nobody comes after them.
    fn now(&mut self, view: &FarmView, hosts: &Hosts) -> Shown {
        let shown = Shown::new(view, hosts);
        self.uses.retain(|_, promised| !shown.has(promised));
        shown
    }
}

impl UsePromise {
    /// It is used in this session, which its host will show.
    pub fn keep(mut self, session: Id<Session>) {
        if let Some(promised) = lock(&self.uses.promised).uses.get_mut(&self.number) {
            promised.session = Some((session, Instant::now()));
        }
        self.kept = true;
    }
}

impl Drop for UsePromise {
    fn drop(&mut self) {
        if !self.kept {
            lock(&self.uses.promised).uses.remove(&self.number);
        }
    }
}

/// What hosts show.
struct Shown {
    open: HashMap<Id<Resource>, HashSet<Id<Session>>>,
    sessions: HashSet<Id<Session>>,
}

impl Shown {
    fn new(view: &FarmView, hosts: &Hosts) -> Self {
        let mut shown = Self { open: HashMap::new(), sessions: HashSet::new() };
        for session in hosts.sessions() {
            shown.sessions.insert(session.id);
            if session.user.is_none() || session.state == SessionState::Ending {
                continue;
            }
            for resource in open_in(view, &session) {
                shown.open.entry(resource).or_default().insert(session.id);
            }
        }
        shown
    }

    /// Whether a promised use is shown, or will not be.
    fn has(&self, promised: &Use) -> bool {
        let Some((session, since)) = promised.session else { return false };
        let is_open = |id| self.open.get(id).is_some_and(|sessions| sessions.contains(&session));
        promised.resources.iter().all(is_open)
            || since.elapsed() >= UNSHOWN
            // Its host has shown the session and shows it no more, or never had it.
            || (since.elapsed() >= UNREPORTED && !self.sessions.contains(&session))
    }

    fn count<'a>(&self, resource: Id<Resource>, promised: impl Iterator<Item = &'a Use>) -> u32 {
        let shown = self.open.get(&resource);
        let promised = promised.filter(|promised| promised.resources.contains(&resource));
        // A session that is shown with it is no second use.
        let unshown = promised.filter(|promised| {
            !promised.session.is_some_and(|(session, _)| shown.is_some_and(|shown| shown.contains(&session)))
        });
        u32::try_from(shown.map_or(0, HashSet::len) + unshown.count()).unwrap_or(u32::MAX)
    }
}

/// What is open in a session: what its host says, what a seat is kept for, and the applications that
/// documents are open in.
pub(crate) fn open_in(view: &FarmView, session: &HostSession) -> Vec<Id<Resource>> {
    let is_about_to = session.state == SessionState::Prepared || session.desktop;
    let awaited = session.resource.filter(|_| is_about_to && !session.prelaunched);
    let mut open: Vec<_> = session.open.iter().copied().chain(awaited).collect();
    let runs = |id: &Id<Resource>| view.resources.get(*id)?.spec.target.opens_in();
    let applications: Vec<_> = open.iter().filter_map(runs).collect();
    open.extend(applications);
    open.sort_unstable();
    open.dedup();
    open
}
