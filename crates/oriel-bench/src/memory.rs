//! Measurement: what an idle session costs the gateway in memory. Each session was drawn for once, so
//! that every buffer on its way has been in use.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use tokio::runtime::Runtime;

use crate::{
    gateway::GatewayUnderTest,
    process::resident_kib,
    rdp::{
        client::Session,
        host::{Behaviour, ScriptedHost, first_picture_bytes},
        tls::Certificate,
    },
    report::{progress, row},
};

const PART: &str = "Memory";

/// What to measure.
#[derive(Debug, Args)]
pub struct Options {
    /// The program to measure.
    #[arg(long)]
    oriel: std::path::PathBuf,
    /// Numbers of sessions, ascending.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 5_000])]
    sessions: Vec<usize>,
    /// Seconds that the sessions are idle before memory is read.
    #[arg(long, default_value_t = 10)]
    settle: u64,
}

/// Sessions that are opened at the same time: below what one address may have unauthorized.
const WORKERS: usize = 16;

/// Sessions that come and go before the first look, so that what a gateway needs once is there.
const WARM_UP_SESSIONS: usize = 32;

/// How often the pings of idle sessions are answered: the gateway pings every five seconds.
const PONG_INTERVAL: Duration = Duration::from_secs(4);

type Sessions = Arc<Mutex<Vec<Session>>>;

/// Runs it and hands over the rows.
pub fn measure(runtime: &Runtime, directory: &Path, options: &Options) -> anyhow::Result<()> {
    let certificate = Arc::new(Certificate::generate()?);
    let gateway = GatewayUnderTest::start(runtime, &options.oriel, directory, &certificate, None)?;
    let host = gateway.host(Behaviour::Idle)?;
    let sessions = Sessions::default();

    open(&gateway, &host, &sessions, WARM_UP_SESSIONS)?;
    lock(&sessions).clear();
    thread::sleep(Duration::from_secs(2));
    let before = resident_kib(gateway.process.id())?;
    progress(format!("the gateway without a session: {before} KiB"));

    let stop = Arc::new(AtomicBool::new(false));
    let keeper = {
        let (sessions, stop) = (sessions.clone(), stop.clone());
        thread::spawn(move || keep_alive(&sessions, &stop))
    };
    for &wanted in &options.sessions {
        let more = wanted.saturating_sub(lock(&sessions).len());
        open(&gateway, &host, &sessions, more)?;
        thread::sleep(Duration::from_secs(options.settle));
        let now = resident_kib(gateway.process.id())?;
        let each = now.saturating_sub(before) as f64 / wanted as f64;
        progress(format!("{wanted} idle sessions: {now} KiB, {each:.1} KiB each"));
        let result = format!("{each:.1} KiB per session ({:.0} MiB in all)", now as f64 / 1024.0);
        row(PART, format!("{wanted} idle relayed sessions"), result, "under 64 KiB");
    }
    stop.store(true, Ordering::Relaxed);
    let lost = keeper.join().map_err(|_| anyhow::anyhow!("the keeper of sessions panicked"))?;
    anyhow::ensure!(lost == 0, "{lost} sessions ended while they were idle");
    Ok(())
}

/// Opens this many sessions more and takes their first pictures.
fn open(
    gateway: &GatewayUnderTest,
    host: &ScriptedHost,
    sessions: &Sessions,
    count: usize,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let open_some = || -> anyhow::Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(());
            }
            if number > 0 && number.is_multiple_of(250) {
                progress(format!("opening sessions: {number} of {count}"));
            }
            let mut session =
                gateway.open(host).with_context(|| format!("session {} of {count}", number + 1))?;
            let mut left = first_picture_bytes();
            while left > 0 {
                left = left.saturating_sub(session.receive()?.len());
            }
            session.stream().sock.tcp().set_nonblocking(true)?;
            lock(sessions).push(session);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(open_some)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })
}

/// Answers pings until told to stop. Returns how many sessions ended meanwhile.
fn keep_alive(sessions: &Sessions, stop: &AtomicBool) -> usize {
    let mut lost = 0;
    while !stop.load(Ordering::Relaxed) {
        lock(sessions).retain_mut(|session| match session.answer_pings() {
            Ok(()) => true,
            Err(error) => {
                progress(format!("an idle session ended: {error:#}"));
                lost += 1;
                false
            }
        });
        thread::sleep(PONG_INTERVAL);
    }
    lost
}

fn lock(sessions: &Sessions) -> std::sync::MutexGuard<'_, Vec<Session>> {
    sessions.lock().unwrap_or_else(PoisonError::into_inner)
}
