//! What a launch opens, as far as placing it goes; and the limits of use that count for it.

use std::net::IpAddr;

use oriel_model::{
    Id, Object, Timestamp,
    resource::{DesktopSize, Resource, Source},
    site::{Site, SiteSection},
};
use oriel_rules::launch::{InSession, Inputs, Limit, OwnSession, Program};

use crate::{app::explain::PlacementInputs, farm::FarmView};

/// What a launch opens in a session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Opens {
    /// What the user opens.
    pub resource: Id<Resource>,
    /// The application that runs for it, if one does.
    pub application: Option<Id<Resource>>,
    /// Whether it may open in a shared session of the user.
    pub shares: bool,
    /// Whether a user has at most one instance of it.
    pub one_instance: bool,
    /// How large the desktop is, if it is one.
    pub desktop: Option<DesktopSize>,
    /// Where from.
    pub source: Source,
    /// On whose hosts; empty: on those of every site.
    pub sites: Vec<Id<Site>>,
}

/// What is true at the moment of the launch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// The user's sessions.
    pub sessions: &'a [OwnSession],
    /// The hosts.
    pub placement: &'a PlacementInputs,
    /// The limits, with how near they are.
    pub limits: &'a [Limit<'a>],
    /// The address of the user's device.
    pub client_address: Option<IpAddr>,
    /// Whether the user asks for another instance beside the one that runs.
    pub another: bool,
    /// The time.
    pub now: Timestamp,
}

impl Opens {
    /// What `resource` opens.
    pub fn new(resource: &Object<Resource>, opening: &InSession<'_>) -> Self {
        Self {
            resource: resource.id,
            application: opening.application(),
            shares: opening.shares(),
            one_instance: opening.has_one_instance(),
            desktop: match opening.program {
                Program::Desktop { size } => Some(size),
                Program::Application { .. } | Program::FileManager { .. } => None,
            },
            source: opening.source.clone(),
            sites: resource.spec.sites.clone(),
        }
    }

    /// What is open once it is: the resource, and the application that it opens in.
    pub fn open(&self) -> Vec<Id<Resource>> {
        let application = self.application.filter(|application| *application != self.resource);
        std::iter::once(self.resource).chain(application).collect()
    }

    /// The resources among these that only so many may use at a time.
    pub fn limits<'a>(
        &self,
        view: &'a FarmView,
        site: Option<Id<Site>>,
        uses: impl Fn(Id<Resource>) -> u32,
    ) -> Vec<Limit<'a>> {
        let said = site.and_then(|site| view.section_of(site, SiteSection::Publishing));
        let site_message = said.map_or("", |site| &site.spec.publishing.limit_message);
        let limit = |id: Id<Resource>| {
            let object = view.resources.get(id)?;
            let limit = object.spec.limit.as_ref()?;
            let name = object.spec.title.as_deref().unwrap_or(&object.name);
            Some(Limit { resource: id, name, limit, uses: uses(id), site_message })
        };
        self.open().into_iter().filter_map(limit).collect()
    }

    /// All that its launch is decided from.
    pub fn inputs<'a>(&self, moment: &Moment<'a>) -> Inputs<'a> {
        let Moment { sessions, placement, limits, client_address, another, now } = *moment;
        Inputs {
            resource: self.resource,
            application: self.application,
            share_session: self.shares,
            one_instance: self.one_instance,
            another,
            sessions,
            hosts: &placement.hosts,
            named_hosts: matches!(self.source, Source::Hosts { .. }),
            place: &placement.place,
            balancing: &placement.balancing,
            client_address,
            limits,
            turn: placement.turn,
            now,
        }
    }
}
