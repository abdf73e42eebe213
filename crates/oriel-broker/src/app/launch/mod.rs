//! Launching: back to the user's own session first, else a new one on the best host that says yes.
//!
//! The broker proposes and the host confirms. No lock is held while a host is asked; a client that goes
//! away meanwhile gives its seat back.

mod attempt;
mod message;
mod opens;
mod prelaunch;
mod refusal;
mod ticket;
mod turn;
mod uses;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use oriel_model::{Id, Timestamp, host::Host, resource::Resource, session::Session, user::User};
use oriel_rules::{
    launch::{self, OwnSession, Plan},
    placement::Ranking,
};
use oriel_wire::v1::{Prepared, RefusalCode, SessionRef, agent_reply, agent_request::Body};

use super::{audit::Event, client::ClientSays, sign_in::SignedIn};
use crate::{Broker, farm::FarmView, hosts::HostError, session_proof::Made};

use attempt::Attempt;
pub use attempt::{DeviceLaunch, OnThisDevice};
pub(crate) use attempt::{device_launch, maintenance_message};
pub(crate) use opens::{Moment, Opens};
pub use refusal::LaunchError;
use refusal::{is_gone, out_of_reach, refused};
pub use ticket::Launched;
pub use turn::LaunchTurns;
use uses::UsePromise;
pub use uses::Uses;
pub(crate) use uses::open_in;

/// Hosts asked for one launch at most. When five in a row say no although they reported that they
/// would take it, the rest are no better, and the user has waited long enough.
const CANDIDATES_MAX: usize = 5;

/// How long a launch may take in all, hosts that do not answer included: a little less than a gateway
/// waits for a call, so that the user reads the reason.
const LAUNCH_DEADLINE: Duration = Duration::from_secs(35);

/// What a user asks for.
#[derive(Debug, Clone)]
pub struct LaunchRequest {
    /// What to open.
    pub what: What,
    /// What the client says about itself.
    pub client: ClientSays,
    /// Size of the picture, in pixels; 0 where unknown.
    pub width: u32,
    /// See [`LaunchRequest::width`].
    pub height: u32,
    /// Windows keyboard layout, such as 0x0407.
    pub keyboard_layout: u32,
    /// Whether another instance is wanted beside the one that runs.
    pub another: bool,
}

/// What is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A published resource.
    Resource(Id<Resource>),
    /// A session that runs.
    Session(Id<Session>),
}

/// A host's yes.
struct Confirmed {
    session: Id<Session>,
    host: Id<Host>,
    reconnected: bool,
    prepared: Prepared,
    /// How long hosts were asked for it.
    took: Duration,
}

impl Confirmed {
    /// It was asked for since then, of however many hosts.
    fn after(self, asked: Instant) -> Self {
        Self { took: asked.elapsed(), ..self }
    }
}

impl Broker {
    /// Launches for a user. If the returned future is dropped, the seat is given back.
    pub async fn launch(
        self: &Arc<Self>,
        signed_in: &SignedIn,
        request: LaunchRequest,
    ) -> Result<Launched, LaunchError> {
        let (broker, signed_in) = (self.clone(), signed_in.clone());
        let (answer, answered) = tokio::sync::oneshot::channel();
        // A task of its own: a client that goes away must not stop a launch between the host's yes and
        // the broker's hearing it.
        tokio::spawn(async move {
            let outcome = broker.launch_to_the_end(&signed_in, request).await;
            let opened = outcome.as_ref().ok().map(|(launched, _)| launched.resource);
            if let Err(Ok((_, seat))) = answer.send(outcome) {
                if !broker.launch_turns.take_back(seat.key, seat.session) {
                    return tracing::info!(session.id = %seat.session, "the client has gone; another of its user's has the seat");
                }
                tracing::info!(session.id = %seat.session, "the client has gone; its seat is given back");
                broker.release(seat.host, seat.session).await;
            } else if let Some(opened) = opened {
                // After the answer, since this may ask the store.
                broker.note_opened(signed_in.user.id, opened).await;
            }
        });
        match answered.await {
            Ok(outcome) => outcome.map(|(launched, _)| launched),
            Err(_) => Err(LaunchError::Internal("it was cut off")),
        }
    }

    async fn launch_to_the_end(
        &self,
        signed_in: &SignedIn,
        request: LaunchRequest,
    ) -> Result<(Launched, Seat), LaunchError> {
        let what = request.what;
        let outcome = match tokio::time::timeout(LAUNCH_DEADLINE, self.try_launch(signed_in, request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(LaunchError::HostRefused("The hosts did not answer in time.".into())),
        };
        let (user, user_name, address) = (signed_in.user.id, &*signed_in.user.name, signed_in.address);
        match &outcome {
            Ok((launched, seat)) => self.record(&Event::Launched {
                user,
                user_name,
                resource: launched.resource,
                host: seat.host,
                session: launched.session,
                connection: launched.connection,
                reconnected: launched.reconnected,
                times: launched.times,
                address,
            }),
            Err(error) => {
                let resource = match what {
                    What::Resource(resource) => Some(resource),
                    What::Session(_) => None,
                };
                self.record(&Event::LaunchRefused {
                    user,
                    user_name,
                    resource,
                    why: &error.to_string(),
                    address,
                });
            }
        }
        outcome
    }

    async fn try_launch(
        &self,
        signed_in: &SignedIn,
        request: LaunchRequest,
    ) -> Result<(Launched, Seat), LaunchError> {
        let (now, began) = (self.now(), Instant::now());
        self.throttle.launch(signed_in.user.id, now)?;
        self.welcome(signed_in, &request.client).await.may_open()?;
        let attempt = self.permitted(signed_in, request, now)?;
        let confirmed = match attempt.request.what {
            What::Session(session) => self.return_to(&attempt, session).await?,
            What::Resource(_) => self.place(&attempt, now).await?,
        };
        let seat = Seat { host: confirmed.host, session: confirmed.session, key: attempt.key() };
        match self.ticket(&attempt, &confirmed, began) {
            Ok(launched) => {
                self.connections.opened(launched.connection, launched.session, signed_in.user.id);
                Ok((launched, seat))
            }
            Err(error) => {
                self.release(seat.host, seat.session).await;
                Err(error)
            }
        }
    }

    /// Puts a resource in front of those that the user opened lately.
    pub(crate) async fn note_opened(&self, user: Id<User>, resource: Id<Resource>) {
        let now = self.now();
        let noted =
            self.user_states.change(&*self.store, user, now, |state| state.opened(resource, now)).await;
        if let Err(error) = noted {
            tracing::warn!(user.id = %user, %error, "what was opened lately could not be noted");
        }
    }

    async fn return_to(&self, attempt: &Attempt, session: Id<Session>) -> Result<Confirmed, LaunchError> {
        let own = self.session_of(&attempt.user, session)?;
        let asked = Instant::now();
        match self.prepare(attempt, own.host, session, Kind::TO_SESSION).await {
            Ok(confirmed) => Ok(confirmed.after(asked)),
            Err(HostError::Refused { code: RefusalCode::UnknownSession, .. }) => {
                Err(LaunchError::SessionGone)
            }
            Err(error) => Err(refused(&[(host_name(&attempt.view, own.host), error)])),
        }
    }

    async fn place(&self, attempt: &Attempt, now: Timestamp) -> Result<Confirmed, LaunchError> {
        // A host that has not reported since this broker began may hold the user's session.
        if self.is_gathering() {
            return Err(LaunchError::Starting);
        }
        let opens = attempt.opens.as_ref().ok_or(LaunchError::NotFound)?;
        let mut placement = self.placement_inputs(&attempt.view, &opens.source, &opens.sites);
        placement.turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let mut turn = self.launch_turns.wait(attempt.key()).await;
        let sessions = self.own_sessions(attempt, &turn);
        let (plan, place) = self.uses.decide(&attempt.view, &self.hosts, opens.open(), |uses| {
            let limits = opens.limits(&attempt.view, attempt.site, uses);
            let inputs = opens.inputs(&Moment {
                sessions: &sessions,
                placement: &placement,
                limits: &limits,
                client_address: Some(attempt.address),
                another: attempt.request.another,
                now,
            });
            let plan = launch::plan(&inputs);
            let over = launch::over_limits(&inputs);
            if begins_a_use(&plan) {
                for over in &over {
                    tracing::warn!(
                        resource.id = %over.resource, resource.name = over.name, uses = over.uses, limit = over.limit,
                        user.name = attempt.user.name, "more use it at a time than may; it opens nevertheless"
                    );
                }
            }
            let begins = begins_a_use(&plan);
            (plan, begins)
        });
        let asked = Instant::now();
        let confirmed = self.carry_out(attempt, plan).await?.after(asked);
        if let Some(place) = place {
            UsePromise::keep(place, confirmed.session);
        }
        turn.led_to(attempt.made(&confirmed, now));
        Ok(confirmed)
    }

    /// The user's sessions as hosts show them, and as the launch just before has left them.
    fn own_sessions(&self, attempt: &Attempt, turn: &turn::Turn) -> Vec<OwnSession> {
        let shown = self.sessions_of(&attempt.user);
        let mut sessions: Vec<_> = shown.iter().map(|session| session.as_own(&attempt.view)).collect();
        let Some(last) = turn.last() else { return sessions };
        match sessions.iter_mut().find(|session| session.id == last.id) {
            Some(shown) => {
                shown.prelaunched &= last.prelaunched;
                if turn.is_fresh() {
                    shown.open.extend(&last.open);
                }
            }
            None if self.hosts.is_promised(last.host, last.id) => sessions.push(last),
            None => {}
        }
        sessions
    }

    async fn carry_out(&self, attempt: &Attempt, plan: Plan) -> Result<Confirmed, LaunchError> {
        match plan {
            Plan::Start { ranking } => self.start(attempt, &ranking, Kind::New).await,
            Plan::Return { session, host, start_program, otherwise } => {
                let kind = Kind::Return { start_program, to_front: !start_program };
                match self.prepare(attempt, host, session, kind).await {
                    Ok(confirmed) => Ok(confirmed),
                    Err(error) if start_program || is_gone(&error) => {
                        tracing::info!(session.id = %session, host.id = %host, %error, "there is no return to the session; starting one");
                        if otherwise.candidates.is_empty() {
                            return Err(refused(&[(host_name(&attempt.view, host), error)]));
                        }
                        self.start(attempt, &otherwise, Kind::New).await
                    }
                    Err(error) => Err(refused(&[(host_name(&attempt.view, host), error)])),
                }
            }
            Plan::Refuse { refusal, .. } => Err(LaunchError::NoHost(refusal.to_string())),
            Plan::OwnSessionEnding { .. } => Err(LaunchError::SessionEnding),
            Plan::LimitReached { over } => Err(LaunchError::LimitReached(over.message)),
            Plan::OwnSessionOutOfReach { host_name, obstacle, .. } => {
                Err(LaunchError::HostRefused(out_of_reach(&host_name, &obstacle)))
            }
        }
    }

    /// Asks one host after the other.
    async fn start(
        &self,
        attempt: &Attempt,
        ranking: &Ranking,
        kind: Kind,
    ) -> Result<Confirmed, LaunchError> {
        let mut answers = Vec::new();
        for candidate in ranking.candidates.iter().take(CANDIDATES_MAX) {
            let session = Id::generate(self.now());
            let promise = self.hosts.promise(candidate.host, session);
            match self.prepare(attempt, candidate.host, session, kind).await {
                Ok(confirmed) => {
                    promise.keep();
                    return Ok(confirmed);
                }
                Err(error) => {
                    tracing::warn!(host.id = %candidate.host, host.name = &*candidate.name, %error, "a host did not take a session");
                    answers.push((candidate.name.to_string(), error));
                }
            }
        }
        Err(refused(&answers))
    }

    async fn prepare(
        &self,
        attempt: &Attempt,
        host: Id<Host>,
        session: Id<Session>,
        kind: Kind,
    ) -> Result<Confirmed, HostError> {
        let on_behalf_of = format!("user {}", attempt.user.name);
        let made = Made { session, user: attempt.user.id, host, resource: attempt.resource.id };
        let proof = match kind {
            Kind::New | Kind::Beforehand | Kind::Return { start_program: true, .. } => {
                self.session_proof_key.prove(&made)
            }
            // The host has the one of the session's beginning.
            Kind::Return { start_program: false, .. } => Vec::new(),
        };
        let mut message = message::prepare(attempt, host, session, kind, proof)
            .map_err(|reason| HostError::Refused { code: RefusalCode::BadRequest, reason })?;
        if message.bring_to_front {
            message.same_program_ids = self.in_same_program(attempt, session);
        }
        match self.hosts.request(host, &on_behalf_of, Body::Prepare(message)).await {
            Ok(agent_reply::Body::Prepared(prepared)) => {
                let reconnected = kind.is_return();
                Ok(Confirmed { session, host, reconnected, prepared, took: Duration::ZERO })
            }
            Ok(_) => Err(HostError::Confused("expected prepared")),
            Err(error @ (HostError::TimedOut | HostError::Lost)) => {
                // It may have said yes, unheard.
                self.release(host, session).await;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// What else is open in a session in the application that is returned to: the host knows its windows by
    /// what they were opened for.
    fn in_same_program(&self, attempt: &Attempt, session: Id<Session>) -> Vec<String> {
        let application = attempt.opens.as_ref().and_then(|opens| opens.application);
        let (Some(application), Ok(session)) = (application, self.session_of(&attempt.user, session)) else {
            return Vec::new();
        };
        let opens_in_it = |id: &Id<Resource>| {
            let opens_in = attempt.view.resources.get(*id).and_then(|object| object.spec.target.opens_in());
            *id != attempt.resource.id && (*id == application || opens_in == Some(application))
        };
        session.open.into_iter().filter(opens_in_it).map(|id| id.to_string()).collect()
    }

    /// Gives a seat back, as far as the host can be told; it forgets the seat by itself in a minute.
    async fn release(&self, host: Id<Host>, session: Id<Session>) {
        let request = Body::Release(SessionRef { session_id: session.to_string() });
        let (hosts, order) = (&self.hosts, "broker");
        if let Err(error) = tokio::time::timeout(Duration::from_secs(2), hosts.order(host, order, request))
            .await
            .unwrap_or(Err(HostError::TimedOut))
        {
            tracing::debug!(session.id = %session, host.id = %host, %error, "a seat was not given back");
        }
    }
}

/// A seat that was confirmed.
#[derive(Debug, Clone, Copy)]
struct Seat {
    host: Id<Host>,
    session: Id<Session>,
    key: turn::Key,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    New,
    /// A new session, before anybody comes for it.
    Beforehand,
    Return {
        start_program: bool,
        /// Whether the window of what is opened comes to the front.
        to_front: bool,
    },
}

impl Kind {
    /// Back to a session as it is.
    const TO_SESSION: Self = Self::Return { start_program: false, to_front: false };

    fn is_return(self) -> bool {
        matches!(self, Kind::Return { .. })
    }
}

/// Whether something is opened that was not open before.
fn begins_a_use(plan: &Plan) -> bool {
    matches!(plan, Plan::Start { .. } | Plan::Return { .. })
}

fn host_name(view: &FarmView, host: Id<Host>) -> String {
    view.hosts.get(host).map_or_else(|| "a host that was deleted".to_owned(), |host| host.name.clone())
}
