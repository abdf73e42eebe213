//! Typed ids: a UUID (version 7, so that they sort by age) that knows what it names.

use std::{fmt, hash::Hash, marker::PhantomData, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{Kind, reference};

/// What an id may name: a settings object, a session, a connection.
pub trait Noun {
    /// The kind of settings object; none for what is not one.
    const SETTINGS: Option<Kind>;
}

/// Not known, or of no matter: for the untyped edges.
impl Noun for serde_json::Value {
    const SETTINGS: Option<Kind> = None;
}

impl Noun for () {
    const SETTINGS: Option<Kind> = None;
}

/// The id of a `T`. Written as a hyphenated lower-case UUID.
pub struct Id<T: ?Sized> {
    uuid: Uuid,
    noun: PhantomData<fn() -> Box<T>>,
}

impl<T: ?Sized> Id<T> {
    /// A new id for the moment `now`; ids made later sort after it.
    pub fn generate(now: jiff::Timestamp) -> Self {
        let millis = now.as_millisecond().max(0).unsigned_abs();
        let seconds = millis / 1000;
        let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
        Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)).into()
    }

    /// The bare UUID.
    pub fn uuid(self) -> Uuid {
        self.uuid
    }

    /// The same id seen as that of another noun: for the untyped edges (store, audit) only.
    pub fn cast<U: ?Sized>(self) -> Id<U> {
        self.uuid.into()
    }
}

impl<T: ?Sized> From<Uuid> for Id<T> {
    fn from(uuid: Uuid) -> Self {
        Self { uuid, noun: PhantomData }
    }
}

/// The text was not a UUID.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not an id: expected a UUID such as 0192f0c1-2b7a-7c3e-9d55-0e6f3a1b2c4d")]
pub struct IdError(String);

impl<T: ?Sized> FromStr for Id<T> {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let shown = || text.chars().take(64).collect::<String>();
        Uuid::parse_str(text).map(Into::into).map_err(|_| IdError(shown()))
    }
}

impl<T: ?Sized> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> Copy for Id<T> {}
impl<T: ?Sized> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<T: ?Sized> Eq for Id<T> {}
impl<T: ?Sized> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T: ?Sized> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<T: ?Sized> Hash for Id<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<T: ?Sized> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.fmt(f)
    }
}
impl<T: ?Sized> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.fmt(f)
    }
}
impl<T: Noun + ?Sized> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match reference::written(T::SETTINGS, self.uuid) {
            Some(name) => serializer.serialize_str(&name),
            None => serializer.serialize_str(self.uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
        }
    }
}
impl<'de, T: Noun + ?Sized> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(id) => Ok(id),
            Err(error) => match reference::read(T::SETTINGS, &text) {
                Some(found) => found.map(Into::into).map_err(serde::de::Error::custom),
                None => Err(serde::de::Error::custom(error)),
            },
        }
    }
}
impl<T: Noun + ?Sized> JsonSchema for Id<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
    /// A UUID; `x-oriel-kind` says of which kind of settings object.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Uuid::json_schema(generator);
        if let Some(kind) = T::SETTINGS {
            schema.insert("x-oriel-kind".to_owned(), kind.as_str().into());
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let at = |second| Id::<()>::generate(jiff::Timestamp::from_second(second).expect("in range"));
        assert!(at(1) < at(2));
    }

    #[test]
    fn text_that_is_no_uuid_is_refused_with_a_sentence() {
        let error = "host-7".parse::<Id<()>>().expect_err("not a UUID");
        assert!(error.to_string().contains("\"host-7\" is not an id"));
    }
}
