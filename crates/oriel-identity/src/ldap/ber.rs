//! The part of BER that LDAP uses ([RFC 4511] 5.1): tags of one byte, definite lengths.
//!
//! Reading takes one value after the other from a slice and descends only where the caller does, so that
//! nesting costs nothing that was not asked for.

/// A tag of a sequence.
pub(super) const SEQUENCE: u8 = 0x30;
/// A tag of a set.
pub(super) const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const BOOLEAN: u8 = 0x01;

/// Bytes that are not what the protocol has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not speak LDAP as it should")]
pub(super) struct Garbled;

/// The values of one level, from first to last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

/// How long the value at the beginning of `bytes` is, tag and length included; none while more bytes are
/// needed to tell.
pub(super) fn whole(bytes: &[u8]) -> Result<Option<usize>, Garbled> {
    let Some((&tag, rest)) = bytes.split_first() else { return Ok(None) };
    if tag & 0x1f == 0x1f {
        return Err(Garbled);
    }
    let Some((&first, rest)) = rest.split_first() else { return Ok(None) };
    let (header, length) = match first {
        0..0x80 => (2, usize::from(first)),
        // Indefinite lengths are no LDAP; more than four bytes of length are no message.
        0x80 | 0x85.. => return Err(Garbled),
        _ => {
            let count = usize::from(first & 0x7f);
            let Some(length) = rest.get(..count) else { return Ok(None) };
            (2 + count, length.iter().fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte)))
        }
    };
    header.checked_add(length).map(Some).ok_or(Garbled)
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next value.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next value, whatever it is.
    pub(super) fn any(&mut self) -> Result<(u8, &'a [u8]), Garbled> {
        let end = whole(self.0)?.filter(|&end| end <= self.0.len()).ok_or(Garbled)?;
        let (value, rest) = self.0.split_at(end);
        let header = match value[1] {
            0..0x80 => 2,
            long => 2 + usize::from(long & 0x7f),
        };
        self.0 = rest;
        Ok((value[0], &value[header..]))
    }

    /// The next value, which has this tag.
    pub(super) fn value(&mut self, tag: u8) -> Result<&'a [u8], Garbled> {
        match self.any()? {
            (found, value) if found == tag => Ok(value),
            _ => Err(Garbled),
        }
    }

    /// The next value if it has this tag; it stays where it is otherwise.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, Garbled> {
        if self.peek() == Some(tag) { self.value(tag).map(Some) } else { Ok(None) }
    }

    /// The values within the next one, which has this tag.
    pub(super) fn inside(&mut self, tag: u8) -> Result<Reader<'a>, Garbled> {
        self.value(tag).map(Reader)
    }

    pub(super) fn octets(&mut self) -> Result<&'a [u8], Garbled> {
        self.value(OCTETS)
    }

    pub(super) fn text(&mut self) -> Result<String, Garbled> {
        self.octets().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    pub(super) fn integer(&mut self) -> Result<i64, Garbled> {
        self.value(INTEGER).and_then(number)
    }

    pub(super) fn enumerated(&mut self) -> Result<i64, Garbled> {
        self.value(ENUMERATED).and_then(number)
    }
}

/// A number in two's complement, of at most eight bytes.
pub(super) fn number(bytes: &[u8]) -> Result<i64, Garbled> {
    let first = *bytes.first().ok_or(Garbled)?;
    if bytes.len() > 8 {
        return Err(Garbled);
    }
    let sign = if first & 0x80 == 0 { 0 } else { -1 };
    Ok(bytes.iter().fold(sign, |sum, &byte| sum << 8 | i64::from(byte)))
}

/// Writes values one after the other. What was written is wiped when it is dropped: passwords are in it.
#[derive(Default)]
pub(super) struct Writer(zeroize::Zeroizing<Vec<u8>>);

impl Writer {
    pub(super) fn into_bytes(self) -> zeroize::Zeroizing<Vec<u8>> {
        self.0
    }

    pub(super) fn primitive(&mut self, tag: u8, value: &[u8]) {
        self.reserve(value.len() + 6);
        self.0.push(tag);
        self.length(value.len());
        self.0.extend_from_slice(value);
    }

    pub(super) fn octets(&mut self, value: &[u8]) {
        self.primitive(OCTETS, value);
    }

    pub(super) fn integer(&mut self, value: i32) {
        self.primitive(INTEGER, minimal(&value.to_be_bytes()));
    }

    pub(super) fn enumerated(&mut self, value: u8) {
        self.primitive(ENUMERATED, &[value]);
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.primitive(BOOLEAN, &[if value { 0xff } else { 0 }]);
    }

    /// A value that `write` fills with others.
    pub(super) fn nested(&mut self, tag: u8, write: impl FnOnce(&mut Writer)) {
        let mut inner = Writer::default();
        write(&mut inner);
        self.primitive(tag, &inner.0);
    }

    /// Room for more, without leaving behind a copy that nobody wipes.
    fn reserve(&mut self, more: usize) {
        let needed = self.0.len() + more;
        if needed > self.0.capacity() {
            let mut larger = zeroize::Zeroizing::new(Vec::with_capacity(needed.next_power_of_two().max(256)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
    }

    fn length(&mut self, length: usize) {
        let bytes = length.to_be_bytes();
        match u8::try_from(length) {
            Ok(short @ 0..0x80) => self.0.push(short),
            _ => {
                let bytes = bytes.iter().position(|&byte| byte != 0).map_or(&bytes[7..], |at| &bytes[at..]);
                self.0.push(0x80 | bytes.len() as u8);
                self.0.extend_from_slice(bytes);
            }
        }
    }
}

/// Without the leading bytes that say nothing but the sign.
fn minimal(mut bytes: &[u8]) -> &[u8] {
    while let [first, second, ..] = bytes {
        let says_nothing = (*first == 0 && second & 0x80 == 0) || (*first == 0xff && second & 0x80 != 0);
        if !says_nothing {
            break;
        }
        bytes = &bytes[1..];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_read_as_they_come_and_refused_as_soon_as_they_are_seen() {
        for (bytes, expected) in [
            (&[][..], Ok(None)),
            (&[0x30], Ok(None)),
            (&[0x30, 0x05], Ok(Some(7))),
            (&[0x30, 0x82, 0x01], Ok(None)),
            (&[0x30, 0x82, 0x01, 0x00], Ok(Some(260))),
            (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], Ok(Some(0xffff_ffff + 6))),
            (&[0x30, 0x80], Err(Garbled)),
            (&[0x30, 0x85], Err(Garbled)),
            (&[0x3f], Err(Garbled)),
        ] {
            assert_eq!(whole(bytes), expected, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            number in any::<i32>(), small in 0..128_u8, texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5)
        ) {
            let mut writer = Writer::default();
            writer.nested(SEQUENCE, |out| {
                out.integer(number);
                out.enumerated(small);
                texts.iter().for_each(|text| out.octets(text));
            });
            let bytes = writer.into_bytes();
            prop_assert_eq!(whole(&bytes), Ok(Some(bytes.len())));
            let mut reader = Reader::new(&bytes).inside(SEQUENCE).expect("a sequence");
            prop_assert_eq!(reader.integer(), Ok(i64::from(number)));
            prop_assert_eq!(reader.enumerated(), Ok(i64::from(small)));
            for text in &texts {
                prop_assert_eq!(reader.octets(), Ok(text.as_slice()));
            }
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn any_bytes_are_read_to_their_end_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            while !reader.is_empty() {
                let before = reader.0.len();
                match reader.any() {
                    Ok((_, value)) => prop_assert!(value.len() < before && reader.0.len() < before),
                    Err(Garbled) => break,
                }
            }
        }
    }
}
