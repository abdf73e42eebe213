//! Answers to requests with a key, so that a request that is sent again is not carried out again, also by a
//! broker that was restarted in between. Sealed like secrets: an answer may hold one that is shown once.

use jiff::Timestamp;
use oriel_model::{Id, Kind};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{StoreError, secret::SecretPlace};

/// Size of an answer at most, in bytes: a plan of a hundred objects fits.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Answers kept at most; the oldest go: a day of a busy farm's scripts, and 64 MiB at the very worst.
pub const ANSWERS_MAX: usize = 1_000;

/// The answer to a request with a key. What is in it is the broker's own matter.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Who asked: a token, or a user.
    pub caller: Id<Value>,
    /// With which key.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// The answer; at most [`ANSWER_BYTES_MAX`].
    pub bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for KeptAnswer {
    /// The answer is left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "answer to {} at {}", self.caller, self.at)
    }
}

/// Calls `work` with the place of an answer.
pub(crate) fn in_place<T>(caller: Id<Value>, key: &str, work: impl FnOnce(&SecretPlace<'_>) -> T) -> T {
    let name = format!("answer {key}");
    work(&SecretPlace { kind: Kind::Token, owner: caller, name: &name })
}

/// Refuses an answer that is too large.
pub(crate) fn check(answer: &KeptAnswer) -> Result<(), StoreError> {
    let size = answer.bytes.len();
    if size <= ANSWER_BYTES_MAX {
        return Ok(());
    }
    Err(StoreError::Refused(format!("the answer has {size} bytes; at most {ANSWER_BYTES_MAX} are kept")))
}
