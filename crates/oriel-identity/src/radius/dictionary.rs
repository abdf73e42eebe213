//! Names, numbers and types of attributes, read from text in the format of FreeRADIUS' dictionaries.
//!
//! Of that format everything is read that says something about attributes on the wire; what only a server
//! needs (attributes of more than one byte's number, parts of parts, protocols) is passed over.

use std::collections::{BTreeMap, HashMap};

use super::{
    attribute::{Attribute, Named},
    mschap,
    packet::{VALUE_MAX, kind},
    value::{Kind, Value, Words, wide_number_of},
    vendor_format::{Format, USUAL},
};

/// The longest text that is read: all dictionaries of FreeRADIUS 3.2 together have 1,039,114 bytes.
const TEXT_MAX: usize = 2 * 1024 * 1024;
/// Attributes and words that are kept: FreeRADIUS 3.2 has 8,604 and 9,480.
const ENTRIES_MAX: usize = 40_000;
/// The longest name, as in FreeRADIUS.
const NAME_MAX: usize = 128;
/// The number of no vendor: attributes of the standards.
const STANDARD: u32 = 0;

/// What is known of attributes. Names are found in any case.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    vendors: BTreeMap<u32, Vendor>,
    vendor_names: HashMap<String, u32>,
    attributes: BTreeMap<(u32, u32), Definition>,
    names: HashMap<String, (u32, u32)>,
    /// Of all attributes together.
    words: usize,
}

#[derive(Debug, Clone)]
struct Vendor {
    name: String,
    format: Format,
}

#[derive(Debug, Clone)]
struct Definition {
    name: String,
    kind: Kind,
    is_encrypted: bool,
    words: Words,
}

/// One attribute for people to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'a> {
    /// The vendor's name; none for attributes of the standards.
    pub vendor: Option<&'a str>,
    /// The attribute's name.
    pub name: &'a str,
    /// What it takes.
    pub kind: Kind,
    /// Words for numbers, by number.
    pub words: Vec<&'a str>,
}

/// Why a dictionary cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the dictionary: {why}")]
pub struct DictionaryError {
    /// Counted from one.
    pub line: usize,
    /// What is wrong there, and what to do.
    pub why: String,
}

/// Why an attribute cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// Not in the dictionary.
    #[error(
        "no dictionary has an attribute {0:?}: add its vendor's dictionary, or write it as Attr-26.<vendor>.<type> with a value like 0x1f"
    )]
    Unknown(String),
    /// Oriel writes it.
    #[error("{0} is what Oriel itself writes into every request, and cannot be set")]
    Managed(String),
    /// Encrypted types.
    #[error("{0} is sent encrypted, which Oriel does not do for attributes that are set")]
    Encrypted(String),
    /// The value does not fit the type.
    #[error("{name} takes {wanted}, and {given:?} is not that")]
    Value {
        /// The attribute.
        name: String,
        /// What it takes.
        wanted: String,
        /// What was given, shortened.
        given: String,
    },
    /// The value is longer than an attribute.
    #[error("the value of {name} has {len} bytes, and at most {max} fit into an attribute")]
    Long {
        /// The attribute.
        name: String,
        /// What was given.
        len: usize,
        /// What fits.
        max: usize,
    },
}

impl Dictionary {
    /// Attributes of the standards, and those of some vendors.
    pub fn built_in() -> Self {
        let mut dictionary = Self::default();
        dictionary
            .extend(include_str!("built_in.dictionary"))
            .expect("the built-in dictionary is well-formed; a test reads it");
        dictionary
    }

    /// Adds what a text in the format of FreeRADIUS' dictionaries says; later definitions win. After an error
    /// what came before that line is known.
    ///
    /// # Errors
    ///
    /// The first line that cannot be understood, and why.
    pub fn extend(&mut self, text: &str) -> Result<(), DictionaryError> {
        let fail = |line, why: String| Err(DictionaryError { line, why });
        if text.len() > TEXT_MAX {
            return fail(1, format!("the text has {} bytes, and at most {TEXT_MAX} are read", text.len()));
        }
        let mut place = Place { vendor: STANDARD, is_passed_over: false, parts: 0 };
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            if let Err(why) = self.take(&words, &mut place) {
                return fail(number + 1, why);
            }
            if self.vendor_names.len() + self.names.len() + self.words > ENTRIES_MAX {
                return fail(number + 1, format!("at most {ENTRIES_MAX} names and words are kept"));
            }
        }
        Ok(())
    }

    fn take(&mut self, words: &[&str], place: &mut Place) -> Result<(), String> {
        match words {
            [] => Ok(()),
            ["VENDOR", name, number, format @ ..] => self.take_vendor(name, number, format.first().copied()),
            ["BEGIN-VENDOR", name, rest @ ..] => {
                place.vendor = self.vendor_of(name)?;
                // Some vendors have attributes of the extended kinds (RFC 6929) besides.
                place.is_passed_over = !rest.is_empty();
                Ok(())
            }
            ["END-VENDOR", ..] => {
                place.vendor = STANDARD;
                place.is_passed_over = false;
                Ok(())
            }
            ["BEGIN-TLV", ..] => {
                place.parts += 1;
                Ok(())
            }
            ["END-TLV", ..] => {
                place.parts = place.parts.saturating_sub(1);
                Ok(())
            }
            ["ATTRIBUTE", name, number, kind, flags @ ..] => {
                self.take_attribute(name, number, kind, flags.first().copied().unwrap_or_default(), place)
            }
            ["VALUE", attribute, name, number] => self.take_value(attribute, name, number),
            ["ATTRIBUTE", ..] => {
                Err("an attribute is written as ATTRIBUTE, its name, its number, its type".to_owned())
            }
            ["VALUE", ..] => {
                Err("a word is written as VALUE, the attribute, the word, its number".to_owned())
            }
            ["VENDOR" | "BEGIN-VENDOR", ..] => {
                Err("a vendor is written as VENDOR, its name, its number".to_owned())
            }
            ["$INCLUDE" | "$INCLUDE-", file, ..] => Err(format!(
                "it includes the file {file}, which is not here: give its text, too, without this line"
            )),
            // Of later versions, about attributes that are passed over.
            [
                "PROTOCOL" | "BEGIN-PROTOCOL" | "END-PROTOCOL" | "FLAGS" | "ALIAS" | "DEFINE" | "ENUM"
                | "STRUCT" | "MEMBER",
                ..,
            ] => Ok(()),
            [other, ..] => Err(format!(
                "{:?} is not a word of dictionaries: they have VENDOR, BEGIN-VENDOR, ATTRIBUTE, VALUE and END-VENDOR",
                shortened(other)
            )),
        }
    }

    fn take_vendor(&mut self, name: &str, number: &str, format: Option<&str>) -> Result<(), String> {
        let name = checked_name(name)?;
        let number = number_of(number).filter(|number| (1..1 << 24).contains(number));
        let number = number.ok_or("a vendor's number is from 1 to 16777215")?;
        let format = match format {
            None => USUAL,
            Some(text) => Format::read(text).ok_or_else(|| {
                format!("the format {:?} is none that is known: format=1,1, 2,1, 2,2 or 4,0", shortened(text))
            })?,
        };
        self.vendor_names.insert(name.to_ascii_lowercase(), number);
        self.vendors.insert(number, Vendor { name: name.to_owned(), format });
        Ok(())
    }

    fn vendor_of(&self, name: &str) -> Result<u32, String> {
        let found = self.vendor_names.get(&name.to_ascii_lowercase()).copied();
        found.ok_or_else(|| format!("the vendor {:?} has no line VENDOR before", shortened(name)))
    }

    fn take_attribute(
        &mut self,
        name: &str,
        number: &str,
        kind: &str,
        flags: &str,
        place: &Place,
    ) -> Result<(), String> {
        let name = checked_name(name)?;
        if place.is_passed_over || place.parts > 0 || number.contains('.') {
            return Ok(());
        }
        let number = number_of(number)
            .ok_or_else(|| format!("{:?} is not the number of an attribute", shortened(number)))?;
        let kind = Kind::read(kind).ok_or_else(|| {
            format!(
                "{:?} is not a type that is known: string, octets, integer, ipaddr, ipv6addr or date",
                shortened(kind)
            )
        })?;
        // Old dictionaries have the vendor's name where newer ones have flags.
        let vendor = match self.vendor_names.get(&flags.to_ascii_lowercase()) {
            Some(vendor) if place.vendor == STANDARD => *vendor,
            _ => place.vendor,
        };
        let kind_len = self.vendors.get(&vendor).map_or(1, |vendor| vendor.format.kind_len);
        // A server's own attributes have numbers that no packet can carry.
        if u64::from(number) >= 1 << (8 * kind_len) || number == 0 && vendor == STANDARD {
            return Ok(());
        }
        let words = self.attributes.remove(&(vendor, number)).map(|before| before.words).unwrap_or_default();
        let is_encrypted = flags.split(',').any(|flag| flag.starts_with("encrypt="));
        self.names.insert(name.to_ascii_lowercase(), (vendor, number));
        let definition = Definition { name: name.to_owned(), kind, is_encrypted, words };
        self.attributes.insert((vendor, number), definition);
        Ok(())
    }

    fn take_value(&mut self, attribute: &str, name: &str, number: &str) -> Result<(), String> {
        let number =
            wide_number_of(number).ok_or_else(|| format!("{:?} is not a number", shortened(number)))?;
        let name = checked_name(name)?;
        // Words of attributes that were passed over.
        let Some(key) = self.names.get(&attribute.to_ascii_lowercase()) else { return Ok(()) };
        if let Some(definition) = self.attributes.get_mut(key) {
            let words = &mut definition.words;
            words.shown.insert(number, name.to_owned());
            if words.numbers.insert(name.to_ascii_lowercase(), number).is_none() {
                self.words += 1;
            }
        }
        Ok(())
    }

    /// Everything that may be set in a request, by vendor and number.
    pub fn list(&self) -> impl Iterator<Item = Listed<'_>> {
        let settable =
            self.attributes.iter().filter(|(key, definition)| !definition.is_encrypted && !is_managed(**key));
        settable.map(|((vendor, _), definition)| Listed {
            vendor: self.vendors.get(vendor).map(|vendor| vendor.name.as_str()),
            name: &definition.name,
            kind: definition.kind,
            words: definition.words.shown.values().map(String::as_str).collect(),
        })
    }

    /// The attribute that settings name, with the value as people write it.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong, and what would be right.
    pub fn attribute(&self, name: &str, value: &str) -> Result<Attribute, AttributeError> {
        let name = name.trim();
        let known = self.names.get(&name.to_ascii_lowercase()).copied();
        let key = known.or_else(|| numbered(name)).ok_or_else(|| AttributeError::Unknown(shortened(name)))?;
        let definition = self.attributes.get(&key).filter(|_| known.is_some());
        let name = definition.map_or(name, |definition| &definition.name);
        if is_managed(key) {
            return Err(AttributeError::Managed(name.to_owned()));
        }
        if definition.is_some_and(|definition| definition.is_encrypted) {
            return Err(AttributeError::Encrypted(name.to_owned()));
        }
        let kind = definition.map_or(Kind::Octets, |definition| definition.kind);
        let none = Words::default();
        let words = definition.map_or(&none, |definition| &definition.words);
        let bytes = kind.bytes(value, words).ok_or_else(|| AttributeError::Value {
            name: name.to_owned(),
            wanted: kind.wanted(words),
            given: shortened(value),
        })?;
        let format = self.vendors.get(&key.0).map_or(USUAL, |vendor| vendor.format);
        let max = if key.0 == STANDARD { VALUE_MAX } else { format.room() };
        if bytes.len() > max {
            return Err(AttributeError::Long { name: name.to_owned(), len: bytes.len(), max });
        }
        Ok(match key {
            (STANDARD, number) => Attribute { kind: number as u8, value: bytes },
            (vendor, number) => {
                Attribute { kind: kind::VENDOR_SPECIFIC, value: format.write(vendor, number, &bytes) }
            }
        })
    }

    /// What an attribute that came says: several if its vendor put several into one.
    pub fn name(&self, attribute: &Attribute) -> Vec<Named> {
        let vendor = attribute.value.split_first_chunk();
        match vendor.map(|(vendor, rest)| (u32::from_be_bytes(*vendor), rest)) {
            Some((vendor, bytes)) if attribute.kind == kind::VENDOR_SPECIFIC => {
                let format = self.vendors.get(&vendor).map_or(USUAL, |vendor| vendor.format);
                let parts = format.read_all(bytes).unwrap_or_else(|| vec![(0, bytes)]);
                parts.into_iter().map(|(number, value)| self.named((vendor, number), value)).collect()
            }
            _ => vec![self.named((STANDARD, u32::from(attribute.kind)), &attribute.value)],
        }
    }

    fn named(&self, key: (u32, u32), bytes: &[u8]) -> Named {
        let octets = || Value::Octets(bytes.to_vec());
        match (self.attributes.get(&key), key) {
            (Some(definition), _) => Named {
                name: definition.name.clone(),
                value: definition.kind.value(bytes, &definition.words).unwrap_or_else(octets),
            },
            (None, (STANDARD, number)) => Named { name: format!("Attr-{number}"), value: octets() },
            (None, (vendor, number)) => Named { name: format!("Attr-26.{vendor}.{number}"), value: octets() },
        }
    }
}

/// Where in a text we are.
struct Place {
    vendor: u32,
    is_passed_over: bool,
    /// How deep in parts of parts.
    parts: usize,
}

/// What no setting may write, because it says who signs in, or because the safety of the exchange is in it.
fn is_managed((vendor, number): (u32, u32)) -> bool {
    const STANDARD_ONES: [u8; 9] = [
        kind::USER_NAME,
        kind::USER_PASSWORD,
        kind::CHAP_PASSWORD,
        kind::STATE,
        kind::VENDOR_SPECIFIC,
        kind::PROXY_STATE,
        kind::CHAP_CHALLENGE,
        kind::EAP_MESSAGE,
        kind::MESSAGE_AUTHENTICATOR,
    ];
    const MICROSOFT_ONES: [u8; 5] = [1, mschap::ERROR, mschap::CHALLENGE, mschap::RESPONSE, mschap::SUCCESS];
    let Ok(number) = u8::try_from(number) else { return false };
    match vendor {
        STANDARD => STANDARD_ONES.contains(&number),
        mschap::VENDOR => MICROSOFT_ONES.contains(&number),
        _ => false,
    }
}

/// `Attr-25`, and `Attr-26.9.1` for type 1 of vendor 9 in the usual format.
fn numbered(name: &str) -> Option<(u32, u32)> {
    let numbers = name.get(..5).filter(|prefix| prefix.eq_ignore_ascii_case("attr-")).map(|_| &name[5..])?;
    let parts: Vec<u32> = numbers.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts[..] {
        [number @ 1..=255] => Some((STANDARD, number)),
        [26, vendor @ 1..=0xff_ffff, number @ 0..=255] => Some((vendor, number)),
        _ => None,
    }
}

fn checked_name(name: &str) -> Result<&str, String> {
    let is_good = name.len() <= NAME_MAX && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if is_good {
        Ok(name)
    } else {
        Err(format!(
            "{:?} is no name: at most {NAME_MAX} letters, digits and signs of ASCII",
            shortened(name)
        ))
    }
}

fn number_of(text: &str) -> Option<u32> {
    u32::try_from(wide_number_of(text)?).ok()
}

/// For error messages.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
