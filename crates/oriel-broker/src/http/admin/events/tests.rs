//! What takes a listener of the test's own.

use std::time::{Duration, Instant};

use futures_util::StreamExt;

use super::*;
use crate::{BrokerConfig, app::administrators::Caller, bind};

/// A broker that is not run, and its folder.
pub(super) async fn broker() -> (Arc<Broker>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = BrokerConfig::new(folder.path(), std::net::Ipv4Addr::LOCALHOST.into(), "b1");
    for listen in [&mut config.gateway_listen, &mut config.agent_listen, &mut config.management_listen] {
        listen.set_port(0);
    }
    (bind(config).await.expect("a broker").broker().clone(), folder)
}

#[tokio::test]
async fn a_comment_comes_whenever_the_time_for_one_has_passed() {
    assert_eq!(stream::HEARTBEAT, Duration::from_secs(15), "as the document says");
    let (broker, _folder) = broker().await;
    let caller = Caller::system();
    let (hub, heartbeat) = (Arc::<Hub>::default(), Duration::from_millis(50));
    let _seat = hub.seat().expect("nobody listens yet");
    let topics = [Topic::Settings].into();
    let listener = stream::Listener { broker, hub, caller, topics, after: None, heartbeat, _seat };
    let mut body = Events(stream::open(listener)).into_response().into_body().into_data_stream();
    let mut text = async || {
        let chunk = tokio::time::timeout(Duration::from_secs(20), body.next()).await.expect("in time");
        String::from_utf8(chunk.expect("it goes on").expect("bytes").to_vec()).expect("text")
    };
    assert!(text().await.starts_with("event: ready\n"));
    let began = Instant::now();
    for number in 1..=3 {
        let comment = text().await;
        assert!(
            comment.starts_with(':') && comment.ends_with("\n\n") && comment.trim() == ":",
            "{comment:?}"
        );
        // The first may have been on its way when the clock here began.
        assert!(began.elapsed() >= heartbeat * (number - 1), "{:?}", began.elapsed());
    }
}
