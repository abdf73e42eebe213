//! One service as a child process: started, started again when it dies, stopped when told.
//!
//! The child's standard input is a pipe that only this process holds: when this process ends, however
//! it ends, the child sees the pipe closed and stops. It has a process group of its own, so that Ctrl+C
//! on the terminal reaches only this process, which then stops the children in order.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use oriel_net::{
    backoff::Backoff,
    supervise::{ShutdownSignal, Tasks},
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{process::Command, sync::watch, time::timeout};

use super::{Options, layout::Layout, user::ServiceUser};

/// First and longest pause before a service is started again: a service that was killed is back at
/// once, one that cannot start does not fill the log.
const RESTART_FIRST: Duration = Duration::from_millis(300);
/// See [`RESTART_FIRST`].
const RESTART_LONGEST: Duration = Duration::from_secs(15);
/// A service that ran this long had started well: its next end is a new trouble.
const RAN_WELL: Duration = Duration::from_secs(30);

/// What is started.
#[derive(Debug, Clone)]
pub struct Child {
    service: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    /// Whom it runs as; none: as this process.
    user: Option<ServiceUser>,
    /// After SIGTERM: how long until SIGKILL.
    patience: Duration,
}

/// How a child fares: how often in a row it has ended soon after its start.
pub type Fate = watch::Receiver<u32>;

impl Child {
    /// The broker. `program` is this program's file.
    pub fn broker(program: &Path, layout: &Layout, options: &Options) -> Self {
        Self::new("broker", super::BROKER_STOP, program, layout, options)
    }

    /// The gateway; see [`Self::broker`].
    pub fn gateway(program: &Path, layout: &Layout, options: &Options) -> Self {
        Self::new("gateway", super::GATEWAY_STOP, program, layout, options)
    }

    /// The agent; see [`Self::broker`].
    pub fn agent(program: &Path, layout: &Layout, options: &Options) -> Self {
        let mut child = Self::new("agent", super::AGENT_STOP, program, layout, options);
        // It logs users on, which only root can.
        child.user = None;
        if options.stop_sessions {
            child.arguments.push("--stop-host-software".into());
        }
        child
    }

    fn new(
        service: &'static str,
        deadline: Duration,
        program: &Path,
        layout: &Layout,
        options: &Options,
    ) -> Self {
        let file = layout.node_file(service).display().to_string();
        let words = [
            service,
            "run",
            "--parent-stdin",
            "--config",
            &file,
            "--log",
            &options.log.filter,
            "--log-format",
            options.log.log_format.as_str(),
        ];
        let arguments = words.map(str::to_owned).into();
        // Escalates before whoever waits for it gives up.
        let user = layout.service_user;
        let patience = deadline.saturating_sub(Duration::from_secs(2));
        Self { service, program: program.to_owned(), arguments, user, patience }
    }

    /// Keeps the service running until the group stops.
    pub fn keep_running(self, group: &Tasks) -> Fate {
        let (sender, fate) = watch::channel(0);
        group.spawn(self.service, move |signal| async move {
            self.run(signal, &sender).await;
            Ok::<_, std::convert::Infallible>(())
        });
        fate
    }

    async fn run(self, signal: ShutdownSignal, fate: &watch::Sender<u32>) {
        let mut backoff = Backoff::new(RESTART_FIRST, RESTART_LONGEST);
        while !signal.is_given() {
            let started = Instant::now();
            let ended = self.once(&signal).await;
            if signal.is_given() {
                return;
            }
            if started.elapsed() > RAN_WELL {
                backoff.reset();
                fate.send_replace(0);
            }
            fate.send_modify(|failures| *failures += 1);
            let pause = backoff.next_delay();
            tracing::warn!(
                service = self.service,
                ended,
                retry_secs = pause.as_secs_f32(),
                "a service ended; starting it again"
            );
            tokio::select! {
                () = signal.given() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Runs the service once, and stops it when told. Says how it ended.
    async fn once(&self, signal: &ShutdownSignal) -> String {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).process_group(0).kill_on_drop(true);
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return format!("it cannot be started: {error}"),
        };
        // Held until the child has ended: closing it means "stop".
        let _pipe = child.stdin.take();
        tracing::info!(service = self.service, pid = child.id(), "started");
        tokio::select! {
            ended = child.wait() => return in_words(ended),
            () = signal.given() => {}
        }
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            // An error means that it has just ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        match timeout(self.patience, child.wait()).await {
            Ok(ended) => in_words(ended),
            Err(_) => {
                tracing::warn!(service = self.service, "did not stop in time and is killed");
                let _ = child.start_kill();
                in_words(child.wait().await)
            }
        }
    }
}

fn in_words(ended: std::io::Result<ExitStatus>) -> String {
    ended.map_or_else(|error| error.to_string(), |status| status.to_string())
}
