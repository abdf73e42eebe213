//! Messages between administrators who are signed in. Each waits, in memory, until its reader puts it away or
//! their sign-in ends.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use oriel_model::{Id, Timestamp};
use oriel_store::SignIn;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Caller, Source};
use crate::{Broker, hosts::lock};

/// Messages that wait for one sign-in at most; the oldest goes.
const WAITING_MAX: usize = 50;
/// Longest message, in characters.
pub const TEXT_MAX: usize = 1_000;

/// A message from one administrator to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ColleagueMessage")]
pub struct Message {
    /// Its id.
    pub id: Id<Value>,
    /// Who wrote it, as the change log names them: `user anna`.
    pub from: String,
    /// The sign-in to answer to; none where a token wrote it.
    pub session: Option<Id<SignIn>>,
    /// What it says.
    pub text: String,
    /// When it was written.
    pub at: Timestamp,
}

/// Messages that wait for their readers.
#[derive(Debug, Default)]
pub struct Messages(Mutex<HashMap<Id<SignIn>, VecDeque<Message>>>);

impl Messages {
    /// Those that wait for a sign-in, the oldest first.
    pub fn of(&self, reader: Id<SignIn>) -> Vec<Message> {
        lock(&self.0).get(&reader).map(|waiting| waiting.iter().cloned().collect()).unwrap_or_default()
    }

    /// All that wait, each with its reader.
    pub fn all(&self) -> Vec<(Id<SignIn>, Message)> {
        let all = lock(&self.0);
        all.iter().flat_map(|(reader, waiting)| waiting.iter().map(|one| (*reader, one.clone()))).collect()
    }

    /// Puts one away; whether it waited.
    pub fn read(&self, reader: Id<SignIn>, message: Id<Value>) -> bool {
        let mut all = lock(&self.0);
        let Some(waiting) = all.get_mut(&reader) else { return false };
        let before = waiting.len();
        waiting.retain(|one| one.id != message);
        waiting.len() < before
    }
}

impl Broker {
    /// Answers a message that waits for the caller, whoever wrote it; for how many sign-ins, none: there is no
    /// such message, or a token wrote it, which reads nothing.
    pub fn answer_message(&self, by: &Caller, message: Id<Value>, text: &str) -> Option<usize> {
        let waiting = self.messages.of(own_session(by)?);
        let writer = waiting.into_iter().find(|one| one.id == message)?.session?;
        Some(self.leave_message(by, text, |reader| reader == writer))
    }

    /// Leaves a message for these sign-ins; for how many.
    pub fn leave_message(&self, by: &Caller, text: &str, to: impl Fn(Id<SignIn>) -> bool) -> usize {
        let now = self.now();
        let session = own_session(by);
        let here: Vec<_> = self.present().into_iter().map(|one| one.id).collect();
        let mut all = lock(&self.messages.0);
        // Whoever has left reads nothing any more.
        all.retain(|reader, _| here.contains(reader));
        let readers: Vec<_> = here.into_iter().filter(|reader| to(*reader)).collect();
        for reader in &readers {
            let waiting = all.entry(*reader).or_default();
            if waiting.len() >= WAITING_MAX {
                waiting.pop_front();
            }
            let (id, from, text) = (Id::generate(now), by.name().to_owned(), text.to_owned());
            waiting.push_back(Message { id, from, session, text, at: now });
        }
        readers.len()
    }
}

/// The caller's sign-in; none: it is a token.
pub fn own_session(by: &Caller) -> Option<Id<SignIn>> {
    match by.source {
        Source::SignIn { id, .. } => Some(id),
        Source::Token(_) | Source::System => None,
    }
}
