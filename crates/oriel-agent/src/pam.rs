//! The steps that PAM calls: one asks the agent whether a secret is good, one says that a session opens or
//! closes. Both are subcommands of the one binary, run as root by the session software.
//!
//! They do one exchange over a Unix socket that only root can open, and nothing else, because the session
//! software serves nobody else meanwhile. An agent that has just ended is given a moment to come back: it
//! knows the logons that it gave out before, and which of them are used.

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Between an account's name and the number of an alias. Not allowed in account names, so no alias is an
/// account.
pub(crate) const ALIAS_SEPARATOR: char = '~';
/// Longest line either way, in bytes. A secret has 43.
pub(crate) const LINE_BYTES_MAX: u64 = 4096;
/// A silent agent must not hold up the session software for long.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long an agent may be away: its supervisor starts it again within a second.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often to look whether it is back.
const LOOK: Duration = Duration::from_millis(50);

/// What a step asks or says; one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PamRequest {
    /// May this name log on with this secret?
    Logon {
        /// As logged on with.
        name: String,
        /// As typed.
        secret: Zeroizing<String>,
    },
    /// A session opens or closes.
    Session {
        /// As logged on with.
        name: String,
        /// False when it closes.
        is_opening: bool,
        /// PAM_TTY: the display.
        terminal: String,
        /// The process that stands for the session.
        leader: u32,
    },
}

/// The agent's answer; one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PamAnswer {
    pub(crate) is_allowed: bool,
}

/// The step that checks a secret: `pam_exec.so expose_authtok`. Reads the secret from standard input, up to
/// a zero byte, and the name from `PAM_USER`. Succeeds only if the agent says yes.
pub fn logon(socket: &Path) -> ExitCode {
    let mut bytes = Zeroizing::new(Vec::new());
    if std::io::stdin().take(LINE_BYTES_MAX / 2).read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    let secret = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let Ok(secret) = std::str::from_utf8(secret) else { return ExitCode::FAILURE };
    let secret = Zeroizing::new(secret.to_owned());
    let request = PamRequest::Logon { name: logon_name(), secret };
    match ask(socket, &request, PATIENCE) {
        Ok(PamAnswer { is_allowed: true }) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// The step that reports a session. Its parent is the process that stands for the session. Always succeeds:
/// a session must be able to close while the agent is away.
pub fn session(socket: &Path) -> ExitCode {
    let is_opening = match variable("PAM_TYPE").as_str() {
        "open_session" => true,
        "close_session" => false,
        _ => return ExitCode::SUCCESS,
    };
    let request = PamRequest::Session {
        name: logon_name(),
        is_opening,
        terminal: variable("PAM_TTY"),
        leader: std::os::unix::process::parent_id(),
    };
    // That it closes, the agent sees for itself when it is back.
    let patience = if is_opening { PATIENCE } else { Duration::ZERO };
    // Without an answer: the session opens or closes all the same.
    let _ = ask(socket, &request, patience);
    ExitCode::SUCCESS
}

/// The name that was logged on with. sesman of 0.10 has the account's name instead; the relay has put the
/// other in the remote host's place.
fn logon_name() -> String {
    choose_name(variable("PAM_USER"), variable("PAM_RHOST"))
}

fn choose_name(user: String, remote_host: String) -> String {
    let is_alias = remote_host.strip_prefix(&user).is_some_and(|rest| rest.starts_with(ALIAS_SEPARATOR));
    if is_alias && !user.is_empty() { remote_host } else { user }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// Asks until there is an answer, for as long as the agent is away. Asking again is safe: what the agent has
/// allowed once, it does not allow again.
fn ask(socket: &Path, request: &PamRequest, patience: Duration) -> io::Result<PamAnswer> {
    let deadline = Instant::now() + patience;
    loop {
        match exchange(socket, request) {
            Err(error) if is_away(&error) && Instant::now() < deadline => thread::sleep(LOOK),
            outcome => return outcome,
        }
    }
}

fn exchange(socket: &Path, request: &PamRequest) -> io::Result<PamAnswer> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut line = Zeroizing::new(serde_json::to_vec(request)?);
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    match BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut answer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(serde_json::from_str(&answer)?),
    }
}

/// Whether nobody is there, or whoever was has gone before the answer.
fn is_away(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotFound, UnexpectedEof};
    matches!(error.kind(), NotFound | ConnectionRefused | ConnectionReset | BrokenPipe | UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn an_alias_in_the_remote_hosts_place_is_the_name() {
        let check = |user: &str, remote_host: &str, expected: &str| {
            assert_eq!(choose_name(user.to_owned(), remote_host.to_owned()), expected);
        };
        check("alice", "alice~2", "alice~2");
        check("alice~2", "", "alice~2");
        check("alice~2", "127.0.0.1", "alice~2");
        check("alice", "bob~2", "alice");
        check("alice", "alicia~2", "alice");
        check("", "~2", "");
    }

    fn event() -> PamRequest {
        PamRequest::Session { name: "alice~1".into(), is_opening: true, terminal: ":1".into(), leader: 1 }
    }

    /// Takes one connection; answers it or leaves without a word.
    fn take(listener: &UnixListener, answers: bool) {
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        if answers {
            stream.write_all(b"{\"is_allowed\":true}\n").unwrap();
        }
    }

    #[test]
    fn an_agent_that_ends_before_it_answers_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("pam.sock");
        let answer = thread::scope(|scope| {
            scope.spawn(|| {
                let first = UnixListener::bind(&socket).unwrap();
                take(&first, false);
                drop(first);
                std::fs::remove_file(&socket).unwrap();
                take(&UnixListener::bind(&socket).unwrap(), true);
            });
            ask(&socket, &event(), Duration::from_secs(60))
        });
        assert!(answer.unwrap().is_allowed);
    }

    #[test]
    fn an_agent_that_stays_away_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let patience = Duration::from_millis(120);
        let began = Instant::now();
        let error = ask(&folder.path().join("pam.sock"), &event(), patience).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(began.elapsed() >= patience);
    }
}
