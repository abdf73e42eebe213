//! `oriel recover-root`: somebody who can sign in as root again, on the word of who can read the broker's data.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::Timestamp;
use oriel_broker::{
    bootstrap::FARM_KEY_FILE,
    recovery::{FarmKey, FarmKeyError, RecoveryKey},
};
use oriel_net::node_file;
use serde_json::to_value;
use zeroize::Zeroizing;

use super::broker::File;
use crate::{
    admin::{
        client::Client,
        connection::{Connection, ConnectionOptions},
        output,
        secret::PasswordSource,
    },
    failure::{Failure, Outcome},
};

/// `oriel recover-root`
#[derive(Debug, Args)]
pub struct RecoverOptions {
    /// The broker's node file, as for oriel broker run
    #[arg(long, value_name = "FILE", required_unless_present = "data")]
    config: Option<PathBuf>,
    /// Instead of a node file, the broker's data directory (of an all-in-one farm: the folder broker in its
    /// own); say --url where the management port is not 20443
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data: Option<PathBuf>,
    /// Who shall be root; the user is made if need be
    #[arg(long, value_name = "NAME")]
    user: String,
    /// Take their second factor away, too: for who has lost it
    #[arg(long)]
    reset_second_factor: bool,
    #[command(flatten)]
    password: PasswordSource,
}

/// Asks the broker that runs on this machine.
pub fn run(options: &RecoverOptions, connection: &ConnectionOptions) -> Outcome {
    let (data, management) = options.broker()?;
    let key = RecoveryKey::of(&farm_key(&data)?);
    let url = connection.url.clone().unwrap_or_else(|| format!("https://{}", reached_at(management)));
    let certificate = data.join("authority.pem");
    let authority = std::fs::read_to_string(&certificate).map_err(|error| {
        Failure::Usage(format!(
            "cannot read {}: {error}; the broker writes it when it starts",
            certificate.display()
        ))
    })?;
    let token = Zeroizing::new(String::new());
    let client = Client::new(&Connection { url, authority: Some(authority), token }, false)?;
    let password = options.password.read(&format!("New password for {}: ", options.user))?;
    let asked = key.ask(options.user.clone(), password, options.reset_second_factor, Timestamp::now());
    let body = to_value(&asked).map_err(|error| Failure::Refused(error.to_string()))?;
    client.post("recovery", &body)?;
    let factor = if options.reset_second_factor { ", without a second factor" } else { "" };
    output::print(&format!(
        "\"{}\" can sign in to the management portal as root{factor}. The change log says so, too.\n",
        options.user
    ))
}

impl RecoverOptions {
    fn broker(&self) -> Outcome<(PathBuf, SocketAddr)> {
        match (&self.config, &self.data) {
            (Some(path), _) => {
                let file =
                    node_file::load::<File>(path).map_err(|error| Failure::Usage(error.to_string()))?;
                let config = file.into_config();
                Ok((config.data_dir, config.management_listen))
            }
            (None, Some(data)) => Ok((data.clone(), (Ipv4Addr::LOCALHOST, 20443).into())),
            (None, None) => Err(Failure::Usage("say --config FILE or --data DIR".into())),
        }
    }
}

/// Where a broker of this machine that listens there is reached.
fn reached_at(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn farm_key(data: &Path) -> Outcome<FarmKey> {
    let path = data.join(FARM_KEY_FILE);
    match FarmKey::load(&path) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => Err(Failure::Usage(format!(
            "there is no {}: is {} the data directory of a broker?",
            path.display(),
            data.display()
        ))),
        Err(FarmKeyError::File { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            Err(Failure::NotPermitted(format!(
                "cannot read {}: only root, or the user that the broker runs as, may recover a root administrator",
                path.display()
            )))
        }
        Err(error) => Err(Failure::Refused(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_listens_everywhere_is_reached_by_loopback() {
        for (listen, reached) in [
            ("0.0.0.0:20443", "127.0.0.1:20443"),
            ("[::]:7", "[::1]:7"),
            ("192.0.2.7:20443", "192.0.2.7:20443"),
        ] {
            assert_eq!(reached_at(listen.parse().expect("an address")).to_string(), reached);
        }
    }
}
