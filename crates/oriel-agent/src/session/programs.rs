//! The programs of a session: started, counted, ended.

use std::{
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    sync::mpsc::Sender,
    time::{Duration, Instant},
};

use super::{SESSION_VARIABLE, environment::Environment, start::Event};
use crate::{
    apps::split_words,
    host::{Program, SessionId},
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
    /// When the last window closed, while there is none.
    windowless_since: Option<Instant>,
}

#[derive(Debug)]
struct Started {
    name: String,
    at: Instant,
    exited_at: Option<Instant>,
    has_shown: bool,
}

impl Programs {
    /// Starts a program; its end arrives as an event.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(super) fn start(
        &mut self,
        program: &Program,
        environment: &Environment,
        events: &Sender<Event>,
    ) -> Result<(), String> {
        let arguments = split_words(&program.arguments)
            .map_err(|error| format!("the arguments of {} cannot be read: {error}", program.program))?;
        let mut child = environment
            .command(&program.program)
            .args(arguments)
            .current_dir(environment.folder(&program.start_in))
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", program.program))?;
        let index = self.started.len();
        let events = events.clone();
        std::thread::spawn(move || {
            if let Ok(status) = child.wait() {
                let _ = events.send(Event::ProgramExited(index, status));
            }
        });
        let name = program.program.rsplit('/').next().unwrap_or_default().to_owned();
        self.started.push(Started { name, at: Instant::now(), exited_at: None, has_shown: false });
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

    /// Notes how many windows there are.
    pub(super) fn windows(&mut self, count: usize, now: Instant) {
        if count == 0 {
            self.windowless_since.get_or_insert(now);
            return;
        }
        self.windowless_since = None;
        for program in &mut self.started {
            program.has_shown = true;
        }
    }

    /// Whether the user would say that a program is running.
    pub(super) fn is_running(&self, now: Instant) -> bool {
        let Some(since) = self.windowless_since else { return true };
        self.started.iter().any(|program| match (program.has_shown, program.exited_at) {
            (false, None) => true,
            (false, Some(exited_at)) => now - exited_at < HANDOVER,
            (true, None) => now - since < WINDOWLESS,
            (true, Some(_)) => false,
        })
    }

    /// Whether the answer of [`Self::is_running`] may change by time alone.
    pub(super) fn is_in_suspense(&self) -> bool {
        self.windowless_since.is_some()
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
mod tests {
    use super::*;

    fn one(at: Instant) -> Programs {
        let program = Started { name: "app".into(), at, exited_at: None, has_shown: false };
        Programs { started: vec![program], windowless_since: Some(at) }
    }

    const OK: i32 = 0;
    const EXIT_127: i32 = 127 << 8;

    #[test]
    fn a_program_runs_until_its_last_window_is_gone_for_a_while() {
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        let mut programs = one(start);
        assert!(programs.is_running(after(30)), "a slow start is a start");
        programs.windows(1, after(31));
        assert!(programs.is_running(after(100)));
        programs.windows(0, after(100));
        assert!(programs.is_running(after(104)), "a splash screen may be followed by a window");
        assert!(!programs.is_running(after(105)), "a process without a window is of no use");
        assert!(programs.exited(0, ExitStatus::from_raw(OK), after(106)).is_none());
        assert!(!programs.is_running(after(106)));
    }

    #[test]
    fn a_launcher_may_hand_over_but_a_failure_is_final() {
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        let mut launcher = one(start);
        assert!(launcher.exited(0, ExitStatus::from_raw(OK), after(1)).is_none());
        assert!(launcher.is_running(after(10)));
        assert!(!launcher.is_running(after(11)));
        launcher.windows(1, after(11));
        assert!(launcher.is_running(after(60)));

        let mut failed = one(start);
        let sentence = failed.exited(0, ExitStatus::from_raw(EXIT_127), after(1)).expect("a failure");
        assert_eq!(sentence, "app ended at once with exit code 127");
        assert!(!failed.is_running(after(1)));
    }
}
