//! Importing an archive: the farm becomes what the archive says.
//!
//! Objects keep the ids they had, so that what refers to them from outside the settings (favourites, the
//! proofs of running sessions, the certificates of hosts) still means them. The farm itself, the broker that
//! takes the import in and the tokens that are there stay themselves: found by their kind or name, they keep
//! their ids, keys and digests, so that whoever imports is not locked out. Brokers of the farm that was
//! exported are left out: a broker comes when it is started.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oriel_model::{
    Id, Kind,
    icon::{ICON_BYTES_MAX, IconId},
    validate::Mistakes,
};
use oriel_store::{BLOBS_MAX, OwnedSecret, Write};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    Document, Plan, Refused, any_kind,
    archive::{Archive, FORMAT, OwnFields, Secrets, is_of_one_farm},
    draft::{Draft, within},
    meaning::{self, Wanted, Wish},
    names::Meant,
    plan::{Ready, carry_out},
    read,
};
use crate::{
    Broker,
    app::{administrators::Caller, objects},
    farm::FarmView,
};

/// What is sent to import an archive.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The archive, as it was exported.
    pub archive: Archive,
    /// What its secrets are sealed with.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub passphrase: Option<Zeroizing<String>>,
    /// Also into a farm that is not empty: what is not in the archive is deleted.
    #[serde(default)]
    pub replace: bool,
    /// Only says what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// Where documents stand in what is sent.
const DOCUMENTS: &str = "archive.documents";

/// Makes the farm what the archive says, in one transaction.
pub async fn import(broker: &Arc<Broker>, by: &Caller, import: Import) -> Result<Plan, Refused> {
    let Import { archive, passphrase, replace, dry_run } = import;
    let Opened { documents, icons, secrets } = open(archive, passphrase).await?;
    let named: Vec<IconId> = icons.keys().cloned().map(IconId).collect();
    if !dry_run {
        // First the pictures: what names one must find it. Without the rest they are of no harm.
        for png in icons.into_values() {
            broker.store.put_blob(png).await?;
        }
    }
    let kept_now = broker.store.secrets().await?;
    let (now, own_broker) = (broker.now(), broker.broker_id.cast());
    let plan = carry_out(broker, by, dry_run, move |view| {
        if !replace {
            must_be_empty(&view)?;
        }
        let mut importing = Importing::new(view, own_broker, now);
        let draft = importing.draft(&documents, secrets.as_ref())?;
        let secrets = match &secrets {
            Some(secrets) => importing.secrets(&draft, secrets, &kept_now),
            None => Vec::new(),
        };
        let notes = importing.notes;
        Ok(Ready { draft, secrets, icons: named.clone(), notes, based_on: None })
    });
    plan.await
}

/// An archive that was opened, with everything in it that can be checked by itself.
pub(super) struct Opened {
    pub documents: Vec<Document>,
    /// Pictures, by their names.
    pub icons: BTreeMap<String, Vec<u8>>,
    /// None: the archive has none.
    pub secrets: Option<Secrets>,
}

/// Opens an archive, beside the async threads: it may be large.
pub(super) async fn open(archive: Archive, passphrase: Option<Zeroizing<String>>) -> Result<Opened, Refused> {
    let Archive { format, documents, icons, secrets: sealed, .. } = archive;
    if format != FORMAT {
        let shown: String = format.chars().take(64).collect();
        let message = format!("is \"{shown}\", which this version does not read; it reads \"{FORMAT}\"");
        return Err(super::wrong("archive.format", message));
    }
    if sealed.is_some() && passphrase.is_none() {
        return Err(Refused::PassphraseMissing);
    }
    let work = tokio::task::spawn_blocking(move || {
        let secrets = match (sealed, passphrase) {
            (Some(sealed), Some(passphrase)) => Some(Secrets::open(&sealed, &passphrase, "archive.secrets")?),
            _ => None,
        };
        let mut documents = read(documents, DOCUMENTS)?;
        let icons = checked_icons(&icons, &mut documents)?;
        Ok(Opened { documents, icons, secrets })
    });
    work.await.map_err(|error| oriel_store::StoreError::Unavailable { reason: error.to_string() })?
}

/// Where a document of an archive stands.
pub(super) fn place(index: usize) -> String {
    format!("{DOCUMENTS}[{index}]")
}

/// Notes a document that is of use only where something is there already.
pub(super) fn must_be_whole(place: &str, document: &Document, mistakes: &mut Mistakes) {
    if document.delete || document.renamed_from.is_some() {
        mistakes.add(place, "is of an archive, where nothing is deleted or renamed");
    }
}

/// A farm is empty while it holds nothing but what its first start makes: itself, one site, one pool, one
/// broker and one token.
fn must_be_empty(view: &FarmView) -> Result<(), Refused> {
    let mut found = Vec::new();
    for kind in Kind::ALL.iter().copied() {
        let count = any_kind::of(kind).ids(view).len();
        let made_at_first = matches!(kind, Kind::Farm | Kind::Site | Kind::Pool | Kind::Broker | Kind::Token);
        if count > usize::from(made_at_first) {
            found.push(format!("{count} {}", if count == 1 { kind.as_str() } else { kind.plural() }));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(Refused::NotEmpty(found.join(", "))) }
}

/// Decodes every icon and writes it anew, so that nothing but a picture is kept. One that comes out with
/// other bytes has another name from then on, in the documents too.
fn checked_icons(
    icons: &BTreeMap<String, String>,
    documents: &mut [Document],
) -> Result<BTreeMap<String, Vec<u8>>, Refused> {
    let mut mistakes = Mistakes::default();
    if icons.len() as u64 > BLOBS_MAX {
        mistakes.add("archive.icons", format!("has more than {BLOBS_MAX} entries"));
        return Err(mistakes.into());
    }
    let mut checked = BTreeMap::new();
    let mut renamed: HashMap<&str, String> = HashMap::new();
    for (id, text) in icons {
        let shown: String = id.chars().take(64).collect();
        let field = format!("archive.icons.{shown}");
        // Base64 has four characters for three bytes.
        if text.len() > ICON_BYTES_MAX.div_ceil(3) * 4 {
            mistakes.add(&field, format!("is larger than {ICON_BYTES_MAX} bytes"));
            continue;
        }
        let Ok(png) = STANDARD.decode(text) else {
            mistakes.add(&field, "is not base64");
            continue;
        };
        if digest(&png) != *id {
            mistakes.add(&field, "is not the picture that its name says");
            continue;
        }
        match objects::icon_of(&png) {
            Ok(icon) => {
                let name = digest(&icon);
                renamed.insert(id, name.clone());
                checked.insert(name, icon);
            }
            Err(error) => mistakes.add(&field, error.to_string()),
        }
    }
    let mistakes = mistakes.into_vec();
    if !mistakes.is_empty() {
        return Err(Refused::Invalid(mistakes));
    }
    for document in documents.iter_mut().filter(|document| document.kind == Kind::Resource) {
        if let Some(Value::String(icon)) = document.spec.get_mut("icon")
            && let Some(name) = renamed.get(icon.as_str())
        {
            icon.clone_from(name);
        }
    }
    Ok(checked)
}

fn digest(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One import into one view.
struct Importing {
    view: Arc<FarmView>,
    own_broker: Id<Value>,
    now: oriel_model::Timestamp,
    /// The ids of objects in the archive, and here.
    here: HashMap<(Kind, Id<Value>), Id<Value>>,
    notes: Vec<String>,
}

impl Importing {
    fn new(view: Arc<FarmView>, own_broker: Id<Value>, now: oriel_model::Timestamp) -> Self {
        Self { view, own_broker, now, here: HashMap::new(), notes: Vec::new() }
    }

    fn draft(&mut self, documents: &[Document], secrets: Option<&Secrets>) -> Result<Draft, Refused> {
        let own_fields = secrets.map(Secrets::own_fields).unwrap_or_default();
        let mut mistakes = Mistakes::default();
        let mut meant = Meant::new(self.view.clone());
        for kind in Kind::ALL.iter().copied() {
            any_kind::of(kind).ids(&self.view).into_iter().for_each(|id| meant.forget(id));
        }
        let mut wanted = Vec::with_capacity(documents.len());
        let mut taken = HashSet::new();
        for (index, document) in documents.iter().enumerate() {
            let place = place(index);
            must_be_whole(&place, document, &mut mistakes);
            let Some(id) = self.target(document, &own_fields) else { continue };
            if let Some(archived) = document.id {
                self.here.insert((document.kind, archived), id);
            }
            let is_free = self.kind_of(id).is_none_or(|kind| kind == document.kind) && taken.insert(id);
            if !is_free {
                mistakes.add(&within(&place, "id"), "is that of another object");
            } else if !meant.give(document.kind, &document.name, id) {
                mistakes.add(&within(&place, "name"), "stands in another document too");
            }
            // What is here keeps its own fields, what is not takes those of the archive.
            let before = any_kind::of(document.kind).stored(&self.view, id);
            let own_fields = document.id.and_then(|archived| own_fields.get(&(document.kind, archived)));
            let wish = Wish::Put { id, before, own_fields: own_fields.copied() };
            wanted.push(Wanted { place, document, wish });
        }
        self.keep_own(&mut meant, &mut taken);
        let mut draft = Draft::new(self.view.clone());
        self.delete_others(&taken, &mut draft);
        let mut draft = meaning::write(wanted, meant, draft, mistakes)?;
        self.settle_own_broker(&taken, &mut draft);
        Ok(draft)
    }

    /// The object here that a document becomes; none: it is left out, with a note.
    fn target(&mut self, document: &Document, own_fields: &OwnFields<'_>) -> Option<Id<Value>> {
        let named = self.view.id_of(document.kind, &document.name);
        let there = document.id.filter(|id| self.view.name_of(document.kind, *id).is_some());
        match document.kind {
            Kind::Farm => self.view.farms.iter().next().map(|farm| farm.id.cast()),
            Kind::Token => match there.or(named) {
                Some(id) => Some(id),
                None => self.new_id(document, own_fields),
            },
            Kind::Broker => there.or(named).or_else(|| {
                let name = &document.name;
                self.notes.push(format!("broker \"{name}\" is left out: a broker comes when it is started"));
                None
            }),
            _ => self.new_id(document, own_fields),
        }
    }

    /// The id that the archive says; a new one where it says none.
    fn new_id(&mut self, document: &Document, own_fields: &OwnFields<'_>) -> Option<Id<Value>> {
        let is_known = document.id.is_some_and(|id| {
            own_fields.contains_key(&(document.kind, id)) || self.view.name_of(document.kind, id).is_some()
        });
        if any_kind::of(document.kind).needs_own_fields() && !is_known {
            let (kind, name) = (document.kind, &document.name);
            self.notes.push(format!("{kind} \"{name}\" is left out: its secret is not in the archive"));
            return None;
        }
        Some(document.id.unwrap_or_else(|| Id::generate(self.now)))
    }

    /// The kind of the object here that has this id.
    fn kind_of(&self, id: Id<Value>) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| self.view.name_of(*kind, id).is_some())
    }

    /// What stays although the archive does not name it: this broker and, in an empty farm, its token.
    fn keep_own(&self, meant: &mut Meant, taken: &mut HashSet<Id<Value>>) {
        let tokens = self.view.tokens.iter().map(|token| (Kind::Token, token.id.cast(), &token.name));
        let own = self.view.brokers.iter().map(|broker| (Kind::Broker, broker.id.cast(), &broker.name));
        let own = own.filter(|(_, id, _)| *id == self.own_broker);
        for (kind, id, name) in tokens.chain(own) {
            if taken.insert(id) {
                meant.give(kind, name, id);
            }
        }
    }

    fn delete_others(&self, taken: &HashSet<Id<Value>>, draft: &mut Draft) {
        for kind in Kind::ALL.iter().rev().copied() {
            for id in any_kind::of(kind).ids(&self.view) {
                if !taken.contains(&id) {
                    draft.delete("archive", kind, id);
                }
            }
        }
    }

    /// This broker, where the archive does not name it, must lie in a site that is still there.
    fn settle_own_broker(&self, taken: &HashSet<Id<Value>>, draft: &mut Draft) {
        let Some(own) = self.view.brokers.get(self.own_broker.cast()) else { return };
        let is_named = draft.edits.iter().any(|edit| edit.id == self.own_broker);
        let is_lost = own.site.is_some_and(|site| !taken.contains(&site.cast()));
        if is_named || !is_lost {
            return;
        }
        let mut own = (**own).clone();
        let same_name = |name: &str| draft.after.sites.by_name(name).map(|site| site.id);
        let name = own.site.and_then(|site| self.view.sites.get(site)).map(|site| site.name.clone());
        own.site = name
            .as_deref()
            .and_then(same_name)
            .or_else(|| draft.after.sites.sorted().first().map(|site| site.id));
        draft.put("archive", own);
    }

    /// The writes that give objects the secrets of the archive, and no others.
    fn secrets(&self, draft: &Draft, archived: &Secrets, now: &[OwnedSecret]) -> Vec<Write> {
        let is_there = |kind: Kind, id: Id<Value>| draft.after.name_of(kind, id).is_some();
        let kept: HashMap<(Id<Value>, &str), &OwnedSecret> =
            now.iter().map(|secret| ((secret.owner, &*secret.name), secret)).collect();
        let mut writes = Vec::new();
        let mut wanted = HashSet::new();
        for secret in &archived.secrets {
            let Some(owner) = self.here.get(&(secret.kind, secret.id)).copied() else { continue };
            if !is_there(secret.kind, owner) || is_of_one_farm(secret.kind, &secret.name) {
                continue;
            }
            wanted.insert((owner, &*secret.name));
            if kept.get(&(owner, &*secret.name)).is_some_and(|kept| kept.value == secret.value) {
                continue;
            }
            let (kind, name, value) = (secret.kind, secret.name.clone(), secret.value.clone());
            writes.push(Write::PutSecret { kind, owner, name, value });
        }
        for OwnedSecret { kind, owner, name, .. } in now {
            let stays = wanted.contains(&(*owner, &**name)) || is_of_one_farm(*kind, name);
            if !stays && is_there(*kind, *owner) {
                writes.push(Write::DeleteSecret { kind: *kind, owner: *owner, name: name.clone() });
            }
        }
        writes
    }
}
