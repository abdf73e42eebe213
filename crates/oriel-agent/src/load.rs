//! How busy the machine is: CPU from `/proc/stat`, memory from `/proc/meminfo`, and how full its disks are.

use std::fs;

/// Load of the machine at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Share of all CPUs in use since the last reading, 0 to 1.
    pub cpu: f32,
    /// Memory of the machine in bytes.
    pub memory_total_bytes: u64,
    /// What programs could still take without swapping, in bytes.
    pub memory_available_bytes: u64,
    /// Size of the fuller one of [`DISKS`] in bytes; 0 when neither can be read.
    pub disk_total_bytes: u64,
    /// What is left on it for users, in bytes.
    pub disk_available_bytes: u64,
}

/// Where a full disk hurts: what the system writes, and what users save.
const DISKS: [&str; 2] = ["/", "/home"];

/// Reads the load; CPU use is a difference, so the meter remembers the last reading.
#[derive(Debug, Default)]
pub struct LoadMeter {
    last: CpuTimes,
}

impl LoadMeter {
    /// The load since the last call (since boot at the first).
    pub fn read(&mut self) -> Load {
        let times = fs::read_to_string("/proc/stat").map(|text| CpuTimes::parse(&text)).unwrap_or_default();
        let cpu = times.share_since(self.last);
        self.last = times;
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let (disk_total_bytes, disk_available_bytes) = fullest_disk();
        Load {
            cpu,
            memory_total_bytes: meminfo(&memory, "MemTotal:"),
            memory_available_bytes: meminfo(&memory, "MemAvailable:"),
            disk_total_bytes,
            disk_available_bytes,
        }
    }
}

/// Ticks of all CPUs since boot.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct CpuTimes {
    busy: u64,
    idle: u64,
}

impl CpuTimes {
    /// First line of `/proc/stat`: user nice system idle iowait irq softirq steal; guest time is in user already.
    fn parse(text: &str) -> Self {
        let line = text.lines().next().unwrap_or_default();
        let ticks: Vec<u64> =
            line.split_ascii_whitespace().skip(1).take(8).filter_map(|n| n.parse().ok()).collect();
        let total: u64 = ticks.iter().sum();
        let idle = ticks.get(3).copied().unwrap_or(0) + ticks.get(4).copied().unwrap_or(0);
        Self { busy: total - idle, idle }
    }

    fn share_since(self, last: Self) -> f32 {
        let busy = self.busy.saturating_sub(last.busy);
        let total = busy + self.idle.saturating_sub(last.idle);
        if total == 0 { 0.0 } else { (busy as f64 / total as f64) as f32 }
    }
}

/// Size and what is left, of the fuller one.
fn fullest_disk() -> (u64, u64) {
    let space = |path| {
        let disk = rustix::fs::statvfs(path).ok()?;
        // As `df` counts: what only root may still use is neither used nor left.
        let usable = disk.f_blocks.saturating_sub(disk.f_bfree).saturating_add(disk.f_bavail);
        Some((usable.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize)))
    };
    let left = |(total, available): &(u64, u64)| *available as f64 / (*total).max(1) as f64;
    let known = DISKS.into_iter().filter_map(space).filter(|(total, _)| *total > 0);
    known.min_by(|a, b| left(a).total_cmp(&left(b))).unwrap_or_default()
}

fn meminfo(text: &str, key: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split_ascii_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_use_is_the_busy_share_between_two_readings() {
        let before = CpuTimes::parse("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3\n");
        let after = CpuTimes::parse("cpu  150 0 125 1000 125 0 0 0 0 0\n");
        assert_eq!(before, CpuTimes { busy: 200, idle: 800 });
        assert!((after.share_since(before) - 75.0 / 400.0).abs() < 1e-6);
        assert_eq!(after.share_since(after), 0.0);
    }

    #[test]
    fn this_machine_has_memory() {
        let load = LoadMeter::default().read();
        assert!(load.memory_total_bytes >= load.memory_available_bytes);
        assert!(load.memory_available_bytes > 0);
        assert!((0.0..=1.0).contains(&load.cpu));
        assert!(load.disk_total_bytes >= load.disk_available_bytes && load.disk_total_bytes > 0);
    }
}
