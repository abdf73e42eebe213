//! How vendors write their own attributes (RFC 2865, 5.26, and those that do it in other ways).

use super::{packet::VALUE_MAX, value::big_endian};

/// How a vendor writes its attributes: bytes of type, of length (none: one attribute takes the rest).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    pub kind_len: usize,
    length_len: usize,
    /// A byte about continuation follows the length (WiMAX): can be read, is not written.
    has_continuation: bool,
}

/// One byte each, as the standard advises.
pub(super) const USUAL: Format = Format { kind_len: 1, length_len: 1, has_continuation: false };

impl Format {
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("format=")?.split(',');
        let kind_len = parts.next()?.parse().ok().filter(|len| [1, 2, 4].contains(len))?;
        let length_len = parts.next()?.parse().ok().filter(|len| (0..=2).contains(len))?;
        let has_continuation = match parts.next() {
            None => false,
            Some("c") => true,
            Some(_) => return None,
        };
        Some(Self { kind_len, length_len, has_continuation })
    }

    /// Bytes before a value.
    fn header_len(self) -> usize {
        self.kind_len + self.length_len + usize::from(self.has_continuation)
    }

    /// Bytes that a value may have.
    pub fn room(self) -> usize {
        VALUE_MAX - 4 - self.header_len()
    }

    pub fn write(self, vendor: u32, number: u32, value: &[u8]) -> Vec<u8> {
        let mut bytes = vendor.to_be_bytes().to_vec();
        bytes.extend_from_slice(&number.to_be_bytes()[4 - self.kind_len..]);
        // At most 253, see `room`.
        let len = (self.header_len() + value.len()) as u32;
        bytes.extend_from_slice(&len.to_be_bytes()[4 - self.length_len..]);
        if self.has_continuation {
            // Nothing continues.
            bytes.push(0);
        }
        bytes.extend_from_slice(value);
        bytes
    }

    /// The parts of a vendor's attribute; none if it is not in this format.
    pub fn read_all(self, mut bytes: &[u8]) -> Option<Vec<(u32, &[u8])>> {
        let mut parts = Vec::new();
        while !bytes.is_empty() {
            let number = big_endian(bytes.get(..self.kind_len)?);
            let len = match self.length_len {
                0 => bytes.len(),
                len => big_endian(bytes.get(self.kind_len..self.kind_len + len)?) as usize,
            };
            parts.push((number as u32, bytes.get(self.header_len()..len)?));
            bytes = &bytes[len..];
        }
        (!parts.is_empty()).then_some(parts)
    }
}
