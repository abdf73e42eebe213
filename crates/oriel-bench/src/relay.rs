//! Measurement: what the gateway relays per second of processor, and what it adds to a round trip, next
//! to haproxy in the same run. They take turns, so that whatever else the machine does hits both.

use std::{
    net::{Shutdown, SocketAddr, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use tokio::runtime::Runtime;

use crate::{
    gateway::GatewayUnderTest,
    haproxy::Haproxy,
    process::cpu_seconds,
    rdp::{
        client::{Link, open_tls},
        host::{Behaviour, Opening, ScriptedHost},
        picture::{ECHO_BYTES, INPUT_BYTES, Sizes},
        tls::{CIPHER_SUITE, Certificate, client_config},
    },
    report::{progress, row},
    stats::{Times, median},
};

const PART: &str = "Relay";

/// What to measure, and how long.
#[derive(Debug, Args)]
pub struct Options {
    /// The program to measure.
    #[arg(long)]
    oriel: std::path::PathBuf,
    /// The haproxy to compare with.
    #[arg(long, default_value = "/usr/sbin/haproxy")]
    haproxy: std::path::PathBuf,
    /// The core that the gateway and haproxy run on; the ends should be kept on others.
    #[arg(long)]
    core: Option<usize>,
    /// Sessions that are drawn for at the same time.
    #[arg(long, default_value_t = 4)]
    sessions: usize,
    /// Seconds of each flood.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How often gateway and haproxy take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Round trips per turn.
    #[arg(long, default_value_t = 5_000)]
    exchanges: usize,
}

/// Time for connections to get up to speed before a flood is counted.
const WARM_UP: Duration = Duration::from_millis(700);

/// Everybody who is measured: how to open a link through each to a host that behaves in some way.
struct Ways {
    gateway: GatewayUnderTest,
    gateway_hosts: Hosts,
    haproxy: Haproxy,
    straight_echo: ScriptedHost,
    tls: Arc<rustls::ClientConfig>,
}

struct Hosts {
    mixed: ScriptedHost,
    large: ScriptedHost,
    echo: ScriptedHost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Gateway,
    Haproxy,
    Straight,
}

/// One flood.
struct Flood {
    gbit_per_core: f64,
    gbit_per_second: f64,
    /// Share of one core.
    busy: f64,
}

/// Runs it and hands over the rows.
pub fn measure(runtime: &Runtime, directory: &Path, options: &Options) -> anyhow::Result<()> {
    let certificate = Arc::new(Certificate::generate()?);
    let gateway = GatewayUnderTest::start(runtime, &options.oriel, directory, &certificate, options.core)?;
    let plain = |behaviour| ScriptedHost::start(&certificate, Opening::Tls, behaviour);
    let plain_hosts = Hosts {
        mixed: plain(Behaviour::Flood(Sizes::Mixed))?,
        large: plain(Behaviour::Flood(Sizes::Large))?,
        echo: plain(Behaviour::Echo)?,
    };
    let behind = [&plain_hosts.mixed, &plain_hosts.large, &plain_hosts.echo].map(|host| host.address);
    let haproxy = Haproxy::start(&options.haproxy, directory, &certificate, &behind, options.core)?;
    let gateway_hosts = Hosts {
        mixed: gateway.host(Behaviour::Flood(Sizes::Mixed))?,
        large: gateway.host(Behaviour::Flood(Sizes::Large))?,
        echo: gateway.host(Behaviour::Echo)?,
    };
    let ways =
        Ways { gateway, gateway_hosts, haproxy, straight_echo: plain_hosts.echo, tls: client_config(false)? };
    for sizes in [Sizes::Mixed, Sizes::Large] {
        throughput(&ways, sizes, options)?;
    }
    latency(&ways, options)
}

fn throughput(ways: &Ways, sizes: Sizes, options: &Options) -> anyhow::Result<()> {
    let mut floods = [Vec::new(), Vec::new()];
    for round in 1..=options.rounds {
        for (way, floods) in [Way::Gateway, Way::Haproxy].into_iter().zip(&mut floods) {
            let flood = flood(ways, way, sizes, options)?;
            progress(format!(
                "relay, {} messages, round {round} of {}: {} {:.2} Gbit/s per core",
                sizes.name(),
                options.rounds,
                way.name(),
                flood.gbit_per_core
            ));
            floods.push(flood);
        }
    }
    let middle =
        |floods: &[Flood], figure: fn(&Flood) -> f64| median(&floods.iter().map(figure).collect::<Vec<_>>());
    let [ours, theirs] = &floods;
    let ratio = middle(ours, |flood| flood.gbit_per_core) / middle(theirs, |flood| flood.gbit_per_core);
    let what = format!("{} messages, {} sessions at once", sizes.name(), options.sessions);
    for (way, floods) in [(Way::Gateway, ours), (Way::Haproxy, theirs)] {
        let result = format!(
            "{:.2} Gbit/s per core ({:.2} Gbit/s at {:.0} % of one core)",
            middle(floods, |flood| flood.gbit_per_core),
            middle(floods, |flood| flood.gbit_per_second),
            100.0 * middle(floods, |flood| flood.busy),
        );
        let aim =
            if way == Way::Gateway { format!("{ratio:.2} × haproxy") } else { CIPHER_SUITE.to_owned() };
        row(PART, format!("{what}: {}", way.name()), result, aim);
    }
    Ok(())
}

fn flood(ways: &Ways, way: Way, sizes: Sizes, options: &Options) -> anyhow::Result<Flood> {
    let taken = Arc::new(AtomicU64::new(0));
    let mut sockets = Vec::new();
    let mut threads = Vec::new();
    for _ in 0..options.sessions {
        let link = ways.open(way, Behaviour::Flood(sizes))?;
        sockets.push(link.socket()?);
        let taken = taken.clone();
        threads.push(thread::spawn(move || link.drain(&taken)));
    }
    thread::sleep(WARM_UP);
    let process = ways.process(way);
    let (started, cpu, bytes) = (Instant::now(), cpu_seconds(process)?, taken.load(Ordering::Relaxed));
    thread::sleep(Duration::from_secs(options.seconds));
    let bytes = (taken.load(Ordering::Relaxed) - bytes) as f64;
    let cpu = cpu_seconds(process)? - cpu;
    let wall = started.elapsed().as_secs_f64();
    for socket in sockets {
        // The host may have been faster in closing.
        let _ = socket.shutdown(Shutdown::Both);
    }
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
    }
    let gbit = bytes * 8.0 / 1e9;
    Ok(Flood { gbit_per_core: gbit / cpu, gbit_per_second: gbit / wall, busy: cpu / wall })
}

fn latency(ways: &Ways, options: &Options) -> anyhow::Result<()> {
    let mut links = Vec::new();
    for way in [Way::Straight, Way::Gateway, Way::Haproxy] {
        let mut link = ways.open(way, Behaviour::Echo)?;
        link.exchanges(200)?;
        links.push((way, link, Vec::new(), 0.0));
    }
    for round in 1..=options.rounds {
        for (way, link, times, cpu) in &mut links {
            let process = ways.process(*way);
            let before = cpu_seconds(process)?;
            times.extend(link.exchanges(options.exchanges)?);
            *cpu += cpu_seconds(process)? - before;
            progress(format!("round trips, round {round} of {}: {}", options.rounds, way.name()));
        }
    }
    let mut straight = None;
    for (way, _, times, cpu) in links {
        let times = Times::new(times);
        let (p50, p99) = (times.percentile_ms(50.0) * 1e3, times.percentile_ms(99.0) * 1e3);
        let (base50, base99) = *straight.get_or_insert((p50, p99));
        let what =
            format!("mouse move ({INPUT_BYTES} bytes) to picture ({ECHO_BYTES} bytes): {}", way.name());
        let mut result = format!("p50 {p50:.0} µs, p99 {p99:.0} µs");
        let mut added = "one TLS leg".to_owned();
        if way != Way::Straight {
            result += &format!(", {:.1} µs of processor", cpu * 1e6 / times.count() as f64);
            added = format!("adds {:.0} µs, p99 {:.0} µs", p50 - base50, p99 - base99);
        }
        row(PART, what, result, added);
    }
    Ok(())
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Gateway => "Oriel gateway",
            Self::Haproxy => "haproxy",
            Self::Straight => "straight to the host",
        }
    }
}

impl Ways {
    fn open(&self, way: Way, behaviour: Behaviour) -> anyhow::Result<Link> {
        let hosts = &self.gateway_hosts;
        let (host, number) = match behaviour {
            Behaviour::Flood(Sizes::Mixed) => (&hosts.mixed, 0),
            Behaviour::Flood(Sizes::Large) => (&hosts.large, 1),
            Behaviour::Echo | Behaviour::Idle => (&hosts.echo, 2),
        };
        let plain = |address: SocketAddr| open_tls(address, &self.tls).map(Link::Tls);
        match way {
            Way::Gateway => self.gateway.open(host).map(Link::WebSocket),
            Way::Haproxy => plain(self.haproxy.addresses[number]),
            Way::Straight => plain(self.straight_echo.address),
        }
    }

    fn process(&self, way: Way) -> u32 {
        match way {
            Way::Gateway | Way::Straight => self.gateway.process.id(),
            Way::Haproxy => self.haproxy.process.id(),
        }
    }
}

impl Link {
    /// A second handle to its socket, to end it with.
    fn socket(&self) -> anyhow::Result<TcpStream> {
        let tls = match self {
            Self::Tls(tls) => tls,
            Self::WebSocket(socket) => socket.stream_ref(),
        };
        Ok(tls.sock.tcp().try_clone()?)
    }
}
