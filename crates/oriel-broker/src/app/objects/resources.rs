//! Published resources as administrators see them: with the status that their folders give them, and moved
//! many at a time.

use std::collections::HashSet;

use oriel_model::{
    Id, Object,
    resource::{Resource, Status},
    validate::{Mistake, Mistakes},
};
use oriel_store::Transaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ChangeError, Managed, View, kinds::whole, must_be_fresh, references, seen, turn};
use crate::{
    Broker,
    app::{administrators::Caller, documents::draft::Draft},
    farm::FarmView,
};

/// Resources of one move at most: a folder of so many is more than anyone sorts by hand.
const MOVES_MAX: usize = 1_000;

/// What is shown of a resource beside what is set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ResourceFacts {
    /// What holds for it, the folders that it lies in considered.
    pub effective: ResourceEffects,
}

/// What holds for a resource.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ResourceEffects {
    /// Whether it can be seen and opened; null: it lies in a folder that is gone, and nobody sees it.
    pub status: Option<Status>,
    /// The folder whose status it is; null: its own.
    pub inherited_from: Option<Id<Resource>>,
}

impl Managed for Resource {
    whole!();

    type Beside = ResourceFacts;

    fn beside(_: &Broker, view: &FarmView, object: &Object<Self>) -> ResourceFacts {
        let found = view.listing.catalogue().effective_status(object);
        let effective = ResourceEffects {
            status: found.map(|found| found.status.clone()),
            inherited_from: found.and_then(|found| found.inherited_from),
        };
        ResourceFacts { effective }
    }

    fn check(&self, view: &FarmView, id: Id<Self>, before: Option<&Self>, mistakes: &mut Mistakes) {
        references::folder(view, id, self, before, mistakes);
        references::opens_in(view, &self.target, mistakes);
        references::stays_an_application(view, id, self, before, mistakes);
    }
}

/// Where a resource is to lie.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Which.
    pub id: Id<Resource>,
    /// In this folder; none: at the top.
    #[serde(default)]
    pub folder: Option<Id<Resource>>,
    /// Its place among its siblings.
    pub order: i32,
    /// The revision that was read.
    pub revision: u64,
}

/// Resources that are moved together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moves {
    /// 1 to 1000, each resource once.
    #[schemars(length(min = 1, max = 1000))]
    pub moves: Vec<Move>,
}

/// What was moved.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Moved {
    /// The resources as they are now, in the order in which they were named.
    pub items: Vec<View<Resource>>,
    /// The number of the transaction, by which all is taken back at once; null: everything lay there already.
    pub transaction: Option<u64>,
}

/// Moves resources in one transaction: all of them or none.
pub async fn move_resources(broker: &Broker, by: &Caller, moves: Vec<Move>) -> Result<Moved, ChangeError> {
    if moves.is_empty() || moves.len() > MOVES_MAX {
        let message = format!("must have 1 to {MOVES_MAX} entries");
        return Err(ChangeError::Invalid(vec![Mistake { field: "moves".into(), message }]));
    }
    let _turn = turn().await;
    let view = broker.farm.load();
    let (mut mistakes, mut named) = (Mistakes::default(), HashSet::new());
    let mut draft = Draft::new(view.clone());
    let mut transaction = Transaction::new(by.author.clone(), broker.now());
    for (index, wanted) in moves.iter().enumerate() {
        let place = format!("moves[{index}]");
        let resource = seen(&view, &by.rights, wanted.id)?;
        must_be_fresh(broker, resource, wanted.revision).await?;
        if !named.insert(wanted.id) {
            mistakes.add(&format!("{place}.id"), "is named twice");
            continue;
        }
        if (resource.spec.folder, resource.spec.order) == (wanted.folder, wanted.order) {
            continue;
        }
        let mut moved = Object::clone(resource);
        (moved.spec.folder, moved.spec.order) = (wanted.folder, wanted.order);
        transaction = transaction.update(&moved);
        draft.put(&place, moved);
    }
    draft.check(&mut mistakes);
    let mistakes = mistakes.into_vec();
    if !mistakes.is_empty() {
        return Err(ChangeError::Invalid(mistakes));
    }
    let mut number = None;
    if !transaction.writes.is_empty() {
        let committed = broker.commit_by(by, transaction).await?;
        number = committed.changes.first().map(|change| change.transaction);
    }
    let items = moves.iter().map(|wanted| super::get(broker, &by.rights, wanted.id));
    Ok(Moved { items: items.collect::<Result<_, _>>()?, transaction: number })
}
