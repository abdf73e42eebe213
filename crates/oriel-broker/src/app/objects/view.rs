//! How a settings object is shown: what is set, with its history, and what is known beside it.

use std::{any::TypeId, borrow::Cow, sync::Arc};

use oriel_model::{Id, Object, Timestamp, site::Site};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use super::Managed;
use crate::{Broker, farm::FarmView};

/// A settings object as it is shown. It shares the object: what is secret of its spec is left out only where
/// it is written.
#[derive(Debug, Clone)]
pub struct View<S: Managed> {
    /// The object.
    pub object: Arc<Object<S>>,
    /// What is known beside what is set.
    pub beside: S::Beside,
}

/// What a [`View`] writes.
#[derive(Serialize, JsonSchema)]
#[serde(bound = "")]
#[schemars(bound = "S: Managed", rename = "{S}View")]
struct Written<'a, S: Managed> {
    /// Its id.
    id: Id<S>,
    /// Its name, unique among the objects of its kind; upper and lower case are the same.
    name: &'a str,
    /// The site it belongs to; none when it belongs to the farm.
    site: Option<Id<Site>>,
    /// What is set.
    spec: &'a S::Shown,
    /// 1 when it was made, one more with every change.
    revision: u64,
    /// When it was last changed.
    changed_at: Timestamp,
    /// Who changed it last.
    changed_by: &'a str,
    /// What is known beside what is set.
    #[serde(flatten)]
    beside: &'a S::Beside,
}

impl<S: Managed> Serialize for View<S> {
    fn serialize<W: Serializer>(&self, writer: W) -> Result<W::Ok, W::Error> {
        let Object { id, name, site, spec, revision, changed_at, changed_by } = &*self.object;
        Written {
            id: *id,
            name,
            site: *site,
            spec: &*spec.shown(),
            revision: *revision,
            changed_at: *changed_at,
            changed_by,
            beside: &self.beside,
        }
        .serialize(writer)
    }
}

impl<S: Managed> JsonSchema for View<S> {
    fn schema_name() -> Cow<'static, str> {
        Written::<S>::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        Written::<S>::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::<S>::json_schema(generator)
    }
}

/// Nothing is known beside what is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Nothing {}

/// Something that is changed by revisions.
pub trait Revised {
    /// The revision that is shown.
    fn revision(&self) -> u64;

    /// Its path below `/api/v1`: `pools/…`.
    fn place(&self) -> String;

    /// Whether what is shown may change without a revision.
    fn is_live() -> bool {
        false
    }
}

impl<S: Managed> View<S> {
    /// An object as it is shown.
    pub fn of(broker: &Broker, view: &FarmView, object: &Arc<Object<S>>) -> Self {
        Self { object: object.clone(), beside: S::beside(broker, view, object) }
    }
}

impl<S: Managed> Revised for View<S> {
    fn revision(&self) -> u64 {
        self.object.revision
    }

    fn place(&self) -> String {
        format!("{}/{}", S::KIND.plural(), self.object.id)
    }

    fn is_live() -> bool {
        TypeId::of::<S::Beside>() != TypeId::of::<Nothing>()
    }
}
