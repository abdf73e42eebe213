//! Restoring a farm as itself, for when its broker's machine is lost: into a store without a farm, from an
//! archive with the farm's own keys. The farm has its id and its authority again, so that gateways and hosts
//! trust it as before, and sessions that go on are still their users'.
//!
//! What lasts minutes or hours is made anew: ticket keys, and the key of sign-ins, since the archive cannot
//! know which were ended after it. So users sign in once more.

use std::{path::PathBuf, sync::Arc};

use oriel_model::{
    Id, Kind, Timestamp,
    broker::Broker,
    farm::Farm,
    permission::{AdministratorRole, Reach},
    token::Token,
    validate::{Mistakes, fold},
};
use oriel_net::{
    authority::Authority,
    identity::{LoadError, NodeIdentity},
};
use oriel_store::{Author, FarmKey, SettingsStore, Transaction, Write};
use zeroize::Zeroizing;

use super::{
    Refused,
    archive::{self, Archive, Secrets},
    draft::{Draft, within},
    import::{self, Opened},
    meaning::{self, Wanted, Wish},
    names::Meant,
    plan, wrong,
};
use crate::{
    BrokerConfig,
    app::objects::secret_sha256,
    bootstrap::{self, ADMIN_TOKEN_FILE, AUTHORITY_CERTIFICATE, AUTHORITY_KEY, FARM_KEY_FILE, StartError},
    farm::FarmView,
    sign_in_token::{self, SignInKey},
    state::Addresses,
    ticket_keys::{self, TicketKeys},
};

/// A farm that was restored.
#[derive(Debug)]
pub struct Restored {
    /// Its name.
    pub farm: String,
    /// When the archive was made.
    pub made_at: Timestamp,
    /// How many settings objects it has.
    pub objects: usize,
    /// The file with a new token for an administrator: those of before may be lost.
    pub token_file: PathBuf,
}

/// Why a farm was not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// What is there already would be overwritten.
    #[error(
        "there is a farm already, in the store or in {}: a farm is restored where there is none; into one that runs, oriel import brings its settings",
        .0.display()
    )]
    NotEmpty(PathBuf),
    /// The archive is not one of a farm as itself.
    #[error(
        "the farm's own keys are not in this backup, so gateways and hosts would not trust what is made of it: start a new farm, import the backup there with oriel import, and let gateways and hosts join again"
    )]
    NoFarmKeys,
    /// The archive is wrong.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The data directory or the store cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Restores the farm of an archive where `config` keeps its data. The broker must not run.
pub async fn restore(
    config: &BrokerConfig,
    archive: Archive,
    passphrase: Zeroizing<String>,
) -> Result<Restored, RestoreError> {
    oriel_net::tls::install_crypto();
    let (farm, made_at) = (archive.farm.clone(), archive.made_at);
    // All that may be wrong with the archive comes first: until then the data directory stays as it is.
    let Opened { documents, icons, secrets } = import::open(archive, Some(passphrase)).await?;
    let secrets = secrets.filter(|secrets| archive::makes_a_farm(secrets, farm.id));
    let secrets = secrets.ok_or(RestoreError::NoFarmKeys)?;
    let authority = authority(&secrets, farm.id)?;
    let now = config.clock.now();
    let mut writes = objects(&documents, &secrets, farm.id)?;
    let objects = writes.len();
    writes.extend(secrets.secrets.into_iter().map(|secret| Write::PutSecret {
        kind: secret.kind,
        owner: secret.id,
        name: secret.name,
        value: secret.value,
    }));

    let store = empty_store(config).await?;
    for png in icons.into_values() {
        store.put_blob(png).await.map_err(StartError::from)?;
    }
    let mut transaction = Transaction::new(Author::system(), now);
    transaction.writes = writes;
    let transaction = with_new_keys(transaction, farm.id, now)?;
    // On disk before its digest is in the store, as at a first start.
    let token = bootstrap::new_token()?;
    let token_file = config.data_dir.join(ADMIN_TOKEN_FILE);
    bootstrap::write_token(&token_file, &token)?;
    let transaction = with_token(transaction, &documents, &token, now);
    store.commit(transaction).await.map_err(StartError::from)?;
    let view = FarmView::from_snapshot(&store.load().await.map_err(StartError::from)?);
    if let Some(broker) = own_broker(&view, &config.name) {
        keep_identity(config, &authority, broker, &view, now)?;
    }
    Ok(Restored { farm: farm.name, made_at, objects, token_file })
}

/// The farm's authority; it must be that of the farm that the archive says it is of.
fn authority(secrets: &Secrets, farm: Id<Farm>) -> Result<Authority, RestoreError> {
    let text = |name: &str| {
        let bytes = secrets.of_farm(farm, name).map(|value| value.as_slice()).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    };
    let authority =
        Authority::from_pem(text(AUTHORITY_CERTIFICATE), text(AUTHORITY_KEY)).map_err(StartError::from)?;
    if authority.farm() != farm.uuid() {
        return Err(wrong("archive.farm.id", "is not the farm whose keys are in the archive").into());
    }
    Ok(authority)
}

/// The writes that make every object of the archive, with the ids that they had.
fn objects(
    documents: &[super::Document],
    secrets: &Secrets,
    farm: Id<Farm>,
) -> Result<Vec<Write>, RestoreError> {
    let nothing = Arc::new(FarmView::default());
    let own_fields = secrets.own_fields();
    let mut mistakes = Mistakes::default();
    let mut meant = Meant::new(nothing.clone());
    let mut wanted = Vec::with_capacity(documents.len());
    for (index, document) in documents.iter().enumerate() {
        let place = import::place(index);
        import::must_be_whole(&place, document, &mut mistakes);
        let Some(id) = document.id else {
            mistakes.add(&within(&place, "id"), "is missing");
            continue;
        };
        if !meant.give(document.kind, &document.name, id) {
            mistakes.add(&within(&place, "name"), "stands in another document too");
        }
        let own_fields = own_fields.get(&(document.kind, id)).copied();
        wanted.push(Wanted { place, document, wish: Wish::Put { id, before: None, own_fields } });
    }
    let farms = documents.iter().filter(|document| document.kind == Kind::Farm);
    if farms.map(|document| document.id).ne([Some(farm.cast())]) {
        mistakes.add("archive.documents", "must have one farm, the one that the archive is of");
    }
    let draft = meaning::write(wanted, meant, Draft::new(nothing), mistakes)?;
    let mut mistakes = Mistakes::default();
    draft.check(&mut mistakes);
    draft.check_names(&mut mistakes);
    let mistakes = mistakes.into_vec();
    if mistakes.is_empty() { Ok(plan::writes(&draft)) } else { Err(Refused::Invalid(mistakes).into()) }
}

/// The store, which must hold nothing yet.
async fn empty_store(config: &BrokerConfig) -> Result<Arc<dyn SettingsStore>, RestoreError> {
    let dir = &config.data_dir;
    bootstrap::make_private_dir(dir)?;
    let taken = || RestoreError::NotEmpty(dir.clone());
    match NodeIdentity::load(dir) {
        Err(LoadError::Absent(_)) => {}
        _ => return Err(taken()),
    }
    let key = FarmKey::load_or_create(&dir.join(FARM_KEY_FILE)).map_err(StartError::from)?;
    let store = oriel_store::open(&config.store, key).await.map_err(StartError::from)?;
    let snapshot = store.load().await.map_err(StartError::from)?;
    if snapshot.sequence == 0 { Ok(store) } else { Err(taken()) }
}

fn with_new_keys(
    transaction: Transaction,
    farm: Id<Farm>,
    now: Timestamp,
) -> Result<Transaction, StartError> {
    let ticket_keys = TicketKeys::generate(now).map_err(|_| StartError::OutOfRandomness)?;
    let sign_in_key = SignInKey::generate().ok_or(StartError::OutOfRandomness)?;
    Ok(transaction.put_secret(farm, ticket_keys::SECRET, ticket_keys.to_secret()).put_secret(
        farm,
        sign_in_token::SECRET,
        sign_in_key.to_secret(),
    ))
}

/// A token with which an administrator gets in whatever was lost. Those of the archive hold as well.
fn with_token(
    transaction: Transaction,
    documents: &[super::Document],
    token: &str,
    now: Timestamp,
) -> Transaction {
    let administrator = Token {
        role: AdministratorRole::Root,
        reach: Reach::default(),
        description: "Made when the farm was restored; kept in the broker's data directory.".to_owned(),
        expires_at: None,
        owner: None,
        secret_sha256: secret_sha256(token),
    };
    let is_taken = |name: &str| {
        documents.iter().any(|document| document.kind == Kind::Token && fold(&document.name) == fold(name))
    };
    // A farm may have been restored before, in the same second even.
    let first = format!("restored {}", now.strftime("%Y-%m-%d %H:%M:%S"));
    let others = (2..).map(|number| format!("{first} ({number})"));
    let name = std::iter::once(first.clone()).chain(others).find(|name| !is_taken(name)).unwrap_or(first);
    transaction.create(Id::<Token>::generate(now), name, None, &administrator)
}

/// Which of the farm's brokers this machine is: that of its name, or the only one, on a machine with
/// another name.
fn own_broker(view: &FarmView, name: &str) -> Option<Id<Broker>> {
    let only = || view.brokers.iter().next().filter(|_| view.brokers.len() == 1);
    view.brokers.by_name(name).or_else(only).map(|broker| broker.id)
}

/// The broker's identity, by which its next start knows who it is. Names and addresses come then.
fn keep_identity(
    config: &BrokerConfig,
    authority: &Authority,
    broker: Id<Broker>,
    view: &FarmView,
    now: Timestamp,
) -> Result<(), StartError> {
    let nowhere = Addresses { gateway: Vec::new(), agent: Vec::new(), management: Vec::new() };
    let names = bootstrap::own_names(config, &nowhere);
    let lifetime = bootstrap::certificate_lifetime(view);
    let identity = bootstrap::issue_own(authority, broker, &names, lifetime, now)?;
    let path = config.data_dir.clone();
    identity.save(&path).map_err(|error| StartError::Data { path, error })
}
