//! An archive: a whole farm in one JSON file. Documents can be read and edited by people; what is secret is
//! sealed under a passphrase.

use std::collections::{BTreeMap, HashMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oriel_model::{Id, Kind, Timestamp, farm::Farm};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

pub use super::seal::{PASSPHRASE_MIN, Sealed, check_passphrase};
use super::{Document, Refused, is_false, seal};
use crate::{
    bootstrap::{AUTHORITY_CERTIFICATE, AUTHORITY_KEY},
    session_proof, sign_in_token, ticket_keys,
};

/// The format that this version writes and reads.
pub const FORMAT: &str = "oriel-export/1";

/// A whole farm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// `oriel-export/1`.
    pub format: String,
    /// The farm that was exported.
    pub farm: ArchivedFarm,
    /// When it was exported.
    pub made_at: Timestamp,
    /// Every settings object, with its id.
    #[schemars(with = "Vec<Document>")]
    pub documents: Vec<Value>,
    /// The icons of resources: PNG in base64, by the SHA-256 of their bytes.
    #[serde(default)]
    pub icons: BTreeMap<String, String>,
    /// Whether the farm's own keys are among the secrets: with them the farm can be restored as itself, and
    /// whoever opens them can make certificates that it trusts.
    #[serde(default, skip_serializing_if = "is_false")]
    pub farm_keys: bool,
    /// Password hashes, other secrets of objects, and the fields that only the farm itself sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Sealed>,
}

/// Which farm an archive is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchivedFarm {
    /// Its id.
    pub id: Id<Farm>,
    /// Its name.
    pub name: String,
}

/// What an archive seals.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Secrets of objects.
    pub secrets: Vec<ArchivedSecret>,
    /// The fields of objects that only the farm itself sets.
    pub own_fields: Vec<ArchivedFields>,
}

/// One secret of an object.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedSecret {
    /// Kind of the object.
    pub kind: Kind,
    /// Its id in the farm that was exported.
    pub id: Id<Value>,
    /// Name of the secret.
    pub name: String,
    /// The secret, base64.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub value: Zeroizing<Vec<u8>>,
}

/// The farm's own fields of one object.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedFields {
    /// Kind of the object.
    pub kind: Kind,
    /// Its id in the farm that was exported.
    pub id: Id<Value>,
    /// The fields.
    pub fields: Map<String, Value>,
}

fn to_base64<S: Serializer>(value: &Zeroizing<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Zeroizing::new(STANDARD.encode(value)))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<Vec<u8>>, D::Error> {
    let text = Zeroizing::new(String::deserialize(deserializer)?);
    let bytes = STANDARD.decode(&*text).map_err(|_| serde::de::Error::custom("is not base64"))?;
    Ok(Zeroizing::new(bytes))
}

/// The fields that only the farm itself sets, of each object.
pub type OwnFields<'a> = HashMap<(Kind, Id<Value>), &'a Map<String, Value>>;

impl Secrets {
    /// The fields that only the farm itself sets.
    pub fn own_fields(&self) -> OwnFields<'_> {
        self.own_fields.iter().map(|archived| ((archived.kind, archived.id), &archived.fields)).collect()
    }

    /// A secret of the farm.
    pub fn of_farm(&self, farm: Id<Farm>, name: &str) -> Option<&Zeroizing<Vec<u8>>> {
        let is_it = |secret: &&ArchivedSecret| {
            secret.kind == Kind::Farm && secret.id == farm.cast() && secret.name == name
        };
        self.secrets.iter().find(is_it).map(|secret| &secret.value)
    }

    /// Seals them.
    pub fn seal(&self, passphrase: &str) -> Result<Sealed, Refused> {
        let plain = Zeroizing::new(serde_json::to_vec(self).expect("plain JSON: its maps have text keys"));
        seal::seal(passphrase, FORMAT, plain)
    }

    /// Opens them; `field` is where they were sent.
    pub fn open(sealed: &Sealed, passphrase: &str, field: &str) -> Result<Self, Refused> {
        let plain = seal::open(passphrase, FORMAT, field, sealed)?;
        serde_json::from_slice(&plain)
            .map_err(|error| super::wrong(field, format!("was opened but cannot be read: {error}")))
    }
}

/// Secrets of the farm that make it this farm and no other: its authority, by which components know each
/// other, and the key of the proofs of running sessions. They are archived only where that is asked for.
/// Who has such an archive and its passphrase can make certificates that this farm's components trust.
const FARM_KEYS: [&str; 3] = [AUTHORITY_CERTIFICATE, AUTHORITY_KEY, session_proof::SECRET];

/// Keys for what lasts minutes or hours. Never archived: a farm that is restored makes new ones, so that a
/// sign-in that was ended after the archive was made stays ended.
const SHORT_LIVED: [&str; 2] = [ticket_keys::SECRET, sign_in_token::SECRET];

/// Whether an import leaves this secret as it is: the broker that takes it in, and everything that joined,
/// go on being trusted.
pub fn is_of_one_farm(kind: Kind, name: &str) -> bool {
    kind == Kind::Farm && (FARM_KEYS.contains(&name) || SHORT_LIVED.contains(&name))
}

/// Whether this secret is archived.
pub fn is_archived(kind: Kind, name: &str, with_farm_keys: bool) -> bool {
    !is_of_one_farm(kind, name) || (with_farm_keys && FARM_KEYS.contains(&name))
}

/// What is needed to be the farm that was archived, with [`Secrets::of_farm`].
pub fn makes_a_farm(secrets: &Secrets, farm: Id<Farm>) -> bool {
    FARM_KEYS.iter().all(|name| secrets.of_farm(farm, name).is_some())
}
