//! xrdp (0.9.21 and 0.10) as the session host's software.
//!
//! - `config` has every text that xrdp gets from us, `desktop` what surrounds the programs; `layout` puts them into a place of our own, and
//!   `namespace` lays them over the host's files where only xrdp sees them.
//! - `software` starts xrdp and sesman, finds them again, keeps them alive.
//! - `alias` gives every session a logon name of its own; PAM and the sessions themselves reach us through
//!   `doors`. Relays stand between xrdp and sesman: `scp` closes old versions' choice of program by the client,
//!   `ipm` keeps the sessions of one account apart in 0.10.
//! - `prelaunch` speaks to sesman itself, for a session that starts before anybody comes.
//! - `record` is a session and the decision what becomes of it; `watch` looks at the machine and acts.
//!
//! Deliberately absent: RemoteApp (xrdp's does not work), printers, sharing of a session.

mod alias;
mod config;
mod core;
mod desktop;
mod doors;
mod host;
mod ipm;
mod layout;
mod namespace;
mod prelaunch;
mod record;
mod scp;
mod socket;
mod software;
mod version;
mod watch;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use oriel_net::clock::Clock;
use tokio::task::JoinSet;

use self::{
    config::Numbers,
    core::Core,
    layout::Layout,
    software::{Claim, Software},
    version::Version,
};
use crate::{
    apps,
    host::{App, HostSoftware},
    power::Power,
    state,
};

/// How often the programs are looked after.
const LOOK_AFTER: Duration = Duration::from_secs(1);
/// While they start.
const LOOK_AFTER_STARTING: Duration = Duration::from_millis(100);
/// A start takes up to this long; until then, trouble is no news.
const STARTING: Duration = Duration::from_secs(10);
/// How long the list of installed programs is good for.
const APPS_KEPT: Duration = Duration::from_secs(30);
/// How long sessions have to end with the software.
const SHUT_DOWN_GRACE: Duration = Duration::from_secs(3);

/// How xrdp is to be run.
#[derive(Debug, Clone)]
pub struct XrdpConfig {
    /// The agent's data directory.
    pub data_dir: PathBuf,
    /// Address of the RDP listener.
    pub listen: SocketAddr,
    /// The machine's name, for the certificate.
    pub machine_name: String,
    /// The `oriel` program, which PAM and sessions call.
    pub executable: PathBuf,
    /// Command of a desktop session; `None`: the first known desktop that is installed, else openbox.
    pub desktop_command: Option<String>,
    /// How the machine is restarted and stopped.
    pub power: Power,
}

/// The adapter.
pub struct Xrdp {
    core: Arc<Core>,
    data_dir: PathBuf,
    description: HostSoftware,
    power: Power,
    /// Where sesman listens on loopback; `None` where it has a Unix socket.
    sesman_port: Option<u16>,
    software: Arc<Mutex<Software>>,
    tasks: Mutex<JoinSet<()>>,
    /// Accounts are made, and records added, one at a time.
    preparing: tokio::sync::Mutex<()>,
    apps: tokio::sync::Mutex<Option<AppList>>,
}

impl Xrdp {
    /// Writes the configuration, finds or starts the software, and begins to watch.
    ///
    /// # Errors
    /// A sentence on what is missing on this host or cannot be written.
    pub async fn start(config: XrdpConfig, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let layout = Layout::new(&config.data_dir);
        let version = Version::installed()?;
        state::directory(&config.data_dir.join("xrdp"), 0o755)
            .map_err(|error| format!("cannot make {}: {error}", config.data_dir.display()))?;
        let mut claim = Claim::take(&layout).await?;
        layout.install(config.listen, claim.numbers, version)?;
        let certificate_sha256 = layout.tls_certificate(&config.machine_name)?;
        let core = Arc::new(Core::load(layout.clone(), config.desktop_command, clock));

        let failed =
            |what: &'static str| move |error: std::io::Error| format!("cannot listen for {what}: {error}");
        let pam = doors::listen(&layout.pam_socket(), 0o600).map_err(failed("logons"))?;
        let sessions = doors::listen(&layout.session_socket(), 0o666).map_err(failed("sessions"))?;
        let Numbers { sesman_port, displays, .. } = claim.numbers;
        let relay = std::mem::take(&mut claim.relay);
        let logons = if version.has_tcp_sesman() {
            None
        } else {
            let listener = doors::listen(&layout.relay_socket(), 0o660).map_err(failed("xrdp"))?;
            layout.hand_to_xrdp(&layout.relay_socket()).map_err(failed("xrdp"))?;
            Some(listener)
        };
        let software = Software::new(layout.clone(), config.executable, config.listen, claim);

        let mut tasks = JoinSet::new();
        tasks.spawn(doors::serve_pam(pam, Arc::clone(&core)));
        tasks.spawn(doors::serve_sessions(sessions, Arc::clone(&core)));
        if let Some(logons) = logons {
            tasks.spawn(ipm::serve(logons, Arc::clone(&core)));
        }
        for listener in relay {
            listener.set_nonblocking(true).map_err(failed("xrdp"))?;
            let listener = tokio::net::TcpListener::from_std(listener).map_err(failed("xrdp"))?;
            tasks.spawn(scp::serve(listener, Arc::clone(&core), sesman_port));
        }
        let software = Arc::new(Mutex::new(software));
        tasks.spawn(look_after(Arc::clone(&software), Arc::clone(&core)));
        tasks.spawn(watch::watch(Arc::clone(&core)));
        // For the first desktop; it may be a second's work.
        tasks.spawn_blocking(move || drop(list_apps(&layout, &[])));
        Ok(Self {
            core,
            data_dir: config.data_dir,
            power: config.power,
            sesman_port: version.has_tcp_sesman().then_some(sesman_port),
            description: HostSoftware {
                name: format!("xrdp {version}"),
                rdp_address: config.listen,
                certificate_sha256,
                sessions_max: displays,
                has_dynamic_resize: version.has_dynamic_resize(),
            },
            software,
            tasks: Mutex::new(tasks),
            preparing: tokio::sync::Mutex::default(),
            apps: tokio::sync::Mutex::default(),
        })
    }

    /// The installed programs, from memory if they were listed a moment ago.
    async fn installed_apps(&self, languages: &[String]) -> Vec<App> {
        let mut known = self.apps.lock().await;
        if let Some(listed) = &*known
            && listed.at.elapsed() < APPS_KEPT
            && listed.languages == languages
        {
            return listed.apps.clone();
        }
        let layout = self.core.layout.clone();
        let wanted = languages.to_vec();
        let apps = tokio::task::spawn_blocking(move || list_apps(&layout, &wanted)).await.unwrap_or_default();
        *known = Some(AppList { at: Instant::now(), languages: languages.to_vec(), apps: apps.clone() });
        apps
    }
}

/// What was found installed.
struct AppList {
    at: Instant,
    languages: Vec<String>,
    apps: Vec<App>,
}

/// Lists the installed programs and renews the plain desktop's menu and panel.
fn list_apps(layout: &Layout, languages: &[String]) -> Vec<App> {
    let apps = apps::installed(languages);
    let written = state::write(&layout.menu(), desktop::menu(&apps).as_bytes(), 0o644)
        .and_then(|()| state::write(&layout.panel(), desktop::panel(&apps).as_bytes(), 0o644));
    if let Err(error) = written {
        tracing::warn!(%error, "cannot write the plain desktop's menu and panel");
    }
    apps
}

/// Keeps the software running, for ever.
async fn look_after(software: Arc<Mutex<Software>>, core: Arc<Core>) {
    let began = Instant::now();
    loop {
        let software = Arc::clone(&software);
        let looked = tokio::task::spawn_blocking(move || {
            let mut software = software.lock().unwrap_or_else(PoisonError::into_inner);
            (software.look_after(), software.sesman())
        });
        let (problem, sesman) = looked.await.unwrap_or_else(|_| (Some("the agent failed".into()), None));
        let has_changed = {
            let mut state = core.state();
            state.sesman = sesman;
            std::mem::replace(&mut state.problem, problem.clone()) != problem
        };
        if has_changed {
            match &problem {
                Some(problem) if began.elapsed() > STARTING => {
                    tracing::warn!(problem, "sessions are not possible");
                }
                Some(problem) => tracing::info!(problem, "sessions are not possible yet"),
                None => tracing::info!("sessions are possible"),
            }
            core.announce();
        }
        tokio::time::sleep(if problem.is_some() { LOOK_AFTER_STARTING } else { LOOK_AFTER }).await;
    }
}
