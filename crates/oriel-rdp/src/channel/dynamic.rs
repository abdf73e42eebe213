//! The guard of `drdynvc`, inside which further channels are opened by name ([MS-RDPEDYC]). The host opens
//! them, and the guard answers in the client's place for those that the policy forbids; the client hears
//! nothing of them. On a channel that is not open neither side is heard.

use super::ChannelPolicy;
use super::guard::{Beginning, Guard, Judgement};
use crate::connection_sequence::Party;

/// Dynamic channels open at a time. Windows opens about ten.
const OPEN_MAX: usize = 64;

/// CreationStatus of a refusal: what Microsoft's client says of a channel that it does not know.
const NO_LISTENER: u32 = 0xc000_0001;

/// Commands (2.2), the upper half of a message's first byte.
mod command {
    pub(super) const CREATE: u8 = 1;
    pub(super) const DATA_FIRST: u8 = 2;
    pub(super) const DATA: u8 = 3;
    pub(super) const CLOSE: u8 = 4;
    pub(super) const CAPABILITIES: u8 = 5;
    pub(super) const DATA_FIRST_COMPRESSED: u8 = 6;
    pub(super) const DATA_COMPRESSED: u8 = 7;
}

impl ChannelPolicy {
    /// Whether a host may open a dynamic channel of this name: picture, pointer, input and the window's
    /// size always; what redirects something as the same thing on a static channel. Names that are not
    /// known, among them those of cameras, USB devices and locations, only if they stand in `others`.
    pub fn allows_dynamic(&self, name: &str) -> bool {
        let rest = name.strip_prefix("Microsoft::Windows::RDS::");
        match (rest, name) {
            // [MS-RDPEDISP], [MS-RDPEGFX], [MS-RDPEI], [MS-RDPECI], [MS-RDPEMSC]
            (Some("DisplayControl" | "Graphics" | "Input" | "CoreInput" | "MouseCursor"), _) => true,
            // [MS-RDPEGT] and [MS-RDPEVOR], which is pictures without sound.
            (Some("Geometry::v08.01" | "Video::Control::v08.01" | "Video::Data::v08.01"), _) => true,
            // Of FreeRDP; [MS-RDPEECO], which measures the way.
            (_, "FreeRDP::Advanced::Input" | "ECHO") => true,
            // [MS-RDPEA]; [MS-RDPEV], films with their sound.
            (_, "AUDIO_PLAYBACK_DVC" | "AUDIO_PLAYBACK_LOSSY_DVC" | "TSMF") => self.audio,
            // [MS-RDPEAI]
            (_, "AUDIO_INPUT") => self.microphone,
            _ => self.others.iter().any(|other| other.eq_ignore_ascii_case(name)),
        }
    }
}

#[derive(Debug)]
pub(super) struct DynamicGuard {
    policy: ChannelPolicy,
    /// Ids of the channels that the host has opened and the client has neither refused nor closed.
    open: Vec<u32>,
}

impl DynamicGuard {
    pub(super) fn new(policy: &ChannelPolicy) -> Self {
        Self { policy: policy.clone(), open: Vec::new() }
    }

    /// DYNVC_CREATE_REQ (2.2.2.1). A host may use an id again when its channel has ended.
    fn create(&mut self, id: u32, head: &[u8], name: &[u8]) -> Judgement {
        self.open.retain(|open| *open != id);
        let name: String = name.iter().take_while(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect();
        if self.policy.allows_dynamic(&name) && self.open.len() < OPEN_MAX {
            self.open.push(id);
            return Judgement::Pass;
        }
        // DYNVC_CREATE_RSP (2.2.2.2): the id in the same form, without the priority, and the status.
        let first = head[0] & 0b11 | command::CREATE << 4;
        Judgement::Answer([&[first], &head[1..], &NO_LISTENER.to_le_bytes()].concat())
    }

    /// DYNVC_CREATE_RSP (2.2.2.2); a negative status is a refusal.
    fn created(&mut self, id: u32, status: &[u8]) -> Judgement {
        let Some(status) = status.first_chunk() else { return Judgement::More };
        if i32::from_le_bytes(*status) < 0 {
            self.open.retain(|open| *open != id);
        }
        Judgement::Pass
    }
}

impl Guard for DynamicGuard {
    fn judge(&mut self, from: Party, message: &Beginning<'_>) -> Judgement {
        let Some(&first) = message.bytes.first() else { return Judgement::More };
        let command = first >> 4;
        match command {
            command::CAPABILITIES => return Judgement::Pass,
            command::CREATE
            | command::DATA_FIRST
            | command::DATA
            | command::CLOSE
            | command::DATA_FIRST_COMPRESSED
            | command::DATA_COMPRESSED => {}
            // Above all Soft-Sync (2.2.5), which moves channels to transports that the gateway does not carry.
            _ => return Judgement::Drop,
        }
        // cbId: the id has one, two or four bytes.
        let head_length = match first & 0b11 {
            0 => 2,
            1 => 3,
            2 => 5,
            _ => return Judgement::Drop,
        };
        let Some((head, rest)) = message.bytes.split_at_checked(head_length) else { return Judgement::More };
        let id = head[1..].iter().rev().fold(0, |id, &byte| id << 8 | u32::from(byte));
        match (from, command) {
            (Party::Host, command::CREATE) if !message.is_whole() => Judgement::More,
            (Party::Host, command::CREATE) => self.create(id, head, rest),
            _ if !self.open.contains(&id) => Judgement::Drop,
            (Party::Client, command::CREATE) => self.created(id, rest),
            (Party::Client, command::CLOSE) => {
                // The last word in either case: a host's close is answered by the client's.
                self.open.retain(|open| *open != id);
                Judgement::Pass
            }
            _ => Judgement::Pass,
        }
    }
}

#[cfg(test)]
mod tests;
