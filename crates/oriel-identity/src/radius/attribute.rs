//! Attributes: as they travel, and as people read them.

use std::fmt;

use super::{packet::kind, value::Value};

/// An attribute as it travels. [`super::Dictionary`] makes one of a name and a value, and names those that came.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    pub(super) kind: u8,
    pub(super) value: Vec<u8>,
}

impl Attribute {
    /// Its type: 26 is a vendor's own.
    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// Its bytes; a vendor's begin with the vendor's number (RFC 2865, 5.26).
    pub fn bytes(&self) -> &[u8] {
        &self.value
    }

    pub(super) fn integer(kind: u8, value: u32) -> Self {
        Self { kind, value: value.to_be_bytes().to_vec() }
    }

    pub(super) fn vendor(vendor: u32, kind: u8, value: &[u8]) -> Self {
        let mut bytes = vendor.to_be_bytes().to_vec();
        // All callers write values of a fixed length, or of a checked one.
        bytes.extend_from_slice(&[kind, u8::try_from(value.len() + 2).unwrap_or(u8::MAX)]);
        bytes.extend_from_slice(value);
        Self { kind: kind::VENDOR_SPECIFIC, value: bytes }
    }

    /// The first part of this type, if it is one of `vendor` in the usual format (RFC 2865, 5.26).
    pub(super) fn of_vendor(&self, vendor: u32, wanted: u8) -> Option<&[u8]> {
        if self.kind != kind::VENDOR_SPECIFIC {
            return None;
        }
        let (number, mut rest) = self.value.split_first_chunk()?;
        if u32::from_be_bytes(*number) != vendor {
            return None;
        }
        while let Some((&[kind, len], _)) = rest.split_first_chunk() {
            let value = rest.get(2..usize::from(len))?;
            if kind == wanted {
                return Some(value);
            }
            rest = &rest[usize::from(len)..];
        }
        None
    }
}

/// Values may be about people, so a log shows types and lengths only.
impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attribute({}, {} bytes)", self.kind, self.value.len())
    }
}

/// An attribute that came, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// From the dictionary, or `Attr-25` or `Attr-26.9.1` (vendor and type).
    pub name: String,
    /// What it says.
    pub value: Value,
}
