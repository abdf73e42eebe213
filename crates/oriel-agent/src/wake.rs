//! Waking machines of the same network (Wake-on-LAN), and the addresses by which others wake this one.
//!
//! Sources: AMD, Magic Packet Technology (1995): six bytes FF, then the address sixteen times; proc_net(5)
//! for routes; `Documentation/ABI/testing/sysfs-class-net` of Linux.

use std::{
    fs, io,
    net::{Ipv4Addr, UdpSocket},
    path::Path,
};

use crate::host::{Refusal, RefusalKind};

/// The discard service, which nobody listens on.
const PORT: u16 = 9;
/// How often each packet is sent: it may get lost, and being woken twice hurts nobody.
const REPEATS: u32 = 3;
/// Most machines woken by one request.
const MACHINES_MAX: usize = 64;
/// `ARPHRD_ETHER`.
const ETHERNET: &str = "1";

/// An Ethernet address.
pub(crate) type Mac = [u8; 6];

/// Addresses of this machine's real network interfaces: those with a device behind them.
pub(crate) fn own_addresses() -> Vec<Mac> {
    addresses_in(Path::new("/sys/class/net"))
}

fn addresses_in(interfaces: &Path) -> Vec<Mac> {
    let read = |path: &Path, name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
    let mut found: Vec<Mac> = fs::read_dir(interfaces)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("device").exists() && read(path, "type").trim() == ETHERNET)
        .filter_map(|path| parse(read(&path, "address").trim()))
        .filter(|address| *address != [0; 6])
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn parse(text: &str) -> Option<Mac> {
    let bytes: Option<Vec<u8>> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes?.try_into().ok()
}

/// Sends the packet for each address into every network of this host. Nobody answers such packets: whether a
/// machine wakes shows in its agent's report.
///
/// # Errors
/// When an address is none, or no network takes the packet.
pub(crate) fn wake(addresses: &[Vec<u8>]) -> Result<(), Refusal> {
    let bad = |reason: &str| Refusal::new(RefusalKind::BadRequest, reason);
    let machines: Option<Vec<Mac>> =
        addresses.iter().map(|address| Mac::try_from(address.as_slice()).ok()).collect();
    let machines = machines.ok_or_else(|| bad("a network address to wake does not have six bytes"))?;
    if machines.is_empty() || machines.len() > MACHINES_MAX {
        return Err(bad("the request names no machine to wake, or too many"));
    }
    let failed = |reason: String| Refusal::new(RefusalKind::Internal, reason);
    let networks = broadcasts(&fs::read_to_string("/proc/net/route").unwrap_or_default());
    if networks.is_empty() {
        return Err(failed("this host has no network in which it could wake another".into()));
    }
    let mut problem = None;
    let mut has_sent = false;
    for network in networks {
        match send(network, &machines) {
            Ok(()) => has_sent = true,
            Err(error) => problem = Some(format!("cannot send into the network {network}: {error}")),
        }
    }
    match problem.filter(|_| !has_sent) {
        Some(problem) => Err(failed(problem)),
        None => Ok(()),
    }
}

fn send(network: Ipv4Addr, machines: &[Mac]) -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_broadcast(true)?;
    for _ in 0..REPEATS {
        for machine in machines {
            socket.send_to(&packet(*machine), (network, PORT))?;
        }
    }
    Ok(())
}

fn packet(machine: Mac) -> Vec<u8> {
    [[0xFF; 6].as_slice(), &machine.repeat(16)].concat()
}

/// The broadcast addresses of the networks that this host is in: routes without a gateway. Columns:
/// interface, destination, gateway, flags, three counts, mask; addresses in hexadecimal, the machine's
/// byte order.
fn broadcasts(routes: &str) -> Vec<Ipv4Addr> {
    let mut found: Vec<Ipv4Addr> = routes
        .lines()
        .skip(1)
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_ascii_whitespace().collect();
            let address = |index: usize| {
                let number = u32::from_str_radix(columns.get(index)?, 16).ok()?;
                Some(u32::from_be_bytes(number.to_ne_bytes()))
            };
            let (network, gateway, mask) = (address(1)?, address(2)?, address(7)?);
            // Not the way out, and not one of the lines of two points or one, which have no broadcast.
            let is_network = gateway == 0 && mask != 0 && mask.count_ones() < 31;
            is_network.then(|| Ipv4Addr::from(network | !mask))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use std::{process::Command, time::Duration};

    use super::*;

    #[test]
    fn broadcast_addresses_are_those_of_the_networks_at_hand() {
        let table = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
                     eth0 00000000 0100A8C0 0003 0 0 0 00000000 0 0 0\n\
                     eth0 0000A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n\
                     eth1 0000A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n\
                     eth2 0000100A 00000000 0001 0 0 0 00F0FFFF 0 0 0\n\
                     tun0 01020304 00000000 0005 0 0 0 FFFFFFFF 0 0 0\n\
                     odd\n";
        let expected: [Ipv4Addr; 2] = [[10, 16, 15, 255].into(), [192, 168, 0, 255].into()];
        assert_eq!(broadcasts(table), expected);
        assert!(broadcasts("").is_empty());
    }

    #[test]
    fn only_interfaces_with_a_device_are_the_machines_own() {
        let folder = tempfile::tempdir().expect("folder");
        let interface = |name: &str, kind: &str, address: &str, has_device: bool| {
            let path = folder.path().join(name);
            fs::create_dir(&path).expect("folder");
            fs::write(path.join("type"), kind).expect("file");
            fs::write(path.join("address"), address).expect("file");
            if has_device {
                fs::create_dir(path.join("device")).expect("folder");
            }
        };
        interface("lo", "772\n", "00:00:00:00:00:00\n", false);
        interface("eth0", "1\n", "52:54:00:ab:cd:ef\n", true);
        interface("eth1", "1\n", "52:54:00:ab:cd:ee\n", true);
        interface("bridge0", "1\n", "02:00:00:00:00:01\n", false);
        interface("ib0", "32\n", "80:00:02:08:fe\n", true);
        let expected = [[0x52, 0x54, 0, 0xab, 0xcd, 0xee], [0x52, 0x54, 0, 0xab, 0xcd, 0xef]];
        assert_eq!(addresses_in(folder.path()), expected);
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        for bad in [vec![], vec![vec![1, 2, 3]], vec![vec![1; 6]; MACHINES_MAX + 1]] {
            assert_eq!(wake(&bad).expect_err("refused").kind, RefusalKind::BadRequest);
        }
    }

    /// In a network of its own: this test starts itself there.
    #[test]
    fn the_packet_goes_into_every_network() {
        const INSIDE: &str = "ORIEL_TEST_NETWORK";
        if std::env::var_os(INSIDE).is_none() {
            let networks = "ip link add one type veth peer name two && \
                            ip address add 10.77.1.1/24 dev one && ip address add 10.77.2.1/24 dev two && \
                            ip link set one up && ip link set two up && exec \"$0\" \"$@\"";
            let own = std::env::current_exe().expect("this program");
            let status = Command::new("unshare")
                .args(["--net", "sh", "-c", networks])
                .arg(own)
                .args(["--exact", "wake::tests::the_packet_goes_into_every_network"])
                .env(INSIDE, "1")
                .status()
                .expect("unshare of util-linux runs");
            assert!(status.success(), "{status}");
            return;
        }
        let listening = [[10, 77, 1, 255], [10, 77, 2, 255]].map(|address| {
            let socket = UdpSocket::bind((Ipv4Addr::from(address), PORT)).expect("a broadcast address");
            socket.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
            socket
        });
        let machine = [0x52, 0x54, 0, 1, 2, 3];
        wake(&[machine.to_vec()]).expect("sent");
        for socket in listening {
            let mut bytes = [0; 200];
            let (length, _) = socket.recv_from(&mut bytes).expect("the packet comes");
            assert_eq!(bytes[..length], packet(machine));
            assert_eq!((length, &bytes[..6], &bytes[96..102]), (102, &[0xFF; 6][..], &machine[..]));
        }
    }
}
