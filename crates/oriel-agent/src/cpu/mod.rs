//! CPU optimisation: while the host is busy, the heaviest processes of its sessions get a lower priority, so
//! that one user's programs do not slow all others'.
//!
//! `decision` says which; here is only the measuring and the setting, and in `groups` what makes it count
//! between sessions as well. What was lowered is written down first, so that the next agent restores what one
//! that was killed could not.
//!
//! Deliberately absent: anything outside the farm's sessions, and their display servers, which everybody
//! waits for.

pub mod decision;
mod groups;

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use oriel_model::host::CpuOptimisation;
use oriel_net::supervise::ShutdownSignal;
use rustix::process::{Pid, getpriority_process, setpriority_process};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use self::{
    decision::{Optimiser, Plan, Sample, lowered},
    groups::Group,
};
use crate::{
    host::SessionHost,
    load::LoadMeter,
    proc::{self, ProcessId, Stat, TICKS_PER_SEC},
    state,
};

/// Time between two measurements: the settings count in seconds.
const INTERVAL: Duration = Duration::from_secs(1);

/// Does it for one host, until the signal; then every priority is given back.
pub(crate) async fn keep(
    host: Arc<dyn SessionHost>,
    mut settings: watch::Receiver<CpuOptimisation>,
    file: PathBuf,
    signal: ShutdownSignal,
) {
    let mut keeper = Keeper::load(file);
    loop {
        let wanted = settings.borrow_and_update().clone();
        let is_active = wanted.enabled || !keeper.lowered().is_empty();
        if is_active {
            let host = Arc::clone(&host);
            let round = tokio::task::spawn_blocking(move || {
                keeper.round(&host.session_processes(), &wanted);
                keeper
            });
            match round.await {
                Ok(back) => keeper = back,
                Err(error) => {
                    tracing::error!(%error, "CPU optimisation has failed; it goes on when the agent restarts");
                    return;
                }
            }
        }
        let pause = if is_active { INTERVAL } else { Duration::MAX };
        tokio::select! {
            () = signal.given() => break,
            changed = settings.changed() => if changed.is_err() { break },
            () = tokio::time::sleep(pause) => {}
        }
    }
    keeper.round(&[], &CpuOptimisation { enabled: false, ..CpuOptimisation::default() });
}

/// Measures, decides and acts, round by round.
#[derive(Debug)]
pub struct Keeper {
    file: PathBuf,
    optimiser: Optimiser,
    meter: LoadMeter,
    began: Instant,
    measured_at: Option<Instant>,
    ticks: HashMap<ProcessId, u64>,
    /// Autogroups with a lower priority now, with the one that they had.
    groups: BTreeMap<Group, i32>,
}

/// What was lowered, as it is written down.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    boot_id: String,
    lowered: Vec<(ProcessId, i32)>,
    #[serde(default)]
    groups: BTreeMap<Group, i32>,
}

impl Keeper {
    /// Restores what an earlier agent has left lowered, as it noted in `file`.
    pub fn load(file: PathBuf) -> Self {
        if let Some(note) = state::read_json::<Note>(&file).filter(|note| note.boot_id == proc::boot_id()) {
            for (process, priority) in &note.lowered {
                restore(*process, *priority);
            }
            groups::restore(&note.groups);
            if !note.lowered.is_empty() {
                tracing::info!(processes = note.lowered.len(), "gave back priorities that were left lowered");
            }
        }
        write_note(&file, &BTreeMap::new(), &BTreeMap::new());
        Self {
            file,
            optimiser: Optimiser::default(),
            meter: LoadMeter::default(),
            began: Instant::now(),
            measured_at: None,
            ticks: HashMap::new(),
            groups: BTreeMap::new(),
        }
    }

    /// What has a lower priority now, with the one that it had.
    pub fn lowered(&self) -> &BTreeMap<ProcessId, i32> {
        self.optimiser.lowered()
    }

    /// One round: measures these processes since the last one, and sets priorities.
    pub fn round(&mut self, processes: &[ProcessId], settings: &CpuOptimisation) {
        let before = self.lowered().clone();
        let samples = self.measure(processes);
        let load = self.meter.read().cpu;
        let Plan { lower: heavy, restore: back } =
            self.optimiser.step(settings, load, &samples, self.began.elapsed());
        let left_alone = samples.iter().filter(|sample| settings.excluded.contains(&sample.name));
        let left_alone: Vec<ProcessId> = left_alone.map(|sample| sample.process).collect();
        let of_groups = groups::plan(self.lowered().keys().copied(), &left_alone, &self.groups);
        let groups_before = self.groups.clone();
        self.groups.retain(|group, _| !of_groups.restore.contains_key(group));
        self.groups.extend(&of_groups.lower);
        // Noted before it is done, so that it can be undone.
        if !heavy.is_empty() || *self.lowered() != before || self.groups != groups_before {
            write_note(&self.file, &either(&before, self.lowered()), &either(&groups_before, &self.groups));
        }
        for (process, priority) in &heavy {
            tracing::info!(
                process.id = process.pid,
                "its priority is lowered: it is among the heaviest of a busy host"
            );
            lower(*process, *priority);
        }
        groups::lower(&of_groups.lower);
        for (process, priority) in &back {
            restore(*process, *priority);
        }
        groups::restore(&of_groups.restore);
        if !back.is_empty() || !of_groups.restore.is_empty() {
            write_note(&self.file, self.lowered(), &self.groups);
        }
    }

    fn measure(&mut self, processes: &[ProcessId]) -> Vec<Sample> {
        let now = Instant::now();
        let passed = self.measured_at.replace(now).map_or(0.0, |last| (now - last).as_secs_f32());
        let before = std::mem::take(&mut self.ticks);
        let mut samples = Vec::new();
        for process in processes {
            let Some(stat) = Stat::read(process.pid).filter(|stat| stat.id == *process) else { continue };
            let Some(priority) = priority(process.pid) else { continue };
            let used = before.get(process).map_or(0, |ticks| stat.cpu_ticks.saturating_sub(*ticks));
            self.ticks.insert(*process, stat.cpu_ticks);
            let share = if passed > 0.0 { used as f32 / TICKS_PER_SEC as f32 / passed } else { 0.0 };
            let file = process.executable().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
            samples.push(Sample {
                process: *process,
                parent: stat.parent,
                name: file.unwrap_or(stat.name),
                share,
                priority,
            });
        }
        samples
    }
}

/// What is in one of two maps; of what is in both, the second's.
fn either<K: Ord + Copy>(one: &BTreeMap<K, i32>, other: &BTreeMap<K, i32>) -> BTreeMap<K, i32> {
    one.iter().chain(other).map(|(key, priority)| (*key, *priority)).collect()
}

fn write_note(file: &Path, lowered: &BTreeMap<ProcessId, i32>, groups: &BTreeMap<Group, i32>) {
    let lowered = lowered.iter().map(|(process, priority)| (*process, *priority)).collect();
    let note = Note { boot_id: proc::boot_id(), lowered, groups: groups.clone() };
    if let Err(error) = state::write_json(file, &note) {
        tracing::warn!(%error, "cannot note which priorities are lowered; they stay so if the agent is killed");
    }
}

fn lower(process: ProcessId, priority: i32) {
    // A thread that chose another priority than its process keeps it.
    change(process, priority, lowered(priority));
}

fn restore(process: ProcessId, priority: i32) {
    // Whoever has changed it since is left alone.
    change(process, lowered(priority), priority);
}

/// Changes the priority of those of a process's threads that have this one: Linux keeps one for each. A
/// thread that was started meanwhile has that of the one that started it, hence the second look.
fn change(process: ProcessId, from: i32, to: i32) {
    for _ in 0..2 {
        if ProcessId::of(process.pid) != Some(process) {
            return;
        }
        for thread in threads(process.pid) {
            if priority(thread) != Some(from) {
                continue;
            }
            if let Err(error) = set_priority(thread, to) {
                tracing::debug!(process.id = process.pid, %error, "cannot set a priority");
            }
        }
    }
}

fn threads(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The priority of a thread; `None` when there is none.
fn priority(thread: u32) -> Option<i32> {
    getpriority_process(Some(number(thread)?)).ok()
}

fn set_priority(thread: u32, priority: i32) -> io::Result<()> {
    let Some(thread) = number(thread) else { return Ok(()) };
    setpriority_process(Some(thread), priority).map_err(Into::into)
}

fn number(thread: u32) -> Option<Pid> {
    i32::try_from(thread).ok().and_then(Pid::from_raw)
}
