//! What we need of the session's X server; its windows are in [`super::windows`].
//!
//! Sources: Extended Window Manager Hints 1.5 (root window properties, window types), ICCCM 4.1.2.5
//! (WM_CLASS), the MIT screen saver extension (idle time).

use std::time::{Duration, Instant};

use x11rb::{
    connection::Connection,
    errors::ReplyError,
    protocol::{
        Event,
        screensaver::ConnectionExt as _,
        xproto::{
            Atom, AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, PropMode, Window,
        },
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

x11rb::atom_manager! {
    /// The atoms that we use.
    pub(super) Atoms: AtomsCookie {
        _NET_ACTIVE_WINDOW,
        _NET_CLIENT_LIST,
        _NET_SUPPORTING_WM_CHECK,
        _NET_WM_NAME,
        _NET_WM_STATE,
        _NET_WM_PID,
        _NET_WM_STATE_ABOVE,
        _NET_WM_STATE_FULLSCREEN,
        _NET_WM_STATE_MAXIMIZED_HORZ,
        _NET_WM_STATE_MAXIMIZED_VERT,
        _OB_WM_STATE_UNDECORATED,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_DESKTOP,
        _NET_WM_WINDOW_TYPE_DIALOG,
        _NET_WM_WINDOW_TYPE_DOCK,
        _NET_WM_WINDOW_TYPE_NORMAL,
        _ORIEL_POKE,
        UTF8_STRING,
        WM_CHANGE_STATE,
        WM_DELETE_WINDOW,
        WM_PROTOCOLS,
    }
}

/// Most windows looked at.
const WINDOWS_MAX: u32 = 1_000;
/// Class of our own message windows, which are no programs of the user.
pub(super) const MESSAGE_CLASS: &str = "oriel-message";

/// The display of this session. May be used from several threads.
pub(super) struct Display {
    pub(super) connection: RustConnection,
    pub(super) root: Window,
    pub(super) screen: usize,
    pub(super) atoms: Atoms,
}

impl Display {
    /// Connects to `$DISPLAY`.
    pub(super) fn connect() -> Result<Self, String> {
        let (connection, screen) =
            x11rb::connect(None).map_err(|error| format!("cannot reach the X server: {error}"))?;
        let broken = |error: &dyn std::fmt::Display| format!("the X server does not answer: {error}");
        let atoms = Atoms::new(&connection)
            .map_err(|error| broken(&error))?
            .reply()
            .map_err(|error| broken(&error))?;
        let root = connection.setup().roots[screen].root;
        Ok(Self { connection, root, screen, atoms })
    }

    /// Fills the background, so that an empty session is not taken for a dead one.
    pub(super) fn paint_background(&self, rgb: u32) -> Result<(), ReplyError> {
        let pixel = ChangeWindowAttributesAux::new().background_pixel(rgb);
        self.connection.change_window_attributes(self.root, &pixel)?.check()?;
        self.connection.clear_area(false, self.root, 0, 0, 0, 0)?.check()?;
        Ok(())
    }

    /// Waits until a window manager has announced itself.
    pub(super) fn wait_for_window_manager(&self, deadline: Instant) -> bool {
        loop {
            let check = self.windows_in(self.root, self.atoms._NET_SUPPORTING_WM_CHECK);
            if check.is_ok_and(|windows| !windows.is_empty()) {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Wakes the window manager. openbox 3.6 leaves a window that was mapped while it started unmanaged
    /// until the next event reaches it, in about one start of four.
    pub(super) fn poke(&self) {
        let poked = self.connection.change_property8(
            PropMode::REPLACE,
            self.root,
            self.atoms._ORIEL_POKE,
            AtomEnum::STRING,
            b"",
        );
        if poked.is_ok() {
            let _ = self.connection.flush();
        }
    }

    /// Asks for events about the root window's properties.
    pub(super) fn watch_windows(&self) -> Result<(), ReplyError> {
        let mask = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        self.connection.change_window_attributes(self.root, &mask)?.check()
    }

    /// Waits until the list of windows changes.
    ///
    /// # Errors
    /// When the X server is gone.
    pub(super) fn wait_for_change(&self) -> Result<(), ReplyError> {
        loop {
            if let Event::PropertyNotify(event) = self.connection.wait_for_event()?
                && event.window == self.root
                && event.atom == self.atoms._NET_CLIENT_LIST
            {
                return Ok(());
            }
        }
    }

    /// Time since the last input.
    pub(super) fn idle(&self) -> Result<Duration, ReplyError> {
        let reply = self.connection.screensaver_query_info(self.root)?.reply()?;
        Ok(Duration::from_millis(u64::from(reply.ms_since_user_input)))
    }

    pub(super) fn windows_in(&self, window: Window, property: Atom) -> Result<Vec<Window>, ReplyError> {
        self.words(window, property, AtomEnum::WINDOW.into())
    }

    pub(super) fn words(&self, window: Window, property: Atom, kind: Atom) -> Result<Vec<u32>, ReplyError> {
        let reply = self.connection.get_property(false, window, property, kind, 0, WINDOWS_MAX)?.reply()?;
        Ok(reply.value32().map(Iterator::collect).unwrap_or_default())
    }
}
