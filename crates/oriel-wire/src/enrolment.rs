//! The component's side of enrolment: joining with an invitation, and keeping the certificate young.
//!
//! What a component knows of its farm is in its data directory: its identity (`oriel-net`) and, beside
//! it, `membership.json` with its name and the brokers' addresses.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use oriel_model::{Timestamp, role::Role};
use oriel_net::{
    backoff::Backoff,
    clock::Clock,
    connect,
    fingerprint::{Fingerprint, FingerprintError},
    identity::{CompleteError, KeyRequest, LoadError, NodeIdentity},
    supervise::ShutdownSignal,
    tls::{ReloadError, ReloadingIdentity, internal_client, joining_client},
};
use serde::{Deserialize, Serialize};

use crate::{
    MESSAGE_BYTES_MAX,
    invitation::InvitationString,
    v1::{self, enrolment_client::EnrolmentClient},
};

/// The membership file's name within the data directory.
pub const FILE_NAME: &str = "membership.json";

/// How long one call may take: a broker answers in milliseconds, but may hash and write under load.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// What a component knows of the farm it belongs to, besides its identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The component's name in the farm.
    pub name: String,
    /// Brokers' addresses for its role, `host:port`.
    pub broker_addresses: Vec<String>,
}

/// Why joining failed.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The invitation is for another part.
    #[error("this invitation is for the role {0}; ask for one for the role {1}")]
    OtherRole(Role, Role),
    /// Too late.
    #[error("this invitation expired at {0}; ask the administrator for a new one")]
    Expired(Timestamp),
    /// The invitation's fingerprint is not one.
    #[error("the invitation is damaged: {0}")]
    Fingerprint(#[from] FingerprintError),
    /// No broker could be reached, or what answered is not the farm of the invitation.
    #[error("no broker of the farm could be reached at {addresses}: {reason}")]
    Unreachable {
        /// The addresses of the invitation.
        addresses: String,
        /// What the last attempt said.
        reason: String,
    },
    /// The broker said no. It does not say why, so that nobody can probe.
    #[error("the broker refused the invitation: it was used before, was withdrawn, or has expired")]
    Refused,
    /// The broker could not do it now.
    #[error("the broker could not enrol this machine: {0}")]
    Broker(String),
    /// The answer does not fit.
    #[error("the broker's answer was not accepted: {0}")]
    Answer(#[from] CompleteError),
    /// No key could be made.
    #[error("no key could be made: {0}")]
    Key(String),
    /// It could not be written down.
    #[error("cannot write to {0}: {1}")]
    Write(PathBuf, io::Error),
    /// The machine belongs to a farm already.
    #[error("{0} belongs to a farm already; remove it first if this machine is to join anew")]
    AlreadyJoined(PathBuf),
}

/// Joins the farm of `invitation` as `role` and writes identity and membership into `directory`.
pub async fn join(
    invitation: &InvitationString,
    role: Role,
    machine_name: &str,
    directory: &Path,
    now: Timestamp,
) -> Result<Membership, JoinError> {
    if invitation.role != role {
        return Err(JoinError::OtherRole(invitation.role, role));
    }
    if invitation.expires_at <= now {
        return Err(JoinError::Expired(invitation.expires_at));
    }
    if !matches!(NodeIdentity::load(directory), Err(LoadError::Absent(_))) {
        return Err(JoinError::AlreadyJoined(directory.to_owned()));
    }
    let authority: Fingerprint = invitation.authority_sha256.parse()?;
    let key = KeyRequest::generate().map_err(|error| JoinError::Key(error.to_string()))?;
    let request = v1::JoinRequest {
        invitation_id: invitation.id.to_string(),
        secret: invitation.secret.to_string(),
        role: role.as_str().to_owned(),
        csr_pem: key.csr_pem().map_err(|error| JoinError::Key(error.to_string()))?,
        machine_name: machine_name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };

    let unreachable =
        |reason: String| JoinError::Unreachable { addresses: invitation.addresses.join(", "), reason };
    let config = joining_client(authority).map_err(|error| unreachable(error.to_string()))?;
    let channel = connect::connected_channel(invitation.addresses.clone(), config)
        .await
        .map_err(|error| unreachable(root_cause(&error)))?;
    let mut client = EnrolmentClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let answer = tokio::time::timeout(CALL_TIMEOUT, client.join(request))
        .await
        .map_err(|_| unreachable("the broker did not answer in time".to_owned()))?
        .map_err(|status| match status.code() {
            tonic::Code::Unauthenticated => JoinError::Refused,
            tonic::Code::Unavailable => unreachable(status.message().to_owned()),
            tonic::Code::Unimplemented => {
                unreachable(format!("what answers there is not the broker's port for a {role}"))
            }
            _ => JoinError::Broker(status.message().to_owned()),
        })?
        .into_inner();

    let identity = key.complete(&answer.certificate_pem, &answer.authority_pem, authority)?;
    let membership = Membership { name: answer.component_name, broker_addresses: answer.broker_addresses };
    let write = |error| JoinError::Write(directory.to_owned(), error);
    make_private(directory).map_err(write)?;
    // The identity last: it is what makes the machine a member.
    membership.save(directory).map_err(write)?;
    identity.save(directory).map_err(write)?;
    Ok(membership)
}

impl Membership {
    /// Reads what [`join`] wrote.
    pub fn load(directory: &Path) -> io::Result<Self> {
        let path = directory.join(FILE_NAME);
        let damaged = |error: serde_json::Error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged: {error}", path.display()))
        };
        serde_json::from_slice(&std::fs::read(&path)?).map_err(damaged)
    }

    /// Writes it, whole or not at all.
    pub fn save(&self, directory: &Path) -> io::Result<()> {
        let path = directory.join(FILE_NAME);
        let fresh = directory.join(format!("{FILE_NAME}.new"));
        std::fs::write(&fresh, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(fresh, path)
    }
}

/// How often is looked whether renewal is due: a machine that sleeps does not count its time, and a
/// certificate's last third is days long.
const RENEWAL_LOOK: Duration = Duration::from_secs(600);
/// First and longest pause after a failed renewal.
const RENEWAL_RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(3_600));

/// A component that renews its certificate.
pub struct Renewal {
    /// Its identity; every configuration made from it goes on with the new certificate.
    pub identity: Arc<ReloadingIdentity>,
    /// Where identity and membership are kept.
    pub directory: PathBuf,
    /// Brokers' addresses for its role, tried in order.
    pub brokers: Vec<String>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Renewal {
    /// Exchanges the certificate at two thirds of its life, until told to stop.
    pub async fn keep(self, signal: ShutdownSignal) {
        let mut backoff = Backoff::new(RENEWAL_RETRY.0, RENEWAL_RETRY.1);
        let mut pause = Duration::ZERO;
        loop {
            let due = self.identity.identity().renew_after(self.clock.now());
            let wait = if due.is_zero() { pause } else { due.min(RENEWAL_LOOK) };
            tokio::select! {
                () = signal.given() => return,
                () = tokio::time::sleep(wait) => {}
            }
            if !self.identity.identity().renew_after(self.clock.now()).is_zero() {
                continue;
            }
            match renew(&self).await {
                Ok(()) => {
                    backoff.reset();
                    // Not at once again, however far apart the clocks are.
                    pause = RENEWAL_RETRY.0;
                    tracing::info!(valid_until = %self.identity.identity().not_after(), "certificate renewed");
                }
                Err(error) => {
                    pause = backoff.next_delay();
                    let valid_until = self.identity.identity().not_after();
                    tracing::warn!(%error, %valid_until, retry_in_secs = pause.as_secs(), "certificate not renewed");
                }
            }
        }
    }
}

/// Why a renewal failed.
#[derive(Debug, thiserror::Error)]
enum RenewError {
    #[error("{0}")]
    Key(String),
    #[error("no broker could be reached: {0}")]
    Unreachable(String),
    #[error("the broker refused: {0}")]
    Refused(String),
    #[error(transparent)]
    Answer(#[from] CompleteError),
    #[error(transparent)]
    Reload(#[from] ReloadError),
    #[error("it cannot be written down: {0}")]
    Write(#[from] io::Error),
}

async fn renew(renewal: &Renewal) -> Result<(), RenewError> {
    let Renewal { identity, directory, brokers, .. } = renewal;
    let key = KeyRequest::generate().map_err(|error| RenewError::Key(error.to_string()))?;
    let csr_pem = key.csr_pem().map_err(|error| RenewError::Key(error.to_string()))?;
    let config = internal_client(identity, Role::Broker)
        .map_err(|error| RenewError::Unreachable(error.to_string()))?;
    let channel = connect::connected_channel(brokers.clone(), config)
        .await
        .map_err(|error| RenewError::Unreachable(root_cause(&error)))?;
    let mut client = EnrolmentClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let answer = tokio::time::timeout(CALL_TIMEOUT, client.renew(v1::RenewRequest { csr_pem }))
        .await
        .map_err(|_| RenewError::Unreachable("no answer in time".to_owned()))?
        .map_err(|status| RenewError::Refused(status.message().to_owned()))?
        .into_inner();

    let authority = identity.identity().authority_fingerprint();
    let fresh = key.complete(&answer.certificate_pem, &answer.authority_pem, authority)?;
    fresh.save(directory)?;
    identity.replace(fresh)?;
    if !answer.broker_addresses.is_empty() {
        let membership = Membership::load(directory)?;
        Membership { broker_addresses: answer.broker_addresses, ..membership }.save(directory)?;
    }
    Ok(())
}

fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// The innermost reason: the outer ones only say "transport error".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
