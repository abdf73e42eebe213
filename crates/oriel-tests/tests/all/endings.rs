//! How connections end: by a right withdrawn, by the host, by the gateway; and what the user is told.

use std::path::Path;

use jiff::SignedDuration;
use oriel_model::{Timestamp, role::Role, session::EndReason};
use oriel_net::{
    connect,
    identity::NodeIdentity,
    tls::{ReloadingIdentity, internal_client},
};
use oriel_testkit::{
    farm::Farm,
    rdp::{ClientOptions, Closed, End, RdpClient, Refusal},
    wait,
};
use oriel_wire::{
    ticket::{self, Claims, TicketError, TicketKey},
    v1::{self, gateway_link_client::GatewayLinkClient},
};
use serde_json::{Value, json};

use crate::connection::{Launch, Scene};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrators_reset_ends_the_connection_with_its_reason() {
    let scene = Scene::new().await;
    let (launch, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    let path = format!("/sessions/{}/reset", launch.session);
    scene.farm.admin.try_post(&path, Value::Null).await.unwrap().assert(204, "");
    let closed = client.closed().await.unwrap();
    // Whoever is first, the gateway that is told or the host that hangs up, the word is the same in the end.
    assert!(matches!(closed.code, Some(4000 | 1000)), "{closed:?}");
    let end = scene.told(&launch).await;
    assert_eq!((&end["reason"], &end["session_running"]), (&json!("reset"), &json!(false)), "{end}");
    scene.farm.sessions_until("it is gone", |sessions| sessions.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawn_right_closes_with_4000_though_the_host_says_nothing() {
    let scene = Scene::new().await;
    let (launch, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    // The host hears of the reset but its RDP side hangs.
    scene.rdp.hang_up_with_sessions(false);
    let path = format!("/sessions/{}/reset", launch.session);
    scene.farm.admin.try_post(&path, Value::Null).await.unwrap().assert(204, "");
    assert_eq!(client.closed().await.unwrap(), Closed { code: Some(4000), reason: "reset".into() });
    assert_eq!(scene.told(&launch).await["reason"], "reset");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_holds_for_the_life_of_a_connection() {
    let scene = Scene::new().await;
    let farm = &scene.farm;
    let staff = farm.group("Staff").await;
    let user = format!("/users/{}", farm.id_of("users", "alice").await.unwrap());
    let editor = format!("/resources/{}", scene.editor);
    let only_staff = json!({
        "rules": [{ "effect": "allow", "criteria": [{ "type": "group", "objects": [staff] }] }],
        "otherwise": "deny",
    });
    let set = async |path: &str, field: &str, value: &Value| {
        farm.admin.change(path, |spec| spec[field] = value.clone()).await.unwrap()
    };
    set(&user, "groups", &json!([staff])).await;
    set(&editor, "rules", &only_staff).await;
    let cut_off = Closed { code: Some(4000), reason: "right_withdrawn".into() };
    for (what, path, field, value, back) in [
        ("the user leaves the group", &user, "groups", json!([]), json!([staff])),
        (
            "the rule changes",
            &editor,
            "rules",
            json!({ "rules": [], "otherwise": "deny" }),
            only_staff.clone(),
        ),
        ("the user is disabled", &user, "enabled", json!(false), json!(true)),
    ] {
        let (launch, mut client) = scene.connect().await;
        client.frame().await.unwrap();
        set(path, field, &value).await;
        assert_eq!(client.closed().await.unwrap(), cut_off, "{what}");
        set(path, field, &back).await;
        let end = scene.told(&launch).await;
        assert_eq!(
            (&end["reason"], &end["session_running"]),
            (&json!("right_withdrawn"), &json!(true)),
            "{what}: {end}"
        );
    }

    // Maintenance lets what runs be finished.
    let (_, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    set(&editor, "status", &json!({ "state": "maintenance", "message": "" })).await;
    let host = scene.rdp.latest().unwrap();
    client.press(30).await.unwrap();
    wait::until("the key arrives", async || wait::ensure(host.input_count() > 0, ())).await;
    assert_eq!(host.ended(), None);
    set(&editor, "status", &json!({ "state": "enabled" })).await;

    let view = farm.admin.get(&user).await.unwrap();
    farm.admin.try_delete(&user, view["revision"].as_u64().unwrap()).await.unwrap().assert(204, "");
    assert_eq!(client.closed().await.unwrap(), cut_off, "deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_disabled_takes_nobody_new_and_one_that_is_deleted_nothing_at_all() {
    let scene = Scene::new().await;
    let farm = &scene.farm;
    let (_, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    let waiting = scene.launch().await;
    let gateway = format!("/gateways/{}", farm.id_of("gateways", "gate-1").await.unwrap());
    let view = farm.admin.change(&gateway, |spec| spec["enabled"] = json!(false)).await.unwrap();
    wait::until("nobody new is let in", async || {
        match RdpClient::open(farm.gateway(), ClientOptions::default()).await.map(drop) {
            Err(Refusal::Handshake(503)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let host = scene.rdp.connections()[0].clone();
    client.press(30).await.unwrap();
    wait::until("who is in works on", async || wait::ensure(host.input_count() > 0, ())).await;

    farm.admin.try_delete(&gateway, view["revision"].as_u64().unwrap()).await.unwrap().assert(204, "");
    wait::until("its calls are refused", async || {
        let answer = scene.alice.get("/me").await.unwrap();
        wait::ensure(answer.status.as_u16() >= 400, answer.to_string())
    })
    .await;
    drop(waiting);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_host_says_in_rdp_closes_the_websocket_with_its_word() {
    let scene = Scene::new().await;
    for (code, word) in [
        (0x02, "logged_off_by_request"),
        (0x03, "idle"),
        (0x05, "taken_over"),
        (0x0b, "disconnected"),
        (0x0c, "logged_off"),
    ] {
        let (_, mut client) = scene.connect().await;
        client.frame().await.unwrap();
        scene.rdp.latest().unwrap().end(End::ErrorInfo(code));
        assert_eq!(client.closed().await.unwrap(), Closed { code: Some(1000), reason: word.into() });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agents_word_for_the_end_is_what_the_user_reads() {
    let scene = Scene::new().await;
    for reason in [
        EndReason::LoggedOff,
        EndReason::LoggedOffByRequest,
        EndReason::DisconnectedTooLong,
        EndReason::Reset,
        EndReason::HostFailed,
        EndReason::Idle,
        EndReason::TakenOver,
        EndReason::DisconnectedByRequest,
    ] {
        let (launch, mut client) = scene.connect().await;
        client.frame().await.unwrap();
        // In RDP the host says the same for all: it hangs up.
        let machine = &scene.host.machine;
        if reason.ends_session() {
            machine.end_session(&launch.session, reason, "");
        } else {
            machine.disconnect_session(&launch.session, reason);
            scene.rdp.latest().unwrap().end(End::Ultimatum);
        }
        client.closed().await.unwrap();
        let end = scene.told(&launch).await;
        assert_eq!(end["reason"], reason.as_str(), "{end}");
        assert_eq!(end["session_running"], !reason.ends_session(), "{end}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_taken_over_elsewhere_says_so() {
    let scene = Scene::new().await;
    let (first, mut before) = scene.connect().await;
    before.frame().await.unwrap();
    let old = scene.rdp.latest().unwrap();
    // The same user opens it again in another window.
    let (second, mut after) = scene.connect().await;
    assert_eq!(second.session, first.session);
    old.end(End::ErrorInfo(5));
    assert_eq!(before.closed().await.unwrap().reason, "taken_over");
    after.frame().await.unwrap();
    assert_eq!(scene.told(&first).await["session_running"], true);
    let end =
        scene.alice.get(&format!("/connections/{}/end?wait=0", second.connection)).await.unwrap().json();
    assert_eq!(end["ended"], false, "{end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_connection_is_told_to_its_owner_alone() {
    let scene = Scene::new().await;
    scene.farm.user("bob", &[]).await;
    let bob = scene.farm.signed_in("bob").await;
    let (launch, client) = scene.connect().await;
    let path = format!("/connections/{}/end?wait=0", launch.connection);
    let (strange, absent) = (
        bob.get(&path).await.unwrap(),
        bob.get("/connections/01900000-0000-7000-8000-000000000000/end?wait=0").await.unwrap(),
    );
    assert_eq!(
        (strange.status, &strange.body),
        (absent.status, &absent.body),
        "hidden and absent look alike"
    );
    scene.farm.portal().get(&path).await.unwrap().assert(401, "signed_out");
    drop(client);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_ends_when_its_time_is_up() {
    let scene = Scene::new().await;
    let launch = scene.launch().await;
    // The same ticket with a limit of two seconds: the shortest that an administrator can set is an hour.
    let keys: Vec<_> = scene
        .farm
        .broker()
        .ticket_keys
        .for_gateways()
        .iter()
        .filter_map(|key| TicketKey::from_bytes(key.key_id, &key.secret))
        .collect();
    let now = Timestamp::now();
    let claims = ticket::open(&launch.ticket, &keys, now).unwrap();
    let claims = Claims { connected_until: now + SignedDuration::from_secs(2), ..claims };
    let short = ticket::seal(&claims, keys.first().unwrap()).unwrap();
    let mut client =
        RdpClient::connect(scene.farm.gateway(), &short, ClientOptions::default()).await.unwrap();
    client.frame().await.unwrap();
    let limit = Closed { code: Some(4000), reason: "limit_reached".into() };
    assert_eq!(client.closed().await.unwrap(), limit);
    let end = scene.told(&launch).await;
    assert_eq!((&end["reason"], &end["session_running"]), (&json!("limit_reached"), &json!(true)), "{end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closing_gateway_drains() {
    let mut scene = Scene::new().await;
    let (launch, mut client) = scene.connect().await;
    client.frame().await.unwrap();
    let waiting = scene.launch().await;
    let gateway = scene.farm.gateway();
    let stopped = tokio::spawn(scene.farm.begin_to_stop_gateway(0));
    // Nobody new comes in, and the health page says so to balancers.
    let (refused, health) = wait::until("it drains", async || {
        let refused = RdpClient::open(gateway, ClientOptions::default()).await.map(drop);
        let health =
            oriel_testkit::http::HttpClient::new(gateway).send(http::Method::GET, "/healthz", &[], "").await;
        match (refused, health) {
            (Err(Refusal::Handshake(status)), Ok(health)) => Ok((status, health)),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!((refused, health.status.as_u16()), (503, 503), "{health}");
    // Who is in works on until the deadline, then is told.
    client.press(1).await.unwrap();
    let closed = client.closed().await.unwrap();
    assert_eq!(closed, Closed { code: Some(4000), reason: "gateway_closing".into() });
    stopped.await.unwrap();
    assert!(tokio::net::TcpStream::connect(gateway).await.is_err(), "the port is closed");

    scene.farm.start_gateway(0).await;
    scene.farm.gateways_attached().await;
    let end = scene.told(&launch).await;
    assert_eq!((&end["reason"], &end["session_running"]), (&json!("gateway_closing"), &json!(true)), "{end}");
    // A ticket that was waiting opens the connection at the new one.
    RdpClient::connect(gateway, &waiting.ticket, ClientOptions::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_gateway_takes_the_ticket_and_a_reset_finds_the_connection_there() {
    let mut scene = Scene::new().await;
    scene.farm.add_gateway("gate-2").await;
    let launch = scene.launch().await;
    let other = scene.farm.gateways()[1];
    let mut client = RdpClient::connect(other, &launch.ticket, ClientOptions::default()).await.unwrap();
    client.frame().await.unwrap();
    let path = format!("/sessions/{}/disconnect", launch.session);
    scene.farm.admin.try_post(&path, Value::Null).await.unwrap().assert(204, "");
    let closed = client.closed().await.unwrap();
    assert_eq!(closed, Closed { code: Some(4000), reason: "disconnected_by_request".into() });
}

/// Attaches as a gateway and notes the ticket keys that it is told, as a thief with its machine would.
async fn keys_told_to(farm: &Farm, directory: &Path) -> Vec<TicketKey> {
    let identity = ReloadingIdentity::new(NodeIdentity::load(directory).unwrap()).unwrap();
    let config = internal_client(&identity, Role::Broker).unwrap();
    let channel = connect::channel(vec![farm.ports().gateway.to_string()], config);
    let hello =
        v1::GatewayMessage { body: Some(v1::gateway_message::Body::Hello(v1::GatewayHello::default())) };
    let stream = tokio_stream::StreamExt::chain(tokio_stream::iter([hello]), tokio_stream::pending());
    let mut down = GatewayLinkClient::new(channel).attach(stream).await.unwrap().into_inner();
    let first = down.message().await.unwrap().unwrap().body;
    let Some(v1::gateway_command::Body::Settings(settings)) = first else { panic!("no settings: {first:?}") };
    let key = |key: &v1::TicketKey| TicketKey::from_bytes(key.key_id, &key.secret).unwrap();
    settings.ticket_keys.iter().map(key).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_of_a_deleted_gateway_open_no_new_ticket_and_the_others_have_the_new_one() {
    let mut scene = Scene::new().await;
    let directory = scene.farm.join(Role::Gateway, "stolen").await.unwrap();
    let stolen = keys_told_to(&scene.farm, &directory).await;
    let opens = |launch: &Launch| ticket::open(&launch.ticket, &stolen, Timestamp::now()).map(drop);
    let before = scene.launch().await;
    assert_eq!(opens(&before), Ok(()));

    let path = format!("/gateways/{}", scene.farm.id_of("gateways", "stolen").await.unwrap());
    let revision = scene.farm.admin.get(&path).await.unwrap()["revision"].as_u64().unwrap();
    scene.farm.admin.try_delete(&path, revision).await.unwrap().assert(204, "");
    // Tickets of just before are still good.
    let gateway = scene.farm.gateway();
    let connected = RdpClient::connect(gateway, &before.ticket, ClientOptions::default()).await;
    connected.unwrap_or_else(|refusal| panic!("{refusal:?}")).frame().await.unwrap();
    let launch = wait::until("new tickets are sealed with another key", async || {
        let answer = scene.alice.try_launch(&scene.editor).await.unwrap();
        let launch = answer.expect_success().map(Launch::from)?;
        anyhow::ensure!(opens(&launch).is_err(), "still the old key");
        Ok::<_, anyhow::Error>(launch)
    })
    .await;
    assert!(matches!(opens(&launch), Err(TicketError::UnknownKey(_))), "{:?}", opens(&launch));
    let connected = RdpClient::connect(gateway, &launch.ticket, ClientOptions::default()).await;
    connected.unwrap_or_else(|refusal| panic!("{refusal:?}")).frame().await.unwrap();

    // So it stays after a restart.
    scene.farm.restart_broker().await;
    scene.farm.gateways_attached().await;
    let launch = wait::until("the broker launches again", async || {
        let answer = scene.alice.try_launch(&scene.editor).await.unwrap();
        answer.expect_success().map(Launch::from)
    })
    .await;
    assert!(matches!(opens(&launch), Err(TicketError::UnknownKey(_))));
    let connected = RdpClient::connect(gateway, &launch.ticket, ClientOptions::default()).await;
    connected.unwrap_or_else(|refusal| panic!("{refusal:?}")).frame().await.unwrap();
}
