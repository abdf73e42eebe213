//! What all parts of a broker share.

use std::{
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::{Duration, Instant},
};

use oriel_identity::{Passwords, SignIn};
use oriel_model::{Id, Kind, Timestamp, broker, farm};
use oriel_net::{authority::Authority, clock::Clock, connect::CONNECT_TIMEOUT};
use oriel_store::{CommitError, Committed, SettingsStore, Transaction};
use oriel_wire::AGENT_RETRY_MAX;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{
        administrators::{Caller, Enrolling, Leases, Messages, Presences, permitted},
        audit::AuditLog,
        documents::backup::Backups,
        icon::Icons,
        launch::{LaunchTurns, Uses},
        objects::ChangeError,
        refused_tokens::RefusedTokens,
        sign_in::EndedSignIns,
        token_uses::TokenUses,
        user_state::UserStates,
    },
    certificates::NodeCertificates,
    config::BrokerConfig,
    connections::ConnectionEnds,
    directories::Directories,
    farm::FarmFeed,
    gateways::{Gateways, Logons},
    hosts::{Hosts, history::LoadHistory},
    notifications::Notifications,
    recovery::RecoveryKey,
    schedules::Schedules,
    session_proof::SessionProofKey,
    sign_in_token::SignInKey,
    throttle::Throttle,
    ticket_keys::TicketKeys,
};

/// How long an administrator's change waits until this broker's memory has it. The feed follows
/// within milliseconds; when it does not, the change stands and the answer goes out without it.
const CATCH_UP: Duration = Duration::from_secs(5);

/// How long after its start a broker waits for hosts it has not heard of, before it places sessions on the
/// others or says that there is no such session: agents try again that often, and one try may take that long.
const GATHERING: Duration = AGENT_RETRY_MAX.saturating_add(CONNECT_TIMEOUT);

/// Where this broker is reached: taken from the sockets, so that port 0 works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// For gateways, `host:port`.
    pub gateway: Vec<String>,
    /// For agents, `host:port`.
    pub agent: Vec<String>,
    /// For administrators, `host:port`.
    pub management: Vec<String>,
}

/// A broker's state. One per process, shared as `Arc<Broker>`; every field locks for itself, and no
/// lock is held across an await.
pub struct Broker {
    /// The settings store.
    pub store: Arc<dyn SettingsStore>,
    /// The settings in memory: `broker.farm.load()`.
    pub farm: Arc<FarmFeed>,
    /// Agents' streams.
    pub hosts: Hosts,
    /// Gateways' streams.
    pub gateways: Gateways,
    /// The latest logon to each session.
    pub logons: Logons,
    /// The log's events on their way to the store.
    pub audit: AuditLog,
    /// Why connections ended.
    pub connections: ConnectionEnds,
    /// Hashes and compares passwords, a bounded number at a time.
    pub passwords: Arc<Passwords>,
    /// The directories of people, as this broker asks them.
    pub directories: Directories,
    /// Lets people in, behind the guard against guessing.
    pub people: SignIn,
    /// Seals and opens sign-ins.
    pub sign_in_key: SignInKey,
    /// Sign-ins that were ended before their time.
    pub ended_sign_ins: EndedSignIns,
    /// When tokens were used last.
    pub token_uses: TokenUses,
    /// Tokens that were refused lately.
    pub refused_tokens: RefusedTokens,
    /// Which administrators were here lately.
    pub presences: Presences,
    /// Load over the last hours.
    pub load_history: LoadHistory,
    /// Messages that administrators have left each other.
    pub messages: Messages,
    /// Who edits what.
    pub leases: Leases,
    /// Who is setting up a second factor.
    pub enrolling: Enrolling,
    /// Favourites and recently opened resources.
    pub user_states: UserStates,
    /// One place: calls that hold a whole farm go one by one, which bounds this process's memory.
    pub large_calls: Arc<Semaphore>,
    /// What is known of backups.
    pub backups: Backups,
    /// Icons in memory.
    pub icons: Icons,
    /// Keys that seal connection tickets.
    pub ticket_keys: TicketKeys,
    /// Proves whose a session is.
    pub session_proof_key: SessionProofKey,
    /// Checks who may recover a root administrator.
    pub recovery_key: RecoveryKey,
    /// Of when the last proof was that did: an earlier one counts no more.
    pub last_recovery: Mutex<Option<Timestamp>>,
    /// Bounds what one address or account may ask for.
    pub throttle: Throttle,
    /// Whose launch of the same thing is first.
    pub launch_turns: LaunchTurns,
    /// Who uses what only so many may use at a time.
    pub uses: Arc<Uses>,
    /// Nudged when somebody's hours have changed.
    pub hours_changed: Notify,
    /// What was done for schedules.
    pub schedules: Schedules,
    /// What notifications have told.
    pub notifications: Notifications,
    /// Counts placements, for round robin.
    pub turns: AtomicU64,
    /// Given when the broker is told to stop: streams that would never end do.
    pub ending: CancellationToken,
    /// When this process began to serve.
    pub started_at: Instant,
    /// The farm's certificate authority.
    pub authority: Arc<Authority>,
    /// Until when the certificates of components are valid.
    pub node_certificates: NodeCertificates,
    /// The farm's id.
    pub farm_id: Id<farm::Farm>,
    /// This broker's own object.
    pub broker_id: Id<broker::Broker>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// What the node's file says.
    pub config: BrokerConfig,
    /// Where this broker is reached.
    pub addresses: Addresses,
}

impl Broker {
    /// Seals and opens the sign-ins of administrators.
    pub fn administrator_key(&self) -> SignInKey {
        self.sign_in_key.derived("sign-ins of administrators")
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether hosts may still be on their way to this broker: it began less than [`GATHERING`] ago, and an
    /// enabled host has not reported since. Until then "no such session" may be wrong, and a new one may be a
    /// user's second.
    pub fn is_gathering(&self) -> bool {
        if !self.has_just_begun() {
            return false;
        }
        let view = self.farm.load();
        let is_unheard = |host| self.hosts.live(host).is_none_or(|live| live.last_report.is_none());
        view.hosts.iter().any(|host| host.spec.enabled && is_unheard(host.id))
    }

    /// Whether it began less than [`GATHERING`] ago, so that who is not here may be on the way.
    pub fn has_just_begun(&self) -> bool {
        self.started_at.elapsed() < GATHERING
    }

    /// As [`Broker::commit`], after asking whether the caller may write all of it.
    pub async fn commit_by(&self, by: &Caller, transaction: Transaction) -> Result<Committed, ChangeError> {
        permitted(&by.rights, &self.farm.load(), &transaction)?;
        Ok(self.commit(transaction).await?)
    }

    /// Carries out a transaction and waits (bounded) until this broker's own memory shows it, so that
    /// the next request of the same caller reads its own write. A gateway knows the ticket keys, so with
    /// one that is deleted goes the key in use.
    pub async fn commit(&self, transaction: Transaction) -> Result<Committed, CommitError> {
        let mut transaction = transaction;
        let keys = transaction.deletes(Kind::Gateway).then(|| {
            let random = "the system's random numbers do not fail once it runs";
            self.ticket_keys.after_deletion(self.now()).expect(random)
        });
        if let Some(keys) = &keys {
            transaction = keys.stored_by(transaction, self.farm_id);
        }
        let committed = self.store.commit(transaction).await?;
        if let Some(keys) = keys {
            self.ticket_keys.replace(keys);
            tracing::info!("a gateway was deleted; there is a new ticket key");
        }
        if self.farm.reached(committed.sequence, CATCH_UP).await.is_err() {
            tracing::warn!(
                sequence = committed.sequence,
                "the change is stored but not yet in this broker's memory"
            );
        }
        Ok(committed)
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("farm_id", &self.farm_id).finish_non_exhaustive()
    }
}
