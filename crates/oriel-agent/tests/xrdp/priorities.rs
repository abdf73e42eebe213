//! CPU optimisation against the kernel: busy loops in a session.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use oriel_agent::{
    cpu::{Keeper, decision::lowered},
    host::SessionHost,
    proc::{ProcessId, Signal},
};
use oriel_model::host::CpuOptimisation;

use crate::rig::{DEADLINE, Rig, Running, program};

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
    let stranger = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
    let strange = stranger.id();
    let _stranger = Running::of(stranger);
    // What is started here has the priority of the test, which may be low already.
    let own = priority(std::process::id());
    let low = lowered(own);
    assert!(low > own, "the tests run at a priority that cannot be lowered");

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
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, low), (two, low), (strange, own)]));

    // One stops for good: it is idle, and gets its priority back.
    let process = ProcessId::of(two).unwrap();
    process.signal(Signal::STOP).unwrap();
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, low), (two, own)]));
    process.signal(Signal::CONT).unwrap();
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, low), (two, low)]));

    // The agent is gone without a word; the next one undoes it.
    drop(keeper);
    assert_eq!((priority(one), priority(two)), (low, low));
    let mut keeper = Keeper::load(note.clone());
    assert_eq!((priority(one), priority(two)), (own, own));

    let excluded = std::fs::read_link(format!("/proc/{one}/exe")).unwrap();
    let excluded = excluded.file_name().unwrap().to_str().unwrap().to_owned();
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, low), (two, low)]));
    let without = CpuOptimisation { excluded: vec![excluded], ..settings.clone() };
    until(&mut keeper, rig, &without, &BTreeMap::from([(one, own), (two, own)]));
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, low), (two, low)]));
    let off = CpuOptimisation { enabled: false, ..settings };
    keeper.round(&rig.host().session_processes(), &off);
    assert_eq!((priority(one), priority(two)), (own, own), "switched off means at once");
    std::fs::remove_file(note).unwrap();
    rig.end(session).await;
}
