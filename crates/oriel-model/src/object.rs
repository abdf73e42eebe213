//! Settings objects: the one shape of everything an administrator sets.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    id::{Id, Noun},
    permission::Area,
    site::Site,
    validate::Mistakes,
};

macro_rules! kinds {
    ($($variant:ident, $spec:ty, $word:literal, $plural:ident, $area:ident, $about:literal;)*) => {
        /// What a settings object is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind {
            $(#[doc = $about] $variant,)*
        }

        impl Kind {
            /// Every kind, in the order in which objects may refer to each other.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// The word used in the store, the API and the log.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Kind::$variant => $word,)*
                }
            }

            /// Its plural: the path of its objects below `/api/v1`.
            pub fn plural(self) -> &'static str {
                match self {
                    $(Kind::$variant => stringify!($plural),)*
                }
            }

            /// The area of administration it belongs to.
            pub fn area(self) -> Area {
                match self {
                    $(Kind::$variant => Area::$area,)*
                }
            }

            /// What it is, for people.
            pub fn about(self) -> &'static str {
                match self {
                    $(Kind::$variant => $about,)*
                }
            }
        }

        $(impl Noun for $spec {
            const SETTINGS: Option<Kind> = Some(Kind::$variant);
        })*
    };
}

crate::every_kind!(kinds);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Kind::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownKind(text.into()))
    }
}

/// A kind that this version does not know: the store was written by a newer one.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("unknown kind of settings object \"{0}\"")]
pub struct UnknownKind(pub String);

/// A settings object as the store keeps it: its spec is still JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettingsObject {
    /// What it is.
    pub kind: Kind,
    /// Its id, unique over all kinds.
    pub id: Id<Value>,
    /// Its name, unique among the objects of its kind (case folded).
    pub name: String,
    /// The site it belongs to; none when it belongs to the farm.
    pub site: Option<Id<Site>>,
    /// What is set. An absent field inherits.
    pub spec: Value,
    /// 1 when created, one more with every change.
    pub revision: u64,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Who changed it last, readable: `token admin`, `user alice`, `system`.
    pub changed_by: String,
}

/// A settings object with its spec decoded.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(bound(serialize = "S: Spec"))]
#[schemars(bound = "S: Spec")]
pub struct Object<S> {
    /// Its id.
    pub id: Id<S>,
    /// Its name, unique among the objects of its kind (case folded).
    pub name: String,
    /// The site it belongs to; none when it belongs to the farm.
    pub site: Option<Id<Site>>,
    /// What is set.
    pub spec: S,
    /// 1 when created, one more with every change.
    pub revision: u64,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
}

/// What a kind of settings object holds. A field that is absent inherits.
pub trait Spec:
    Noun + Serialize + DeserializeOwned + JsonSchema + Clone + fmt::Debug + Send + Sync + 'static
{
    /// The kind whose spec this is.
    const KIND: Kind;

    /// Fields that only the farm itself sets: digests of secrets, and what a component says of itself.
    /// Documents leave them out, and what comes as a document leaves them as they are.
    const OWN_FIELDS: &'static [&'static str] = &[];

    /// How an object of this kind comes into being where it cannot be made by saying what it is, as a
    /// sentence's end: `when its machine joins`.
    const COMES: Option<&'static str> = None;

    /// Checks what the types do not say; every mistake is reported, with its field.
    fn validate(&self, mistakes: &mut Mistakes);
}

impl SettingsObject {
    /// Decodes the spec; the error names the object and the field.
    pub fn decode<S: Spec>(&self) -> Result<Object<S>, DecodeError> {
        let spec = serde_json::from_value(self.spec.clone()).map_err(|error| DecodeError {
            kind: self.kind,
            name: self.name.clone(),
            reason: error.to_string(),
        })?;
        Ok(Object {
            id: self.id.cast(),
            name: self.name.clone(),
            site: self.site,
            spec,
            revision: self.revision,
            changed_at: self.changed_at,
            changed_by: self.changed_by.clone(),
        })
    }
}

/// A stored spec that this version cannot read.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("the settings of {kind} \"{name}\" cannot be read: {reason}")]
pub struct DecodeError {
    /// Kind of the object.
    pub kind: Kind,
    /// Name of the object.
    pub name: String,
    /// What serde said, which names the field.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_from_its_word() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert!("hostage".parse::<Kind>().is_err());
    }
}
