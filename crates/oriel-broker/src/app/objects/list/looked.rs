//! Looks at some fields of what is shown, without writing out the rest: a filter or an order over ten thousand
//! objects needs one or two fields of each.
//!
//! A serializer that goes into the fields on a path, passes over the others, and hands over what lies at a
//! path's end while it is there. Nothing is built on the way.

use std::{fmt::Display, sync::LazyLock};

use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use serde_json::{Error, Number};

/// A value without fields.
#[derive(Debug, Clone, PartialEq)]
pub enum Leaf<'a> {
    /// None.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text, also a word of several.
    Text(&'a str),
}

/// Paths to look at, as the tree that they make.
#[derive(Debug, Default)]
pub struct Paths {
    /// The numbers of the paths that end here.
    ends: Vec<usize>,
    within: Vec<(String, Paths)>,
}

static NOWHERE: Paths = Paths { ends: Vec::new(), within: Vec::new() };
/// One that ends where it begins.
static HERE: LazyLock<Paths> = LazyLock::new(|| Paths { ends: vec![0], within: Vec::new() });

impl Paths {
    /// These paths, numbered as they come.
    pub fn new<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        for (number, path) in paths.enumerate() {
            let mut at = &mut all;
            for name in path.split('.') {
                let found = at.within.iter().position(|(known, _)| known == name);
                let place = found.unwrap_or_else(|| {
                    at.within.push((name.to_owned(), Self::default()));
                    at.within.len() - 1
                });
                at = &mut at.within[place].1;
            }
            at.ends.push(number);
        }
        all
    }

    fn within(&self, name: &str) -> &Self {
        self.within.iter().find(|(known, _)| known == name).map_or(&NOWHERE, |(_, within)| within)
    }

    fn lead_nowhere(&self) -> bool {
        self.ends.is_empty() && self.within.is_empty()
    }
}

/// Hands over every value at the end of a path, with the path's number; of lists, those of every entry. What
/// is not there is not told.
pub fn look<T: Serialize + ?Sized>(shown: &T, paths: &Paths, found: &mut dyn FnMut(usize, &Leaf<'_>)) {
    shown.serialize(Looker { paths, next: &NOWHERE, found }).expect("what is shown is plain JSON");
}

/// Goes through a value, with the paths that go on in it.
struct Looker<'p, 'f> {
    paths: &'p Paths,
    /// Of a table: the paths that go on in the value that comes next.
    next: &'p Paths,
    found: &'f mut dyn FnMut(usize, &Leaf<'_>),
}

impl<'p> Looker<'p, '_> {
    fn leaf(self, leaf: &Leaf<'_>) -> Result<(), Error> {
        for number in &self.paths.ends {
            (self.found)(*number, leaf);
        }
        Ok(())
    }

    fn number(self, number: impl Into<Number>) -> Result<(), Error> {
        if self.paths.ends.is_empty() { Ok(()) } else { self.leaf(&Leaf::Number(number.into())) }
    }

    /// Looks into a value that lies within this one.
    fn go_into<T: Serialize + ?Sized>(&mut self, value: &T, paths: &'p Paths) -> Result<(), Error> {
        if paths.lead_nowhere() {
            return Ok(());
        }
        value.serialize(Looker { paths, next: &NOWHERE, found: &mut *self.found })
    }

    fn within(self, name: &str) -> Self {
        Self { paths: self.paths.within(name), ..self }
    }
}

macro_rules! numbers {
    ($($method:ident($of:ty))*) => {
        $(fn $method(self, value: $of) -> Result<(), Error> {
            self.number(value)
        })*
    };
}

impl Serializer for Looker<'_, '_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.leaf(&Leaf::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    /// What is no number in JSON is null there.
    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.leaf(&Number::from_f64(value).map_or(Leaf::Null, Leaf::Number))
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.leaf(&Leaf::Text(value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.leaf(&Leaf::Text(value))
    }

    /// Bytes are nothing that is looked for.
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.leaf(&Leaf::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.leaf(&Leaf::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.leaf(&Leaf::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.leaf(&Leaf::Text(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let paths = self.paths.within(variant);
        self.go_into(value, paths)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Error> {
        Ok(self.within(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Error> {
        Ok(self.within(variant))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        if self.paths.ends.is_empty() { Ok(()) } else { self.leaf(&Leaf::Text(&value.to_string())) }
    }
}

/// Compounds of named fields, and of entries.
macro_rules! compound {
    ($($compound:ident::$method:ident($($name:ident)?);)*) => {
        $(impl $compound for Looker<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: &'static str,)? value: &T) -> Result<(), Error> {
                let paths = self.paths;
                $(let paths = paths.within($name);)?
                self.go_into(value, paths)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        })*
    };
}

compound! {
    SerializeStruct::serialize_field(name);
    SerializeStructVariant::serialize_field(name);
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
}

impl SerializeMap for Looker<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let (paths, mut next) = (self.paths, &NOWHERE);
        look(key, &HERE, &mut |_, leaf| {
            // A number as a key has no path.
            if let Leaf::Text(name) = leaf {
                next = paths.within(name);
            }
        });
        self.next = next;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let next = self.next;
        self.go_into(value, next)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    #[derive(Serialize)]
    struct Thing {
        name: String,
        size: Option<u64>,
        #[serde(flatten)]
        beside: Beside,
        parts: Vec<Part>,
        table: BTreeMap<String, Part>,
        choice: Choice,
        way: Way,
        ways: Vec<Way>,
    }

    #[derive(Serialize)]
    struct Beside {
        state: Option<Part>,
        id: uuid::Uuid,
    }

    #[derive(Serialize, Clone)]
    struct Part {
        colour: &'static str,
        weight: f32,
    }

    #[derive(Serialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Choice {
        Host { part: Part },
    }

    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Way {
        Straight,
        Over(Part),
        Around { part: Part, times: i8 },
        Between(u8, bool),
    }

    fn thing() -> Thing {
        let part = Part { colour: "red", weight: 1.5 };
        Thing {
            name: "a".into(),
            size: None,
            beside: Beside { state: Some(part.clone()), id: uuid::Uuid::nil() },
            parts: vec![part.clone(), Part { colour: "blue", weight: f32::NAN }],
            table: [("x".to_owned(), part.clone()), ("y".to_owned(), part.clone())].into(),
            choice: Choice::Host { part: part.clone() },
            way: Way::Around { part: part.clone(), times: -3 },
            ways: vec![Way::Straight, Way::Over(part), Way::Between(7, true)],
        }
    }

    /// What the written whole has at a path; of lists, what every entry has.
    fn written(whole: &Value, path: &str) -> Vec<Value> {
        let entries = |value: Value| match value {
            Value::Array(all) => all,
            value => vec![value],
        };
        let mut found = vec![whole.clone()];
        for name in path.split('.') {
            found =
                found.into_iter().flat_map(entries).filter_map(|value| value.get(name).cloned()).collect();
        }
        let found = found.into_iter().flat_map(entries);
        found.filter(|value| !value.is_object()).collect()
    }

    #[test]
    fn what_is_looked_at_is_what_the_whole_says_there() {
        let whole = serde_json::to_value(thing()).expect("JSON");
        let paths = [
            "name",
            "size",
            "id",
            "state.colour",
            "parts.weight",
            "parts.colour",
            "table.x.colour",
            "choice.kind",
            "choice.part.weight",
            "way.around.times",
            "way.around.part.colour",
            "ways",
            "ways.over.colour",
            "ways.between",
            "nothing",
            "state.nothing",
            "name",
        ];
        let mut found = vec![Vec::new(); paths.len()];
        look(&thing(), &Paths::new(paths.into_iter()), &mut |number, leaf| {
            found[number].push(match leaf {
                Leaf::Null => Value::Null,
                Leaf::Bool(value) => json!(value),
                Leaf::Number(number) => Value::Number(number.clone()),
                Leaf::Text(text) => json!(text),
            });
        });
        for (path, found) in paths.into_iter().zip(found) {
            assert_eq!(found, written(&whole, path), "{path}");
        }
        assert_eq!(written(&whole, "parts.weight"), [json!(1.5), Value::Null]);
        assert_eq!(written(&whole, "ways.between"), [json!(7), json!(true)]);
    }
}
