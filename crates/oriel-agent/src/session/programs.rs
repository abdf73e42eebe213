//! The programs of a session: started, counted, ended.

use std::{
    collections::BTreeSet,
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    sync::mpsc::Sender,
    time::{Duration, Instant},
};

use oriel_model::resource::Window;

use super::{PROGRAM_VARIABLE, SESSION_VARIABLE, environment::Environment, protocol::Opening, start::Event};
use crate::{
    apps::split_words,
    host::SessionId,
    proc::{ProcessId, ProcessTable, Signal},
};

/// A program that shows no window within this time after it has exited will show none: launchers hand
/// over to another process and leave.
const HANDOVER: Duration = Duration::from_secs(10);
/// A program that has closed its last window but runs on may open another (after its splash screen, say).
const WINDOWLESS: Duration = Duration::from_secs(5);
/// A program that fails this early and without a window failed to start.
const EARLY: Duration = Duration::from_secs(5);

/// What was started, and how it is doing.
#[derive(Debug, Default)]
pub(super) struct Programs {
    started: Vec<Started>,
    /// The windows there are, in their order, each with the program that it belongs to if that is known.
    windows: Vec<(Seen, Option<usize>)>,
}

#[derive(Debug)]
struct Started {
    name: String,
    resource: String,
    window: Window,
    at: Instant,
    exited_at: Option<Instant>,
    has_shown: bool,
    /// Whether its first window has got its form.
    is_shaped: bool,
    /// When its last window closed, while it has none.
    windowless_since: Option<Instant>,
}

/// A window of a program, as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// The X server's number for it.
    pub(super) window: u32,
    /// The process that it belongs to, if it says so.
    pub(super) pid: Option<u32>,
    /// The program within this session that the process was started for, if it was.
    pub(super) program: Option<usize>,
    /// Whether it is a main window and not a dialog or the like.
    pub(super) is_main: bool,
}

/// A window that is to get the form that its program's resource wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) window: u32,
    pub(super) form: Window,
}

impl Programs {
    /// Starts a program; its end arrives as an event.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(super) fn start(
        &mut self,
        opening: &Opening,
        environment: &Environment,
        events: &Sender<Event>,
    ) -> Result<(), String> {
        let program = &opening.program;
        let arguments = split_words(&program.arguments)
            .map_err(|error| format!("the arguments of {} cannot be read: {error}", program.program))?;
        let index = self.started.len();
        let mut child = environment
            .command(&program.program)
            .args(arguments)
            .env(PROGRAM_VARIABLE, index.to_string())
            .current_dir(environment.folder(&program.start_in))
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", program.program))?;
        let events = events.clone();
        std::thread::spawn(move || {
            if let Ok(status) = child.wait() {
                let _ = events.send(Event::ProgramExited(index, status));
            }
        });
        let name = program.program.rsplit('/').next().unwrap_or_default().to_owned();
        let now = Instant::now();
        self.started.push(Started {
            name,
            resource: opening.resource.clone(),
            window: program.window,
            at: now,
            exited_at: None,
            has_shown: false,
            is_shaped: false,
            windowless_since: Some(now),
        });
        Ok(())
    }

    /// Notes that a program has exited. Returns a sentence if it failed to start.
    pub(super) fn exited(&mut self, index: usize, status: ExitStatus, now: Instant) -> Option<String> {
        let program = self.started.get_mut(index)?;
        program.exited_at = Some(now);
        if status.success() || program.has_shown || now - program.at > EARLY {
            return None;
        }
        // Failed: it will not hand over to anything.
        program.has_shown = true;
        let name = &program.name;
        Some(match (status.code(), status.signal()) {
            (Some(code), _) => format!("{name} ended at once with exit code {code}"),
            (None, signal) => format!("{name} was ended by signal {}", signal.unwrap_or(0)),
        })
    }

    /// Notes the windows that there are, in their order. Returns which of them are to be shaped.
    pub(super) fn windows(&mut self, seen: &[Seen], now: Instant) -> Vec<Shape> {
        let before = std::mem::take(&mut self.windows);
        let mut shapes = Vec::new();
        for window in seen {
            let known = before.iter().find(|(old, _)| old.window == window.window);
            let owner = match known {
                Some((_, owner)) => *owner,
                None => self.owner(window, &before, now),
            };
            self.windows.push((*window, owner));
            let Some(program) = owner.and_then(|index| self.started.get_mut(index)) else { continue };
            program.has_shown = true;
            if known.is_none() && window.is_main {
                let is_first = !std::mem::replace(&mut program.is_shaped, true);
                // Only the first window is an icon or all there is; what follows was asked for by the user.
                let form = match program.window {
                    Window::Minimised | Window::FullScreen if !is_first => Window::Maximised,
                    form => form,
                };
                shapes.push(Shape { window: window.window, form });
            }
        }
        for (index, program) in self.started.iter_mut().enumerate() {
            if self.windows.iter().any(|(_, owner)| *owner == Some(index)) {
                program.windowless_since = None;
            } else {
                program.windowless_since.get_or_insert(now);
            }
        }
        shapes
    }

    /// Whose a new window is: of the program whose process made it. A program that has exited without a
    /// window has probably handed over to a process that was there before, so the next window is its.
    fn owner(&self, window: &Seen, before: &[(Seen, Option<usize>)], now: Instant) -> Option<usize> {
        let of_process = || {
            let others = before.iter().chain(&self.windows);
            others.filter(|(old, _)| old.pid.is_some() && old.pid == window.pid).find_map(|(_, owner)| *owner)
        };
        let handed_over = || {
            self.started.iter().rposition(|program| {
                !program.has_shown && program.exited_at.is_some_and(|at| now - at < HANDOVER)
            })
        };
        let marked = window.program.filter(|index| *index < self.started.len());
        match marked.or_else(of_process) {
            Some(index) if self.started[index].has_shown => Some(handed_over().unwrap_or(index)),
            Some(index) => Some(index),
            None => handed_over().or_else(|| self.started.iter().rposition(|program| !program.has_shown)),
        }
    }

    /// Whether the user would say that a program is running.
    pub(super) fn is_running(&self, now: Instant) -> bool {
        !self.windows.is_empty() || self.started.iter().any(|program| program.is_running(now))
    }

    /// The resources whose programs run, each once.
    pub(super) fn resources(&self, now: Instant) -> BTreeSet<String> {
        let running = self.started.iter().filter(|program| program.is_running(now));
        running.map(|program| program.resource.clone()).filter(|resource| !resource.is_empty()).collect()
    }

    /// The youngest window of a resource's programs; where there is none, of those that are open in the same
    /// program.
    pub(super) fn window_of(&self, resource: &str, same_program: &[String]) -> Option<u32> {
        self.youngest(|program| program.resource == resource)
            .or_else(|| self.youngest(|program| same_program.contains(&program.resource)))
    }

    /// The youngest window of such programs, a main one if there is one.
    fn youngest(&self, is_such: impl Fn(&Started) -> bool) -> Option<u32> {
        let is_its =
            |owner: &Option<usize>| owner.and_then(|index| self.started.get(index)).is_some_and(&is_such);
        let its = || self.windows.iter().rev().filter(|(_, owner)| is_its(owner));
        its().find(|(seen, _)| seen.is_main).or_else(|| its().next()).map(|(seen, _)| seen.window)
    }

    /// Whether the answer of [`Self::is_running`] may change by time alone.
    pub(super) fn is_in_suspense(&self) -> bool {
        let is_over = |program: &Started| program.has_shown && program.exited_at.is_some();
        self.started.iter().any(|program| program.windowless_since.is_some() && !is_over(program))
    }
}

impl Started {
    fn is_running(&self, now: Instant) -> bool {
        let Some(since) = self.windowless_since else { return true };
        match (self.has_shown, self.exited_at) {
            (false, None) => true,
            (false, Some(exited_at)) => now - exited_at < HANDOVER,
            (true, None) => now - since < WINDOWLESS,
            (true, Some(_)) => false,
        }
    }
}

/// Ends every process of the session but this one: asks first, and after `grace` does not ask.
pub(super) fn end_all(session: SessionId, grace: Duration) {
    let deadline = Instant::now() + grace;
    let mut asked = Vec::new();
    loop {
        let rest = of_session(session);
        if rest.is_empty() {
            return;
        }
        let is_late = Instant::now() >= deadline;
        for process in rest {
            if is_late {
                let _ = process.signal(Signal::KILL);
            } else if !asked.contains(&process) {
                let _ = process.signal(Signal::TERM);
                asked.push(process);
            }
        }
        if is_late {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn of_session(session: SessionId) -> Vec<ProcessId> {
    let session = session.to_string();
    let me = std::process::id();
    ProcessTable::read()
        .iter()
        .filter(|stat| stat.id.pid != me && stat.runs())
        .filter(|stat| stat.id.variable(SESSION_VARIABLE).as_ref() == Some(&session))
        .map(|stat| stat.id)
        .collect()
}

#[cfg(test)]
#[path = "programs_tests.rs"]
mod tests;
