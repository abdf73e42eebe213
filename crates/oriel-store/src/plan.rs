//! What a transaction changes: a pure function of the checked writes and what is stored now.
//!
//! An adapter asks [`Prepared::needs`] what it must look up, looks it up inside the database
//! transaction, hands it to [`plan`], and carries out the answer as it is. Writes take effect in
//! their order, so an object can be created and given a secret in one transaction.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use oriel_model::{Id, Kind, SettingsObject, validate::fold};
use serde_json::Value;

use crate::{
    Action, Author, Change, CommitError, Committed, ObjectState,
    transaction::{Prepared, PreparedWrite},
};

/// What must be looked up before a transaction can be planned.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Objects, or their last deletion, by id.
    pub ids: BTreeSet<Id<Value>>,
    /// Objects by kind and folded name.
    pub names: BTreeSet<(Kind, String)>,
    /// Whether these secrets exist, by owner and name.
    pub secrets: BTreeSet<(Id<Value>, String)>,
}

/// What was found; an object that was needed twice may appear twice.
#[derive(Debug, Default)]
pub(crate) struct Present {
    /// Sequence number of the newest change.
    pub sequence: u64,
    pub objects: Vec<SettingsObject>,
    /// For each needed id that is no object any more.
    pub deletions: Vec<Deletion>,
    pub secrets: BTreeSet<(Id<Value>, String)>,
}

/// The end of an object.
#[derive(Debug)]
pub(crate) struct Deletion {
    pub id: Id<Value>,
    pub kind: Kind,
    pub name: String,
    pub revision: u64,
    pub by: String,
    pub at: Timestamp,
}

/// What an adapter carries out, in this order.
#[derive(Debug)]
pub(crate) struct Plan {
    pub steps: Vec<Step>,
    /// Sequence number of the newest change afterwards.
    pub sequence: u64,
}

/// A write and its entry in the change log.
#[derive(Debug)]
pub(crate) struct Step {
    pub write: RowWrite,
    pub change: Change,
}

/// A write of one row.
#[derive(Debug)]
pub(crate) enum RowWrite {
    Insert {
        object: SettingsObject,
        folded_name: String,
    },
    Replace {
        object: SettingsObject,
        folded_name: String,
    },
    /// Takes the object's secrets and, for a user, the user's state with it.
    Delete {
        id: Id<Value>,
    },
    PutSecret {
        owner: Id<Value>,
        name: String,
        sealed: Vec<u8>,
    },
    DeleteSecret {
        owner: Id<Value>,
        name: String,
    },
}

impl Plan {
    /// The answer to the caller once the plan was carried out.
    pub(crate) fn into_committed(self) -> Committed {
        let changes = self.steps.into_iter().map(|step| step.change).collect();
        Committed { changes, sequence: self.sequence }
    }
}

impl Prepared {
    /// What must be looked up before this can be planned.
    pub(crate) fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for write in &self.writes {
            match write {
                PreparedWrite::Create { kind, id, state } | PreparedWrite::Update { kind, id, state, .. } => {
                    needs.ids.insert(*id);
                    needs.names.insert((*kind, fold(&state.name)));
                }
                PreparedWrite::Delete { id, .. } => {
                    needs.ids.insert(*id);
                }
                PreparedWrite::PutSecret { owner, .. } => {
                    needs.ids.insert(*owner);
                }
                PreparedWrite::DeleteSecret { owner, name, .. } => {
                    needs.ids.insert(*owner);
                    needs.secrets.insert((*owner, name.clone()));
                }
            }
        }
        needs
    }
}

/// Decides what the writes change, or why they cannot be carried out.
pub(crate) fn plan(prepared: Prepared, present: Present) -> Result<Plan, CommitError> {
    let mut planner = Planner::new(prepared.author, prepared.at, present);
    for write in prepared.writes {
        match write {
            PreparedWrite::Create { kind, id, state } => planner.create(kind, id, state)?,
            PreparedWrite::Update { kind, id, expected, state } => {
                planner.update(kind, id, expected, state)?
            }
            PreparedWrite::Delete { kind, id, expected } => planner.delete(kind, id, expected)?,
            PreparedWrite::PutSecret { kind, owner, name, sealed } => {
                planner.put_secret(kind, owner, name, sealed)?;
            }
            PreparedWrite::DeleteSecret { kind, owner, name } => planner.delete_secret(kind, owner, name)?,
        }
    }
    Ok(Plan { steps: planner.steps, sequence: planner.sequence })
}

/// The part of the store that the transaction touches, as it is after the writes so far.
struct Planner {
    author: Author,
    at: Timestamp,
    /// The sequence of the transaction's first change.
    first: u64,
    sequence: u64,
    objects: HashMap<Id<Value>, SettingsObject>,
    names: HashMap<(Kind, String), Id<Value>>,
    deletions: HashMap<Id<Value>, Deletion>,
    secrets: BTreeSet<(Id<Value>, String)>,
    steps: Vec<Step>,
}

impl Planner {
    fn new(author: Author, at: Timestamp, present: Present) -> Self {
        let names = present.objects.iter().map(|object| ((object.kind, fold(&object.name)), object.id));
        Self {
            author,
            at,
            first: present.sequence + 1,
            sequence: present.sequence,
            names: names.collect(),
            objects: present.objects.into_iter().map(|object| (object.id, object)).collect(),
            deletions: present.deletions.into_iter().map(|deletion| (deletion.id, deletion)).collect(),
            secrets: present.secrets,
            steps: Vec::new(),
        }
    }

    fn create(&mut self, kind: Kind, id: Id<Value>, state: ObjectState) -> Result<(), CommitError> {
        // A deleted object can come back under its id, so that references to it hold again. Its
        // revisions go on, so that a writer who read it before the deletion is still stale.
        let revision = match self.deletions.get(&id) {
            Some(deletion) if deletion.kind == kind => deletion.revision + 1,
            None => 1,
            Some(_) => return Err(CommitError::IdTaken { id }),
        };
        if self.objects.contains_key(&id) {
            return Err(CommitError::IdTaken { id });
        }
        let folded_name = self.free_name(kind, id, &state.name)?;
        let object = self.object(kind, id, state.clone(), revision);
        self.note(RowWrite::Insert { object: object.clone(), folded_name }, &object, |change| {
            change.action = Action::Created;
            change.after = Some(state);
        });
        self.put(object);
        Ok(())
    }

    fn update(
        &mut self,
        kind: Kind,
        id: Id<Value>,
        expected: u64,
        state: ObjectState,
    ) -> Result<(), CommitError> {
        let before = self.at_revision(kind, id, expected)?.clone();
        let folded_name = self.free_name(kind, id, &state.name)?;
        let object = self.object(kind, id, state.clone(), before.revision + 1);
        self.names.remove(&(kind, fold(&before.name)));
        self.note(RowWrite::Replace { object: object.clone(), folded_name }, &object, |change| {
            change.action = Action::Changed;
            change.before = Some(state_of(before));
            change.after = Some(state);
        });
        self.put(object);
        Ok(())
    }

    fn delete(&mut self, kind: Kind, id: Id<Value>, expected: u64) -> Result<(), CommitError> {
        let before = self.at_revision(kind, id, expected)?.clone();
        self.objects.remove(&id);
        self.names.remove(&(kind, fold(&before.name)));
        self.secrets.retain(|(owner, _)| *owner != id);
        let deletion = Deletion {
            id,
            kind,
            name: before.name.clone(),
            revision: before.revision,
            by: self.author.name.clone(),
            at: self.at,
        };
        self.deletions.insert(id, deletion);
        self.note(RowWrite::Delete { id }, &before.clone(), |change| {
            change.action = Action::Deleted;
            change.before = Some(state_of(before));
        });
        Ok(())
    }

    fn put_secret(
        &mut self,
        kind: Kind,
        owner: Id<Value>,
        name: String,
        sealed: Vec<u8>,
    ) -> Result<(), CommitError> {
        let object = self.known(kind, owner)?.clone();
        self.secrets.insert((owner, name.clone()));
        self.note(RowWrite::PutSecret { owner, name: name.clone(), sealed }, &object, |change| {
            change.action = Action::SecretSet;
            change.secret = Some(name);
        });
        Ok(())
    }

    fn delete_secret(&mut self, kind: Kind, owner: Id<Value>, name: String) -> Result<(), CommitError> {
        let object = self.known(kind, owner)?.clone();
        if self.secrets.remove(&(owner, name.clone())) {
            self.note(RowWrite::DeleteSecret { owner, name: name.clone() }, &object, |change| {
                change.action = Action::SecretRemoved;
                change.secret = Some(name);
            });
        }
        Ok(())
    }

    /// The object, which must be there and of this kind.
    fn known(&self, kind: Kind, id: Id<Value>) -> Result<&SettingsObject, CommitError> {
        if let Some(object) = self.objects.get(&id).filter(|object| object.kind == kind) {
            return Ok(object);
        }
        match self.deletions.get(&id).filter(|deletion| deletion.kind == kind) {
            Some(deletion) => Err(CommitError::Deleted {
                kind,
                name: deletion.name.clone(),
                deleted_by: deletion.by.clone(),
                deleted_at: deletion.at,
            }),
            None => Err(CommitError::NotFound { kind, id }),
        }
    }

    /// The object, which must be there and as the writer saw it.
    fn at_revision(&self, kind: Kind, id: Id<Value>, expected: u64) -> Result<&SettingsObject, CommitError> {
        let object = self.known(kind, id)?;
        if object.revision != expected {
            return Err(CommitError::Stale {
                kind,
                name: object.name.clone(),
                changed_by: object.changed_by.clone(),
                changed_at: object.changed_at,
                expected,
                found: object.revision,
            });
        }
        Ok(object)
    }

    /// The folded name, which no other object of the kind may have.
    fn free_name(&self, kind: Kind, id: Id<Value>, name: &str) -> Result<String, CommitError> {
        let folded = (kind, fold(name));
        match self.names.get(&folded).filter(|holder| **holder != id) {
            Some(holder) => {
                let name = self.objects.get(holder).map_or(name, |object| &object.name).to_owned();
                Err(CommitError::NameTaken { kind, name })
            }
            None => Ok(folded.1),
        }
    }

    fn object(&self, kind: Kind, id: Id<Value>, state: ObjectState, revision: u64) -> SettingsObject {
        SettingsObject {
            kind,
            id,
            name: state.name,
            site: state.site,
            spec: state.spec,
            revision,
            changed_at: self.at,
            changed_by: self.author.name.clone(),
        }
    }

    fn put(&mut self, object: SettingsObject) {
        self.deletions.remove(&object.id);
        self.names.insert((object.kind, fold(&object.name)), object.id);
        self.objects.insert(object.id, object);
    }

    fn note(&mut self, write: RowWrite, object: &SettingsObject, fill: impl FnOnce(&mut Change)) {
        self.sequence += 1;
        let mut change = Change {
            sequence: self.sequence,
            transaction: self.first,
            at: self.at,
            author: self.author.clone(),
            kind: object.kind,
            id: object.id,
            name: object.name.clone(),
            action: Action::Changed,
            secret: None,
            before: None,
            after: None,
            revision: object.revision,
        };
        fill(&mut change);
        self.steps.push(Step { write, change });
    }
}

fn state_of(object: SettingsObject) -> ObjectState {
    ObjectState { name: object.name, site: object.site, spec: object.spec }
}
