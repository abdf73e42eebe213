//! Where gateways reach a host.
//!
//! A host is believed only about itself: it names the address that its agent connects from, or an
//! administrator has named another. Else a host in wrong hands could make gateways dial anything.

use std::net::IpAddr;

/// Why a host cannot be reached. A sentence for administrators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Malformed or absent.
    #[error("its agent does not say at which address and port gateways reach it")]
    Unknown,
    /// Another than its own.
    #[error(
        "its agent connects from {remote} but has gateways go to {named}: if that is right, say so in the \
         host's settings (oriel host set HOST --address {named})"
    )]
    Foreign {
        /// What the agent names, without the port.
        named: String,
        /// Where its connection comes from.
        remote: IpAddr,
    },
}

/// Whether gateways may go to the address and port `reported` by an agent that connects from `remote`, or to
/// that port at the address `configured` by an administrator.
pub fn check(configured: Option<&str>, reported: &str, remote: IpAddr) -> Result<(), AddressError> {
    let (named, port) = reported.rsplit_once(':').ok_or(AddressError::Unknown)?;
    port.parse::<u16>().ok().filter(|port| *port != 0).ok_or(AddressError::Unknown)?;
    if configured.is_some() {
        return Ok(());
    }
    let named = named.trim_start_matches('[').trim_end_matches(']');
    match named.parse::<IpAddr>() {
        Ok(address) if is_own(address, remote) => Ok(()),
        _ if named.is_empty() => Err(AddressError::Unknown),
        _ => Err(AddressError::Foreign { named: named.to_owned(), remote }),
    }
}

/// An agent on the broker's own machine may name any of the loopback addresses: all are that machine.
fn is_own(address: IpAddr, remote: IpAddr) -> bool {
    let (address, remote) = (address.to_canonical(), remote.to_canonical());
    address == remote || (address.is_loopback() && remote.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(remote: &str) -> IpAddr {
        remote.parse().expect("an address")
    }

    #[test]
    fn an_agent_is_believed_about_its_own_address_alone() {
        for (reported, remote) in [
            ("10.0.0.5:3389", "10.0.0.5"),
            ("10.0.0.5:3389", "::ffff:10.0.0.5"),
            ("[fd00::5]:3389", "fd00::5"),
            ("127.4.5.6:3389", "127.0.0.1"),
            ("127.0.0.1:3389", "::1"),
        ] {
            assert_eq!(check(None, reported, from(remote)), Ok(()), "{reported} from {remote}");
        }
        for (named, remote) in [
            ("10.0.0.6", "10.0.0.5"),
            ("127.0.0.1", "10.0.0.5"),
            ("10.0.0.5", "127.0.0.1"),
            ("0.0.0.0", "10.0.0.5"),
            // Whoever owns the name decides what it is.
            ("h1.example", "10.0.0.5"),
        ] {
            let foreign = AddressError::Foreign { named: named.into(), remote: from(remote) };
            assert_eq!(check(None, &format!("{named}:3389"), from(remote)), Err(foreign));
        }
    }

    #[test]
    fn an_administrator_may_name_another() {
        for reported in ["10.0.0.6:3389", "h1.example:3389"] {
            assert_eq!(check(Some("h1.example"), reported, from("10.0.0.5")), Ok(()));
        }
    }

    #[test]
    fn a_port_is_needed_in_any_case() {
        for bad in ["", "10.0.0.5", "10.0.0.5:port", "10.0.0.5:0", "10.0.0.5:65536"] {
            for configured in [None, Some("10.0.0.5")] {
                assert_eq!(check(configured, bad, from("10.0.0.5")), Err(AddressError::Unknown), "{bad}");
            }
        }
        assert_eq!(check(None, ":3389", from("10.0.0.5")), Err(AddressError::Unknown));
        check(None, "::::", from("10.0.0.5")).expect_err("no port");
    }
}
