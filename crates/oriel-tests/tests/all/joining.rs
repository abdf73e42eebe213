//! One invitation joins anything: once, in time, as what it says, into the farm it says.

use std::{path::Path, time::Duration};

use oriel_model::{Timestamp, role::Role};
use oriel_net::{
    connect,
    identity::NodeIdentity,
    tls::{ReloadingIdentity, internal_client},
};
use oriel_testkit::{agent::SimulatedAgent, clock::ShiftedClock, farm::Farm, wait};
use oriel_wire::{
    enrolment::{self, FILE_NAME},
    invitation::InvitationString,
    v1::{
        self, agent_link_client::AgentLinkClient, enrolment_client::EnrolmentClient,
        gateway_link_client::GatewayLinkClient,
    },
};
use serde_json::json;

const REFUSED: &str = "the broker refused the invitation: it was used before, was withdrawn, or has expired";

/// What a person does to an invitation before using it, and what they read then.
struct Case {
    what: &'static str,
    change: fn(&mut InvitationString, &Farm),
    says: &'static str,
}

const CASES: &[Case] = &[
    Case {
        what: "another secret",
        change: |invitation, _| invitation.secret = "bm90LWl0".to_owned().into(),
        says: REFUSED,
    },
    Case {
        what: "an invitation that nobody made",
        change: |invitation, _| invitation.id = oriel_model::Id::generate(Timestamp::UNIX_EPOCH),
        says: REFUSED,
    },
    Case {
        what: "the fingerprint of another farm",
        change: |invitation, _| invitation.authority_sha256 = "ab".repeat(32),
        says: "no broker of the farm could be reached at",
    },
    Case {
        what: "a fingerprint that is none",
        change: |invitation, _| invitation.authority_sha256 = "xyz".into(),
        says: "the invitation is damaged",
    },
    Case {
        what: "an address where nobody is",
        change: |invitation, _| invitation.addresses = vec!["127.0.0.1:1".into()],
        says: "no broker of the farm could be reached at 127.0.0.1:1",
    },
    Case {
        what: "the port for administrators",
        change: |invitation, farm| invitation.addresses = vec![farm.ports().management.to_string()],
        says: "no broker of the farm could be reached",
    },
    Case {
        what: "a time that is over",
        change: |invitation, _| invitation.expires_at = Timestamp::UNIX_EPOCH,
        says: "this invitation expired at 1970-01-01T00:00:00Z; ask the administrator for a new one",
    },
    Case {
        what: "an invitation for something else",
        change: |invitation, _| invitation.role = Role::Gateway,
        says: "this invitation is for the role gateway; ask for one for the role agent",
    },
];

async fn refusal(invitation: &InvitationString, role: Role, directory: &Path) -> String {
    let joined = enrolment::join(invitation, role, "late", directory, Timestamp::now()).await;
    let refusal = joined.expect_err("it must be refused").to_string();
    assert!(!directory.join(FILE_NAME).exists(), "nothing is left behind after: {refusal}");
    refusal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_invitation_is_refused_in_words() {
    let farm = Farm::broker_only().await;
    let good: InvitationString = farm.invite(Role::Agent).await.unwrap().parse().unwrap();
    for Case { what, change, says } in CASES {
        let mut invitation = good.clone();
        change(&mut invitation, &farm);
        let refusal = refusal(&invitation, Role::Agent, &farm.directory().join("changed")).await;
        assert!(refusal.starts_with(says), "{what}: {refusal}");
    }
    // None of that has used it up.
    let directory = farm.directory().join("h1");
    let joined = enrolment::join(&good, Role::Agent, "h1", &directory, Timestamp::now()).await;
    assert_eq!(joined.unwrap().name, "h1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_works_once_and_for_one_role() {
    let farm = Farm::broker_only().await;
    let text = farm.invite(Role::Gateway).await.unwrap();
    let invitation: InvitationString = text.parse().unwrap();

    // A liar changes the role in the string; the broker knows better.
    let forged = InvitationString {
        role: Role::Agent,
        addresses: vec![farm.ports().agent.to_string()],
        ..invitation.clone()
    };
    assert_eq!(refusal(&forged, Role::Agent, &farm.directory().join("forged")).await, REFUSED);

    // Both at once: one gets in.
    let directories = ["one", "two"].map(|name| farm.directory().join(name));
    let now = Timestamp::now();
    let (one, two) = tokio::join!(
        enrolment::join(&invitation, Role::Gateway, "one", &directories[0], now),
        enrolment::join(&invitation, Role::Gateway, "two", &directories[1], now),
    );
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1, "{one:?} {two:?}");
    assert_eq!(refusal(&invitation, Role::Gateway, &farm.directory().join("three")).await, REFUSED);

    let list = farm.admin.get("/invitations").await.unwrap();
    assert_eq!(list["items"][0]["state"], "used", "{list}");
    let gateways = farm.admin.get("/gateways").await.unwrap();
    assert_eq!(gateways["items"].as_array().unwrap().len(), 1, "{gateways}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_decides_whether_an_invitation_is_too_old_or_withdrawn() {
    let farm = Farm::broker_only().await;
    let old: InvitationString = farm.invite(Role::Gateway).await.unwrap().parse().unwrap();
    let withdrawn: InvitationString = farm.invite(Role::Gateway).await.unwrap().parse().unwrap();
    let gone = farm.admin.try_delete(&format!("/invitations/{}", withdrawn.id), 1).await.unwrap();
    gone.assert(204, "");
    assert_eq!(refusal(&withdrawn, Role::Gateway, &farm.directory().join("withdrawn")).await, REFUSED);

    farm.clock.set_ahead(Duration::from_secs(25 * 3600));
    // The machine's own clock is a day late, so only the broker can tell.
    assert_eq!(refusal(&old, Role::Gateway, &farm.directory().join("old")).await, REFUSED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_joins_one_farm() {
    let farm = Farm::broker_only().await;
    let directory = farm.join(Role::Gateway, "gate").await.unwrap();
    let invitation = farm.invite(Role::Gateway).await.unwrap().parse().unwrap();
    let again = enrolment::join(&invitation, Role::Gateway, "gate", &directory, Timestamp::now()).await;
    let refusal = again.unwrap_err().to_string();
    assert!(refusal.contains("belongs to a farm already"), "{refusal}");
    for damaged in ["", "oriel1.", "oriel1.AAAA", "hello"] {
        assert!(damaged.parse::<InvitationString>().is_err(), "{damaged}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_counts_only_for_its_own_role() {
    let farm = Farm::broker_only().await;
    let ports = farm.ports();
    for (role, wrong_port) in [(Role::Gateway, ports.agent), (Role::Agent, ports.gateway)] {
        let directory = farm.join(role, role.as_str()).await.unwrap();
        let identity = ReloadingIdentity::new(NodeIdentity::load(&directory).unwrap()).unwrap();
        let channel = |address: std::net::SocketAddr| {
            connect::channel(vec![address.to_string()], internal_client(&identity, Role::Broker).unwrap())
        };
        let nothing = tokio_stream::iter([v1::AgentMessage { body: None }]);
        let agent = async {
            let mut stream = AgentLinkClient::new(channel(wrong_port)).attach(nothing).await?.into_inner();
            stream.message().await.map(drop)
        };
        let nothing = tokio_stream::iter([v1::GatewayMessage { body: None }]);
        let gateway = async {
            let mut stream = GatewayLinkClient::new(channel(wrong_port)).attach(nothing).await?.into_inner();
            stream.message().await.map(drop)
        };
        let (agent, gateway): (Result<(), tonic::Status>, Result<(), tonic::Status>) =
            tokio::join!(agent, gateway);
        let statuses = [agent.unwrap_err(), gateway.unwrap_err()];
        for status in &statuses {
            let refused = [tonic::Code::PermissionDenied, tonic::Code::Unimplemented];
            assert!(refused.contains(&status.code()), "a {role} at {wrong_port}: {status}");
        }
        assert!(statuses.iter().any(|status| status.code() == tonic::Code::PermissionDenied));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_attaches_without_a_certificate() {
    let farm = Farm::broker_only().await;
    let invitation: InvitationString = farm.invite(Role::Agent).await.unwrap().parse().unwrap();
    let authority = invitation.authority_sha256.parse().unwrap();
    let config = oriel_net::tls::joining_client(authority).unwrap();
    let channel = connect::connected_channel(invitation.addresses.clone(), config).await.unwrap();
    let nothing = tokio_stream::iter([v1::AgentMessage { body: None }]);
    let status = AgentLinkClient::new(channel.clone()).attach(nothing).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unauthenticated, "{status}");
    let renewal = EnrolmentClient::new(channel).renew(v1::RenewRequest { csr_pem: String::new() }).await;
    assert_eq!(renewal.unwrap_err().code(), tonic::Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_component_is_refused() {
    let farm = Farm::broker_only().await;
    let host = farm.add_host("h1").await;
    let view = farm.admin.get(&format!("/hosts/{}", host.id)).await.unwrap();
    let revision = view["revision"].as_u64().unwrap();
    farm.admin.try_delete(&format!("/hosts/{}", host.id), revision).await.unwrap().assert(204, "");
    wait::until("its stream is closed", async || {
        wait::ensure(host.machine.links() == 0, host.machine.links())
    })
    .await;

    let identity = ReloadingIdentity::new(NodeIdentity::load(&host.directory).unwrap()).unwrap();
    let config = internal_client(&identity, Role::Broker).unwrap();
    let channel = connect::channel(vec![farm.ports().agent.to_string()], config);
    let hello = v1::AgentMessage { body: Some(v1::agent_message::Body::Hello(v1::AgentHello::default())) };
    let attached = AgentLinkClient::new(channel.clone()).attach(tokio_stream::iter([hello])).await;
    let status = attached.map(drop).unwrap_err();
    assert_eq!(status.code(), tonic::Code::PermissionDenied, "{status}");
    assert!(status.message().contains("was removed from the farm"), "{status}");

    let csr_pem = oriel_net::identity::KeyRequest::generate().unwrap().csr_pem().unwrap();
    let renewal = EnrolmentClient::new(channel).renew(v1::RenewRequest { csr_pem }).await;
    assert_eq!(renewal.unwrap_err().code(), tonic::Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_renews_itself_before_its_time_is_up() {
    let clock = ShiftedClock::default();
    // The broker's clock is 50 minutes late while the gateway joins, so that a certificate for an hour
    // has ten minutes left when the clock is put right: its renewal is due.
    clock.set_behind(Duration::from_secs(50 * 60));
    let mut farm = Farm::broker_with_clock(clock).await;
    let short = |spec: &mut serde_json::Value| spec["certificate_lifetime_hours"] = json!(1);
    farm.admin.change("/farm", short).await.unwrap();
    let directory = farm.join(Role::Gateway, "gate").await.unwrap();
    let before = NodeIdentity::load(&directory).unwrap();

    farm.clock.set_ahead(Duration::ZERO);
    farm.add_gateway_with(directory.clone(), |_| {});
    let after = wait::until("the certificate is a new one", async || {
        let now = NodeIdentity::load(&directory).unwrap();
        if now.not_after() > before.not_after() { Ok(now) } else { Err(now.not_after()) }
    })
    .await;
    assert_eq!(after.peer(), before.peer());
    assert!(
        after.renew_after(Timestamp::now()) > Duration::from_secs(60),
        "it is renewed once, not on and on"
    );
    farm.gateways_attached().await;
    farm.user("alice", &[]).await;
    farm.signed_in("alice").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_comes_back_with_its_identity() {
    let farm = Farm::broker_only().await;
    let mut host = farm.add_host("h1").await;
    host.lose_agent();
    farm.host_reports(&host, false).await;
    host.resume_agent();
    farm.host_reports(&host, true).await;
    // The same machine after a restart: no session is left.
    host.lose_agent();
    let listener = oriel_testkit::agent::RdpListener::nowhere();
    let restarted = SimulatedAgent::resume("h1", &host.directory, listener).unwrap();
    farm.host_reports(&host, true).await;
    assert!(restarted.host().sessions().is_empty());
    let hosts = farm.admin.get("/hosts").await.unwrap();
    assert_eq!(hosts["items"].as_array().unwrap().len(), 1, "it is the same host: {hosts}");
}
