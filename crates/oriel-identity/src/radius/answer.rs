//! What a server answers, and what it means for somebody who signs in.

use std::time::Duration;

use super::{
    attribute::Attribute,
    conversation::Conversation,
    error::{Dropped, RadiusError},
    mschap::{self, Proof},
    packet::{Packet, VALUE_MAX, code, kind},
};

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server lets them in.
    Accepted(Accepted),
    /// The server does not.
    Rejected(Rejected),
    /// The server asks something first.
    Challenged(Challenge),
}

/// The server lets somebody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Which server.
    pub server: String,
    /// What it says of them.
    pub attributes: Vec<Attribute>,
    /// What it says to them.
    pub message: Option<String>,
}

/// The server does not let somebody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Which server.
    pub server: String,
    /// What it says to them.
    pub message: Option<String>,
    /// Why, for the log, where MS-CHAPv2 says it.
    pub reason: Option<&'static str>,
}

/// The server asks something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// What it asks, as plain text; none if it only waits for something to be entered.
    pub prompt: Option<String>,
    /// Whether what is entered may be shown (RFC 2869, 5.10). A server that does not say so means no.
    pub is_echoed: bool,
    /// How long it waits for the answer, if it says so (RFC 2865, 5.27).
    pub answer_within: Option<Duration>,
    /// How to go on: the caller keeps it where nobody can change it.
    pub conversation: Conversation,
}

/// A signed answer.
#[derive(Debug)]
pub(super) struct Answer {
    verdict: Verdict,
    attributes: Vec<Attribute>,
    is_proved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accept,
    Reject,
    Challenge,
}

impl Answer {
    pub fn read(packet: Packet<'_>, proof: Option<&Proof>) -> Result<Self, Dropped> {
        let verdict = match packet.code() {
            code::ACCESS_ACCEPT => Verdict::Accept,
            code::ACCESS_REJECT => Verdict::Reject,
            code::ACCESS_CHALLENGE => Verdict::Challenge,
            other => return Err(Dropped::Code(other)),
        };
        let attributes: Vec<_> =
            packet.attributes().map(|(kind, value)| Attribute { kind, value: value.to_vec() }).collect();
        let is_proved = proof.is_none_or(|proof| {
            let success = attributes.iter().find_map(|one| one.of_vendor(mschap::VENDOR, mschap::SUCCESS));
            success.is_some_and(|success| proof.is_answered_by(success))
        });
        Ok(Self { verdict, attributes, is_proved })
    }

    /// Whether the server let in whoever was asked for.
    pub fn is_accept(&self) -> bool {
        self.verdict == Verdict::Accept
    }

    /// What it means for `user`, who has answered `round` questions before.
    pub fn outcome(self, server: String, user: &str, round: u8) -> Result<Outcome, RadiusError> {
        let message = message(&self.attributes);
        match self.verdict {
            Verdict::Accept if !self.is_proved => Err(RadiusError::Unproven(server)),
            Verdict::Accept => {
                Ok(Outcome::Accepted(Accepted { server, attributes: self.attributes, message }))
            }
            Verdict::Reject => {
                let error =
                    self.attributes.iter().find_map(|one| one.of_vendor(mschap::VENDOR, mschap::ERROR));
                Ok(Outcome::Rejected(Rejected { server, message, reason: error.and_then(mschap::reason) }))
            }
            Verdict::Challenge => {
                let value =
                    |wanted| self.attributes.iter().find(|one| one.kind == wanted).map(|one| &*one.value);
                let integer = |wanted| Some(u32::from_be_bytes(value(wanted)?.try_into().ok()?));
                let is_echoed = integer(kind::PROMPT) == Some(1);
                let answer_within =
                    integer(kind::SESSION_TIMEOUT).map(|secs| Duration::from_secs(secs.into()));
                let state = value(kind::STATE).map(<[u8]>::to_vec);
                let conversation = Conversation::next(server, user, round, state)?;
                Ok(Outcome::Challenged(Challenge { prompt: message, is_echoed, answer_within, conversation }))
            }
        }
    }
}

/// All Reply-Messages, each on a line of its own. One that is as long as can be is continued by the next.
/// Signs that are not for reading are left out.
fn message(attributes: &[Attribute]) -> Option<String> {
    let mut bytes = Vec::new();
    let mut is_continued = true;
    for part in attributes.iter().filter(|one| one.kind == kind::REPLY_MESSAGE) {
        if !is_continued {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(&part.value);
        is_continued = part.value.len() == VALUE_MAX;
    }
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace('\r', "\n");
    let text: String = text.chars().filter(|sign| *sign == '\n' || !sign.is_control()).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
