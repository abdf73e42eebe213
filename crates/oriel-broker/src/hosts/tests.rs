//! The registry with streams that are channels.

use oriel_model::{Kind, SettingsObject};
use oriel_wire::v1::{
    AgentHello, BrokerMessage, Done, HostReport, HostSettings, Prepared, Refused, SessionRef, SessionReport,
    agent_request::Body, broker_message,
};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::*;
use crate::session_proof::{Made, SessionProofKey};

struct Stream {
    epoch: u64,
    outbound: mpsc::Receiver<Result<BrokerMessage, Status>>,
    end: CancellationToken,
}

fn attach(hosts: &Hosts, host: Id<Host>) -> Stream {
    let hello = AgentHello { rdp_address: "192.0.2.1:3389".into(), ..Default::default() };
    attach_saying(hosts, host, hello)
}

fn attach_saying(hosts: &Hosts, host: Id<Host>, hello: AgentHello) -> Stream {
    let (sender, outbound) = mpsc::channel(8);
    let end = CancellationToken::new();
    let ends = end.clone().drop_guard();
    let (remote, settings) = ([192, 0, 2, 1].into(), HostSettings::default());
    let attached = Attached { hello, remote, settings, sender, ends };
    Stream { epoch: hosts.attach(host, attached), outbound, end }
}

impl Stream {
    async fn next_request(&mut self) -> AgentRequest {
        loop {
            match self.outbound.recv().await.and_then(Result::ok).and_then(|message| message.body) {
                Some(broker_message::Body::Request(request)) => return request,
                Some(broker_message::Body::Settings(_)) => {}
                None => panic!("the stream has ended"),
            }
        }
    }

    fn answer(&self, hosts: &Hosts, host: Id<Host>, request: &AgentRequest, body: agent_reply::Body) {
        hosts.answered(
            &view(host),
            host,
            self.epoch,
            AgentReply { request_id: request.request_id, body: Some(body) },
        );
    }

    /// Reports these sessions, each with the proof of its user where there is one.
    fn report(&self, hosts: &Hosts, host: Id<Host>, sessions: &[(Id<Session>, Option<Id<User>>)]) -> bool {
        let proofs = SessionProofKey::generate().expect("random");
        let resource = Id::generate(now());
        let report = |(session, user): &(Id<Session>, Option<Id<User>>)| SessionReport {
            session_id: session.to_string(),
            user_name: "Alice".into(),
            user_id: user.map(|user| user.to_string()).unwrap_or_default(),
            resource_id: resource.to_string(),
            proof: user
                .map(|user| proofs.prove(&Made { session: *session, user, host, resource }))
                .unwrap_or_default(),
            ..Default::default()
        };
        let reports: Vec<_> = sessions.iter().map(report).collect();
        let read = |one: &SessionReport| HostSession::from_report(host, one.clone(), &proofs);
        let sessions = reports.iter().filter_map(read).collect();
        let report = HostReport { sessions: reports, healthy: true, ..Default::default() };
        hosts.reported(host, self.epoch, host::Report { report, sessions }, now())
    }
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn ping() -> Body {
    Body::Release(SessionRef { session_id: "x".into() })
}

/// A view with this one host.
fn view(host: Id<Host>) -> FarmView {
    view_at(host, None)
}

fn view_at(host: Id<Host>, address: Option<&str>) -> FarmView {
    let mut view = FarmView::default();
    let pool: Id<Host> = Id::generate(now());
    let object = |kind, id: Id<Host>, spec| SettingsObject {
        kind,
        id: id.cast(),
        name: "h1".into(),
        site: None,
        spec,
        revision: 1,
        changed_at: now(),
        changed_by: "system".into(),
    };
    view.put(&object(Kind::Pool, pool, json!({"settings": {"max_sessions": 2}})));
    view.put(&object(Kind::Host, host, json!({"pool": pool, "address": address})));
    view.reindex();
    view
}

#[tokio::test]
async fn requests_are_answered_in_any_order_and_a_no_is_told_apart() {
    let (hosts, host) = (Hosts::default(), Id::generate(now()));
    assert_eq!(hosts.order(host, "test", ping()).await, Err(HostError::NotConnected));
    let mut stream = attach(&hosts, host);
    let agent = async {
        let (one, two) = (stream.next_request().await, stream.next_request().await);
        let no = Refused { code: RefusalCode::Full.into(), reason: String::new() };
        stream.answer(&hosts, host, &two, agent_reply::Body::Refused(no));
        stream.answer(&hosts, host, &one, agent_reply::Body::Done(Done {}));
    };
    let (one, two, ()) =
        tokio::join!(hosts.order(host, "test", ping()), hosts.order(host, "test", ping()), agent);
    assert_eq!(one, Ok(()));
    let no = two.expect_err("refused");
    assert_eq!(no.to_string(), "the host has all the sessions it may have");
}

#[tokio::test]
async fn a_new_stream_ends_the_old_one_and_its_requests() {
    let (hosts, host) = (Hosts::default(), Id::generate(now()));
    let old = attach(&hosts, host);
    let waiting = hosts.order(host, "test", ping());
    let replace = async { attach(&hosts, host) };
    let (lost, new) = tokio::join!(waiting, replace);
    assert_eq!(lost, Err(HostError::Lost));
    assert!(old.end.is_cancelled() && !new.end.is_cancelled());
    let session = Id::generate(now());
    assert!(!old.report(&hosts, host, &[(session, None)]), "an old stream says nothing any more");
    assert!(new.report(&hosts, host, &[(session, None)]));
    hosts.detach(host, old.epoch);
    assert!(hosts.live(host).is_some_and(|live| live.connected));
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_is_forgotten() {
    let (hosts, host) = (Hosts::default(), Id::generate(now()));
    let mut stream = attach(&hosts, host);
    for _ in 0..PENDING_MAX * 2 {
        let request = tokio::time::timeout(Duration::from_millis(1), hosts.order(host, "test", ping()));
        let (gone, request) = tokio::join!(request, stream.next_request());
        assert!(gone.is_err());
        stream.answer(&hosts, host, &request, agent_reply::Body::Done(Done {}));
    }
}

#[tokio::test]
async fn promised_seats_count_until_the_host_reports_them() {
    let (hosts, host) = (Hosts::default(), Id::generate(now()));
    let view = view(host);
    let stream = attach(&hosts, host);
    assert!(stream.report(&hosts, host, &[]));
    let sessions = || hosts.snapshot(&view, host).map(|snapshot| (snapshot.sessions, snapshot.max_sessions));
    assert_eq!(sessions(), Some((0, 2)));
    let (one, two) = (Id::generate(now()), Id::generate(now()));
    let (kept, dropped) = (hosts.promise(host, one), hosts.promise(host, two));
    assert_eq!(sessions(), Some((2, 2)));
    drop(dropped);
    kept.keep();
    assert_eq!(sessions(), Some((1, 2)));
    assert!(stream.report(&hosts, host, &[(one, None)]));
    assert_eq!(sessions(), Some((1, 2)));
}

#[tokio::test]
async fn a_users_sessions_are_found_on_every_host_and_forgotten_with_it() {
    let hosts = Hosts::default();
    let (h1, h2) = (Id::generate(now()), Id::generate(now()));
    let (s1, s2, s3) = (Id::generate(now()), Id::generate(now()), Id::generate(now()));
    let (one, two) = (attach(&hosts, h1), attach(&hosts, h2));
    let (alice, bob) = (Id::generate(now()), Id::generate(now()));
    one.report(&hosts, h1, &[(s1, Some(alice)), (s2, Some(bob))]);
    // That it calls itself hers is no proof, and that it claims another's session neither.
    two.report(&hosts, h2, &[(s3, Some(alice)), (Id::generate(now()), None), (s2, None)]);
    let of_alice = || hosts.sessions_of(alice).iter().map(|session| session.host).collect::<HashSet<_>>();
    assert_eq!(hosts.sessions_of(alice).len(), 2);
    let nobodys = hosts.sessions().into_iter().filter(|session| session.user.is_none());
    assert!(nobodys.map(|session| session.user_name).eq(["", ""]));
    assert_eq!(of_alice(), HashSet::from([h1, h2]));
    assert_eq!(hosts.session(s2).map(|session| session.host), Some(h1));
    one.report(&hosts, h1, &[(s2, Some(bob))]);
    assert_eq!(of_alice(), HashSet::from([h2]));
    hosts.forget(h2);
    assert!(two.end.is_cancelled());
    assert!(of_alice().is_empty() && read(&hosts.users).len() == 1);
}

#[tokio::test]
async fn a_drain_is_over_only_when_a_report_long_after_the_order_says_so() {
    let (hosts, host) = (Hosts::default(), Id::generate(now()));
    let stream = attach(&hosts, host);
    let drain = HostSettings { logon_mode: 3, logon_mode_revision: 7, ..Default::default() };
    let (_, state) = hosts.states().remove(0);
    let is_over = |settled| lock(&state).has_ended_drain(&drain, settled);
    stream.report(&hosts, host, &[]);
    assert!(!is_over(Duration::ZERO), "it was not told to drain");
    lock(&state).tell(drain.clone(), std::time::Instant::now());
    assert!(!is_over(Duration::ZERO), "it may not have heard of it");
    tokio::time::sleep(Duration::from_millis(5)).await;
    stream.report(&hosts, host, &[]);
    assert!(is_over(Duration::ZERO));
    assert!(!is_over(Duration::from_secs(3)), "the report may have been on its way");
}

#[tokio::test]
async fn gateways_go_only_to_the_hosts_own_address_or_to_an_administrators() {
    let (hosts, host) = (Hosts::default(), Id::generate(now()));
    let (own, named) = (view(host), view_at(host, Some("10.0.0.9")));
    let mut stream = attach(&hosts, host);
    stream.report(&hosts, host, &[]);
    let problem = |view| hosts.snapshot(view, host).and_then(|snapshot| snapshot.problem);
    assert_eq!((problem(&own), problem(&named)), (None, None));
    let mut prepare = async |view: &FarmView| {
        let elsewhere = Prepared { rdp_address: "10.0.0.9:5432".into(), ..Default::default() };
        let agent = async {
            let AgentRequest { request_id, .. } = stream.next_request().await;
            let body = Some(agent_reply::Body::Prepared(elsewhere));
            hosts.answered(view, host, stream.epoch, AgentReply { request_id, body });
        };
        tokio::join!(hosts.request(host, "test", ping()), agent).0.map_err(|no| no.to_string())
    };
    let refusal = "its agent connects from 192.0.2.1 but has gateways go to 10.0.0.9: if that is right, say so \
                   in the host's settings (oriel host set HOST --address 10.0.0.9)";
    assert_eq!(prepare(&own).await.map(drop), Err(refusal.into()));
    assert_eq!(prepare(&named).await.map(drop), Ok(()));

    // Nor is a host placed on that says so from the beginning.
    let hello = AgentHello { rdp_address: "10.0.0.9:3389".into(), ..Default::default() };
    let _stream = attach_saying(&hosts, host, hello);
    assert_eq!((problem(&own).as_deref(), problem(&named)), (Some(refusal), None));
}
