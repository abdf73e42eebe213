//! Scripts: files in a folder that the broker's node file names. Settings say which of them, never where.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, geteuid, kill_process_group};
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    time::{Instant, sleep_until, timeout},
};

use super::message::Message;

/// How long a script may run.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of what it complains is kept, in bytes.
const COMPLAINT_MAX: u64 = 500;
/// How long the end of a complaint is waited for once the script has ended: what it has left running may
/// hold the pipe.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Who else may write to a script, or to its folder, could run anything as the broker.
const OTHERS_MAY_WRITE: u32 = 0o022;

/// Why a script did not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScriptError {
    #[error("the broker's node file names no folder of scripts (\"scripts\")")]
    NoFolder,
    #[error("there is no script {0} in the broker's folder of scripts")]
    Absent(String),
    #[error(
        "the script {0} is not used: others than root and the broker's user own it or may write to it or its folder"
    )]
    NotSafe(String),
    #[error("the script {script} could not be started")]
    Start { script: String, source: io::Error },
    #[error("the script {script} ended with {status}: {complaint}")]
    Failed { script: String, status: ExitStatus, complaint: String },
    #[error("the script {0} ran for longer than a minute and was ended")]
    TooSlow(String),
}

/// Runs a script with a message in its environment.
pub(super) async fn run(folder: Option<&Path>, name: &str, message: &Message) -> Result<(), ScriptError> {
    run_for(folder, name, message, PATIENCE).await
}

async fn run_for(
    folder: Option<&Path>,
    name: &str,
    message: &Message,
    patience: Duration,
) -> Result<(), ScriptError> {
    let folder = folder.ok_or(ScriptError::NoFolder)?;
    let path = found(folder, name)?;
    let start = |source| ScriptError::Start { script: name.to_owned(), source };
    let mut child = Command::new(&path)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .envs(variables(message))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(start)?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let ended = ended(&mut child, Instant::now() + patience).await.map_err(start)?;
    match ended {
        Some((status, _)) if status.success() => Ok(()),
        Some((status, complaint)) => Err(ScriptError::Failed { script: name.to_owned(), status, complaint }),
        None => {
            // With all that it has started.
            if let Some(group) = group {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = child.wait().await;
            Err(ScriptError::TooSlow(name.to_owned()))
        }
    }
}

/// How it ended and what it complained; none: the deadline has passed.
async fn ended(child: &mut Child, deadline: Instant) -> io::Result<Option<(ExitStatus, String)>> {
    let stderr = child.stderr.take();
    let mut said = Vec::new();
    let status = {
        let reading = async {
            if let Some(stderr) = stderr {
                let _ = stderr.take(COMPLAINT_MAX).read_to_end(&mut said).await;
            }
        };
        tokio::pin!(reading);
        let mut is_read = false;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status?,
                () = &mut reading, if !is_read => is_read = true,
                () = sleep_until(deadline) => return Ok(None),
            }
        };
        if !is_read {
            let _ = timeout(LAST_WORDS, reading).await;
        }
        status
    };
    let said = String::from_utf8_lossy(&said).trim().replace(|c: char| c.is_control(), " ");
    Ok(Some((status, said)))
}

/// The script of this name: a plain file that nobody but root and the broker's own user can have written.
fn found(folder: &Path, name: &str) -> Result<PathBuf, ScriptError> {
    let absent = || ScriptError::Absent(name.to_owned());
    // Settings are checked for this; a path must not come through even so.
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        return Err(absent());
    }
    let path = folder.join(name);
    let file = path.symlink_metadata().map_err(|_| absent())?;
    let folder = folder.metadata().map_err(|_| absent())?;
    if !file.is_file() {
        return Err(absent());
    }
    let is_safe = [file, folder].iter().all(|one| {
        let is_ours = one.uid() == 0 || one.uid() == geteuid().as_raw();
        is_ours && one.mode() & OTHERS_MAY_WRITE == 0
    });
    if is_safe { Ok(path) } else { Err(ScriptError::NotSafe(name.to_owned())) }
}

fn variables(message: &Message) -> Vec<(&'static str, String)> {
    let names = |recovered: bool| {
        let said = message.said.iter().filter(|said| said.recovered == recovered);
        said.map(|said| said.name.as_str()).collect::<Vec<_>>().join("\n")
    };
    let variables = [
        ("ORIEL_EVENT", message.event.as_str().to_owned()),
        ("ORIEL_NOTIFICATION", message.notification_name.clone()),
        ("ORIEL_FARM", message.farm_name.clone()),
        ("ORIEL_AT", message.at.to_string()),
        ("ORIEL_TEST", message.is_test.to_string()),
        ("ORIEL_COUNT", (message.said.len() + message.more).to_string()),
        ("ORIEL_NAMES", names(false)),
        ("ORIEL_RECOVERED", names(true)),
        ("ORIEL_SUBJECT", message.subject()),
        ("ORIEL_TEXT", message.text()),
        ("ORIEL_JSON", message.json().to_string()),
    ];
    // What ends a variable in C cannot be in one.
    variables.into_iter().map(|(name, value)| (name, value.replace('\0', ""))).collect()
}

#[cfg(test)]
mod tests;
