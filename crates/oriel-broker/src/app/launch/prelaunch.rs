//! Sessions that start before anybody opens anything: one at the sign-in, for what the user opens most.

use std::sync::Arc;

use jiff::tz::TimeZone;
use oriel_model::{
    Id, Timestamp,
    policy::Prelaunch,
    session::{Session, SessionState},
    site::SiteSection,
};
use oriel_rules::{
    launch::{self, OwnSession, Plan},
    prelaunch::{self, Choice, Inputs, Opened},
};

use super::{Kind, LaunchError, LaunchRequest, Moment, What};
use crate::{
    Broker,
    app::{client::ClientSays, policy, session::Actor, sign_in::SignedIn},
};

impl Broker {
    /// What follows a sign-in, and nobody waits for: the device's time zone is noted, and where the
    /// user's policy says so, a session is started beforehand.
    pub fn after_sign_in(self: &Arc<Self>, signed_in: &SignedIn) {
        let (broker, signed_in) = (self.clone(), signed_in.clone());
        tokio::spawn(async move {
            broker.note_zone(&signed_in, &ClientSays::default()).await;
            match broker.start_beforehand(&signed_in).await {
                Ok(None) => {}
                Ok(Some(session)) => {
                    tracing::info!(session.id = %session, user.name = signed_in.user.name, "a session was started beforehand");
                }
                Err(error) => {
                    tracing::info!(user.name = signed_in.user.name, %error, "no session was started beforehand");
                }
            }
        });
    }

    /// Remembers the time zone of a user's device, for as long as they have sessions.
    pub(crate) async fn note_zone(&self, signed_in: &SignedIn, client: &ClientSays) {
        let Some(zone) = signed_in.zone(client) else { return };
        let (user, now) = (signed_in.user.id, self.now());
        let known = self.user_states.get(&*self.store, user, now).await;
        if known.is_ok_and(|state| state.time_zone.as_deref() == Some(zone)) {
            return;
        }
        let note = |state: &mut oriel_store::UserState| state.time_zone = Some(zone.to_owned());
        if let Err(error) = self.user_states.change(&*self.store, user, now, note).await {
            tracing::warn!(user.id = %user, %error, "the time zone of a user's device could not be noted");
        }
    }

    async fn start_beforehand(&self, signed_in: &SignedIn) -> Result<Option<Id<Session>>, LaunchError> {
        let (view, now) = (self.farm.load(), self.now());
        let client = ClientSays::default();
        let facts = signed_in.facts(&client);
        let settings = policy::effective(&view, &facts).settings;
        let mode = settings.connection.map_or(Prelaunch::Off, |connection| connection.prelaunch);
        if mode == Prelaunch::Off {
            return Ok(None);
        }
        self.welcome(signed_in, &client).await.may_open()?;
        if self.is_gathering() {
            return Err(LaunchError::Starting);
        }
        let site = signed_in.site.and_then(|site| view.section_of(site, SiteSection::Publishing));
        let zone = signed_in.zone(&client).and_then(|zone| TimeZone::get(zone).ok());
        let choice = prelaunch::choose(&Inputs {
            mode,
            catalogue: view.listing.catalogue(),
            facts: &facts,
            opened: &self.opened(signed_in).await,
            has_session: !self.sessions_of(&signed_in.user).is_empty(),
            not_on: site.map_or(&[], |site| &site.spec.publishing.no_prelaunch_on),
            zone: &zone.unwrap_or(TimeZone::UTC),
            now,
        });
        let Choice::Start { resource, .. } = choice else { return Ok(None) };
        let request = LaunchRequest {
            what: What::Resource(resource),
            client,
            width: 0,
            height: 0,
            keyboard_layout: 0,
            another: false,
        };
        let attempt = self.permitted(signed_in, request, now)?;
        let opens = attempt.opens.as_ref().ok_or(LaunchError::NotFound)?;
        // A launch of the same meanwhile waits for it, and opens in it.
        let mut turn = self.launch_turns.wait(attempt.key()).await;
        let is_on_its_way = turn.last().is_some_and(|last| self.hosts.is_promised(last.host, last.id));
        if is_on_its_way || !self.sessions_of(&attempt.user).is_empty() {
            return Ok(None);
        }
        let placement = self.placement_inputs(&attempt.view, &opens.source, &opens.sites);
        let moment = Moment {
            sessions: &[],
            placement: &placement,
            limits: &[],
            client_address: Some(attempt.address),
            another: false,
            now,
        };
        let ranking = match launch::plan(&opens.inputs(&moment)) {
            Plan::Start { ranking } => ranking,
            Plan::Refuse { refusal, .. } => return Err(LaunchError::NoHost(refusal.to_string())),
            _ => return Ok(None),
        };
        let confirmed = self.start(&attempt, &ranking, Kind::Beforehand).await?;
        let made = attempt.made(&confirmed, now);
        let state = SessionState::Disconnected;
        turn.led_to(OwnSession { prelaunched: true, open: Vec::new(), state, ..made });
        Ok(Some(confirmed.session))
    }

    async fn opened(&self, signed_in: &SignedIn) -> Vec<Opened> {
        let state = self.user_states.get(&*self.store, signed_in.user.id, self.now()).await;
        let recent = state.map(|state| state.recent).unwrap_or_default();
        let opened = |recent: &oriel_store::Recent| Opened {
            resource: recent.resource,
            times: recent.times,
            last: recent.at,
        };
        recent.iter().map(opened).collect()
    }

    /// Ends the sessions that were started beforehand and that nobody has come for in time.
    pub(crate) async fn drop_unused(&self, now: Timestamp) {
        let waiting = self.hosts.sessions().into_iter().filter(|session| session.prelaunched);
        for session in waiting.filter(|session| now >= prelaunch::kept_until(session.started_at)) {
            tracing::info!(session.id = %session.id, user.name = session.user_name, "nobody came for a session that was started beforehand");
            if let Err(error) = self.log_off_session(session.id, Actor::Broker("prelaunch")).await {
                tracing::warn!(session.id = %session.id, %error, "an unused session could not be ended; trying again");
            }
        }
    }
}
