//! People of a directory: a real OpenLDAP server, over TLS. What they see follows their groups there, and a directory
//! that is gone stops nobody who works.

use std::time::Duration;

use http::Method;
use oriel_testkit::{
    certificates::Authority,
    farm::{Farm, PASSWORD as OWN_PASSWORD},
    http::PortalClient,
    slapd::{BASE, PASSWORD, SERVICE, Slapd},
    wait,
};
use serde_json::{Value, json};

struct Corp {
    farm: Farm,
    slapd: Slapd,
    /// Path of the directory's object.
    path: String,
}

impl Corp {
    async fn start() -> Self {
        let authority = Authority::new("Directory's authority");
        let slapd = Slapd::start(&authority).await.unwrap();
        let farm = Farm::start().await;
        let spec = json!({
            "kind": "openldap", "domain": "oriel.test", "netbios_name": "ORIEL", "base_dn": BASE,
            "servers": [{ "host": "localhost", "port": slapd.tls_port }],
            "bind_name": SERVICE, "trusted_certificates": authority.pem(),
            "connect_timeout_secs": 2, "answer_timeout_secs": 3,
        });
        let id = farm.admin.create("directories", "Corp", spec).await.unwrap();
        let path = format!("/directories/{id}");
        let answer = farm.admin.try_put(&format!("{path}/password"), json!({ "password": PASSWORD })).await;
        answer.unwrap().assert(204, "");
        Self { farm, slapd, path }
    }

    /// The object that stands for a group of the directory.
    async fn group(&self, name: &str) -> String {
        let (admin, path) = (&self.farm.admin, &self.path);
        let found = admin.get(&format!("{path}/people?kind=groups&text={name}")).await.unwrap();
        assert_eq!(found["items"][0]["name"], name, "{found}");
        let adopt = json!({ "kind": "groups", "external": found["items"][0]["external"] });
        let adopted = admin.post(&format!("{path}/adopt"), adopt.clone()).await.unwrap();
        let again = admin.post(&format!("{path}/adopt"), adopt).await.unwrap();
        assert_eq!(adopted, again, "there is one object for one group");
        adopted["id"].as_str().unwrap().to_owned()
    }

    async fn flush(&self) {
        let answer = self.farm.admin.try_post(&format!("{}/flush", self.path), json!({})).await.unwrap();
        answer.assert(204, "");
    }

    async fn signed_in(&self, name: &str) -> PortalClient {
        let portal = self.farm.portal();
        portal.sign_in(name, PASSWORD).await.unwrap();
        portal
    }
}

async fn sees(portal: &PortalClient, expected: &[&str]) {
    wait::until("the list follows", async || {
        let names = portal.resource_names().await.map_err(|error| error.to_string())?;
        wait::ensure(names == expected, format!("{names:?}"))
    })
    .await;
}

fn only(group: &str) -> Value {
    json!({
        "rules": [{ "name": "those", "effect": "allow", "criteria": [{ "type": "group", "objects": [group] }] }],
        "otherwise": "deny",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_a_directory_work_and_go_on_working_without_it() {
    let mut corp = Corp::start().await;
    let host = corp.farm.add_host("h1").await;
    let checked = corp.farm.admin.post(&format!("{}/check", corp.path), json!({})).await.unwrap();
    assert_eq!(checked["servers"][0]["works"], true, "{checked}");
    // Alice is in inner, which is in middle, which is in outer.
    let outer = corp.group("outer").await;
    let target = json!({ "kind": "desktop", "source": corp.farm.source() });
    let prices = json!({ "target": target, "rules": only(&outer) });
    let prices = corp.farm.resource("Prices", prices).await;
    corp.farm.desktop("Desktop").await;
    corp.farm.user("zoe", &[]).await;

    let (alice, bob) = (corp.signed_in("alice@oriel.test").await, corp.signed_in("ORIEL\\bob").await);
    sees(&alice, &["Desktop", "Prices"]).await;
    sees(&bob, &["Desktop"]).await;
    alice.launch(&prices).await.unwrap();
    let sessions = host.machine.sessions();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].account, "alice");
    let listed = corp.farm.sessions_until("her session is listed", |all| all.len() == 1).await;
    assert_eq!(
        (&listed[0]["user_name"], &listed[0]["account"]),
        (&json!("alice@oriel.test"), &json!("alice"))
    );

    let leave = format!(
        "dn: cn=inner,ou=groups,{BASE}\nchangetype: modify\ndelete: member\nmember: uid=alice,ou=people,{BASE}\n"
    );
    corp.slapd.change(&leave).unwrap();
    corp.flush().await;
    sees(&alice, &["Desktop"]).await;
    alice.try_launch(&prices).await.unwrap().assert(404, "not_found");
    corp.slapd.change(&leave.replace("delete: member", "add: member")).unwrap();
    corp.flush().await;
    sees(&alice, &["Desktop", "Prices"]).await;

    corp.slapd.stop();
    corp.farm.restart_broker().await;
    corp.farm.gateways_attached().await;
    corp.farm.host_reports(&host, true).await;
    // What the broker before was told is enough.
    sees(&alice, &["Desktop", "Prices"]).await;
    let nobody_answers = corp.farm.portal();
    let started = std::time::Instant::now();
    let refused = nobody_answers.try_sign_in("carl@oriel.test", PASSWORD).await.unwrap();
    refused.assert(503, "directory_unreachable");
    assert!(started.elapsed().as_secs() < 15, "its timeouts are 2 and 3 s: {:?}", started.elapsed());
    corp.farm.signed_in("zoe").await.resources().await.unwrap();
    wait::until("the log says it once", async || {
        let log =
            corp.farm.admin.get("/audit?code=directory.out_of_reach").await.map_err(|e| e.to_string())?;
        let count = log["items"].as_array().map_or(0, Vec::len);
        wait::ensure(count == 1, log.to_string())
    })
    .await;

    corp.slapd.restart().await.unwrap();
    corp.slapd.change(&format!("dn: uid=bob,ou=people,{BASE}\nchangetype: delete\n")).unwrap();
    corp.flush().await;
    // It was out of reach: after a while it is tried again.
    wait::within(Duration::from_secs(90), "who is no more is signed out", async || {
        let answer = bob.get("/resources").await.map_err(|error| error.to_string())?;
        wait::ensure(answer.status == 401, answer.status.to_string())
    })
    .await;
    corp.signed_in("carl@oriel.test").await;
    let log = corp.farm.admin.get("/audit?code=directory.answers").await.unwrap();
    assert_eq!(log["items"].as_array().map(Vec::len), Some(1), "that it answers again is told once: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_find_their_directory_and_refusals_say_nothing() {
    let corp = Corp::start().await;
    let farm = &corp.farm;
    farm.user("zoe", &[]).await;
    let portal = farm.portal();
    portal.try_sign_in("alice", PASSWORD).await.unwrap().assert(401, "sign_in_refused");
    let domain = |spec: &mut Value| spec["sign_in"]["default_domain"] = json!("oriel.test");
    farm.admin.change("/farm", domain).await.unwrap();
    for name in ["alice", "ALICE@oriel.test", "oriel\\alice"] {
        let me = farm.portal().sign_in(name, PASSWORD).await.unwrap();
        assert_eq!(me["user"]["name"], "alice@oriel.test", "{name}");
        assert_eq!(me["user"]["full_name"], "Alice Arnold", "{name}");
    }
    // The farm's own come first, with a directory or without.
    for name in ["zoe", ".\\zoe"] {
        farm.portal().sign_in(name, OWN_PASSWORD).await.unwrap();
    }
    let mut bodies = Vec::new();
    for (name, password) in [
        ("alice@oriel.test", "Wrong.Horse1"),
        ("nobody@oriel.test", PASSWORD),
        ("nora@oriel.test", PASSWORD),
        ("zoe", PASSWORD),
        ("nobody@elsewhere.test", PASSWORD),
    ] {
        let answer = portal.try_sign_in(name, password).await.unwrap();
        answer.assert(401, "sign_in_refused");
        bodies.push(answer.body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "one answer for all");
    portal.try_sign_in("mona@oriel.test", PASSWORD).await.unwrap().assert(401, "password_expired");
    let signed_in = farm.admin.get("/audit?code=user.signed_in").await.unwrap();
    assert!(signed_in.to_string().contains("\"directory\":\"Corp\""), "{signed_in}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_of_a_directory_may_manage_the_farm() {
    let corp = Corp::start().await;
    let (farm, outer) = (&corp.farm, corp.group("outer").await);
    let spec = json!({ "who": { "group": outer }, "role": "root" });
    farm.admin.create("administrators", "The outer ones", spec).await.unwrap();
    let sign_in = async |name: &str| {
        let body = json!({ "name": name, "password": PASSWORD });
        let headers = [("x-oriel-request", "1")];
        farm.admin.http().send_json(Method::POST, "/api/v1/sign-in", &headers, &body).await.unwrap()
    };
    let alice = sign_in("alice@oriel.test").await.expect_success().unwrap();
    assert_eq!(
        (&alice["user"]["name"], &alice["root"]),
        (&json!("alice@oriel.test"), &json!(true)),
        "{alice}"
    );
    assert_eq!(sign_in("bob@oriel.test").await.status, 401);

    // Whoever says where the directory is says who is root, so nobody else may.
    let power =
        farm.admin.post("/tokens", json!({ "name": "power", "spec": { "role": "power" } })).await.unwrap();
    let power =
        oriel_testkit::http::AdminClient::new(farm.ports().management, power["secret"].as_str().unwrap());
    let mut spec = farm.admin.get(&corp.path).await.unwrap();
    assert!(!spec.to_string().contains(PASSWORD), "a password is never given back");
    spec["spec"]["servers"] = json!([{ "host": "mallory.test" }]);
    let body = json!({ "name": "Corp", "revision": spec["revision"], "spec": spec["spec"] });
    power.try_put(&corp.path, body.clone()).await.unwrap().assert(403, "forbidden");
    let password = json!({ "password": "another one" });
    power.try_put(&format!("{}/password", corp.path), password).await.unwrap().assert(403, "forbidden");

    // Another server does not get the password that was set for this one.
    farm.admin.try_put(&corp.path, body).await.unwrap().expect_success().unwrap();
    let checked = farm.admin.try_post(&format!("{}/check", corp.path), json!({})).await.unwrap();
    checked.assert_says(503, "directory_unreachable", "set for another account or other servers");
}
