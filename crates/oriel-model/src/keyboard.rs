//! Keyboard layouts: from language tags to the numbers by which RDP names them.

/// Windows' keyboard identifiers by language tag ("Default input locales"), the more particular first. The
/// portal's pages have the same table.
const LAYOUTS: [(&str, u32); 38] = [
    ("de-ch", 0x807),
    ("de-li", 0x807),
    ("fr-ch", 0x100c),
    ("de", 0x407),
    ("fr-be", 0x80c),
    ("nl-be", 0x80c),
    ("fr-ca", 0x1009),
    ("fr", 0x40c),
    ("es-419", 0x80a),
    ("es-mx", 0x80a),
    ("es-ar", 0x80a),
    ("es-co", 0x80a),
    ("es-cl", 0x80a),
    ("es", 0x40a),
    ("it", 0x410),
    ("pt-br", 0x416),
    ("pt", 0x816),
    ("da", 0x406),
    ("nb", 0x414),
    ("nn", 0x414),
    ("no", 0x414),
    ("sv", 0x41d),
    ("fi", 0x40b),
    ("hu", 0x40e),
    ("cs", 0x405),
    ("sk", 0x41b),
    ("tr", 0x41f),
    ("ru", 0x419),
    ("uk", 0x422),
    ("el", 0x408),
    ("en-gb", 0x809),
    ("en-ie", 0x809),
    ("pl", 0x415),
    ("nl", 0x413),
    ("ja", 0x411),
    ("ko", 0x412),
    ("zh-tw", 0x404),
    ("zh", 0x804),
];

/// What English keyboards are, but for those above.
const ENGLISH: u32 = 0x409;

/// The layout that a language tag means: its own, or that of its language. None: none is known.
pub fn windows_layout(tag: &str) -> Option<u32> {
    let tag = tag.to_ascii_lowercase();
    let language = tag.split('-').next().unwrap_or_default();
    let of = |wanted: &str| LAYOUTS.iter().find(|(tag, _)| *tag == wanted).map(|(_, layout)| *layout);
    of(&tag).or_else(|| of(language)).or_else(|| (language == "en").then_some(ENGLISH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_means_its_own_layout_or_that_of_its_language() {
        for (tag, layout) in [
            ("de-DE", Some(0x407)),
            ("de-CH", Some(0x807)),
            ("en-US", Some(0x409)),
            ("en-GB", Some(0x809)),
            ("pt-BR", Some(0x416)),
            ("zh-Hant-TW", Some(0x804)),
            ("tlh", None),
        ] {
            assert_eq!(windows_layout(tag), layout, "{tag}");
        }
    }
}
