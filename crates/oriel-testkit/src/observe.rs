//! What the process itself shows while tests run: its log, its panics, its memory.

use std::{
    io,
    panic::PanicHookInfo,
    sync::{Mutex, MutexGuard, OnceLock},
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Bytes of log kept; what is older is dropped in halves.
const LOG_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The folder in a panic's location that says that it was ours.
const PRODUCT: &str = "crates/oriel";

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Captures the log of the whole process (debug, of our own crates) and counts panics of product code.
/// With `ORIEL_TEST_LOG` the log goes to standard error too. Calling it again does nothing.
pub fn begin() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        oriel_net::tls::install_crypto();
        let filter = std::env::var("ORIEL_TEST_LOG").unwrap_or_default();
        let filter = if filter.is_empty() { "debug,hyper=info,h2=info,tonic=info,rustls=info,tungstenite=info,tokio_tungstenite=info,hyper_util=info,tower=info".to_owned() } else { filter };
        // An error means that a test has set another: then there is no captured log.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(filter))
            .with_ansi(false)
            .with_writer(Capture { echo: std::env::var_os("ORIEL_TEST_LOG").is_some() })
            .try_init();
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            note_panic(info);
            previous(info);
        }));
    });
}

/// Everything logged so far.
pub fn log() -> String {
    String::from_utf8_lossy(&locked(&LOG)).into_owned()
}

/// Panics in product code so far, each with its place. Those of the tests themselves do not count.
pub fn panics() -> Vec<String> {
    locked(&PANICS).clone()
}

/// Resident memory of this process, in bytes: `VmRSS` of `/proc/self/status`.
pub fn resident_bytes() -> u64 {
    resident_bytes_of(std::process::id())
}

/// Resident memory of a process, in bytes; zero if there is none.
pub fn resident_bytes_of(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

fn note_panic(info: &PanicHookInfo<'_>) {
    let Some(location) = info.location() else { return };
    let file = location.file();
    let is_test =
        ["oriel-tests", "oriel-testkit", "oriel-bench", "/tests/"].iter().any(|part| file.contains(part));
    if file.contains(PRODUCT) && !is_test {
        locked(&PANICS).push(info.to_string());
    }
}

#[derive(Clone, Copy)]
struct Capture {
    echo: bool,
}

impl io::Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.echo {
            io::stderr().write_all(bytes)?;
        }
        let mut log = locked(&LOG);
        if log.len() > LOG_BYTES_MAX {
            log.drain(..LOG_BYTES_MAX / 2);
        }
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Capture {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
