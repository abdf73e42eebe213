//! Where the adapter keeps its files, and what it mounts over the host's.
//!
//! Nothing of the host is changed: xrdp and sesman run in a mount namespace in which our files lie over
//! the host's. Several agents can so run on one machine.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    net::SocketAddr,
    os::unix::fs::{OpenOptionsExt, chown, symlink},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    config::{self, Numbers, Reader},
    desktop,
    version::Version,
};
use crate::state;

/// Our own folder as sessions see it.
pub(super) const INSIDE: &str = "/run/xrdp/oriel";
/// Largest log of xrdp, in bytes; one older one is kept. A logon writes some 10 KiB.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How much of a log's end is searched for a program's last line, and how much of that is told, in characters.
const WORDS_BYTES_MAX: u64 = 4096;
const WORDS_MAX: usize = 200;

/// A file of our `etc` folder as xrdp and sesman see it. Wherever the data directory lies, and whoever may
/// pass through the folders above it, they read their files from here.
pub(super) fn inside_etc(name: &str) -> PathBuf {
    Path::new(INSIDE).join("etc").join(name)
}

/// A log as xrdp and sesman see it.
pub(super) fn inside_log(name: &str) -> PathBuf {
    Path::new(INSIDE).join("log").join(format!("{name}.log"))
}

/// The folders below the agent's data directory.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

/// A file or folder of ours over one of the host's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Ours.
    pub(super) source: PathBuf,
    /// The host's.
    pub(super) target: PathBuf,
    /// Whether the namespace may write to it.
    pub(super) is_writable: bool,
}

impl Layout {
    pub(super) fn new(data: &Path) -> Self {
        Self { root: data.join("xrdp") }
    }

    /// Over `/run/xrdp`.
    fn run(&self) -> PathBuf {
        self.root.join("run")
    }
    /// [`INSIDE`], seen from outside.
    pub(super) fn shared(&self) -> PathBuf {
        self.run().join("oriel")
    }
    /// Sockets of X servers and channel servers.
    pub(super) fn sockets(&self) -> PathBuf {
        self.run().join("sockdir")
    }
    pub(super) fn aliases(&self) -> PathBuf {
        self.root.join("extrausers")
    }
    fn etc(&self, name: &str) -> PathBuf {
        self.root.join("etc").join(name)
    }
    pub(super) fn xrdp_ini(&self) -> PathBuf {
        self.etc("xrdp.ini")
    }
    pub(super) fn sesman_ini(&self) -> PathBuf {
        self.etc("sesman.ini")
    }
    pub(super) fn certificate(&self) -> PathBuf {
        self.etc("certificate.pem")
    }
    pub(super) fn key(&self) -> PathBuf {
        self.etc("key.pem")
    }
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.root.join("log").join(format!("{name}.log"))
    }
    /// Keeps the logs small. Their writers hold on to the files, so these are copied and emptied.
    pub(super) fn bound_logs(&self) {
        for name in ["xrdp", "sesman", "xrdp-output", "xrdp-sesman-output"] {
            let path = self.log(name);
            if fs::symlink_metadata(&path).is_ok_and(|meta| meta.len() > LOG_BYTES_MAX)
                && let Err(error) = empty_log(&path)
            {
                tracing::warn!(path = %path.display(), %error, "cannot keep a log small");
            }
        }
    }

    /// The last line that a program has said to its output log since then, for people to read.
    pub(super) fn last_words(&self, name: &str, since: SystemTime) -> Option<String> {
        let log = self.log(&format!("{name}-output"));
        let mut log = state::open_own(&log, OpenOptions::new().read(true)).ok()?;
        let meta = log.metadata().ok()?;
        if meta.modified().ok()? < since {
            return None;
        }
        log.seek(SeekFrom::Start(meta.len().saturating_sub(WORDS_BYTES_MAX))).ok()?;
        let mut end = Vec::new();
        log.take(WORDS_BYTES_MAX).read_to_end(&mut end).ok()?;
        let end = String::from_utf8_lossy(&end);
        let line = end.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        Some(line.chars().filter(|character| !character.is_control()).take(WORDS_MAX).collect())
    }

    pub(super) fn records(&self) -> PathBuf {
        self.root.join("sessions")
    }
    pub(super) fn software_state(&self) -> PathBuf {
        self.root.join("software.json")
    }
    pub(super) fn pam_socket(&self) -> PathBuf {
        self.shared().join("pam.sock")
    }
    pub(super) fn session_socket(&self) -> PathBuf {
        self.shared().join("session.sock")
    }
    /// Where xrdp of 0.10 believes that sesman listens, whatever the configuration says: our relay.
    pub(super) fn relay_socket(&self) -> PathBuf {
        self.sockets().join("sesman.socket")
    }
    /// Where sesman of 0.10 listens, in a folder that only root enters.
    pub(super) fn sesman_socket(&self) -> PathBuf {
        self.sesman().join("sesman.sock")
    }
    fn sesman(&self) -> PathBuf {
        self.shared().join("sesman")
    }
    /// Lets xrdp's group use a file of ours as its mode says.
    ///
    /// # Errors
    /// When the file is not there.
    pub(super) fn hand_to_xrdp(&self, path: &Path) -> io::Result<()> {
        debug_assert!(path.starts_with(&self.root), "a file of ours");
        xrdp_account().map_or(Ok(()), |(_, gid)| chown(path, Some(0), Some(gid)))
    }
    pub(super) fn menu(&self) -> PathBuf {
        self.shared().join("openbox/menu.xml")
    }
    pub(super) fn panel(&self) -> PathBuf {
        self.shared().join("openbox/tint2rc")
    }
    pub(super) fn runtime_dir(&self, uid: u32) -> PathBuf {
        self.shared().join("runtime").join(uid.to_string())
    }
    /// Marks of processes that a software restart must not confuse with the old ones.
    pub(super) fn pid_file(&self, name: &str) -> PathBuf {
        self.run().join(format!("{name}.pid"))
    }

    /// What is mounted for sesman and everything that it starts.
    pub(super) fn sesman_mounts(&self, executable: &Path) -> Vec<Mount> {
        let over =
            |source: PathBuf, target: &str, is_writable| Mount { source, target: target.into(), is_writable };
        vec![
            over(self.run(), "/run/xrdp", true),
            over(self.root.join("etc"), &format!("{INSIDE}/etc"), false),
            over(self.root.join("log"), &format!("{INSIDE}/log"), true),
            over(executable.to_owned(), &format!("{INSIDE}/oriel"), false),
            over(self.etc("pam"), "/etc/pam.d/xrdp-sesman", false),
            over(self.etc("nsswitch.conf"), "/etc/nsswitch.conf", false),
            over(self.aliases(), "/var/lib/extrausers", false),
            over(self.sesman_ini(), "/etc/xrdp/sesman.ini", false),
        ]
    }

    /// What is mounted for xrdp, which faces the network: no more than it needs.
    pub(super) fn xrdp_mounts(&self) -> Vec<Mount> {
        let over =
            |source: PathBuf, target: &str, is_writable| Mount { source, target: target.into(), is_writable };
        vec![
            over(self.run(), "/run/xrdp", true),
            over(self.root.join("etc"), &format!("{INSIDE}/etc"), false),
            over(self.root.join("log"), &format!("{INSIDE}/log"), true),
            over(self.etc("sesman-for-xrdp.ini"), "/etc/xrdp/sesman.ini", false),
        ]
    }

    /// Makes the folders and writes every file that does not depend on sessions.
    ///
    /// # Errors
    /// A sentence on what cannot be written or is missing on the host.
    pub(super) fn install(
        &self,
        listen: SocketAddr,
        numbers: Numbers,
        version: Version,
    ) -> Result<(), String> {
        check_host()?;
        self.write_all(listen, numbers, version)
            .map_err(|error| format!("cannot write below {}: {error}", self.root.display()))
    }

    fn write_all(&self, listen: SocketAddr, numbers: Numbers, version: Version) -> io::Result<()> {
        let xrdp_user = xrdp_account();
        // xrdp, as its own user, passes through to its files; the secrets below are closed by themselves.
        for open in [&self.root, &self.root.join("etc"), &self.run(), &self.shared(), &self.aliases()] {
            state::directory(open, 0o755)?;
        }
        for closed in [self.records(), self.root.join("log"), self.sesman()] {
            state::directory(&closed, 0o700)?;
        }
        for shared in ["openbox", "runtime", "etc", "log"] {
            state::directory(&self.shared().join(shared), 0o755)?;
        }
        state::directory(&self.sockets(), 0o755)?;
        if let Some((_, gid)) = xrdp_user {
            chown(self.sockets(), Some(0), Some(gid))?;
            let log = self.root.join("log");
            chown(&log, Some(0), Some(gid))?;
            state::directory(&log, 0o770)?;
        }
        // As the package does: everybody makes sockets here, of the group of xrdp, and removes only their own.
        state::directory(&self.sockets(), 0o3777)?;

        let sesman = |reader| config::sesman_ini(numbers, version, reader);
        state::overwrite(&self.xrdp_ini(), &config::xrdp_ini(listen), 0o644)?;
        state::overwrite(&self.sesman_ini(), &sesman(Reader::Sesman), 0o644)?;
        state::overwrite(&self.etc("sesman-for-xrdp.ini"), &sesman(Reader::Xrdp), 0o644)?;
        state::overwrite(&self.etc("pam"), &config::pam_service(version), 0o644)?;
        state::overwrite(&self.etc("pam_env.conf"), &config::pam_env(), 0o644)?;
        let nsswitch = fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
        state::overwrite(&self.etc("nsswitch.conf"), &config::nsswitch(&nsswitch), 0o644)?;
        for name in ["passwd", "group"] {
            let path = self.aliases().join(name);
            if !path.exists() {
                state::write(&path, b"", 0o644)?;
            }
        }
        let shared = self.shared();
        state::write(&shared.join("startwm"), config::startwm().as_bytes(), 0o755)?;
        let inside = Path::new(INSIDE).join("openbox");
        state::write(&shared.join("openbox/application.xml"), desktop::APPLICATION.as_bytes(), 0o644)?;
        let rules = desktop::desktop(&inside.join("menu.xml"));
        state::write(&shared.join("openbox/desktop.xml"), rules.as_bytes(), 0o644)?;
        // Reconnecting needs no script, and sesman warns when there is none.
        let reconnect = shared.join("reconnect");
        if fs::symlink_metadata(&reconnect).is_err() {
            symlink("/bin/true", reconnect)?;
        }
        // The place that the program is mounted on.
        let executable = shared.join("oriel");
        if !executable.exists() {
            state::write(&executable, b"", 0o755)?;
        }
        Ok(())
    }

    /// The RDP listener's certificate: made once, then kept, since gateways pin what the agent reports.
    ///
    /// # Errors
    /// A sentence, when it can be neither read nor made.
    pub(super) fn tls_certificate(&self, machine_name: &str) -> Result<[u8; 32], String> {
        if !self.certificate().exists() || !self.key().exists() {
            self.make_certificate(machine_name)
                .map_err(|error| format!("cannot make a certificate: {error}"))?;
        }
        if let Some((uid, gid)) = xrdp_account() {
            chown(self.key(), Some(uid), Some(gid))
                .map_err(|error| format!("cannot hand over the key: {error}"))?;
        }
        let pem = fs::read_to_string(self.certificate())
            .map_err(|error| format!("cannot read the certificate: {error}"))?;
        let der =
            der_of(&pem).ok_or("the RDP listener's certificate is damaged: remove it and start again")?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &der);
        Ok(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    fn make_certificate(&self, machine_name: &str) -> Result<(), Box<dyn std::error::Error>> {
        let key = rcgen::KeyPair::generate()?;
        let mut parameters = rcgen::CertificateParams::new(vec![machine_name.to_owned()])?;
        parameters.distinguished_name.push(rcgen::DnType::CommonName, machine_name);
        // Pinned, never trusted by name or date: it is to outlive the machine.
        parameters.not_after = rcgen::date_time_ymd(2049, 12, 31);
        let certificate = parameters.self_signed(&key)?;
        state::write(&self.key(), key.serialize_pem().as_bytes(), 0o400)?;
        state::write(&self.certificate(), certificate.pem().as_bytes(), 0o444)?;
        Ok(())
    }
}

/// Keeps a copy of a log and empties it. xrdp, which faces the network, may write to the folder: it must not
/// get at other files through us.
fn empty_log(path: &Path) -> io::Result<()> {
    let mut log = state::open_own(path, OpenOptions::new().read(true).write(true))?;
    let older = path.with_extension("log.1");
    match fs::remove_file(&older) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(older)?;
    io::copy(&mut (&mut log).take(2 * LOG_BYTES_MAX), &mut copy)?;
    log.set_len(0)
}

fn der_of(pem: &str) -> Option<Vec<u8>> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let body = pem.split("-----BEGIN CERTIFICATE-----").nth(1)?.split("-----END").next()?;
    STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()
}

/// User and group that the package made for xrdp; without them it runs as root, as upstream does.
pub(super) fn xrdp_account() -> Option<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.starts_with("xrdp:"))?;
    let fields: Vec<&str> = line.split(':').collect();
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

/// Everything that must be there to be mounted over or started.
fn check_host() -> Result<(), String> {
    let mut missing = Vec::new();
    for (path, package) in [
        ("/etc/pam.d/xrdp-sesman", "xrdp"),
        ("/etc/xrdp/sesman.ini", "xrdp"),
        ("/etc/X11/xrdp/xorg.conf", "xorgxrdp"),
        ("/var/lib/extrausers", "libnss-extrausers"),
        ("/usr/bin/openbox", "openbox"),
        ("/usr/bin/xauth", "xauth"),
        ("/usr/bin/setpriv", "util-linux"),
    ] {
        if !Path::new(path).exists() && !missing.contains(&package) {
            missing.push(package);
        }
    }
    if !missing.is_empty() {
        return Err(format!(
            "this host lacks packages that sessions need: apt-get install {}",
            missing.join(" ")
        ));
    }
    // A place to mount on; /run is empty after each restart.
    fs::create_dir_all("/run/xrdp").map_err(|error| format!("cannot make /run/xrdp: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_emptied_touches_no_other_file() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("secret"), "untouched").expect("file");
        fs::write(path("xrdp.log"), "line").expect("file");
        symlink(path("secret"), path("xrdp.log.1")).expect("link");
        empty_log(&path("xrdp.log")).expect("emptied");
        let read = |name: &str| fs::read_to_string(path(name)).expect("text");
        assert_eq!(
            (read("secret"), read("xrdp.log"), read("xrdp.log.1")),
            ("untouched".into(), String::new(), "line".into())
        );
        symlink(path("secret"), path("sesman.log")).expect("link");
        fs::hard_link(path("secret"), path("output.log")).expect("link");
        for bad in ["sesman.log", "output.log"] {
            empty_log(&path(bad)).expect_err(bad);
        }
        assert_eq!(read("secret"), "untouched");
    }

    #[test]
    fn the_last_words_of_a_program_are_those_of_this_run() {
        let folder = tempfile::tempdir().expect("folder");
        let layout = Layout::new(folder.path());
        let log = layout.log("xrdp-output");
        fs::create_dir_all(log.parent().expect("folder")).expect("folder");
        let began = SystemTime::UNIX_EPOCH;
        assert_eq!(layout.last_words("xrdp", began), None);
        let long = "x".repeat(300);
        fs::write(&log, format!("{long}\nearlier\nit cannot\x1b[1m be done \n\n")).expect("log");
        assert_eq!(layout.last_words("xrdp", began).as_deref(), Some("it cannot[1m be done"));
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        assert_eq!(layout.last_words("xrdp", later), None);
        fs::write(&log, &long).expect("log");
        assert_eq!(layout.last_words("xrdp", began).map(|words| words.len()), Some(WORDS_MAX));
    }
}
