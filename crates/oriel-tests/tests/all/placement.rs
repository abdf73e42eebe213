//! Where sessions go, through the real API: balanced, over hosts that will have them, back to the
//! user's own first; and words when there is none.

use std::{collections::BTreeMap, time::Instant};

use http::Method;
use oriel_model::session::EndReason;
use oriel_testkit::{
    agent::RdpListener,
    farm::{Farm, Host, POOL, runtime},
    http::PortalClient,
    wait,
};
use oriel_wire::v1::{RefusalCode, Refused, SessionState, agent_request::Body};
use serde_json::{Value, json};

/// A farm with hosts `h1` … in the pool, desktops `r1` … that are the same but for their names, and a
/// user who is signed in.
struct Scene {
    farm: Farm,
    hosts: Vec<Host>,
    resources: Vec<String>,
    alice: PortalClient,
}

impl Scene {
    async fn new(hosts: usize, resources: usize) -> Self {
        let farm = Farm::start().await;
        let mut scene_hosts = Vec::new();
        for number in 1..=hosts {
            scene_hosts.push(farm.add_host(&format!("h{number}")).await);
        }
        let mut ids = Vec::new();
        for number in 1..=resources {
            ids.push(farm.desktop(&format!("r{number}")).await);
        }
        farm.user("alice", &[]).await;
        let alice = farm.signed_in("alice").await;
        Self { farm, hosts: scene_hosts, resources: ids, alice }
    }

    async fn pool(&self, change: impl Fn(&mut Value)) {
        self.farm.admin.change(&format!("/pools/{}", self.farm.pool), change).await.unwrap();
    }

    async fn logon_mode(&self, host: usize, mode: &str) {
        let path = format!("/hosts/{}/logon-mode", self.hosts[host].id);
        self.farm.admin.post(&path, json!({ "logon_mode": mode })).await.unwrap();
    }

    /// Opens each resource once and says on which hosts that was.
    async fn placed(&self, resources: impl IntoIterator<Item = usize>) -> Vec<String> {
        let mut placed = Vec::new();
        for resource in resources {
            let launched = self.alice.launch(&self.resources[resource]).await.unwrap();
            placed.push(launched["host_name"].as_str().unwrap().to_owned());
        }
        placed
    }

    /// The sentence with which a launch is refused.
    async fn refusal(&self, resource: usize) -> String {
        let answer = self.alice.try_launch(&self.resources[resource]).await.unwrap();
        assert_eq!(answer.status.as_u16(), 503, "{answer}");
        answer.message()
    }

    /// Sets the hosts' CPU loads and waits until the broker knows them.
    async fn loads_known(&self, cpu: &[f32]) {
        let loads: Vec<_> = self.hosts.iter().zip(cpu.iter().copied()).collect();
        for (host, cpu) in &loads {
            host.machine.set_load(*cpu, 0.0);
        }
        self.farm.loads_known(&loads).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_emptiest_host_is_chosen_by_the_counters_that_are_on() {
    let scene = Scene::new(3, 6).await;
    scene.loads_known(&[0.9, 0.1, 0.5]).await;
    assert_eq!(scene.placed([0]).await, ["h2"]);
    // Sessions alone: the two that have none, then evenly on.
    let by_sessions = json!({ "method": "resource", "sessions": true, "memory": false, "cpu": false });
    scene.pool(|spec| spec["balancing"] = by_sessions.clone()).await;
    let mut placed = scene.placed([1, 2]).await;
    placed.sort();
    assert_eq!(placed, ["h1", "h3"]);
    let mut placed = scene.placed([3, 4, 5]).await;
    placed.sort();
    assert_eq!(placed, ["h1", "h2", "h3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_of_different_sizes_fill_evenly() {
    let scene = Scene::new(2, 6).await;
    let path = format!("/hosts/{}", scene.hosts[0].id);
    scene.farm.admin.change(&path, |spec| spec["settings"]["max_sessions"] = json!(2)).await.unwrap();
    scene.pool(|spec| spec["settings"]["max_sessions"] = json!(4)).await;
    let mut counts = BTreeMap::new();
    for host in scene.placed(0..6).await {
        *counts.entry(host).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([("h1".to_owned(), 2), ("h2".to_owned(), 4)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn round_robin_goes_round_whatever_the_load() {
    let scene = Scene::new(3, 6).await;
    scene.pool(|spec| spec["balancing"] = json!({ "method": "round_robin" })).await;
    scene.loads_known(&[1.0, 0.0, 0.5]).await;
    let placed = scene.placed(0..6).await;
    assert_eq!(placed[..3], placed[3..], "the same order twice");
    let mut once = placed[..3].to_vec();
    once.sort();
    assert_eq!(once, ["h1", "h2", "h3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_will_not_are_passed_over_and_the_refusal_says_why() {
    let scene = Scene::new(3, 8).await;
    scene.logon_mode(0, "drain").await;
    scene.logon_mode(1, "disabled").await;
    assert_eq!(scene.placed([0, 1]).await, ["h3", "h3"]);
    scene.logon_mode(2, "drain_until_reboot").await;
    assert_eq!(scene.refusal(2).await, "Of the 3 hosts of pool Office, 2 are draining and 1 refuses logons.");
    scene.logon_mode(1, "drain").await;
    assert_eq!(scene.refusal(2).await, "All 3 hosts of pool Office are draining.");
    for host in 0..3 {
        scene.logon_mode(host, "enabled").await;
    }
    scene.pool(|spec| spec["settings"]["max_sessions"] = json!(1)).await;
    let mut placed = scene.placed([3, 4]).await;
    placed.sort();
    assert_eq!(placed, ["h1", "h2"], "h3 has two already");
    assert_eq!(scene.refusal(5).await, "All 3 hosts of pool Office are full.");
    scene.pool(|spec| spec["enabled"] = json!(false)).await;
    assert_eq!(scene.refusal(5).await, "All 3 hosts of pool Office are disabled.");
    scene.pool(|spec| *spec = json!({})).await;

    // A fault that the agent reports.
    for host in &scene.hosts {
        host.machine.set_problem("xrdp does not start");
    }
    let faults = async |count: usize| {
        wait::until("the faults are known", async || {
            let list = scene.farm.admin.get("/hosts").await.unwrap();
            let hosts = list["items"].as_array().cloned().unwrap_or_default();
            let faulty = hosts.iter().filter(|host| !runtime(host)["problem"].is_null()).count();
            wait::ensure(faulty == count, list.to_string())
        })
        .await;
    };
    faults(3).await;
    let words = scene.refusal(5).await;
    assert!(words.starts_with("All 3 hosts of pool Office have a fault"), "{words}");
    scene.hosts[1].machine.set_problem("");
    faults(2).await;
    assert_eq!(scene.placed([6]).await, ["h2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_runs_only_where_it_says() {
    let scene = Scene::new(2, 1).await;
    let farm = &scene.farm;
    let other = farm.admin.create("pools", "Plant", json!({})).await.unwrap();
    let _plant = farm.add_host_with("p1", &other, RdpListener::nowhere()).await;
    let desktop = |source: Value| json!({ "target": { "kind": "desktop", "source": source } });
    for (name, source, hosts) in [
        ("of the plant", json!({ "from": "pools", "pools": [other] }), vec!["p1"]),
        ("of one host", json!({ "from": "hosts", "hosts": [scene.hosts[1].id] }), vec!["h2"]),
        ("of all", json!({ "from": "all_hosts" }), vec!["h1", "h2", "p1"]),
    ] {
        let resource = farm.resource(name, desktop(source)).await;
        let launched = scene.alice.launch(&resource).await.unwrap();
        assert!(hosts.iter().any(|host| launched["host_name"] == **host), "{name}: {launched}");
    }
    let empty = farm.admin.create("pools", "Empty", json!({})).await.unwrap();
    let nowhere = farm.resource("nowhere", desktop(json!({ "from": "pools", "pools": [empty] }))).await;
    let answer = scene.alice.try_launch(&nowhere).await.unwrap();
    answer.assert_says(503, "no_host", "There is no host of pool Empty.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_of_the_host_leads_to_the_next_one() {
    let scene = Scene::new(3, 4).await;
    let no = |reason: &str| Some(Refused { code: RefusalCode::NoAccount.into(), reason: reason.into() });
    scene.loads_known(&[0.1, 0.5, 0.9]).await;
    scene.hosts[0].machine.refuse(no("There is no account alice."));
    assert_eq!(scene.placed([0]).await, ["h2"]);
    scene.hosts[1].machine.refuse(no("There is no account alice."));
    assert_eq!(scene.placed([1]).await, ["h3"]);
    scene.hosts[2].machine.refuse(no("The disk is full."));
    let answer = scene.alice.try_launch(&scene.resources[2]).await.unwrap();
    answer.assert(503, "host_refused");
    for part in ["h1: There is no account alice", "h3: The disk is full"] {
        assert!(answer.message().contains(part), "{answer}");
    }
    // The refused ones hold no seat.
    let known = scene.farm.sessions_until("only what was granted runs", |sessions| sessions.len() == 2).await;
    assert!(known.iter().all(|session| session["host_name"] != "h1"), "{known:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_users_own_session_comes_first() {
    let scene = Scene::new(3, 2).await;
    let Scene { farm, alice, resources, hosts } = &scene;
    let first = alice.launch(&resources[0]).await.unwrap();
    assert_eq!(first["reconnected"], false);
    let session = first["session_id"].as_str().unwrap().to_owned();
    let index = hosts.iter().position(|host| first["host_name"] == host.machine.name()).unwrap();
    let host = &hosts[index];
    farm.sessions_until("it is known", |sessions| sessions.len() == 1).await;

    // Even though it is now the fullest, and drains.
    host.machine.set_load(1.0, 1.0);
    scene.logon_mode(index, "drain").await;
    let again = alice.launch(&resources[0]).await.unwrap();
    assert_eq!((&again["session_id"], &again["reconnected"]), (&json!(session), &json!(true)), "{again}");
    assert_ne!(again["connection_id"], first["connection_id"]);
    let returned = alice.try_return(&session).await.unwrap().expect_success().unwrap();
    assert_eq!(returned["session_id"], json!(session));
    let prepares: Vec<bool> = host
        .machine
        .requests()
        .into_iter()
        .filter_map(|request| match request.body {
            Some(Body::Prepare(prepare)) => Some(prepare.reconnect),
            _ => None,
        })
        .collect();
    assert_eq!(prepares, [false, true, true]);

    // Another resource is another session, elsewhere; another user's session is not hers.
    assert_ne!(alice.launch(&resources[1]).await.unwrap()["session_id"], json!(session));
    farm.user("bob", &[]).await;
    let bob = farm.signed_in("bob").await;
    assert_ne!(bob.launch(&resources[0]).await.unwrap()["session_id"], json!(session));

    // Where logons are off altogether, she is told rather than given a second one.
    scene.logon_mode(index, "disabled").await;
    let answer = alice.try_launch(&resources[0]).await.unwrap();
    answer.assert(503, "host_refused");
    assert_eq!(
        answer.message(),
        format!("Your session runs on {}, which refuses logons.", host.machine.name())
    );

    // And when it has ended, a new one starts.
    host.machine.end_session(&session, EndReason::LoggedOff, "");
    farm.sessions_until("it is gone", |sessions| sessions.iter().all(|s| s["id"] != json!(session))).await;
    assert_eq!(alice.launch(&resources[0]).await.unwrap()["reconnected"], false);
    alice.try_return(&session).await.unwrap().assert(404, "session_gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_stay_with_their_user_whatever_the_name() {
    let scene = Scene::new(1, 1).await;
    let Scene { farm, resources, alice, .. } = &scene;
    let launched = alice.launch(&resources[0]).await.unwrap();
    let session = launched["session_id"].as_str().unwrap().to_owned();
    farm.sessions_until("it is known", |sessions| sessions.len() == 1).await;

    // With a new name she finds it again; whoever has the old one now does not.
    let path = format!("/users/{}", farm.id_of("users", "alice").await.unwrap());
    let user = farm.admin.get(&path).await.unwrap();
    let renamed = json!({ "name": "alicia", "revision": user["revision"], "spec": user["spec"] });
    farm.admin.try_put(&path, renamed).await.unwrap().expect_success().unwrap();
    farm.user("alice", &[]).await;
    let (alicia, heir) = (farm.signed_in("alicia").await, farm.signed_in("alice").await);
    let again = alicia.launch(&resources[0]).await.unwrap();
    assert_eq!((&again["session_id"], &again["reconnected"]), (&json!(session), &json!(true)), "{again}");
    assert_eq!(heir.sessions().await.unwrap(), Vec::<Value>::new());
    let known = farm.sessions_until("it is listed", |sessions| sessions.len() == 1).await;
    assert_eq!(known[0]["user_name"], "alicia");

    // Deleted and made again, she is somebody else.
    let revision = farm.admin.get(&path).await.unwrap()["revision"].as_u64().unwrap();
    farm.admin.try_delete(&path, revision).await.unwrap().assert(204, "");
    farm.user("alicia", &[]).await;
    for stranger in [heir, farm.signed_in("alicia").await] {
        assert_eq!(stranger.sessions().await.unwrap(), Vec::<Value>::new());
        stranger.try_return(&session).await.unwrap().assert(404, "session_gone");
        let own = stranger.launch(&resources[0]).await.unwrap();
        assert_eq!(own["reconnected"], false, "{own}");
        assert_ne!(own["session_id"], json!(session));
    }
    let known = farm.sessions_until("all are listed", |sessions| sessions.len() == 3).await;
    assert!(known[0]["user"].is_null(), "{known:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ended_unheard_is_no_obstacle() {
    let scene = Scene::new(1, 1).await;
    let first = scene.alice.launch(&scene.resources[0]).await.unwrap();
    let session = first["session_id"].as_str().unwrap().to_owned();
    // The broker learns of it only by the host's no.
    scene.hosts[0].machine.end_session(&session, EndReason::LoggedOff, "");
    let next = scene.alice.launch(&scene.resources[0]).await.unwrap();
    assert_ne!(next["session_id"], first["session_id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_lost_gets_nothing_more_within_seconds() {
    let mut scene = Scene::new(2, 6).await;
    scene.loads_known(&[0.0, 0.9]).await;
    assert_eq!(scene.placed([0]).await, ["h1"]);
    let lost = Instant::now();
    scene.hosts[0].lose_agent();
    wait::until("the next session goes elsewhere", async || {
        let launched = scene.alice.launch(&scene.resources[1]).await.map_err(|error| error.to_string())?;
        wait::ensure(launched["host_name"] == "h2", launched.to_string())
    })
    .await;
    assert!(lost.elapsed().as_secs() < 8, "it took {:?}", lost.elapsed());
    scene.hosts[1].lose_agent();
    scene.farm.host_reports(&scene.hosts[1], false).await;
    wait::until("the refusal says it", async || {
        let answer = scene.alice.try_launch(&scene.resources[2]).await.unwrap();
        wait::ensure(answer.message() == "Both hosts of pool Office cannot be reached.", answer.to_string())
    })
    .await;
    scene.hosts[0].resume_agent();
    scene.farm.host_reports(&scene.hosts[0], true).await;
    assert_eq!(scene.placed([3]).await, ["h1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_tells_what_a_launch_would_do_and_from_what() {
    let scene = Scene::new(2, 1).await;
    let Scene { farm, resources, .. } = &scene;
    let user = farm.id_of("users", "alice").await.unwrap();
    let explain = async |user: &str| {
        let body = json!({ "user": user, "resource": resources[0] });
        farm.admin.post("/explain/launch", body).await.unwrap()
    };
    scene.loads_known(&[0.8, 0.2]).await;
    let explained = explain(&user).await;
    assert_eq!(explained["summary"], "A new session starts on h2.", "{explained}");
    assert_eq!(explained["plan"]["ranking"]["candidates"][1]["name"], "h1", "{explained}");
    assert_eq!(explained["placement"]["hosts"].as_array().unwrap().len(), 2);
    assert!(scene.hosts[1].machine.sessions().is_empty(), "nothing is started");

    scene.logon_mode(0, "drain").await;
    scene.logon_mode(1, "drain").await;
    assert_eq!(explain(&user).await["summary"], "Both hosts of pool Office are draining.");

    let sales = farm.group("Sales").await;
    let rules = json!({
        "rules": [{ "name": "sales only", "effect": "deny",
            "criteria": [{ "type": "group", "negated": true, "objects": [sales] }] }],
        "otherwise": "allow",
    });
    let path = format!("/resources/{}", resources[0]);
    farm.admin.change(&path, |spec| spec["rules"] = rules.clone()).await.unwrap();
    let explained = explain(&user).await;
    assert_eq!(explained["summary"], "The user does not see this resource.", "{explained}");
    assert_eq!(explained["rule_name"], "sales only", "{explained}");
    let nobody = json!({ "user": "01900000-0000-7000-8000-000000000000", "resource": resources[0] });
    farm.admin.try_post("/explain/launch", nobody).await.unwrap().assert(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_session_takes_further_programs() {
    let scene = Scene::new(2, 0).await;
    let Scene { farm, alice, hosts, .. } = &scene;
    let mut ids = Vec::new();
    for name in ["Editor", "Terminal"] {
        let program = format!("/usr/bin/{}", name.to_lowercase());
        let target = json!({ "kind": "application", "source": farm.source(), "program": program, "share_session": true });
        ids.push(farm.resource(name, json!({ "target": target })).await);
    }
    let editor = alice.launch(&ids[0]).await.unwrap();
    let session = editor["session_id"].as_str().unwrap();
    let host = hosts.iter().find(|host| editor["host_name"] == host.machine.name()).unwrap();
    farm.sessions_until("it is known", |sessions| sessions.len() == 1).await;
    let terminal = alice.launch(&ids[1]).await.unwrap();
    assert_eq!(terminal["session_id"], json!(session), "{terminal}");
    let started = host.machine.requests().into_iter().rev().find_map(|request| match request.body {
        Some(Body::Prepare(prepare)) => prepare.start,
        _ => None,
    });
    let oriel_wire::v1::prepare::Start::Program(program) = started.unwrap() else { panic!("a program") };
    assert_eq!(program.program, "/usr/bin/terminal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_and_users_act_on_sessions() {
    let scene = Scene::new(1, 3).await;
    let Scene { farm, alice, resources, hosts } = &scene;
    let machine = &hosts[0].machine;
    let mut sessions = Vec::new();
    for resource in resources {
        sessions.push(alice.launch(resource).await.unwrap()["session_id"].as_str().unwrap().to_owned());
    }
    let list = farm.sessions_until("all three are known", |sessions| sessions.len() == 3).await;
    assert!(
        list.iter().all(|session| session["user_name"] == "alice" && session["state"] == "prepared"),
        "{list:?}"
    );

    let [first, second, third] = &sessions[..] else { panic!("three") };
    let act = async |session: &str, act: &str, body: Value| {
        farm.admin.try_post(&format!("/sessions/{session}/{act}"), body).await.unwrap()
    };
    act(first, "message", json!({ "title": "Note", "text": "Please save." })).await.assert(204, "");
    act(first, "message", json!({ "title": "Note", "text": "" })).await.assert(422, "invalid");
    let processes = farm.admin.get(&format!("/sessions/{first}/processes")).await.unwrap();
    assert_eq!(processes["processes"][0]["process_id"], 42, "{processes}");
    act(first, "end-process", json!({ "process_id": 42 })).await.assert(204, "");
    act(first, "reset", Value::Null).await.assert(204, "");
    act(second, "log-off", Value::Null).await.assert(204, "");
    farm.sessions_until("two are gone", |sessions| sessions.len() == 1).await;
    act(first, "reset", Value::Null).await.assert(404, "session_gone");

    alice.post(&format!("/sessions/{third}/log-off"), Value::Null).await.unwrap().assert(204, "");
    farm.sessions_until("all are gone", |sessions| sessions.is_empty()).await;
    assert_eq!(alice.sessions().await.unwrap(), Vec::<Value>::new());

    let by: Vec<_> = machine
        .requests()
        .into_iter()
        .filter(|request| !matches!(request.body, Some(Body::Prepare(_))))
        .map(|request| request.on_behalf_of)
        .collect();
    assert!(by[..5].iter().all(|name| name == "token admin"), "{by:?}");
    assert_eq!(by.last().map(String::as_str), Some("user alice"));
    let apps = farm.admin.get(&format!("/hosts/{}/apps", hosts[0].id)).await.unwrap();
    assert_eq!(apps["apps"][0]["name"], "Editor", "{apps}");
    let unknown =
        farm.admin.call(Method::GET, "/sessions/01900000-0000-7000-8000-000000000000", &Value::Null);
    unknown.await.unwrap().assert(404, "session_gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_restarts_knows_the_sessions_from_their_hosts() {
    let mut scene = Scene::new(2, 2).await;
    let launched = scene.alice.launch(&scene.resources[0]).await.unwrap();
    let session = launched["session_id"].as_str().unwrap().to_owned();
    for host in &scene.hosts {
        // Logged on, as a client would: the session is more than a promise.
        for report in host.machine.sessions() {
            assert_eq!(report.state(), SessionState::Prepared);
        }
    }
    scene.farm.restart_broker().await;
    let known = scene.farm.sessions_until("it is known again", |sessions| sessions.len() == 1).await;
    assert_eq!(known[0]["id"], json!(session));
    scene.farm.gateways_attached().await;
    for host in &scene.hosts {
        scene.farm.host_reports(host, true).await;
    }
    let again = scene.alice.launch(&scene.resources[0]).await.unwrap();
    assert_eq!((&again["session_id"], &again["reconnected"]), (&json!(session), &json!(true)), "{again}");
    assert_eq!(scene.farm.id_of("pools", POOL).await.unwrap(), scene.farm.pool);
    scene.placed([1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_reach_the_agents() {
    let scene = Scene::new(1, 1).await;
    scene
        .pool(|spec| {
            spec["settings"] =
                json!({ "max_sessions": 7, "linger_disconnect_secs": 3, "accounts": "create" });
        })
        .await;
    let host = &scene.hosts[0];
    let path = format!("/hosts/{}", host.id);
    scene
        .farm
        .admin
        .change(&path, |spec| spec["settings"]["linger_disconnect_secs"] = json!(9))
        .await
        .unwrap();
    wait::until("the agent has the host's own before the pool's", async || {
        let settings = host.machine.settings();
        let seen = (settings.max_sessions, settings.linger_disconnect_secs, settings.create_accounts);
        wait::ensure(seen == (7, 9, true), seen)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_says_how_its_hosts_are_and_which_sessions_run_on_them() {
    let scene = Scene::new(3, 2).await;
    let admin = &scene.farm.admin;
    admin
        .change(&format!("/hosts/{}", scene.hosts[0].id), |spec| spec["settings"]["max_sessions"] = json!(7))
        .await
        .unwrap();
    scene.pool(|spec| spec["settings"]["max_sessions"] = json!(4)).await;
    scene.loads_known(&[0.9, 0.3, 0.3]).await;
    scene.logon_mode(2, "drain").await;
    scene.placed([0, 1]).await;
    let pool = format!("/pools/{}", scene.farm.pool);
    wait::until("the pool's state is known", async || {
        let state = admin.get(&pool).await.map_err(|error| format!("{error:#}"))?["state"].clone();
        let cpu = state["cpu_load"].as_f64().unwrap_or_default();
        let numbers = ["hosts", "connected", "open", "sessions", "places"].map(|name| state[name].as_u64());
        wait::ensure(numbers == [3, 3, 2, 2, 15].map(Some) && (cpu - 0.5).abs() < 0.01, state)
    })
    .await;
    let sessions = async |query: &str| {
        let found = admin.get(&format!("/sessions?{query}")).await.unwrap();
        found["items"].as_array().map(Vec::len)
    };
    assert_eq!(sessions(&format!("pool={}", scene.farm.pool)).await, Some(2));
    let other = admin.create("pools", "Other", json!({})).await.unwrap();
    assert_eq!(sessions(&format!("pool={other}")).await, Some(0));
    let state = admin.get(&format!("/pools/{other}")).await.unwrap()["state"].clone();
    assert_eq!((&state["hosts"], &state["cpu_load"]), (&json!(0), &Value::Null));
}
