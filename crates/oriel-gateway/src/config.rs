//! What a gateway is told at its start. Only facts of its machine: everything else comes from a
//! broker or stands in the tickets.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::limits::DRAIN_DEADLINE;

/// What a gateway needs to start.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Where users connect with HTTPS: usually port 443 on all addresses.
    pub listen: SocketAddr,
    /// Where plain HTTP is answered with the way to HTTPS: usually port 80. `None`: nowhere.
    pub redirect_listen: Option<SocketAddr>,
    /// Holds the gateway's identity of the farm, made by joining it, and the self-signed certificate
    /// if there is no other.
    pub data_dir: PathBuf,
    /// The brokers' gateway ports, `host:port`.
    pub brokers: Vec<String>,
    /// The portal's built pages: the folder with `index.html` and `assets`.
    pub web_root: PathBuf,
    /// The name under which users reach this gateway, with the port if it is not 443. `None`:
    /// whatever they type.
    pub public_address: Option<String>,
    /// The certificate that browsers see. `None`: a self-signed one, made at the first start.
    pub certificate: Option<CertificateFiles>,
    /// This machine's name, for the brokers and in the self-signed certificate.
    pub machine_name: String,
    /// How long connections may live on after the gateway was told to stop.
    pub drain_deadline: Duration,
}

/// A certificate in PEM files. They are read again when they change.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The certificate, followed by those that signed it.
    pub chain: PathBuf,
    /// Its private key, without a passphrase.
    pub key: PathBuf,
}

impl GatewayConfig {
    /// The usual settings around what has no default.
    pub fn new(
        listen: SocketAddr,
        data_dir: impl Into<PathBuf>,
        brokers: Vec<String>,
        web_root: impl Into<PathBuf>,
    ) -> Self {
        Self {
            listen,
            redirect_listen: None,
            data_dir: data_dir.into(),
            brokers,
            web_root: web_root.into(),
            public_address: None,
            certificate: None,
            machine_name: machine_name(),
            drain_deadline: DRAIN_DEADLINE,
        }
    }

    /// The names and addresses that a self-signed certificate is made for.
    pub(crate) fn certificate_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let public = self.public_address.as_deref().map(host_of);
        let listen = self.listen.ip();
        let listen = (!listen.is_unspecified()).then(|| listen.to_string());
        let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let wanted = public.map(str::to_owned).into_iter().chain([self.machine_name.clone()]);
        for name in wanted.chain(listen).chain(local) {
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(crate) fn host_of(address: &str) -> &str {
    if let Some((v6, _)) = address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return v6;
    }
    match address.split_once(':') {
        Some((host, port)) if !port.contains(':') => host,
        _ => address,
    }
}

/// What the kernel calls this machine.
fn machine_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "gateway".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_with_and_without_ports() {
        for (address, host) in [
            ("gate.example", "gate.example"),
            ("gate.example:8443", "gate.example"),
            ("10.0.0.1:443", "10.0.0.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(host_of(address), host);
        }
    }

    #[test]
    fn a_self_signed_certificate_is_for_each_name_once() {
        let listen = "10.0.0.5:443".parse().expect("address");
        let mut config = GatewayConfig::new(listen, "/data", Vec::new(), "/web");
        config.machine_name = "gate".into();
        config.public_address = Some("gate:8443".into());
        assert_eq!(config.certificate_names(), ["gate", "10.0.0.5", "localhost", "127.0.0.1", "::1"]);
    }
}
