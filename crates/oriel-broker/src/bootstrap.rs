//! What a broker needs before it can serve: at the first start it makes a farm, at every later one it
//! takes up what is there.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oriel_model::{
    Id, Kind, Timestamp, broker,
    farm::Farm,
    permission::{AdministratorRole, Reach},
    pool::Pool,
    role::Role,
    site::Site,
    token::Token,
};
use oriel_net::{
    authority::{Authority, AuthorityError, Grant, IssueError},
    identity::{CompleteError, KeyRequest, LoadError, NodeIdentity, PeerIdentity},
};
use oriel_store::{
    Author, CommitError, FarmKey, FarmKeyError, OpenError, SettingsStore, Snapshot, StoreError, Transaction,
};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::{
    app::objects::secret_sha256,
    config::BrokerConfig,
    farm::{FarmFeed, FarmView},
    recovery::RecoveryKey,
    session_proof::{self, SessionProofKey},
    sign_in_token::{self, SignInKey},
    state::Addresses,
    ticket_keys::{self, TicketKeys},
};

/// The farm key's file in the data directory; it seals the store's secrets and is not in the store.
pub const FARM_KEY_FILE: &str = "farm.key";
/// The first administrator's API token, in the data directory.
pub const ADMIN_TOKEN_FILE: &str = "admin.token";

/// The farm's secret that holds its authority's certificate.
pub const AUTHORITY_CERTIFICATE: &str = "authority-certificate";
/// The farm's secret that holds its authority's key.
pub const AUTHORITY_KEY: &str = "authority-key";

/// Random bytes of an API token.
const TOKEN_BYTES: usize = 32;

/// Why a broker cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory or a file in it cannot be used.
    #[error("cannot use {path}: {error}")]
    Data {
        /// What.
        path: std::path::PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The farm key cannot be had.
    #[error(transparent)]
    Key(#[from] FarmKeyError),
    /// The settings store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The settings store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The farm's first settings cannot be written.
    #[error("the farm's first settings cannot be written")]
    Commit(#[from] CommitError),
    /// The farm's certificate authority cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The broker's certificate cannot be issued.
    #[error("the broker's own certificate cannot be issued: {0}")]
    Issue(#[from] IssueError),
    /// The broker's certificate is not what it should be.
    #[error("the broker's own certificate cannot be used: {0}")]
    Complete(#[from] CompleteError),
    /// The broker's identity file cannot be read.
    #[error(transparent)]
    Identity(#[from] LoadError),
    /// The identity in the data directory belongs to another farm than the store.
    #[error(
        "the identity in {0} belongs to another farm than the settings store: one of them was moved here from elsewhere"
    )]
    OtherFarm(std::path::PathBuf),
    /// The store lacks one of the farm's keys.
    #[error(
        "the settings store lacks the farm's secret \"{0}\" or it is damaged: restore the store from a backup"
    )]
    SecretMissing(&'static str),
    /// The operating system gives no random bytes.
    #[error("the operating system gave no random bytes")]
    OutOfRandomness,
    /// A key cannot be made.
    #[error("a key cannot be made: {0}")]
    Crypto(String),
    /// A port cannot be taken.
    #[error(transparent)]
    Bind(#[from] oriel_net::listener::BindError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// All that is there once the farm is.
pub(crate) struct Farmed {
    pub store: Arc<dyn SettingsStore>,
    pub farm: FarmFeed,
    pub farm_id: Id<Farm>,
    pub broker_id: Id<broker::Broker>,
    pub authority: Authority,
    pub ticket_keys: TicketKeys,
    pub sign_in_key: SignInKey,
    pub session_proof_key: SessionProofKey,
    pub recovery_key: RecoveryKey,
    pub identity: NodeIdentity,
}

/// Opens the store, makes the farm if there is none, and takes everything up.
pub(crate) async fn start(config: &BrokerConfig, addresses: &Addresses) -> Result<Farmed, StartError> {
    let now = config.clock.now();
    let dir = &config.data_dir;
    make_private_dir(dir)?;
    let key = FarmKey::load_or_create(&dir.join(FARM_KEY_FILE))?;
    let recovery_key = RecoveryKey::of(&key);
    let store = oriel_store::open(&config.store, key).await?;
    if farm_of(&store.load().await?).is_none() {
        create_farm(config, &*store, now).await?;
    }
    let snapshot = store.load().await?;
    let farm_id = farm_of(&snapshot).ok_or(StartError::SecretMissing("farm"))?;
    let view = FarmView::from_snapshot(&snapshot);
    let authority = authority(&*store, farm_id).await?;
    let keys = secret(&*store, farm_id, ticket_keys::SECRET).await?;
    let ticket_keys =
        TicketKeys::from_secret(&keys).map_err(|_| StartError::SecretMissing(ticket_keys::SECRET))?;
    let key = secret(&*store, farm_id, sign_in_token::SECRET).await?;
    let sign_in_key = SignInKey::from_secret(&key).ok_or(StartError::SecretMissing(sign_in_token::SECRET))?;
    let session_proof_key = session_proof_key(&*store, farm_id, now).await?;
    let broker_id = own_object(config, addresses, &*store, farm_id, &view, now).await?;
    let lifetime = certificate_lifetime(&view);
    let identity = issue_own(&authority, broker_id, &own_names(config, addresses), lifetime, now)?;
    identity.save(dir).map_err(|error| StartError::Data { path: dir.clone(), error })?;
    let farm = FarmFeed::load_from(&*store).await?;
    Ok(Farmed {
        store,
        farm,
        farm_id,
        broker_id,
        authority,
        ticket_keys,
        sign_in_key,
        session_proof_key,
        recovery_key,
        identity,
    })
}

/// The farm's id, also where its settings are from a newer version: nothing may make a second one.
fn farm_of(snapshot: &Snapshot) -> Option<Id<Farm>> {
    snapshot.objects.iter().find(|object| object.kind == Kind::Farm).map(|object| object.id.cast())
}

/// How long components' certificates are valid.
pub(crate) fn certificate_lifetime(view: &FarmView) -> Duration {
    Duration::from_secs(u64::from(view.farm().certificate_lifetime_hours) * 3600)
}

/// Issues the broker's own certificate, for its components' ports and the management port alike. It is
/// made anew at every start, since the broker has the authority at hand and its names may have changed.
pub(crate) fn issue_own(
    authority: &Authority,
    broker: Id<broker::Broker>,
    names: &[String],
    lifetime: Duration,
    now: Timestamp,
) -> Result<NodeIdentity, StartError> {
    let crypto = |error: &dyn std::fmt::Display| StartError::Crypto(error.to_string());
    let request = KeyRequest::generate().map_err(|error| crypto(&error))?;
    let csr = request.csr_pem().map_err(|error| crypto(&error))?;
    let identity = PeerIdentity { farm: authority.farm(), role: Role::Broker, id: broker.uuid() };
    let grant = Grant { identity, names: names.to_vec(), lifetime };
    let certificate = authority.issue(&csr, &grant, now)?;
    Ok(request.complete(&certificate, &authority.certificate_pem(), authority.fingerprint())?)
}

/// Every name under which administrators may call the broker.
pub(crate) fn own_names(config: &BrokerConfig, addresses: &Addresses) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let hosts = addresses.management.iter().filter_map(|address| address.rsplit_once(':'));
    let hosts = hosts.map(|(host, _)| host.trim_matches(['[', ']']).to_owned());
    for name in hosts.chain([config.name.clone()]).chain(config.advertised.clone()) {
        let is_name = name.parse::<std::net::IpAddr>().is_ok() || is_host_name(&name);
        if is_name && !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(oriel_net::authority::MAX_NAMES);
    names
}

/// A broker may be called anything; only what can be a host name goes into its certificate.
fn is_host_name(name: &str) -> bool {
    rustls::pki_types::DnsName::try_from(name).is_ok()
}

/// Makes the farm in one transaction. The administrator's token is on disk before its digest is in the
/// store: a crash between the two is followed by a first start again, with a new token.
async fn create_farm(
    config: &BrokerConfig,
    store: &dyn SettingsStore,
    now: Timestamp,
) -> Result<(), StartError> {
    let farm: Id<Farm> = Id::generate(now);
    let site: Id<Site> = Id::generate(now);
    let authority = Authority::create_for(farm.uuid(), &config.farm_name, now)?;
    let ticket_keys = TicketKeys::generate(now).map_err(|_| StartError::OutOfRandomness)?;
    let sign_in_key = SignInKey::generate().ok_or(StartError::OutOfRandomness)?;
    let token = new_token()?;
    write_token(&config.data_dir.join(ADMIN_TOKEN_FILE), &token)?;
    let text = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    let administrator = Token {
        role: AdministratorRole::Root,
        reach: Reach::default(),
        description: "Made with the farm; kept in the broker's data directory.".to_owned(),
        expires_at: None,
        owner: None,
        secret_sha256: secret_sha256(&token),
    };
    let transaction = Transaction::new(Author::system(), now)
        .create(farm, &config.farm_name, None, &Farm::default())
        .put_secret(farm, AUTHORITY_CERTIFICATE, text(&authority.certificate_pem()))
        .put_secret(farm, AUTHORITY_KEY, text(&authority.key_pem()))
        .put_secret(farm, ticket_keys::SECRET, ticket_keys.to_secret())
        .put_secret(farm, sign_in_token::SECRET, sign_in_key.to_secret())
        .create(site, "Main", None, &Site::default())
        .create(Id::<Pool>::generate(now), "Default", Some(site), &Pool::default())
        .create(Id::<Token>::generate(now), "admin", None, &administrator);
    store.commit(transaction).await?;
    tracing::info!(farm.id = %farm, farm.name = config.farm_name, "a new farm was made");
    Ok(())
}

/// This broker's own object: that of its identity, or a new one. Its addresses are kept up to date.
async fn own_object(
    config: &BrokerConfig,
    addresses: &Addresses,
    store: &dyn SettingsStore,
    farm: Id<Farm>,
    view: &FarmView,
    now: Timestamp,
) -> Result<Id<broker::Broker>, StartError> {
    let known = known_id(&config.data_dir, farm)?
        .and_then(|id| view.brokers.get(id))
        .or_else(|| view.brokers.by_name(&config.name));
    let (gateway_addresses, agent_addresses) = (addresses.gateway.clone(), addresses.agent.clone());
    let transaction = Transaction::new(Author::system(), now);
    let Some(known) = known else {
        let id: Id<broker::Broker> = Id::generate(now);
        let spec = broker::Broker { description: String::new(), gateway_addresses, agent_addresses };
        let site = view.sites.sorted().first().map(|site| site.id);
        store.commit(transaction.create(id, &config.name, site, &spec)).await?;
        return Ok(id);
    };
    let mut object = (**known).clone();
    if object.spec.gateway_addresses != gateway_addresses || object.spec.agent_addresses != agent_addresses {
        object.spec.gateway_addresses = gateway_addresses;
        object.spec.agent_addresses = agent_addresses;
        store.commit(transaction.update(&object)).await?;
    }
    Ok(object.id)
}

/// The id in the identity of an earlier start.
fn known_id(dir: &Path, farm: Id<Farm>) -> Result<Option<Id<broker::Broker>>, StartError> {
    match NodeIdentity::load(dir) {
        Ok(identity) if identity.peer().farm != farm.uuid() => Err(StartError::OtherFarm(dir.to_owned())),
        Ok(identity) => Ok(Some(identity.peer().id.into())),
        // It is made anew anyway.
        Err(LoadError::Absent(_) | LoadError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn authority(store: &dyn SettingsStore, farm: Id<Farm>) -> Result<Authority, StartError> {
    let certificate = secret(store, farm, AUTHORITY_CERTIFICATE).await?;
    let key = secret(store, farm, AUTHORITY_KEY).await?;
    let certificate =
        std::str::from_utf8(&certificate).map_err(|_| StartError::SecretMissing(AUTHORITY_CERTIFICATE))?;
    let key = std::str::from_utf8(&key).map_err(|_| StartError::SecretMissing(AUTHORITY_KEY))?;
    Ok(Authority::from_pem(certificate, key)?)
}

/// The key of the sessions' proofs. It is made when there is none: at the first start, and at the first
/// one of a farm that is older than the proofs.
async fn session_proof_key(
    store: &dyn SettingsStore,
    farm: Id<Farm>,
    now: Timestamp,
) -> Result<SessionProofKey, StartError> {
    if store.secret(farm.cast(), session_proof::SECRET).await?.is_none() {
        let key = SessionProofKey::generate().ok_or(StartError::OutOfRandomness)?;
        let transaction = Transaction::new(Author::system(), now);
        store.commit(transaction.put_secret(farm, session_proof::SECRET, key.to_secret())).await?;
    }
    let key = secret(store, farm, session_proof::SECRET).await?;
    SessionProofKey::from_secret(&key).ok_or(StartError::SecretMissing(session_proof::SECRET))
}

async fn secret(
    store: &dyn SettingsStore,
    farm: Id<Farm>,
    name: &'static str,
) -> Result<Zeroizing<Vec<u8>>, StartError> {
    store.secret(farm.cast(), name).await?.ok_or(StartError::SecretMissing(name))
}

pub(crate) fn new_token() -> Result<Zeroizing<String>, StartError> {
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    SystemRandom::new().fill(&mut *bytes).map_err(|_| StartError::OutOfRandomness)?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

pub(crate) fn write_token(path: &Path, token: &str) -> Result<(), StartError> {
    let written = (|| {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{token}")?;
        file.sync_all()
    })();
    written.map_err(|error| StartError::Data { path: path.to_owned(), error })
}

/// Makes a directory that only its owner may enter. One that exists keeps its permissions.
pub(crate) fn make_private_dir(dir: &Path) -> Result<(), StartError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| StartError::Data { path: dir.to_owned(), error })
}
