//! What a duty remembers: in memory, and in the store for the broker that comes after. Not settings, so not in
//! the change log.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use oriel_store::SettingsStore;
use serde::{Serialize, de::DeserializeOwned};

use crate::hosts::lock;

/// The notes of one duty. They are read once, before anything is done by them, and written when they are new.
#[derive(Debug)]
pub(crate) struct Notes<T> {
    /// The duty's name in the store.
    duty: &'static str,
    kept: Mutex<T>,
    is_loaded: AtomicBool,
    is_dirty: AtomicBool,
    /// One writer at a time: an older state never overwrites a newer one.
    writing: tokio::sync::Mutex<()>,
}

impl<T: Default + Serialize + DeserializeOwned> Notes<T> {
    pub fn of(duty: &'static str) -> Self {
        Self {
            duty,
            kept: Mutex::default(),
            is_loaded: AtomicBool::new(false),
            is_dirty: AtomicBool::new(false),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// Whether what was noted before is known: nothing is done before that.
    pub async fn are_ready(&self, store: &dyn SettingsStore) -> bool {
        if self.is_loaded.load(Ordering::Acquire) {
            return true;
        }
        let kept = match store.kept(self.duty).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(duty = self.duty, %error, "the notes of a duty cannot be read; trying again");
                return false;
            }
        };
        match kept.map(serde_json::from_value).transpose() {
            Ok(kept) => *lock(&self.kept) = kept.unwrap_or_default(),
            // Of another version: it begins anew.
            Err(error) => {
                tracing::error!(duty = self.duty, %error, "the notes of a duty cannot be understood");
            }
        }
        self.is_loaded.store(true, Ordering::Release);
        true
    }

    /// Reads.
    pub fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&lock(&self.kept))
    }

    /// Changes them; the next [`Notes::write`] writes them down.
    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let done = change(&mut lock(&self.kept));
        self.is_dirty.store(true, Ordering::Relaxed);
        done
    }

    /// Changes them where `change` says that it did.
    pub fn change_if(&self, change: impl FnOnce(&mut T) -> bool) {
        if change(&mut lock(&self.kept)) {
            self.is_dirty.store(true, Ordering::Relaxed);
        }
    }

    /// Writes down what is new; on failure the next round tries again.
    pub async fn write(&self, store: &dyn SettingsStore) {
        let _turn = self.writing.lock().await;
        if !self.is_dirty.swap(false, Ordering::Relaxed) {
            return;
        }
        let value = self.read(|kept| serde_json::to_value(kept));
        let value = value.expect("notes are plain JSON: their maps have text keys");
        if let Err(error) = store.keep(self.duty, value).await {
            self.is_dirty.store(true, Ordering::Relaxed);
            tracing::warn!(duty = self.duty, %error, "the notes of a duty could not be stored; trying again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use oriel_store::FarmKey;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn notes_outlive_their_broker_and_are_written_only_when_they_are_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = format!("sqlite:{}", folder.path().join("settings.db").display());
        let store = oriel_store::open(&address, FarmKey::from_bytes(&[7; 32])).await.expect("opens");
        let notes = || Notes::<BTreeMap<String, u64>>::of("duty");
        let first = notes();
        assert!(first.are_ready(&*store).await);
        first.write(&*store).await;
        assert_eq!(store.kept("duty").await.expect("reads"), None, "there is nothing new");
        first.change(|kept| kept.insert("a".into(), 1));
        first.write(&*store).await;
        first.change_if(|kept| {
            kept.insert("b".into(), 2);
            false
        });
        first.write(&*store).await;
        assert_eq!(store.kept("duty").await.expect("reads"), Some(json!({"a": 1})));

        let second = notes();
        assert_eq!(second.read(BTreeMap::len), 0);
        assert!(second.are_ready(&*store).await);
        assert_eq!(second.read(|kept| kept["a"]), 1);
        // What another version wrote is no reason to stop.
        store.keep("duty", json!("odd")).await.expect("writes");
        let third = notes();
        assert!(third.are_ready(&*store).await);
        assert_eq!(third.read(BTreeMap::len), 0);
    }
}
