//! Whoever can send from a server's address, and servers that are not what they should be.

use super::{super::*, *};

/// What the servers' part of the error says, when this is all that comes.
async fn complaint(lie: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let fake = Fake::start().await;
    let radius = Radius::with(Settings { timeout: SHORT, ..settings(vec![server_at(fake.address())]) });
    let (outcome, ()) = tokio::join!(begin(&radius), async {
        let (request, from) = fake.request().await;
        fake.send(&lie(&request), from).await;
    });
    let error = outcome.expect_err("nothing can be trusted").to_string();
    let expected = format!(
        "no RADIUS server answered: {} gave no answer that can be trusted within 150 ms: ",
        fake.address()
    );
    error.strip_prefix(&expected).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[tokio::test]
async fn what_is_wrong_with_answers_is_told() {
    let accept = code::ACCESS_ACCEPT;
    let stranger = complaint(|request| respond(request, accept, &[], "other", Signed::Whole)).await;
    assert!(stranger.starts_with("its answers are signed with another secret"), "{stranger}");
    let old = complaint(|request| respond(request, accept, &[], SECRET, Signed::Old)).await;
    assert!(old.starts_with("its answers have no Message-Authenticator"), "{old}");
    for garbage in [&b""[..], b"x", b"HTTP/1.1 400 Bad Request\r\n\r\n", &[0xff; 4096]] {
        let said = complaint(|_| garbage.to_vec()).await;
        assert!(said.starts_with("what it sends is not RADIUS"), "{said}");
    }
    let accounting = complaint(|request| respond(request, 5, &[], SECRET, Signed::Whole)).await;
    assert!(accounting.starts_with("it answers with code 5"), "{accounting}");
}

#[tokio::test]
async fn no_forgery_ends_a_sign_in_before_the_servers_own_answer() {
    let fake = Fake::start().await;
    let radius = Radius::with(settings(vec![server_at(fake.address())]));
    let before = tokio::join!(begin(&radius), fake.accept()).1;
    let (outcome, ()) = tokio::join!(begin(&radius), async {
        let request = fake.request().await;
        // What was good for the sign-in before.
        let mut replayed = respond(&before.0, code::ACCESS_ACCEPT, &[], SECRET, Signed::Whole);
        replayed[1] = request.0[1];
        let mut forged = respond(&request.0, code::ACCESS_REJECT, &[], SECRET, Signed::Whole);
        forged[0] = code::ACCESS_ACCEPT;
        let guessed = respond(&request.0, code::ACCESS_ACCEPT, &[], "guess", Signed::Whole);
        let echoed =
            respond(&request.0, code::ACCESS_ACCEPT, &[(kind::PROXY_STATE, b"x")], SECRET, Signed::Old);
        for bytes in [&b"garbage"[..], &request.0, &replayed, &forged, &guessed, &echoed] {
            fake.send(bytes, request.1).await;
        }
        fake.answer(&request, code::ACCESS_REJECT, &[(kind::REPLY_MESSAGE, b"No")]).await;
    });
    let Ok(Outcome::Rejected(rejected)) = outcome else { panic!("the server's own answer: {outcome:?}") };
    assert_eq!(rejected.message.as_deref(), Some("No"));
}

#[tokio::test]
async fn nobody_is_heard_from_another_address() {
    let (fake, stranger) = (Fake::start().await, Fake::start().await);
    let radius = Radius::with(Settings { timeout: SHORT, ..settings(vec![server_at(fake.address())]) });
    let (outcome, ()) = tokio::join!(begin(&radius), async {
        let request = fake.request().await;
        // Even one who knows the secret.
        stranger.answer(&request, code::ACCESS_ACCEPT, &[]).await;
    });
    let error = outcome.expect_err("silence").to_string();
    assert!(error.contains("gave no answer within 150 ms"), "{error}");
}

#[tokio::test]
async fn a_flood_is_bounded_and_does_not_hide_the_answer_to_a_repetition() {
    let fake = Fake::start().await;
    let radius =
        Radius::with(Settings { timeout: SHORT, retries: 100, ..settings(vec![server_at(fake.address())]) });
    let flood = async {
        let request = fake.request().await;
        let forged = respond(&request.0, code::ACCESS_ACCEPT, &[], "guess", Signed::Whole);
        for _ in 0..500 {
            fake.send(&forged, request.1).await;
        }
        loop {
            fake.accept().await;
        }
    };
    let outcome = tokio::select! {
        outcome = begin(&radius) => outcome,
        () = flood => unreachable!("it has no end"),
    };
    assert_eq!(server_of(outcome), fake.address().to_string());
}

#[tokio::test]
async fn sign_ins_that_wait_for_one_server_are_bounded() {
    let sockets = sockets::Sockets::default();
    let address = Fake::start().await.address();
    let mut slots: Vec<_> = (0..16_384).map(|_| sockets.slot(address).expect("a place")).collect();
    assert_eq!(sockets.len(), 64);
    assert_eq!(sockets.slot(address).err(), Some(Failure::Busy));
    // One that leaves makes room for one.
    slots.pop();
    slots.push(sockets.slot(address).expect("a place"));
    assert_eq!(sockets.slot(address).err(), Some(Failure::Busy));
    // Another server has places of its own.
    let other = Fake::start().await.address();
    drop(sockets.slot(other).expect("a place"));
    drop(slots);
    assert_eq!(sockets.len(), 0);
}
