use std::time::Duration;

use axum::body::BodyDataStream;
use futures_util::StreamExt;

use super::*;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream of events as a browser reads it.
pub(super) struct Stream {
    body: BodyDataStream,
    text: String,
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: String,
    id: Option<u64>,
    pub(super) data: Value,
}

impl Stream {
    async fn open(office: &Office, token: &str, topics: &str, headers: &[(&str, &str)]) -> Self {
        let request =
            office.request(token, Method::GET, &format!("events?topics={topics}"), headers, Vec::new());
        Self::of(office, request).await
    }

    pub(super) async fn of(office: &Office, request: Request<Body>) -> Self {
        let response = office.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event; none when the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        let read = async {
            loop {
                if let Some((event, rest)) = self.text.split_once("\n\n") {
                    let (event, rest) = (event.to_owned(), rest.to_owned());
                    self.text = rest;
                    let field = |name: &str| {
                        event
                            .lines()
                            .find_map(|line| line.strip_prefix(name))
                            .map(|value| value.trim().to_owned())
                    };
                    let Some(name) = field("event:") else { continue };
                    let data = serde_json::from_str(&field("data:").unwrap_or_default()).expect("JSON");
                    return Some(Event { name, id: field("id:").and_then(|id| id.parse().ok()), data });
                }
                let chunk = self.body.next().await?.expect("bytes");
                self.text += std::str::from_utf8(&chunk).expect("text");
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("no event in time")
    }

    pub(super) async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await.expect("the stream has ended");
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

#[tokio::test]
async fn changes_of_settings_are_told_and_a_listener_goes_on_where_it_stopped() {
    let office = Office::open().await;
    let mut stream = Stream::open(&office, &office.token, "settings", &[]).await;
    let start = stream.expect("ready").await.id.expect("a sequence");
    office.made("groups", json!({"name": "Staff", "spec": {}})).await;
    let first = stream.expect("settings").await;
    assert_eq!(
        (first.data["name"].as_str(), first.data["action"].as_str()),
        (Some("Staff"), Some("created"))
    );
    assert_eq!((first.id, first.data["sequence"].as_u64()), (Some(start + 1), Some(start + 1)));
    drop(stream);

    office.made("groups", json!({"name": "Sales", "spec": {}})).await;
    let made = office.post("tokens", json!({"name": "t", "spec": {"role": "viewer"}})).await;
    made.expect(StatusCode::CREATED);
    let last = (start + 1).to_string();
    let mut again = Stream::open(&office, &office.token, "settings", &[("last-event-id", &last)]).await;
    again.expect("ready").await;
    let missed = again.expect("settings").await;
    assert_eq!((missed.id, missed.data["name"].as_str()), (Some(start + 2), Some("Sales")));
    let token = again.expect("settings").await;
    assert!(token.data["kind"] == "token" && !token.data.to_string().contains("secret_sha256"), "{token:?}");

    // An id of another store: nothing can be said of what was missed.
    let mut lost = Stream::open(&office, &office.token, "settings", &[("last-event-id", "99999")]).await;
    lost.expect("ready").await;
    lost.expect("reset").await;
}

#[tokio::test]
async fn hosts_are_told_whole_when_they_change_and_when_they_go() {
    let office = Office::open().await;
    let mut stream = Stream::open(&office, &office.token, "hosts,load", &[]).await;
    stream.expect("ready").await;
    let pool = office.get("pools").await.expect(StatusCode::OK)["items"][0]["id"].clone();
    let host: oriel_model::host::Host = serde_json::from_value(json!({"pool": pool})).expect("a host");
    let id = oriel_model::Id::<oriel_model::host::Host>::generate(office.broker.now());
    let author = oriel_store::Author::system();
    let transaction = oriel_store::Transaction::new(author, office.broker.now());
    office.broker.commit(transaction.create(id, "h1", None, &host)).await.expect("a host");
    let (mut hosts, mut load) = (None, None);
    while hosts.is_none() || load.is_none() {
        let event = stream.next().await.expect("an event");
        match event.name.as_str() {
            "hosts" => hosts = Some(event.data),
            "load" => load = Some(event.data),
            other => panic!("{other}"),
        }
    }
    let (hosts, load) = (hosts.expect("a host"), load.expect("its load"));
    assert_eq!((hosts["id"].as_str(), hosts["now"]["name"].as_str()), (Some(&*id.to_string()), Some("h1")));
    assert_eq!(hosts["now"]["effective"]["max_sessions"], 250);
    assert_eq!(
        (load["now"]["sessions"].as_u64(), load["now"]["severity"]["cpu"].as_str()),
        (Some(0), Some("normal"))
    );
    office.delete(&format!("hosts/{id}"), 1).await.expect(StatusCode::NO_CONTENT);
    let gone = stream.next().await.expect("an event");
    assert_eq!((gone.data["id"].as_str(), &gone.data["now"]), (Some(&*id.to_string()), &Value::Null));
}

#[tokio::test]
async fn who_does_not_keep_up_is_told_to_load_anew_and_hears_what_comes_then() {
    let office = Office::open().await;
    let pool = office.get("pools").await.expect(StatusCode::OK)["items"][0].clone();
    let pool_id = pool["id"].as_str().expect("an id");
    let host: oriel_model::host::Host = serde_json::from_value(json!({"pool": pool_id})).expect("a host");
    let now = office.broker.now();
    let mut many = oriel_store::Transaction::new(oriel_store::Author::system(), now);
    for number in 0..2_500 {
        let id = oriel_model::Id::<oriel_model::host::Host>::generate(now);
        many = many.create(id, format!("h{number}"), None, &host);
    }
    office.broker.commit(many).await.expect("hosts");
    let mut stream = Stream::open(&office, &office.token, "hosts,load", &[]).await;
    stream.expect("ready").await;
    // At once two events for each, more than are kept for anybody.
    let spec = json!({"spec": {"settings": {"max_sessions": 7}}, "revision": pool["revision"]});
    office.patch(&format!("pools/{pool_id}"), spec).await.expect(StatusCode::OK);
    stream.expect("reset").await;
    let first = office.get("hosts?limit=1").await.expect(StatusCode::OK)["items"][0]["id"].clone();
    let path = format!("hosts/{}", first.as_str().expect("an id"));
    office.delete(&path, 1).await.expect(StatusCode::NO_CONTENT);
    let mut after_it = 0;
    loop {
        let event = stream.next().await.expect("the stream goes on");
        assert_ne!(event.name, "reset", "once is enough");
        after_it += 1;
        if event.data["id"] == first && event.data["now"].is_null() {
            break;
        }
    }
    assert!(after_it > 1_000, "what was kept is sent after it: {after_it}");
}

#[tokio::test]
async fn a_topic_needs_its_permission_and_the_stream_ends_with_it() {
    let office = Office::open().await;
    let made = office.post("tokens", json!({"name": "desk", "spec": {"role": "help_desk"}})).await;
    let made = made.expect(StatusCode::CREATED);
    let desk = made["secret"].as_str().expect("a secret").to_owned();
    let ask = |topics: &str| {
        office.ask(office.request(&desk, Method::GET, &format!("events?topics={topics}"), &[], Vec::new()))
    };
    for topics in ["settings", "hosts", "load", "sessions,hosts"] {
        ask(topics).await.refused(StatusCode::FORBIDDEN, "forbidden");
    }
    let unknown = ask("sessions,weather").await.refused(StatusCode::BAD_REQUEST, "bad_request");
    assert!(unknown.contains("\"weather\" is no topic"), "{unknown}");
    let mut stream = Stream::open(&office, &desk, "sessions", &[]).await;
    stream.expect("ready").await;
    office
        .delete(&format!("tokens/{}", made["id"].as_str().expect("an id")), 1)
        .await
        .expect(StatusCode::NO_CONTENT);
    assert!(stream.next().await.is_none(), "the stream goes on without a token");
}

#[tokio::test]
async fn who_sees_an_object_is_told_that_it_was_changed_and_not_what_it_says() {
    let office = Office::open().await;
    let grant = json!({"actions": ["view", "modify"], "area": "publishing"});
    let spec = json!({"role": "custom", "reach": {"grants": [grant]}});
    let made = office.post("tokens", json!({"name": "publisher", "spec": spec})).await;
    let publisher = made.expect(StatusCode::CREATED)["secret"].as_str().expect("a secret").to_owned();
    let ask = office.request(&publisher, Method::GET, "events?topics=settings", &[], Vec::new());
    office.ask(ask).await.refused(StatusCode::FORBIDDEN, "forbidden");
    let mut stream = Stream::open(&office, &publisher, "objects", &[]).await;
    let start = stream.expect("ready").await.id.expect("a sequence");
    office.made("groups", json!({"name": "Hidden", "spec": {}})).await;
    let folder = json!({"name": "Tools", "spec": {"target": {"kind": "folder"}}});
    let id = office.made("resources", folder).await;
    let patch = json!({"revision": 1, "spec": {"description": "Said to nobody here"}});
    office.patch(&format!("resources/{id}"), patch).await.expect(StatusCode::OK);
    office.delete(&format!("resources/{id}"), 2).await.expect(StatusCode::NO_CONTENT);
    for (number, action, revision) in [(2, "created", 1), (3, "changed", 2), (4, "deleted", 2)] {
        let event = stream.expect("objects").await;
        let expected = json!({"kind": "resource", "id": id, "action": action, "revision": revision});
        assert_eq!((event.id, event.data), (Some(start + number), expected));
    }

    let last = (start + 3).to_string();
    let mut again = Stream::open(&office, &publisher, "objects", &[("last-event-id", &last)]).await;
    again.expect("ready").await;
    assert_eq!(again.expect("objects").await.data["action"], "deleted");
}

#[tokio::test]
async fn streams_end_when_the_broker_stops() {
    let office = Office::open().await;
    let mut stream = Stream::open(&office, &office.token, "settings,sessions", &[]).await;
    stream.expect("ready").await;
    office.stop.give();
    assert!(stream.next().await.is_none());
}
