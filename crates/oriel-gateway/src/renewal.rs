//! Keeps the gateway's certificate young: at two thirds of its life a broker exchanges it for a new
//! one.

use std::{path::PathBuf, sync::Arc, time::Duration};

use oriel_net::{
    backoff::Backoff,
    identity::{CompleteError, KeyRequest},
    supervise::ShutdownSignal,
    tls::{ReloadError, ReloadingIdentity},
};
use oriel_wire::v1::{RenewRequest, enrolment_client::EnrolmentClient};
use tokio::time::{sleep, timeout};

use crate::{
    limits::{ATTACH_TIMEOUT, RENEWAL_LOOK, RENEWAL_RETRY, RENEWAL_RETRY_CAP},
    shared::Shared,
};

/// Renews the certificate whenever it is due, until the signal.
pub(crate) async fn keep(
    shared: Arc<Shared>,
    identity: Arc<ReloadingIdentity>,
    data_dir: PathBuf,
    signal: ShutdownSignal,
) {
    let mut backoff = Backoff::new(RENEWAL_RETRY, RENEWAL_RETRY_CAP);
    let mut retry = Duration::ZERO;
    loop {
        // In short steps: a machine that sleeps does not count its time.
        let due = identity.identity().renew_after(shared.clock.now());
        let wait = due.max(retry).min(RENEWAL_LOOK);
        tokio::select! {
            () = signal.given() => return,
            () = sleep(wait) => {}
        }
        retry = retry.saturating_sub(wait);
        if !retry.is_zero() || !identity.identity().renew_after(shared.clock.now()).is_zero() {
            continue;
        }
        match renew(&shared, &identity, &data_dir).await {
            Ok(()) => {
                backoff.reset();
                tracing::info!(not_after = %identity.identity().not_after(), "the farm renewed this gateway's certificate");
            }
            Err(error) => {
                retry = backoff.next_delay();
                tracing::warn!(%error, not_after = %identity.identity().not_after(), "this gateway's certificate could not be renewed; trying again");
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum RenewError {
    #[error("a new key could not be made: {0}")]
    Key(String),
    #[error("no broker renewed it: {0}")]
    Refused(String),
    #[error(transparent)]
    Answer(#[from] CompleteError),
    #[error("the new certificate cannot be saved: {0}")]
    Save(std::io::Error),
    #[error(transparent)]
    Reload(#[from] ReloadError),
}

async fn renew(
    shared: &Shared,
    identity: &ReloadingIdentity,
    data_dir: &std::path::Path,
) -> Result<(), RenewError> {
    let request = KeyRequest::generate().map_err(|error| RenewError::Key(error.to_string()))?;
    let csr_pem = request.csr_pem().map_err(|error| RenewError::Key(error.to_string()))?;
    let mut refusal = "none is known".to_owned();
    for broker in shared.brokers.in_order() {
        let mut client = EnrolmentClient::new(broker.channel.clone());
        let call = client.renew(RenewRequest { csr_pem: csr_pem.clone() });
        match timeout(ATTACH_TIMEOUT, call).await {
            Ok(Ok(answer)) => {
                let answer = answer.into_inner();
                let authority = identity.identity().authority_fingerprint();
                let renewed = request.complete(&answer.certificate_pem, &answer.authority_pem, authority)?;
                // First to the disk: a crash in between must not lose the newer one.
                renewed.save(data_dir).map_err(RenewError::Save)?;
                identity.replace(renewed)?;
                return Ok(());
            }
            Ok(Err(status)) => refusal = status.message().to_owned(),
            Err(_) => refusal = format!("{} did not answer in time", broker.address),
        }
    }
    Err(RenewError::Refused(refusal))
}
