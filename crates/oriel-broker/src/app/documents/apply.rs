//! Applying documents: the objects they name become what they say, all together or not at all.

use std::{collections::HashMap, sync::Arc};

use oriel_model::{Id, Kind, SettingsObject, Timestamp, validate::Mistakes};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Document, Plan, Refused, any_kind,
    draft::{Draft, within},
    meaning::{self, Wanted, Wish},
    names::Meant,
    plan::{Ready, carry_out},
};
use crate::{Broker, app::administrators::Caller, farm::FarmView};

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
    by: &Caller,
    documents: Vec<Document>,
    dry_run: bool,
    sequence: Option<u64>,
) -> Result<Plan, Refused> {
    let now = broker.now();
    carry_out(broker, by, dry_run, move |view| {
        let draft = draft(view, &documents, now)?;
        Ok(Ready { based_on: sequence, ..Ready::from(draft) })
    })
    .await
}

/// The farm as it would be with these documents applied.
pub(super) fn draft(view: Arc<FarmView>, documents: &[Document], now: Timestamp) -> Result<Draft, Refused> {
    let mut mistakes = Mistakes::default();
    let mut meant = Meant::new(view.clone());
    let mut seen: HashMap<(Kind, Id<Value>), usize> = HashMap::new();
    let mut wanted = Vec::with_capacity(documents.len());
    for (index, document) in documents.iter().enumerate() {
        let (place, kind) = (place(index), document.kind);
        if document.id.is_some() {
            mistakes.add(&within(&place, "id"), "is for archives only; an object is found by its name");
        }
        let wish = match existing(&view, document) {
            Some(object) => {
                if let Some(other) = seen.insert((kind, object.id), index) {
                    let other = self::place(other);
                    mistakes.add(&within(&place, "name"), format!("is the object of {other} already"));
                }
                if document.delete {
                    meant.forget(object.id);
                    Wish::Delete(object.id)
                } else {
                    meant.give(kind, &document.name, object.id);
                    Wish::Put { id: object.id, before: Some(object), own_fields: None }
                }
            }
            None if document.delete => Wish::Nothing,
            None => {
                if let Some(how) = any_kind::of(kind).comes() {
                    let name = &document.name;
                    let message = format!(
                        "there is no {kind} \"{name}\", and a document cannot make one: it comes {how}"
                    );
                    mistakes.add(&within(&place, "name"), message);
                }
                let id = Id::generate(now);
                if !meant.give(kind, &document.name, id) {
                    mistakes.add(&within(&place, "name"), "stands in another document too");
                }
                Wish::Put { id, before: None, own_fields: None }
            }
        };
        wanted.push(Wanted { place, document, wish });
    }
    meaning::write(wanted, meant, Draft::new(view), mistakes)
}

fn place(index: usize) -> String {
    format!("documents[{index}]")
}

/// The object that a document is about, if it is there.
fn existing(view: &FarmView, document: &Document) -> Option<SettingsObject> {
    let any = any_kind::of(document.kind);
    let named = |name: &str| view.id_of(document.kind, name);
    let found = match document.kind {
        // There is one, whatever it is called.
        Kind::Farm => any.ids(view).first().copied(),
        _ => document.renamed_from.as_deref().and_then(named).or_else(|| named(&document.name)),
    };
    found.and_then(|id| any.stored(view, id))
}
