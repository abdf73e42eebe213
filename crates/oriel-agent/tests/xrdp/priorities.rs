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

/// CPU time of a process in hundredths of a second.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// The number and the priority of the group that the kernel counts a process to; none where it has none.
fn autogroup(pid: u32) -> Option<(u64, i32)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/autogroup")).ok()?;
    let (number, priority) = text.trim().strip_prefix("/autogroup-")?.split_once(" nice ")?;
    Some((number.parse().unwrap(), priority.parse().unwrap()))
}

/// On one CPU, a lowered process leaves most of it to another; a tenth is what it should get, a third is
/// what is let pass on a machine that has other things to do.
fn yields(lowered: u32, rival: u32) {
    for pid in [lowered, rival] {
        let pinned = std::process::Command::new("taskset").args(["-cp", "0", &pid.to_string()]).output();
        assert!(pinned.unwrap().status.success());
    }
    let (began, deadline) = ([ticks(lowered), ticks(rival)], Instant::now() + DEADLINE);
    let used = loop {
        let used = [ticks(lowered) - began[0], ticks(rival) - began[1]];
        if used[0] + used[1] >= 300 {
            break used;
        }
        assert!(Instant::now() < deadline, "neither gets the CPU: {used:?}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(used[0] * 3 < used[1], "of the CPU they had {used:?}");
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
    // The rival is in a kernel session of its own, as the programs of other users are.
    let busy = "-e sh -c 'sh -c \"while :; do :; done # one\" & sh -c \"while :; do :; done # two\" & \
                setsid bash -c \"while :; do :; done # rival\" & wait'";
    let (session, _client) = rig.open("alice", program("xterm", busy)).await;
    let one = rig.pid_of(session, "sh -c while :; do :; done # one").await;
    let two = rig.pid_of(session, "sh -c while :; do :; done # two").await;
    let rival = rig.pid_of(session, "bash -c while :; do :; done # rival").await;
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
        excluded: vec!["bash".into()],
    };
    let note = rig.path("lowered.json");
    let mut keeper = Keeper::load(note.clone());
    until(
        &mut keeper,
        rig,
        &settings,
        &BTreeMap::from([(one, low), (two, low), (strange, own), (rival, own)]),
    );
    let (group, of_group) = autogroup(one).unzip();
    if let Some(of_group) = of_group {
        assert_eq!(of_group, lowered(0), "where the kernel has groups, theirs is lowered as well");
        assert_eq!(autogroup(rival).unwrap().1, 0);
    }
    assert_ne!(group, autogroup(rival).map(|rival| rival.0).or(Some(0)), "another session of the kernel's");
    yields(one, rival);

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
    assert_eq!(autogroup(one).map_or(0, |group| group.1), 0, "the group's was noted as well");

    let excluded = std::fs::read_link(format!("/proc/{one}/exe")).unwrap();
    let excluded = excluded.file_name().unwrap().to_str().unwrap().to_owned();
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, low), (two, low)]));
    let without = CpuOptimisation { excluded: vec![excluded, "bash".into()], ..settings.clone() };
    until(&mut keeper, rig, &without, &BTreeMap::from([(one, own), (two, own)]));
    until(&mut keeper, rig, &settings, &BTreeMap::from([(one, low), (two, low)]));
    let off = CpuOptimisation { enabled: false, ..settings };
    keeper.round(&rig.host().session_processes(), &off);
    assert_eq!((priority(one), priority(two)), (own, own), "switched off means at once");
    assert_eq!(autogroup(one).map_or(0, |group| group.1), 0);
    std::fs::remove_file(note).unwrap();
    rig.end(session).await;
}
