//! Logon hours: what a user is told of them, and putting off their end.

use oriel_model::{Id, Timestamp, user::User};
use serde::Serialize;

use super::{client::ClientSays, sign_in::SignedIn, welcome::Welcome};
use crate::{Broker, farm::FarmView};

/// How a user stands to the hours, as they are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hours {
    /// Whether the farm is open to them now.
    pub is_open: bool,
    /// Until when that is so; none: for weeks.
    pub until: Option<Timestamp>,
    /// From when on they are warned of the end; none: they are not.
    pub warn_at: Option<Timestamp>,
    /// Until when they may put off the end; none: they may not.
    pub may_extend_until: Option<Timestamp>,
    /// Whether what may be opened is listed now.
    pub shows_list: bool,
    /// Whether sessions are disconnected at the end.
    pub disconnects: bool,
    /// What is to be read outside the hours; may be empty.
    pub message: String,
}

impl Hours {
    /// As they are told; none: the user may come at any time.
    pub fn told(view: &FarmView, welcome: &Welcome) -> Option<Self> {
        let standing = &welcome.hours;
        let hours = view.logon_hours.get(standing.hours.as_ref()?.id)?;
        Some(Self {
            is_open: standing.is_open,
            until: standing.until,
            warn_at: standing.warn_at,
            may_extend_until: standing.may_extend_until,
            shows_list: welcome.shows_list(),
            disconnects: hours.spec.outside.disconnect,
            message: standing.message.clone(),
        })
    }
}

/// Why the end of the hours is not put off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    /// They do not allow it, or it was put off as far as they do.
    #[error("your hours cannot be extended any further")]
    NotAllowed,
    /// The store does not answer.
    #[error("this cannot be noted at the moment")]
    Store,
}

impl Broker {
    /// Puts off the end of a user's hours as far as they allow.
    pub async fn extend_hours(
        &self,
        signed_in: &SignedIn,
        client: &ClientSays,
    ) -> Result<Option<Hours>, ExtendError> {
        let until = self.welcome(signed_in, client).await.hours.may_extend_until;
        let until = until.ok_or(ExtendError::NotAllowed)?;
        let (user, now) = (signed_in.user.id, self.now());
        self.user_states
            .change(&*self.store, user, now, |state| state.hours_extended_until = Some(until))
            .await
            .map_err(|_| ExtendError::Store)?;
        tracing::info!(
            target: "audit", event = "hours_extended", user.id = %user, user.name = signed_in.user.name, %until
        );
        self.hours_changed.notify_one();
        Ok(Hours::told(&self.farm.load(), &self.welcome(signed_in, client).await))
    }

    /// Until when a user has put off the end of their hours. A store that does not answer counts as no.
    pub(crate) async fn extended_until(&self, user: Id<User>) -> Option<Timestamp> {
        let state = self.user_states.get(&*self.store, user, self.now()).await;
        state.map_or(None, |state| state.hours_extended_until)
    }

    /// What a user who is signed in is told of the hours; none: they may come at any time.
    pub async fn hours(&self, signed_in: &SignedIn, client: &ClientSays) -> Option<Hours> {
        let welcome = self.welcome(signed_in, client).await;
        Hours::told(&self.farm.load(), &welcome)
    }
}
