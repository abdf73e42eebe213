//! Which static virtual channels a connection may use, and keeping the others silent.
//!
//! A client lists the channels it wants in its Connect-Initial, and the host gives each an id by its
//! place in the list. A forbidden channel therefore keeps its place: its name becomes a meaningless one
//! that no program on the host listens to, and its options become zero. The client still joins it and
//! believes in it; [`ChannelFilter`] drops what either side sends on it.
//!
//! Of three allowed channels the filter also looks at what is inside, by a guard for each: at the channels that
//! are opened within `drdynvc`, and at the clipboard and at the devices of `rdpdr` where they are not to be had
//! whole. Everything else passes as it is.
//!
//! Windows says nothing on `rdpdr` where a client has not asked for `rdpsnd` as well, nor the other way round
//! ([MS-RDPEFS] and [MS-RDPEA], appendix A). So where one of the two is allowed the other keeps its name, too,
//! and is forbidden all the same.

mod clipboard;
mod devices;
mod dynamic;
mod guard;
#[cfg(test)]
mod testing;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use self::clipboard::ClipboardGuard;
pub use self::clipboard::{ClipboardPolicy, Kinds};
use self::devices::DeviceGuard;
use self::dynamic::DynamicGuard;
use self::guard::{Guard, Guarded};
use crate::connection_sequence::Party;
use crate::deactivation;
use crate::mcs::{self, Carried};

/// Start of the names that replace forbidden ones; never allowed as a client's own.
const PLACEHOLDER: &str = "void";

/// Which way something may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Direction {
    /// Neither way.
    #[default]
    None,
    /// From the user's machine into the session.
    ToSession,
    /// Out of the session.
    FromSession,
    /// Both ways.
    Both,
}

impl Direction {
    /// Whether this side may give something away.
    fn gives(self, party: Party) -> bool {
        match self {
            Self::None => false,
            Self::ToSession => party == Party::Client,
            Self::FromSession => party == Party::Host,
            Self::Both => true,
        }
    }
}

/// What the connection may do beyond picture and input. Nothing is allowed by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelPolicy {
    /// Copy and paste: `cliprdr` ([MS-RDPECLIP]).
    pub clipboard: ClipboardPolicy,
    /// Local drives, and which way files pass on them: `rdpdr` ([MS-RDPEFS]).
    pub drives: Direction,
    /// Local printers: `rdpdr` ([MS-RDPEPC]).
    pub printers: bool,
    /// Local smart cards: `rdpdr` ([MS-RDPESC]).
    pub smart_cards: bool,
    /// Local serial and parallel ports: `rdpdr` ([MS-RDPESP]).
    pub ports: bool,
    /// Sound from the host: `rdpsnd`, `snddbg` and some dynamic channels ([MS-RDPEA]).
    pub audio: bool,
    /// Sound to the host, a dynamic channel ([MS-RDPEAI]).
    pub microphone: bool,
    /// Dynamic channels: `drdynvc` ([MS-RDPEDYC]). Resizing, touch and the newer pictures need it. Which of
    /// them, see [`ChannelPolicy::allows_dynamic`].
    pub dynamic: bool,
    /// The host's windows as the client's own, and programs of the client's choice: `rail`
    /// ([MS-RDPERP]). Never together with a start program that the user must not leave.
    pub remote_app: bool,
    /// Shadowing and assistance: `encomsp`, `remdesk` ([MS-RDPEMC], [MS-RA]).
    pub assistance: bool,
    /// Further channels by name, static or dynamic, for instance those of a third-party printing product. The
    /// case of letters does not matter.
    pub others: Vec<String>,
}

impl ChannelPolicy {
    /// Whether a client may have the static channel of this name. A name that is not known is allowed
    /// only if it stands in `others`. `MS_T120`, the host's own, never is.
    pub fn allows(&self, name: &ChannelName) -> bool {
        let name = name.as_str();
        match name.to_ascii_lowercase().as_str() {
            "ms_t120" | "" => false,
            reserved if reserved.starts_with(PLACEHOLDER) => false,
            "cliprdr" => self.clipboard.is_allowed(),
            "rdpdr" => self.has_devices(),
            "rdpsnd" | "snddbg" => self.audio,
            "drdynvc" => self.dynamic,
            "rail" | "rail_ri" | "rail_wi" => self.remote_app,
            "encomsp" | "remdesk" => self.assistance,
            _ => self.others.iter().any(|other| other.eq_ignore_ascii_case(name)),
        }
    }

    /// Whether a forbidden channel of this name keeps it, so that a host speaks on its allowed twin.
    pub(crate) fn leaves_name(&self, name: &ChannelName) -> bool {
        match name.as_str().to_ascii_lowercase().as_str() {
            "rdpsnd" => self.has_devices(),
            "rdpdr" => self.audio,
            _ => false,
        }
    }

    fn has_devices(&self) -> bool {
        self.drives != Direction::None || self.printers || self.smart_cards || self.ports
    }

    /// What looks into an allowed channel of this name; none: it passes as it is.
    fn guard(&self, name: &ChannelName) -> Option<Box<dyn Guard>> {
        match name.as_str().to_ascii_lowercase().as_str() {
            "drdynvc" => Some(Box::new(DynamicGuard::new(self))),
            "cliprdr" => ClipboardGuard::new(self.clipboard).map(|guard| Box::new(guard) as Box<dyn Guard>),
            "rdpdr" => DeviceGuard::new(self).map(|guard| Box::new(guard) as Box<dyn Guard>),
            _ => None,
        }
    }

    /// Whether what passes on this channel has to be readable here.
    pub(crate) fn looks_into(&self, name: &ChannelName) -> bool {
        self.guard(name).is_some()
    }
}

/// The name of a static channel: at most seven characters up to the first zero (2.2.1.3.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelName(String);

impl ChannelName {
    /// From a field on the wire. Bytes above 127 are taken as Latin-1. A host may read an unterminated
    /// name to its eighth byte or to its seventh; all eight are kept, so that such a name is unknown.
    pub(crate) fn from_wire(field: &[u8]) -> Self {
        Self(field.iter().take_while(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect())
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The field that replaces the forbidden name in the given place of the list: different in every
    /// place, since hosts dislike names that come twice.
    pub(crate) fn placeholder(position: usize) -> [u8; 8] {
        let mut field = [0; 8];
        let name = format!("{PLACEHOLDER}{position:02}");
        for (byte, character) in field.iter_mut().zip(name.bytes().take(7)) {
            *byte = character;
        }
        field
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_debug())
    }
}

/// One static channel of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// As the client called it.
    pub name: ChannelName,
    /// As the host numbered it; zero where the host has not.
    pub id: u16,
    /// Whether the policy lets it through.
    pub allowed: bool,
}

/// Decides for each message after the connection sequence whether it may pass, in either direction.
#[derive(Debug)]
pub struct ChannelFilter {
    channels: Vec<Channel>,
    /// The ids of forbidden channels; looked through for each slow-path message, so kept dense.
    forbidden: Vec<u16>,
    /// The same of channels with a guard.
    guarded: Vec<u16>,
    /// Both directions come here, and what they do is short.
    guards: Mutex<Vec<Guarded>>,
    io_channel: u16,
}

/// What the caller does with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Passes it on.
    Pass,
    /// Drops it.
    Drop,
    /// Drops it and sends these.
    Instead {
        /// In its place, to where it was going.
        onward: Vec<Bytes>,
        /// To where it came from, as an answer of the other side.
        back: Option<Bytes>,
    },
}

impl ChannelFilter {
    /// Of a connection without virtual channels.
    pub fn without_channels() -> Self {
        Self::new(Vec::new(), 1003, &ChannelPolicy::default())
    }

    pub(crate) fn new(channels: Vec<Channel>, io_channel: u16, policy: &ChannelPolicy) -> Self {
        let virtual_ones = || channels.iter().filter(|channel| channel.id != io_channel);
        let forbidden = virtual_ones().filter(|channel| !channel.allowed).map(|channel| channel.id).collect();
        let guards: Vec<_> = virtual_ones()
            .filter(|channel| channel.allowed)
            .filter_map(|channel| Some(Guarded::new(channel.id, policy.guard(&channel.name)?)))
            .collect();
        let guarded = guards.iter().map(Guarded::id).collect();
        Self { channels, forbidden, guarded, guards: Mutex::new(guards), io_channel }
    }

    /// Decides about a whole message from either side. Looks at twelve bytes, unless its channel has a
    /// guard.
    ///
    /// Data on a forbidden channel does not pass, nor a packet in a form that no RDP program uses, in
    /// which such data could hide. A guard may keep a message until more of it has come. What the host sends
    /// too short for its clients is completed.
    pub fn judge(&self, from: Party, frame: &Bytes) -> Verdict {
        match mcs::carried(frame) {
            Carried::NoChannel => Verdict::Pass,
            Carried::Channel(id) if self.forbidden.contains(&id) => Verdict::Drop,
            Carried::Channel(id) if self.guarded.contains(&id) => {
                let mut guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
                let guarded = guards.iter_mut().find(|guarded| guarded.id() == id);
                guarded.map_or(Verdict::Drop, |guarded| guarded.packet(from, frame))
            }
            Carried::Channel(id) if id == self.io_channel && from == Party::Host => {
                match deactivation::completed(frame, id) {
                    Some(whole) => Verdict::Instead { onward: vec![whole], back: None },
                    None => Verdict::Pass,
                }
            }
            Carried::Channel(_) => Verdict::Pass,
            Carried::Disguised => Verdict::Drop,
        }
    }

    /// The channels that the client asked for, in its order.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The channel of everything that is not a virtual channel: 1003 on every known host.
    pub fn io_channel(&self) -> u16 {
        self.io_channel
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gcc::MAX_CHANNELS;

    fn name(name: &str) -> ChannelName {
        ChannelName::from_wire(name.as_bytes())
    }

    #[test]
    fn each_right_opens_its_channels_only() {
        const KNOWN: [&str; 10] = [
            "cliprdr", "rdpdr", "rdpsnd", "snddbg", "drdynvc", "rail", "rail_wi", "encomsp", "remdesk",
            "acme",
        ];
        let check = |policy: ChannelPolicy, expected: &[&str]| {
            let allowed: Vec<_> = KNOWN.into_iter().filter(|known| policy.allows(&name(known))).collect();
            assert_eq!(allowed, expected, "{policy:?}");
        };
        check(ChannelPolicy::default(), &[]);
        check(ChannelPolicy { clipboard: ClipboardPolicy::ALL, ..Default::default() }, &["cliprdr"]);
        for drives in [Direction::ToSession, Direction::FromSession, Direction::Both] {
            check(ChannelPolicy { drives, ..Default::default() }, &["rdpdr"]);
        }
        check(ChannelPolicy { printers: true, ..Default::default() }, &["rdpdr"]);
        check(ChannelPolicy { smart_cards: true, ..Default::default() }, &["rdpdr"]);
        check(ChannelPolicy { ports: true, ..Default::default() }, &["rdpdr"]);
        check(ChannelPolicy { audio: true, ..Default::default() }, &["rdpsnd", "snddbg"]);
        check(ChannelPolicy { microphone: true, ..Default::default() }, &[]);
        check(ChannelPolicy { dynamic: true, ..Default::default() }, &["drdynvc"]);
        check(ChannelPolicy { remote_app: true, ..Default::default() }, &["rail", "rail_wi"]);
        check(ChannelPolicy { assistance: true, ..Default::default() }, &["encomsp", "remdesk"]);
        check(ChannelPolicy { others: vec!["ACME".into()], ..Default::default() }, &["acme"]);
    }

    #[test]
    fn tricks_with_names_do_not_help() {
        let policy = ChannelPolicy {
            others: vec!["MS_T120".into(), "void07".into(), String::new()],
            ..Default::default()
        };
        for trick in ["MS_T120", "ms_t120", "CLIPRDR", "cliprdr\0x", "cliprdrx", "void07", "", "\0cliprd"] {
            assert!(!policy.allows(&name(trick)), "{trick:?}");
        }
        let clipboard = ChannelPolicy { clipboard: ClipboardPolicy::ALL, ..Default::default() };
        assert!(clipboard.allows(&name("CLIPRDR\0")));
        assert!(!clipboard.allows(&name("cliprdrx")));
    }

    #[test]
    fn devices_and_sound_leave_each_other_their_names() {
        let left = |policy: ChannelPolicy| {
            ["rdpdr", "RDPSND", "snddbg", "cliprdr", "rail"].map(|known| policy.leaves_name(&name(known)))
        };
        assert_eq!(left(ChannelPolicy::default()), [false; 5]);
        let printers = ChannelPolicy { printers: true, ..Default::default() };
        assert_eq!(left(printers), [false, true, false, false, false]);
        let audio = ChannelPolicy { audio: true, ..Default::default() };
        assert_eq!(left(audio), [true, false, false, false, false]);
    }

    #[test]
    fn placeholders_are_unique_and_terminated() {
        let mut seen: Vec<_> = (0..MAX_CHANNELS).map(ChannelName::placeholder).collect();
        assert!(seen.iter().all(|field| field[7] == 0));
        seen.dedup();
        assert_eq!(seen.len(), MAX_CHANNELS);
    }

    #[test]
    fn the_filter_drops_forbidden_channels_both_ways() {
        let channel = |name: &str, id, allowed| Channel { name: self::name(name), id, allowed };
        let filter = ChannelFilter::new(
            vec![
                channel("cliprdr", 1004, false),
                channel("rdpsnd", 1005, true),
                channel("rdpdr", 1006, false),
                channel("odd", 1003, false),
            ],
            1003,
            &ChannelPolicy::default(),
        );
        let allows = |frame: &[u8]| {
            let frame = Bytes::copy_from_slice(frame);
            let verdicts = [Party::Client, Party::Host].map(|from| filter.judge(from, &frame));
            assert_eq!(verdicts[0], verdicts[1]);
            assert!(matches!(verdicts[0], Verdict::Pass | Verdict::Drop));
            verdicts[0] == Verdict::Pass
        };
        let frame = |choice: u8, id: u16| {
            let [high, low] = id.to_be_bytes();
            [3, 0, 0, 15, 2, 0xf0, 0x80, choice, 0, 7, high, low, 0x70, 1, 9]
        };
        for (choice, ours) in
            [(0x64, true), (0x67, true), (0x68, true), (0x6c, true), (0x70, true), (0x38, false)]
        {
            assert_eq!(allows(&frame(choice, 1004)), !ours, "{choice:#x}");
            assert_eq!(allows(&frame(choice, 1006)), !ours);
            assert!(allows(&frame(choice, 1005)));
            assert!(allows(&frame(choice, 1003)));
        }
        // Fast-path passes; a fragment or a stretched header, which could hide a channel, does not.
        assert!(allows(&[0x04, 3, 1]));
        assert!(!allows(&[3, 0, 0, 8, 2, 0xf0, 0x00, 0x64]));
        assert!(!allows(&[3, 0, 0, 16, 3, 0xf0, 0x80, 0, 0x64, 0, 7, 3, 0xec, 0x70, 1, 9]));
        assert!(!allows(&[3, 0, 0, 8, 2, 0xf0, 0x80, 0x64]));
    }
}
