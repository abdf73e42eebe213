//! Launching: back to the user's own session first, else a new one on the best host that says yes.
//!
//! The broker proposes and the host confirms. No lock is held while a host is asked; a client that goes
//! away meanwhile gives its seat back.

mod message;
mod refusal;
mod turn;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use jiff::SignedDuration;
use oriel_model::{
    Id, Object, Timestamp,
    host::Host,
    policy::Clipboard,
    resource::{Resource, Target},
    session::{ChannelPolicy, Connection, Session, SessionState},
    user::User,
};
use oriel_rules::{
    access::Access,
    launch::{self, OwnSession, Plan},
    placement::{HEARTBEAT_GRACE, Ranking},
};
use oriel_wire::{
    ticket::{self, Claims, LIFETIME_SECS, Logon},
    v1::{Prepared, RefusalCode, SessionRef, agent_reply, agent_request::Body},
};
use zeroize::Zeroizing;

use super::{
    audit::{self, Event},
    explain::{inputs, shares},
    resource::icon_url,
    sign_in::{ClientSays, SignedIn},
};
use crate::{Broker, farm::FarmView, hosts::HostError, session_proof::Made};

pub use refusal::LaunchError;
use refusal::{is_gone, out_of_reach, refused};
pub use turn::LaunchTurns;

/// Hosts asked for one launch at most. When five in a row say no although they reported that they
/// would take it, the rest are no better, and the user has waited long enough.
const CANDIDATES_MAX: usize = 5;

/// How long a launch may take in all, hosts that do not answer included: a little less than a gateway
/// waits for a call, so that the user reads the reason.
const LAUNCH_DEADLINE: Duration = Duration::from_secs(35);

/// How long after its start a broker waits for hosts it has not heard of before it places sessions on
/// the others: as long as a silent host is forgiven.
const GATHERING: Duration = HEARTBEAT_GRACE.unsigned_abs();

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
}

/// What is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A published resource.
    Resource(Id<Resource>),
    /// A session that runs.
    Session(Id<Session>),
}

/// A launch that succeeded.
#[derive(Debug, Clone)]
pub struct Launched {
    /// The connection that the ticket opens.
    pub connection: Id<Connection>,
    /// The session it attaches to.
    pub session: Id<Session>,
    /// What was opened.
    pub resource: Id<Resource>,
    /// Its name.
    pub resource_name: String,
    /// Where its picture is.
    pub icon_url: Option<String>,
    /// Name of the host.
    pub host_name: String,
    /// Whether the session ran already.
    pub reconnected: bool,
    /// The sealed ticket.
    pub ticket: String,
    /// After this it opens nothing.
    pub ticket_expires_at: Timestamp,
    /// What may pass besides picture and input.
    pub channels: ChannelPolicy,
    /// Whether the session follows the window's size by itself.
    pub dynamic_resize: bool,
}

/// What one launch is made of, once the right to it is established.
struct Attempt {
    view: Arc<FarmView>,
    user: Arc<Object<User>>,
    resource: Arc<Object<Resource>>,
    request: LaunchRequest,
    address: std::net::IpAddr,
    connection: Id<Connection>,
}

impl Attempt {
    fn shares(&self) -> bool {
        shares(&self.resource.spec)
    }

    /// Which launches of this user wait for each other.
    fn key(&self) -> turn::Key {
        let resource = (!self.shares()).then_some(self.resource.id);
        turn::Key { user: self.user.id, resource }
    }

    /// The session as its host will report it.
    fn made(&self, confirmed: &Confirmed, now: Timestamp) -> OwnSession {
        OwnSession {
            id: confirmed.session,
            host: confirmed.host,
            resource: Some(self.resource.id),
            open: vec![self.resource.id],
            shared: self.shares(),
            desktop: matches!(self.resource.spec.target, Target::Desktop { .. }),
            prelaunched: false,
            client_address: Some(self.address),
            state: SessionState::Prepared,
            started_at: now,
        }
    }
}

/// A host's yes.
struct Confirmed {
    session: Id<Session>,
    host: Id<Host>,
    reconnected: bool,
    prepared: Prepared,
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
            Ok((launched, seat)) => audit::record(&Event::Launched {
                user,
                user_name,
                resource: launched.resource,
                host: seat.host,
                session: launched.session,
                connection: launched.connection,
                reconnected: launched.reconnected,
                address,
            }),
            Err(error) => {
                let resource = match what {
                    What::Resource(resource) => Some(resource),
                    What::Session(_) => None,
                };
                audit::record(&Event::LaunchRefused {
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
        let now = self.now();
        self.throttle.launch(signed_in.user.id, now)?;
        let attempt = self.permitted(signed_in, request, now)?;
        let confirmed = match attempt.request.what {
            What::Session(session) => self.return_to(&attempt, session).await?,
            What::Resource(_) => self.place(&attempt, now).await?,
        };
        let seat = Seat { host: confirmed.host, session: confirmed.session, key: attempt.key() };
        match self.ticket(&attempt, &confirmed) {
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
    async fn note_opened(&self, user: Id<User>, resource: Id<Resource>) {
        let now = self.now();
        let noted =
            self.user_states.change(&*self.store, user, now, |state| state.opened(resource, now)).await;
        if let Err(error) = noted {
            tracing::warn!(user.id = %user, %error, "what was opened lately could not be noted");
        }
    }

    /// Establishes what is opened, and that this user may.
    fn permitted(
        &self,
        signed_in: &SignedIn,
        request: LaunchRequest,
        now: Timestamp,
    ) -> Result<Attempt, LaunchError> {
        let view = self.farm.load();
        let (id, is_return) = match request.what {
            What::Resource(id) => (id, false),
            What::Session(session) => {
                let session = self.session_of(&signed_in.user, session)?;
                (session.resource.ok_or(LaunchError::SessionGone)?, true)
            }
        };
        let facts = self.facts(signed_in, &request.client);
        let (resource, access) = view.listing.access(id, &facts).ok_or(LaunchError::NotFound)?;
        match access {
            Access::Hidden { .. } => return Err(LaunchError::NotFound),
            // What runs may be finished.
            Access::Maintenance { message, .. } if !is_return => {
                return Err(LaunchError::InMaintenance(message));
            }
            Access::Open { .. } | Access::Maintenance { .. } => {}
        }
        if resource.spec.target == Target::Folder {
            return Err(LaunchError::NotFound);
        }
        let resource = resource.clone();
        let (user, address) = (signed_in.user.clone(), signed_in.address);
        Ok(Attempt { view, user, resource, request, address, connection: Id::generate(now) })
    }

    async fn return_to(&self, attempt: &Attempt, session: Id<Session>) -> Result<Confirmed, LaunchError> {
        let own = self.session_of(&attempt.user, session)?;
        match self.prepare(attempt, own.host, session, Kind::Return { start_program: false }).await {
            Ok(confirmed) => Ok(confirmed),
            Err(HostError::Refused { code: RefusalCode::UnknownSession, .. }) => {
                Err(LaunchError::SessionGone)
            }
            Err(error) => Err(refused(&[(host_name(&attempt.view, own.host), error)])),
        }
    }

    async fn place(&self, attempt: &Attempt, now: Timestamp) -> Result<Confirmed, LaunchError> {
        // A host that has not reported since this broker began may hold the user's session.
        if self.is_gathering(GATHERING) {
            return Err(LaunchError::Starting);
        }
        let source = attempt.resource.spec.target.source().ok_or(LaunchError::NotFound)?;
        let mut placement = self.placement_inputs(&attempt.view, source);
        placement.turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let mut turn = self.launch_turns.wait(attempt.key()).await;
        let mut sessions: Vec<_> =
            self.sessions_of(&attempt.user).iter().map(|session| session.as_own()).collect();
        sessions.extend(turn.last().filter(|last| self.hosts.is_promised(last.host, last.id)));
        let plan =
            launch::plan(&inputs(&attempt.resource, &sessions, &placement, Some(attempt.address), now));
        let confirmed = self.carry_out(attempt, plan).await?;
        turn.led_to(attempt.made(&confirmed, now));
        Ok(confirmed)
    }

    async fn carry_out(&self, attempt: &Attempt, plan: Plan) -> Result<Confirmed, LaunchError> {
        match plan {
            Plan::Start { ranking } => self.start(attempt, &ranking).await,
            Plan::Return { session, host, start_program, otherwise } => {
                match self.prepare(attempt, host, session, Kind::Return { start_program }).await {
                    Ok(confirmed) => Ok(confirmed),
                    Err(error) if start_program || is_gone(&error) => {
                        tracing::info!(session.id = %session, host.id = %host, %error, "there is no return to the session; starting one");
                        if otherwise.candidates.is_empty() {
                            return Err(refused(&[(host_name(&attempt.view, host), error)]));
                        }
                        self.start(attempt, &otherwise).await
                    }
                    Err(error) => Err(refused(&[(host_name(&attempt.view, host), error)])),
                }
            }
            Plan::Refuse { refusal, .. } => Err(LaunchError::NoHost(refusal.to_string())),
            Plan::OwnSessionEnding { .. } => Err(LaunchError::SessionEnding),
            Plan::LimitReached { over } => Err(LaunchError::NoHost(over.message)),
            Plan::OwnSessionOutOfReach { host_name, obstacle, .. } => {
                Err(LaunchError::HostRefused(out_of_reach(&host_name, &obstacle)))
            }
        }
    }

    /// Asks one host after the other.
    async fn start(&self, attempt: &Attempt, ranking: &Ranking) -> Result<Confirmed, LaunchError> {
        let mut answers = Vec::new();
        for candidate in ranking.candidates.iter().take(CANDIDATES_MAX) {
            let session = Id::generate(self.now());
            let promise = self.hosts.promise(candidate.host, session);
            match self.prepare(attempt, candidate.host, session, Kind::New).await {
                Ok(confirmed) => {
                    promise.keep();
                    return Ok(confirmed);
                }
                Err(error) => {
                    tracing::warn!(host.id = %candidate.host, host.name = candidate.name, %error, "a host did not take a session");
                    answers.push((candidate.name.clone(), error));
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
            Kind::New => self.session_proof_key.prove(&made),
            // The host has the one of the session's beginning.
            Kind::Return { .. } => Vec::new(),
        };
        let message = message::prepare(attempt, session, kind, proof);
        match self.hosts.request(host, &on_behalf_of, Body::Prepare(message)).await {
            Ok(agent_reply::Body::Prepared(prepared)) => {
                Ok(Confirmed { session, host, reconnected: kind != Kind::New, prepared })
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

    fn ticket(&self, attempt: &Attempt, confirmed: &Confirmed) -> Result<Launched, LaunchError> {
        let now = self.now();
        let prepared = &confirmed.prepared;
        let host =
            attempt.view.hosts.get(confirmed.host).ok_or(LaunchError::Internal("the host was deleted"))?;
        if prepared.rdp_certificate_sha256.len() != 32 {
            return Err(LaunchError::Internal("the host did not say which certificate it shows"));
        }
        let host_address = message::address(host.spec.address.as_deref(), &prepared.rdp_address)
            .ok_or(LaunchError::Internal("the host did not say where it is"))?;
        let lifetime = SignedDuration::from_hours(attempt.view.farm().sign_in.lifetime_hours.into());
        // By this broker's clock: the host counts its minute from the same moment, on a clock of its own.
        let expires_at = now + SignedDuration::from_secs(LIFETIME_SECS);
        let claims = Claims {
            connection: attempt.connection,
            session: confirmed.session,
            user: attempt.user.id,
            user_name: attempt.user.name.clone(),
            resource: attempt.resource.id,
            host: confirmed.host,
            host_address,
            host_certificate_sha256: prepared
                .rdp_certificate_sha256
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            logon: Logon {
                name: prepared.logon_name.clone(),
                domain: prepared.logon_domain.clone(),
                secret: Zeroizing::new(prepared.one_time_logon.clone()),
            },
            alternate_shell: prepared.alternate_shell.clone(),
            working_directory: prepared.working_directory.clone(),
            client_name: attempt.request.client.name.clone().unwrap_or_default(),
            keyboard_layout: attempt.request.keyboard_layout,
            channels: ChannelPolicy::default(),
            clipboard: Clipboard::default(),
            max_kbits: None,
            expires_at,
            connected_until: now + lifetime,
        };
        let sealed = ticket::seal(&claims, &self.ticket_keys.sealing(now))
            .map_err(|_| LaunchError::Internal("the operating system gave no random bytes"))?;
        Ok(Launched {
            connection: attempt.connection,
            session: confirmed.session,
            resource: attempt.resource.id,
            resource_name: attempt.resource.name.clone(),
            icon_url: attempt.resource.spec.icon.as_ref().and_then(icon_url),
            host_name: host.name.clone(),
            reconnected: confirmed.reconnected,
            ticket: sealed,
            ticket_expires_at: expires_at,
            channels: claims.channels,
            dynamic_resize: prepared.dynamic_resize,
        })
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
    Return { start_program: bool },
}

fn host_name(view: &FarmView, host: Id<Host>) -> String {
    view.hosts.get(host).map_or_else(|| "a host that was deleted".to_owned(), |host| host.name.clone())
}
