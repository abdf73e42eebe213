//! The ticket that a launch yields, and what the client is told with it.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use oriel_model::{
    Id, Timestamp,
    logon::LaunchTimes,
    resource::{DesktopSize, Resource},
    session::{ChannelPolicy, Connection, Session},
};
use oriel_wire::ticket::{self, Claims, LIFETIME_SECS, Logon};
use zeroize::Zeroizing;

use super::{Attempt, Confirmed, LaunchError, message};
use crate::{
    Broker,
    app::{
        policy::{self, ClientPolicy},
        resource::icon_url,
    },
};

/// A launch that succeeded.
#[derive(Debug, Clone)]
pub struct Launched {
    /// The connection that the ticket opens.
    pub connection: Id<Connection>,
    /// The session it attaches to.
    pub session: Id<Session>,
    /// What was opened.
    pub resource: Id<Resource>,
    /// Its name.
    pub resource_name: String,
    /// Where its picture is.
    pub icon_url: Option<String>,
    /// Name of the host.
    pub host_name: String,
    /// Whether the session ran already.
    pub reconnected: bool,
    /// What it took.
    pub times: LaunchTimes,
    /// The sealed ticket.
    pub ticket: String,
    /// After this it opens nothing.
    pub ticket_expires_at: Timestamp,
    /// What may pass besides picture and input.
    pub channels: ChannelPolicy,
    /// Whether the session follows the window's size by itself.
    pub dynamic_resize: bool,
    /// What is enforced in it.
    pub policy: Option<ClientPolicy>,
    /// How large the desktop is.
    pub size: DesktopSize,
    /// Addresses to try first, in this order.
    pub routes: Vec<String>,
}

impl Broker {
    /// The launch began at `began`.
    pub(super) fn ticket(
        &self,
        attempt: &Attempt,
        confirmed: &Confirmed,
        began: Instant,
    ) -> Result<Launched, LaunchError> {
        let now = self.now();
        let prepared = &confirmed.prepared;
        let view = &attempt.view;
        let host = view.hosts.get(confirmed.host).ok_or(LaunchError::Internal("the host was deleted"))?;
        if prepared.rdp_certificate_sha256.len() != 32 {
            return Err(LaunchError::Internal("the host did not say which certificate it shows"));
        }
        let host_address = message::address(host.spec.address.as_deref(), &prepared.rdp_address)
            .ok_or(LaunchError::Internal("the host did not say where it is"))?;
        let settings = &attempt.policy.settings;
        let lifetime = SignedDuration::from_hours(view.farm().sign_in.lifetime_hours.into());
        let longest = policy::longest_connection(settings).map_or(lifetime, |longest| longest.min(lifetime));
        // By this broker's clock: the host counts its minute from the same moment, on a clock of its own.
        let expires_at = now + SignedDuration::from_secs(LIFETIME_SECS);
        let resource = &attempt.resource;
        let times = LaunchTimes {
            brokering_ms: millis(began.elapsed().saturating_sub(confirmed.took)),
            prepare_ms: millis(confirmed.took),
        };
        let claims = Claims {
            connection: attempt.connection,
            session: confirmed.session,
            user: attempt.user.id,
            user_name: attempt.user.name.clone(),
            resource: resource.id,
            host: confirmed.host,
            host_address,
            host_certificate_sha256: prepared
                .rdp_certificate_sha256
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            logon: Logon {
                name: prepared.logon_name.clone(),
                domain: prepared.logon_domain.clone(),
                secret: Zeroizing::new(prepared.one_time_logon.clone()),
            },
            alternate_shell: prepared.alternate_shell.clone(),
            working_directory: prepared.working_directory.clone(),
            client_name: attempt.request.client.name.clone().unwrap_or_default(),
            keyboard_layout: policy::keyboard_layout(settings).unwrap_or(attempt.request.keyboard_layout),
            channels: attempt.policy.channels,
            clipboard: policy::clipboard(settings),
            drives: policy::drives(settings),
            quality: policy::quality(settings),
            max_kbits: policy::max_kbits(settings),
            times,
            expires_at,
            connected_until: now + longest,
        };
        let sealed = ticket::seal(&claims, &self.ticket_keys.sealing(now))
            .map_err(|_| LaunchError::Internal("the operating system gave no random bytes"))?;
        let size = attempt.opens.as_ref().and_then(|opens| opens.desktop);
        Ok(Launched {
            connection: attempt.connection,
            session: confirmed.session,
            resource: resource.id,
            resource_name: resource.spec.title.clone().unwrap_or_else(|| resource.name.clone()),
            icon_url: resource.spec.icon.as_ref().and_then(icon_url),
            host_name: host.name.clone(),
            reconnected: confirmed.reconnected,
            times,
            ticket: sealed,
            ticket_expires_at: expires_at,
            channels: claims.channels,
            dynamic_resize: prepared.dynamic_resize,
            policy: ClientPolicy::told(attempt.policy.clone()),
            size: size.or_else(|| desktop_size(resource)).unwrap_or_default(),
            routes: policy::routes(view, &resource.spec, settings, attempt.gateway),
        })
    }
}

/// Rounded up: zero is for what was not measured.
fn millis(took: Duration) -> u32 {
    u32::try_from(took.as_micros().div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
}

/// How large a desktop that is returned to is.
fn desktop_size(resource: &oriel_model::Object<Resource>) -> Option<DesktopSize> {
    match &resource.spec.target {
        oriel_model::resource::Target::Desktop { size, .. } => Some(*size),
        _ => None,
    }
}
