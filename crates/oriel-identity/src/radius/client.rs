//! The edge: asks servers over UDP and knows the clock.

use std::{
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::{
    net::lookup_host,
    time::{timeout, timeout_at},
};
use zeroize::Zeroizing;

use super::{
    answer::{Answer, Outcome},
    attempts::{Attempts, Pace, Step},
    conversation::Conversation,
    error::{Dropped, Failure, RadiusError, ServerFailure},
    health::Health,
    request::{Credential, Dice, Request},
    settings::{Encoding, Mode, Server, Settings, SettingsError},
    sockets::{Event, Sockets},
};

/// How long the address of a server's name is kept: name servers usually say so for longer.
const FOUND_FOR: Duration = Duration::from_secs(60);
/// How long it is kept that there is none, so that many sign-ins do not wait for the same silence in turn.
const MISSED_FOR: Duration = Duration::from_secs(5);
/// How long a name server may take.
const LOOKUP_MAX: Duration = Duration::from_secs(5);
/// How a server is tried: nobody has to look at a phone, so a short wait does.
const CHECK_TIMEOUT_MAX: Duration = Duration::from_secs(3);
/// How often a question is repeated then.
const CHECK_RETRIES: u32 = 1;
/// Whom servers are asked for then: nobody.
const CHECK_USER: &str = "oriel-check";

/// A RADIUS provider: asks its servers. One for each provider in the settings, for as long as they stay the
/// same; any number of sign-ins may use it at once.
pub struct Radius {
    settings: Settings,
    addresses: Vec<Address>,
    sockets: Sockets,
    health: Mutex<Health>,
    random: SystemRandom,
}

/// What came of trying a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Name and port.
    pub server: String,
    /// Whether sign-ins can work.
    pub is_good: bool,
    /// What was found, as a sentence that begins with the server.
    pub sentence: String,
}

impl Radius {
    /// A provider with these settings.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self::with(settings))
    }

    pub(super) fn with(settings: Settings) -> Self {
        let addresses = settings.servers.iter().map(|_| Address::default()).collect();
        let (sockets, health) = (Sockets::default(), Mutex::default());
        Self { settings, addresses, sockets, health, random: SystemRandom::new() }
    }

    /// Asks whether `user` may come in with `password`, which may be empty where a server wants that.
    /// `client` is the address that they come from.
    ///
    /// # Errors
    ///
    /// Nobody can say.
    pub async fn begin(
        &self,
        user: &str,
        password: &str,
        client: Option<IpAddr>,
    ) -> Result<Outcome, RadiusError> {
        let user = self.settings.name_for_server(user);
        let credential = Credential::Password(self.settings.encoding, password);
        let request = Request::new(&self.settings, user, credential, client)?;
        let (place, answer) = self.ask_any(&request).await?;
        answer.outcome(self.settings.servers[place].to_string(), user, 0)
    }

    /// Brings the server the answer that it asked for. It is the server that asked which is told, since no
    /// other knows of it.
    ///
    /// # Errors
    ///
    /// Nobody can say.
    pub async fn go_on(
        &self,
        conversation: &Conversation,
        answer: &str,
        client: Option<IpAddr>,
    ) -> Result<Outcome, RadiusError> {
        let name = conversation.server();
        let place = self.settings.servers.iter().position(|server| server.to_string() == name);
        let place = place.ok_or_else(|| RadiusError::ServerGone(name.to_owned()))?;
        let credential = Credential::Answer(answer, conversation.state());
        let request = Request::new(&self.settings, conversation.user(), credential, client)?;
        let answer = match self.ask(place, &request, self.pace(), true).await {
            Ok(answer) => answer,
            Err(Problem::Ours(error)) => return Err(error),
            Err(Problem::Theirs(failure)) => {
                return Err(RadiusError::NoAnswer(vec![self.failure(place, failure)]));
            }
        };
        answer.outcome(name.to_owned(), conversation.user(), conversation.round())
    }

    /// Tries every server by itself.
    pub async fn check(&self) -> Vec<Checked> {
        if self.settings.servers.len() < 2 {
            return vec![self.check_one(0).await];
        }
        let (first, second) = tokio::join!(self.check_one(0), self.check_one(1));
        vec![first, second]
    }

    /// First a Status-Server (RFC 5997), which disturbs nobody. A server that does not know it, or does not
    /// sign what it answers to it, is asked for a user who does not exist.
    async fn check_one(&self, place: usize) -> Checked {
        let server = self.settings.servers[place].to_string();
        let timeout = self.settings.timeout.min(CHECK_TIMEOUT_MAX);
        let pace = Pace { timeout, retries: CHECK_RETRIES };
        let outcome = match self.ask(place, &Request::status(&self.settings), pace, true).await {
            Err(Problem::Theirs(
                Failure::Silent { .. } | Failure::Dropped { why: Dropped::NoMessageAuthenticator, .. },
            )) => self.ask_for_nobody(place, pace).await,
            Ok(_) => Ok("answers, and the secret is the same on both sides."),
            Err(problem) => Err(problem),
        };
        let (is_good, rest) = match outcome {
            Ok(good) => (true, good.to_owned()),
            Err(Problem::Theirs(failure)) => (false, failure.to_string()),
            Err(Problem::Ours(error)) => (false, format!("was not asked: {error}")),
        };
        Checked { is_good, sentence: format!("{server} {rest}"), server }
    }

    async fn ask_for_nobody(&self, place: usize, pace: Pace) -> Result<&'static str, Problem> {
        let mut bytes = Zeroizing::new([0; 16]);
        self.random.fill(&mut *bytes).map_err(|_| RadiusError::NoRandom)?;
        let password: Zeroizing<String> =
            Zeroizing::new(bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect());
        let credential = Credential::Password(Encoding::Pap, &password);
        let request = Request::new(&self.settings, CHECK_USER, credential, None)?;
        let answer = self.ask(place, &request, pace, true).await?;
        if answer.is_accept() {
            return Err(Problem::Theirs(Failure::LetsInAnybody));
        }
        Ok(
            "answers, and the secret is the same on both sides. (It was asked for a user oriel-check, whom it did \
            not let in, because it did not answer to Status-Server.)",
        )
    }

    /// The first answer of those servers that are to be asked.
    async fn ask_any(&self, request: &Request<'_>) -> Result<(usize, Answer), RadiusError> {
        if let (Mode::Both, 2) = (self.settings.mode, self.settings.servers.len()) {
            return self.ask_both(request).await;
        }
        let order = self.health().order(self.settings.servers.len(), Instant::now());
        let mut failures = Vec::new();
        for (asked, place) in order.iter().copied().enumerate() {
            let is_last = asked + 1 == order.len();
            match self.ask(place, request, self.pace(), is_last).await {
                Ok(answer) => {
                    self.health().answered(place);
                    return Ok((place, answer));
                }
                Err(Problem::Ours(error)) => return Err(error),
                Err(Problem::Theirs(failure)) => {
                    if failure != Failure::Busy {
                        self.health().failed(place, Instant::now());
                    }
                    failures.push(self.failure(place, failure));
                }
            }
        }
        Err(RadiusError::NoAnswer(failures))
    }

    async fn ask_both(&self, request: &Request<'_>) -> Result<(usize, Answer), RadiusError> {
        let mut first = pin!(self.ask(0, request, self.pace(), true));
        let mut second = pin!(self.ask(1, request, self.pace(), true));
        // Whoever of the two is heard first; the other one only if that failed.
        let (heard, answer) = tokio::select! {
            answer = &mut first => (0, answer),
            answer = &mut second => (1, answer),
        };
        let mut failures = Vec::new();
        match answer {
            Ok(answer) => return Ok((heard, answer)),
            Err(Problem::Ours(error)) => return Err(error),
            Err(Problem::Theirs(failure)) => failures.push(self.failure(heard, failure)),
        }
        let answer = if heard == 0 { second.await } else { first.await };
        match answer {
            Ok(answer) => Ok((1 - heard, answer)),
            Err(Problem::Ours(error)) => Err(error),
            Err(Problem::Theirs(failure)) => {
                failures.push(self.failure(1 - heard, failure));
                Err(RadiusError::NoAnswer(failures))
            }
        }
    }

    /// Asks one server until it answers or is given up. `is_last`: there is no other to turn to.
    async fn ask(
        &self,
        place: usize,
        request: &Request<'_>,
        pace: Pace,
        is_last: bool,
    ) -> Result<Answer, Problem> {
        let server = &self.settings.servers[place];
        let address = self.addresses[place].find(server).await?;
        let mut slot = self.sockets.slot(address)?;
        let sent = request.write(server, slot.identifier(), &self.dice()?)?;
        let mut attempts = Attempts::begin(pace, Instant::now());
        loop {
            match attempts.step(Instant::now()) {
                Step::GiveUp(failure) => return Err(failure.into()),
                Step::Send => {
                    let result = slot.send(&sent.bytes).await;
                    result.map_err(|error| Failure::Unreachable(error.to_string()))?;
                }
                Step::Wait(until) => match timeout_at(until.into(), slot.event()).await {
                    Ok(Event::Packet(bytes)) => match sent.read(&bytes, server) {
                        Ok(answer) => return Ok(answer),
                        Err(why) => drop_answer(&mut attempts, server, why),
                    },
                    Ok(Event::Garbage(malformed)) => {
                        drop_answer(&mut attempts, server, Dropped::Garbage(malformed));
                    }
                    Ok(Event::Refused) if is_last => attempts.refused(),
                    Ok(Event::Refused) => return Err(Failure::Refused.into()),
                    // It is time for the next step.
                    Err(_) => {}
                },
            }
        }
    }

    fn dice(&self) -> Result<Dice, RadiusError> {
        let mut dice = Dice { authenticator: [0; 16], challenge: [0; 16], peer_challenge: [0; 16] };
        for numbers in [&mut dice.authenticator, &mut dice.challenge, &mut dice.peer_challenge] {
            self.random.fill(numbers).map_err(|_| RadiusError::NoRandom)?;
        }
        Ok(dice)
    }

    fn pace(&self) -> Pace {
        Pace { timeout: self.settings.timeout, retries: self.settings.retries }
    }

    fn failure(&self, place: usize, failure: Failure) -> ServerFailure {
        ServerFailure { server: self.settings.servers[place].to_string(), failure }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        // It is whole between any two of its steps.
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn open_sockets(&self) -> usize {
        self.sockets.len()
    }
}

fn drop_answer(attempts: &mut Attempts, server: &Server, why: Dropped) {
    if attempts.dropped(why) {
        tracing::warn!(%server, %why, "an answer of a RADIUS server was dropped");
    }
}

/// Why there is no answer.
enum Problem {
    /// Of the server: another one may do.
    Theirs(Failure),
    /// Of the question: no server can answer it.
    Ours(RadiusError),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Theirs(failure)
    }
}

impl From<RadiusError> for Problem {
    fn from(error: RadiusError) -> Self {
        Self::Ours(error)
    }
}

/// Where a server is. Those who ask while a name server is asked wait for its one answer.
#[derive(Default)]
struct Address(tokio::sync::Mutex<Option<Found>>);

struct Found {
    until: Instant,
    address: Result<SocketAddr, String>,
}

impl Address {
    async fn find(&self, server: &Server) -> Result<SocketAddr, Failure> {
        if let Ok(address) = server.host.parse::<IpAddr>() {
            return Ok((address, server.port).into());
        }
        let mut found = self.0.lock().await;
        let known = found.take();
        let known = match known {
            Some(known) if Instant::now() < known.until => known,
            known => look_up(server, known.and_then(|known| known.address.ok())).await,
        };
        found.insert(known).address.clone().map_err(Failure::NotFound)
    }
}

/// A name server that fails does not take away what it said `before`.
async fn look_up(server: &Server, before: Option<SocketAddr>) -> Found {
    let address = match timeout(LOOKUP_MAX, lookup_host((server.host.as_str(), server.port))).await {
        Ok(Ok(mut addresses)) => addresses.next().ok_or_else(|| "the name has no address".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("the name server does not answer within {} s", LOOKUP_MAX.as_secs())),
    };
    let keep = if address.is_ok() { FOUND_FOR } else { MISSED_FOR };
    Found { until: Instant::now() + keep, address: address.or_else(|why| before.ok_or(why)) }
}
