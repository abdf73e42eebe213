//! What is on a clipboard: lists of formats ([MS-RDPECLIP] 2.2.3.1), which kind of content each format
//! is, and lists with fewer formats.

/// Formats of one list that are looked at. Office programs list about forty.
const FORMATS_MAX: usize = 256;

/// What may be copied and pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Plain text.
    pub text: bool,
    /// Text with its look: HTML and RTF.
    pub html: bool,
    /// Pictures.
    pub images: bool,
    /// Files, and the lists of them.
    pub files: bool,
    /// Everything else.
    pub others: bool,
}

impl Kinds {
    /// Everything.
    pub const ALL: Self = Self { text: true, html: true, images: true, files: true, others: true };
    /// Text and nothing else.
    pub const TEXT: Self = Self { text: true, html: false, images: false, files: false, others: false };

    fn allow(self, kind: Kind) -> bool {
        match kind {
            Kind::Text => self.text,
            Kind::Html => self.html,
            Kind::Images => self.images,
            Kind::Files => self.files,
            Kind::Others => self.others,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Html,
    Images,
    Files,
    Others,
}

impl Kind {
    /// Of a standard clipboard format (Windows SDK, winuser.h); none of any other number.
    fn of_standard(id: u32) -> Option<Self> {
        match id {
            // CF_TEXT, CF_OEMTEXT, CF_UNICODETEXT, CF_LOCALE (the language of a text), CF_DSPTEXT
            1 | 7 | 13 | 16 | 0x81 => Some(Kind::Text),
            // CF_BITMAP, CF_METAFILEPICT, CF_TIFF, CF_DIB, CF_PALETTE, CF_ENHMETAFILE, CF_DIBV5, and those
            // for display
            2 | 3 | 6 | 8 | 9 | 14 | 17 | 0x82 | 0x83 | 0x8e => Some(Kind::Images),
            // CF_HDROP
            15 => Some(Kind::Files),
            // CF_SYLK, CF_DIF, CF_PENDATA, CF_RIFF, CF_WAVE, CF_OWNERDISPLAY
            4 | 5 | 10..=12 | 0x80 => Some(Kind::Others),
            _ => None,
        }
    }

    /// Of a registered format, by its name: those of Windows, and the types that Unix desktops use. The
    /// case of letters does not matter, as in Windows.
    fn of_name(name: &str, is_cut: bool) -> Self {
        const NAMES: [(Kind, &[&str]); 4] = [
            (Kind::Text, &["text/plain", "text/plain;charset=utf-8", "utf8_string", "string", "text"]),
            (
                Kind::Html,
                &[
                    "html format",
                    "text/html",
                    "rich text format",
                    "rich text format without objects",
                    "rtf in utf8",
                    "richedit text and objects",
                    "text/rtf",
                    "text/richtext",
                    "application/rtf",
                ],
            ),
            (Kind::Images, &["png", "jfif", "gif", "tiff", "bitmap"]),
            (
                Kind::Files,
                &[
                    "filegroupdescriptorw",
                    "filegroupdescriptor",
                    "filecontents",
                    "filename",
                    "filenamew",
                    "filenamemap",
                    "filenamemapw",
                    "shell idlist array",
                    "shell object offsets",
                    "preferred dropeffect",
                    "performed dropeffect",
                    "paste succeeded",
                    "text/uri-list",
                    "x-special/gnome-copied-files",
                    "x-special/mate-copied-files",
                    "application/x-kde-cutselection",
                ],
            ),
        ];
        let name = name.to_lowercase();
        if name.starts_with("image/") {
            return Kind::Images;
        }
        let is_it = |known: &&str| if is_cut { known.starts_with(&name) } else { **known == name };
        let found = NAMES.iter().find(|(_, names)| names.iter().any(is_it));
        found.map_or(Kind::Others, |(kind, _)| *kind)
    }
}

/// The form in which names stand in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// CLIPRDR_LONG_FORMAT_NAME (2.2.3.1.2.1)
    Long,
    /// CLIPRDR_SHORT_FORMAT_NAME (2.2.3.1.1.1) in UTF-16
    Short,
    /// The same in ASCII
    ShortAscii,
}

/// One format of a list.
struct Format<'a> {
    id: u32,
    name: String,
    /// Whether the name may have had more characters than there was room for.
    is_cut: bool,
    raw: &'a [u8],
}

impl Format<'_> {
    /// A standard format that also has a name is taken for both.
    fn is_allowed(&self, kinds: Kinds) -> bool {
        let by_name = || kinds.allow(Kind::of_name(&self.name, self.is_cut));
        match Kind::of_standard(self.id) {
            Some(kind) if self.name.is_empty() => kinds.allow(kind),
            Some(kind) => kinds.allow(kind) && by_name(),
            None if self.name.is_empty() => kinds.others,
            None => by_name(),
        }
    }
}

/// What is left of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filtered {
    /// The ids of its formats.
    pub(super) ids: Vec<u32>,
    /// The formats as they came.
    pub(super) body: Vec<u8>,
}

/// The formats of these kinds in a list, as far as it can be read.
pub(super) fn filter(list: &[u8], names: Names, kinds: Kinds) -> Filtered {
    let mut filtered = Filtered::default();
    let mut rest = list;
    for _ in 0..FORMATS_MAX {
        let Some(format) = first(rest, names) else { break };
        rest = &rest[format.raw.len()..];
        if format.is_allowed(kinds) {
            filtered.ids.push(format.id);
            filtered.body.extend_from_slice(format.raw);
        }
    }
    filtered
}

/// The format at the beginning of a list.
fn first(list: &[u8], names: Names) -> Option<Format<'_>> {
    /// The name's field in the short form.
    const SHORT_BYTES: usize = 32;
    let (id, rest) = list.split_first_chunk()?;
    let id = u32::from_le_bytes(*id);
    let (name, is_cut, length) = match names {
        Names::Long => {
            let units = units(rest).take_while(|unit| *unit != 0).count();
            // Without its end it is no name.
            let length = rest.get(..2 * (units + 1))?.len();
            (text(&rest[..2 * units]), false, length)
        }
        Names::Short => {
            let field = rest.get(..SHORT_BYTES)?;
            let units = units(field).take_while(|unit| *unit != 0).count();
            (text(&field[..2 * units]), 2 * (units + 1) >= SHORT_BYTES, SHORT_BYTES)
        }
        Names::ShortAscii => {
            let field = rest.get(..SHORT_BYTES)?;
            let name: String =
                field.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
            let is_cut = name.chars().count() + 1 >= SHORT_BYTES;
            (name, is_cut, SHORT_BYTES)
        }
    };
    Some(Format { id, name, is_cut, raw: &list[..4 + length] })
}

fn units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

fn text(utf_16: &[u8]) -> String {
    char::decode_utf16(units(utf_16)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_of_its_kind() {
        for (name, kind) in [
            ("HTML Format", Kind::Html),
            ("Rich Text Format", Kind::Html),
            ("PNG", Kind::Images),
            ("image/webp", Kind::Images),
            ("FileGroupDescriptorW", Kind::Files),
            ("text/uri-list", Kind::Files),
            ("UTF8_STRING", Kind::Text),
            ("text/plain;charset=utf-8", Kind::Text),
            ("Ole Private Data", Kind::Others),
            ("HTML Format 2", Kind::Others),
        ] {
            assert_eq!(Kind::of_name(name, false), kind, "{name}");
        }
        assert_eq!(Kind::of_name("FileGroupDescri", true), Kind::Files);
        assert_eq!(Kind::of_name("FileGroupDescri", false), Kind::Others);
    }

    #[test]
    fn a_standard_format_under_another_name_is_both() {
        let named = |id, name: &str| Format { id, name: name.into(), is_cut: false, raw: &[] };
        assert!(named(13, "").is_allowed(Kinds::TEXT));
        assert!(!named(13, "PNG").is_allowed(Kinds::TEXT));
        assert!(!named(8, "text/plain").is_allowed(Kinds::TEXT));
        assert!(!named(0xc123, "").is_allowed(Kinds::TEXT));
        assert!(named(0xc123, "").is_allowed(Kinds::ALL));
    }
}
