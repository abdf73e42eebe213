//! What answers mean, and going on after a question.

use proptest::prelude::*;

use super::{super::*, *};
use crate::radius::mschap;

/// What a user gets to see of an answer with these attributes.
async fn outcome(code: u8, attributes: &[(u8, &[u8])]) -> Outcome {
    let fake = Fake::start().await;
    let radius = Radius::with(settings(vec![server_at(fake.address())]));
    let (outcome, ()) = tokio::join!(begin(&radius), async {
        let request = fake.request().await;
        fake.answer(&request, code, attributes).await;
    });
    outcome.expect("an answer")
}

#[tokio::test]
async fn a_question_is_shown_as_the_server_wants_it() {
    let full = "é".repeat(126) + "?";
    let split = "x".repeat(252) + "é and more";
    let message = kind::REPLY_MESSAGE;
    for (attributes, prompt, is_echoed) in [
        (&[][..], None, false),
        (&[(message, b"Code:" as &[u8])], Some("Code:".to_owned()), false),
        (&[(message, b"Code:"), (kind::PROMPT, &[0, 0, 0, 1])], Some("Code:".to_owned()), true),
        (&[(message, b"Code:"), (kind::PROMPT, &[0, 0, 0, 0])], Some("Code:".to_owned()), false),
        (&[(message, b"one"), (message, b"two")], Some("one\ntwo".to_owned()), false),
        // A long text comes in parts, and a letter may be in two of them.
        (
            &[(message, &split.as_bytes()[..253]), (message, &split.as_bytes()[253..])],
            Some(split.clone()),
            false,
        ),
        (&[(message, full.as_bytes()), (message, b" and more")], Some(full.clone() + " and more"), false),
        (&[(message, b"\x1b[31m\r\nred\0\xff \n")], Some("[31m\nred\u{fffd}".to_owned()), false),
    ] {
        let Outcome::Challenged(challenge) = outcome(code::ACCESS_CHALLENGE, attributes).await else {
            panic!("a question is expected");
        };
        assert_eq!((challenge.prompt, challenge.is_echoed), (prompt, is_echoed));
    }
}

#[tokio::test]
async fn an_answer_goes_with_its_state_to_the_server_that_asked() {
    let (first, second) = (Fake::start().await, Fake::start().await);
    let servers = vec![server_at(first.address()), server_at(second.address())];
    // A password may go as MS-CHAPv2; an answer never does.
    let settings = Settings { encoding: Encoding::MsChap2, mode: Mode::Both, ..settings(servers) };
    let radius = Radius::with(settings.clone());
    let (asked, ()) = tokio::join!(begin(&radius), async {
        let request = second.request().await;
        let attributes: &[(u8, &[u8])] = &[(kind::STATE, b"state"), (kind::SESSION_TIMEOUT, &[0, 0, 0, 9])];
        second.answer(&request, code::ACCESS_CHALLENGE, attributes).await;
    });
    let Ok(Outcome::Challenged(asked)) = asked else { panic!("a question is expected: {asked:?}") };
    assert_eq!(asked.answer_within, Some(Duration::from_secs(9)));
    assert_eq!(asked.conversation.server(), second.address().to_string());
    first.request().await;

    let client = Some("::ffff:192.0.2.7".parse().expect("an address"));
    let (outcome, request) =
        tokio::join!(radius.go_on(&asked.conversation, "123456", client), second.accept());
    assert_eq!(server_of(outcome), second.address().to_string());
    let attributes = attributes(&request.0);
    let value = |wanted| attributes.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| &value[..]);
    assert_eq!(value(kind::USER_NAME), Some(&b"anna"[..]));
    assert_eq!(value(kind::STATE), Some(&b"state"[..]));
    assert_eq!(value(kind::USER_PASSWORD).map(<[u8]>::len), Some(16));
    assert_eq!(value(kind::CALLING_STATION_ID), Some(&b"192.0.2.7"[..]));
    assert_eq!(value(kind::VENDOR_SPECIFIC), None);
    assert!(first.is_untouched());

    let without = Radius::with(Settings { servers: settings.servers[..1].to_vec(), ..settings });
    let error = without.go_on(&asked.conversation, "123456", None).await.expect_err("the server is gone");
    assert_eq!(error, RadiusError::ServerGone(second.address().to_string()));
}

#[tokio::test]
async fn a_server_that_cannot_prove_that_it_knows_the_password_lets_nobody_in() {
    let fake = Fake::start().await;
    let settings = Settings { encoding: Encoding::MsChap2, ..settings(vec![server_at(fake.address())]) };
    let radius = Radius::with(settings);
    let wrong = [&[0, 0, 1, 55, mschap::SUCCESS, 45, 1, b'S', b'='][..], &[b'0'; 40]].concat();
    for attributes in [&[][..], &[(kind::VENDOR_SPECIFIC, &wrong[..])]] {
        let (outcome, ()) = tokio::join!(begin(&radius), async {
            let request = fake.request().await;
            fake.answer(&request, code::ACCESS_ACCEPT, attributes).await;
        });
        assert_eq!(outcome, Err(RadiusError::Unproven(fake.address().to_string())));
    }
}

#[test]
fn a_conversation_survives_being_kept_and_tells_no_secret() {
    let state = Some(vec![0xaa; 253]);
    let server = format!("{}:65535", "x".repeat(255));
    let longest = Conversation::next(server, &"y".repeat(253), 15, state).expect("the last round");
    let bytes = longest.to_bytes();
    assert!(bytes.len() <= BYTES_MAX, "{}", bytes.len());
    assert_eq!(Conversation::from_bytes(&bytes), Some(longest.clone()));
    assert!(!format!("{longest:?}").contains("170"));
    let further = Conversation::next("a:1".to_owned(), "anna", longest.round(), None);
    assert_eq!(further, Err(RadiusError::TooManyRounds("a:1".to_owned())));
    for state in [None, Some(Vec::new())] {
        let one = Conversation::next("a:1".to_owned(), "anna", 0, state).expect("the first round");
        assert_eq!(Conversation::from_bytes(&one.to_bytes()), Some(one));
    }
    for bad in [&bytes[1..], &bytes[..bytes.len() - 1], &[&bytes[..], b"x"].concat(), &[2], &[]] {
        assert_eq!(Conversation::from_bytes(bad), None);
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_and_those_that_are_read_are_those_that_were_kept(
        mut bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        prop_assert_eq!(Conversation::from_bytes(&bytes).map(|one| one.to_bytes()).filter(|kept| *kept != bytes), None);
        let kept = Conversation::next("a:1".to_owned(), "anna", 0, Some(vec![1, 2])).expect("a round").to_bytes();
        bytes.splice(0..0, kept);
        if let Some(one) = Conversation::from_bytes(&bytes) {
            prop_assert_eq!(one.to_bytes(), bytes);
        }
    }
}
