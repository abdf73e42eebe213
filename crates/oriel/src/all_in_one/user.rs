//! The operating system's user that broker and gateway run as. Only the agent needs root: it logs
//! users on.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{
        fd::AsRawFd,
        unix::fs::{OpenOptionsExt, fchown, lchown},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use rustix::fs::OFlags;

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

    /// Never through a link: the user may have put one there, and it could lead out of the folder. So a
    /// folder is held open while what is in it is named through it.
    fn take_within(self, path: &Path) -> io::Result<()> {
        let kind = fs::symlink_metadata(path)?.file_type();
        if kind.is_dir() {
            let folder = open_folder(path)?;
            let held = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
            for entry in fs::read_dir(&held)? {
                self.take_within(&held.join(entry?.file_name()))?;
            }
            return fchown(&folder, Some(self.uid), Some(self.gid));
        }
        if kind.is_file() { lchown(path, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }
}

fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::DIRECTORY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
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

    #[test]
    fn a_folder_is_given_away_and_what_links_in_it_lead_to_is_not() {
        use std::os::unix::fs::{MetadataExt, symlink};
        let outside = std::env::temp_dir().join(format!("oriel-outside-{}", std::process::id()));
        let folder = outside.join("folder");
        fs::create_dir_all(folder.join("below")).expect("folder");
        fs::write(outside.join("file"), "").expect("file");
        fs::write(folder.join("below/file"), "").expect("file");
        symlink(outside.join("file"), folder.join("link")).expect("link");
        symlink(&outside, folder.join("below/links")).expect("link");
        let of = |path: PathBuf| fs::metadata(path).expect("there").uid();
        let me = of(outside.clone());
        // Only root can give away; for others there is still something to walk through.
        let uid = if me == 0 { 12_345 } else { me };
        let gid = fs::metadata(&outside).expect("there").gid();
        ServiceUser { uid, gid }.take(&folder).expect("given away");
        assert_eq!((of(folder.clone()), of(folder.join("below/file"))), (uid, uid));
        assert_eq!((of(outside.join("file")), of(outside.clone())), (me, me));
        assert!(open_folder(&folder.join("below/links")).is_err());
        fs::remove_dir_all(&outside).expect("removed");
    }
}
