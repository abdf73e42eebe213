//! When tokens were used last: in memory, and written down at most once a minute. Not settings, so not in the
//! change log; a broker that dies forgets a minute of it.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use jiff::SignedDuration;
use oriel_model::{Id, Timestamp, token::Token};
use oriel_net::supervise::ShutdownSignal;
use oriel_store::{SettingsStore, StoreError};

use crate::{farm::FarmFeed, hosts::lock};

/// What brokers remember it by.
const DUTY: &str = "token-uses";
/// How exactly a use is noted.
const GRAIN: SignedDuration = SignedDuration::from_secs(60);
/// How often it is written down, if there is anything new.
const PERIOD: Duration = Duration::from_secs(60);

/// When tokens were used last.
#[derive(Debug, Default)]
pub struct TokenUses(Mutex<Uses>);

#[derive(Debug, Default)]
struct Uses {
    last: HashMap<Id<Token>, Timestamp>,
    is_dirty: bool,
}

impl TokenUses {
    /// What was written down.
    pub async fn load_from(store: &dyn SettingsStore) -> Result<Self, StoreError> {
        let kept = store.kept(DUTY).await?;
        // From a version that wrote it otherwise: it is only a help.
        let last = kept.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default();
        Ok(Self(Mutex::new(Uses { last, is_dirty: false })))
    }

    /// A token was used.
    pub fn used(&self, token: Id<Token>, now: Timestamp) {
        let mut uses = lock(&self.0);
        let is_known = uses.last.get(&token).is_some_and(|last| now.duration_since(*last) < GRAIN);
        if !is_known {
            uses.last.insert(token, now);
            uses.is_dirty = true;
        }
    }

    /// When a token was used last, to the minute; none: never.
    pub fn last(&self, token: Id<Token>) -> Option<Timestamp> {
        lock(&self.0).last.get(&token).copied()
    }

    /// Writes behind, until the signal; then once more.
    pub async fn write_behind(&self, store: &dyn SettingsStore, farm: &FarmFeed, signal: ShutdownSignal) {
        loop {
            let is_last = signal.is_given();
            self.write(store, farm).await;
            if is_last {
                return;
            }
            tokio::select! {
                () = signal.given() => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    async fn write(&self, store: &dyn SettingsStore, farm: &FarmFeed) {
        let last = {
            let (view, mut uses) = (farm.load(), lock(&self.0));
            if !std::mem::take(&mut uses.is_dirty) {
                return;
            }
            uses.last.retain(|token, _| view.tokens.get(*token).is_some());
            serde_json::to_value(&uses.last).expect("ids and times are plain JSON")
        };
        if let Err(error) = store.keep(DUTY, last).await {
            tracing::warn!(%error, "when tokens were used last could not be stored; trying again");
            lock(&self.0).is_dirty = true;
        }
    }
}
