//! The guard of `cliprdr` where the clipboard is not to be had whole ([MS-RDPECLIP]): which way things are
//! copied, whether they are more than text, and how long they are.
//!
//! Who copies says in which formats it has something, and who pastes asks for one of them. So a side that
//! may not give anything away is made to say that it has nothing, and every question to it is answered
//! with a failure. With text only, formats are still listed, and questions for others fail.

use super::guard::{Beginning, Guard, Judgement};
use crate::connection_sequence::Party;

/// Which way things may be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Direction {
    /// Neither way: there is no clipboard.
    #[default]
    None,
    /// From the user's machine into the session.
    ToSession,
    /// Out of the session.
    FromSession,
    /// Both ways.
    Both,
}

/// What the clipboard may do. Nothing is allowed by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ClipboardPolicy {
    /// Which way.
    pub direction: Direction,
    /// Text and nothing else: no pictures, no formatting, no files.
    pub text_only: bool,
    /// The most that is pasted at once, in bytes as they are sent; text has two for most characters. Of
    /// files it bounds the pieces in which they come, not the file. `None` bounds nothing.
    pub max_bytes: Option<u32>,
}

impl ClipboardPolicy {
    /// Everything, both ways.
    pub const ALL: Self = Self { direction: Direction::Both, text_only: false, max_bytes: None };

    /// Whether there is a clipboard at all.
    pub fn is_allowed(&self) -> bool {
        self.direction != Direction::None
    }

    /// Whether this side may give something away.
    fn gives(&self, party: Party) -> bool {
        match self.direction {
            Direction::None => false,
            Direction::ToSession => party == Party::Client,
            Direction::FromSession => party == Party::Host,
            Direction::Both => true,
        }
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

/// CB_RESPONSE_FAIL of msgFlags (2.2.1)
const FAIL: u16 = 2;

/// CLIPRDR_HEADER (2.2.1), in bytes.
const HEADER_BYTES: usize = 8;

/// CF_TEXT, CF_OEMTEXT, CF_UNICODETEXT, and CF_LOCALE, the language of a text.
const TEXT_FORMATS: [u32; 4] = [1, 7, 13, 16];

#[derive(Debug)]
pub(super) struct ClipboardGuard {
    policy: ClipboardPolicy,
}

impl ClipboardGuard {
    /// None where there is nothing to look for.
    pub(super) fn new(policy: ClipboardPolicy) -> Option<Self> {
        (policy != ClipboardPolicy::ALL).then_some(Self { policy })
    }

    /// Whether an answer of this length may pass.
    fn fits(&self, message: &Beginning<'_>) -> bool {
        let length = message.total.saturating_sub(HEADER_BYTES);
        self.policy.max_bytes.is_none_or(|max| u32::try_from(length).is_ok_and(|length| length <= max))
    }
}

impl Guard for ClipboardGuard {
    fn judge(&mut self, from: Party, message: &Beginning<'_>) -> Judgement {
        let Some((header, body)) = message.bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Judgement::More;
        };
        let gives = self.policy.gives(from);
        let is_asked_of_giver = self.policy.gives(from.other());
        let pass_if = |is_allowed, otherwise| if is_allowed { Judgement::Pass } else { otherwise };
        match u16::from_le_bytes([header[0], header[1]]) {
            kind::MONITOR_READY
            | kind::FORMAT_LIST_RESPONSE
            | kind::TEMP_DIRECTORY
            | kind::CLIP_CAPS
            | kind::LOCK_CLIPDATA
            | kind::UNLOCK_CLIPDATA => Judgement::Pass,
            // The other side gets a list in any case: its clipboard begins with one.
            kind::FORMAT_LIST => pass_if(gives, Judgement::Replace(short_message(kind::FORMAT_LIST, 0, &[]))),
            kind::FORMAT_DATA_REQUEST => {
                let Some(format) = body.first_chunk() else { return Judgement::More };
                let is_text = TEXT_FORMATS.contains(&u32::from_le_bytes(*format));
                let failed = short_message(kind::FORMAT_DATA_RESPONSE, FAIL, &[]);
                let is_allowed = is_asked_of_giver && (is_text || !self.policy.text_only);
                pass_if(is_allowed, Judgement::Answer(failed))
            }
            kind::FORMAT_DATA_RESPONSE => {
                let failed = short_message(kind::FORMAT_DATA_RESPONSE, FAIL, &[]);
                pass_if(gives && self.fits(message), Judgement::Replace(failed))
            }
            // Which of several questions is answered is said by the streamId in front.
            kind::FILECONTENTS_REQUEST => {
                let Some(stream) = body.first_chunk::<4>() else { return Judgement::More };
                let failed = short_message(kind::FILECONTENTS_RESPONSE, FAIL, stream);
                pass_if(is_asked_of_giver && !self.policy.text_only, Judgement::Answer(failed))
            }
            kind::FILECONTENTS_RESPONSE => {
                let Some(stream) = body.first_chunk::<4>() else { return Judgement::More };
                let failed = short_message(kind::FILECONTENTS_RESPONSE, FAIL, stream);
                let is_allowed = gives && !self.policy.text_only && self.fits(message);
                pass_if(is_allowed, Judgement::Replace(failed))
            }
            _ => Judgement::Drop,
        }
    }
}

fn short_message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    // Nothing or a streamId.
    let length: u32 = if body.is_empty() { 0 } else { 4 };
    [&kind.to_le_bytes()[..], &flags.to_le_bytes(), &length.to_le_bytes(), body].concat()
}

#[cfg(test)]
mod tests;
