//! The log: events beside changes, filtered, by rights, and checked.

use std::time::{Duration, Instant};

use oriel_model::Timestamp;
use oriel_store::{Author, Retention};

use super::*;

/// What a log of these entries looks like: code, outcome, and the names of the subjects.
pub(super) async fn log(office: &Office, query: &str) -> Vec<Value> {
    let log = office.get(&format!("audit?{query}")).await.expect(StatusCode::OK);
    log["items"].as_array().expect("entries").clone()
}

/// Waits until this many entries match: events are written behind.
pub(super) async fn soon(office: &Office, query: &str, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let found = log(office, query).await;
        if found.len() == count {
            return found;
        }
        assert!(Instant::now() < deadline, "{query}: {found:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn sign_in(office: &Office, name: &str, password: &str) -> StatusCode {
    let body = json!({"name": name, "password": password}).to_string().into_bytes();
    let headers = [("content-type", "application/json"), ("x-oriel-request", "portal")];
    office.ask(office.request("", Method::POST, "sign-in", &headers, body)).await.status
}

#[tokio::test]
async fn sign_ins_stand_beside_changes_and_are_found_by_what_they_are_about() {
    let office = Office::open().await;
    let user = office.made("users", json!({"name": "Anna", "spec": {}})).await;
    assert_eq!(sign_in(&office, "anna", "wrong").await, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&office, "nobody \"such\"", "wrong").await, StatusCode::UNAUTHORIZED);
    let refused = soon(&office, "code=administrator.sign_in_refused", 2).await;
    assert_eq!(refused[1]["author"], json!({"name": "user anna", "via": "portal", "address": "127.0.0.1"}));
    assert_eq!((&refused[1]["outcome"], &refused[1]["change"]), (&json!("refused"), &Value::Null));
    assert_eq!(refused[1]["subjects"], json!([{"kind": "user", "id": user, "name": "Anna"}]));
    assert_eq!(refused[0]["subjects"], json!([]));
    assert!(refused[0]["details"]["why"].as_str().is_some_and(|why| !why.is_empty()));

    let of_anna = log(&office, &format!("object={user}")).await;
    let codes: Vec<_> = of_anna.iter().map(|entry| entry["code"].as_str().expect("a code")).collect();
    assert_eq!(codes, ["administrator.sign_in_refused", "settings.created"]);
    let made = &of_anna[1]["change"];
    assert_eq!((&made["action"], &made["after"]["name"]), (&json!("created"), &json!("Anna")));
    assert_eq!(made["changes"].as_array().map(Vec::is_empty), Some(false));
    assert_eq!(log(&office, "outcome=refused&text=SUCH").await, [refused[0].clone()]);
    assert_eq!(log(&office, "kind=user&by=anna").await, [refused[1].clone()]);
    let together = log(&office, &format!("transaction={}", made["sequence"])).await;
    assert_eq!(together, [of_anna[1].clone()]);

    // Page by page, both ways, the same entries come once each.
    let (mut back, mut forth) = (Vec::new(), Vec::new());
    for (word, start, found) in [("before", 1_000, &mut back), ("after", 0, &mut forth)] {
        let mut next = Some(start);
        while let Some(from) = next {
            let page = office.get(&format!("audit?limit=2&{word}={from}")).await.expect(StatusCode::OK);
            found.extend(page["items"].as_array().expect("entries").iter().map(|one| one["number"].clone()));
            next = page["next"].as_u64();
        }
    }
    forth.reverse();
    assert_eq!(back, forth);
    assert!(back.len() > 3 && back.last() == Some(&json!(1)), "{back:?}");
    for wrong in ["code=sess", "code=nothing", "kind=thing", "before=1&after=1", "outcome=odd", "limit=0"] {
        assert_eq!(office.get(&format!("audit?{wrong}")).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn each_entry_is_for_those_who_may_see_what_it_is_about() {
    let office = Office::open().await;
    let site = office.made("sites", json!({"name": "Oslo", "spec": {}})).await;
    let (anna, bert) = (
        office.made("users", json!({"name": "Anna", "spec": {}})).await,
        office.made("users", json!({"name": "Bert", "spec": {}})).await,
    );
    let pool = office.made("pools", json!({"name": "P", "site": site, "spec": {}})).await;
    let token = async |role: Value| {
        let made = office.post("tokens", json!({"name": role.to_string(), "spec": role})).await;
        made.expect(StatusCode::CREATED)["secret"].as_str().expect("a secret").to_owned()
    };
    let ids = |id: &str| id.parse::<oriel_model::Id<Value>>().expect("an id");
    for (user, name) in [(&anna, "Anna"), (&bert, "Bert")] {
        let (user, address) = (ids(user).cast(), Ipv4Addr::LOCALHOST.into());
        office.broker.record(&crate::app::audit::Event::SignedIn { user, user_name: name, address });
    }
    let address = Some(Ipv4Addr::LOCALHOST.into());
    office.broker.record(&crate::app::audit::Event::JoinRefused { role: "agent", address, why: "wrong" });
    assert_eq!(sign_in(&office, "anna", "wrong").await, StatusCode::UNAUTHORIZED);
    soon(&office, "code=administrator", 1).await;

    let seen = async |secret: &str| {
        let answer = office.send(secret, Method::GET, "audit?limit=1000", "", Vec::new(), None).await;
        let items = answer.expect(StatusCode::OK)["items"].as_array().expect("entries").clone();
        let told = |entry: &Value| {
            let name = entry["subjects"][0]["name"].as_str().unwrap_or_default();
            format!("{} {name}", entry["code"].as_str().expect("a code"))
        };
        items.iter().map(told).collect::<Vec<_>>()
    };
    let sign_ins = ["user.signed_in Bert", "user.signed_in Anna"];
    let root = seen(&office.token).await;
    assert!(
        sign_ins.iter().chain(&["component.join_refused "]).all(|entry| root.contains(&(*entry).to_owned()))
    );

    // A viewer sees everything but what has to do with administrators.
    let viewer = seen(&token(json!({"role": "viewer"})).await).await;
    assert!(viewer.contains(&"settings.created P".to_owned()) && viewer.contains(&sign_ins[0].to_owned()));
    assert!(!viewer.iter().any(|entry| entry.starts_with("administrator.")), "{viewer:?}");
    // Power over another site sees neither this one's pool nor what is for those who see all.
    let other = office.made("sites", json!({"name": "Rome", "spec": {}})).await;
    let power = seen(&token(json!({"role": "power", "reach": {"sites": [other]}})).await).await;
    assert!(!power.contains(&"settings.created P".to_owned()), "{power:?}");
    assert!(!power.contains(&"component.join_refused ".to_owned()), "{power:?}");
    // Help desk is not let in; neither with a log but without anything that it may see in it.
    let help = token(json!({"role": "help_desk", "reach": {"users": [anna]}})).await;
    let answer = office.send(&help, Method::GET, "audit", "", Vec::new(), None).await;
    answer.refused(StatusCode::FORBIDDEN, "forbidden");
    let reader = json!({"role": "custom", "reach": {"grants": [{"actions": ["view"], "area": "audit"}]}});
    assert_eq!(seen(&token(reader).await).await, ["component.join_refused "]);
    let of_pool = json!({"role": "custom", "reach": {"grants": [
        {"actions": ["view"], "area": "audit", "site": site}, {"actions": ["view"], "area": "hosts", "object": pool},
    ]}});
    assert_eq!(seen(&token(of_pool).await).await, ["settings.created P"]);
}

#[tokio::test]
async fn the_log_is_followed_to_its_end_and_from_where_it_was_cut() {
    let office = Office::open().await;
    let whole = office.get("audit/verification").await.expect(StatusCode::OK);
    let newest = log(&office, "limit=1").await;
    assert_eq!(
        (&whole["first"], &whole["through"], &whole["fault"]),
        (&json!(1), &newest[0]["number"], &Value::Null)
    );
    assert_eq!(whole["hash"], newest[0]["hash"]);

    assert!(!office.broker.drop_oldest_entries().await.expect("looks"), "all is from today");
    let now = office.broker.now();
    let keep = Retention { since: Timestamp::MAX, bytes_max: u64::MAX };
    office.broker.store.drop_oldest(keep, now).await.expect("drops").expect("something");
    let after = log(&office, "").await;
    assert_eq!((after.len(), &after[0]["code"]), (1, &json!("log.dropped")));
    assert_eq!(after[0]["details"]["through"], newest[0]["number"].to_string());
    assert_eq!(after[0]["author"], json!(Author::system()));
    let rest = office.get("audit/verification").await.expect(StatusCode::OK);
    assert_eq!((&rest["first"], &rest["fault"]), (&after[0]["number"], &Value::Null));
    let told = json!({"through": newest[0]["number"], "at": after[0]["at"], "why": "age"});
    assert_eq!((&whole["dropped"], &rest["dropped"]), (&Value::Null, &told));
    // Of too large a log, the same for its size.
    let keep = Retention { since: Timestamp::MIN, bytes_max: 0 };
    office.broker.store.drop_oldest(keep, now).await.expect("drops").expect("something");
    let rest = office.get("audit/verification").await.expect(StatusCode::OK);
    assert_eq!(rest["dropped"]["why"], "size");
    // Settings live on, and so does the count of their changes.
    office.made("groups", json!({"name": "Sales", "spec": {}})).await;
}

#[tokio::test]
async fn what_happened_last_is_written_when_the_broker_stops() {
    let office = Office::open().await;
    let address = Ipv4Addr::LOCALHOST.into();
    let user = oriel_model::Id::generate(office.broker.now());
    for _ in 0..1_500 {
        office.broker.record(&crate::app::audit::Event::SignedOut { user, user_name: "anna", address });
    }
    let office = office.restarted().await;
    let first = log(&office, "code=user.signed_out&limit=1000&after=0").await;
    let from = first.last().expect("some")["number"].clone();
    let second = log(&office, &format!("code=user.signed_out&limit=1000&after={from}")).await;
    assert_eq!(first.len() + second.len(), 1_500);
}

/// An export: its lines.
async fn exported(office: &Office, token: &str, query: &str) -> Vec<Value> {
    let path = format!("audit/export?{query}");
    let request = office.request(token, Method::GET, &path, &[], Vec::new());
    let response = office.router.clone().oneshot(request).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    let text = std::str::from_utf8(&bytes).expect("text");
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn an_export_is_the_whole_log_line_by_line_for_whom_it_is_for() {
    let office = Office::open().await;
    let address = Ipv4Addr::LOCALHOST.into();
    let user = oriel_model::Id::generate(office.broker.now());
    // More than is read at a time.
    for _ in 0..450 {
        office.broker.record(&crate::app::audit::Event::SignedOut { user, user_name: "anna", address });
    }
    soon(&office, "code=user.signed_out&limit=1000", 450).await;
    let mut listed = log(&office, "limit=1000").await;
    listed.reverse();
    assert_eq!(exported(&office, &office.token, "").await, listed);
    let part = exported(&office, &office.token, "code=user&after=100").await;
    let wanted = |entry: &&Value| entry["code"] == "user.signed_out" && entry["number"].as_u64() > Some(100);
    assert_eq!(part, listed.iter().filter(wanted).cloned().collect::<Vec<_>>());
    let newest = listed[listed.len() - 1]["number"].clone();
    assert_eq!(exported(&office, &office.token, &format!("after={newest}")).await, [Value::Null; 0]);

    // Who may not see who signed in is not sent it; help desk is not let in.
    let token = async |role: Value| {
        let made = office.post("tokens", json!({"name": role.to_string(), "spec": role})).await;
        made.expect(StatusCode::CREATED)["secret"].as_str().expect("a secret").to_owned()
    };
    let reader = json!({"role": "custom", "reach": {"grants": [
        {"actions": ["view"], "area": "audit"}, {"actions": ["view"], "area": "hosts"},
    ]}});
    let reader = token(reader).await;
    assert_eq!(exported(&office, &reader, "code=settings.created&kind=token").await, [Value::Null; 0]);
    let pools = exported(&office, &reader, "code=settings&kind=pool").await;
    assert_eq!(
        pools,
        listed.iter().filter(|one| one["change"]["kind"] == "pool").cloned().collect::<Vec<_>>()
    );
    let help = token(json!({"role": "help_desk"})).await;
    let refused = office.send(&help, Method::GET, "audit/export", "", Vec::new(), None).await;
    refused.refused(StatusCode::FORBIDDEN, "forbidden");
    for wrong in ["before=7", "limit=7", "code=nothing"] {
        let refused = office.get(&format!("audit/export?{wrong}")).await;
        refused.refused(StatusCode::BAD_REQUEST, "bad_request");
    }
}

/// That each is raised, too, is tested with a whole farm (`log_codes` of `oriel-tests`).
#[test]
fn the_document_names_every_code_and_no_other() {
    let document = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/log.md");
    let document = std::fs::read_to_string(document).expect("the document");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let told: Vec<_> = rows.map(|(code, _)| code).filter(|code| code.contains('.')).collect();
    let mut codes: Vec<_> = oriel_store::Code::ALL.iter().map(|code| code.as_str()).collect();
    for code in &told {
        assert!(codes.contains(code), "docs/log.md tells of {code}, which there is not");
    }
    codes.retain(|code| !told.contains(code));
    assert!(codes.is_empty(), "docs/log.md says nothing of {codes:?}");
}
