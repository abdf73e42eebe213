//! Settings over REST: every mistake at once, nothing unknown, no stale write, everything in the log.

use http::Method;
use oriel_testkit::{farm::Farm, http::AdminClient};
use serde_json::{Value, json};

/// A request and the refusal that it gets.
struct Refused {
    method: Method,
    path: &'static str,
    body: Value,
    status: u16,
    code: &'static str,
    /// The fields that are named as mistakes; in order.
    fields: &'static [&'static str],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_field_by_field() {
    let farm = Farm::broker_only().await;
    let nothing = "00000000-0000-7000-8000-000000000000";
    let post = |path, body, fields| Refused {
        method: Method::POST,
        path,
        body,
        status: 422,
        code: "invalid",
        fields,
    };
    let cases = [
        post(
            "/pools",
            json!({ "name": "", "spec": {
                "balancing": { "method": "resource", "sessions": false, "memory": false, "cpu": false },
                "settings": { "max_sessions": 0, "readiness_timeout_secs": 1 },
            } }),
            &[
                "name",
                "spec.balancing.method",
                "spec.settings.max_sessions",
                "spec.settings.readiness_timeout_secs",
            ],
        ),
        post("/pools", json!({ "name": "p", "spec": { "setings": {} } }), &["spec.setings"]),
        post("/pools", json!({ "name": "p", "spec": {}, "colour": "red" }), &["colour"]),
        post("/pools", json!({ "name": "p", "spec": { "enabled": "yes" } }), &["spec.enabled"]),
        post(
            "/resources",
            json!({ "name": "r", "spec": {
                "target": { "kind": "application", "program": "", "start_in": "here" },
                "icon": "00",
                "rules": { "rules": [{ "effect": "allow", "criteria": [{ "type": "group", "objects": [] }] }] },
            } }),
            &[
                "spec.icon",
                "spec.target.program",
                "spec.target.start_in",
                "spec.rules.rules[0].criteria[0].objects",
            ],
        ),
        post(
            "/resources",
            json!({ "name": "r", "spec": { "target": {
                "kind": "desktop", "source": { "from": "pools", "pools": [nothing] },
            } } }),
            &["spec.target.source.pools[0]"],
        ),
        post("/users", json!({ "name": "u", "password": "short", "spec": {} }), &["password"]),
        post("/users", json!({ "name": "u", "spec": { "groups": [nothing] } }), &["spec.groups[0]"]),
        post("/invitations", json!({ "role": "agent" }), &["pool"]),
        post("/invitations", json!({ "role": "broker", "hours": 100000 }), &["hours", "role"]),
        Refused {
            method: Method::PUT,
            path: "/farm",
            body: json!({ "name": "F", "spec": {} }),
            status: 428,
            code: "revision_needed",
            fields: &[],
        },
        Refused {
            method: Method::GET,
            path: "/users/not-an-id",
            body: Value::Null,
            status: 400,
            code: "bad_request",
            fields: &[],
        },
        Refused {
            method: Method::GET,
            path: "/users/00000000-0000-7000-8000-000000000000",
            body: Value::Null,
            status: 404,
            code: "not_found",
            fields: &[],
        },
        Refused {
            method: Method::GET,
            path: "/nothing/here",
            body: Value::Null,
            status: 404,
            code: "not_found",
            fields: &[],
        },
        Refused {
            method: Method::PATCH,
            path: "/users",
            body: Value::Null,
            status: 405,
            code: "method_not_allowed",
            fields: &[],
        },
        Refused {
            method: Method::GET,
            path: "/users?nme=x",
            body: Value::Null,
            status: 400,
            code: "bad_request",
            fields: &["nme"],
        },
        Refused {
            method: Method::POST,
            path: "/pools",
            body: json!({ "name": "office", "spec": {} }),
            status: 409,
            code: "name_taken",
            fields: &[],
        },
    ];
    for Refused { method, path, body, status, code, fields } in cases {
        let answer = farm.admin.call(method.clone(), path, &body).await.unwrap();
        answer.assert(status, code);
        let mut named: Vec<String> = answer.json()["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|mistake| mistake["field"].as_str().unwrap_or_default().to_owned())
            .collect();
        let mut expected: Vec<_> = fields.to_vec();
        named.sort();
        expected.sort();
        assert_eq!(named, expected, "{method} {path} {body}: {answer}");
        let message = answer.message();
        assert!(message.ends_with('.') && message.len() > 10, "no sentence: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_write_is_refused_with_who_and_when() {
    let farm = Farm::broker_only().await;
    let colleague = token(&farm, "colleague", "root").await;
    let path = format!("/pools/{}", farm.pool);
    let read = farm.admin.get(&path).await.unwrap();
    colleague.change(&path, |spec| spec["description"] = json!("by the colleague")).await.unwrap();

    let mut mine = json!({ "name": "Office", "spec": read["spec"], "revision": read["revision"] });
    mine["spec"]["description"] = json!("mine");
    let answer = farm.admin.try_put(&path, mine).await.unwrap();
    answer.assert_says(412, "stale", "token colleague");
    let year = oriel_model::Timestamp::now().strftime("%Y-").to_string();
    assert!(answer.message().contains(&year), "it does not say when: {answer}");
    assert_eq!(farm.admin.get(&path).await.unwrap()["spec"]["description"], "by the colleague");

    let answer = farm.admin.try_delete(&path, 1).await.unwrap();
    answer.assert(412, "stale");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_writers_at_once_each_sees_the_others_or_is_refused() {
    let farm = Farm::broker_only().await;
    let path = format!("/pools/{}", farm.pool);
    // Each adds one; a lost update would lose one.
    let add = async |_| {
        farm.admin
            .change(&path, |spec| {
                let now = spec["settings"]["max_sessions"].as_u64().unwrap_or(100);
                spec["settings"]["max_sessions"] = json!(now + 1);
            })
            .await
            .unwrap();
    };
    tokio::join!(add(1), add(2), add(3), add(4), add(5), add(6), add(7), add(8));
    let pool = farm.admin.get(&path).await.unwrap();
    assert_eq!(pool["spec"]["settings"]["max_sessions"], 108, "{pool}");
    assert_eq!(pool["revision"], 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_use_is_kept() {
    let farm = Farm::broker_only().await;
    let group = farm.group("Sales").await;
    farm.user("alice", &[&group]).await;
    farm.desktop("Office desktop").await;
    for (path, names) in
        [(format!("/groups/{group}"), "alice"), (format!("/pools/{}", farm.pool), "Office desktop")]
    {
        let answer = farm.admin.try_delete(&path, 1).await.unwrap();
        answer.assert_says(409, "in_use", names);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_permits_what_it_permits() {
    let farm = Farm::broker_only().await;
    let (viewer, desk) = (token(&farm, "eyes", "viewer").await, token(&farm, "desk", "help_desk").await);
    let nobody = AdminClient::new(farm.ports().management, "wrong");
    for (who, client, [users, make_user, tokens, sessions]) in [
        ("root", &farm.admin, [200, 201, 200, 200]),
        ("viewer", &viewer, [200, 403, 403, 200]),
        ("help desk", &desk, [403, 403, 403, 200]),
        ("nobody", &nobody, [401, 401, 401, 401]),
    ] {
        let body = json!({ "name": format!("user of {who}"), "spec": {} });
        for (what, answer, expected) in [
            ("list users", client.try_get("/users").await, users),
            ("make a user", client.try_post("/users", body).await, make_user),
            ("list tokens", client.try_get("/tokens").await, tokens),
            ("list sessions", client.try_get("/sessions").await, sessions),
        ] {
            let answer = answer.unwrap();
            assert_eq!(answer.status.as_u16(), expected, "{who} may {what}? {answer}");
        }
    }
    let id = farm.id_of("tokens", "eyes").await.unwrap();
    farm.admin.try_delete(&format!("/tokens/{id}"), 1).await.unwrap().assert(204, "");
    viewer.try_get("/users").await.unwrap().assert(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_change_log_tells_who_did_what() {
    let farm = Farm::broker_only().await;
    let colleague = token(&farm, "colleague", "root").await;
    let group = colleague.create("groups", "Sales", json!({})).await.unwrap();
    let path = format!("/groups/{group}");
    farm.admin.change(&path, |spec| spec["description"] = json!("sells")).await.unwrap();
    farm.admin.try_delete(&path, 2).await.unwrap().assert(204, "");

    let log = farm.admin.get(&format!("/changes?object={group}")).await.unwrap();
    let told: Vec<_> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| format!("{} by {} via {}", text(&change["action"]), author(change), via(change)))
        .collect();
    assert_eq!(
        told,
        [
            "deleted by token admin via api",
            "changed by token admin via api",
            "created by token colleague via api"
        ],
        "newest first: {log}"
    );
    let middle = &log["items"][1];
    assert_eq!(middle["before"]["spec"]["description"], "", "{log}");
    assert_eq!(middle["after"]["spec"]["description"], "sells", "{log}");

    farm.user("alice", &[]).await;
    let all = farm.admin.get("/changes").await.unwrap().to_string();
    for secret in ["argon2", "secret_sha256", oriel_testkit::farm::PASSWORD] {
        assert!(!all.contains(secret), "{secret} is in the change log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_lists_come_in_pages_and_settings_survive_a_restart() {
    let mut farm = Farm::broker_only().await;
    for number in 0..25 {
        farm.group(&format!("group {number:02}")).await;
    }
    let before = groups_in_pages(&farm).await;
    assert_eq!(before.len(), 25);
    farm.restart_broker().await;
    assert_eq!(groups_in_pages(&farm).await, before);
}

async fn groups_in_pages(farm: &Farm) -> Vec<String> {
    let mut names = Vec::new();
    let mut after = String::new();
    loop {
        let page = farm.admin.get(&format!("/groups?limit=10{after}")).await.unwrap();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 10);
        names.extend(items.iter().map(|group| text(&group["name"])));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", next.replace(' ', "%20")),
            None => return names,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_openapi_document_is_served_and_names_every_path() {
    let farm = Farm::broker_only().await;
    let document = farm.admin.get("/openapi.json").await.unwrap();
    for path in ["/users", "/hosts/{id}/apps", "/sessions/{id}/reset", "/explain/launch", "/changes"] {
        let known = document["paths"].as_object().unwrap();
        assert!(known.keys().any(|key| key.ends_with(path)), "{path} is not in {:?}", known.keys());
    }
}

async fn token(farm: &Farm, name: &str, role: &str) -> AdminClient {
    let made = farm.admin.post("/tokens", json!({ "name": name, "spec": { "role": role } })).await.unwrap();
    AdminClient::new(farm.ports().management, text(&made["secret"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn author(change: &Value) -> String {
    text(change["author"].get("name").unwrap_or(&change["author"]))
}

fn via(change: &Value) -> String {
    text(change["author"].get("via").unwrap_or(&change["via"]))
}
