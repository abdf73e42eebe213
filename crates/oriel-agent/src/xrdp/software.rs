//! xrdp and sesman as running programs: started, found again, kept alive, stopped.
//!
//! They are started detached and noted with their start time, so that an agent that was killed finds them
//! again and no session is lost. Where systemd runs, it does the keeping and we only say how; the package's
//! units are then one agent's, and another on the same machine starts its programs itself.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use oriel_net::backoff::Backoff;
use serde::{Deserialize, Serialize};

use super::{
    config::Numbers,
    layout::Layout,
    namespace::{self, Part},
};
use crate::{
    proc::{self, ProcessId, ProcessTable, Signal},
    state,
};

/// Ports for sesman and our relay come from here, one of each for every agent on the machine. Below the
/// range from which the kernel takes ports for outgoing connections, rarely used, and below 65000, which
/// is the highest that xrdp takes.
const RELAY_PORTS: u16 = 23_500;
/// How long the listeners of an agent may outlive it: what it was just starting holds them until it runs.
const RELAY_PATIENCE: Duration = Duration::from_secs(5);
const SESMAN_PORTS: u16 = 23_600;
/// Most agents on one machine: tests and demos.
const BLOCKS: u16 = 60;
/// First X display of the first agent. Smaller numbers belong to displays that people start by hand.
const FIRST_DISPLAY: u32 = 100;
/// Displays for each agent: more than a machine can carry sessions.
const DISPLAYS: u32 = 400;
/// First and longest pause before a program that ended is started again.
const RESTART_PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A program that has run this long was started well.
const SETTLED: Duration = Duration::from_secs(10);
/// How long a program may take to end when asked.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Where systemd takes drop-ins that last until the next boot.
const SYSTEMD_RUN: &str = "/run/systemd/system";

/// What outlives the agent.
#[derive(Debug, Default, Serialize, Deserialize)]
struct SoftwareState {
    boot_id: String,
    block: Option<u16>,
    listen: Option<SocketAddr>,
    parts: BTreeMap<String, ProcessId>,
    /// Whether the parts are systemd's units.
    #[serde(default)]
    has_units: bool,
}

/// The two programs.
pub(super) struct Software {
    layout: Layout,
    executable: PathBuf,
    listen: SocketAddr,
    state: SoftwareState,
    children: BTreeMap<Part, Child>,
    restarts: BTreeMap<Part, (Backoff, Instant)>,
    started: BTreeMap<Part, Instant>,
}

/// The sockets that keep our numbers ours, and on which the relay listens.
pub(super) struct Claim {
    pub(super) numbers: Numbers,
    pub(super) relay: Vec<TcpListener>,
    block: u16,
    state: SoftwareState,
}

impl Claim {
    /// Takes numbers that no other agent on this machine has: those of last time if possible, because
    /// running sessions have them.
    ///
    /// # Errors
    /// A sentence, when none are free.
    pub(super) async fn take(layout: &Layout) -> Result<Self, String> {
        let mut state: SoftwareState = state::read_json(&layout.software_state()).unwrap_or_default();
        let boot_id = proc::boot_id();
        if state.boot_id != boot_id {
            state.boot_id = boot_id;
            state.parts.clear();
        }
        let is_running = state.parts.values().any(|part| part.is_alive());
        if let Some(block) = state.block
            && is_running
        {
            let relay = own_listeners(RELAY_PORTS + block).await?;
            return Ok(Self { numbers: numbers(block), relay, block, state });
        }
        let preferred = state.block.into_iter();
        for block in preferred.chain(0..BLOCKS) {
            // sesman's port must be free too: an agent may be away while its sesman runs.
            let Some(relay) = listeners(RELAY_PORTS + block) else { continue };
            if listeners(SESMAN_PORTS + block).is_some() {
                return Ok(Self { numbers: numbers(block), relay, block, state });
            }
        }
        Err(format!("no port is free from {RELAY_PORTS} and {SESMAN_PORTS} on"))
    }
}

fn numbers(block: u16) -> Numbers {
    Numbers {
        first_display: FIRST_DISPLAY + DISPLAYS * u32::from(block),
        displays: DISPLAYS,
        sesman_port: SESMAN_PORTS + block,
        relay_port: RELAY_PORTS + block,
    }
}

/// The listeners that running sessions know. An agent that has just ended may leave its own behind for a moment.
async fn own_listeners(port: u16) -> Result<Vec<TcpListener>, String> {
    let deadline = Instant::now() + RELAY_PATIENCE;
    loop {
        match listeners(port) {
            Some(listeners) => return Ok(listeners),
            None if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(50)).await,
            None => {
                return Err(format!(
                    "port {port} is in use; is another agent running with this data directory?"
                ));
            }
        }
    }
}

/// Listens on both loopback addresses: xrdp takes "127.0.0.1" for `::1` where there is IPv6.
fn listeners(port: u16) -> Option<Vec<TcpListener>> {
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
        Ok(v6) => Some(vec![v4, v6]),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => None,
        Err(_) => Some(vec![v4]),
    }
}

impl Software {
    pub(super) fn new(layout: Layout, executable: PathBuf, listen: SocketAddr, claim: Claim) -> Self {
        let Claim { block, mut state, .. } = claim;
        state.block = Some(block);
        if !state.parts.values().any(|part| part.is_alive()) {
            state.has_units = Path::new(SYSTEMD_RUN).is_dir() && !units_are_anothers(&layout);
        }
        Self {
            layout,
            executable,
            listen,
            state,
            children: BTreeMap::new(),
            restarts: BTreeMap::new(),
            started: BTreeMap::new(),
        }
    }

    /// The running sesman: sessions of an earlier one are unknown to it.
    pub(super) fn sesman(&self) -> Option<ProcessId> {
        self.state.parts.get(Part::Sesman.name()).copied()
    }

    /// Looks after both programs once. Returns what is wrong, if anything.
    pub(super) fn look_after(&mut self) -> Option<String> {
        let now = Instant::now();
        self.layout.bound_logs();
        if self.state.listen.is_some_and(|listen| listen != self.listen) {
            // Connections are processes of their own and go on; sessions are sesman's.
            self.stop(Part::Xrdp);
        }
        let mut problem = None;
        for part in Part::ALL {
            if self.is_running(part) {
                if self.started.get(&part).is_none_or(|at| now - *at > SETTLED) {
                    self.restarts.remove(&part);
                }
                continue;
            }
            let name = part.name();
            if let Some((backoff, due)) = self.restarts.get(&part)
                && *due > now
            {
                let said = self.started.get(&part).and_then(|at| SystemTime::now().checked_sub(at.elapsed()));
                let said = said.and_then(|since| self.layout.last_words(name, since));
                let said = said.map(|words| format!(", saying \"{words}\"")).unwrap_or_default();
                problem = Some(format!(
                    "{name} has stopped {} times in a row{said}; it is started again soon",
                    backoff.failures()
                ));
                continue;
            }
            let (backoff, due) = self
                .restarts
                .entry(part)
                .or_insert_with(|| (Backoff::new(RESTART_PAUSE.0, RESTART_PAUSE.1), now));
            *due = now + backoff.next_delay();
            match self.start(part) {
                Ok(process) => {
                    tracing::info!(program = name, pid = process.pid, "started");
                    // Not after it has said its first words.
                    self.started.insert(part, now);
                    self.state.parts.insert(name.to_owned(), process);
                    self.state.listen = Some(self.listen);
                    self.save();
                }
                Err(error) => {
                    tracing::error!(program = name, %error, "cannot start");
                    problem = Some(format!("{name} cannot be started: {error}"));
                }
            }
        }
        problem.or_else(|| {
            let silent = !is_listening(self.listen);
            silent.then(|| format!("xrdp does not listen on {} yet", self.listen))
        })
    }

    fn save(&self) {
        if let Err(error) = state::write_json(&self.layout.software_state(), &self.state) {
            tracing::error!(%error, "cannot remember the session software's processes");
        }
    }

    fn is_running(&mut self, part: Part) -> bool {
        if let Some(child) = self.children.get_mut(&part)
            && let Ok(Some(status)) = child.try_wait()
        {
            tracing::warn!(program = part.name(), %status, "has ended");
            self.children.remove(&part);
        }
        self.state.parts.get(part.name()).is_some_and(|process| {
            let runs = process.executable();
            let is_it = runs.is_some_and(|path| {
                path.file_name().is_some_and(|name| {
                    // A package upgrade marks the old file as deleted; it is the right program all the same.
                    name.to_string_lossy().trim_end_matches(" (deleted)") == part.name()
                })
            });
            process.is_alive() && (is_it || self.started.get(&part).is_some_and(|at| at.elapsed() < SETTLED))
        })
    }

    fn start(&mut self, part: Part) -> Result<ProcessId, String> {
        if self.state.has_units {
            return self.start_unit(part);
        }
        let _ = fs::remove_file(self.layout.pid_file(part.name()));
        let log = self.layout.log(&format!("{}-output", part.name()));
        let log = state::open_own(&log, OpenOptions::new().create(true).append(true))
            .map_err(|error| format!("cannot open its log {}: {error}", log.display()))?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let child = namespace::command(part, &self.layout, &self.executable)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|error| error.to_string())?;
        let process = ProcessId::of(child.id()).ok_or("it ended at once")?;
        self.children.insert(part, child);
        Ok(process)
    }

    /// Starts the units with our drop-ins. Both at once: they depend on each other, so that systemd starts
    /// and stops one with the other.
    fn start_unit(&self, part: Part) -> Result<ProcessId, String> {
        let texts = Part::ALL
            .map(|part| (drop_in_file(part), namespace::drop_in(part, &self.layout, &self.executable)));
        let units = Part::ALL.map(unit);
        if texts.iter().any(|(file, text)| fs::read_to_string(file).ok().as_ref() != Some(text)) {
            // As they are now: what the host's own units clean up, such as the note of their process, would
            // keep them from starting later. Where there are none, starting says so.
            let _ = systemctl(&["stop", &units[0], &units[1]]);
            for (file, text) in &texts {
                let folder = file.parent().expect("it lies below systemd's folder");
                fs::create_dir_all(folder)
                    .and_then(|()| state::write(file, text.as_bytes(), 0o644))
                    .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
            }
            systemctl(&["daemon-reload"])?;
        }
        systemctl(&["start", &units[0], &units[1]])?;
        let unit = unit(part);
        let pid = systemctl(&["show", "--property=MainPID", "--value", &unit])?;
        pid.trim()
            .parse()
            .ok()
            .filter(|pid| *pid != 0)
            .and_then(ProcessId::of)
            .ok_or_else(|| format!("{unit} ended at once"))
    }

    fn stop(&mut self, part: Part) {
        if self.state.has_units {
            if let Err(error) = systemctl(&["stop", &unit(part)]) {
                tracing::warn!(program = part.name(), error, "cannot stop");
            }
            self.state.parts.remove(part.name());
            return;
        }
        let Some(process) = self.state.parts.remove(part.name()) else { return };
        // Below xrdp are its connections; below sesman are sessions, which end by themselves.
        let table = ProcessTable::read();
        let below: Vec<ProcessId> = match part {
            Part::Xrdp => table
                .iter()
                .filter(|stat| table.descends(stat.id.pid, process.pid))
                .map(|stat| stat.id)
                .collect(),
            Part::Sesman => vec![process],
        };
        for process in &below {
            let _ = process.signal(Signal::TERM);
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        loop {
            // Reaps it, if it is ours.
            let _ = self.is_running(part);
            if let Some(child) = self.children.get_mut(&part) {
                let _ = child.try_wait();
            }
            if !below.iter().any(|process| process.is_alive()) {
                break;
            }
            if Instant::now() > deadline {
                for process in &below {
                    let _ = process.signal(Signal::KILL);
                }
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.children.remove(&part);
    }

    /// Stops both programs. Takes up to [`STOP_TIMEOUT`] for each, on a thread that may block.
    pub(super) fn stop_all(&mut self) {
        if self.state.has_units {
            // Stopping the unit leaves connections alone. None may run: then there is nothing to end.
            let _ = systemctl(&["kill", &unit(Part::Xrdp)]);
        }
        for part in [Part::Xrdp, Part::Sesman] {
            self.stop(part);
        }
        if self.state.has_units
            && let Err(error) = give_units_back()
        {
            tracing::warn!(error, "the units of xrdp keep our settings until the machine starts again");
        }
        self.save();
    }
}

fn unit(part: Part) -> String {
    format!("{}.service", part.name())
}

fn drop_in_file(part: Part) -> PathBuf {
    Path::new(SYSTEMD_RUN).join(format!("{}.d", unit(part))).join("50-oriel.conf")
}

/// Whether another agent has the units. One that left no more than its drop-ins has not.
fn units_are_anothers(layout: &Layout) -> bool {
    Part::ALL.into_iter().any(|part| {
        fs::read_to_string(drop_in_file(part)).is_ok_and(|text| namespace::is_anothers(&text, part, layout))
            && systemctl(&["is-active", &unit(part)]).is_ok()
    })
}

/// Leaves the units as the host has them.
fn give_units_back() -> Result<(), String> {
    for part in Part::ALL {
        let file = drop_in_file(part);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("cannot remove {}: {error}", file.display()));
            }
            _ => {}
        }
        // It may hold somebody else's drop-ins, too.
        let _ = file.parent().map(fs::remove_dir);
    }
    systemctl(&["daemon-reload"]).map(drop)
}

fn systemctl(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("systemctl").args(arguments).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("systemctl {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

/// Whether something listens on the address, as the kernel's tables say; a trial connection would start a
/// process of xrdp each time.
fn is_listening(address: SocketAddr) -> bool {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .any(|table| has_listener(&table, address.port()))
}

/// Columns: number, local address as `HEX:PORT`, remote address, state; `0A` listens.
fn has_listener(table: &str, port: u16) -> bool {
    let port = format!("{port:04X}");
    table.lines().skip(1).any(|line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let is_port = columns.next().and_then(|local| local.rsplit(':').next()) == Some(port.as_str());
        is_port && columns.nth(1) == Some("0A")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_found_in_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue\n   \
                     0: 0100007F:3D09 00000000:0000 0A 00000000:00000000\n   \
                     1: 0100007F:1F90 0100007F:3D09 01 00000000:00000000\n";
        assert!(has_listener(table, 0x3D09));
        assert!(!has_listener(table, 0x1F90));
        assert!(!has_listener(table, 80));
    }

    #[test]
    fn agents_on_one_machine_get_different_numbers() {
        let (first, second) = (numbers(0), numbers(1));
        assert!(first.first_display + first.displays <= second.first_display);
        let last = numbers(BLOCKS - 1);
        // sesman takes a display only if TCP port 6200 + display is free, so there must be such a port.
        assert!(6200 + last.first_display + last.displays <= u32::from(u16::MAX));
        assert!(last.relay_port < SESMAN_PORTS && last.sesman_port < 65_000);
    }
}
