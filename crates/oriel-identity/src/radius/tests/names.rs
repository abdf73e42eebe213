//! Dictionaries, attributes as people write them, and settings.

use proptest::prelude::*;

use super::{super::*, *};

fn dictionary() -> Dictionary {
    let mut dictionary = Dictionary::built_in();
    let text = "
VENDOR  Wide    100     format=2,1      # two bytes of type
VENDOR  Bare    101     format=4,0
VENDOR  Wimax   102     format=1,1,c
BEGIN-VENDOR    Wide
ATTRIBUTE       Wide-Level      0x0102  short
VALUE           Wide-Level      High    0x200
END-VENDOR      Wide
BEGIN-VENDOR    Bare
ATTRIBUTE       Bare-Name       7       string
END-VENDOR      Bare
ATTRIBUTE       Wimax-Name      8       string  Wimax
ATTRIBUTE       Long            200     octets[16]
ATTRIBUTE       Own-Of-Server   1000    string
ATTRIBUTE       Host-6          201     ipv6addr
ATTRIBUTE       Since           202     date
ATTRIBUTE       Big             203     integer64
ATTRIBUTE       Hidden          204     string  encrypt=2
BEGIN-TLV       Long
ATTRIBUTE       Inside          1       string
END-TLV         Long
";
    dictionary.extend(text).expect("well-formed");
    dictionary
}

/// Name, value, and the attribute's bytes.
const GOOD: &[(&str, &str, u8, &[u8])] = &[
    ("Filter-Id", "staff", 11, b"staff"),
    ("filter-id", " with spaces ", 11, b" with spaces "),
    ("Service-Type", "Framed-User", 6, &[0, 0, 0, 2]),
    ("Service-Type", "framed-user", 6, &[0, 0, 0, 2]),
    ("Service-Type", "77", 6, &[0, 0, 0, 77]),
    ("NAS-IP-Address", "192.0.2.1", 4, &[192, 0, 2, 1]),
    ("Host-6", "2001:db8::1", 201, &[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ("Since", "2026-11-21T14:00:00Z", 202, &[0x6b, 0x01, 0xa3, 0xe0]),
    ("Big", "4294967296", 203, &[0, 0, 0, 1, 0, 0, 0, 0]),
    ("Class", "0x1F2e", 25, &[0x1f, 0x2e]),
    ("Attr-25", "0x01", 25, &[1]),
    ("Cisco-AVPair", "a=b", 26, &[0, 0, 0, 9, 1, 5, b'a', b'=', b'b']),
    ("attr-26.9.1", "0x01", 26, &[0, 0, 0, 9, 1, 3, 1]),
    ("Wide-Level", "high", 26, &[0, 0, 0, 100, 1, 2, 5, 2, 0]),
    ("Bare-Name", "x", 26, &[0, 0, 0, 101, 0, 0, 0, 7, b'x']),
    ("Wimax-Name", "x", 26, &[0, 0, 0, 102, 8, 4, 0, b'x']),
];

#[test]
fn values_are_written_by_their_type() {
    let dictionary = dictionary();
    for (name, value, kind, bytes) in GOOD {
        let attribute = dictionary.attribute(name, value).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((attribute.kind(), attribute.bytes()), (*kind, *bytes), "{name} = {value}");
        // What is shown can be written again.
        let [named] = &dictionary.name(&attribute)[..] else { panic!("one name") };
        assert_eq!(dictionary.attribute(&named.name, &named.value.to_string()).as_ref(), Ok(&attribute));
    }
}

#[test]
fn what_cannot_be_written_is_refused_in_a_sentence() {
    let dictionary = dictionary();
    let long = "x".repeat(254);
    for (name, value, expected) in [
        ("Fliter-Id", "x", "no dictionary has an attribute \"Fliter-Id\": add its vendor's dictionary"),
        ("Own-Of-Server", "x", "no dictionary has an attribute"),
        ("Inside", "x", "no dictionary has an attribute"),
        ("Attr-0", "0x01", "no dictionary has an attribute"),
        ("Attr-26.0.1", "0x01", "no dictionary has an attribute"),
        ("é-x-y", "0x01", "no dictionary has an attribute"),
        ("User-Password", "x", "User-Password is what Oriel itself writes"),
        ("Attr-80", "0x00", "Attr-80 is what Oriel itself writes"),
        ("proxy-state", "0x00", "Proxy-State is what Oriel itself writes"),
        ("Attr-26", "0x0000000901", "Attr-26 is what Oriel itself writes"),
        ("Attr-26.311.25", "0x00", "Attr-26.311.25 is what Oriel itself writes"),
        ("Hidden", "x", "Hidden is sent encrypted"),
        ("Filter-Id", "", "Filter-Id takes text, and \"\" is not that"),
        ("Filter-Id", "a\0b", "Filter-Id takes text"),
        ("Filter-Id", &long, "the value of Filter-Id has 254 bytes, and at most 253 fit"),
        ("Cisco-AVPair", &long[..248], "the value of Cisco-AVPair has 248 bytes, and at most 247 fit"),
        (
            "Wide-Level",
            "65536",
            "Wide-Level takes a number or one of its words (High), and \"65536\" is not that",
        ),
        ("NAS-Port", "-1", "NAS-Port takes a number from 0 to 4294967295, and \"-1\" is not that"),
        ("NAS-IP-Address", "::1", "NAS-IP-Address takes an address like 192.0.2.1"),
        ("Host-6", "192.0.2.1", "Host-6 takes an address like 2001:db8::1"),
        ("Since", "yesterday", "Since takes a time from 1970 to 2106"),
        ("Since", "1969-12-31T23:59:59Z", "Since takes a time from 1970 to 2106"),
        ("Class", "1f2e", "Class takes bytes like 0x1f2e"),
        ("Class", "0x1f2", "Class takes bytes like 0x1f2e"),
        ("Class", "0xéé", "Class takes bytes like 0x1f2e"),
        ("Class", "0x", "Class takes bytes like 0x1f2e"),
    ] {
        let error = dictionary.attribute(name, value).expect_err(name).to_string();
        assert!(error.starts_with(expected), "{name} = {value}: {error}");
    }
}

#[test]
fn a_mistake_in_a_dictionary_is_told_with_its_line() {
    for (text, expected) in [
        ("# fine\nATTRIBUTE x 1", "line 2 of the dictionary: an attribute is written as"),
        ("ATTRIBUTE x one string", "line 1 of the dictionary: \"one\" is not the number of an attribute"),
        ("ATTRIBUTE x 1 text", "line 1 of the dictionary: \"text\" is not a type that is known"),
        ("VALUE x y", "line 1 of the dictionary: a word is written as"),
        ("VALUE Service-Type y z", "line 1 of the dictionary: \"z\" is not a number"),
        ("VENDOR x 0", "line 1 of the dictionary: a vendor's number is from 1 to 16777215"),
        ("VENDOR x 5 format=3,1", "line 1 of the dictionary: the format \"format=3,1\" is none"),
        ("BEGIN-VENDOR Nobody", "line 1 of the dictionary: the vendor \"Nobody\" has no line VENDOR before"),
        ("$INCLUDE other", "line 1 of the dictionary: it includes the file other"),
        ("<html>", "line 1 of the dictionary: \"<html>\" is not a word of dictionaries"),
    ] {
        let error = Dictionary::built_in().extend(text).expect_err(text).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let long = "#".repeat(3_000_000);
    let error = Dictionary::built_in().extend(&long).expect_err("too long").to_string();
    assert!(error.contains("3000000 bytes"), "{error}");
    let many: String =
        (0..41_000).map(|word| format!("VALUE Service-Type w{word} {word}\n")).take(41_000).collect();
    let error = Dictionary::built_in().extend(&many).expect_err("too many").to_string();
    assert!(error.contains("at most 40000"), "{error}");
}

#[test]
fn people_choose_from_what_may_be_set() {
    let dictionary = dictionary();
    let listed: Vec<_> = dictionary.list().collect();
    let find = |name| listed.iter().find(|listed| listed.name == name);
    let cisco = find("Cisco-AVPair").expect("listed");
    assert_eq!((cisco.vendor, cisco.kind), (Some("Cisco"), Kind::Text));
    assert!(find("Service-Type").expect("listed").words.contains(&"Login-User"));
    for name in ["User-Password", "Message-Authenticator", "MS-CHAP2-Response", "Hidden"] {
        assert!(find(name).is_none(), "{name}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let good = settings(vec![server_at(([192, 0, 2, 1], 1812).into())]);
    let good = Settings { timeout: Duration::from_secs(5), ..good };
    assert_eq!(good.check(), Ok(()));
    let server = |host: &str, port| Server { host: host.to_owned(), port, ..good.servers[0].clone() };
    let with = |servers| Settings { servers, ..good.clone() };
    for (wrong, expected) in [
        (with(Vec::new()), "a RADIUS provider has one server or two, and 0 are set"),
        (
            with(vec![server("a", 1), server("b", 1), server("c", 1)]),
            "a RADIUS provider has one server or two",
        ),
        (with(vec![server("Radius", 1812), server("radius", 1812)]), "both servers are Radius:1812"),
        (with(vec![server("", 1812)]), "\"\" is neither the name nor the address"),
        (with(vec![server("http://radius", 1812)]), "\"http://radius\" is neither the name"),
        (with(vec![server("radius", 0)]), "port 0 of the server radius cannot be"),
        (Settings { timeout: Duration::ZERO, ..good.clone() }, "the wait for an answer is from 1 to 120 s"),
        (Settings { timeout: Duration::from_secs(121), ..good.clone() }, "the wait for an answer"),
        (Settings { retries: 11, ..good.clone() }, "a question is repeated at most 10 times"),
        (Settings { nas_identifier: String::new(), ..good.clone() }, "the name that we tell the server"),
    ] {
        let error = Radius::new(wrong).err().expect("refused").to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(SharedSecret::new(String::new().into()), Err(SettingsError::Secret));
    assert_eq!(server("2001:db8::1", 1812).to_string(), "[2001:db8::1]:1812");
    assert!(!format!("{good:?}").contains(SECRET));
}

#[test]
fn a_name_goes_out_as_it_is_or_without_its_domain() {
    let mut settings = settings(Vec::new());
    for (user, short) in [("anna", "anna"), ("FARM\\anna", "anna"), ("anna@farm.example", "anna"), ("", "")] {
        settings.is_domain_left_out = false;
        assert_eq!(settings.name_for_server(user), user);
        settings.is_domain_left_out = true;
        assert_eq!(settings.name_for_server(user), short);
    }
}

#[test]
fn presets_can_be_used_as_they_are() {
    for preset in PRESETS {
        let server = server_at(([192, 0, 2, 1], PORT).into());
        let Preset { timeout, retries, encoding, .. } = *preset;
        let made = Settings { timeout, retries, encoding, ..settings(vec![server]) };
        assert_eq!(made.check(), Ok(()), "{}", preset.id);
        let pages = include_str!("../../../../../docs/second-factors.md");
        assert!(pages.contains(&format!("`{}`", preset.id)), "{} is not documented", preset.id);
    }
}

proptest! {
    #[test]
    fn no_dictionary_panics(
        text in "((ATTRIBUTE|VALUE|VENDOR|BEGIN-VENDOR|END-VENDOR|BEGIN-TLV|END-TLV)?([ \t]+([a-c]|Cisco|[0-9]{1,9}|0x[0-9a-f]{1,5}|string|integer|octets\\[2\\]|format=[0-5],[0-3](,c)?|encrypt=1|\\PC)){0,5}\n){0,20}",
        name in "\\PC{0,12}",
        value in "\\PC{0,12}",
    ) {
        let mut dictionary = Dictionary::built_in();
        let _ = dictionary.extend(&text);
        let names: Vec<_> = dictionary.list().map(|listed| listed.name.to_owned()).collect();
        for name in names.iter().chain([&name]) {
            if let Ok(attribute) = dictionary.attribute(name, &value) {
                prop_assert!(attribute.bytes().len() <= 253);
                prop_assert_eq!(dictionary.name(&attribute).len(), 1);
            }
        }
    }

    #[test]
    fn whatever_comes_has_a_name(kind in 1u8.., value in prop::collection::vec(any::<u8>(), 0..=253)) {
        let mut dictionary = Dictionary::built_in();
        // Any format may be the one of whoever sent this.
        let vendor = value.first_chunk().map_or(1, |number| u32::from_be_bytes(*number).clamp(1, 0xff_ffff));
        for format in ["1,1", "2,1", "2,2", "4,0", "1,0", "1,1,c"] {
            dictionary.extend(&format!("VENDOR x {vendor} format={format}")).expect("well-formed");
            let named = dictionary.name(&Attribute { kind, value: value.clone() });
            prop_assert!(!named.is_empty());
        }
    }
}
