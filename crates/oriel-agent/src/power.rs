//! Restarting and stopping this machine: by the commands of the node's file, else by systemd.

use std::{path::Path, process::Stdio, time::Duration};

use crate::{
    apps::{PROGRAM_PATH, find_program, split_words},
    host::{PowerAction, Refusal, RefusalKind},
};

/// How long a command may take to say that it does not work. systemd answers at once; after this time, the
/// machine is taken to be on its way down.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// systemd runs the machine where this folder is, sd_booted(3).
const SYSTEMD: &str = "/run/systemd/system";
/// Longest complaint of a command that is passed on, in characters.
const COMPLAINT_MAX: usize = 300;

/// How it is done here, where it can be.
#[derive(Debug, Clone, Default)]
pub struct Power {
    reboot: Option<Vec<String>>,
    stop: Option<Vec<String>>,
}

impl Power {
    /// With the commands of the node's file; what has none is systemd's, where that runs.
    ///
    /// # Errors
    /// A sentence about a command that cannot be run.
    pub fn new(reboot: Option<&str>, stop: Option<&str>) -> Result<Self, String> {
        let has_systemd = Path::new(SYSTEMD).is_dir() && find_program("systemctl").is_some();
        let command = |key: &str, given: Option<&str>, verb: &str| match given {
            Some(line) => words(line).map(Some).map_err(|error| format!("{key}: {error}")),
            None => Ok(has_systemd.then(|| vec!["systemctl".to_owned(), verb.to_owned()])),
        };
        Ok(Self {
            reboot: command("power.reboot", reboot, "reboot")?,
            stop: command("power.stop", stop, "poweroff")?,
        })
    }

    /// Whether it can be done here.
    pub fn can(&self, action: PowerAction) -> bool {
        self.command(action).is_some()
    }

    /// Has it done; returns when it is under way.
    ///
    /// # Errors
    /// When there is no way, or the command fails.
    pub async fn carry_out(&self, action: PowerAction) -> Result<(), Refusal> {
        let verb = match action {
            PowerAction::Reboot => "restart",
            PowerAction::Stop => "stop",
        };
        let Some((program, arguments)) = self.command(action).and_then(|words| words.split_first()) else {
            let reason = format!(
                "this host has no way to {verb} itself: systemd does not run here, and its node file has no \
                 command for it (power.reboot, power.stop)"
            );
            return Err(Refusal::new(RefusalKind::NotSupported, reason));
        };
        tracing::warn!(action = verb, "the machine is told to go down, as a broker asked");
        let failed = |why: String| {
            Refusal::new(RefusalKind::Internal, format!("this host cannot {verb}: {program}: {why}"))
        };
        let child = std::process::Command::new(program)
            .args(arguments)
            .env("PATH", PROGRAM_PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
        let output = match tokio::time::timeout(ANSWER_TIMEOUT, ended).await {
            Err(_) | Ok(Err(_)) => return Ok(()),
            Ok(Ok(output)) => output.map_err(|error| failed(error.to_string()))?,
        };
        if output.status.success() {
            return Ok(());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let complaint: String = complaint.trim().chars().take(COMPLAINT_MAX).collect();
        Err(failed(if complaint.is_empty() { output.status.to_string() } else { complaint }))
    }

    fn command(&self, action: PowerAction) -> Option<&Vec<String>> {
        match action {
            PowerAction::Reboot => self.reboot.as_ref(),
            PowerAction::Stop => self.stop.as_ref(),
        }
    }
}

fn words(line: &str) -> Result<Vec<String>, String> {
    let words = split_words(line).map_err(|error| error.to_string())?;
    let program = words.first().ok_or("the command is empty")?;
    find_program(program).ok_or_else(|| format!("the program \"{program}\" does not exist on this host"))?;
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_node_files_commands_are_run_and_their_failure_is_told() {
        let folder = tempfile::tempdir().expect("folder");
        let mark = folder.path().join("restarted");
        let reboot = format!("touch '{}'", mark.display());
        let power = Power::new(Some(&reboot), Some("sh -c 'echo no power >&2; exit 3'")).expect("commands");
        assert!(power.can(PowerAction::Reboot) && power.can(PowerAction::Stop));
        power.carry_out(PowerAction::Reboot).await.expect("done");
        assert!(mark.exists());
        let refusal = power.carry_out(PowerAction::Stop).await.expect_err("fails");
        assert_eq!(refusal.reason, "this host cannot stop: sh: no power");
    }

    #[tokio::test]
    async fn a_host_without_a_way_says_so() {
        let power = Power::default();
        assert!(!power.can(PowerAction::Reboot));
        let refusal = power.carry_out(PowerAction::Reboot).await.expect_err("no way");
        assert_eq!(refusal.kind, RefusalKind::NotSupported);
        assert!(refusal.reason.contains("power.reboot"), "{refusal}");
    }

    #[test]
    fn commands_that_cannot_be_run_are_refused_at_the_start() {
        let check = |line: &str, named: &str| {
            let error = Power::new(Some(line), None).expect_err(line);
            assert!(error.starts_with("power.reboot: ") && error.contains(named), "{error}");
        };
        check("", "empty");
        check("no-such-program-x1 now", "no-such-program-x1");
        check("'open", "quotation");
    }
}
