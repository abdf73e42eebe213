//! What counts as one client when clients are counted by their addresses.

use std::net::{IpAddr, Ipv6Addr};

/// The network that an address stands for, as its first address: an IPv4 address for itself (/32), an
/// IPv6 address for its /64, since whoever has one has the 2⁶⁴ beside it. An IPv4 address in IPv6
/// form is the IPv4 address.
pub fn of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ipv6_network_and_a_mapped_ipv4_address_count_as_one() {
        let network = |text: &str| of(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_ne!(network("192.0.2.6"), network("192.0.2.7"));
    }
}
