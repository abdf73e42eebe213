//! The yardstick: Debian's haproxy on one thread, doing TLS on both legs and nothing else.

use std::{
    fmt::Write as _,
    net::{SocketAddr, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::ensure;

use crate::{
    gateway::free_address,
    process::Process,
    rdp::tls::{CIPHER_SUITE, Certificate},
};

/// How long it may take to listen.
const READY_DEADLINE: Duration = Duration::from_secs(10);

/// A haproxy of ours.
pub struct Haproxy {
    pub process: Process,
    /// Where it listens, in the order of the hosts.
    pub addresses: Vec<SocketAddr>,
}

impl Haproxy {
    /// Starts one with its files in `directory`, on `core` alone if one is given, in front of `hosts`.
    pub fn start(
        program: &Path,
        directory: &Path,
        certificate: &Certificate,
        hosts: &[SocketAddr],
        core: Option<usize>,
    ) -> anyhow::Result<Self> {
        let pem = directory.join("haproxy.pem");
        std::fs::write(&pem, &certificate.pem)?;
        let mut config = format!(
            "global\n  nbthread 1\n  maxconn 4000\n  ssl-default-bind-options ssl-min-ver TLSv1.3\n\
             \x20 ssl-default-bind-ciphersuites {CIPHER_SUITE}\n  ssl-default-server-options ssl-min-ver TLSv1.3\n\
             \x20 ssl-default-server-ciphersuites {CIPHER_SUITE}\n\
             defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m\n"
        );
        let mut addresses = Vec::new();
        for (number, host) in hosts.iter().enumerate() {
            let address = free_address()?;
            writeln!(config, "listen relay{number}")?;
            writeln!(config, "  bind {address} ssl crt {}", pem.display())?;
            writeln!(config, "  server host {host} ssl verify none")?;
            addresses.push(address);
        }
        let file = directory.join("haproxy.cfg");
        std::fs::write(&file, config)?;
        let arguments = ["-db".to_owned(), "-f".to_owned(), file.display().to_string()];
        let mut process = Process::start("haproxy", program, &arguments, directory, core)?;
        let started = Instant::now();
        for address in &addresses {
            while TcpStream::connect(address).is_err() {
                process.check()?;
                ensure!(started.elapsed() < READY_DEADLINE, "haproxy was not ready in time");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(Self { process, addresses })
    }
}
