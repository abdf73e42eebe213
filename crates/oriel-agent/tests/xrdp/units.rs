//! What differs where systemd runs: xrdp's units are the agent's for the time being.

use std::{
    path::Path,
    process::{Command, Output},
};

use oriel_agent::host::SessionHost;
use oriel_model::session::SessionState;

use crate::rig::{self, Rig, program};

const UNITS: [&str; 2] = ["xrdp.service", "xrdp-sesman.service"];

/// Whether systemd runs here. Whoever expects it says so: then it must.
pub fn are_here() -> bool {
    let are_here = Path::new("/run/systemd/system").is_dir();
    let is_expected = std::env::var_os("ORIEL_TEST_UNITS").is_some();
    assert!(are_here || !is_expected, "systemd does not run here");
    are_here
}

fn systemctl(arguments: &[&str]) -> Output {
    Command::new("systemctl").args(arguments).output().unwrap()
}

fn order(arguments: &[&str]) {
    let output = systemctl(arguments);
    assert!(output.status.success(), "systemctl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn property(unit: &str, name: &str) -> String {
    let output = systemctl(&["show", "--property", name, "--value", unit]);
    assert!(output.status.success(), "{unit}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn main_pid(unit: &str) -> String {
    property(unit, "MainPID")
}

fn main_pids() -> [String; 2] {
    UNITS.map(main_pid)
}

fn is_ours(unit: &str) -> bool {
    property(unit, "DropInPaths").contains("50-oriel.conf")
}

/// The agent runs the package's units, and no program of its own beside them.
pub fn are_used(rig: &Rig) {
    for unit in UNITS {
        assert!(is_ours(unit), "{unit} has not our settings: {}", property(unit, "DropInPaths"));
    }
    assert_eq!(main_pid("xrdp-sesman.service"), rig.sesman());
    assert_eq!(main_pid("xrdp.service"), rig.xrdp());
}

/// Restarted as a package upgrade does, or killed: sessions and connections go on.
pub async fn lose_no_session(rig: &Rig) {
    for unit in UNITS {
        for how in [&["restart", unit][..], &["kill", "--kill-who=main", "--signal=KILL", unit]] {
            rig::say(&format!("systemctl {}", how.join(" ")));
            let (session, client) = rig.open("alice", program("xterm", "-e sleep 1007")).await;
            let pid = rig.pid_of(session, "sleep 1007").await;
            let old = main_pid(unit);
            order(how);
            rig.until("the unit runs anew", || !["0", &old].contains(&main_pid(unit).as_str())).await;
            rig.until("the agent has noticed", || main_pids() == [rig.xrdp(), rig.sesman()]).await;
            rig.until("xrdp listens", || rig.host().snapshot().problem.is_none()).await;
            assert_eq!(rig.state(session), Some(SessionState::Active), "the connection goes on");
            drop(client);
            rig.until("disconnected", || rig.state(session) == Some(SessionState::Disconnected)).await;
            let _client = rig.reopen(session, "alice", &[]).await;
            assert_eq!(rig.pid_of(session, "sleep 1007").await, pid, "the same process");
            rig.end(session).await;
        }
    }
}

/// A second agent on the machine runs its programs itself.
pub async fn are_left_alone_by_another_agent(rig: &Rig) {
    let before = main_pids();
    let another = rig.another_agent().await;
    rig.until("it works", || another.snapshot().problem.is_none()).await;
    another.shut_down(true).await;
    assert_eq!(main_pids(), before);
    are_used(rig);
}

/// After the agent's end the units are the host's again, and run with its configuration.
pub async fn are_given_back(rig: Rig) {
    rig.stop().await;
    for unit in UNITS {
        assert!(!is_ours(unit), "{unit} has our settings still");
        assert_eq!(property(unit, "ActiveState"), "inactive", "{unit}");
        assert_eq!(main_pid(unit), "0", "{unit}");
    }
    order(&["start", "xrdp.service"]);
    for unit in UNITS {
        assert_eq!(property(unit, "ActiveState"), "active", "{unit}");
        assert!(!property(unit, "ExecStart").contains("oriel"));
        let mounts = std::fs::read_to_string(format!("/proc/{}/mounts", main_pid(unit))).unwrap();
        assert!(!mounts.contains("/etc/xrdp/"), "{unit} reads another file than the host's: {mounts}");
    }
    order(&["stop", UNITS[0], UNITS[1]]);
}
