//! The guard of `cliprdr` where the clipboard is not to be had whole ([MS-RDPECLIP]): which way things are
//! copied, of which kinds they are, and how long.
//!
//! Who copies says in which formats it has something, and who pastes asks for one of them. The guard takes
//! forbidden formats out of the list, so that the other side never hears of them, and keeps the numbers of
//! those that are left: a question for any other is answered with a failure and does not arrive. A side that
//! may not give anything away is made to say that it has nothing. An answer passes only to a question that
//! arrived.
//!
//! Limits to know: what stands in a format is the giver's word. Nobody can tell from outside whether a text
//! is one.

mod files;
mod formats;

use self::files::Files;
pub use self::formats::Kinds;
use self::formats::Names;
use super::Direction;
use super::guard::{Beginning, Guard, Judgement};
use crate::connection_sequence::Party;

/// What the clipboard may do. Nothing is allowed by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ClipboardPolicy {
    /// Which way.
    pub direction: Direction,
    /// What.
    pub kinds: Kinds,
    /// The most that one content may have, in bytes as they are sent; text has two for most characters. It
    /// holds for each format of a content, for a list of files, and for all its files together. `None`
    /// bounds nothing.
    pub max_bytes: Option<u64>,
}

impl ClipboardPolicy {
    /// Everything, both ways.
    pub const ALL: Self = Self { direction: Direction::Both, kinds: Kinds::ALL, max_bytes: None };

    /// Whether there is a clipboard at all.
    pub fn is_allowed(&self) -> bool {
        self.direction != Direction::None && self.kinds != Kinds::default()
    }
}

/// msgType (2.2.1)
mod kind {
    pub(super) const MONITOR_READY: u16 = 1;
    pub(super) const FORMAT_LIST: u16 = 2;
    pub(super) const FORMAT_LIST_RESPONSE: u16 = 3;
    pub(super) const FORMAT_DATA_REQUEST: u16 = 4;
    pub(super) const FORMAT_DATA_RESPONSE: u16 = 5;
    pub(super) const TEMP_DIRECTORY: u16 = 6;
    pub(super) const CLIP_CAPS: u16 = 7;
    pub(super) const FILECONTENTS_REQUEST: u16 = 8;
    pub(super) const FILECONTENTS_RESPONSE: u16 = 9;
    pub(super) const LOCK_CLIPDATA: u16 = 10;
    pub(super) const UNLOCK_CLIPDATA: u16 = 11;
}

/// Bits of msgFlags (2.2.1): CB_RESPONSE_FAIL, CB_ASCII_NAMES
const FAIL: u16 = 2;
const ASCII_NAMES: u16 = 4;

/// CB_USE_LONG_FORMAT_NAMES (2.2.2.1.1.1)
const USE_LONG_FORMAT_NAMES: u32 = 2;

/// CLIPRDR_HEADER (2.2.1), in bytes.
const HEADER_BYTES: usize = 8;

/// Zeros that some programs send behind a message, and do not count.
const PADDING_MAX: usize = 4;

/// The longest list of formats that is looked at. Those of Office programs have about 2 KiB.
const LIST_BYTES_MAX: usize = 12 * 1024;

/// Questions for data that are counted. Programs ask one after the other.
const AWAITED_MAX: u8 = 16;

#[derive(Debug)]
pub(super) struct ClipboardGuard {
    policy: ClipboardPolicy,
    names: Agreement,
    client: Giver,
    host: Giver,
}

/// Whether lists have long names of formats: if both sides take them. Each side says so once, the host before
/// it is ready; if it is ready again, as Windows' is when somebody logs on, both begin anew. Said at another
/// time it does not pass, so that nobody reads a list otherwise than the guard does.
#[derive(Debug, Default)]
struct Agreement {
    /// What the host says before it is ready.
    announced: Option<bool>,
    host: bool,
    client: Option<bool>,
}

impl Agreement {
    fn is_long(&self) -> bool {
        self.host && self.client == Some(true)
    }

    fn begin(&mut self) {
        *self = Self { announced: None, host: self.announced.unwrap_or(false), client: None };
    }

    /// False if that side has said it already.
    fn say(&mut self, from: Party, takes_long_names: bool) -> bool {
        let said = match from {
            Party::Client => &mut self.client,
            Party::Host => &mut self.announced,
        };
        said.replace(takes_long_names).is_none()
    }
}

/// What is known of the side that copies.
#[derive(Debug, Default)]
struct Giver {
    /// The formats that the other side has heard of.
    listed: Vec<u32>,
    /// Questions for data that it has not answered.
    awaited: u8,
    files: Files,
}

/// The header of a message, and what follows it.
struct Message<'a> {
    kind: u16,
    flags: u16,
    /// As the header has it.
    length: usize,
    /// What is there of the content.
    content: &'a [u8],
    /// Whether all of it is there.
    is_whole: bool,
}

impl<'a> Message<'a> {
    /// None: more is wanted. A message that is not as long as it says is `Err`.
    fn read(beginning: &Beginning<'a>) -> Option<Result<Self, ()>> {
        let (header, rest) = beginning.bytes.split_first_chunk::<HEADER_BYTES>()?;
        let [kind_low, kind_high, flags_low, flags_high, length @ ..] = *header;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        let sent = beginning.total.saturating_sub(HEADER_BYTES);
        if !(length..=length.saturating_add(PADDING_MAX)).contains(&sent) {
            return Some(Err(()));
        }
        Some(Ok(Self {
            kind: u16::from_le_bytes([kind_low, kind_high]),
            flags: u16::from_le_bytes([flags_low, flags_high]),
            length,
            content: &rest[..rest.len().min(length)],
            is_whole: beginning.is_whole(),
        }))
    }

    /// The number at the beginning.
    fn number(&self) -> Option<u32> {
        self.content.first_chunk().map(|number| u32::from_le_bytes(*number))
    }
}

impl ClipboardGuard {
    /// None where there is nothing to look for.
    pub(super) fn new(policy: ClipboardPolicy) -> Option<Self> {
        (policy != ClipboardPolicy::ALL).then_some(Self {
            policy,
            names: Agreement::default(),
            client: Giver::default(),
            host: Giver::default(),
        })
    }

    fn giver(&mut self, party: Party) -> &mut Giver {
        match party {
            Party::Client => &mut self.client,
            Party::Host => &mut self.host,
        }
    }

    /// Clipboard Capabilities (2.2.2.1).
    fn capabilities(&mut self, from: Party, message: &Message<'_>) -> Judgement {
        if !message.is_whole {
            return Judgement::More;
        }
        // One set is defined (2.2.2.1.1.1): count, padding; type, length, version, flags. Of two, nobody knows
        // which the other side reads.
        let takes_long_names = match message.content {
            [0, 0, _, _] => false,
            [1, 0, _, _, 1, 0, 12, 0, _, _, _, _, flags @ ..] => {
                let Ok(flags) = flags.try_into() else { return Judgement::Drop };
                u32::from_le_bytes(flags) & USE_LONG_FORMAT_NAMES != 0
            }
            _ => return Judgement::Drop,
        };
        if self.names.say(from, takes_long_names) { Judgement::Pass } else { Judgement::Drop }
    }

    fn list(&mut self, from: Party, message: &Message<'_>) -> Judgement {
        let kinds = self.policy.kinds;
        if !self.policy.direction.gives(from) || message.length > LIST_BYTES_MAX {
            let giver = self.giver(from);
            giver.listed.clear();
            giver.files.renew();
            // The other side gets a list in any case: its clipboard begins with one.
            return Judgement::Replace(answer(kind::FORMAT_LIST, 0, &[]));
        }
        if !message.is_whole {
            return Judgement::More;
        }
        let names = if self.names.is_long() {
            Names::Long
        } else if message.flags & ASCII_NAMES != 0 {
            Names::ShortAscii
        } else {
            Names::Short
        };
        let filtered = formats::filter(message.content, names, kinds);
        let giver = self.giver(from);
        giver.files.renew();
        giver.listed = filtered.ids;
        if filtered.body == message.content {
            return Judgement::Pass;
        }
        Judgement::Replace(answer(kind::FORMAT_LIST, message.flags, &filtered.body))
    }

    fn data_request(&mut self, from: Party, message: &Message<'_>) -> Judgement {
        let Some(format) = message.number() else { return Judgement::More };
        let gives = self.policy.direction.gives(from.other());
        let giver = self.giver(from.other());
        if !gives || !giver.listed.contains(&format) {
            return Judgement::Answer(answer(kind::FORMAT_DATA_RESPONSE, FAIL, &[]));
        }
        giver.awaited = (giver.awaited + 1).min(AWAITED_MAX);
        Judgement::Pass
    }

    fn data_response(&mut self, from: Party, message: &Message<'_>) -> Judgement {
        let max = self.policy.max_bytes;
        let giver = self.giver(from);
        let Some(awaited) = giver.awaited.checked_sub(1) else { return Judgement::Drop };
        giver.awaited = awaited;
        if max.is_some_and(|max| message.length as u64 > max) {
            return Judgement::Replace(answer(kind::FORMAT_DATA_RESPONSE, FAIL, &[]));
        }
        Judgement::Pass
    }

    fn file_request(&mut self, from: Party, message: &Message<'_>) -> Judgement {
        if !message.is_whole {
            return Judgement::More;
        }
        // Which of several questions is answered is said by the number in front.
        let Some(stream) = message.content.first_chunk::<4>() else { return Judgement::Drop };
        let may = self.policy.direction.gives(from.other()) && self.policy.kinds.files;
        if may && self.giver(from.other()).files.ask(message.content) {
            return Judgement::Pass;
        }
        Judgement::Answer(answer(kind::FILECONTENTS_RESPONSE, FAIL, stream))
    }

    fn file_response(&mut self, from: Party, message: &Message<'_>) -> Judgement {
        let max = self.policy.max_bytes;
        let Some((stream, data)) = message.content.split_first_chunk::<4>() else { return Judgement::More };
        let length = message.length.saturating_sub(stream.len()) as u64;
        let number = u32::from_le_bytes(*stream);
        let files = &mut self.giver(from).files;
        if !files.is_awaited(number) {
            return Judgement::Drop;
        }
        match files.answer(number, length, data, max) {
            None => Judgement::More,
            Some(true) => Judgement::Pass,
            Some(false) => Judgement::Replace(answer(kind::FILECONTENTS_RESPONSE, FAIL, stream)),
        }
    }
}

impl Guard for ClipboardGuard {
    fn beginning_max(&self) -> usize {
        HEADER_BYTES + LIST_BYTES_MAX + PADDING_MAX
    }

    fn judge(&mut self, from: Party, message: &Beginning<'_>) -> Judgement {
        let message = match Message::read(message) {
            None => return Judgement::More,
            Some(Err(())) => return Judgement::Drop,
            Some(Ok(message)) => message,
        };
        match message.kind {
            kind::MONITOR_READY if from == Party::Host => {
                self.names.begin();
                Judgement::Pass
            }
            kind::FORMAT_LIST_RESPONSE
            | kind::TEMP_DIRECTORY
            | kind::LOCK_CLIPDATA
            | kind::UNLOCK_CLIPDATA => Judgement::Pass,
            kind::CLIP_CAPS => self.capabilities(from, &message),
            kind::FORMAT_LIST => self.list(from, &message),
            kind::FORMAT_DATA_REQUEST => self.data_request(from, &message),
            kind::FORMAT_DATA_RESPONSE => self.data_response(from, &message),
            kind::FILECONTENTS_REQUEST => self.file_request(from, &message),
            kind::FILECONTENTS_RESPONSE => self.file_response(from, &message),
            _ => Judgement::Drop,
        }
    }
}

fn answer(kind: u16, flags: u16, content: &[u8]) -> Vec<u8> {
    // At most a list of formats.
    let length = u32::try_from(content.len()).unwrap_or(0);
    [&kind.to_le_bytes()[..], &flags.to_le_bytes(), &length.to_le_bytes(), content].concat()
}

#[cfg(test)]
mod tests;
