//! Icons of published resources: the built-in set, and those that were sent, kept in memory within a
//! bound: a page of the portal asks for dozens.

mod built_in;

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use axum::body::Bytes;
use oriel_model::icon::{BuiltIn, IconId, Picture};
use oriel_store::{SettingsStore, StoreError};

use crate::hosts::lock;

/// Bytes of icons kept in memory: some thousand icons of the usual 10 KiB.
const CACHE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The icons in memory.
#[derive(Debug, Default)]
pub struct Icons {
    cache: Mutex<Cache>,
}

/// A picture.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its bytes.
    pub png: Bytes,
    picture: Picture,
}

impl Found {
    /// How long a browser may keep it, for `Cache-Control`: what is named by its content never changes;
    /// what comes with the product may with an update.
    pub fn caching(&self) -> &'static str {
        match self.picture {
            Picture::Sent(_) => "max-age=31536000, immutable",
            Picture::BuiltIn(_) => "max-age=86400",
        }
    }
}

#[derive(Debug, Default)]
struct Cache {
    icons: HashMap<IconId, Bytes>,
    order: VecDeque<IconId>,
    bytes: usize,
}

impl Icons {
    /// The picture with this name in an address: an id, or the name of a built-in one; none: there is no
    /// such picture.
    pub async fn find(&self, store: &dyn SettingsStore, name: &str) -> Result<Option<Found>, StoreError> {
        if let Some(icon) = BuiltIn::named(name) {
            return Ok(Some(Found { png: built_in::png(icon), picture: Picture::BuiltIn(icon) }));
        }
        let id = IconId(name.to_owned());
        if !id.is_well_formed() {
            return Ok(None);
        }
        let png = self.sent(store, &id).await?;
        Ok(png.map(|png| Found { png, picture: Picture::Sent(id) }))
    }

    async fn sent(&self, store: &dyn SettingsStore, id: &IconId) -> Result<Option<Bytes>, StoreError> {
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
