//! What refers to an object, as far as the caller may see it: what keeps it from being deleted, and what a
//! change of it touches.

use oriel_model::{Id, Kind, validate::fold};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{ChangeError, Cut, Managed, Page, Row, Selection, references::is_spent, seen};
use crate::{Broker, app::administrators::Rights};

/// Places named of one object that refers to another; a rule may name the same group many times.
const FIELDS_MAX: usize = 20;

/// An object that refers to another.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Referrer {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    #[schemars(with = "uuid::Uuid")]
    pub id: Id<Value>,
    /// Its name.
    pub name: String,
    /// Where: the first places, such as `spec.target.source.pools[0]`, or `site`.
    pub fields: Vec<String>,
}

/// One page of the objects that refer to an object.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Referrers {
    /// Those that the caller may see.
    #[serde(flatten)]
    pub page: Page<Referrer>,
    /// Whether others do, too, which the caller may not see.
    pub hidden: bool,
}

/// The objects that refer to one, by their kind and name.
pub fn referrers<S: Managed>(
    broker: &Broker,
    rights: &Rights,
    id: Id<S>,
    cut: &Cut,
) -> Result<Referrers, ChangeError> {
    let selection = Selection::read::<Referrer>(cut, "kind")?;
    let view = broker.farm.load();
    seen(&view, rights, id)?;
    let wanted: Id<Value> = id.cast();
    let (mut found, mut hidden) = (Vec::new(), false);
    view.each_mention(wanted, |kind, user, name, site, references| {
        let named = references.iter().filter(|reference| reference.id == wanted);
        let named = named.map(|reference| format!("spec.{}", reference.field));
        let lies_in_it = site.map(Id::cast) == Some(wanted);
        let fields: Vec<_> =
            lies_in_it.then(|| "site".to_owned()).into_iter().chain(named).take(FIELDS_MAX).collect();
        if fields.is_empty() || is_spent(&view, kind, user) {
        } else if rights.sees_any(kind, user, site) {
            let place = format!("{:02} {} {user}", kind as u8, fold(name));
            found.push(Row { place, item: Referrer { kind, id: user, name: name.to_owned(), fields } });
        } else {
            hidden = true;
        }
    });
    found.sort_unstable_by(|a, b| a.place.cmp(&b.place));
    let rows = |after: Option<&str>| {
        let first = after.map_or(0, |after| found.partition_point(|row| *row.place <= *after));
        found.into_iter().skip(first)
    };
    Ok(Referrers { page: selection.page(rows, Referrer::clone), hidden })
}
