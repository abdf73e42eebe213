//! Transactions: what a caller wants written, checked and sealed before any adapter sees it.

use jiff::Timestamp;
use oriel_model::{
    Id, Kind, Object, SettingsObject, Spec,
    site::Site,
    validate::{self, Mistakes},
};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    Author, Change, CommitError, FarmKey, ObjectState, SECRET_BYTES_MAX, StoreError,
    secret::{self, SecretPlace},
};

/// Writes in one transaction at most: a large farm (10,000 resources, 10,000 users with their passwords,
/// and all else) imported in one go. While one runs, other writes wait, so it must stay in the order of
/// seconds.
pub const WRITES_MAX: usize = 50_000;
/// Size of one spec at most, in bytes of JSON: ten times the largest that the limits of its fields
/// make likely.
pub const SPEC_BYTES_MAX: usize = 256 * 1024;

/// Writes that happen together or not at all.
#[derive(Debug)]
pub struct Transaction {
    /// Who writes.
    pub author: Author,
    /// When; kept to the microsecond.
    pub at: Timestamp,
    /// What, in this order.
    pub writes: Vec<Write>,
}

/// One write.
#[expect(missing_docs, reason = "the fields are those of a settings object")]
pub enum Write {
    /// Makes an object with revision 1; one that was deleted comes back with its next revision.
    Create { kind: Kind, id: Id<Value>, name: String, site: Option<Id<Site>>, spec: Value },
    /// Replaces name, site and spec of an object whose revision is still the expected one.
    Update {
        kind: Kind,
        id: Id<Value>,
        expected_revision: u64,
        name: String,
        site: Option<Id<Site>>,
        spec: Value,
    },
    /// Deletes an object whose revision is still the expected one, and its secrets.
    Delete { kind: Kind, id: Id<Value>, expected_revision: u64 },
    /// Sets a secret of an object. The object's revision stays.
    PutSecret { kind: Kind, owner: Id<Value>, name: String, value: Zeroizing<Vec<u8>> },
    /// Removes a secret of an object; removing one that is not there is done already.
    DeleteSecret { kind: Kind, owner: Id<Value>, name: String },
}

/// What a transaction did.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// Its entries in the change log, in the order of the writes.
    pub changes: Vec<Change>,
    /// Sequence number of the newest change of the store, so that a caller can wait until its
    /// memory has caught up.
    pub sequence: u64,
}

impl Committed {
    /// The objects that were created or changed, as they are now.
    pub fn objects(&self) -> impl Iterator<Item = SettingsObject> {
        self.changes.iter().filter_map(Change::object)
    }
}

impl Transaction {
    /// A transaction without writes.
    pub fn new(author: Author, at: Timestamp) -> Self {
        Self { author, at, writes: Vec::new() }
    }

    /// Makes an object.
    #[must_use]
    pub fn create<S: Spec>(
        self,
        id: Id<S>,
        name: impl Into<String>,
        site: Option<Id<Site>>,
        spec: &S,
    ) -> Self {
        self.write(Write::Create { kind: S::KIND, id: id.cast(), name: name.into(), site, spec: json(spec) })
    }

    /// Writes back an object that was read at `object.revision` and edited.
    #[must_use]
    pub fn update<S: Spec>(self, object: &Object<S>) -> Self {
        self.write(Write::Update {
            kind: S::KIND,
            id: object.id.cast(),
            expected_revision: object.revision,
            name: object.name.clone(),
            site: object.site,
            spec: json(&object.spec),
        })
    }

    /// Deletes an object that was read at `expected_revision`.
    #[must_use]
    pub fn delete<S: Spec>(self, id: Id<S>, expected_revision: u64) -> Self {
        self.write(Write::Delete { kind: S::KIND, id: id.cast(), expected_revision })
    }

    /// Whether an object of this kind is deleted.
    pub fn deletes(&self, wanted: Kind) -> bool {
        self.writes.iter().any(|write| matches!(write, Write::Delete { kind, .. } if *kind == wanted))
    }

    /// Sets a secret of an object, such as `password` of a user.
    #[must_use]
    pub fn put_secret<S: Spec>(
        self,
        owner: Id<S>,
        name: impl Into<String>,
        value: Zeroizing<Vec<u8>>,
    ) -> Self {
        self.write(Write::PutSecret { kind: S::KIND, owner: owner.cast(), name: name.into(), value })
    }

    /// Removes a secret of an object.
    #[must_use]
    pub fn delete_secret<S: Spec>(self, owner: Id<S>, name: impl Into<String>) -> Self {
        self.write(Write::DeleteSecret { kind: S::KIND, owner: owner.cast(), name: name.into() })
    }

    /// Adds a write.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }
}

fn json<S: Spec>(spec: &S) -> Value {
    serde_json::to_value(spec).expect("a spec is plain JSON: its maps have text keys")
}

// ---- Checking and sealing: what an adapter gets to see. ----

/// A transaction that was checked and whose secrets are sealed. Only [`Transaction::prepare`] makes
/// one, and only [`crate::plan::plan`] takes one.
pub(crate) struct Prepared {
    pub author: Author,
    pub at: Timestamp,
    pub writes: Vec<PreparedWrite>,
}

pub(crate) enum PreparedWrite {
    Create { kind: Kind, id: Id<Value>, state: ObjectState },
    Update { kind: Kind, id: Id<Value>, expected: u64, state: ObjectState },
    Delete { kind: Kind, id: Id<Value>, expected: u64 },
    PutSecret { kind: Kind, owner: Id<Value>, name: String, sealed: Vec<u8> },
    DeleteSecret { kind: Kind, owner: Id<Value>, name: String },
}

impl Transaction {
    /// Checks every write and seals the secrets. Costs CPU in proportion to the writes; no I/O.
    pub(crate) fn prepare(self, key: &FarmKey) -> Result<Prepared, CommitError> {
        let count = self.writes.len();
        if count > WRITES_MAX {
            return Err(StoreError::Refused(format!(
                "{count} changes at once are too many; at most {WRITES_MAX} are taken"
            ))
            .into());
        }
        let writes = self.writes.into_iter().map(|write| prepare(write, key)).collect::<Result<_, _>>()?;
        Ok(Prepared { author: self.author, at: to_micros(self.at), writes })
    }
}

fn prepare(write: Write, key: &FarmKey) -> Result<PreparedWrite, CommitError> {
    Ok(match write {
        Write::Create { kind, id, name, site, spec } => {
            PreparedWrite::Create { kind, id, state: checked(kind, name, site, spec)? }
        }
        Write::Update { kind, id, expected_revision, name, site, spec } => {
            let state = checked(kind, name, site, spec)?;
            PreparedWrite::Update { kind, id, expected: expected_revision, state }
        }
        Write::Delete { kind, id, expected_revision } => {
            PreparedWrite::Delete { kind, id, expected: expected_revision }
        }
        Write::PutSecret { kind, owner, name, value } => {
            check_secret(&name, value.len())?;
            let sealed = secret::seal(key, &SecretPlace { kind, owner, name: &name }, &value);
            PreparedWrite::PutSecret { kind, owner, name, sealed }
        }
        Write::DeleteSecret { kind, owner, name } => {
            check_secret(&name, 0)?;
            PreparedWrite::DeleteSecret { kind, owner, name }
        }
    })
}

fn checked(
    kind: Kind,
    name: String,
    site: Option<Id<Site>>,
    spec: Value,
) -> Result<ObjectState, CommitError> {
    let mut mistakes = Mistakes::default();
    validate::name(&mut mistakes, &name);
    let size = spec.to_string().len();
    if size > SPEC_BYTES_MAX {
        mistakes.add("spec", format!("has {size} bytes; at most {SPEC_BYTES_MAX} are allowed"));
    } else {
        check_spec(kind, &spec, &mut mistakes);
    }
    let mistakes = mistakes.into_vec();
    if !mistakes.is_empty() {
        return Err(CommitError::Invalid { kind, name, mistakes });
    }
    Ok(ObjectState { name, site, spec })
}

macro_rules! check_spec {
    ($($variant:ident, $spec:ty, $word:literal, $plural:ident, $area:ident, $about:literal;)*) => {
        /// What is stored can always be decoded.
        fn check_spec(kind: Kind, spec: &Value, mistakes: &mut Mistakes) {
            match kind {
                $(Kind::$variant => check::<$spec>(spec, mistakes),)*
            }
        }
    };
}

oriel_model::every_kind!(check_spec);

fn check<S: Spec>(spec: &Value, mistakes: &mut Mistakes) {
    match S::deserialize(spec) {
        Ok(spec) => mistakes.within("spec", |m| spec.validate(m)),
        Err(error) => mistakes.add("spec", format!("cannot be read: {error}")),
    }
}

fn check_secret(name: &str, size: usize) -> Result<(), StoreError> {
    if !secret::is_name(name) {
        let shown: String = name.chars().take(80).collect();
        return Err(StoreError::Refused(format!(
            "\"{shown}\" cannot name a secret: 1 to 64 lower-case letters, digits, _ and - are allowed"
        )));
    }
    if size > SECRET_BYTES_MAX {
        let max = SECRET_BYTES_MAX;
        return Err(StoreError::Refused(format!(
            "the secret \"{name}\" has {size} bytes; at most {max} are taken"
        )));
    }
    Ok(())
}

/// PostgreSQL keeps microseconds; so that all adapters answer alike, all do.
pub(crate) fn to_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).expect("less precise, so still in range")
}

impl std::fmt::Debug for Write {
    /// Secrets are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (verb, kind, id, name) = match self {
            Write::Create { kind, id, name, .. } => ("create", kind, id, Some(name)),
            Write::Update { kind, id, name, .. } => ("update", kind, id, Some(name)),
            Write::Delete { kind, id, .. } => ("delete", kind, id, None),
            Write::PutSecret { kind, owner, name, .. } => ("put secret of", kind, owner, Some(name)),
            Write::DeleteSecret { kind, owner, name } => ("delete secret of", kind, owner, Some(name)),
        };
        write!(f, "{verb} {kind} {id}")?;
        name.map_or(Ok(()), |name| write!(f, " \"{name}\""))
    }
}
