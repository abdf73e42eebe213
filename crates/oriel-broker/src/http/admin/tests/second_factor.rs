//! The second factor of administrators, by a clock that the test moves; and the idle sign-in.

use std::time::Duration;

use oriel_identity::TotpKey;
use oriel_model::Timestamp;
use oriel_net::clock::{Clock, ManualClock};

use super::{
    sign_in::{OURS, PASSWORD, cookie},
    *,
};

const STEP: Duration = Duration::from_secs(30);

/// An office whose clock the test moves.
async fn office() -> (Office, ManualClock) {
    let clock = ManualClock::new(Timestamp::now());
    let same = clock.clone();
    (Office::open_with(|config| config.clock = Arc::new(same)).await, clock)
}

impl Office {
    async fn own(&self, jar: &str, method: Method, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.with(jar, method, path, body, OURS).await
    }

    async fn sign_in_with(&self, name: &str, password: &str, code: &str) -> Answer {
        let body = json!({"name": name, "password": password, "code": code}).to_string().into_bytes();
        self.with("", Method::POST, "sign-in", body, &[]).await
    }

    async fn administration(&self, settings: Value) {
        let farm = self.get("farm").await.expect(StatusCode::OK);
        let path = format!("farms/{}", farm["id"].as_str().expect("an id"));
        let revision = farm["revision"].clone();
        let change = json!({"revision": revision, "spec": {"administration": settings}});
        self.patch(&path, change).await.expect(StatusCode::OK);
    }

    /// Sets up a second factor; gives the key, the new cookie and the recovery codes.
    async fn enrol(&self, jar: &str, clock: &ManualClock) -> (Authenticator, String, Vec<String>) {
        let begun = self.own(jar, Method::POST, "me/totp", Value::Null).await.expect(StatusCode::CREATED);
        let address = begun["address"].as_str().expect("an address");
        let letters = begun["key"].as_str().expect("a key");
        assert!(address.starts_with("otpauth://totp/Oriel:") && address.contains(letters), "{address}");
        let key = Authenticator(key_of(letters), clock.clone());
        let answer = self.own(jar, Method::PUT, "me/totp", json!({"code": key.code()})).await;
        let fresh = cookie(&answer);
        let codes = answer.expect(StatusCode::OK)["recovery_codes"].clone();
        (key, fresh, serde_json::from_value(codes).expect("codes"))
    }
}

/// What the administrator's telephone shows.
struct Authenticator(TotpKey, ManualClock);

impl Authenticator {
    fn code(&self) -> String {
        self.0.code(self.1.now()).expect("a code")
    }
}

/// Reads base32 as an authenticator does (RFC 4648, 6).
fn key_of(letters: &str) -> TotpKey {
    let (mut bytes, mut bits, mut left) = (Vec::new(), 0u32, 0u32);
    for letter in letters.bytes() {
        let value =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|one| *one == letter).expect("base32");
        (bits, left) = (bits << 5 | u32::try_from(value).expect("five bits"), left + 5);
        if left >= 8 {
            left -= 8;
            bytes.push(u8::try_from(bits >> left & 0xff).expect("a byte"));
        }
    }
    TotpKey::from_bytes(&bytes).expect("20 bytes")
}

#[tokio::test]
async fn whoever_has_a_second_factor_signs_in_with_it_and_no_code_counts_twice() {
    let (office, clock) = office().await;
    office.administrator("anna", json!({})).await;
    let elsewhere = cookie(&office.sign_in("anna", PASSWORD).await);
    let jar = cookie(&office.sign_in("anna", PASSWORD).await);
    let me = office.own(&jar, Method::GET, "me", Value::Null).await.expect(StatusCode::OK);
    assert_eq!((&me["totp"], &me["recovery_codes"]), (&json!(false), &json!(0)));
    let early = office.own(&jar, Method::PUT, "me/totp", json!({"code": "123456"})).await;
    early.refused(StatusCode::CONFLICT, "enrolment_not_begun");
    let (phone, jar, recovery) = office.enrol(&jar, &clock).await;
    let me = office.own(&jar, Method::GET, "me", Value::Null).await.expect(StatusCode::OK);
    assert_eq!((&me["totp"], &me["recovery_codes"]), (&json!(true), &json!(10)));
    let other = office.own(&elsewhere, Method::GET, "me", Value::Null).await;
    other.refused(StatusCode::UNAUTHORIZED, "unauthorized");
    let again = office.own(&jar, Method::POST, "me/totp", Value::Null).await;
    again.refused(StatusCode::CONFLICT, "second_factor_exists");

    office.sign_in("anna", "wrong").await.refused(StatusCode::UNAUTHORIZED, "sign_in_refused");
    office.sign_in("anna", PASSWORD).await.refused(StatusCode::UNAUTHORIZED, "code_needed");
    let used = office.sign_in_with("anna", PASSWORD, &phone.code()).await;
    used.refused(StatusCode::UNAUTHORIZED, "code_refused");
    clock.advance(STEP);
    let code = phone.code();
    office.sign_in_with("anna", "wrong", &code).await.refused(StatusCode::UNAUTHORIZED, "sign_in_refused");
    office.sign_in_with("anna", PASSWORD, &code).await.expect(StatusCode::OK);
    office.sign_in_with("anna", PASSWORD, &code).await.refused(StatusCode::UNAUTHORIZED, "code_refused");
    let office = office.restarted().await;
    office.sign_in_with("anna", PASSWORD, &code).await.refused(StatusCode::UNAUTHORIZED, "code_refused");

    office.sign_in_with("anna", PASSWORD, &recovery[0].to_uppercase()).await.expect(StatusCode::OK);
    let twice = office.sign_in_with("anna", PASSWORD, &recovery[0]).await;
    twice.refused(StatusCode::UNAUTHORIZED, "code_refused");
    clock.advance(STEP);
    let answer = office.sign_in_with("anna", PASSWORD, &phone.code()).await;
    let jar = cookie(&answer);
    assert_eq!(answer.expect(StatusCode::OK)["recovery_codes"], 9);
    clock.advance(STEP);
    let renewed =
        office.own(&jar, Method::POST, "me/totp/recovery-codes", json!({"code": phone.code()})).await;
    let renewed = renewed.expect(StatusCode::CREATED)["recovery_codes"].clone();
    let old = office.sign_in_with("anna", PASSWORD, &recovery[1]).await;
    old.refused(StatusCode::UNAUTHORIZED, "code_refused");
    let off = office.own(&jar, Method::DELETE, "me/totp", json!({"code": "000000"})).await;
    off.refused(StatusCode::UNAUTHORIZED, "code_refused");
    office
        .own(&jar, Method::DELETE, "me/totp", json!({"code": renewed[0]}))
        .await
        .expect(StatusCode::NO_CONTENT);
    office.sign_in("anna", PASSWORD).await.expect(StatusCode::OK);
    // Nothing of it is in the log but that there was a secret.
    let log = office.get("changes?limit=100").await.expect(StatusCode::OK).to_string();
    assert!(log.contains("second-factor") && !log.contains("recovery"), "{log}");
}

#[tokio::test]
async fn wrong_codes_lock_the_account() {
    let (office, clock) = office().await;
    office.administrator("anna", json!({})).await;
    let jar = cookie(&office.sign_in("anna", PASSWORD).await);
    let (phone, ..) = office.enrol(&jar, &clock).await;
    for _ in 0..5 {
        clock.advance(Duration::from_secs(3));
        let wrong = office.sign_in_with("anna", PASSWORD, "000000").await;
        wrong.refused(StatusCode::UNAUTHORIZED, "code_refused");
    }
    clock.advance(STEP);
    let locked = office.sign_in_with("anna", PASSWORD, &phone.code()).await;
    locked.refused(StatusCode::UNAUTHORIZED, "sign_in_refused");
    clock.advance(Duration::from_secs(15 * 60));
    office.sign_in_with("anna", PASSWORD, &phone.code()).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn where_it_is_required_nothing_is_permitted_before_it_is_set_up() {
    let (office, clock) = office().await;
    let anna = office.administrator("anna", json!({})).await;
    office.administrator("ben", json!({"role": "power"})).await;
    office.administration(json!({"second_factor": "required"})).await;
    let answer = office.sign_in("anna", PASSWORD).await;
    let jar = cookie(&answer);
    assert_eq!(answer.expect(StatusCode::OK)["second_factor_needed"], true);
    for path in ["groups", "kinds", "administrator-sessions", "events?topics=settings"] {
        let answer = office.own(&jar, Method::GET, path, Value::Null).await;
        answer.refused(StatusCode::FORBIDDEN, "second_factor_needed");
    }
    let (_, jar, _) = office.enrol(&jar, &clock).await;
    office.own(&jar, Method::GET, "groups", Value::Null).await.expect(StatusCode::OK);

    // Another takes it away only as root.
    let path = format!("users/{anna}/totp");
    office.administration(json!({"second_factor": "optional"})).await;
    let ben = cookie(&office.sign_in("ben", PASSWORD).await);
    let taken = office.own(&ben, Method::DELETE, &path, Value::Null).await;
    taken.refused(StatusCode::FORBIDDEN, "forbidden");
    let shown = office.get(&format!("users/{anna}")).await.expect(StatusCode::OK);
    assert_eq!(shown["has_second_factor"], true);
    let token = office.send(&office.token, Method::DELETE, &path, "", Vec::new(), None).await;
    token.expect(StatusCode::NO_CONTENT);
    office.sign_in("anna", PASSWORD).await.expect(StatusCode::OK);
    office.post("me/totp", Value::Null).await.refused(StatusCode::FORBIDDEN, "forbidden");
}

#[tokio::test]
async fn an_idle_sign_in_ends_unless_somebody_stays() {
    let (office, clock) = office().await;
    office.administrator("anna", json!({})).await;
    office.administration(json!({"idle_minutes": 10})).await;
    let minutes = |number: u64| Duration::from_secs(number * 60);
    let answer = office.sign_in("anna", PASSWORD).await;
    let jar = cookie(&answer);
    let told = answer.expect(StatusCode::OK)["session"]["idle_ends_at"].clone();
    let told: Timestamp = serde_json::from_value(told).expect("a time");
    assert_eq!(told.duration_since(clock.now()).as_mins(), 10);
    clock.advance(minutes(9));
    let quiet = [("x-oriel-request", "background")];
    let me = office.with(&jar, Method::GET, "me", Vec::new(), &quiet).await;
    assert!(!me.headers.contains_key("set-cookie"));
    let same: Timestamp =
        serde_json::from_value(me.expect(StatusCode::OK)["session"]["idle_ends_at"].clone()).expect("a time");
    assert_eq!(same, told, "what runs by itself keeps nobody signed in");
    let stayed = cookie(&office.own(&jar, Method::POST, "me/stay", Value::Null).await);
    clock.advance(minutes(9));
    office.own(&stayed, Method::GET, "me", Value::Null).await.expect(StatusCode::OK);
    let over = office.own(&jar, Method::GET, "me", Value::Null).await;
    over.refused(StatusCode::UNAUTHORIZED, "unauthorized");
    clock.advance(minutes(10));
    let over = office.own(&stayed, Method::GET, "me", Value::Null).await;
    over.refused(StatusCode::UNAUTHORIZED, "unauthorized");
}
