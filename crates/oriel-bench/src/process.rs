//! Processes that are measured: started, looked at through `/proc`, and ended by their id.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

/// How `/proc/PID/stat` counts processor time: USER_HZ, which is 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// How long a process may take to stop when asked to, before it is killed.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// A process of ours. Dropping it ends it.
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with its output in a file of `directory`. With `core`, on that core only.
    pub fn start(
        name: &'static str,
        program: &Path,
        arguments: &[String],
        directory: &Path,
        core: Option<usize>,
    ) -> anyhow::Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let mut command = match core {
            None => Command::new(program),
            Some(core) => {
                let mut command = Command::new("taskset");
                command.arg("--cpu-list").arg(core.to_string()).arg(program);
                command
            }
        };
        let child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self { name, child, log })
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails with the end of its output when it has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => anyhow::bail!("{} ended ({status})\n{}", self.name, self.describe()),
        }
    }

    /// The end of its output.
    fn describe(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(20)..].join("\n");
        format!("the end of {}:\n{end}", self.log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        let asked = Instant::now();
        while asked.elapsed() < STOP_DEADLINE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time that a process has used so far, in seconds: its own and the kernel's on its behalf.
pub fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    let stat = read(process, "stat")?;
    cpu_ticks(&stat).map(|ticks| ticks as f64 / TICKS_PER_SECOND).context("/proc/PID/stat is not as expected")
}

/// Memory that a process holds now, in KiB.
pub fn resident_kib(process: u32) -> anyhow::Result<u64> {
    read(process, "status")?
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok())
        .context("/proc/PID/status says no VmRSS")
}

fn read(process: u32, file: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(format!("/proc/{process}/{file}")).context("the process has ended")
}

/// utime and stime: fields 14 and 15, counted behind the command's name, which may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 123 45 0 0 20 0 3 0 1 2 3";
        assert_eq!(cpu_ticks(stat), Some(168));
        assert_eq!(cpu_ticks("7 (x) S 1"), None);
    }

    #[test]
    fn a_process_is_measured_and_ended() {
        let directory = std::env::temp_dir();
        let sleep = |text: &str| {
            Process::start("bench-test", Path::new("sleep"), &[text.to_owned()], &directory, None).unwrap()
        };
        let mut process = sleep("100");
        process.check().unwrap();
        assert!(resident_kib(process.id()).unwrap() > 0);
        assert!(cpu_seconds(process.id()).unwrap() < 1.0);
        let pid = process.id();
        drop(process);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        let mut ended = sleep("0");
        ended.child.wait().unwrap();
        assert!(ended.check().unwrap_err().to_string().starts_with("bench-test ended (exit status: 0)"));
    }
}
