//! Icons of published resources, kept in memory within a bound: a page of the portal asks for dozens.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use axum::body::Bytes;
use oriel_model::icon::IconId;
use oriel_store::{SettingsStore, StoreError};

use crate::hosts::lock;

/// Bytes of icons kept in memory: some thousand icons of the usual 10 KiB.
const CACHE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The icons in memory.
#[derive(Debug, Default)]
pub struct Icons {
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    icons: HashMap<IconId, Bytes>,
    order: VecDeque<IconId>,
    bytes: usize,
}

impl Icons {
    /// An icon's PNG bytes; none: there is no such icon.
    pub async fn get(&self, store: &dyn SettingsStore, id: &IconId) -> Result<Option<Bytes>, StoreError> {
        if let Some(icon) = lock(&self.cache).icons.get(id) {
            return Ok(Some(icon.clone()));
        }
        let Some(icon) = store.blob(id).await?.map(Bytes::from) else { return Ok(None) };
        lock(&self.cache).keep(id, &icon);
        Ok(Some(icon))
    }
}

impl Cache {
    fn keep(&mut self, id: &IconId, icon: &Bytes) {
        if self.icons.insert(id.clone(), icon.clone()).is_some() {
            return;
        }
        self.order.push_back(id.clone());
        self.bytes += icon.len();
        while self.bytes > CACHE_BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else { return };
            self.bytes -= self.icons.remove(&oldest).map_or(0, |icon| icon.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_icons_make_room() {
        let mut cache = Cache::default();
        let icon = Bytes::from(vec![0; 1024 * 1024]);
        for number in 0..40 {
            cache.keep(&IconId(format!("{number:064}")), &icon);
            cache.keep(&IconId(format!("{number:064}")), &icon);
        }
        assert_eq!((cache.icons.len(), cache.order.len()), (32, 32));
        assert_eq!(cache.bytes, CACHE_BYTES_MAX);
        assert!(!cache.icons.contains_key(&IconId(format!("{:064}", 7))));
    }
}
