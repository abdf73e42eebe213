//! Applying documents: the objects they name become what they say, all together or not at all.

use std::{collections::HashMap, rc::Rc, sync::Arc};

use oriel_model::{
    Id, Kind, SettingsObject, Timestamp,
    reference::Names,
    validate::{Mistake, Mistakes},
};
use oriel_store::Author;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Document, Plan, Refused, any_kind,
    draft::{Draft, within},
    names::Meant,
    plan::{Ready, carry_out, without_consequences},
};
use crate::{Broker, farm::FarmView};

/// What is sent to apply documents.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// What objects shall be. They may refer to each other in any order.
    #[schemars(with = "Vec<Document>")]
    pub documents: Vec<Value>,
    /// Only says what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// The `sequence` of a plan that was looked at: refused if an object that is touched was changed after.
    #[serde(default)]
    pub sequence: Option<u64>,
}

/// Makes the objects what the documents say, in one transaction.
pub async fn apply(
    broker: &Arc<Broker>,
    author: Author,
    documents: Vec<Document>,
    dry_run: bool,
    sequence: Option<u64>,
) -> Result<Plan, Refused> {
    let now = broker.now();
    carry_out(broker, author, dry_run, move |view| {
        let draft = draft(view, &documents, now)?;
        Ok(Ready { based_on: sequence, ..Ready::from(draft) })
    })
    .await
}

/// What one document is about.
enum Target {
    Existing(SettingsObject),
    New(Id<Value>),
    Nothing,
}

/// The farm as it would be with these documents applied.
pub(super) fn draft(view: Arc<FarmView>, documents: &[Document], now: Timestamp) -> Result<Draft, Refused> {
    let mut mistakes = Mistakes::default();
    let mut meant = Meant::new(view.clone());
    let mut seen: HashMap<(Kind, Id<Value>), usize> = HashMap::new();
    let mut targets = Vec::with_capacity(documents.len());
    for (index, document) in documents.iter().enumerate() {
        let place = place(index);
        let target = target(&view, document, now);
        if document.id.is_some() {
            mistakes.add(&within(&place, "id"), "is for archives only; an object is found by its name");
        }
        if let Target::Existing(object) = &target
            && let Some(other) = seen.insert((document.kind, object.id), index)
        {
            mistakes.add(&within(&place, "name"), format!("is the object of {} already", self::place(other)));
        }
        match &target {
            Target::Existing(object) if document.delete => meant.forget(object.id),
            Target::Existing(object) => {
                meant.give(document.kind, &document.name, object.id);
            }
            Target::New(id) => {
                if let Some(how) = any_kind::of(document.kind).comes() {
                    let kind = document.kind;
                    let message = format!(
                        "there is no {kind} \"{}\", and a document cannot make one: it comes {how}",
                        document.name
                    );
                    mistakes.add(&within(&place, "name"), message);
                }
                if !meant.give(document.kind, &document.name, *id) {
                    mistakes.add(&within(&place, "name"), "stands in another document too");
                }
            }
            Target::Nothing => {}
        }
        targets.push(target);
    }
    let meant = Rc::new(meant);
    let mut draft = Draft::new(view);
    let mut unread = Vec::new();
    for ((index, document), target) in documents.iter().enumerate().zip(targets) {
        let place = place(index);
        let (id, before) = match target {
            Target::Nothing => {
                draft.keep(&place, document.kind, Id::from(uuid::Uuid::nil()), &document.name);
                continue;
            }
            Target::Existing(object) if document.delete => {
                draft.delete(&place, document.kind, object.id);
                continue;
            }
            Target::Existing(object) => (object.id, Some(object)),
            Target::New(id) => (id, None),
        };
        match meaning(&place, document, id, before.as_ref(), &meant, &mut mistakes) {
            Some(object) => match &before {
                Some(before) if is_same(before, &object) => {
                    draft.keep(&place, object.kind, id, &object.name);
                }
                _ => {
                    if let Err(Mistake { field, message }) = draft.put_any(&place, &object) {
                        mistakes.add(&field, message);
                    }
                }
            },
            None => unread.push(id.to_string()),
        }
    }
    let mistakes = mistakes.into_vec();
    if mistakes.is_empty() {
        return Ok(draft);
    }
    let mut later = Mistakes::default();
    draft.check(&mut later);
    draft.check_names(&mut later);
    Err(Refused::Invalid(without_consequences(mistakes, later.into_vec(), &unread)))
}

fn place(index: usize) -> String {
    format!("documents[{index}]")
}

fn target(view: &FarmView, document: &Document, now: Timestamp) -> Target {
    let any = any_kind::of(document.kind);
    let named = |name: &str| view.id_of(document.kind, name);
    let found = match document.kind {
        // There is one, whatever it is called.
        Kind::Farm => any.ids(view).first().copied(),
        _ => document.renamed_from.as_deref().and_then(named).or_else(|| named(&document.name)),
    };
    match found.and_then(|id| any.stored(view, id)) {
        Some(object) => Target::Existing(object),
        None if document.delete => Target::Nothing,
        None => Target::New(Id::generate(now)),
    }
}

/// Whether writing it would change nothing.
pub fn is_same(before: &SettingsObject, after: &SettingsObject) -> bool {
    before.name == after.name && before.site == after.site && before.spec == after.spec
}

/// The object that a document means; none if its spec cannot be read, which is noted.
pub fn meaning(
    place: &str,
    document: &Document,
    id: Id<Value>,
    before: Option<&SettingsObject>,
    meant: &Rc<Meant>,
    mistakes: &mut Mistakes,
) -> Option<SettingsObject> {
    let any = any_kind::of(document.kind);
    let mut fields = match &document.spec {
        Value::Object(fields) => fields.clone(),
        Value::Null => Map::new(),
        _ => {
            mistakes.add(&within(place, "spec"), "must be fields and what they say");
            return None;
        }
    };
    for field in any.own_fields() {
        if fields.contains_key(*field) {
            let message = "is set by the farm itself: leave it out";
            mistakes.add(&within(place, &format!("spec.{field}")), message);
        }
        if let Some(kept) = before.and_then(|before| before.spec.get(*field)) {
            fields.insert((*field).to_owned(), kept.clone());
        }
    }
    let site = document.site.as_deref().and_then(|name| {
        let found = name.parse().ok().or_else(|| meant.find(Kind::Site, name));
        if found.is_none() {
            mistakes.add(&within(place, "site"), format!("there is no site \"{name}\""));
        }
        found
    });
    let names: Rc<dyn Names> = meant.clone();
    let spec = match any.read(&Value::Object(fields), names) {
        Ok(spec) => spec,
        Err(mistake) => {
            mistakes.add(&within(place, &mistake.field), mistake.message);
            return None;
        }
    };
    if meant.has_unknown() {
        for reference in any.references(&spec) {
            if let Some(name) = meant.unknown(reference.id) {
                let field = within(place, &format!("spec.{}", reference.field));
                mistakes.add(&field, format!("there is no {} \"{name}\"", reference.kind));
            }
        }
    }
    Some(SettingsObject {
        kind: document.kind,
        id,
        name: document.name.clone(),
        site: site.map(Id::cast),
        spec,
        revision: before.map_or(0, |before| before.revision),
        changed_at: before.map_or(Timestamp::UNIX_EPOCH, |before| before.changed_at),
        changed_by: before.map_or_else(String::new, |before| before.changed_by.clone()),
    })
}
