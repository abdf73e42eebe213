//! The windows of a session: which there are, the form that they get, and which is in front.
//!
//! Sources: Extended Window Manager Hints 1.5 (client list, states, activation), ICCCM 4.1.2.5 (WM_CLASS),
//! 4.1.2.6 (WM_TRANSIENT_FOR) and 4.1.4 (icons); openbox, `openbox/client.c` (frames).

use std::collections::BTreeSet;

use oriel_model::resource::Window as Form;
use x11rb::{
    connection::Connection,
    errors::ReplyError,
    protocol::xproto::{Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, Window},
};

use super::{
    PROGRAM_VARIABLE,
    programs::Seen,
    x11::{Display, MESSAGE_CLASS},
};
use crate::proc::ProcessId;

/// Most program names reported.
const PROGRAMS_MAX: usize = 50;
/// `_NET_WM_STATE_REMOVE`, `_NET_WM_STATE_ADD`.
const REMOVE: u32 = 0;
const ADD: u32 = 1;
/// Source indication of a pager: it does what the user wants, whatever programs think of it.
const PAGER: u32 = 2;
/// `IconicState`.
const ICONIC: u32 = 3;

/// The windows of programs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Windows {
    /// Each, the oldest first.
    pub(super) seen: Vec<Seen>,
    /// The programs' names, each once.
    pub(super) programs: Vec<String>,
}

impl Display {
    /// The windows of programs; panels, desktops and our own messages are none.
    pub(super) fn windows(&self) -> Result<Windows, ReplyError> {
        let mut seen = Vec::new();
        let mut programs = BTreeSet::new();
        for window in self.windows_in(self.root, self.atoms._NET_CLIENT_LIST)? {
            // A window may vanish between the list and the question.
            let Ok(Some((class, window))) = self.look_at(window) else { continue };
            seen.push(window);
            if programs.len() < PROGRAMS_MAX {
                programs.insert(class);
            }
        }
        Ok(Windows { seen, programs: programs.into_iter().collect() })
    }

    fn look_at(&self, window: Window) -> Result<Option<(String, Seen)>, ReplyError> {
        let atoms = &self.atoms;
        let kinds = self.words(window, atoms._NET_WM_WINDOW_TYPE, AtomEnum::ATOM.into())?;
        let furniture = [atoms._NET_WM_WINDOW_TYPE_DOCK, atoms._NET_WM_WINDOW_TYPE_DESKTOP];
        if kinds.iter().any(|kind| furniture.contains(kind)) {
            return Ok(None);
        }
        let class = self.class(window)?;
        if class == MESSAGE_CLASS {
            return Ok(None);
        }
        let is_main = match kinds.first() {
            Some(_) => kinds.contains(&atoms._NET_WM_WINDOW_TYPE_NORMAL),
            None => self.windows_in(window, AtomEnum::WM_TRANSIENT_FOR.into())?.is_empty(),
        };
        let pid = self.words(window, atoms._NET_WM_PID, AtomEnum::CARDINAL.into())?.first().copied();
        let program = pid.and_then(program_of);
        Ok(Some((class, Seen { window, pid, program, is_main })))
    }

    fn class(&self, window: Window) -> Result<String, ReplyError> {
        let class = self
            .connection
            .get_property(false, window, AtomEnum::WM_CLASS, AtomEnum::STRING, 0, 64)?
            .reply()?
            .value;
        // Two texts, each with a zero behind it: the instance, then the class.
        let mut names = class.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let instance = names.next().unwrap_or_default();
        let name = names.next().filter(|name| !name.is_empty()).unwrap_or(instance);
        Ok(name.chars().filter(|c| !c.is_control()).collect())
    }

    /// Gives a window the form that is wanted. The window manager has made it as large as the session and
    /// taken its frame in an application session, and has left it as it is on a desktop.
    pub(super) fn shape(&self, window: Window, form: Form) {
        let Self { atoms, .. } = self;
        let maximised = [atoms._NET_WM_STATE_MAXIMIZED_VERT, atoms._NET_WM_STATE_MAXIMIZED_HORZ];
        match form {
            Form::Maximised => self.change_state(window, ADD, maximised),
            Form::Normal => {
                self.change_state(window, REMOVE, maximised);
                self.change_state(window, REMOVE, [atoms._OB_WM_STATE_UNDECORATED, 0]);
            }
            Form::Minimised => self.ask(window, atoms.WM_CHANGE_STATE, [ICONIC, 0, 0, 0, 0]),
            Form::FullScreen => self.change_state(window, ADD, [atoms._NET_WM_STATE_FULLSCREEN, 0]),
        }
        let _ = self.connection.flush();
    }

    /// Brings a window to the front, also one that is an icon.
    pub(super) fn activate(&self, window: Window) {
        self.ask(window, self.atoms._NET_ACTIVE_WINDOW, [PAGER, 0, 0, 0, 0]);
        let _ = self.connection.flush();
    }

    fn change_state(&self, window: Window, change: u32, states: [Atom; 2]) {
        self.ask(window, self.atoms._NET_WM_STATE, [change, states[0], states[1], PAGER, 0]);
    }

    /// Asks the window manager. What becomes of it shows in the window; a broken line shows elsewhere.
    fn ask(&self, window: Window, what: Atom, data: [u32; 5]) {
        let message = ClientMessageEvent::new(32, window, what, data);
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        let _ = self.connection.send_event(false, self.root, mask, message);
    }
}

/// The program within this session for which a process was started.
fn program_of(pid: u32) -> Option<usize> {
    ProcessId::of(pid)?.variable(PROGRAM_VARIABLE)?.parse().ok()
}
