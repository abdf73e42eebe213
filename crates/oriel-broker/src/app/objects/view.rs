//! How a settings object is shown: what is set, with its history, and what is known beside it.

use std::any::TypeId;

use oriel_model::{Id, Object, Timestamp, site::Site};
use schemars::JsonSchema;
use serde::Serialize;

use super::Managed;
use crate::{Broker, farm::FarmView};

/// A settings object as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(bound = "")]
#[schemars(bound = "S: Managed", rename = "{S}View")]
pub struct View<S: Managed> {
    /// Its id.
    pub id: Id<S>,
    /// Its name, unique among the objects of its kind; upper and lower case are the same.
    pub name: String,
    /// The site it belongs to; none when it belongs to the farm.
    pub site: Option<Id<Site>>,
    /// What is set.
    pub spec: S::Shown,
    /// 1 when it was made, one more with every change.
    pub revision: u64,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
    /// What is known beside what is set.
    #[serde(flatten)]
    pub beside: S::Beside,
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
    pub fn of(broker: &Broker, view: &FarmView, object: &Object<S>) -> Self {
        Self {
            id: object.id,
            name: object.name.clone(),
            site: object.site,
            spec: object.spec.shown(),
            revision: object.revision,
            changed_at: object.changed_at,
            changed_by: object.changed_by.clone(),
            beside: S::beside(broker, view, object),
        }
    }
}

impl<S: Managed> Revised for View<S> {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn place(&self) -> String {
        format!("{}/{}", S::KIND.plural(), self.id)
    }

    fn is_live() -> bool {
        TypeId::of::<S::Beside>() != TypeId::of::<Nothing>()
    }
}
