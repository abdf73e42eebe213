//! The operating system's user that broker and gateway run as. Only the agent needs root: it logs
//! users on.

use std::{fs, os::unix::fs::chown, path::Path};

use anyhow::{Context, bail, ensure};

/// A local user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceUser {
    /// User id.
    pub uid: u32,
    /// Its primary group's id.
    pub gid: u32,
}

/// The lowest port that may be listened on without privileges ([ip(7)], ip_unprivileged_port_start).
const FIRST_UNPRIVILEGED: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

impl ServiceUser {
    /// Finds a user of this machine.
    pub fn find(name: &str) -> anyhow::Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "--service-user needs root: only root can become another user"
        );
        let users = fs::read_to_string("/etc/passwd").context("the users of this machine cannot be read")?;
        let Some(user) = Self::among(&users, name) else {
            bail!("there is no user \"{name}\" on this machine: make one with useradd --system {name}");
        };
        Ok(user)
    }

    fn among(passwd: &str, name: &str) -> Option<Self> {
        let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let user = fields.into_iter().find(|fields| fields.first() == Some(&name))?;
        Some(Self { uid: user.get(2)?.parse().ok()?, gid: user.get(3)?.parse().ok()? })
    }

    /// Refuses a port that this user may not listen on.
    pub fn may_listen_on(port: u16) -> anyhow::Result<()> {
        let first = fs::read_to_string(FIRST_UNPRIVILEGED)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(1024);
        ensure!(
            port >= first,
            "with --service-user the gateway cannot listen on port {port}: choose one from {first}, or allow it \
             with sysctl net.ipv4.ip_unprivileged_port_start={port}"
        );
        Ok(())
    }

    /// Gives a file, or a folder with everything in it, to this user.
    pub fn take(self, path: &Path) -> anyhow::Result<()> {
        self.take_within(path).with_context(|| format!("cannot give {} to the service user", path.display()))
    }

    fn take_within(self, path: &Path) -> std::io::Result<()> {
        // Never through a link: it could lead out of the folder.
        if fs::symlink_metadata(path)?.is_dir() {
            for entry in fs::read_dir(path)? {
                self.take_within(&entry?.path())?;
            }
        } else if !fs::symlink_metadata(path)?.is_file() {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_their_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\noriel:x:998:997::/var/lib/oriel:/bin/false\n";
        assert_eq!(ServiceUser::among(passwd, "oriel"), Some(ServiceUser { uid: 998, gid: 997 }));
        assert_eq!(ServiceUser::among(passwd, "orie"), None);
    }
}
