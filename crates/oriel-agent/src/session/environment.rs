//! The environment of a session's programs.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{BufRead, BufReader},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use super::{LOGON_VARIABLE, SESSION_VARIABLE, SOCKET_VARIABLE, protocol::Begin};
use crate::apps::{PROGRAM_PATH, find_program};

/// How long the message bus may take to say its address.
const BUS_TIMEOUT: Duration = Duration::from_secs(5);

/// Variables for every program of the session.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    variables: BTreeMap<OsString, OsString>,
    home: PathBuf,
}

impl Environment {
    /// From what the session software passed: the name that was logged on with becomes the account's own.
    pub(super) fn new(
        begin: &Begin,
        inherited: impl IntoIterator<Item = (OsString, OsString)>,
        uid: u32,
    ) -> Self {
        let mut variables: BTreeMap<OsString, OsString> = inherited.into_iter().collect();
        for gone in [SOCKET_VARIABLE, LOGON_VARIABLE, "UID", "MAIL", "DBUS_SESSION_BUS_ADDRESS"] {
            variables.remove(&OsString::from(gone));
        }
        let mut set = |name: &str, value: &Path| variables.insert(name.into(), value.into());
        set("USER", Path::new(&begin.account));
        set("LOGNAME", Path::new(&begin.account));
        set("HOME", &begin.home);
        set("SHELL", Path::new(&begin.shell));
        set("PATH", Path::new(PROGRAM_PATH));
        set("XDG_SESSION_TYPE", Path::new("x11"));
        set(SESSION_VARIABLE, Path::new(&begin.session.to_string()));
        let of_system = PathBuf::from(format!("/run/user/{uid}"));
        let is_ours = std::fs::metadata(&of_system).is_ok_and(|meta| meta.uid() == uid);
        set("XDG_RUNTIME_DIR", if is_ours { &of_system } else { &begin.runtime_dir });
        // Without any language, programs fall back to ASCII and spoil what is typed.
        if !["LANG", "LC_ALL", "LC_CTYPE"].iter().any(|name| variables.contains_key(&OsString::from(name))) {
            variables.insert("LANG".into(), "C.UTF-8".into());
        }
        Self { variables, home: begin.home.clone() }
    }

    /// A command with this environment, in the home directory, in a process group of its own.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(&self.variables)
            .current_dir(if self.home.is_dir() { &self.home } else { Path::new("/") })
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        command
    }

    /// Where the user's programs keep what goes with the sessions.
    pub(super) fn runtime_dir(&self) -> Option<&Path> {
        self.variables.get(&OsString::from("XDG_RUNTIME_DIR")).map(Path::new)
    }

    /// The folder that `start_in` means; the home where it means none that exists.
    pub(super) fn folder(&self, start_in: &str) -> PathBuf {
        let folder = match start_in.strip_prefix('~') {
            Some(below) if below.is_empty() || below.starts_with('/') => {
                self.home.join(below.trim_start_matches('/'))
            }
            _ if start_in.starts_with('/') => PathBuf::from(start_in),
            _ => self.home.clone(),
        };
        [folder, self.home.clone()].into_iter().find(|folder| folder.is_dir()).unwrap_or_else(|| "/".into())
    }

    /// Gives the session a message bus: the user's own where the system runs one, else a new one, whose
    /// process is returned. Without any, many programs still work, so a failure is not an error.
    pub(super) fn add_message_bus(&mut self) -> Option<Child> {
        let folder = self.runtime_dir()?.to_owned();
        let own = folder.join("bus");
        if own.exists() {
            let address = format!("unix:path={}", own.display());
            self.variables.insert("DBUS_SESSION_BUS_ADDRESS".into(), address.into());
            return None;
        }
        find_program("dbus-daemon")?;
        let mut child = self
            .command("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address"])
            // A bus that is killed leaves its socket behind, which is for nobody else to find.
            .arg(format!("--address=unix:dir={}", folder.display()))
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let output = child.stdout.take()?;
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            if BufReader::new(output).read_line(&mut line).is_ok() {
                let _ = sender.send(line);
            }
        });
        match receiver.recv_timeout(BUS_TIMEOUT) {
            Ok(address) if !address.trim().is_empty() => {
                self.variables.insert("DBUS_SESSION_BUS_ADDRESS".into(), address.trim().into());
                Some(child)
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{SessionId, Start};

    fn environment(inherited: &[(&str, &str)]) -> Environment {
        let begin = Begin {
            session: SessionId::generate(jiff::Timestamp::UNIX_EPOCH),
            account: "alice".into(),
            home: "/".into(),
            shell: "/bin/bash".into(),
            start: Start::Desktop,
            resource: String::new(),
            desktop_command: None,
            window_manager: "/nowhere".into(),
            runtime_dir: "/run/nowhere".into(),
        };
        let inherited = inherited.iter().map(|(name, value)| (name.into(), value.into()));
        Environment::new(&begin, inherited, u32::MAX)
    }

    #[test]
    fn the_logon_name_becomes_the_account_and_languages_are_kept() {
        let own =
            environment(&[("USER", "alice~7"), ("LANG", "de_DE.UTF-8"), ("UID", "7"), ("DISPLAY", ":40.0")]);
        let value = |name: &str| own.variables.get(&OsString::from(name)).and_then(|value| value.to_str());
        assert_eq!(value("USER"), Some("alice"));
        assert_eq!(value("LANG"), Some("de_DE.UTF-8"));
        assert_eq!(value("DISPLAY"), Some(":40.0"));
        assert_eq!(value("UID"), None);
        assert_eq!(value("XDG_RUNTIME_DIR"), Some("/run/nowhere"));
        let bare = environment(&[]);
        assert_eq!(bare.variables.get(&OsString::from("LANG")), Some(&OsString::from("C.UTF-8")));
    }

    #[test]
    fn a_program_starts_in_its_folder_or_at_home() {
        let environment = environment(&[]);
        let check = |start_in: &str, expected: &str| {
            assert_eq!(environment.folder(start_in), Path::new(expected), "{start_in}");
        };
        check("", "/");
        check("/tmp", "/tmp");
        check("~", "/");
        check("~/tmp", "/tmp");
        check("/no/such/folder", "/");
        check("relative", "/");
    }
}
