//! CPU optimisation against the kernel: busy loops in a session.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use oriel_agent::{
    cpu::{Keeper, decision::LOWERED},
    host::SessionHost,
    proc::{ProcessId, Signal},
};
use oriel_model::host::CpuOptimisation;

use crate::rig::{DEADLINE, Rig, program};

/// The priority of a process, as nice(1) counts: field 19 of its `stat`, behind the name.
fn priority(pid: u32) -> i32 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
    fields[16].parse().unwrap()
}

/// Rounds, one after the other, until the priorities are these.
fn until(keeper: &mut Keeper, rig: &Rig, settings: &CpuOptimisation, wanted: &BTreeMap<u32, i32>) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        keeper.round(&rig.host().session_processes(), settings);
        let are: BTreeMap<u32, i32> = wanted.keys().map(|pid| (*pid, priority(*pid))).collect();
        if are == *wanted {
            return;
        }
        assert!(Instant::now() < deadline, "waited in vain for {wanted:?}: {are:?}, {keeper:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

pub async fn busy_loops_are_lowered_and_restored(rig: &Rig) {
    let busy = "-e sh -c 'sh -c \"while :; do :; done # one\" & sh -c \"while :; do :; done # two\"'";
    let (session, _client) = rig.open("alice", program("xterm", busy)).await;
    let one = rig.pid_of(session, "sh -c while :; do :; done # one").await;
    let two = rig.pid_of(session, "sh -c while :; do :; done # two").await;
    // A loop of nobody's session, as heavy as they are.
    let mut stranger = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();

    // Two loops and more keep any machine of the tests above this.
    let settings = CpuOptimisation {
        enabled: true,
        above_percent: 1,
        critical_percent: 40,
        idle_percent: 10,
        after_secs: 1,
        excluded: Vec::new(),
    };
    let note = rig.path("lowered.json");
    let mut keeper = Keeper::load(note.clone());
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, LOWERED), (two, LOWERED), (stranger.id(), 0)]));

    // One stops for good: it is idle, and gets its priority back.
    let process = ProcessId::of(two).unwrap();
    process.signal(Signal::STOP).unwrap();
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, LOWERED), (two, 0)]));
    process.signal(Signal::CONT).unwrap();
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, LOWERED), (two, LOWERED)]));

    // The agent is gone without a word; the next one undoes it.
    drop(keeper);
    assert_eq!((priority(one), priority(two)), (LOWERED, LOWERED));
    let mut keeper = Keeper::load(note.clone());
    assert_eq!((priority(one), priority(two)), (0, 0));

    let excluded = std::fs::read_link(format!("/proc/{one}/exe")).unwrap();
    let excluded = excluded.file_name().unwrap().to_str().unwrap().to_owned();
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, LOWERED), (two, LOWERED)]));
    let without = CpuOptimisation { excluded: vec![excluded], ..settings.clone() };
    until(&mut keeper, rig, &without, &BTreeMap::from([(one, 0), (two, 0)]));
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, LOWERED), (two, LOWERED)]));
    let off = CpuOptimisation { enabled: false, ..settings };
    keeper.round(&rig.host().session_processes(), &off);
    assert_eq!((priority(one), priority(two)), (0, 0), "switched off means at once");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    std::fs::remove_file(note).unwrap();
    rig.end(session).await;
}
