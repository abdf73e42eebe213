//! What `GET /status` says that wants attention.

use oriel_model::{Id, Spec, Timestamp, gateway::Gateway, host::Host};
use oriel_rules::schedule::{Done, Mark, Outcome};
use oriel_store::{Author, Transaction};
use oriel_wire::v1::{AgentHello, GatewayCommand, GatewayHello, GatewaySettings, HostSettings};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::*;
use crate::{
    gateways, hosts,
    notifications::{deliver_once, look},
};

type Commands = mpsc::Receiver<Result<GatewayCommand, Status>>;

impl Office {
    /// A component, as it is there after it has joined.
    async fn joined<S: Spec>(&self, name: &str, spec: Value) -> Id<S> {
        let now = self.broker.now();
        let (id, spec) = (Id::generate(now), serde_json::from_value::<S>(spec).expect("a spec"));
        let joining = Transaction::new(Author::system(), now).create(id, name, None, &spec);
        self.broker.commit(joining).await.expect("a component");
        id
    }

    /// Has a gateway connect that says it is of this version; it is there while its commands are taken.
    fn gateway_comes(&self, id: Id<Gateway>, version: &str) -> (u64, Commands) {
        let (sender, commands) = mpsc::channel(64);
        let attached = gateways::Attached {
            hello: GatewayHello { version: version.into(), ..GatewayHello::default() },
            settings: GatewaySettings::default(),
            sender,
            ends: CancellationToken::new().drop_guard(),
        };
        (self.broker.gateways.attach(id, attached, self.broker.now()), commands)
    }

    async fn attention(&self) -> Value {
        self.get("status").await.expect(StatusCode::OK)["attention"].clone()
    }
}

fn concerned(attention: &Value) -> Vec<(&str, u64, Vec<&str>)> {
    let all = attention.as_object().expect("fields").iter().filter(|(_, value)| value["count"] != 0);
    let all = all.filter_map(|(name, value)| {
        let named = value["first"].as_array()?.iter().filter_map(|each| each["name"].as_str());
        Some((name.as_str(), value["count"].as_u64()?, named.collect()))
    });
    all.collect()
}

#[tokio::test]
async fn what_wants_attention_is_counted_and_named_to_who_may_see_it() {
    let office = Office::open().await;
    let (broker, now) = (&office.broker, office.broker.now());
    let quiet = office.attention().await;
    assert_eq!((concerned(&quiet), &quiet["log_lost"]), (Vec::new(), &json!(0)));

    let pool = office.get("pools").await.expect(StatusCode::OK)["items"][0]["id"].clone();
    let (mut hosts, mut streams) = (Vec::new(), Vec::new());
    for name in ["h4", "h3", "h2", "h1"] {
        let host: Id<Host> = office.joined(name, json!({"pool": pool})).await;
        let version = if name == "h2" { env!("CARGO_PKG_VERSION") } else { "0.0.1" };
        let (sender, stream) = mpsc::channel(64);
        streams.push(stream);
        let attached = hosts::AttachedHost {
            hello: AgentHello { version: version.into(), ..AgentHello::default() },
            remote: [192, 0, 2, 1].into(),
            settings: HostSettings::default(),
            sender,
            ends: CancellationToken::new().drop_guard(),
        };
        broker.hosts.attach(host, attached);
        hosts.push(host);
    }
    let gateway = office.joined("g1", json!({})).await;
    let (_, _commands) = office.gateway_comes(gateway, "9.9.9");

    let spec = json!({"target": {"kind": "desktop"}, "limit": {"uses": 1}});
    let resource = office.made("resources", json!({"name": "Drawing", "spec": spec})).await;
    let resource = resource.parse().expect("an id");
    let (view, opens) = (broker.farm.load(), vec![resource]);
    let ((), used) = broker.uses.decide(&view, &broker.hosts, opens, |_| ((), true));

    let schedule = json!({"name": "Nightly", "spec": {
        "action": {"do": "reboot"}, "target": {"of": "hosts", "hosts": [hosts[0]]}, "starts_at": "2031-01-01T02:30:00",
    }});
    let schedule = office.made("schedules", schedule).await.parse().expect("an id");
    let mark = Mark::Release { outcome: Outcome::GivenUp };
    broker.schedules.note(Done { schedule, occurrence: now, host: hosts[0], mark, at: now }, "h4");

    // Without a mailbox no mail goes out.
    let watching = json!({
        "event": "refused_sign_ins", "threshold": {"direction": "rises_above", "value": 5},
        "interval_minutes": 1, "mail": {"addresses": ["duty@example.org"]},
    });
    office.made("notifications", json!({"name": "Sign-ins", "spec": watching})).await;
    for _ in 0..6 {
        let body = json!({"name": "nobody", "password": "wrong"}).to_string().into_bytes();
        let headers = [("content-type", "application/json")];
        office.ask(office.request("", Method::POST, "sign-in", &headers, body)).await;
    }
    look(broker).await;
    deliver_once(broker).await;

    let found = office.attention().await;
    let expected = vec![
        ("gateways_of_other_version", 1, vec!["g1"]),
        ("hosts_of_other_version", 3, vec!["h1", "h3", "h4"]),
        ("notifications_not_sent", 1, vec!["Sign-ins"]),
        ("resources_full", 1, vec!["Drawing"]),
        ("schedules_given_up", 1, vec!["Nightly"]),
    ];
    assert_eq!(concerned(&found), expected, "{found:#}");
    assert_eq!(found["resources_full"]["first"][0]["id"], json!(resource));
    drop(used);
    assert_eq!(office.attention().await["resources_full"]["count"], 0);

    let made = office.post("tokens", json!({"name": "desk", "spec": {"role": "help_desk"}})).await;
    let desk = made.expect(StatusCode::CREATED)["secret"].as_str().expect("a secret").to_owned();
    let status = office.send(&desk, Method::GET, "status", "", Vec::new(), None).await.expect(StatusCode::OK);
    assert_eq!(concerned(&status["attention"]), Vec::new(), "{status:#}");
    assert_eq!(status["attention"]["log_lost"], Value::Null);
}

#[tokio::test]
async fn a_gateway_is_told_whole_with_each_of_its_reports_and_when_it_is_away() {
    let office = Office::open().await;
    let mut events = office.listening("gateways").await;
    let gateway: Id<Gateway> = office.joined("g1", json!({})).await;
    let told = events.expect("gateways").await.data;
    assert_eq!((&told["id"], &told["now"]["state"]["reachable"]), (&json!(gateway), &json!(false)));
    let (epoch, _commands) = office.gateway_comes(gateway, "1.2.3");
    let told = events.expect("gateways").await.data;
    assert_eq!(
        (&told["now"]["state"]["reachable"], &told["now"]["state"]["version"]),
        (&json!(true), &json!("1.2.3"))
    );
    let later = Timestamp::MAX;
    office.broker.gateways.reported(gateway, epoch, Default::default(), later);
    let told = events.expect("gateways").await.data;
    assert_eq!(told["now"]["state"]["last_report"], json!(later));
    office.broker.gateways.detach(gateway, epoch);
    let told = events.expect("gateways").await.data;
    assert_eq!(told["now"]["state"]["reachable"], json!(false));
    office.delete(&format!("gateways/{gateway}"), 1).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(events.expect("gateways").await.data["now"], Value::Null);
}
