//! What entries are looked for ([RFC 4511] 4.5.1.7), as a tree of data: values are bytes with a length from
//! here to the server, so none can end early and become a question of its own.

use super::ber::Writer;

/// A question about entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    /// All of these.
    And(Vec<Filter>),
    /// One of these.
    Or(Vec<Filter>),
    /// The attribute has this value.
    Equal(String, Vec<u8>),
    /// A value of the attribute begins with this.
    Begins(String, String),
    /// The attribute is there.
    Present(String),
    /// Every one of these bits is set in the attribute: a rule of Active Directory.
    Bits(String, u32),
}

/// [MS-ADTS] 3.1.1.3.4.4.1 LDAP_MATCHING_RULE_BIT_AND.
const BIT_AND: &str = "1.2.840.113556.1.4.803";

impl Filter {
    pub(super) fn equal(attribute: &str, value: impl Into<Vec<u8>>) -> Self {
        Filter::Equal(attribute.to_owned(), value.into())
    }

    pub(super) fn begins(attribute: &str, text: &str) -> Self {
        Filter::Begins(attribute.to_owned(), text.to_owned())
    }

    pub(super) fn write(&self, out: &mut Writer) {
        match self {
            Filter::And(parts) => out.nested(0xa0, |out| parts.iter().for_each(|part| part.write(out))),
            Filter::Or(parts) => out.nested(0xa1, |out| parts.iter().for_each(|part| part.write(out))),
            Filter::Equal(attribute, value) => out.nested(0xa3, |out| {
                out.octets(attribute.as_bytes());
                out.octets(value);
            }),
            Filter::Begins(attribute, text) => out.nested(0xa4, |out| {
                out.octets(attribute.as_bytes());
                out.nested(0x30, |out| out.primitive(0x80, text.as_bytes()));
            }),
            Filter::Present(attribute) => out.primitive(0x87, attribute.as_bytes()),
            Filter::Bits(attribute, bits) => out.nested(0xa9, |out| {
                out.primitive(0x81, BIT_AND.as_bytes());
                out.primitive(0x82, attribute.as_bytes());
                out.primitive(0x83, bits.to_string().as_bytes());
            }),
        }
    }
}

/// Whether this is the name of an attribute or class: a keystring ([RFC 4512] 1.4), as everybody names them.
pub(super) fn is_attribute(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
