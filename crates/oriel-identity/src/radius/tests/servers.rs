//! Servers that are slow, silent or gone, and two of them.

use std::sync::Arc;

use super::{super::*, *};

/// Two servers with a short patience for silence.
fn both(mode: Mode, first: SocketAddr, second: SocketAddr) -> Radius {
    let servers = vec![server_at(first), server_at(second)];
    Radius::with(Settings { mode, timeout: SHORT, ..settings(servers) })
}

/// An address where nobody listens.
async fn nobody() -> SocketAddr {
    Fake::start().await.address()
}

#[tokio::test]
async fn silence_is_told_after_the_last_repetition_which_is_byte_for_byte_the_first() {
    let fake = Fake::start().await;
    let radius =
        Radius::with(Settings { timeout: SHORT, retries: 2, ..settings(vec![server_at(fake.address())]) });
    let error = begin(&radius).await.expect_err("silence");
    let expected = format!(
        "no RADIUS server answered: {} gave no answer within 450 ms, asked 3 times. Is the address right",
        fake.address()
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
    let first = fake.request().await;
    assert_eq!(first, fake.request().await);
    assert_eq!(first, fake.request().await);
    assert!(fake.is_untouched());
}

#[tokio::test]
async fn a_slow_server_is_heard_whenever_it_answers() {
    let fake = Fake::start().await;
    let settings = Settings { timeout: SHORT, retries: 100, ..settings(vec![server_at(fake.address())]) };
    let radius = Radius::with(settings);
    let (outcome, ()) = tokio::join!(begin(&radius), async {
        let first = fake.request().await;
        assert_eq!(fake.request().await, first);
        fake.answer(&first, code::ACCESS_ACCEPT, &[]).await;
    });
    assert_eq!(server_of(outcome), fake.address().to_string());
}

#[tokio::test]
async fn a_machine_where_nobody_listens_says_so_at_once() {
    let address = nobody().await;
    let radius = Radius::with(settings(vec![server_at(address)]));
    let error = begin(&radius).await.expect_err("refused").to_string();
    assert_eq!(
        error,
        format!("no RADIUS server answered: {address} refuses: nothing listens on that port there")
    );
}

#[tokio::test]
async fn a_server_whose_name_is_not_found_is_told_by_its_name() {
    let host = "radius.invalid".to_owned();
    let radius = Radius::with(settings(vec![Server { host, ..server_at(nobody().await) }]));
    for _ in 0..2 {
        let error = begin(&radius).await.expect_err("not found").to_string();
        assert!(error.contains("radius.invalid:") && error.contains("was not found: "), "{error}");
    }
}

#[tokio::test]
async fn a_server_is_found_by_its_name() {
    let fake = Fake::start().await;
    let settings = settings(vec![Server { host: "localhost".to_owned(), ..server_at(fake.address()) }]);
    let radius = Radius::with(settings);
    // The name may have an address of version 6 first, where nobody listens.
    if tokio::net::lookup_host("localhost:1").await.expect("found").next().is_some_and(|one| one.is_ipv4()) {
        let (outcome, _) = tokio::join!(begin(&radius), fake.accept());
        assert_eq!(server_of(outcome), format!("localhost:{}", fake.address().port()));
    } else {
        begin(&radius).await.expect_err("nobody listens on version 6");
    }
}

#[tokio::test]
async fn the_second_server_takes_over_and_nobody_waits_for_the_dead_one_again() {
    let (silent, second) = (Fake::start().await, Fake::start().await);
    let radius = both(Mode::Failover, silent.address(), second.address());
    let (outcome, _) = tokio::join!(begin(&radius), second.accept());
    assert_eq!(server_of(outcome), second.address().to_string());
    silent.request().await;
    let (outcome, _) = tokio::join!(begin(&radius), second.accept());
    assert_eq!(server_of(outcome), second.address().to_string());
    assert!(silent.is_untouched(), "it was asked again");

    // Where the second fails as well, the first is not given up.
    let (outcome, _) = tokio::join!(begin(&radius), silent.accept());
    assert_eq!(server_of(outcome), silent.address().to_string());
}

#[tokio::test]
async fn a_server_that_refuses_is_not_waited_for_if_there_is_another() {
    let second = Fake::start().await;
    let servers = vec![server_at(nobody().await), server_at(second.address())];
    let radius = Radius::with(Settings { retries: 10, ..settings(servers) });
    let (outcome, _) = tokio::time::timeout(LONG, async { tokio::join!(begin(&radius), second.accept()) })
        .await
        .expect("no wait for the first");
    assert_eq!(server_of(outcome), second.address().to_string());
}

#[tokio::test]
async fn of_two_that_are_asked_at_once_the_first_answer_counts() {
    let (first, second) = (Fake::start().await, Fake::start().await);
    let servers = vec![server_at(first.address()), server_at(second.address())];
    let radius = Radius::with(Settings { mode: Mode::Both, ..settings(servers) });
    for (answers, waits) in [(&first, &second), (&second, &first)] {
        let (outcome, (answered, unanswered)) = tokio::join!(begin(&radius), async {
            // Both are asked before either has answered.
            let unanswered = waits.request().await;
            (answers.accept().await, unanswered)
        });
        assert_eq!(server_of(outcome), answers.address().to_string());
        // Each has an authenticator of its own: one server's answer is none for the other's request.
        assert_ne!(answered.0[4..20], unanswered.0[4..20]);
    }
}

#[tokio::test]
async fn of_two_that_are_asked_at_once_a_dead_one_does_no_harm() {
    let second = Fake::start().await;
    let servers = vec![server_at(nobody().await), server_at(second.address())];
    let radius = Radius::with(Settings { mode: Mode::Both, ..settings(servers) });
    let (outcome, _) = tokio::join!(begin(&radius), second.accept());
    assert_eq!(server_of(outcome), second.address().to_string());
}

#[tokio::test]
async fn where_both_fail_both_are_told() {
    for mode in [Mode::Failover, Mode::Both] {
        let (silent, gone) = (Fake::start().await, nobody().await);
        let error = begin(&both(mode, silent.address(), gone)).await.expect_err("silence").to_string();
        assert!(
            error.contains(&format!("{} gave no answer within 150 ms, asked once", silent.address())),
            "{error}"
        );
        assert!(error.contains(&format!("{gone} refuses")), "{error}");
    }
}

#[tokio::test]
async fn many_at_once_share_sockets_and_leave_none_behind() {
    const SIGN_INS: usize = 600;
    let fake = Fake::start().await;
    let radius = Arc::new(Radius::with(settings(vec![server_at(fake.address())])));
    let asked: Vec<_> = (0..SIGN_INS)
        .map(|_| {
            let radius = radius.clone();
            tokio::spawn(async move { server_of(begin(&radius).await) })
        })
        .collect();
    // All wait before the first is answered.
    let mut requests = Vec::new();
    for _ in 0..SIGN_INS {
        requests.push(fake.request().await);
    }
    assert_eq!(radius.open_sockets(), 3);
    let mut seen: Vec<_> = requests.iter().map(|(bytes, from)| (from.port(), bytes[1])).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), SIGN_INS, "every sign-in has a port and identifier of its own");
    for request in &requests {
        fake.answer(request, code::ACCESS_ACCEPT, &[]).await;
    }
    for asked in asked {
        asked.await.expect("accepted");
    }
    assert_eq!(radius.open_sockets(), 0);
}

#[tokio::test]
async fn every_sign_in_of_its_own_comes_from_another_port() {
    let fake = Fake::start().await;
    let radius = Radius::with(settings(vec![server_at(fake.address())]));
    let mut ports = Vec::new();
    for _ in 0..8 {
        let (_, (_, from)) = tokio::join!(begin(&radius), fake.accept());
        ports.push(from.port());
    }
    ports.sort_unstable();
    ports.dedup();
    // Of eight random ones two may be the same; of one that is kept all are.
    assert!(ports.len() > 4, "{ports:?}");
}

#[tokio::test]
async fn a_check_asks_for_nobody_where_status_server_is_not_known() {
    let fake = Fake::start().await;
    let radius = Radius::with(Settings { timeout: SHORT, ..settings(vec![server_at(fake.address())]) });
    for (code, is_good, expected) in [
        (code::ACCESS_REJECT, true, "answers, and the secret is the same"),
        (code::ACCESS_CHALLENGE, true, "answers, and the secret is the same"),
        (code::ACCESS_ACCEPT, false, "let in a user who does not exist"),
    ] {
        let (checked, ()) = tokio::join!(radius.check(), async {
            loop {
                let request = fake.request().await;
                if request.0[0] == code::STATUS_SERVER {
                    continue;
                }
                let attributes = attributes(&request.0);
                assert!(attributes.contains(&(kind::USER_NAME, b"oriel-check".to_vec())));
                return fake.answer(&request, code, &[]).await;
            }
        });
        let [checked] = &checked[..] else { panic!("one server") };
        assert_eq!(checked.is_good, is_good, "{checked:?}");
        assert!(checked.sentence.starts_with(&format!("{} {expected}", fake.address())), "{checked:?}");
    }
}
