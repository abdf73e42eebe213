//! The life of a session, seen from inside.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    os::unix::{fs::MetadataExt, net::UnixStream},
    path::PathBuf,
    process::{Child, ExitCode, ExitStatus},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    LOGON_VARIABLE, SOCKET_VARIABLE, dead_mounts, dialog,
    environment::Environment,
    programs::{self, Programs},
    protocol::{Begin, FromSession, LINE_BYTES_MAX, Opening, ToSession},
    windows::Windows,
    x11::Display,
};
use crate::{apps::find_program, host::Start};

/// How long the agent may take to say what the session is for. It may just be restarting.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause between attempts to reach the agent.
const REDIAL: Duration = Duration::from_secs(1);
/// How often idle time is reported: limits are minutes.
const IDLE_INTERVAL: Duration = Duration::from_secs(5);
/// How often to look while the end of the last program is in doubt.
const SUSPENSE_INTERVAL: Duration = Duration::from_millis(500);
/// A session without a program ends by itself when no agent has been there for this long.
const ORPHAN_TIMEOUT: Duration = Duration::from_secs(600);
/// How long the window manager may take. It usually takes a tenth of a second.
const WINDOW_MANAGER_TIMEOUT: Duration = Duration::from_secs(5);
/// When to wake the window manager after a program was started (see [`Display::poke`]).
const POKES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_millis(1500),
    Duration::from_secs(3),
];
/// Programs get this long to finish when the session ends by itself.
const OWN_GRACE: Duration = Duration::from_secs(3);
/// Background of a session, a dark grey.
const BACKGROUND: u32 = 0x0026_2b33;
/// Desktops that we know how to start, the fullest first.
const DESKTOPS: [&str; 5] = ["startxfce4", "mate-session", "startlxqt", "startlxde", "icewm-session"];

/// Something happened in the session.
#[derive(Debug)]
pub(super) enum Event {
    ProgramExited(usize, ExitStatus),
    DesktopExited,
    Windows(Windows),
    Agent(ToSession),
    AgentLost,
    AgentBack,
    DisplayLost,
}

/// Runs a session from its start to its end; called by the session software as the user.
///
/// Needs `DISPLAY`, the name that was logged on with (in [`LOGON_VARIABLE`], else `USER`) and the agent's socket in the environment.
pub fn run() -> ExitCode {
    // A session of the kernel's as well, apart from the display server and from other users': the kernel
    // shares the CPU between such. Fails where the session software has seen to it.
    let _ = rustix::process::setsid();
    match begin().and_then(Session::start) {
        Ok(mut session) => {
            session.live();
            session.end();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("oriel: the session cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What there is before the first program.
struct Known {
    begin: Begin,
    agent: AgentLine,
    events: Receiver<Event>,
    sender: Sender<Event>,
}

fn begin() -> Result<Known, String> {
    let socket = env::var_os(SOCKET_VARIABLE).ok_or_else(|| format!("{SOCKET_VARIABLE} is not set"))?;
    let logon_name =
        env::var(LOGON_VARIABLE).or_else(|_| env::var("USER")).map_err(|_| "USER is not set".to_owned())?;
    let (sender, events) = mpsc::channel();
    let agent = AgentLine::dial(socket.into(), logon_name, sender.clone());
    let deadline = Instant::now() + BEGIN_TIMEOUT;
    loop {
        match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Event::Agent(ToSession::Begin(begin))) => {
                agent.has_begun.store(true, Ordering::Relaxed);
                return Ok(Known { begin: *begin, agent, events, sender });
            }
            Ok(Event::Agent(ToSession::LogOff { .. })) => return Err("it is over already".into()),
            Ok(_) => {}
            Err(_) => return Err("the agent did not say what it is for".into()),
        }
    }
}

struct Session {
    begin: Begin,
    agent: AgentLine,
    events: Receiver<Event>,
    sender: Sender<Event>,
    display: Arc<Display>,
    environment: Environment,
    programs: Programs,
    windows: Windows,
    /// Furniture of the session: message bus, window manager, panel. Its end ends nothing.
    furniture: Vec<Child>,
    pokes: Vec<Instant>,
    grace: Duration,
    last_reported: Option<FromSession>,
    agent_lost_at: Option<Instant>,
}

impl Session {
    fn start(known: Known) -> Result<Self, String> {
        let Known { begin, agent, events, sender } = known;
        let uid = std::fs::metadata("/proc/self").map_err(|error| error.to_string())?.uid();
        let mut environment = Environment::new(&begin, env::vars_os(), uid);
        let display = Arc::new(Display::connect()?);
        let _ = display.paint_background(BACKGROUND);
        dead_mounts::take_away(&environment);
        let furniture = environment.add_message_bus().into_iter().collect();
        let mut session = Self {
            begin,
            agent,
            events,
            sender,
            display,
            environment,
            programs: Programs::default(),
            windows: Windows::default(),
            furniture,
            pokes: Vec::new(),
            grace: OWN_GRACE,
            last_reported: None,
            agent_lost_at: None,
        };
        match session.begin.start.clone() {
            Start::Desktop => session.start_desktop()?,
            Start::Nothing => {
                session.start_window_manager("application.xml")?;
                session.watch_windows();
            }
            Start::Program(program) => {
                session.start_window_manager("application.xml")?;
                session.watch_windows();
                let opening = Opening { program, resource: session.begin.resource.clone() };
                if let Err(reason) = session.open(&opening) {
                    session.agent.say(&FromSession::Over { detail: reason.clone() });
                    return Err(reason);
                }
            }
        }
        Ok(session)
    }

    fn start_window_manager(&mut self, config: &str) -> Result<(), String> {
        let config = self.begin.window_manager.join(config);
        let child = self
            .environment
            .command("openbox")
            .args(["--sm-disable", "--config-file"])
            .arg(config)
            .spawn()
            .map_err(|error| format!("openbox cannot be started: {error}"))?;
        self.furniture.push(child);
        if !self.display.wait_for_window_manager(Instant::now() + WINDOW_MANAGER_TIMEOUT) {
            return Err("the window manager did not start".into());
        }
        Ok(())
    }

    /// A known desktop brings its own window manager. Otherwise openbox with its menu is the desktop, and
    /// ends it from there.
    fn start_desktop(&mut self) -> Result<(), String> {
        let configured = self.begin.desktop_command.clone();
        let known = || DESKTOPS.iter().find(|name| find_program(name).is_some()).map(|&name| name.to_owned());
        let mut main = if let Some(command) = configured.or_else(known) {
            let words = crate::apps::split_words(&command).map_err(|error| error.to_string())?;
            let (program, arguments) = words.split_first().ok_or("the desktop's command is empty")?;
            let child = self.environment.command(program).args(arguments).spawn();
            let child = child.map_err(|error| format!("the desktop {program} cannot be started: {error}"))?;
            let _ = self.display.wait_for_window_manager(Instant::now() + WINDOW_MANAGER_TIMEOUT);
            child
        } else {
            self.start_window_manager("desktop.xml")?;
            let main = self.furniture.pop().ok_or("the window manager did not start")?;
            if find_program("tint2").is_some() {
                let config = self.begin.window_manager.join("tint2rc");
                self.furniture.extend(self.environment.command("tint2").arg("-c").arg(config).spawn());
            }
            main
        };
        self.watch_windows();
        let events = self.sender.clone();
        thread::spawn(move || {
            let _ = main.wait();
            let _ = events.send(Event::DesktopExited);
        });
        Ok(())
    }

    fn open(&mut self, opening: &Opening) -> Result<(), String> {
        self.programs.start(opening, &self.environment, &self.sender)?;
        let now = Instant::now();
        self.pokes.extend(POKES.iter().map(|after| now + *after));
        Ok(())
    }

    /// Sends an event with all windows whenever they change.
    fn watch_windows(&self) {
        let (display, events) = (Arc::clone(&self.display), self.sender.clone());
        thread::spawn(move || {
            let lost = |_| {
                let _ = events.send(Event::DisplayLost);
            };
            if let Err(error) = display.watch_windows() {
                return lost(error);
            }
            loop {
                let outcome = display.windows().and_then(|windows| {
                    let _ = events.send(Event::Windows(windows));
                    display.wait_for_change()
                });
                if let Err(error) = outcome {
                    return lost(error);
                }
            }
        });
    }

    fn live(&mut self) {
        let mut idle_due = Instant::now();
        loop {
            let now = Instant::now();
            self.report(now);
            if idle_due <= now {
                idle_due = now + IDLE_INTERVAL;
                if let Ok(idle) = self.display.idle() {
                    self.agent.say(&FromSession::Idle { secs: idle.as_secs() });
                }
            }
            if self.is_orphaned(now) {
                return;
            }
            match self.events.recv_timeout(self.next_look(now, idle_due)) {
                Ok(event) => {
                    if !self.take(event) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    let now = Instant::now();
                    if self.pokes.iter().any(|due| *due <= now) {
                        self.pokes.retain(|due| *due > now);
                        self.display.poke();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn next_look(&self, now: Instant, idle_due: Instant) -> Duration {
        let mut due = idle_due.min(self.pokes.iter().min().copied().unwrap_or(idle_due));
        if self.programs.is_in_suspense() {
            due = due.min(now + SUSPENSE_INTERVAL);
        }
        due.saturating_duration_since(now)
    }

    /// Handles an event; false when the session is over.
    fn take(&mut self, event: Event) -> bool {
        match event {
            Event::ProgramExited(index, status) => {
                if let Some(failure) = self.programs.exited(index, status, Instant::now())
                    && !self.programs.is_running(Instant::now())
                {
                    self.agent.say(&FromSession::Over { detail: failure });
                    return false;
                }
            }
            Event::DesktopExited => {
                self.agent.say(&FromSession::Over { detail: String::new() });
                return false;
            }
            Event::Windows(windows) => {
                for shape in self.programs.windows(&windows.seen, Instant::now()) {
                    self.display.shape(shape.window, shape.form);
                }
                self.windows = windows;
            }
            Event::Agent(ToSession::Begin(_)) => {}
            Event::Agent(ToSession::Open(opening)) => {
                if let Err(reason) = self.open(&opening) {
                    dialog::show("The program cannot be opened".into(), reason, &self.environment);
                }
            }
            Event::Agent(ToSession::BringToFront { resource, same_program }) => {
                if let Some(window) = self.programs.window_of(&resource, &same_program) {
                    self.display.activate(window);
                }
            }
            Event::Agent(ToSession::Message { title, text }) => dialog::show(title, text, &self.environment),
            Event::Agent(ToSession::LogOff { grace_secs }) => {
                self.grace = Duration::from_secs(grace_secs);
                return false;
            }
            Event::AgentLost => {
                self.agent_lost_at.get_or_insert(Instant::now());
            }
            Event::AgentBack => {
                self.agent_lost_at = None;
                self.last_reported = None;
            }
            Event::DisplayLost => return false,
        }
        true
    }

    fn report(&mut self, now: Instant) {
        let is_running = self.is_desktop() || self.programs.is_running(now);
        let mut resources = self.programs.resources(now);
        if self.is_desktop() && !self.begin.resource.is_empty() {
            resources.insert(self.begin.resource.clone());
        }
        let state = FromSession::Open {
            is_running,
            programs: self.windows.programs.clone(),
            resources: resources.into_iter().collect(),
        };
        if self.last_reported.as_ref() != Some(&state) {
            self.agent.say(&state);
            self.last_reported = Some(state);
        }
    }

    fn is_desktop(&self) -> bool {
        self.begin.start == Start::Desktop
    }

    fn is_orphaned(&self, now: Instant) -> bool {
        let is_alone = self.agent_lost_at.is_some_and(|since| now - since > ORPHAN_TIMEOUT);
        is_alone && !self.is_desktop() && !self.programs.is_running(now)
    }

    fn end(&mut self) {
        programs::end_all(self.begin.session, self.grace);
        for mut child in self.furniture.drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The line to the agent: dials, reads on a thread of its own, dials again when it breaks.
struct AgentLine {
    stream: Arc<Mutex<Option<UnixStream>>>,
    has_begun: Arc<AtomicBool>,
}

impl AgentLine {
    fn dial(socket: PathBuf, logon_name: String, events: Sender<Event>) -> Self {
        let stream = Arc::new(Mutex::new(None));
        let has_begun = Arc::new(AtomicBool::new(false));
        let line = Self { stream: Arc::clone(&stream), has_begun: Arc::clone(&has_begun) };
        thread::spawn(move || {
            loop {
                if let Ok(connected) = UnixStream::connect(&socket) {
                    *lock(&stream) = connected.try_clone().ok();
                    let has_begun = has_begun.load(Ordering::Relaxed);
                    say(&stream, &FromSession::Hello { logon_name: logon_name.clone(), has_begun });
                    if events.send(Event::AgentBack).is_err() {
                        return;
                    }
                    read_lines(connected, &events);
                    *lock(&stream) = None;
                }
                if events.send(Event::AgentLost).is_err() {
                    return;
                }
                thread::sleep(REDIAL);
            }
        });
        line
    }

    /// Says something if the agent is there. What it misses it gets after the next hello.
    fn say(&self, what: &FromSession) {
        say(&self.stream, what);
    }
}

fn say(stream: &Mutex<Option<UnixStream>>, what: &FromSession) {
    let Ok(mut line) = serde_json::to_vec(what) else { return };
    line.push(b'\n');
    if let Some(stream) = lock(stream).as_mut() {
        // A broken line shows at the reader, which dials again.
        let _ = stream.write_all(&line);
    }
}

fn read_lines(stream: UnixStream, events: &Sender<Event>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line) {
            Ok(read) if read > 0 && line.last() == Some(&b'\n') => {}
            _ => return,
        }
        // A newer agent may say things that we do not know.
        if let Ok(message) = serde_json::from_slice(&line)
            && events.send(Event::Agent(message)).is_err()
        {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
