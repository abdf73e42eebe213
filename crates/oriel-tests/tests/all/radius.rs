//! RADIUS against Debian's FreeRADIUS. Servers that hang, lie or send garbage are with the code, in
//! `oriel-identity`.

use std::{fs, net::SocketAddr, time::Duration};

use oriel_identity::radius::{
    Accepted, Attribute, Challenge, Conversation, Dictionary, Encoding, Failure, Mode, Outcome, Radius,
    RadiusError, Rejected, Server, Settings, SharedSecret, Value,
};
use oriel_testkit::freeradius::{Answers, FreeRadius, SECRET};

fn server(address: SocketAddr) -> Server {
    Server {
        host: address.ip().to_string(),
        port: address.port(),
        secret: SharedSecret::new(SECRET.to_owned().into()).unwrap(),
        is_unsigned_allowed: false,
    }
}

fn settings(servers: Vec<Server>) -> Settings {
    Settings {
        servers,
        mode: Mode::Failover,
        timeout: Duration::from_secs(5),
        retries: 1,
        encoding: Encoding::Pap,
        is_domain_left_out: true,
        nas_identifier: "oriel".to_owned(),
        attributes: Vec::new(),
    }
}

fn radius(settings: Settings) -> Radius {
    Radius::new(settings).unwrap()
}

/// What the server said, by name.
fn words(attributes: &[Attribute]) -> Vec<String> {
    let dictionary = Dictionary::built_in();
    let named = attributes.iter().flat_map(|attribute| dictionary.name(attribute));
    named.map(|named| format!("{} = {}", named.name, named.value)).collect()
}

#[track_caller]
fn accepted(outcome: Result<Outcome, RadiusError>) -> Accepted {
    match outcome {
        Ok(Outcome::Accepted(accepted)) => accepted,
        other => panic!("accepted is expected: {other:?}"),
    }
}

#[track_caller]
fn rejected(outcome: Result<Outcome, RadiusError>) -> Rejected {
    match outcome {
        Ok(Outcome::Rejected(rejected)) => rejected,
        other => panic!("rejected is expected: {other:?}"),
    }
}

#[track_caller]
fn challenged(outcome: Result<Outcome, RadiusError>) -> Challenge {
    match outcome {
        Ok(Outcome::Challenged(challenge)) => challenge,
        other => panic!("a question is expected: {other:?}"),
    }
}

#[tokio::test]
async fn a_password_is_told_or_proved_in_three_ways() {
    let freeradius = FreeRadius::start(Answers::Signed).await.unwrap();
    for encoding in [Encoding::Pap, Encoding::Chap, Encoding::MsChap2] {
        let radius = radius(Settings { encoding, ..settings(vec![server(freeradius.address())]) });
        for user in ["anna", "anna@farm.example", "FARM\\anna"] {
            let accepted = accepted(radius.begin(user, "pw-anna", None).await);
            assert_eq!(accepted.message.as_deref(), Some("Welcome, Anna"), "{encoding:?}");
            let words = words(&accepted.attributes);
            for expected in [
                "Filter-Id = staff",
                "Class = 0x0102",
                "Session-Timeout = 3600",
                "Cisco-AVPair = shell:priv-lvl=15",
                "Fortinet-Group-Name = remote",
            ] {
                assert!(words.iter().any(|word| word == expected), "{expected} is missing: {words:?}");
            }
        }
        let rejected = rejected(radius.begin("anna", "wrong", None).await);
        let reason = (encoding == Encoding::MsChap2).then_some("wrong user name or password");
        assert_eq!(rejected.reason, reason, "{encoding:?}");
        assert_eq!(rejected.server, freeradius.address().to_string());
    }
    let named =
        radius(Settings { is_domain_left_out: false, ..settings(vec![server(freeradius.address())]) });
    self::rejected(named.begin("anna@farm.example", "pw-anna", None).await);
}

#[tokio::test]
async fn a_server_asks_twice_and_hears_each_answer() {
    let freeradius = FreeRadius::start(Answers::Signed).await.unwrap();
    let radius = radius(settings(vec![server(freeradius.address())]));
    let first = challenged(radius.begin("otto", "pw-otto", None).await);
    assert_eq!(first.prompt.as_deref(), Some("Enter the code\nfrom your token"));
    assert!(!first.is_echoed);
    assert_eq!((first.answer_within, first.conversation.round()), (None, 1));

    // Between rounds it is bytes that the caller keeps.
    let kept = Conversation::from_bytes(&first.conversation.to_bytes()).unwrap();
    let second = challenged(radius.go_on(&kept, "111111", None).await);
    assert_eq!(second.prompt.as_deref(), Some("Enter the next code"));
    assert!(second.is_echoed);
    assert_eq!(second.answer_within, Some(Duration::from_secs(30)));
    accepted(radius.go_on(&second.conversation, "222222", None).await);

    let wrong = rejected(radius.go_on(&second.conversation, "000000", None).await);
    assert_eq!(wrong.message.as_deref(), Some("That code is wrong"));

    let mut asked = challenged(radius.begin("endless", "", None).await);
    for round in 2..=16 {
        asked = challenged(radius.go_on(&asked.conversation, "more", None).await);
        assert_eq!(asked.conversation.round(), round);
    }
    let error = radius.go_on(&asked.conversation, "more", None).await.unwrap_err();
    assert_eq!(error, RadiusError::TooManyRounds(freeradius.address().to_string()));
}

#[tokio::test]
async fn a_server_sees_who_asks_from_where_and_what_is_set() {
    let freeradius = FreeRadius::start(Answers::Signed).await.unwrap();
    let mut dictionary = Dictionary::built_in();
    dictionary
        .extend("VENDOR Example 12356\nBEGIN-VENDOR Example\nATTRIBUTE Example-Site 3 string\n")
        .unwrap();
    let attribute = |name, value| dictionary.attribute(name, value).unwrap();
    let said = async |attributes| {
        let radius = radius(Settings { attributes, ..settings(vec![server(freeradius.address())]) });
        let outcome = radius.begin("echo", "x", Some("2001:db8::7".parse().unwrap())).await;
        rejected(outcome).message.unwrap()
    };
    assert_eq!(said(Vec::new()).await, "oriel 2001:db8::7 Login-User Virtual");
    let set = vec![
        attribute("cisco-avpair", "site=north"),
        attribute("Example-Site", "east"),
        attribute("Service-Type", "Authenticate-Only"),
        attribute("NAS-Identifier", "farm"),
    ];
    // The server has no word for the vendor's attribute here, and shows its bytes.
    let expected = "farm 2001:db8::7 Authenticate-Only Virtual site=north";
    let said = said(set).await;
    assert!(said.starts_with(expected), "{said}");
    assert!(said.contains("east") || said.contains("65617374"), "{said}");
    assert!(!freeradius.log().contains("Proxy-State"));
}

#[tokio::test]
async fn unsigned_answers_are_dropped_unless_they_are_allowed() {
    let freeradius = FreeRadius::start(Answers::Unsigned).await.unwrap();
    let mut server = server(freeradius.address());
    let strict = Settings { timeout: Duration::from_secs(1), retries: 0, ..settings(vec![server.clone()]) };
    let error = radius(strict).begin("anna", "pw-anna", None).await.unwrap_err().to_string();
    assert!(error.contains(&freeradius.address().to_string()), "{error}");
    assert!(error.contains("have no Message-Authenticator") && error.contains("CVE-2024-3596"), "{error}");
    server.is_unsigned_allowed = true;
    accepted(radius(settings(vec![server])).begin("anna", "pw-anna", None).await);
}

#[tokio::test]
async fn a_wrong_secret_is_among_what_silence_may_mean() {
    let freeradius = FreeRadius::start(Answers::Signed).await.unwrap();
    let mut server = server(freeradius.address());
    server.secret = SharedSecret::new("other".to_owned().into()).unwrap();
    let settings = Settings { timeout: Duration::from_secs(1), retries: 0, ..settings(vec![server]) };
    let error = radius(settings).begin("anna", "pw-anna", None).await.unwrap_err();
    let RadiusError::NoAnswer(failures) = &error else { panic!("{error:?}") };
    assert!(matches!(failures[0].failure, Failure::Silent { tries: 1, .. }), "{failures:?}");
    assert!(error.to_string().contains("is the secret the same?"), "{error}");
    assert!(!format!("{error:?}").contains("other"));
    assert!(freeradius.log().contains("invalid Message-Authenticator"), "{}", freeradius.log());
}

#[tokio::test]
async fn a_check_says_of_each_server_what_is_wrong() {
    let (signed, unsigned) = (FreeRadius::start(Answers::Signed), FreeRadius::start(Answers::Unsigned));
    let (signed, unsigned) = (signed.await.unwrap(), unsigned.await.unwrap());
    let settings = Settings {
        timeout: Duration::from_secs(1),
        ..settings(vec![server(signed.address()), server(unsigned.address())])
    };
    let found = radius(settings).check().await;
    assert_eq!(found[0].server, signed.address().to_string());
    assert!(found[0].is_good, "{found:?}");
    assert!(found[0].sentence.contains("answers, and the secret is the same"), "{found:?}");
    assert!(!found[1].is_good, "{found:?}");
    assert!(found[1].sentence.contains("no Message-Authenticator"), "{found:?}");
    // It does not sign what it answers to Status-Server, so it was asked for somebody whom it does not know.
    let log = signed.log();
    assert!(log.contains("Received Status-Server") && log.contains("oriel-check"), "{log}");
    assert!(log.contains("Sent Access-Reject"), "{log}");
}

#[tokio::test]
async fn the_second_server_takes_over_and_the_one_that_asked_hears_the_answer() {
    for mode in [Mode::Failover, Mode::Both] {
        let (first, second) = (FreeRadius::start(Answers::Signed), FreeRadius::start(Answers::Signed));
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        let servers = vec![server(first.address()), server(second.address())];
        let radius = radius(Settings { mode, ..settings(servers) });

        let challenge = challenged(radius.begin("otto", "pw-otto", None).await);
        let asked = challenge.conversation.server().to_owned();
        if mode == Mode::Failover {
            assert_eq!(asked, first.address().to_string());
        }
        let (ends, stays) =
            if asked == first.address().to_string() { (first, second) } else { (second, first) };
        // Both answer, but only one of them knows of this sign-in.
        challenged(radius.go_on(&challenge.conversation, "111111", None).await);
        drop(ends);
        let accepted = accepted(radius.begin("anna", "pw-anna", None).await);
        assert_eq!(accepted.server, stays.address().to_string());
        let error = radius.go_on(&challenge.conversation, "111111", None).await.unwrap_err().to_string();
        assert!(error.contains(&format!("{asked} refuses")), "{error}");
    }
}

#[test]
fn the_dictionaries_of_freeradius_are_read() {
    let mut dictionary = Dictionary::built_in();
    let mut read = 0;
    for file in fs::read_dir("/usr/share/freeradius").unwrap() {
        let path = file.unwrap().path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let text = fs::read_to_string(&path).unwrap();
        if !name.starts_with("dictionary.") || text.contains("$INCLUDE") {
            continue;
        }
        dictionary.extend(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        read += 1;
    }
    assert!(read > 150, "{read}");
    // Vendors with formats of their own: two bytes of type (Lucent), four and no length (US Robotics).
    for (name, value, expected) in [
        ("Cisco-AVPair", "a=b", "0000000901"),
        ("Lucent-Max-Shared-Users", "2", "000012ee000207"),
        ("USR-Last-Number-Dialed-Out", "1", "000001ad00000066"),
    ] {
        let attribute = dictionary.attribute(name, value).unwrap();
        let hex = attribute.bytes().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert!(hex.starts_with(expected), "{name}: {hex}");
        let named = dictionary.name(&attribute);
        assert_eq!((named[0].name.as_str(), named[0].value.to_string()), (name, value.to_owned()));
    }
    let date = dictionary.attribute("Event-Timestamp", "2026-11-21T14:00:00Z").unwrap();
    assert!(matches!(dictionary.name(&date)[0].value, Value::Date(_)));
}
