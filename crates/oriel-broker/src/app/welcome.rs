//! Whether somebody is let in now: by the kind of their client, and by the hours.

use oriel_model::{
    Timestamp,
    site::{AllowedClients, SiteSection},
};
use oriel_rules::{
    clients::{self, Admission},
    logon_hours::{self, May, Question, Standing},
    rules::Facts,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{client::ClientSays, sign_in::SignedIn};
use crate::{Broker, farm::FarmView};

/// How somebody is received.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Welcome {
    /// What the site's list of clients says.
    pub clients: Admission,
    /// What the logon hours say.
    pub hours: Standing,
}

/// Why somebody is not let in, as a sentence for them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWelcome {
    /// Not with this client.
    #[error("{0}")]
    Client(String),
    /// Not at this hour.
    #[error("{message}")]
    Hours {
        /// Why.
        message: String,
        /// When that changes, if it does within weeks.
        opens_at: Option<Timestamp>,
        /// The same as a sentence.
        begins_again: String,
    },
}

impl Welcome {
    /// Looks at a moment. `zone` is the time zone that the device says; `extended_until`, until when the
    /// user has put off the end of their hours.
    pub fn look(
        view: &FarmView,
        facts: &Facts,
        user_zone: Option<&str>,
        extended_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let site = facts.site.and_then(|site| view.section_of(site, SiteSection::Clients));
        let anybody = AllowedClients::default();
        let allowed = site.map_or(&anybody, |site| &site.spec.clients);
        let question = Question { facts, user_zone, extended_until, now };
        Self {
            clients: clients::admit(allowed, facts),
            hours: logon_hours::judge(&view.hours_order, &question),
        }
    }

    /// Signing in.
    pub fn may_sign_in(&self) -> Result<(), NotWelcome> {
        self.check(self.clients.may_sign_in, |may| may.sign_in)
    }

    /// Opening resources, and returning to sessions.
    pub fn may_open(&self) -> Result<(), NotWelcome> {
        self.check(self.clients.may_open, |may| may.open)
    }

    /// Whether the list of resources is shown.
    pub fn shows_list(&self) -> bool {
        self.clients.may_open && self.hours.may.list
    }

    fn check(&self, client_may: bool, hours_let: impl Fn(May) -> bool) -> Result<(), NotWelcome> {
        if !client_may {
            return Err(NotWelcome::Client(self.clients.message.clone().unwrap_or_default()));
        }
        if !hours_let(self.hours.may) {
            let Standing { message, begins_again, until, .. } = &self.hours;
            let (message, begins_again) = (message.clone(), begins_again.clone());
            return Err(NotWelcome::Hours { message, opens_at: *until, begins_again });
        }
        Ok(())
    }
}

impl Broker {
    /// How somebody who is signed in is received now.
    pub async fn welcome(&self, signed_in: &SignedIn, client: &ClientSays) -> Welcome {
        let view = self.farm.load();
        let facts = signed_in.facts(client);
        let zone = signed_in.zone(client);
        // Most farms have no hours, and then nobody need be asked what was put off.
        let extended = match view.logon_hours.is_empty() {
            true => None,
            false => self.extended_until(signed_in.user.id).await,
        };
        Welcome::look(&view, &facts, zone, extended, self.now())
    }
}
