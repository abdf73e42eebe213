//! What the node's own file says about a broker. All else is settings objects in the store.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use oriel_net::clock::{Clock, SystemClock};

use crate::throttle::Limits;

/// The port that gateways dial.
pub const GATEWAY_PORT: u16 = 20002;
/// The port that agents dial.
pub const AGENT_PORT: u16 = 20003;
/// The port of the management portal and its REST API.
pub const MANAGEMENT_PORT: u16 = 20443;

/// Node facts of a broker.
#[derive(Clone)]
pub struct BrokerConfig {
    /// The node's own folder: identity, farm key, the first administrator's token.
    pub data_dir: PathBuf,
    /// Address of the settings store, such as `sqlite:/var/lib/oriel/settings.db`.
    pub store: String,
    /// Name of this broker in the farm; used when it is first made.
    pub name: String,
    /// Name of the farm; used when it is first made.
    pub farm_name: String,
    /// Where gateways are listened for.
    pub gateway_listen: SocketAddr,
    /// Where agents are listened for.
    pub agent_listen: SocketAddr,
    /// Where administrators are listened for.
    pub management_listen: SocketAddr,
    /// Names and addresses under which the broker is reached, without port. Empty: the machine's name,
    /// or the listening address where that is a single one.
    pub advertised: Vec<String>,
    /// The management portal's built pages: the folder with `index.html` and `assets`; none: only the API.
    pub web_root: Option<PathBuf>,
    /// The folder whose scripts notifications may run; none: they run none.
    pub scripts: Option<PathBuf>,
    /// What one address or account may ask for.
    pub limits: Limits,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl BrokerConfig {
    /// A broker that keeps everything in `data_dir`, listens on `address` at the known ports and is
    /// called `name`.
    pub fn new(data_dir: impl Into<PathBuf>, address: std::net::IpAddr, name: impl Into<String>) -> Self {
        let data_dir = data_dir.into();
        Self {
            store: format!("sqlite:{}", data_dir.join("settings.db").display()),
            data_dir,
            name: name.into(),
            farm_name: "Oriel".into(),
            gateway_listen: SocketAddr::new(address, GATEWAY_PORT),
            agent_listen: SocketAddr::new(address, AGENT_PORT),
            management_listen: SocketAddr::new(address, MANAGEMENT_PORT),
            advertised: Vec::new(),
            web_root: None,
            scripts: None,
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// The hosts under which others reach a listener that is bound to `bound`.
    pub fn reachable_hosts(&self, bound: SocketAddr) -> Vec<String> {
        if !self.advertised.is_empty() {
            return self.advertised.clone();
        }
        if bound.ip().is_unspecified() { vec![self.name.clone()] } else { vec![bound.ip().to_string()] }
    }

    /// As [`BrokerConfig::reachable_hosts`], as `host:port`.
    pub fn reachable_addresses(&self, bound: SocketAddr) -> Vec<String> {
        let with_port = |host: String| match host.parse::<std::net::IpAddr>() {
            Ok(address) => SocketAddr::new(address, bound.port()).to_string(),
            Err(_) => format!("{host}:{}", bound.port()),
        };
        self.reachable_hosts(bound).into_iter().map(with_port).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_advertised_by_name_and_a_single_address_as_it_is() {
        let config = BrokerConfig::new("/x", std::net::Ipv4Addr::UNSPECIFIED.into(), "b1");
        assert_eq!(config.reachable_addresses("0.0.0.0:7".parse().expect("address")), ["b1:7"]);
        assert_eq!(config.reachable_addresses("[::1]:7".parse().expect("address")), ["[::1]:7"]);
        let named = BrokerConfig { advertised: vec!["broker.example".into()], ..config };
        assert_eq!(named.reachable_addresses("[::1]:7".parse().expect("address")), ["broker.example:7"]);
    }
}
