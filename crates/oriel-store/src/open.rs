//! Opening the store that a node's file names.

use std::{path::PathBuf, sync::Arc};

use crate::{FarmKey, OpenError, SettingsStore, SqliteStore};

/// Opens the store at `address`, such as `sqlite:/var/lib/oriel/settings.db`, and makes it when it
/// is not there. The farm key is the one its secrets are sealed with.
pub async fn open(address: &str, key: FarmKey) -> Result<Arc<dyn SettingsStore>, OpenError> {
    let path = match address.split_once(':') {
        Some(("sqlite", path)) if !path.is_empty() => PathBuf::from(path),
        _ => return Err(OpenError::Address(address.chars().take(200).collect())),
    };
    let at = path.clone();
    let store = tokio::task::spawn_blocking(move || SqliteStore::open(&path, key))
        .await
        .map_err(|error| OpenError::Unavailable { path: at, reason: error.to_string() })??;
    Ok(Arc::new(store))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Folder;

    #[tokio::test]
    async fn an_address_leads_to_its_store_or_to_a_sentence() {
        let folder = Folder::new();
        let address = format!("sqlite:{}", folder.path("settings.db").display());
        let store = open(&address, FarmKey::generate()).await.expect("opens");
        assert_eq!(store.load().await.expect("loads").sequence, 0);
        for bad in ["", "sqlite:", "settings.db", "oracle:x"] {
            let error = open(bad, FarmKey::generate()).await.err().expect("refused").to_string();
            assert!(error.contains("expected sqlite:FILE"), "{error}");
        }
    }
}
