//! What the kernel says about processes, read from `/proc`, and signals that cannot hit a stranger.
//!
//! A process is named by its id *and* its start time ([`ProcessId`]), so that a recycled id is never
//! mistaken for the process that once had it. Deliberately absent: what a process means to a session.

use std::{collections::HashMap, fs, io, path::PathBuf};

pub use rustix::process::Signal;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// Clock ticks per second in `/proc`: `USER_HZ`, 100 on every Linux architecture that runs xrdp.
pub const TICKS_PER_SEC: u64 = 100;
/// Bytes per page of `rss` in `/proc/PID/stat` where the kernel does not say otherwise.
const PAGE_BYTES: u64 = 4096;

/// A process, told apart from a later one with the same number by its start time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// The number.
    pub pid: u32,
    /// Start time in clock ticks since boot, field 22 of `/proc/PID/stat`.
    pub start_ticks: u64,
}

impl ProcessId {
    /// The process that has this number now; `None` when there is none.
    pub fn of(pid: u32) -> Option<Self> {
        Stat::read(pid).map(|stat| stat.id)
    }

    /// Whether it runs. A zombie does not: it may stay for long where nobody reaps it.
    pub fn is_alive(self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| stat.id == self && stat.runs())
    }

    /// Sends a signal. A process that is gone is not an error.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn signal(self, signal: Signal) -> io::Result<()> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
        // The descriptor holds on to the process; only then is it safe to look whether it is still ours.
        let gone = |error: &rustix::io::Errno| *error == rustix::io::Errno::SRCH;
        let fd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => fd,
            Err(error) if gone(&error) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if Self::of(self.pid) != Some(self) {
            return Ok(());
        }
        match pidfd_send_signal(&fd, signal) {
            Err(error) if !gone(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// One variable of the environment that it was started with.
    pub fn variable(self, name: &str) -> Option<String> {
        let bytes = fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        find_variable(&bytes, name)
    }

    /// The file it runs; `None` for a kernel thread or a process that is gone.
    pub fn executable(self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/exe", self.pid)).ok()
    }

    /// Its command line, arguments separated by blanks, at most `max_bytes` long.
    pub fn command_line(self, max_bytes: usize) -> String {
        let mut bytes = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        bytes.truncate(max_bytes);
        for byte in &mut bytes {
            if *byte == 0 || *byte == b'\n' {
                *byte = b' ';
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Owner of the process (effective user id).
    pub fn owner(self) -> Option<u32> {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(format!("/proc/{}", self.pid)).ok().map(|meta| meta.uid())
    }
}

fn find_variable(environ: &[u8], name: &str) -> Option<String> {
    environ.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

/// The fields of `/proc/PID/stat` that we use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Which process.
    pub id: ProcessId,
    /// Name of the program, at most 15 bytes.
    pub name: String,
    /// State letter.
    pub state: char,
    /// Its parent's number.
    pub parent: u32,
    /// CPU time used, user and system, in clock ticks.
    pub cpu_ticks: u64,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
}

impl Stat {
    /// Reads one process; `None` when there is none.
    pub fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Whether it is more than an entry that waits to be reaped.
    pub fn runs(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }

    /// The name stands in brackets and may contain any character, so fields count from the last bracket.
    fn parse(line: &str) -> Option<Self> {
        let (pid, rest) = line.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            id: ProcessId { pid: pid.parse().ok()?, start_ticks: number(19)? },
            name: name.to_owned(),
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            cpu_ticks: number(11)? + number(12)?,
            memory_bytes: number(21)? * PAGE_BYTES,
        })
    }
}

/// All processes at one moment.
#[derive(Debug, Default)]
pub struct ProcessTable {
    by_pid: HashMap<u32, Stat>,
}

impl ProcessTable {
    /// Reads every process. Some milliseconds with a thousand of them, so not for every tick.
    pub fn read() -> Self {
        let Ok(entries) = fs::read_dir("/proc") else { return Self::default() };
        let by_pid = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
            .filter_map(|pid| Some((pid, Stat::read(pid)?)))
            .collect();
        Self { by_pid }
    }

    /// The processes, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Stat> {
        self.by_pid.values()
    }

    /// Direct children of `parent`.
    pub fn children(&self, parent: u32) -> impl Iterator<Item = &Stat> {
        self.iter().filter(move |stat| stat.parent == parent)
    }

    /// Whether `pid` is `ancestor` or below it.
    pub fn descends(&self, mut pid: u32, ancestor: u32) -> bool {
        // The table is a snapshot of a changing tree: bounded, lest a recycled number makes a ring.
        for _ in 0..self.by_pid.len() + 1 {
            if pid == ancestor {
                return true;
            }
            match self.by_pid.get(&pid) {
                Some(stat) if stat.parent != 0 => pid = stat.parent,
                _ => return false,
            }
        }
        false
    }
}

/// Every process there is, in no order.
pub(crate) fn all() -> Vec<ProcessId> {
    ProcessTable::read().iter().map(|stat| stat.id).collect()
}

/// Identity of this start of the machine: another one after each restart. A container's own restart is one,
/// too, though the kernel beneath it runs on.
pub fn boot_id() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{} {}", kernel.trim(), begun_ticks())
}

/// Seconds since the machine was started. Not the kernel's own: a container shares that with others.
pub fn uptime_secs() -> u64 {
    let kernel_secs = uptime().unwrap_or(0.0);
    (kernel_secs - begun_ticks() as f64 / TICKS_PER_SEC as f64).max(0.0) as u64
}

/// When the first process of this machine began, in clock ticks since the kernel did.
fn begun_ticks() -> u64 {
    Stat::read(1).map_or(0, |first| first.id.start_ticks)
}

/// Start of a process in milliseconds since the Unix epoch.
pub fn started_at_ms(process: ProcessId, now_ms: i64) -> i64 {
    let age_ms = uptime().map_or(0.0, |up| up * 1000.0 - (process.start_ticks * 1000 / TICKS_PER_SEC) as f64);
    now_ms.saturating_sub(age_ms.max(0.0) as i64)
}

fn uptime() -> Option<f64> {
    fs::read_to_string("/proc/uptime").ok()?.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 0 0 0 11 22 0 0 20 0 1 0 12345 1000 3 0";
        let stat = Stat::parse(line).expect("parses");
        assert_eq!(stat.name, "a) b (c");
        assert_eq!(stat.id, ProcessId { pid: 42, start_ticks: 12345 });
        assert_eq!((stat.parent, stat.cpu_ticks, stat.memory_bytes), (7, 33, 3 * 4096));
    }

    #[test]
    fn a_machine_within_the_machine_starts_by_itself() {
        let told = |wrapper: &[&str]| {
            let command = [wrapper, &["cat", "/proc/1/stat"]].concat();
            let output = std::process::Command::new(command[0]).args(&command[1..]).output().expect("runs");
            assert!(output.status.success(), "{output:?}");
            Stat::parse(std::str::from_utf8(&output.stdout).expect("text").trim())
                .expect("parses")
                .id
                .start_ticks
        };
        assert_eq!(told(&[]), begun_ticks());
        let namespaces =
            ["unshare", "--map-root-user", "--user", "--pid", "--fork", "--mount-proc", "--mount"];
        let inside = told(&namespaces);
        let me = ProcessId::of(std::process::id()).expect("this process");
        assert!(inside >= me.start_ticks && inside > begun_ticks(), "{inside} {me:?}");
    }

    #[test]
    fn variables_are_found_by_their_whole_name() {
        let environ = b"XUSER=no\0USER=alice~1\0EMPTY=\0";
        assert_eq!(find_variable(environ, "USER").as_deref(), Some("alice~1"));
        assert_eq!(find_variable(environ, "EMPTY").as_deref(), Some(""));
        assert_eq!(find_variable(environ, "SER"), None);
    }

    #[test]
    fn this_process_is_alive_and_a_recycled_number_is_not() {
        let me = ProcessId::of(std::process::id()).expect("this process");
        assert!(me.is_alive());
        let other = ProcessId { start_ticks: me.start_ticks + 1, ..me };
        assert!(!other.is_alive());
        // Would end the test if it hit this process.
        other.signal(Signal::KILL).expect("a stranger is left alone");
    }

    #[test]
    fn descent_follows_parents() {
        let table = ProcessTable::read();
        let me = std::process::id();
        let parent = Stat::read(me).expect("this process").parent;
        assert!(table.descends(me, parent));
        assert!(!table.descends(parent, me));
    }
}
