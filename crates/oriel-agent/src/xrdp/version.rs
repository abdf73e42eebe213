//! Which xrdp is installed, and what follows from that.

use std::{fmt, process::Command};

/// Version of xrdp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    major: u32,
    minor: u32,
    patch: u32,
    rest: u32,
}

/// The first of the 0.9 series that knows `AllowAlternateShell`.
const KNOWS_ALTERNATE_SHELL: Version = Version { major: 0, minor: 9, patch: 26, rest: 0 };
/// The first whose sesman listens on a Unix socket.
const KNOWS_UNIX_SOCKET: Version = Version { major: 0, minor: 10, patch: 0, rest: 0 };

impl Version {
    /// Asks the program.
    ///
    /// # Errors
    /// A sentence, when it is not installed or says nothing of use.
    pub(super) fn installed() -> Result<Self, String> {
        let output =
            Command::new("xrdp").arg("--version").env("PATH", crate::apps::PROGRAM_PATH).output().map_err(
                |error| format!("xrdp cannot be run ({error}); install the packages xrdp and xorgxrdp"),
            )?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Self::parse(&text).ok_or_else(|| format!("xrdp --version gave no version: {}", text.trim()))
    }

    /// Reads "xrdp 0.9.21.1".
    pub(super) fn parse(text: &str) -> Option<Self> {
        let word =
            text.split_ascii_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        let mut numbers = word.split(['.', '-', '+', '~']).map(|part| part.parse::<u32>());
        let mut next = || numbers.next().and_then(Result::ok);
        let (major, minor) = (next()?, next()?);
        Some(Self { major, minor, patch: next().unwrap_or(0), rest: next().unwrap_or(0) })
    }

    /// Whether the session takes a new size without a new connection. Before, xrdp resizes its screen but
    /// does not tell the client.
    pub(super) fn has_dynamic_resize(self) -> bool {
        self >= KNOWS_UNIX_SOCKET
    }

    /// Whether xrdp reaches sesman over TCP. Later it is a Unix socket, which only root and xrdp open.
    pub(super) fn has_tcp_sesman(self) -> bool {
        self < KNOWS_UNIX_SOCKET
    }

    /// Whether a client that may log on may also choose what runs, and no setting forbids it.
    pub(super) fn lets_clients_choose_the_program(self) -> bool {
        self < KNOWS_ALTERNATE_SHELL
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if self.rest > 0 { write!(f, ".{}", self.rest) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_told_apart() {
        let check = |text: &str, shown: &str, tcp: bool, shell: bool| {
            let version = Version::parse(text).expect(text);
            assert_eq!(version.to_string(), shown);
            assert_eq!(
                (version.has_tcp_sesman(), version.lets_clients_choose_the_program()),
                (tcp, shell),
                "{text}"
            );
        };
        check("xrdp 0.9.21.1\n  A Remote Desktop Protocol server.", "0.9.21.1", true, true);
        check("xrdp 0.9.26", "0.9.26", true, false);
        check("xrdp 0.10.1", "0.10.1", false, false);
        check("xrdp 0.10.0-beta.2", "0.10.0", false, false);
        assert!(Version::parse("xrdp").is_none());
    }
}
