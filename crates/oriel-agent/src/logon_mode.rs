//! The logon mode in force on the host, and how "drain until reboot" knows that the reboot was.

use std::path::PathBuf;

use oriel_model::host::LogonMode;
use serde::{Deserialize, Serialize};

use crate::state;

/// Remembers, across restarts of the agent, under which boot a drain began.
#[derive(Debug)]
pub struct LogonModeKeeper {
    path: PathBuf,
    begun: Option<DrainBegun>,
    in_force: LogonMode,
}

/// A drain until reboot, as first heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct DrainBegun {
    /// The change that asked for it.
    revision: u64,
    /// The boot under which it was asked.
    boot_id: String,
}

impl LogonModeKeeper {
    /// Reads what an earlier agent left in `path`.
    pub fn load(path: PathBuf) -> Self {
        let begun = state::read_json(&path);
        Self { path, begun, in_force: LogonMode::Enabled }
    }

    /// Takes what the broker wants. `revision` names the change that set the mode.
    pub fn want(&mut self, mode: LogonMode, revision: u64, boot_id: &str) {
        let (in_force, begun) = resolve(mode, revision, self.begun.as_ref(), boot_id);
        if begun != self.begun {
            if let Err(error) = state::write_json(&self.path, &begun) {
                tracing::error!(%error, "cannot remember the logon mode; a drain may outlive the next reboot");
            }
            self.begun = begun;
        }
        self.in_force = in_force;
    }

    /// The mode in force.
    pub fn in_force(&self) -> LogonMode {
        self.in_force
    }
}

fn resolve(
    mode: LogonMode,
    revision: u64,
    begun: Option<&DrainBegun>,
    boot_id: &str,
) -> (LogonMode, Option<DrainBegun>) {
    if mode != LogonMode::DrainUntilReboot {
        return (mode, None);
    }
    match begun {
        Some(begun) if begun.revision == revision => {
            let is_over = begun.boot_id != boot_id;
            (if is_over { LogonMode::Enabled } else { mode }, Some(begun.clone()))
        }
        _ => (mode, Some(DrainBegun { revision, boot_id: boot_id.to_owned() })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_until_reboot_ends_with_the_reboot_and_a_new_one_starts_anew() {
        let drain = LogonMode::DrainUntilReboot;
        let (mode, begun) = resolve(drain, 7, None, "boot-a");
        assert_eq!(mode, drain);
        assert_eq!(resolve(drain, 7, begun.as_ref(), "boot-a").0, drain);
        let (mode, still) = resolve(drain, 7, begun.as_ref(), "boot-b");
        assert_eq!((mode, &still), (LogonMode::Enabled, &begun));
        assert_eq!(resolve(drain, 9, still.as_ref(), "boot-b").0, drain);
    }

    #[test]
    fn other_modes_hold_as_they_are_and_forget_the_drain() {
        let begun = DrainBegun { revision: 7, boot_id: "boot-a".into() };
        for mode in [LogonMode::Enabled, LogonMode::Disabled, LogonMode::Drain] {
            assert_eq!(resolve(mode, 8, Some(&begun), "boot-b"), (mode, None));
        }
    }
}
