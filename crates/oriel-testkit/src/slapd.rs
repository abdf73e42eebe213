//! OpenLDAP's server (slapd), real: over TLS, with its overlay for passwords. Everything of it is in a folder
//! and on loopback; it needs no root.

use std::{fs, net::TcpListener, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, ensure};

use crate::{
    certificates::{Authority, Validity},
    namespace::Process,
    wait,
};

/// The base of the directory.
pub const BASE: &str = "dc=oriel,dc=test";
/// The account that looks people up; it may do nothing else.
pub const SERVICE: &str = "cn=oriel,ou=services,dc=oriel,dc=test";
/// The administrator of the directory.
pub const ADMINISTRATOR: &str = "cn=admin,dc=oriel,dc=test";
/// Everybody's password at the beginning.
pub const PASSWORD: &str = "Correct.Horse1";

/// The running server. Dropping it ends it.
pub struct Slapd {
    folder: tempfile::TempDir,
    /// Port of LDAP, which becomes TLS by StartTLS.
    pub port: u16,
    /// Port of LDAP over TLS.
    pub tls_port: u16,
    process: Process,
}

impl Slapd {
    /// Starts one for `localhost` and `127.0.0.1`, with people and groups.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub async fn start(authority: &Authority) -> anyhow::Result<Self> {
        Self::start_as(authority, &["localhost", "127.0.0.1"], Validity::Now).await
    }

    /// As [`Slapd::start`], with a certificate for these names.
    ///
    /// # Errors
    /// The same.
    pub async fn start_as(authority: &Authority, names: &[&str], validity: Validity) -> anyhow::Result<Self> {
        let folder = tempfile::TempDir::with_prefix("oriel-slapd-")?;
        let path = folder.path();
        authority.write(path, names, validity);
        fs::create_dir(path.join("data"))?;
        fs::write(path.join("slapd.conf"), configuration(path))?;
        fs::write(path.join("people.ldif"), PEOPLE)?;
        run(Command::new("/usr/sbin/slapadd")
            .arg("-f")
            .arg(path.join("slapd.conf"))
            .arg("-l")
            .arg(path.join("people.ldif")))?;
        // Whoever else takes one of the ports in between makes the server end: then there are others.
        for _ in 0..5 {
            let (port, tls_port) = (free_port()?, free_port()?);
            let mut process = Self::launch(path, port, tls_port)?;
            if listens(&mut process, port).await {
                return Ok(Self { folder, port, tls_port, process });
            }
        }
        anyhow::bail!("slapd does not start: {}", fs::read_to_string(path.join("log")).unwrap_or_default())
    }

    fn launch(path: &Path, port: u16, tls_port: u16) -> anyhow::Result<Process> {
        let addresses = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}");
        let mut command = Command::new("/usr/sbin/slapd");
        command.arg("-f").arg(path.join("slapd.conf")).args(["-h", &addresses, "-d", "0"]);
        Process::start(&mut command, &path.join("log"))
    }

    /// Ends it, and starts it again on the same ports with the same directory.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop();
        self.process = Self::launch(self.folder.path(), self.port, self.tls_port)?;
        ensure!(listens(&mut self.process, self.port).await, "slapd does not start again");
        Ok(())
    }

    /// Ends it.
    pub fn stop(&mut self) {
        let _ = Command::new("kill").args(["-9", &self.process.id().to_string()]).status();
        while !self.process.has_ended() {
            std::thread::yield_now();
        }
    }

    /// Has the administrator change entries, given as LDIF.
    ///
    /// # Errors
    /// It does not take them.
    pub fn change(&self, ldif: &str) -> anyhow::Result<()> {
        let path = self.folder.path().join("change.ldif");
        fs::write(&path, ldif)?;
        let url = format!("ldap://127.0.0.1:{}", self.port);
        run(Command::new("ldapmodify")
            .args(["-x", "-H", &url, "-D", ADMINISTRATOR, "-w", PASSWORD, "-f"])
            .arg(path))
    }
}

async fn listens(process: &mut Process, port: u16) -> bool {
    let started = std::time::Instant::now();
    while !process.has_ended() && started.elapsed() < wait::DEADLINE {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return !process.has_ended();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_owned();
    let done =
        command.output().with_context(|| format!("{program:?} is not installed (slapd, ldap-utils)"))?;
    ensure!(done.status.success(), "{program:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix \"{BASE}\"
rootdn \"{ADMINISTRATOR}\"
rootpw {PASSWORD}
directory {folder}/data
dbnosync
limits dn.exact=\"{SERVICE}\" size=unlimited
index objectClass,uid,member,uniqueMember,memberUid,gidNumber,entryUUID eq
access to attrs=userPassword by self write by anonymous auth by dn.exact=\"cn=keeper,ou=services,{BASE}\" write by * none
access to * by users read by anonymous auth
overlay ppolicy
ppolicy_default \"cn=default,{BASE}\"
ppolicy_use_lockout
"
    )
}

/// What is in it. Alice is in `inner`, which is in `middle`, which is in `outer`, and these go in a circle.
const PEOPLE: &str = include_str!("slapd/people.ldif");
