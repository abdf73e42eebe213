//! `oriel gateway run`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context;
use oriel_gateway::{CertificateFiles, Gateway, GatewayConfig};
use oriel_net::{
    node_file::{Field, Kind, NodeFile, Presence},
    supervise::ShutdownSignal,
};
use serde::Deserialize;

use super::{RunOptions, installed_pages, join};
use crate::failure::Outcome;

/// The gateway's node file.
#[derive(Debug, Deserialize)]
pub struct File {
    data_dir: PathBuf,
    listen: SocketAddr,
    redirect_listen: Option<SocketAddr>,
    public_address: Option<String>,
    web_root: Option<PathBuf>,
    brokers: Option<Vec<String>>,
    certificate: Option<Certificate>,
    drain_secs: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Certificate {
    chain: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl NodeFile for File {
    const FIELDS: &'static [Field] = &[
        Field {
            key: "data_dir",
            kind: Kind::Path,
            presence: Presence::Required,
            help: "Where this gateway keeps its identity: the folder named when it joined.",
        },
        Field {
            key: "listen",
            kind: Kind::Listen,
            presence: Presence::Default("\"0.0.0.0:443\""),
            help: "Where users connect with HTTPS.",
        },
        Field {
            key: "redirect_listen",
            kind: Kind::Listen,
            presence: Presence::Optional,
            help: "Where plain HTTP is answered with the way to HTTPS, such as \"0.0.0.0:80\". Without it: nowhere.",
        },
        Field {
            key: "public_address",
            kind: Kind::Text,
            presence: Presence::Optional,
            help: "The name under which users reach this gateway, with the port if it is not 443.\n\
                   Without it: whatever they type.",
        },
        Field {
            key: "web_root",
            kind: Kind::Path,
            presence: Presence::Optional,
            help: "The folder with the portal's pages. Without it: share/oriel/portal beside the program's bin folder.",
        },
        Field {
            key: "brokers",
            kind: Kind::List(&Kind::Endpoint),
            presence: Presence::Optional,
            help: "The brokers' gateway ports (20002 unless they say otherwise). Without it: those named when this gateway joined.",
        },
        Field {
            key: "drain_secs",
            kind: Kind::Number { min: 0, max: 86_400 },
            presence: Presence::Optional,
            help: "How long connections may live on after the gateway was told to stop, in seconds. Without it: 30.",
        },
        Field {
            key: "certificate.chain",
            kind: Kind::Path,
            presence: Presence::Optional,
            help: "The certificate that browsers see (PEM), followed by those that signed it. Read again when it\n\
                   changes. Without it: a self-signed one.",
        },
        Field {
            key: "certificate.key",
            kind: Kind::Path,
            presence: Presence::Optional,
            help: "Its private key (PEM, without a passphrase).",
        },
    ];

    fn contradictions(&self) -> Vec<(&'static str, String)> {
        match &self.certificate {
            Some(Certificate { chain: Some(_), key: None }) => {
                vec![("certificate.key", "is needed together with certificate.chain.".into())]
            }
            Some(Certificate { chain: None, key: Some(_) }) => {
                vec![("certificate.chain", "is needed together with certificate.key.".into())]
            }
            _ => Vec::new(),
        }
    }
}

/// Runs the gateway until it is told to stop.
pub fn run(options: &RunOptions) -> Outcome {
    super::run(options, serve)
}

async fn serve(file: File, signal: ShutdownSignal) -> anyhow::Result<()> {
    let config = file.into_config()?;
    Gateway::bind(config)?.run(signal).await;
    Ok(())
}

impl File {
    fn into_config(self) -> anyhow::Result<GatewayConfig> {
        let brokers = match self.brokers {
            Some(brokers) => brokers,
            None => join::brokers(&self.data_dir)?,
        };
        let web_root = self.web_root.or_else(|| installed_pages("portal"));
        let web_root = web_root.context("the program's own path is not known")?;
        let mut config = GatewayConfig::new(self.listen, self.data_dir, brokers, web_root);
        config.redirect_listen = self.redirect_listen;
        config.public_address = self.public_address;
        config.certificate = self.certificate.and_then(|certificate| {
            Some(CertificateFiles { chain: certificate.chain?, key: certificate.key? })
        });
        if let Some(secs) = self.drain_secs {
            config.drain_deadline = Duration::from_secs(secs);
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use oriel_net::node_file::parse;

    use super::*;

    #[test]
    fn a_certificate_needs_its_key() {
        let text = "data_dir = \"/d\"\nlisten = \"0.0.0.0:443\"\n[certificate]\nchain = \"/c.pem\"\n";
        let mistakes = parse::<File>(text).expect_err("a mistake");
        assert_eq!(mistakes[0].key, "certificate.key");
    }

    #[test]
    fn the_defaults_are_the_known_ones() {
        let file =
            parse::<File>("data_dir = \"/d\"\nbrokers = [\"b:20002\"]\nweb_root = \"/w\"").expect("valid");
        let config = file.into_config().expect("complete");
        assert_eq!(config.listen.port(), 443);
        assert_eq!(config.brokers, ["b:20002"]);
        assert!(config.certificate.is_none());
    }
}
