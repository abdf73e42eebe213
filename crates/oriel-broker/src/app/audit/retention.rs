//! The log's length: what is older or more than the farm's settings say goes, the oldest first.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use oriel_net::supervise::ShutdownSignal;
use oriel_store::{Retention, StoreError};

use crate::Broker;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(10 * 60);
/// Between two steps of dropping, so that others may write.
const BREATH: Duration = Duration::from_millis(50);

/// Keeps the log as long as it may be, until the signal.
pub async fn run(broker: Arc<Broker>, signal: ShutdownSignal) {
    while !signal.is_given() {
        let wait = match broker.drop_oldest_entries().await {
            Ok(true) => BREATH,
            Ok(false) => LOOK,
            Err(error) => {
                tracing::warn!(%error, "the oldest entries of the log could not be dropped; trying again");
                LOOK
            }
        };
        tokio::select! {
            () = signal.given() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

impl Broker {
    /// Drops one step of what the log need not hold; whether there may be more.
    pub(crate) async fn drop_oldest_entries(&self) -> Result<bool, StoreError> {
        let (now, view) = (self.now(), self.farm.load());
        let settings = &view.farm().audit;
        let since = now
            .checked_sub(SignedDuration::from_hours(i64::from(settings.keep_days) * 24))
            .unwrap_or(oriel_model::Timestamp::MIN);
        let keep = Retention { since, bytes_max: u64::from(settings.size_mib) * 1024 * 1024 };
        let dropped = self.store.drop_oldest(keep, now).await?;
        if let Some(dropped) = &dropped {
            tracing::info!(
                first = dropped.first,
                through = dropped.through,
                "the oldest entries of the log were dropped"
            );
        }
        Ok(dropped.is_some_and(|dropped| dropped.is_more))
    }
}
