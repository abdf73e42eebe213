use proptest::prelude::*;

use super::*;

const SETTINGS: CpuOptimisation = CpuOptimisation {
    enabled: true,
    above_percent: 75,
    critical_percent: 66,
    idle_percent: 20,
    after_secs: 5,
    excluded: Vec::new(),
};

fn id(pid: u32) -> ProcessId {
    ProcessId { pid, start_ticks: u64::from(pid) * 7 }
}

fn sample(pid: u32, share: f32) -> Sample {
    Sample { process: id(pid), parent: 1, name: format!("program-{pid}"), share, priority: 0 }
}

/// Measures once a second, with the priorities as they were set.
struct Machine {
    optimiser: Optimiser,
    second: u64,
}

impl Machine {
    fn new() -> Self {
        Self { optimiser: Optimiser::default(), second: 0 }
    }

    fn step(&mut self, settings: &CpuOptimisation, load: f32, samples: &[Sample]) -> Plan {
        let with_priority = |sample: &Sample| {
            let own = self.optimiser.lowered().get(&sample.process);
            Sample { priority: own.map_or(sample.priority, |own| lowered(*own)), ..sample.clone() }
        };
        let samples: Vec<Sample> = samples.iter().map(with_priority).collect();
        self.second += 1;
        self.optimiser.step(settings, load, &samples, Duration::from_secs(self.second))
    }

    fn run(&mut self, seconds: u32, settings: &CpuOptimisation, load: f32, samples: &[Sample]) -> Plan {
        let mut all = Plan::default();
        for _ in 0..seconds {
            let plan = self.step(settings, load, samples);
            all.lower.extend(plan.lower);
            all.restore.extend(plan.restore);
        }
        all
    }
}

#[test]
fn the_heaviest_of_a_busy_host_are_lowered_after_a_while_and_the_rest_is_not() {
    let mut machine = Machine::new();
    let samples = [sample(1, 1.0), sample(2, 0.9), sample(3, 0.4), sample(4, 0.01)];
    assert_eq!(machine.run(5, &SETTINGS, 1.0, &samples), Plan::default(), "not at once");
    let plan = machine.run(10, &SETTINGS, 1.0, &samples);
    assert_eq!((plan.lower, plan.restore), (vec![(id(1), 0), (id(2), 0)], vec![]));
    // A burst of a second is none.
    let burst = [sample(1, 1.0), sample(2, 0.9), sample(3, 3.0), sample(4, 0.01)];
    assert_eq!(machine.run(1, &SETTINGS, 1.0, &burst).lower, []);
    assert_eq!(machine.run(20, &SETTINGS, 1.0, &samples), Plan::default());
}

#[test]
fn what_is_idle_or_no_longer_in_the_way_gets_its_priority_back() {
    let mut machine = Machine::new();
    let both = [sample(1, 1.0), Sample { priority: 5, ..sample(2, 1.0) }];
    assert_eq!(machine.run(20, &SETTINGS, 1.0, &both).lower, [(id(1), 0), (id(2), 5)]);
    let one = [sample(1, 1.0), sample(2, 0.0)];
    assert_eq!(machine.run(20, &SETTINGS, 1.0, &one).restore, [(id(2), 5)], "as it was before");
    assert_eq!(machine.run(4, &SETTINGS, 0.1, &one), Plan::default(), "a breath is no calm");
    assert_eq!(machine.run(20, &SETTINGS, 0.1, &one).restore, [(id(1), 0)]);
    assert!(machine.optimiser.lowered().is_empty());
}

#[test]
fn switched_off_excluded_or_gone_means_at_once() {
    let lowered = || {
        let mut machine = Machine::new();
        machine.run(20, &SETTINGS, 1.0, &[sample(1, 1.0)]);
        assert_eq!(machine.optimiser.lowered().len(), 1);
        machine
    };
    let off = CpuOptimisation { enabled: false, ..SETTINGS };
    let without = CpuOptimisation { excluded: vec!["program-1".into()], ..SETTINGS };
    assert_eq!(lowered().step(&off, 1.0, &[sample(1, 1.0)]).restore, [(id(1), 0)]);
    assert_eq!(lowered().step(&without, 1.0, &[sample(1, 1.0)]).restore, [(id(1), 0)]);
    assert_eq!(lowered().step(&SETTINGS, 1.0, &[]).restore, [(id(1), 0)]);
}

#[test]
fn a_child_of_what_was_lowered_is_restored_with_it() {
    let mut machine = Machine::new();
    machine.run(20, &SETTINGS, 1.0, &[sample(1, 1.0)]);
    let child = Sample { parent: 1, priority: lowered(0), ..sample(2, 1.0) };
    let stranger = Sample { parent: 9, priority: lowered(0), ..sample(3, 1.0) };
    machine.run(3, &SETTINGS, 1.0, &[sample(1, 1.0), child.clone(), stranger.clone()]);
    let off = CpuOptimisation { enabled: false, ..SETTINGS };
    let plan = machine.step(&off, 1.0, &[sample(1, 1.0), child, stranger]);
    assert_eq!(plan.restore, [(id(1), 0), (id(2), 0)]);
}

/// One second: the load, what each of five processes takes (none: it is not there), and whether it is done.
type Second = (f32, [Option<f32>; 5], bool);

fn seconds() -> impl Strategy<Value = Vec<Second>> {
    let share = proptest::option::weighted(0.9, 0.0_f32..2.0);
    let loads = prop_oneof![Just(0.0_f32), 0.0_f32..1.0, Just(1.0)];
    let shares = [share.clone(), share.clone(), share.clone(), share.clone(), share];
    proptest::collection::vec((loads, shares, proptest::bool::weighted(0.97)), 0..80)
}

proptest! {
    #[test]
    fn priorities_are_never_lost_and_nobody_else_is_touched(
        seconds in seconds(),
        after_secs in 1_u32..8,
        excluded in 0_u32..6,
    ) {
        let mut machine = Machine::new();
        let settings = CpuOptimisation {
            after_secs,
            excluded: vec![format!("program-{excluded}")],
            ..SETTINGS
        };
        // Each process begins with a priority of its own.
        let own = |pid: u32| 4 * i32::try_from(pid).expect("small") - 4;
        let mut now = BTreeMap::<ProcessId, i32>::new();
        let mut busy_for = 0;
        let mut calm_for = 0;
        for (load, shares, enabled) in seconds {
            let settings = CpuOptimisation { enabled, ..settings.clone() };
            let samples: Vec<Sample> = (1_u32..).zip(shares).filter_map(|(pid, share)| {
                Some(Sample { priority: own(pid), ..sample(pid, share?) })
            }).collect();
            let before = machine.optimiser.lowered().clone();
            let plan = machine.step(&settings, load, &samples);
            let is_here = |process: &ProcessId| samples.iter().any(|sample| sample.process == *process);
            for (process, priority) in &plan.lower {
                prop_assert_eq!(*priority, own(process.pid));
                prop_assert!(enabled && is_here(process) && !before.contains_key(process));
                prop_assert!(process.pid != excluded);
                now.insert(*process, lowered(*priority));
            }
            for (process, priority) in &plan.restore {
                prop_assert_eq!(before.get(process), Some(priority));
                prop_assert_eq!(*priority, own(process.pid));
                now.remove(process);
            }
            // What is remembered is what is so.
            prop_assert!(machine.optimiser.lowered().keys().eq(now.keys()));
            prop_assert!(now.keys().all(|process| is_here(process) && process.pid != excluded));
            prop_assert!(enabled || now.is_empty());
            busy_for = if enabled && load > 0.0 { busy_for + 1 } else { 0 };
            if busy_for < after_secs { prop_assert!(plan.lower.is_empty()); }
            // From a full load, silence fades below three quarters within a second.
            calm_for = if load == 0.0 { calm_for + 1 } else { 0 };
            if calm_for > after_secs + 1 { prop_assert!(now.is_empty()); }
        }
    }
}
