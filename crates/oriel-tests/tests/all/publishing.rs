//! Launching every kind of resource: documents, pages and folders in their application, several programs
//! in one session, one instance, limits of use.

use oriel_testkit::{
    farm::{Farm, Host},
    http::client_facts,
    wait,
};
use oriel_wire::v1::{Prepare, StartProgram, WindowState, agent_request::Body, prepare::Start};
use serde_json::{Value, json};

/// What the host was last asked to prepare.
pub fn last_prepare(host: &Host) -> Prepare {
    let requests = host.machine.requests().into_iter().rev();
    let prepares = requests.filter_map(|request| match request.body {
        Some(Body::Prepare(prepare)) => Some(prepare),
        _ => None,
    });
    prepares.take(1).next().expect("a prepare")
}

fn program(prepare: &Prepare) -> StartProgram {
    match &prepare.start {
        Some(Start::Program(program)) => program.clone(),
        other => panic!("a program is started, not {other:?}"),
    }
}

fn session(launch: &Value) -> &str {
    launch["session_id"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_opens_in_its_application_with_its_variables() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let application = json!({
        "kind": "application", "source": farm.source(), "program": "writer", "window": "minimised",
        "arguments": "--user %USER% --from '%CLIENTNAME%' --via %GATEWAY%",
        "on_hosts": [{ "host": host.id, "program": "/opt/writer" }],
    });
    let writer = farm.resource("Writer", json!({ "target": application })).await;
    let path = "~/Letters of %USER%/%CLIENTNAME%.odt";
    let letter = json!({ "target": { "kind": "document", "application": writer, "path": path } });
    let letter = farm.resource("Letter", letter).await;
    let alice = farm.signed_in("alice").await;
    let client = |name: &str| {
        let mut facts = client_facts();
        facts["name"] = json!(name);
        facts
    };
    // The name comes from the user's device: it stays within its word, and within its folder.
    let body = json!({ "resource_id": letter, "client": client("../it's; rm -rf \"$HOME\"") });
    alice.post("/launches", body).await.unwrap().assert(201, "");
    let prepare = last_prepare(&host);
    assert_eq!(prepare.resource_id, letter);
    let started = program(&prepare);
    assert_eq!(started.program, "/opt/writer");
    assert_eq!(started.arguments, r#"--user alice --from '../it'\''s; rm -rf "$HOME"' --via gate-1"#);
    assert_eq!(started.opens, r#"~/Letters of alice/.._it's; rm -rf "$HOME".odt"#);
    assert_eq!(started.window(), WindowState::Minimised);

    // Its application's maintenance is the document's.
    let upkeep = json!({ "state": "maintenance", "message": "Back at noon." });
    farm.admin.change(&format!("/resources/{writer}"), |spec| spec["status"] = upkeep.clone()).await.unwrap();
    let bob = farm.user("bob", &[]).await;
    assert!(!bob.is_empty());
    let bob = farm.signed_in("bob").await;
    bob.try_launch(&letter).await.unwrap().assert_says(409, "in_maintenance", "Back at noon.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_open_in_the_users_browser_or_in_a_published_one() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let browser = farm.application("Browser").await;
    let url = "https://intra.example/?who=%FULLNAME%&from=%CLIENTADDRESS%";
    let page = |browser: Option<&str>| json!({ "target": { "kind": "web_application", "url": url, "browser": browser } });
    let own = farm.resource("Own", page(None)).await;
    let published = farm.resource("Published", page(Some(&browser))).await;
    let alice = farm.signed_in("alice").await;

    let shown = alice.resources().await.unwrap();
    let named = |name: &str| shown.iter().find(|resource| resource["name"] == name).unwrap();
    let expected = "https://intra.example/?who=&from=127.";
    assert!(named("Own")["url"].as_str().unwrap().starts_with(expected), "{}", named("Own"));
    assert_eq!(named("Published")["url"], Value::Null);
    let opened = alice.try_launch(&own).await.unwrap();
    opened.assert(200, "");
    assert_eq!(opened.json()["url"], named("Own")["url"]);
    assert!(host.machine.sessions().is_empty(), "a page in the user's own browser needs no session");

    alice.launch(&published).await.unwrap();
    let started = program(&last_prepare(&host));
    assert_eq!(started.program, "/usr/bin/editor");
    assert!(started.opens.starts_with(expected), "{}", started.opens);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_open_in_the_file_manager_and_local_applications_only_on_the_device() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let share = json!({ "kind": "network_folder", "source": farm.source(), "path": "smb://files/%USER%" });
    let share = farm.resource("Share", json!({ "target": share })).await;
    let local = json!({ "kind": "local_application", "program": "calc", "arguments": "%USER%", "systems": ["linux"] });
    let local = farm.resource("Local", json!({ "target": local })).await;
    let folder = farm.resource("Folder", json!({ "target": { "kind": "folder" } })).await;
    let alice = farm.signed_in("alice").await;

    alice.launch(&share).await.unwrap();
    let started = program(&last_prepare(&host));
    assert_eq!((&*started.program, &*started.opens), ("", "smb://files/alice"));
    alice.try_launch(&folder).await.unwrap().assert(404, "not_found");
    alice.try_launch(&local).await.unwrap().assert_says(409, "not_for_this_client", "your own device");
    let by = |system: &str| json!({ "resource_id": local, "client": { "kind": "launcher", "operating_system": system } });
    let started = alice.post("/launches", by("linux")).await.unwrap();
    started.assert(200, "");
    assert_eq!(started.json()["program"]["arguments"], "alice");
    alice.post("/launches", by("windows")).await.unwrap().assert(409, "not_for_this_client");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_on_the_device_is_told_of_shortcuts_and_of_the_files_that_open() {
    let farm = Farm::start().await;
    farm.user("alice", &[]).await;
    let folder = |within: Option<&str>, title: &str| json!({ "target": { "kind": "folder" }, "folder": within, "title": title });
    let office = farm.resource("Office", folder(None, "Büro")).await;
    let texts = farm.resource("Texts", folder(Some(&office), "In/Out")).await;
    let target =
        json!({ "kind": "application", "source": farm.source(), "program": "writer", "extensions": ["odt"] });
    let shortcuts = json!({ "desktop": true, "start_menu": "Oriel/%GROUPS%", "at_start": false });
    farm.resource("Writer", json!({ "target": target, "folder": texts, "shortcuts": shortcuts })).await;
    let alice = farm.signed_in("alice").await;

    let shown = alice.resources().await.unwrap();
    let named = |name: &str| shown.iter().find(|resource| resource["name"] == name).unwrap();
    let writer = named("Writer");
    assert_eq!(writer["extensions"], json!(["odt"]));
    let expected = json!({ "desktop": true, "start_menu": "Oriel/Büro/In_Out", "at_start": false });
    assert_eq!(writer["shortcuts"], expected);
    assert_eq!(named("Büro").get("shortcuts"), None, "there are none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_share_a_session_and_one_instance_is_brought_to_the_front() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let application = |program: &str, one: bool| {
        json!({ "target": { "kind": "application", "source": farm.source(), "program": program,
            "share_session": true, "one_instance": one } })
    };
    let (mail, notes) = (
        farm.resource("Mail", application("mail", true)).await,
        farm.resource("Notes", application("notes", false)).await,
    );
    let alice = farm.signed_in("alice").await;
    let (first, second) = (alice.launch(&mail).await.unwrap(), alice.launch(&notes).await.unwrap());
    assert_eq!(session(&first), session(&second), "both are in one session");
    assert_eq!(host.machine.open_programs(session(&first)).len(), 2);
    assert_eq!(host.machine.sessions().len(), 1);

    let again = alice.launch(&mail).await.unwrap();
    assert_eq!(session(&again), session(&first));
    assert_eq!(host.machine.raised(), [(session(&first).to_owned(), mail.clone())]);
    // Another instance is started where there may be several.
    let body = json!({ "resource_id": notes, "another": true, "client": client_facts() });
    alice.post("/launches", body).await.unwrap().assert(201, "");
    assert_eq!(program(&last_prepare(&host)).program, "notes");
    let body = json!({ "resource_id": mail, "another": true, "client": client_facts() });
    alice.post("/launches", body).await.unwrap().assert(201, "");
    assert_eq!(last_prepare(&host).start, None, "of mail there is one");
}

/// The host knows windows by what they were opened for: a document's is brought to the front when its
/// application is opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_runs_for_a_document_is_brought_to_the_front() {
    let farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let application = |program: &str| {
        json!({ "target": { "kind": "application", "source": farm.source(), "program": program,
            "share_session": true, "one_instance": true } })
    };
    let writer = farm.resource("Writer", application("writer")).await;
    let mail = farm.resource("Mail", application("mail")).await;
    let letter =
        json!({ "target": { "kind": "document", "application": writer, "path": "/srv/letter.odt" } });
    let letter = farm.resource("Letter", letter).await;
    let alice = farm.signed_in("alice").await;
    let first = alice.launch(&letter).await.unwrap();
    alice.launch(&mail).await.unwrap();
    farm.host_reports(&host, true).await;

    let again = alice.launch(&writer).await.unwrap();
    assert_eq!(session(&again), session(&first));
    let prepare = last_prepare(&host);
    assert_eq!((&prepare.start, prepare.same_program_ids), (&None, vec![letter.clone()]));
    assert_eq!(host.machine.raised(), [(session(&first).to_owned(), letter)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_user_beyond_the_limit_is_told_whom_to_ask() {
    let farm = Farm::start().await;
    let hosts = [farm.add_host("h1").await, farm.add_host("h2").await];
    for user in ["u1", "u2", "u3", "u4"] {
        farm.user(user, &[]).await;
    }
    let limit = json!({ "uses": 2, "message": "Ask Kim for a licence." });
    let target = json!({ "kind": "application", "source": farm.source(), "program": "cad" });
    let cad = farm.resource("CAD", json!({ "target": target, "limit": limit })).await;
    let document = json!({ "kind": "document", "application": cad, "path": "/srv/plan.dwg" });
    let plan = farm.resource("Plan", json!({ "target": document })).await;
    let mut portals = Vec::new();
    for user in ["u1", "u2", "u3", "u4"] {
        portals.push(farm.signed_in(user).await);
    }
    // All at once, some by a document of it: two get in, whichever hosts they are on.
    let [one, two, three, four] = &portals[..] else { panic!("four of them") };
    let launches = tokio::join!(
        one.try_launch(&cad),
        two.try_launch(&plan),
        three.try_launch(&cad),
        four.try_launch(&plan)
    );
    let answers: Vec<_> = <[_; 4]>::from(launches).into_iter().map(Result::unwrap).collect();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 201).collect();
    assert_eq!(refused.len(), 2, "{answers:?}");
    for answer in &refused {
        answer.assert_says(409, "limit_reached", "Ask Kim for a licence.");
    }
    let inside = answers.iter().position(|answer| answer.status == 201).unwrap();
    // Whoever is in may come again; who leaves makes room.
    let resource = if inside % 2 == 0 { &cad } else { &plan };
    let again = portals[inside].launch(resource).await.unwrap();
    let outside = answers.iter().position(|answer| answer.status != 201).unwrap();
    for host in &hosts {
        host.machine.close_program(session(&again), resource);
    }
    wait::until("there is room again", async || {
        let answer = portals[outside].try_launch(&cad).await.map_err(|error| error.to_string())?;
        wait::ensure(answer.status == 201, answer.to_string())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_and_sizes_are_told_and_any_gateway_opens_the_ticket() {
    let mut farm = Farm::start().await;
    farm.add_gateway("gate-2").await;
    let host = farm.add_host("h1").await;
    farm.user("alice", &[]).await;
    let second = farm.id_of("gateways", "gate-2").await.unwrap();
    let first = farm.id_of("gateways", "gate-1").await.unwrap();
    let address = farm.gateways()[1].to_string();
    farm.admin
        .change(&format!("/gateways/{second}"), |spec| spec["public_address"] = json!(address))
        .await
        .unwrap();
    let target = json!({ "kind": "desktop", "source": farm.source(),
        "size": { "as": "fixed", "width": 1600, "height": 900 } });
    let routes = json!([{ "by": "address", "address": "near.example:8443" },
        { "by": "gateway", "gateway": second }, { "by": "gateway", "gateway": first },
        { "by": "address", "address": "never.example" }]);
    let desktop = farm.resource("Desktop", json!({ "target": target, "routes": routes })).await;
    let alice = farm.signed_in("alice").await;
    let launch = alice.launch(&desktop).await.unwrap();
    assert_eq!(launch["routes"], json!(["near.example:8443", address]));
    assert_eq!(launch["size"], json!({ "as": "fixed", "width": 1600, "height": 900 }));
    let prepare = last_prepare(&host);
    assert_eq!((prepare.width, prepare.height), (1600, 900));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_counts_those_inside_after_the_broker_was_restarted() {
    let mut farm = Farm::start().await;
    let host = farm.add_host("h1").await;
    for user in ["alice", "bob"] {
        farm.user(user, &[]).await;
    }
    let target = json!({ "kind": "application", "source": farm.source(), "program": "cad" });
    let limit = json!({ "uses": 1, "message": "Ask Kim for a licence." });
    let cad = farm.resource("CAD", json!({ "target": target, "limit": limit })).await;
    let (alice, bob) = (farm.signed_in("alice").await, farm.signed_in("bob").await);
    let launch = alice.launch(&cad).await.unwrap();
    farm.restart_broker().await;
    farm.gateways_attached().await;
    farm.host_reports(&host, true).await;
    bob.try_launch(&cad).await.unwrap().assert_says(409, "limit_reached", "Ask Kim for a licence.");
    alice.try_launch(&cad).await.unwrap().assert(201, "");
    host.machine.close_program(session(&launch), &cad);
    wait::until("there is room again", async || {
        let answer = bob.try_launch(&cad).await.map_err(|error| error.to_string())?;
        wait::ensure(answer.status == 201, answer.to_string())
    })
    .await;
}
