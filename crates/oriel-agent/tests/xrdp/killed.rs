//! An agent in a process of its own, which is killed (SIGKILL) after it has prepared a seat. The process is
//! this test's own program, told so by its environment.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use oriel_agent::{
    host::{SessionHost, SessionId, Start},
    xrdp::Xrdp,
};
use oriel_net::clock::SystemClock;
use serde::{Deserialize, Serialize};

use crate::rig::{DEADLINE, Running, seat};

/// Where its order lies.
const ORDER: &str = "ORIEL_TEST_ORDER";

/// What the process is to do.
#[derive(Serialize, Deserialize)]
pub struct Order {
    pub data_dir: PathBuf,
    pub listen: std::net::SocketAddr,
    pub account: String,
    pub start: Start,
    /// Where it writes what it has prepared.
    pub answer: PathBuf,
}

/// What it has prepared.
#[derive(Serialize, Deserialize)]
pub struct Answer {
    pub session: SessionId,
    pub logon_name: String,
    pub secret: String,
}

/// Prepares and stays until it is killed; returns at once when this process was not asked for that.
pub async fn serve() {
    let Some(file) = std::env::var_os(ORDER) else { return };
    let order: Order = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let config = crate::rig::config(order.data_dir, order.listen);
    let host = Xrdp::start(config, Arc::new(SystemClock)).await.unwrap();
    host.set_limits(crate::rig::LIMITS);
    let mut changes = host.changes();
    while host.snapshot().problem.is_some() {
        changes.changed().await.unwrap();
    }
    let prepared = host.prepare(&seat("alice", order.account, order.start)).await.unwrap();
    let answer = Answer {
        session: prepared.session,
        logon_name: prepared.logon_name,
        secret: prepared.one_time_logon.to_string(),
    };
    let part = order.answer.with_extension("part");
    fs::write(&part, serde_json::to_vec(&answer).unwrap()).unwrap();
    fs::rename(part, order.answer).unwrap();
    std::future::pending::<()>().await;
}

/// Has a seat prepared by another process and kills that. Nobody else may be the agent meanwhile.
pub fn prepare_and_kill(order: &Order) -> Answer {
    let file = order.answer.with_extension("order");
    fs::write(&file, serde_json::to_vec(order).unwrap()).unwrap();
    let agent = Command::new(std::env::current_exe().unwrap())
        .arg("--nocapture")
        .env(ORDER, file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let agent = Running::of(agent);
    let deadline = Instant::now() + DEADLINE;
    while !order.answer.exists() {
        assert!(Instant::now() < deadline, "the other agent prepares nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    // SIGKILL, and waits.
    drop(agent);
    serde_json::from_slice(&fs::read(&order.answer).unwrap()).unwrap()
}
