//! Published resources as a user sees them.

use oriel_model::{
    Id, Object,
    icon::{Icon, Picture},
    resource::{Resource, Target},
};
use oriel_rules::{access::Access, rules::Facts};
use oriel_wire::portal::PATH_PREFIX;
use serde::{Deserialize, Serialize};

use crate::Broker;

/// What a resource is, for the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ResourceKind {
    Folder,
    Desktop,
    Application,
    Document,
    WebApplication,
    NetworkFolder,
    LocalApplication,
}

/// Whether a resource can be opened now, for the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ResourceStatus {
    Enabled,
    Maintenance,
}

/// A resource as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisibleResource {
    /// Which.
    pub id: Id<Resource>,
    /// Its name.
    pub name: String,
    /// Shown below the name.
    pub description: String,
    /// What it is.
    pub kind: ResourceKind,
    /// The folder it lies in; none: the top.
    pub folder: Option<Id<Resource>>,
    /// Its place among its siblings.
    pub order: i32,
    /// Where its picture is; none: the built-in one of its kind.
    pub icon_url: Option<String>,
    /// Whether it can be opened now.
    pub status: ResourceStatus,
    /// What the administrator says about the maintenance.
    pub maintenance_message: Option<String>,
}

impl Broker {
    /// What somebody sees, in the order in which it is shown.
    pub fn visible_resources(&self, facts: &Facts) -> Vec<VisibleResource> {
        let view = self.farm.load();
        view.listing.visible(facts).into_iter().map(|(object, access)| as_seen(object, access)).collect()
    }
}

fn as_seen(object: &Object<Resource>, access: Access) -> VisibleResource {
    let maintenance_message = match access {
        Access::Maintenance { message, .. } => Some(message),
        Access::Open { .. } | Access::Hidden { .. } => None,
    };
    VisibleResource {
        id: object.id,
        name: object.spec.title.clone().unwrap_or_else(|| object.name.clone()),
        description: object.spec.description.clone(),
        kind: match object.spec.target {
            Target::Folder => ResourceKind::Folder,
            Target::Desktop { .. } => ResourceKind::Desktop,
            Target::Application(_) => ResourceKind::Application,
            Target::Document { .. } => ResourceKind::Document,
            Target::WebApplication { .. } => ResourceKind::WebApplication,
            Target::NetworkFolder { .. } => ResourceKind::NetworkFolder,
            Target::LocalApplication { .. } => ResourceKind::LocalApplication,
        },
        folder: object.spec.folder,
        order: object.spec.order,
        icon_url: object.spec.icon.as_ref().and_then(icon_url),
        status: if maintenance_message.is_some() {
            ResourceStatus::Maintenance
        } else {
            ResourceStatus::Enabled
        },
        maintenance_message,
    }
}

/// Where the portal finds an icon; none: it names no picture.
pub fn icon_url(icon: &Icon) -> Option<String> {
    let name = match icon.picture()? {
        Picture::Sent(id) => id.0,
        Picture::BuiltIn(icon) => icon.name().to_owned(),
    };
    Some(format!("{PATH_PREFIX}/icons/{name}.png"))
}
