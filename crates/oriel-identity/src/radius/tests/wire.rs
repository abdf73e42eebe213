//! Packets byte by byte.

use proptest::prelude::*;

use super::{super::*, *};
use crate::radius::{
    error::Malformed,
    packet::{AUTHENTICATOR_LEN, Writer},
    password,
    request::{Credential, Dice, Request, Sent},
};

const DICE: Dice = Dice { authenticator: [7; 16], challenge: [8; 16], peer_challenge: [9; 16] };

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<_> = digits.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

fn host() -> Server {
    server_at(([127, 0, 0, 1], 1812).into())
}

fn sent(encoding: Encoding) -> Sent {
    let credential = Credential::Password(encoding, "pw");
    let request = Request::new(&settings(vec![host()]), "anna", credential, None).expect("a request");
    request.write(&host(), 3, &DICE).expect("a packet")
}

/// RFC 2865, 7.1: a password hidden, and the server's answer.
#[test]
fn a_password_is_hidden_and_an_answer_signed_as_in_the_standard() {
    let authenticator = hex("0f403f9473978057bd83d5cb98f4227a").try_into().expect("16 bytes");
    let hidden = password::hidden(b"arctangent", SECRET.as_bytes(), &authenticator);
    assert_eq!(hidden.expect("short enough"), hex("0dbe708d93d413ce3196e43f782a0aee"));
    let answer = hex("02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103");
    let packet = Packet::read(&answer).expect("a packet");
    assert_eq!(packet.verify(&authenticator, SECRET.as_bytes(), true), Ok(()));
    assert_eq!(packet.verify(&authenticator, b"other", true), Err(Dropped::WrongAuthenticator));
    let unsigned = packet.verify(&authenticator, SECRET.as_bytes(), false);
    assert_eq!(unsigned, Err(Dropped::NoMessageAuthenticator));
}

/// RFC 5997, 6.1: a Status-Server with nothing but its Message-Authenticator.
#[test]
fn a_request_is_signed_as_in_the_standard() {
    let authenticator = hex("8a54f4686fb394c52866e302185d0623").try_into().expect("16 bytes");
    let packet = Writer::new(code::STATUS_SERVER, 0xda, &authenticator).sign(SECRET.as_bytes());
    let expected = hex("0cda0026 8a54f4686fb394c52866e302185d0623 5012 5a665e2e1e8411f3e243822097c84fa3");
    assert_eq!(packet.expect("short enough"), expected);
}

#[test]
fn every_request_begins_with_its_signature_and_never_has_a_proxy_state() {
    for encoding in [Encoding::Pap, Encoding::Chap, Encoding::MsChap2] {
        let kinds: Vec<_> = attributes(&sent(encoding).bytes).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds[..2], [kind::MESSAGE_AUTHENTICATOR, kind::USER_NAME]);
        assert!(kinds.contains(&kind::NAS_IDENTIFIER) && !kinds.contains(&kind::PROXY_STATE), "{kinds:?}");
    }
    let settings = settings(vec![host()]);
    let status = Request::status(&settings).write(&host(), 3, &DICE).expect("a packet").bytes;
    assert_eq!(status[0], code::STATUS_SERVER);
    assert_eq!(attributes(&status)[0].0, kind::MESSAGE_AUTHENTICATOR);
    assert!(attributes(&status).iter().all(|(kind, _)| *kind != kind::USER_NAME));
}

#[test]
fn names_and_passwords_that_do_not_fit_are_refused_before_anything_is_sent() {
    let settings = settings(vec![host()]);
    let new = |user: &str, password: &str, encoding| {
        Request::new(&settings, user, Credential::Password(encoding, password), None).err()
    };
    let long = "x".repeat(254);
    assert_eq!(new(&long[1..], &long[..128], Encoding::Pap), None);
    for name in ["", &long, "an\0na"] {
        assert_eq!(new(name, "pw", Encoding::Pap), Some(RadiusError::Name));
    }
    assert_eq!(new("anna", &long[..129], Encoding::Pap), Some(RadiusError::PasswordTooLong));
    assert_eq!(new("anna", &long, Encoding::MsChap2), None);
    let answer = Request::new(&settings, "anna", Credential::Answer(&long, None), None).err();
    assert_eq!(answer, Some(RadiusError::PasswordTooLong));

    let attribute = Dictionary::built_in().attribute("Filter-Id", &long[1..]).expect("fits");
    let full = Settings { attributes: vec![attribute; 17], ..settings.clone() };
    let request = Request::new(&full, "anna", Credential::Password(Encoding::Pap, "pw"), None);
    let written = request.expect("a request").write(&host(), 3, &DICE).err();
    assert_eq!(written, Some(RadiusError::RequestTooLong));
}

/// One check of all that can be wrong with an answer.
#[test]
fn an_answer_counts_only_if_everything_about_it_fits() {
    let sent = sent(Encoding::Pap);
    let good = respond(&sent.bytes, code::ACCESS_ACCEPT, &[(11, b"staff")], SECRET, Signed::Whole);
    let mut server = host();
    let read = |bytes: &[u8], server: &Server| sent.read(bytes, server).map(|answer| answer.is_accept());
    assert_eq!(read(&good, &server), Ok(true));
    // What follows the packet is padding.
    assert_eq!(read(&[&good[..], b"padding"].concat(), &server), Ok(true));

    let reply =
        |code, attributes: &[(u8, &[u8])], signed| respond(&sent.bytes, code, attributes, SECRET, signed);
    let old = reply(code::ACCESS_ACCEPT, &[], Signed::Old);
    let echo = reply(code::ACCESS_ACCEPT, &[(kind::PROXY_STATE, b"x")], Signed::Old);
    let stranger = respond(&sent.bytes, code::ACCESS_ACCEPT, &[], "other", Signed::Whole);
    let mut replayed = sent.bytes.clone();
    replayed[4] ^= 1;
    let replayed = respond(&replayed, code::ACCESS_ACCEPT, &[], SECRET, Signed::Whole);
    // Somebody who has found a collision can sign the header, and not the inside.
    let mut forged = reply(code::ACCESS_REJECT, &[], Signed::Whole);
    forged[0] = code::ACCESS_ACCEPT;
    seal(&mut forged, &sent.bytes, SECRET);
    let twice = reply(code::ACCESS_ACCEPT, &[(kind::MESSAGE_AUTHENTICATOR, &[0; 16])], Signed::Whole);
    let short = reply(code::ACCESS_ACCEPT, &[(kind::MESSAGE_AUTHENTICATOR, b"x")], Signed::Old);
    let mut other = good.clone();
    other[1] ^= 1;
    let accounting = reply(5, &[], Signed::Whole);
    for (bytes, expected) in [
        (&good[..19], Dropped::Garbage(Malformed::Short)),
        (&good[..good.len() - 1], Dropped::Garbage(Malformed::Length)),
        (&stranger, Dropped::WrongAuthenticator),
        (&replayed, Dropped::WrongAuthenticator),
        (&other, Dropped::WrongAuthenticator),
        (&old, Dropped::NoMessageAuthenticator),
        (&echo, Dropped::ProxyState),
        (&forged, Dropped::WrongMessageAuthenticator),
        (&twice, Dropped::WrongMessageAuthenticator),
        (&short, Dropped::WrongMessageAuthenticator),
        (&accounting, Dropped::Code(5)),
    ] {
        assert_eq!(read(bytes, &server), Err(expected));
        server.is_unsigned_allowed = true;
        let allowed = if expected == Dropped::NoMessageAuthenticator { Ok(true) } else { Err(expected) };
        assert_eq!(read(bytes, &server), allowed, "an old server's answers are allowed");
        server.is_unsigned_allowed = false;
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_and_none_are_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut server = host();
        server.is_unsigned_allowed = true;
        prop_assert!(sent(Encoding::MsChap2).read(&bytes, &server).is_err());
        let mut framed = vec![2, 3, 0, 0];
        framed.extend_from_slice(&bytes);
        let len = (framed.len() as u16).to_be_bytes();
        framed[2..4].copy_from_slice(&len);
        if let Ok(packet) = Packet::read(&framed) {
            let len: usize = packet.attributes().map(|(_, value)| value.len() + 2).sum();
            prop_assert_eq!(len + 20, framed.len());
        }
    }

    #[test]
    fn an_answer_with_one_bit_changed_is_none(bit in 0..(20 + 18 + 7) * 8usize) {
        let sent = sent(Encoding::Pap);
        let mut bytes = respond(&sent.bytes, code::ACCESS_ACCEPT, &[(11, b"staff")], SECRET, Signed::Whole);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(sent.read(&bytes, &host()).is_err());
        // Nor if the outer signature is made to fit: the inner one covers everything.
        if Packet::read(&bytes).is_ok() && !(4..20).contains(&(bit / 8)) {
            let mut forged = bytes.clone();
            seal(&mut forged, &sent.bytes, SECRET);
            prop_assert!(sent.read(&forged, &host()).is_err());
        }
    }

    #[test]
    fn a_hidden_password_is_found_by_whoever_knows_the_secret(
        plain in prop::collection::vec(1u8.., 0..=128),
        authenticator in any::<[u8; AUTHENTICATOR_LEN]>(),
    ) {
        let hidden = password::hidden(&plain, SECRET.as_bytes(), &authenticator).expect("short enough");
        prop_assert!(!hidden.is_empty() && hidden.len().is_multiple_of(16) && hidden.len() <= 128);
        let mut before = authenticator.to_vec();
        let mut found = Vec::new();
        for block in hidden.chunks(16) {
            let stream = Md5::new().chain_update(SECRET).chain_update(&before).finalize();
            found.extend(block.iter().zip(stream).map(|(byte, key)| byte ^ key));
            before = block.to_vec();
        }
        while found.last() == Some(&0) {
            found.pop();
        }
        prop_assert_eq!(found, plain);
    }
}
