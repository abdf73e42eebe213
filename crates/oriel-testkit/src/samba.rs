//! An Active Directory domain, real: two domain controllers (Samba) in a network of their own.
//!
//! Making a domain takes half a minute; it is made once, kept below the target directory, and copied for each
//! test. Needs root. The domain is `ad.oriel.test` (`ORIELAD`); `samba/make.sh` says who is in it.

use std::{
    collections::hash_map::DefaultHasher,
    fs::{self, File},
    hash::{Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    time::Duration,
};

use anyhow::{Context as _, ensure};

use crate::{
    certificates::{Authority, Validity},
    namespace::{Namespace, Process},
};

/// Addresses of the two domain controllers.
pub const ADDRESSES: [&str; 2] = ["10.99.0.10", "10.99.0.11"];
/// Everybody's password at the beginning.
pub const PASSWORD: &str = "Correct.Horse1";
/// The account that looks people up, an ordinary user of the domain.
pub const SERVICE: &str = "oriel-service@ad.oriel.test";

const MAKE: &str = include_str!("samba/make.sh");
/// What a test needs of a controller; all else takes seconds to start.
const SERVICES: &str = " server services = ldap, cldap, kdc, drepl, rpc, dns\n";
/// What is kept is made anew after this time, long before the passwords in it expire.
const KEPT: Duration = Duration::from_secs(100 * 24 * 3600);
/// How long a domain controller may take to start, on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// The running domain. Dropping it ends it.
pub struct Samba {
    namespace: Namespace,
    folder: tempfile::TempDir,
    controllers: Vec<Controller>,
}

struct Controller {
    name: &'static str,
    address: &'static str,
    process: Mutex<Option<Process>>,
}

impl Samba {
    /// Starts the first `count` of both controllers, with certificates for their addresses and names.
    ///
    /// # Errors
    /// Samba is not installed, this is not root, or a controller does not start.
    pub fn start(authority: &Authority, count: usize) -> anyhow::Result<Self> {
        let made = made()?;
        let namespace = network()?;
        let folder = tempfile::TempDir::with_prefix("oriel-samba-")?;
        let path = folder.path();
        // Sparse files stay so: a domain is 40 MB, and a few on the disk.
        for name in ["dc1", "dc2", "hosts", "resolv.conf", "krb5.conf"] {
            run(Command::new("cp").args(["-a", "--sparse=always"]).arg(made.join(name)).arg(path))?;
        }
        let samba = Self {
            namespace,
            folder,
            controllers: vec![
                Controller { name: "dc1", address: ADDRESSES[0], process: Mutex::default() },
                Controller { name: "dc2", address: ADDRESSES[1], process: Mutex::default() },
            ],
        };
        for controller in &samba.controllers {
            let own = samba.folder.path().join(controller.name);
            let name = format!("{}.ad.oriel.test", controller.name);
            authority.write(&own, &[controller.address, &name], Validity::Now);
            configure(samba.folder.path(), controller.name, controller.address)?;
        }
        for index in 0..count {
            samba.launch(index)?;
        }
        for index in 0..count {
            samba.wait(index)?;
        }
        Ok(samba)
    }

    /// The network that it is in: whoever asks it must be there, too.
    pub fn network(&self) -> &Namespace {
        &self.namespace
    }

    /// Ends a controller, as a machine that loses its power does.
    pub fn stop(&self, index: usize) {
        let Some(process) = self.controllers[index].process.lock().unwrap().take() else { return };
        // Its first process leads a group of all of its others.
        let group = format!("-{}", process.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
    }

    /// Starts a controller that was ended.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_again(&self, index: usize) -> anyhow::Result<()> {
        self.launch(index)?;
        self.wait(index)
    }

    /// Runs `samba-tool` on the first controller's database.
    ///
    /// # Errors
    /// With what it says.
    pub fn tool(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let dc1 = self.folder.path().join("dc1");
        let mut command = self.namespace.command("samba-tool");
        command
            .args(arguments)
            .arg("-H")
            .arg(dc1.join("private/sam.ldb"))
            .arg("-s")
            .arg(dc1.join("etc/smb.conf"));
        run(&mut command)
    }

    fn launch(&self, index: usize) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let controller = &self.controllers[index];
        let configuration = folder.join(controller.name).join("etc/smb.conf");
        let log = folder.join(format!("{}.log", controller.name));
        let start = "set -e; mount -t tmpfs tmpfs /run/samba; mount --bind hosts /etc/hosts
            mount --bind resolv.conf /etc/resolv.conf; export KRB5_CONFIG=\"$PWD/krb5.conf\"
            exec setsid samba -s \"$1\" -F --debug-stdout";
        let mut command = self.namespace.command("sh");
        command.current_dir(folder).args(["-c", start, "sh"]).arg(configuration);
        *controller.process.lock().unwrap() = Some(Process::start(&mut command, &log)?);
        Ok(())
    }

    /// Until it answers over TLS.
    fn wait(&self, index: usize) -> anyhow::Result<()> {
        let started = std::time::Instant::now();
        let (name, address) = (self.controllers[index].name, self.controllers[index].address);
        loop {
            let mut ask = self.namespace.command("ldapsearch");
            ask.env("LDAPTLS_REQCERT", "never").args(["-x", "-H", &format!("ldaps://{address}")]);
            let said = ask
                .args(["-b", "", "-s", "base", "dnsHostName"])
                .output()
                .context("ldap-utils is missing")?;
            if String::from_utf8_lossy(&said.stdout).contains(&format!("dnsHostName: {name}")) {
                return Ok(());
            }
            let mut process = self.controllers[index].process.lock().unwrap();
            if process.as_mut().is_none_or(Process::has_ended) || started.elapsed() > START_DEADLINE {
                let log = fs::read_to_string(self.folder.path().join(format!("{name}.log")));
                anyhow::bail!("{name} does not start: {}", log.unwrap_or_default());
            }
            drop(process);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn network() -> anyhow::Result<Namespace> {
    let addresses = ADDRESSES.map(|address| format!("{address}/24"));
    Namespace::new(&[&addresses[0], &addresses[1]])
}

/// The folder of a domain that is ready to be copied; made if it is not there.
fn made() -> anyhow::Result<PathBuf> {
    let version = Command::new("samba").arg("--version").output().context("samba is not installed")?;
    let mut hasher = DefaultHasher::new();
    (MAKE, configuration(Path::new(""), "", ""), version.stdout).hash(&mut hasher);
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/samba");
    fs::create_dir_all(&target)?;
    let target = target.canonicalize()?;
    // Several tests, or several runs, may want one at once.
    let lock = File::create(target.join("lock"))?;
    lock.lock()?;
    let folder = target.join(format!("{:016x}", hasher.finish()));
    let is_fresh = |path: &Path| {
        let age = fs::metadata(path).and_then(|file| file.modified()).map(|time| time.elapsed());
        matches!(age, Ok(Ok(age)) if age < KEPT)
    };
    if is_fresh(&folder.join("made")) {
        return Ok(folder);
    }
    for old in fs::read_dir(&target)?.flatten().filter(|entry| entry.path().is_dir()) {
        fs::remove_dir_all(old.path())?;
    }
    fs::create_dir(&folder)?;
    for (name, address) in [("dc1", ADDRESSES[0]), ("dc2", ADDRESSES[1])] {
        fs::write(folder.join(format!("{name}.conf")), configuration(&folder, name, address))?;
    }
    let namespace = network()?;
    run(namespace.command("sh").args(["-c", MAKE, "make.sh"]).arg(&folder))?;
    fs::write(folder.join("made"), "")?;
    Ok(folder)
}

fn configure(folder: &Path, name: &str, address: &str) -> anyhow::Result<()> {
    let own = folder.join(name);
    let tls = ["cafile = ca", "certfile = cert", "keyfile = key"].map(|line| {
        let (option, file) = line.split_once(" = ").unwrap_or_default();
        format!(" tls {option} = {}/{file}.pem\n", own.display())
    });
    let text = configuration(folder, name, address);
    let text = text.replace("[sysvol]", &format!("{SERVICES}{}[sysvol]", tls.concat()));
    Ok(fs::write(own.join("etc/smb.conf"), text)?)
}

fn configuration(folder: &Path, name: &str, address: &str) -> String {
    let own = folder.join(name);
    let own = own.display();
    format!(
        "[global]
 workgroup = ORIELAD
 realm = AD.ORIEL.TEST
 netbios name = {}
 server role = active directory domain controller
 binddns dir = {own}/bind-dns
 cache directory = {own}/cache
 lock directory = {own}
 pid directory = {own}
 private dir = {own}/private
 state directory = {own}/state
 bind interfaces only = yes
 interfaces = {address}
 log level = 1
 prefork children = 1
 dns forwarder = 127.0.0.1
 idmap_ldb:use rfc2307 = yes
 tls enabled = yes
[sysvol]
 path = {own}/state/sysvol
 read only = No
[netlogon]
 path = {own}/state/sysvol/ad.oriel.test/scripts
 read only = No
",
        name.to_uppercase()
    )
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let done = command.output().with_context(|| format!("running {command:?}"))?;
    let (said, errors) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let end =
        |text: &str| text.chars().rev().take(3_000).collect::<Vec<_>>().into_iter().rev().collect::<String>();
    ensure!(done.status.success(), "{command:?}: {} {}", end(&said), end(&errors));
    Ok(())
}
