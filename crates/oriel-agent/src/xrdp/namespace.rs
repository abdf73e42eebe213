//! How xrdp and sesman are started so that our files lie over the host's: by ourselves in a private mount
//! namespace, or by systemd through drop-ins.

use std::{fmt::Write, path::Path, process::Command};

use super::layout::{Layout, Mount, inside_etc, xrdp_account};

/// One of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Part {
    /// Starts sessions; runs as root.
    Sesman,
    /// Speaks RDP; runs as a user of its own.
    Xrdp,
}

impl Part {
    /// In the order of starting.
    pub(super) const ALL: [Part; 2] = [Part::Sesman, Part::Xrdp];

    /// Name of its program, its unit and its files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Part::Sesman => "xrdp-sesman",
            Part::Xrdp => "xrdp",
        }
    }

    fn config(self) -> std::path::PathBuf {
        match self {
            Part::Sesman => inside_etc("sesman.ini"),
            Part::Xrdp => inside_etc("xrdp.ini"),
        }
    }

    fn mounts(self, layout: &Layout, executable: &Path) -> Vec<Mount> {
        match self {
            Part::Sesman => layout.sesman_mounts(executable),
            Part::Xrdp => layout.xrdp_mounts(),
        }
    }
}

/// Mounts (source, target, writable: three arguments each, up to "--"), then becomes the program.
/// Paths are arguments, never part of the script.
const MOUNT_AND_RUN: &str = r#"set -e
while [ "$1" != -- ]; do
  mount --bind -- "$1" "$2"
  [ "$3" = rw ] || mount -o remount,bind,ro -- "$2"
  shift 3
done
shift
exec "$@"
"#;

/// The command that runs a part by itself: detached from us, in a mount namespace of its own. Every step
/// replaces the one before, so the process that we start is the program in the end.
pub(super) fn command(part: Part, layout: &Layout, executable: &Path) -> Command {
    let mut command = Command::new("setsid");
    command.args(["unshare", "--mount", "--propagation", "slave", "--", "sh", "-c", MOUNT_AND_RUN, "sh"]);
    for mount in part.mounts(layout, executable) {
        command.arg(mount.source).arg(mount.target).arg(if mount.is_writable { "rw" } else { "ro" });
    }
    command.arg("--");
    if let (Part::Xrdp, Some((uid, gid))) = (part, xrdp_account()) {
        command.args([
            "setpriv",
            &format!("--reuid={uid}"),
            &format!("--regid={gid}"),
            "--init-groups",
            "--",
        ]);
    }
    command.args([part.name(), "-n", "-c"]).arg(part.config());
    // Programs in sessions inherit nothing of our own environment.
    command.env_clear().env("PATH", crate::apps::PROGRAM_PATH).current_dir("/");
    command
}

/// Whether a unit's drop-in is that of an agent with another data directory.
pub(super) fn is_anothers(drop_in: &str, part: Part, layout: &Layout) -> bool {
    let ours = bind(&part.mounts(layout, Path::new(""))[0]);
    !drop_in.lines().any(|line| line == ours)
}

fn bind(mount: &Mount) -> String {
    let key = if mount.is_writable { "BindPaths" } else { "BindReadOnlyPaths" };
    format!("{key}={}:{}", escape(&mount.source), escape(&mount.target))
}

/// The drop-in that makes the package's unit run a part with our files.
pub(super) fn drop_in(part: Part, layout: &Layout, executable: &Path) -> String {
    let mut text = String::from(
        "# Written by the Oriel agent; gone with the next start of the machine, then written again.\n\
         [Unit]\nStartLimitIntervalSec=0\n[Service]\n\
         Type=exec\nPIDFile=\nRuntimeDirectory=\nRestart=on-failure\nRestartSec=2\n",
    );
    // Sessions below sesman and connections below xrdp outlive a restart of the unit, such as an upgrade's.
    text.push_str("KillMode=process\n");
    for mount in part.mounts(layout, executable) {
        let _ = writeln!(text, "{}", bind(&mount));
    }
    // The package's preparation would give xrdp, which faces the network, our folder to write to.
    let _ = write!(
        text,
        "ExecStartPre=\nExecStart=\nExecStart=/usr/sbin/{} -n -c {}\nExecStop=\n",
        part.name(),
        // Only commands have variables.
        escape(&part.config()).replace('$', "$$")
    );
    text
}

/// A path as one word of a unit file: systemd.syntax(7), quoting; `%` is a specifier, `:` separates.
fn escape(path: &Path) -> String {
    let mut word = String::from("\"");
    for c in path.to_string_lossy().chars() {
        match c {
            '"' | '\\' => word.extend(['\\', c]),
            '%' => word.push_str("%%"),
            ':' => word.push_str("\\:"),
            other => word.push(other),
        }
    }
    word.push('"');
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drop_in_mounts_our_files_and_replaces_the_command() {
        let layout = Layout::new(Path::new("/var/lib/oriel/agent"));
        let text = drop_in(Part::Sesman, &layout, Path::new("/usr/bin/oriel"));
        let expected = r#"# Written by the Oriel agent; gone with the next start of the machine, then written again.
[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
PIDFile=
RuntimeDirectory=
Restart=on-failure
RestartSec=2
KillMode=process
BindPaths="/var/lib/oriel/agent/xrdp/run":"/run/xrdp"
BindReadOnlyPaths="/var/lib/oriel/agent/xrdp/etc":"/run/xrdp/oriel/etc"
BindPaths="/var/lib/oriel/agent/xrdp/log":"/run/xrdp/oriel/log"
BindReadOnlyPaths="/usr/bin/oriel":"/run/xrdp/oriel/oriel"
BindReadOnlyPaths="/var/lib/oriel/agent/xrdp/etc/pam":"/etc/pam.d/xrdp-sesman"
BindReadOnlyPaths="/var/lib/oriel/agent/xrdp/etc/nsswitch.conf":"/etc/nsswitch.conf"
BindReadOnlyPaths="/var/lib/oriel/agent/xrdp/extrausers":"/var/lib/extrausers"
BindReadOnlyPaths="/var/lib/oriel/agent/xrdp/etc/sesman.ini":"/etc/xrdp/sesman.ini"
ExecStartPre=
ExecStart=
ExecStart=/usr/sbin/xrdp-sesman -n -c "/run/xrdp/oriel/etc/sesman.ini"
ExecStop=
"#;
        assert_eq!(text, expected);
        let xrdp = drop_in(Part::Xrdp, &layout, Path::new("/usr/bin/oriel"));
        assert!(xrdp.contains(
            "BindReadOnlyPaths=\"/var/lib/oriel/agent/xrdp/etc/sesman-for-xrdp.ini\":\"/etc/xrdp/sesman.ini\""
        ));
        assert!(!xrdp.contains("pam.d"));
    }

    #[test]
    fn a_drop_in_belongs_to_the_agent_with_its_data_directory() {
        let layout = Layout::new(Path::new("/var/lib/oriel/agent"));
        for part in Part::ALL {
            let text = drop_in(part, &layout, Path::new("/usr/bin/oriel"));
            assert!(!is_anothers(&text, part, &layout));
            // Another program and data directory with the same beginning.
            assert!(is_anothers(&text, part, &Layout::new(Path::new("/var/lib/oriel"))));
        }
    }

    #[test]
    fn paths_with_special_characters_stay_one_word() {
        assert_eq!(escape(Path::new("/a b/50%/c:d/\"e\"/$f")), r#""/a b/50%%/c\:d/\"e\"/$f""#);
    }
}
