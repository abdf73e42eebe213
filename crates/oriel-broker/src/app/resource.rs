//! Published resources as a user sees them.

use oriel_model::{
    Id, Object,
    icon::{Icon, Picture},
    resource::{FOLDERS_VARIABLE, Resource, Shortcuts, Target},
};
use oriel_rules::{
    access::Access,
    launch::{self, Opening},
};
use oriel_wire::portal::PATH_PREFIX;
use serde::{Deserialize, Serialize};

use super::{
    client::ClientSays,
    launch::{OnThisDevice, device_launch, maintenance_message},
    sign_in::SignedIn,
};
use crate::{Broker, farm::FarmView};

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
    /// The page that opens in the user's own browser; none: it opens otherwise.
    pub url: Option<String>,
    /// Whether it opens by itself at the sign-in.
    pub start_at_sign_in: bool,
    /// Where a client that is installed on the device puts shortcuts to it, with the folders in place of
    /// their variable.
    #[serde(default, skip_serializing_if = "is_none")]
    pub shortcuts: Shortcuts,
    /// The ends of the names of files that it opens, for such a client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
}

fn is_none(shortcuts: &Shortcuts) -> bool {
    *shortcuts == Shortcuts::default()
}

impl Broker {
    /// What somebody sees, in the order in which it is shown.
    pub fn visible_resources(&self, signed_in: &SignedIn, client: &ClientSays) -> Vec<VisibleResource> {
        let view = self.farm.load();
        let visible = view.listing.visible(&signed_in.facts(client)).into_iter();
        visible.map(|(object, access)| as_seen(&view, signed_in, client, object, access)).collect()
    }
}

fn as_seen(
    view: &FarmView,
    signed_in: &SignedIn,
    client: &ClientSays,
    object: &Object<Resource>,
    access: Access,
) -> VisibleResource {
    let maintenance_message = match access {
        Access::Maintenance { message, .. } => Some(maintenance_message(view, signed_in.site, message)),
        Access::Open { .. } | Access::Hidden { .. } => None,
    };
    VisibleResource {
        id: object.id,
        name: shown_name(object).to_owned(),
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
        url: page(view, signed_in, client, object),
        start_at_sign_in: object.spec.start_at_sign_in,
        shortcuts: shortcuts(view, object),
        extensions: match &object.spec.target {
            Target::Application(application) => application.extensions.clone(),
            _ => Vec::new(),
        },
    }
}

/// Most folders of a shortcut's path: what deeper ones are called does not help anybody.
const FOLDERS_MAX: usize = 16;

fn shortcuts(view: &FarmView, object: &Object<Resource>) -> Shortcuts {
    let mut shortcuts = object.spec.shortcuts.clone();
    let Some(start_menu) = shortcuts.start_menu.as_mut().filter(|path| path.contains(FOLDERS_VARIABLE))
    else {
        return shortcuts;
    };
    let mut folders = Vec::new();
    let mut next = object.spec.folder;
    while let Some(folder) =
        next.and_then(|id| view.resources.get(id)).filter(|_| folders.len() < FOLDERS_MAX)
    {
        // A name is one folder, whatever is in it.
        folders.push(shown_name(folder).replace(['/', '\\'], "_"));
        next = folder.spec.folder;
    }
    folders.reverse();
    *start_menu = start_menu.replace(FOLDERS_VARIABLE, &folders.join("/"));
    shortcuts
}

fn shown_name(object: &Object<Resource>) -> &str {
    object.spec.title.as_ref().unwrap_or(&object.name)
}

/// Where a page is that opens in the user's own browser.
fn page(
    view: &FarmView,
    signed_in: &SignedIn,
    client: &ClientSays,
    object: &Object<Resource>,
) -> Option<String> {
    let Target::WebApplication { browser: None, .. } = object.spec.target else { return None };
    let Ok(Opening::OnDevice(opening)) = launch::opening(object, view.listing.catalogue()) else {
        return None;
    };
    match device_launch(view, signed_in, object, &opening, client)?.what {
        OnThisDevice::Page(url) => Some(url),
        OnThisDevice::Program(_) => None,
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
