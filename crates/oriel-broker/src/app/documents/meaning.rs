//! From documents to a draft: what each wants of which object, with names read as the ids that they mean.

use std::rc::Rc;

use oriel_model::{
    Id, Kind, SettingsObject, Timestamp,
    reference::Names,
    validate::{Mistake, Mistakes},
};
use serde_json::{Map, Value};

use super::{
    Document, Refused, any_kind,
    draft::{Draft, within},
    names::Meant,
    plan::without_consequences,
};

/// A document and what it wants of which object.
pub struct Wanted<'a> {
    /// Where the caller said so: `documents[3]`.
    pub place: String,
    /// The document.
    pub document: &'a Document,
    /// What it wants.
    pub wish: Wish<'a>,
}

/// What a document wants.
pub enum Wish<'a> {
    /// An object shall be gone that is not there.
    Nothing,
    /// This object shall be gone.
    Delete(Id<Value>),
    /// This object shall be as the document says.
    Put {
        /// The object.
        id: Id<Value>,
        /// As it is; none: it is made.
        before: Option<SettingsObject>,
        /// The fields that only the farm itself sets, for an object that is made.
        own_fields: Option<&'a Map<String, Value>>,
    },
}

/// Does in `draft` what the documents want. What was found wrong before, `mistakes`, and what is found
/// wrong here is answered together with what is wrong with the farm as it would be.
pub fn write(
    wanted: Vec<Wanted<'_>>,
    meant: Meant,
    mut draft: Draft,
    mut mistakes: Mistakes,
) -> Result<Draft, Refused> {
    let meant = Rc::new(meant);
    let mut unread = Vec::new();
    for Wanted { place, document, wish } in wanted {
        let (id, before, own_fields) = match wish {
            Wish::Nothing => {
                draft.keep(&place, document.kind, Id::from(uuid::Uuid::nil()), &document.name);
                continue;
            }
            Wish::Delete(id) => {
                draft.delete(&place, document.kind, id);
                continue;
            }
            Wish::Put { id, before, own_fields } => (id, before, own_fields),
        };
        let kept = before.as_ref().and_then(|before| before.spec.as_object()).or(own_fields);
        let Some((site, spec)) = meaning(&place, document, kept, &meant, &mut mistakes) else {
            unread.push(id.to_string());
            continue;
        };
        let (kind, name) = (document.kind, document.name.clone());
        if before.as_ref().is_some_and(|b| b.name == name && b.site == site && b.spec == spec) {
            draft.keep(&place, kind, id, &name);
            continue;
        }
        let (revision, changed_at, changed_by) = before
            .map_or((0, Timestamp::UNIX_EPOCH, String::new()), |b| (b.revision, b.changed_at, b.changed_by));
        let object = SettingsObject { kind, id, name, site, spec, revision, changed_at, changed_by };
        if let Err(Mistake { field, message }) = draft.put_any(&place, &object) {
            mistakes.add(&field, message);
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

/// The site and the spec that a document means; none if its spec cannot be read, which is noted. `kept` are
/// the fields that only the farm itself sets.
fn meaning(
    place: &str,
    document: &Document,
    kept: Option<&Map<String, Value>>,
    meant: &Rc<Meant>,
    mistakes: &mut Mistakes,
) -> Option<(Option<Id<oriel_model::site::Site>>, Value)> {
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
        if let Some(kept) = kept.and_then(|kept| kept.get(*field)) {
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
    Some((site.map(Id::cast), spec))
}
