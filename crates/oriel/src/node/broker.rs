//! `oriel broker run`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use oriel_broker::{BrokerConfig, bind};
use oriel_net::{
    identity::NodeIdentity,
    node_file::{Field, Kind, NodeFile, Presence},
    supervise::ShutdownSignal,
};
use serde::Deserialize;

use super::{RunOptions, installed_pages, machine_name};
use crate::failure::Outcome;

/// The broker's node file.
#[derive(Debug, Deserialize)]
pub struct File {
    data_dir: PathBuf,
    store: Option<String>,
    name: Option<String>,
    farm_name: String,
    gateway_listen: SocketAddr,
    agent_listen: SocketAddr,
    management_listen: SocketAddr,
    #[serde(default)]
    advertised: Vec<String>,
    web_root: Option<PathBuf>,
    scripts: Option<PathBuf>,
}

impl NodeFile for File {
    const FIELDS: &'static [Field] = &[
        Field {
            key: "data_dir",
            kind: Kind::Path,
            presence: Presence::Required,
            help: "Where this broker keeps its identity, the farm key and the first administrator's token.",
        },
        Field {
            key: "store",
            kind: Kind::Url(&["sqlite"]),
            presence: Presence::Optional,
            help: "Address of the settings store, such as \"sqlite:///var/lib/oriel/settings.db\".\n\
                   Without it: settings.db in data_dir.",
        },
        Field {
            key: "name",
            kind: Kind::Text,
            presence: Presence::Optional,
            help: "Name of this broker in the farm. Without it: the machine's name.",
        },
        Field {
            key: "farm_name",
            kind: Kind::Text,
            presence: Presence::Default("\"Oriel\""),
            help: "Name of the farm, when this broker makes a new one.",
        },
        Field {
            key: "gateway_listen",
            kind: Kind::Listen,
            presence: Presence::Default("\"0.0.0.0:20002\""),
            help: "Where gateways connect.",
        },
        Field {
            key: "agent_listen",
            kind: Kind::Listen,
            presence: Presence::Default("\"0.0.0.0:20003\""),
            help: "Where the agents of session hosts connect.",
        },
        Field {
            key: "management_listen",
            kind: Kind::Listen,
            presence: Presence::Default("\"0.0.0.0:20443\""),
            help: "Where administrators and scripts connect.",
        },
        Field {
            key: "advertised",
            kind: Kind::List(&Kind::Host),
            presence: Presence::Optional,
            help: "Names and addresses, without port, under which gateways, agents and administrators reach this\n\
                   broker. Without it: the address that is listened on, or the machine's name.",
        },
        Field {
            key: "web_root",
            kind: Kind::Path,
            presence: Presence::Optional,
            help: "The management portal's pages. Without it: share/oriel/admin beside the program's folder.",
        },
        Field {
            key: "scripts",
            kind: Kind::Path,
            presence: Presence::Optional,
            help: "The folder whose scripts notifications may run, as the broker's user. Only root and that user may\n\
                   write there. Without it: no scripts.",
        },
    ];
}

/// Runs the broker until it is told to stop.
pub fn run(options: &RunOptions) -> Outcome {
    super::run(options, serve)
}

async fn serve(file: File, signal: ShutdownSignal) -> anyhow::Result<()> {
    let config = file.into_config();
    let (data_dir, management) = (config.data_dir.clone(), config.management_listen);
    let bound = bind(config).await?;
    tell_administrators(&data_dir, management)?;
    bound.run(signal).await?;
    Ok(())
}

/// Says how the farm is administered, and keeps the authority's certificate beside the first token, for
/// `oriel login` here and, copied, elsewhere. It is no secret.
fn tell_administrators(data_dir: &Path, management: SocketAddr) -> anyhow::Result<()> {
    let path = data_dir.join("authority.pem");
    if let Err(error) = std::fs::write(&path, NodeIdentity::load(data_dir)?.authority_pem()) {
        // A full disk must not keep the farm from starting.
        tracing::warn!(%error, path = %path.display(), "cannot keep the authority's certificate");
    }
    tracing::info!(
        management = %management,
        authority = %path.display(),
        token_file = %data_dir.join("admin.token").display(),
        "administer this farm with oriel login --url https://HOST:{} --authority FILE --token-file FILE",
        management.port(),
    );
    Ok(())
}

impl File {
    pub(super) fn into_config(self) -> BrokerConfig {
        let name = self.name.unwrap_or_else(machine_name);
        let mut config = BrokerConfig::new(self.data_dir, self.gateway_listen.ip(), name);
        if let Some(store) = self.store {
            config.store = store;
        }
        config.farm_name = self.farm_name;
        config.gateway_listen = self.gateway_listen;
        config.agent_listen = self.agent_listen;
        config.management_listen = self.management_listen;
        config.advertised = self.advertised;
        config.web_root = self.web_root.or_else(|| installed_pages("admin"));
        config.scripts = self.scripts;
        config
    }
}

#[cfg(test)]
mod tests {
    use oriel_net::node_file::parse;

    use super::*;

    #[test]
    fn a_file_with_only_a_data_directory_is_enough() {
        let config = parse::<File>("data_dir = \"/d\"").expect("valid").into_config();
        assert_eq!(config.store, "sqlite:/d/settings.db");
        assert_eq!(config.management_listen.port(), 20443);
    }

    #[test]
    fn all_mistakes_are_reported_with_their_keys() {
        let text = "dat_dir = \"/d\"\nstore = \"oracle://x\"\nagent_listen = 7\n";
        let mistakes = parse::<File>(text).expect_err("mistakes");
        let keys: Vec<_> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
        for key in ["dat_dir", "data_dir", "store", "agent_listen"] {
            assert!(keys.contains(&key), "{key} is missing in {keys:?}");
        }
    }
}
