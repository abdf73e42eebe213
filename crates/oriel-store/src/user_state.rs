//! What a user keeps in the portal. Not settings: nobody reviews it, so it is not in the change log.

use jiff::Timestamp;
use oriel_model::{Id, resource::Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Favourites a user may have; more than a portal page shows with use.
pub const FAVOURITES_MAX: usize = 500;
/// Recently opened resources kept for a user; the portal shows a row of them.
pub const RECENT_MAX: usize = 50;

/// What a user keeps in the portal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UserState {
    /// Favourites, in the user's order; at most [`FAVOURITES_MAX`].
    pub favourites: Vec<Id<Resource>>,
    /// What was opened lately, newest first; at most [`RECENT_MAX`].
    pub recent: Vec<Recent>,
    /// The time zone that the user's device said last, as in `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Until when the user has put off the end of their logon hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours_extended_until: Option<Timestamp>,
}

/// A resource that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recent {
    /// Which one.
    pub resource: Id<Resource>,
    /// When last.
    pub at: Timestamp,
    /// How often, as far as it was counted.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl UserState {
    /// Puts `resource` in front of the recent ones, once, and forgets the oldest beyond the limit.
    pub fn opened(&mut self, resource: Id<Resource>, at: Timestamp) {
        let before = self.recent.iter().find(|recent| recent.resource == resource);
        let times = before.map_or(0, |before| before.times).saturating_add(1);
        self.recent.retain(|recent| recent.resource != resource);
        self.recent.insert(0, Recent { resource, at, times });
        self.recent.truncate(RECENT_MAX);
    }

    /// Refuses what is over the limits.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.favourites.len() > FAVOURITES_MAX {
            return Err(StoreError::Refused(format!("a user can have at most {FAVOURITES_MAX} favourites")));
        }
        if self.recent.len() > RECENT_MAX {
            return Err(StoreError::Refused(format!(
                "at most {RECENT_MAX} recent resources are kept for a user"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_moves_to_the_front_and_forgets_the_oldest() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let ids: Vec<Id<Resource>> = (0..60).map(|second| Id::generate(at(second))).collect();
        let mut state = UserState::default();
        for (second, id) in (0..).zip(&ids) {
            state.opened(*id, at(second));
        }
        state.opened(ids[20], at(100));
        assert_eq!(state.recent.len(), RECENT_MAX);
        assert_eq!(state.recent[0], Recent { resource: ids[20], at: at(100), times: 2 });
        assert_eq!(state.recent.iter().filter(|recent| recent.resource == ids[20]).count(), 1);
        assert!(state.check().is_ok());
    }
}
