//! How much of the network a session takes, as a client tells the host: the kind of its network in the core
//! data (2.2.1.3.2), and what the host leaves out to save it in the Client Info (2.2.1.11.1.1.1).

/// What is said in a client's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// No wallpaper, no effects, no themes.
    Slow,
    /// Everything.
    Fast,
}

/// PERF_DISABLE_WALLPAPER, PERF_DISABLE_FULLWINDOWDRAG, PERF_DISABLE_MENUANIMATIONS, PERF_DISABLE_THEMING,
/// PERF_DISABLE_CURSOR_SHADOW, PERF_DISABLE_CURSORSETTINGS
const WITHOUT: u32 = 0x01 | 0x02 | 0x04 | 0x08 | 0x20 | 0x40;
/// PERF_ENABLE_FONT_SMOOTHING, PERF_ENABLE_DESKTOP_COMPOSITION
const WITH: u32 = 0x80 | 0x100;

impl Quality {
    /// connectionType: CONNECTION_TYPE_LAN, or the client's own. A slow one is not said in its place: xrdp sends
    /// RemoteFX to CONNECTION_TYPE_LAN only, and plain bitmaps, which take far more of the network, to all others.
    pub(crate) fn connection_type(self) -> Option<u8> {
        match self {
            Self::Slow => None,
            Self::Fast => Some(6),
        }
    }

    /// performanceFlags; flags that are not known stay the client's.
    pub(crate) fn performance_flags(self, client: u32) -> u32 {
        let known = match self {
            Self::Slow => WITHOUT,
            Self::Fast => WITH,
        };
        client & !(WITHOUT | WITH) | known
    }
}
