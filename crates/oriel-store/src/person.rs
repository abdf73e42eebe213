//! What a directory said of a person last: for when it does not answer. Not settings, so not in the change log.

use jiff::Timestamp;
use oriel_model::{Id, user::User};
use serde_json::Value;

use crate::StoreError;

/// People that are kept; of more, those of whom the directories spoke longest ago are forgotten.
pub const PEOPLE_MAX: u32 = 20_000;
/// What is kept of one person, in bytes: room for a thousand groups.
pub const PERSON_BYTES_MAX: usize = 64 * 1024;

/// What a directory said of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptPerson {
    /// Who.
    pub user: Id<User>,
    /// When it said so.
    pub at: Timestamp,
    /// What it said.
    pub person: Value,
}

impl KeptPerson {
    /// Refuses what is over the limits.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.person.to_string().len() > PERSON_BYTES_MAX {
            let why = format!("at most {PERSON_BYTES_MAX} bytes are kept of a directory's person");
            return Err(StoreError::Refused(why));
        }
        Ok(())
    }
}
