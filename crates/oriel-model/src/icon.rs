//! Icons of published resources: PNG pictures that were sent, named by the SHA-256 of their bytes, and a
//! built-in set, named by words.
//!
//! Deliberately absent: the pictures themselves. The broker keeps them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a resource says of its icon: the id of a picture that was sent, or `builtin:terminal` for one of
/// the built-in set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Icon(pub String);

/// Begins the name of a built-in icon.
const BUILT_IN_PREFIX: &str = "builtin:";

/// Which picture an icon is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Picture {
    /// One that was sent.
    Sent(IconId),
    /// One of the built-in set.
    BuiltIn(BuiltIn),
}

impl Icon {
    /// Which picture it is; none: it names none that there could be.
    pub fn picture(&self) -> Option<Picture> {
        match self.0.strip_prefix(BUILT_IN_PREFIX) {
            Some(name) => BuiltIn::named(name).map(Picture::BuiltIn),
            None => Some(IconId(self.0.clone())).filter(IconId::is_well_formed).map(Picture::Sent),
        }
    }

    /// The picture that was sent; none: it is another.
    pub fn sent(&self) -> Option<IconId> {
        match self.picture()? {
            Picture::Sent(id) => Some(id),
            Picture::BuiltIn(_) => None,
        }
    }

    /// What is wrong with it; none: nothing.
    pub fn mistake(&self) -> Option<String> {
        if self.picture().is_some() {
            return None;
        }
        let known: Vec<_> = BuiltIn::all().map(|icon| icon.icon().0).collect();
        Some(format!(
            "is neither the id of a picture that was sent (64 hexadecimal digits) nor a built-in icon: {}",
            known.join(", ")
        ))
    }
}

impl From<IconId> for Icon {
    fn from(id: IconId) -> Self {
        Self(id.0)
    }
}

/// SHA-256 of an icon's PNG bytes, 64 lower-case hexadecimal digits. The bytes are a blob of the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct IconId(pub String);

impl IconId {
    /// Whether it has the form of a digest.
    pub fn is_well_formed(&self) -> bool {
        self.0.len() == 64 && self.0.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }
}

/// Largest icon file taken, in bytes: a 256 pixel PNG is rarely over 100 KiB.
pub const ICON_BYTES_MAX: usize = 256 * 1024;
/// Largest side of an icon, in pixels; larger ones are scaled down.
pub const ICON_SIDE_MAX: u32 = 256;

/// An icon of the built-in set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BuiltIn(usize);

impl BuiltIn {
    /// The whole set, in the order of the names.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..BUILT_IN.len()).map(Self)
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        BUILT_IN.iter().position(|(known, _)| *known == name).map(Self)
    }

    /// Its name: lower-case letters and hyphens.
    pub fn name(self) -> &'static str {
        BUILT_IN[self.0].0
    }

    /// What it is for.
    pub fn about(self) -> &'static str {
        BUILT_IN[self.0].1
    }

    /// How a resource says that it has it.
    pub fn icon(self) -> Icon {
        Icon(format!("{BUILT_IN_PREFIX}{}", self.name()))
    }
}

/// Names and uses of the built-in icons, by name. A name that was given stays: farms have it in their settings.
const BUILT_IN: [(&str, &str); 31] = [
    ("application", "Any program"),
    ("briefcase", "Business software"),
    ("browser", "Web browsers and web pages"),
    ("calculator", "Calculators"),
    ("calendar", "Calendars"),
    ("chart", "Reports and statistics"),
    ("chat", "Messengers and meetings"),
    ("code", "Development"),
    ("contacts", "Address books and customers"),
    ("database", "Databases"),
    ("desktop", "Whole desktops"),
    ("device", "What runs on the user's own device"),
    ("document", "Documents and word processors"),
    ("drawing", "Drawing and design"),
    ("editor", "Text editors"),
    ("files", "File managers and archives"),
    ("folder", "Folders"),
    ("mail", "Mail"),
    ("music", "Music and sound"),
    ("network", "Networks and their tools"),
    ("network-folder", "Folders of the network"),
    ("notes", "Notes"),
    ("picture", "Pictures and photographs"),
    ("presentation", "Presentations"),
    ("printer", "Printing"),
    ("security", "Passwords and protection"),
    ("server", "Servers"),
    ("settings", "Settings and control panels"),
    ("spreadsheet", "Spreadsheets"),
    ("terminal", "Terminals and command lines"),
    ("video", "Video"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_set_is_in_order_and_found_by_name() {
        assert!(BUILT_IN.is_sorted_by(|one, next| one.0 < next.0));
        for icon in BuiltIn::all() {
            assert_eq!(BuiltIn::named(icon.name()), Some(icon));
            assert_eq!(icon.icon().picture(), Some(Picture::BuiltIn(icon)));
            assert!(icon.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        }
    }

    #[test]
    fn what_names_no_picture_is_told_the_names_that_there_are() {
        let digest = "0a".repeat(32);
        assert_eq!(Icon(digest.clone()).picture(), Some(Picture::Sent(IconId(digest))));
        for wrong in ["", "terminal", "builtin:", "builtin:termnal", "builtin:Terminal", "00"] {
            let mistake = Icon(wrong.into()).mistake().expect("a mistake");
            assert!(mistake.contains("builtin:terminal, builtin:video"), "{wrong}: {mistake}");
        }
    }
}
