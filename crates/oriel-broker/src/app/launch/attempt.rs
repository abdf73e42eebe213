//! What one launch is made of, once the right to it is established.

use std::{net::IpAddr, sync::Arc};

use oriel_model::{
    Id, Object, Timestamp,
    gateway::Gateway,
    host::Host,
    resource::{Resource, Target, Variable},
    rule::ClientKind,
    session::{Connection, SessionState},
    site::{Site, SiteSection},
    user::User,
};
use oriel_rules::{
    access::Access,
    launch::{self, InSession, OnDevice, Opening, OwnSession, Unopenable},
    policy::Effective,
};

use super::{Confirmed, LaunchError, LaunchRequest, Opens, What, turn};
use crate::{
    Broker,
    app::{
        client::{ClientSays, word},
        policy,
        sign_in::SignedIn,
    },
    farm::FarmView,
};

/// A launch, once the right to it is established.
pub(super) struct Attempt {
    pub view: Arc<FarmView>,
    pub user: Arc<Object<User>>,
    pub resource: Arc<Object<Resource>>,
    /// None at a return to a session: what runs there runs.
    pub opens: Option<Opens>,
    pub request: LaunchRequest,
    pub policy: Effective,
    pub address: IpAddr,
    pub gateway: Option<Id<Gateway>>,
    pub site: Option<Id<Site>>,
    pub connection: Id<Connection>,
}

impl Attempt {
    /// What opens, and with what command.
    pub fn in_session(&self) -> Option<InSession<'_>> {
        match launch::opening(&self.resource, self.view.listing.catalogue()) {
            Ok(Opening::InSession(opening)) => Some(opening),
            Ok(Opening::OnDevice(_)) | Err(_) => None,
        }
    }

    pub fn shares(&self) -> bool {
        self.opens.as_ref().is_some_and(|opens| opens.shares)
    }

    /// Which launches of this user wait for each other.
    pub fn key(&self) -> turn::Key {
        let one = self.opens.as_ref().filter(|opens| opens.one_instance).and_then(|opens| opens.application);
        let resource = (!self.shares()).then_some(one.unwrap_or(self.resource.id));
        turn::Key { user: self.user.id, resource }
    }

    /// What a variable stands for on a host.
    pub fn value(&self, variable: Variable, host: Id<Host>) -> String {
        let values = Values {
            view: &self.view,
            user: &self.user,
            client: &self.request.client,
            address: self.address,
            gateway: self.gateway,
            site: self.site,
            resource: &self.resource,
            host: Some(host),
        };
        values.of(variable)
    }

    /// The session as its host will report it.
    pub fn made(&self, confirmed: &Confirmed, now: Timestamp) -> OwnSession {
        OwnSession {
            id: confirmed.session,
            host: confirmed.host,
            resource: Some(self.resource.id),
            open: self.opens.as_ref().map(Opens::open).unwrap_or_default(),
            shared: self.shares(),
            desktop: self.opens.as_ref().is_some_and(|opens| opens.desktop.is_some()),
            prelaunched: false,
            client_address: Some(self.address),
            state: SessionState::Prepared,
            started_at: now,
        }
    }
}

impl Broker {
    /// Establishes what is opened, and that this user may.
    pub(super) fn permitted(
        &self,
        signed_in: &SignedIn,
        mut request: LaunchRequest,
        now: Timestamp,
    ) -> Result<Attempt, LaunchError> {
        let view = self.farm.load();
        let (id, is_return) = match request.what {
            What::Resource(id) => (id, false),
            What::Session(session) => {
                let session = self.session_of(&signed_in.user, session)?;
                (session.resource.ok_or(LaunchError::SessionGone)?, true)
            }
        };
        let facts = signed_in.facts(&request.client);
        request.client = request.client.or(&signed_in.sign_in.client);
        let (resource, access) = view.listing.access(id, &facts).ok_or(LaunchError::NotFound)?;
        let resource = resource.clone();
        match access {
            Access::Hidden { .. } => return Err(LaunchError::NotFound),
            // What runs may be finished.
            Access::Maintenance { message, .. } if !is_return => {
                return Err(in_maintenance(&view, signed_in.site, message));
            }
            Access::Open { .. } | Access::Maintenance { .. } => {}
        }
        let opens = match launch::opening(&resource, view.listing.catalogue()) {
            _ if is_return => None,
            Ok(Opening::InSession(opening)) => Some(Opens::new(&resource, &opening)),
            Ok(Opening::OnDevice(_)) => return Err(LaunchError::OnDevice),
            Err(Unopenable::Folder) => return Err(LaunchError::NotFound),
            Err(Unopenable::Maintenance { message }) => {
                return Err(in_maintenance(&view, signed_in.site, message));
            }
            Err(gone @ Unopenable::NoApplication) => {
                return Err(LaunchError::NoApplication(gone.to_string()));
            }
        };
        Ok(Attempt {
            policy: policy::effective(&view, &facts),
            user: signed_in.user.clone(),
            resource,
            opens,
            request,
            address: signed_in.address,
            gateway: signed_in.gateway,
            site: signed_in.site,
            connection: Id::generate(now),
            view,
        })
    }

    /// Opens what opens on the user's own device; none: it opens otherwise, or not at all.
    ///
    /// # Errors
    ///
    /// The user is not let in now, or it is a program and the client is none that can start one.
    pub async fn open_on_device(
        &self,
        signed_in: &SignedIn,
        resource: Id<Resource>,
        client: &ClientSays,
    ) -> Result<Option<DeviceLaunch>, LaunchError> {
        let view = self.farm.load();
        let facts = signed_in.facts(client);
        let Some((resource, Access::Open { .. })) = view.listing.access(resource, &facts) else {
            return Ok(None);
        };
        let Ok(Opening::OnDevice(opening)) = launch::opening(resource, view.listing.catalogue()) else {
            return Ok(None);
        };
        self.welcome(signed_in, client).await.may_open()?;
        let is_program = matches!(opening, OnDevice::Program { .. });
        if is_program && facts.client != Some(ClientKind::Launcher) {
            return Err(LaunchError::OnDevice);
        }
        if let Target::LocalApplication { systems, .. } = &resource.spec.target
            && !systems.is_empty()
            && !facts.client_os.is_some_and(|system| systems.contains(&system))
        {
            return Err(LaunchError::OtherSystem);
        }
        let launch = device_launch(&view, signed_in, resource, &opening, client)
            .ok_or(LaunchError::Internal("its settings hold a variable that is not known"))?;
        self.note_opened(signed_in.user.id, launch.resource).await;
        Ok(Some(launch))
    }
}

/// What a client opens on the user's own device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLaunch {
    /// What was opened.
    pub resource: Id<Resource>,
    /// Its name.
    pub resource_name: String,
    /// The page, or the program.
    pub what: OnThisDevice,
}

/// A page, or a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnThisDevice {
    /// In the user's own browser.
    Page(String),
    /// By a client that is installed there.
    Program(launch::Command),
}

/// With every variable replaced; none where the settings hold one that is not known.
pub(crate) fn device_launch(
    view: &FarmView,
    signed_in: &SignedIn,
    resource: &Object<Resource>,
    opening: &OnDevice<'_>,
    client: &ClientSays,
) -> Option<DeviceLaunch> {
    let values = Values {
        view,
        user: &signed_in.user,
        client: &client.clone().or(&signed_in.sign_in.client),
        address: signed_in.address,
        gateway: signed_in.gateway,
        site: signed_in.site,
        resource,
        host: None,
    };
    let value = |variable| values.of(variable);
    let what = match opening {
        OnDevice::Page { .. } => OnThisDevice::Page(opening.url(&value).ok()??),
        OnDevice::Program { .. } => OnThisDevice::Program(opening.command(&value).ok()??),
    };
    Some(DeviceLaunch { resource: resource.id, resource_name: resource.name.clone(), what })
}

/// What variables stand for.
struct Values<'a> {
    view: &'a FarmView,
    user: &'a Object<User>,
    client: &'a ClientSays,
    address: IpAddr,
    gateway: Option<Id<Gateway>>,
    site: Option<Id<Site>>,
    resource: &'a Object<Resource>,
    /// None: it runs on the user's own device.
    host: Option<Id<Host>>,
}

impl Values<'_> {
    fn of(&self, variable: Variable) -> String {
        let (client, view) = (self.client, self.view);
        match variable {
            Variable::User => self.user.name.clone(),
            Variable::FullName => self.user.spec.full_name.clone(),
            Variable::ClientName => client.name.clone().unwrap_or_default(),
            Variable::ClientAddress => self.address.to_string(),
            Variable::ClientOs => client.operating_system.map(word).unwrap_or_default(),
            Variable::Resource => self.resource.name.clone(),
            Variable::Host => name(self.host.and_then(|id| view.hosts.get(id))),
            Variable::Site => name(self.site.and_then(|id| view.sites.get(id))),
            Variable::Gateway => name(self.gateway.and_then(|id| view.gateways.get(id))),
        }
    }
}

fn name<S>(object: Option<&Arc<Object<S>>>) -> String {
    object.map(|object| object.name.clone()).unwrap_or_default()
}

/// The resource's own words, else the site's.
fn in_maintenance(view: &FarmView, site: Option<Id<Site>>, message: String) -> LaunchError {
    LaunchError::InMaintenance(maintenance_message(view, site, message))
}

/// What users read of a maintenance: the resource's own words, else the site's.
pub(crate) fn maintenance_message(view: &FarmView, site: Option<Id<Site>>, own: String) -> String {
    let said = site.and_then(|site| view.section_of(site, SiteSection::Publishing));
    match said {
        Some(site) if own.trim().is_empty() => site.spec.publishing.maintenance_message.clone(),
        _ => own,
    }
}
