//! What administrators who work at the same time know of each other.

use std::time::Duration;

use oriel_model::Timestamp;
use oriel_net::clock::ManualClock;

use super::{
    events::Stream,
    sign_in::{OURS, PASSWORD, cookie},
    *,
};

impl Office {
    async fn as_(&self, jar: &str, method: Method, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.with(jar, method, path, body, OURS).await
    }

    /// Signs in; the cookie, and the sign-in's id.
    async fn signed_in(&self, name: &str) -> (String, String) {
        let answer = self.sign_in(name, PASSWORD).await;
        let jar = cookie(&answer);
        let id = answer.expect(StatusCode::OK)["session"]["id"].as_str().expect("an id").to_owned();
        (jar, id)
    }

    async fn listen(&self, jar: &str, topics: &str) -> Stream {
        let request = Request::builder()
            .uri(format!("{PATH_PREFIX}/events?topics={topics}"))
            .header("cookie", jar)
            .extension(PeerAddress((Ipv4Addr::LOCALHOST, 1).into()))
            .body(Body::empty())
            .expect("a request");
        let mut stream = Stream::of(self, request).await;
        stream.expect("ready").await;
        stream
    }
}

#[tokio::test]
async fn a_message_reaches_its_reader_and_nobody_else_and_waits_until_it_is_read() {
    let office = Office::open().await;
    for name in ["anna", "ben", "carl"] {
        office.administrator(name, json!({})).await;
    }
    office.administrator("dora", json!({"role": "help_desk"})).await;
    let (anna, annas) = office.signed_in("anna").await;
    let (ben, bens) = office.signed_in("ben").await;
    let (carl, _) = office.signed_in("carl").await;
    office.signed_in("dora").await;
    let (mut bens_events, mut carls_events) =
        (office.listen(&ben, "messages").await, office.listen(&carl, "messages").await);
    let path = format!("administrator-sessions/{bens}/message");
    let told = office.as_(&anna, Method::POST, &path, json!({"text": " Lunch? "})).await;
    assert_eq!(told.expect(StatusCode::OK)["readers"], 1);
    let event = bens_events.expect("messages").await.data["now"].clone();
    assert_eq!((&event["text"], &event["from"]), (&json!("Lunch?"), &json!("user anna")));
    assert_eq!(event["session"], json!(annas), "the sign-in to answer to");

    // The first that the others hear of is what was said to all of them.
    let all =
        office.as_(&anna, Method::POST, "administrator-sessions/message", json!({"text": "At noon!"})).await;
    assert_eq!(all.expect(StatusCode::OK)["readers"], 3);
    assert_eq!(carls_events.expect("messages").await.data["now"]["text"], "At noon!");
    let waiting = office.as_(&ben, Method::GET, "me/messages", Value::Null).await.expect(StatusCode::OK);
    let texts: Vec<_> = waiting["items"].as_array().expect("a list").iter().map(|one| &one["text"]).collect();
    assert_eq!(texts, ["Lunch?", "At noon!"]);
    let read = format!("me/messages/{}", event["id"].as_str().expect("an id"));
    office.as_(&carl, Method::DELETE, &read, Value::Null).await.refused(StatusCode::NOT_FOUND, "not_found");
    office.as_(&ben, Method::DELETE, &read, Value::Null).await.expect(StatusCode::NO_CONTENT);
    let waiting = office.as_(&ben, Method::GET, "me/messages", Value::Null).await.expect(StatusCode::OK);
    assert_eq!(waiting["items"].as_array().map(Vec::len), Some(1));
    let own = office.as_(&anna, Method::GET, "me/messages", Value::Null).await.expect(StatusCode::OK);
    assert_eq!(own["items"], json!([]));

    let long = office.as_(&anna, Method::POST, &path, json!({"text": "x".repeat(1_001)})).await;
    long.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    office.as_(&ben, Method::DELETE, "sign-in", Value::Null).await.expect(StatusCode::NO_CONTENT);
    let gone = office.as_(&anna, Method::POST, &path, json!({"text": "still there?"})).await;
    gone.refused(StatusCode::NOT_FOUND, "not_found");
}

#[tokio::test]
async fn whoever_works_here_writes_to_the_others_and_whoever_is_written_to_answers() {
    let office = Office::open().await;
    office.administrator("anna", json!({})).await;
    office.administrator("dora", json!({"role": "help_desk"})).await;
    office.administrator("eve", json!({"role": "custom"})).await;
    let ((anna, annas), (dora, doras)) = (office.signed_in("anna").await, office.signed_in("dora").await);
    let (eve, eves) = office.signed_in("eve").await;

    // The help desk sees who is here, and not from where.
    let listed = office.as_(&dora, Method::GET, "colleagues", Value::Null).await.expect(StatusCode::OK);
    let people = listed["items"].as_array().expect("people");
    let of = |field: &str| people.iter().map(|one| one[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("user_name"), ["anna", "dora", "eve"]);
    assert_eq!(of("sessions"), [json!([annas]), json!([doras]), json!([eves])]);
    let mut fields: Vec<_> = people[0].as_object().expect("fields").keys().collect();
    fields.sort();
    assert_eq!(fields, ["full_name", "sessions", "user", "user_name"]);
    let sessions = office.as_(&dora, Method::GET, "administrator-sessions", Value::Null).await;
    sessions.refused(StatusCode::FORBIDDEN, "forbidden");
    let words = |text: &str| json!({"text": text});
    let path = format!("administrator-sessions/{annas}/message");
    let told = office.as_(&dora, Method::POST, &path, words("A hung session")).await;
    assert_eq!(told.expect(StatusCode::OK)["readers"], 1);
    let told = office.as_(&dora, Method::POST, "administrator-sessions/message", words("Good morning")).await;
    assert_eq!(told.expect(StatusCode::OK)["readers"], 2);

    // Who may nothing answers who writes to them, and nobody else.
    let refused = |answer: Answer| answer.refused(StatusCode::FORBIDDEN, "forbidden");
    refused(office.as_(&eve, Method::GET, "colleagues", Value::Null).await);
    refused(office.as_(&eve, Method::POST, &path, words("hm")).await);
    let waiting = office.as_(&eve, Method::GET, "me/messages", Value::Null).await.expect(StatusCode::OK);
    let message = waiting["items"][0]["id"].as_str().expect("an id").to_owned();
    let answer = format!("me/messages/{message}/answer");
    let told = office.as_(&eve, Method::POST, &answer, words("To you")).await.expect(StatusCode::OK);
    assert_eq!(told["readers"], 1);
    let heard = office.as_(&dora, Method::GET, "me/messages", Value::Null).await.expect(StatusCode::OK);
    assert_eq!(
        (&heard["items"][0]["text"], &heard["items"][0]["from"]),
        (&json!("To you"), &json!("user eve"))
    );
    office.as_(&anna, Method::POST, &answer, words("hm")).await.refused(StatusCode::NOT_FOUND, "not_found");
    let long = office.as_(&eve, Method::POST, &answer, words(&"x".repeat(1_001))).await;
    long.refused(StatusCode::UNPROCESSABLE_ENTITY, "invalid");

    // A token reads nothing, and who has gone neither.
    let eves_path = format!("administrator-sessions/{eves}/message");
    office.post(&eves_path, words("From a script")).await.expect(StatusCode::OK);
    let waiting = office.as_(&eve, Method::GET, "me/messages", Value::Null).await.expect(StatusCode::OK);
    let script = waiting["items"][1]["id"].as_str().expect("an id").to_owned();
    office.as_(&dora, Method::DELETE, "sign-in", Value::Null).await.expect(StatusCode::NO_CONTENT);
    for message in [message, script] {
        let path = format!("me/messages/{message}/answer");
        let gone = office.as_(&eve, Method::POST, &path, words("still there?")).await;
        gone.refused(StatusCode::NOT_FOUND, "not_found");
    }
}

#[tokio::test]
async fn two_people_at_one_object_know_of_each_other() {
    let clock = ManualClock::new(Timestamp::now());
    let same = clock.clone();
    let office = Office::open_with(|config| config.clock = Arc::new(same)).await;
    office.administrator("anna", json!({})).await;
    office.administrator("ben", json!({})).await;
    office.administrator("vera", json!({"role": "viewer"})).await;
    office.administrator("dora", json!({"role": "help_desk"})).await;
    let ((anna, _), (ben, bens)) = (office.signed_in("anna").await, office.signed_in("ben").await);
    let ((vera, _), (dora, _)) = (office.signed_in("vera").await, office.signed_in("dora").await);
    let pool = office.made("pools", json!({"name": "P", "spec": {}})).await;
    let object = json!({"kind": "pool", "id": pool});
    let mut events = office.listen(&anna, "editing").await;
    let by = |answer: Value| {
        let editors = answer["by"].as_array().cloned().unwrap_or_default();
        editors.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let alone = office.as_(&anna, Method::POST, "editing", object.clone()).await.expect(StatusCode::OK);
    assert_eq!((by(alone.clone()), &alone["name"]), (vec!["user anna".to_owned()], &json!("P")));
    clock.advance(Duration::from_secs(40));
    let both = office.as_(&ben, Method::POST, "editing", object.clone()).await.expect(StatusCode::OK);
    assert_eq!(by(both.clone()), ["user anna", "user ben"]);
    assert_eq!(both["by"][1]["session"], json!(bens));
    loop {
        let event = events.expect("editing").await;
        if by(event.data["now"].clone()).len() == 2 {
            break;
        }
    }
    let listed = office.as_(&vera, Method::GET, "editing", Value::Null).await.expect(StatusCode::OK);
    assert_eq!(by(listed["items"][0].clone()).len(), 2);
    let hidden = office.as_(&dora, Method::GET, "editing", Value::Null).await.expect(StatusCode::OK);
    assert_eq!(hidden["items"], json!([]), "who does not see the pool does not hear who edits it");
    let viewer = office.as_(&vera, Method::POST, "editing", object.clone()).await;
    viewer.refused(StatusCode::FORBIDDEN, "forbidden");

    // Anna's minute is over; Ben's is not, and he closes the page.
    clock.advance(Duration::from_secs(30));
    let listed = office.get("editing").await.expect(StatusCode::OK);
    assert_eq!(by(listed["items"][0].clone()), ["user ben"]);
    office.as_(&ben, Method::DELETE, "editing", object.clone()).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(office.get("editing").await.expect(StatusCode::OK)["items"], json!([]));
    let absent = json!({"kind": "pool", "id": "00000000-0000-7000-8000-000000000000"});
    office.as_(&ben, Method::POST, "editing", absent).await.refused(StatusCode::NOT_FOUND, "not_found");
}

/// What a page needs to show both versions: what the object says now can be put together from what was read
/// and what the refusal tells.
#[tokio::test]
async fn a_conflict_tells_both_versions_field_by_field() {
    let office = Office::open().await;
    let spec = json!({"description": "old", "settings": {"max_sessions": 5}});
    let id = office.made("pools", json!({"name": "P", "spec": spec})).await;
    let path = format!("pools/{id}");
    let read = office.get(&path).await.expect(StatusCode::OK);
    let theirs = json!({"revision": 1, "spec": {"description": "theirs", "settings": {"max_sessions": 7}}});
    office.patch(&path, theirs).await.expect(StatusCode::OK);
    office.patch(&path, json!({"revision": 2, "name": "Q"})).await.expect(StatusCode::OK);
    let mine = json!({"name": "P", "spec": {"description": "mine"}, "revision": 1});
    let refused = office.put(&path, mine).await.expect(StatusCode::PRECONDITION_FAILED);
    let mut together = read.clone();
    for change in refused["changes"].as_array().expect("changes") {
        let pointer = format!("/{}", change["field"].as_str().expect("a field").replace('.', "/"));
        let field = together.pointer_mut(&pointer).expect("a field that was read");
        assert_eq!(*field, change["before"], "{pointer}");
        *field = change["after"].clone();
    }
    let now = office.get(&path).await.expect(StatusCode::OK);
    assert_eq!((&together["name"], &together["spec"]), (&now["name"], &now["spec"]));
    assert_eq!(refused["revision"], now["revision"]);
}
