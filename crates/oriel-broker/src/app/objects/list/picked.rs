//! Some fields of what is shown, without writing out the rest: a filter over ten thousand objects looks at
//! one or two fields of each.
//!
//! A serializer that goes into the fields that are wanted, passes over the others, and leaves what lies at
//! the end of a path to `serde_json`.

use std::fmt::Display;

use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct},
};
use serde_json::{Error, Map, Value, value::Serializer as Whole};

use super::Fields;

/// What is wanted of what is shown. What is not there is left out.
pub fn picked<T: Serialize + ?Sized>(shown: &T, wanted: &Fields) -> Value {
    shown.serialize(Picker(wanted)).expect("what is shown is plain JSON")
}

/// Writes a value that is wanted in parts.
struct Picker<'f>(&'f Fields);

/// What goes on below a field: all of it, or parts.
fn within<T: Serialize + ?Sized>(value: &T, wanted: &Fields) -> Result<Value, Error> {
    if wanted.is_all() { value.serialize(Whole) } else { value.serialize(Picker(wanted)) }
}

/// Writes the wanted fields of an object.
struct Object<'f> {
    wanted: &'f Fields,
    found: Map<String, Value>,
    /// The name that was written last, and what is wanted of it.
    next: Option<(String, &'f Fields)>,
}

/// Writes what is wanted of each entry of a list.
struct List<'f> {
    wanted: &'f Fields,
    found: Vec<Value>,
}

impl<'f> Picker<'f> {
    fn object(self) -> Object<'f> {
        Object { wanted: self.0, found: Map::new(), next: None }
    }

    fn list(self) -> List<'f> {
        List { wanted: self.0, found: Vec::new() }
    }
}

/// Values without fields are written whole.
macro_rules! whole {
    ($($method:ident($of:ty))*) => {
        $(fn $method(self, value: $of) -> Result<Value, Error> {
            Whole.$method(value)
        })*
    };
}

impl<'f> Serializer for Picker<'f> {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = List<'f>;
    type SerializeTuple = List<'f>;
    type SerializeTupleStruct = List<'f>;
    type SerializeTupleVariant = <Whole as Serializer>::SerializeTupleVariant;
    type SerializeMap = Object<'f>;
    type SerializeStruct = Object<'f>;
    type SerializeStructVariant = <Whole as Serializer>::SerializeStructVariant;

    whole! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_f32(f32)
        serialize_f64(f64) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
    }

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<Value, Error> {
        Whole.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        let mut object = self.object();
        SerializeStruct::serialize_field(&mut object, variant, value)?;
        SerializeStruct::end(object)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'f>, Error> {
        Ok(self.list())
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'f>, Error> {
        Ok(self.list())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'f>, Error> {
        Ok(self.list())
    }

    /// Alternatives with several fields are seldom, and written whole: more than is wanted harms nobody.
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Whole.serialize_tuple_variant(name, index, variant, length)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'f>, Error> {
        Ok(self.object())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'f>, Error> {
        Ok(self.object())
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Whole.serialize_struct_variant(name, index, variant, length)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<Value, Error> {
        Whole.collect_str(value)
    }
}

impl SerializeStruct for Object<'_> {
    type Ok = Value;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if let Some(wanted) = self.wanted.within(name) {
            self.found.insert(name.to_owned(), within(value, wanted)?);
        }
        Ok(())
    }

    fn end(self) -> Result<Value, Error> {
        Ok(Value::Object(self.found))
    }
}

impl SerializeMap for Object<'_> {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.next = match key.serialize(Whole)? {
            Value::String(name) => self.wanted.within(&name).map(|wanted| (name, wanted)),
            // A number as a key has no path.
            _ => None,
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if let Some((name, wanted)) = self.next.take() {
            self.found.insert(name, within(value, wanted)?);
        }
        Ok(())
    }

    fn end(self) -> Result<Value, Error> {
        Ok(Value::Object(self.found))
    }
}

macro_rules! entries {
    ($($list:ident::$method:ident)*) => {
        $(impl $list for List<'_> {
            type Ok = Value;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.found.push(within(value, self.wanted)?);
                Ok(())
            }

            fn end(self) -> Result<Value, Error> {
                Ok(Value::Array(self.found))
            }
        })*
    };
}

entries! { SerializeSeq::serialize_element SerializeTuple::serialize_element SerializeTupleStruct::serialize_field }

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

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
    }

    #[derive(Serialize)]
    struct Beside {
        state: Option<Part>,
        id: uuid::Uuid,
    }

    #[derive(Serialize, Clone)]
    struct Part {
        colour: &'static str,
        weight: f64,
    }

    #[derive(Serialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Choice {
        Host { part: Part },
    }

    /// Whatever is picked, it is what the whole has there.
    #[test]
    fn what_is_picked_is_what_the_whole_says_there() {
        let part = Part { colour: "red", weight: 1.5 };
        let thing = Thing {
            name: "a".into(),
            size: None,
            beside: Beside { state: Some(part.clone()), id: uuid::Uuid::nil() },
            parts: vec![part.clone(), part.clone()],
            table: [("x".to_owned(), part.clone()), ("y".to_owned(), part.clone())].into(),
            choice: Choice::Host { part },
        };
        let whole = serde_json::to_value(&thing).expect("JSON");
        for paths in [
            &["name"][..],
            &["size", "id"],
            &["state.colour"],
            &["parts.weight", "table.x.colour"],
            &["choice.kind", "choice.part.weight"],
            &["choice", "table.y", "parts"],
            &["nothing", "state.nothing"],
        ] {
            let fields = Fields::at(paths.iter().copied());
            assert_eq!(picked(&thing, &fields), fields.of(&whole), "{paths:?}");
        }
        assert_eq!(
            picked(&thing, &Fields::at(["table.x.colour"].into_iter())),
            json!({"table": {"x": {"colour": "red"}}})
        );
    }
}
