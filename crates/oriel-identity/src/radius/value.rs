//! Types of values, and values as people write them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use jiff::Timestamp;

/// A value with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text in UTF-8.
    Text(String),
    /// Bytes of any kind.
    Octets(Vec<u8>),
    /// A number without sign.
    Integer(u64),
    /// A number that the dictionary has a word for.
    Word(u64, String),
    /// An address.
    Ipv4(Ipv4Addr),
    /// An address.
    Ipv6(Ipv6Addr),
    /// A time, in whole seconds.
    Date(Timestamp),
}

/// As it is written in settings: what [`super::Dictionary::attribute`] takes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Word(_, text) => f.write_str(text),
            Self::Octets(bytes) => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Integer(number) => number.fmt(f),
            Self::Ipv4(address) => address.fmt(f),
            Self::Ipv6(address) => address.fmt(f),
            Self::Date(time) => time.fmt(f),
        }
    }
}

/// Types of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in UTF-8.
    Text,
    /// Bytes, written as `0x` and hexadecimal digits: also every type that has no form of its own.
    Octets,
    /// A number without sign in so many bytes: 1, 2, 4 or 8.
    Integer(u8),
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A time from 1970 to 2106, written as `2026-11-21T14:00:00Z`.
    Date,
}

/// Words for numbers. A number may have several, of which the last is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    pub shown: BTreeMap<u64, String>,
    /// In small letters.
    pub numbers: HashMap<String, u64>,
}

impl Kind {
    pub(super) fn read(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        // Some have the length behind: octets[16].
        Some(match word.split('[').next().unwrap_or_default() {
            "string" => Self::Text,
            "integer" | "uint32" => Self::Integer(4),
            "byte" | "uint8" | "bool" => Self::Integer(1),
            "short" | "uint16" => Self::Integer(2),
            "integer64" | "uint64" => Self::Integer(8),
            "ipaddr" => Self::Ipv4,
            "ipv6addr" => Self::Ipv6,
            "date" => Self::Date,
            "octets" | "abinary" | "ether" | "ifid" | "ipv6prefix" | "ipv4prefix" | "combo-ip" | "signed"
            | "int32" | "tlv" | "vsa" | "evs" | "extended" | "long-extended" | "struct" | "time_delta"
            | "group" => Self::Octets,
            _ => return None,
        })
    }

    /// What people are told to write.
    pub(super) fn wanted(self, words: &Words) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Octets => "bytes like 0x1f2e".to_owned(),
            Self::Integer(len) if words.shown.is_empty() => {
                format!("a number from 0 to {}", u64::MAX >> (64 - 8 * u32::from(len)))
            }
            Self::Integer(_) => {
                let shown: Vec<_> = words.shown.values().take(5).map(String::as_str).collect();
                let more = if words.shown.len() > shown.len() { " and others" } else { "" };
                format!("a number or one of its words ({}{more})", shown.join(", "))
            }
            Self::Ipv4 => "an address like 192.0.2.1".to_owned(),
            Self::Ipv6 => "an address like 2001:db8::1".to_owned(),
            Self::Date => "a time from 1970 to 2106 like 2026-11-21T14:00:00Z".to_owned(),
        }
    }

    /// The value as it travels; none if it is not of this kind. Attributes without any bytes must not be sent
    /// (RFC 2865, 5).
    pub(super) fn bytes(self, text: &str, words: &Words) -> Option<Vec<u8>> {
        let trimmed = text.trim();
        let bytes = match self {
            Self::Text => text.bytes().all(|byte| byte != 0).then(|| text.as_bytes().to_vec())?,
            Self::Octets => octets(trimmed)?,
            Self::Integer(len) => {
                let word = words.numbers.get(&trimmed.to_ascii_lowercase()).copied();
                let number = word.or_else(|| wide_number_of(trimmed))?;
                let bytes = number.to_be_bytes();
                let (high, low) = bytes.split_at(8 - usize::from(len));
                high.iter().all(|byte| *byte == 0).then(|| low.to_vec())?
            }
            Self::Ipv4 => trimmed.parse::<Ipv4Addr>().ok()?.octets().to_vec(),
            Self::Ipv6 => trimmed.parse::<Ipv6Addr>().ok()?.octets().to_vec(),
            Self::Date => {
                let time: Timestamp = trimmed.parse().ok()?;
                u32::try_from(time.as_second()).ok()?.to_be_bytes().to_vec()
            }
        };
        (!bytes.is_empty()).then_some(bytes)
    }

    /// The value that came; none if it is not of this kind.
    pub(super) fn value(self, bytes: &[u8], words: &Words) -> Option<Value> {
        Some(match self {
            Self::Text => Value::Text(std::str::from_utf8(bytes).ok()?.to_owned()),
            Self::Octets => Value::Octets(bytes.to_vec()),
            Self::Integer(len) => {
                let number = (bytes.len() == usize::from(len)).then(|| big_endian(bytes))?;
                match words.shown.get(&number) {
                    Some(word) => Value::Word(number, word.clone()),
                    None => Value::Integer(number),
                }
            }
            Self::Ipv4 => Value::Ipv4(<[u8; 4]>::try_from(bytes).ok()?.into()),
            Self::Ipv6 => Value::Ipv6(<[u8; 16]>::try_from(bytes).ok()?.into()),
            Self::Date => {
                let second = <[u8; 4]>::try_from(bytes).ok().map(u32::from_be_bytes)?;
                Value::Date(Timestamp::from_second(i64::from(second)).ok()?)
            }
        })
    }
}

/// Decimal, or hexadecimal after `0x`.
pub(super) fn wide_number_of(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4 | digit(*low)?) as u8);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// At most the last eight bytes count.
pub(super) fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
