//! Exporting the whole farm.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oriel_model::{Kind, icon::Icon};
use oriel_store::OwnedSecret;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    DocumentsQuery, Refused, any_kind,
    archive::{
        Archive, ArchivedFarm, ArchivedFields, ArchivedSecret, FORMAT, Secrets, check_passphrase, is_archived,
    },
    list, wrong,
};
use crate::{Broker, app::administrators::Rights, farm::FarmView};

/// The whole farm as an archive. Without a passphrase, nothing secret is in it: users keep no passwords,
/// and tokens and invitations are left out, as they are nothing without their digests. `with_farm_keys`
/// says whether the farm's own keys are among its secrets.
pub async fn export(
    broker: &Arc<Broker>,
    passphrase: Option<Zeroizing<String>>,
    with_farm_keys: bool,
) -> Result<Archive, Refused> {
    if with_farm_keys && passphrase.is_none() {
        return Err(wrong("passphrase", "is needed: the farm's own keys are archived only sealed"));
    }
    if let Some(passphrase) = &passphrase {
        check_passphrase("passphrase", passphrase)?;
    }
    let view = broker.farm.load();
    let mut secrets = match passphrase {
        Some(_) => broker.store.secrets().await?,
        None => Vec::new(),
    };
    secrets.retain(|secret| is_archived(secret.kind, &secret.name, with_farm_keys));
    let icons = icons(broker, &view).await?;
    let (farm, made_at) = (ArchivedFarm { id: broker.farm_id, name: view.farm_name() }, broker.now());
    let work = tokio::task::spawn_blocking(move || {
        let documents = documents(&view, passphrase.is_some());
        let sealed =
            passphrase.map(|passphrase| all_secrets(&view, secrets).seal(&passphrase)).transpose()?;
        let (format, farm_keys) = (FORMAT.into(), with_farm_keys);
        Ok(Archive { format, farm, made_at, documents, icons, farm_keys, secrets: sealed })
    });
    work.await.map_err(|error| oriel_store::StoreError::Unavailable { reason: error.to_string() })?
}

/// Every object with its id.
fn documents(view: &Arc<FarmView>, with_secrets: bool) -> Vec<Value> {
    let is_wanted = |kind: Kind| with_secrets || !any_kind::of(kind).needs_own_fields();
    let mut documents = list(view, &DocumentsQuery::default(), &Rights::everything());
    documents.retain(|document| is_wanted(document.kind));
    for document in &mut documents {
        document.id = view.id_of(document.kind, &document.name);
    }
    documents.iter().map(|document| serde_json::to_value(document).expect("plain JSON")).collect()
}

fn all_secrets(view: &FarmView, secrets: Vec<OwnedSecret>) -> Secrets {
    let secrets = secrets.into_iter().map(|secret| ArchivedSecret {
        kind: secret.kind,
        id: secret.owner,
        name: secret.name,
        value: secret.value,
    });
    Secrets { secrets: secrets.collect(), own_fields: own_fields(view) }
}

fn own_fields(view: &FarmView) -> Vec<ArchivedFields> {
    let mut found = Vec::new();
    for kind in Kind::ALL.iter().copied() {
        let any = any_kind::of(kind);
        if any.own_fields().is_empty() {
            continue;
        }
        for object in any.ids(view).into_iter().filter_map(|id| any.stored(view, id)) {
            let fields: Map<String, Value> = any
                .own_fields()
                .iter()
                .filter_map(|field| Some(((*field).to_owned(), object.spec.get(*field)?.clone())))
                .collect();
            found.push(ArchivedFields { kind, id: object.id, fields });
        }
    }
    found
}

/// The pictures that resources name; the built-in ones are everywhere. One that is not kept is left out; the resource shows that of its kind.
async fn icons(broker: &Broker, view: &FarmView) -> Result<BTreeMap<String, String>, Refused> {
    let mut icons = BTreeMap::new();
    for icon in view.resources.iter().filter_map(|resource| resource.spec.icon.as_ref().and_then(Icon::sent))
    {
        if icons.contains_key(&icon.0) {
            continue;
        }
        if let Some(png) = broker.store.blob(&icon).await? {
            icons.insert(icon.0, STANDARD.encode(png));
        }
    }
    Ok(icons)
}
