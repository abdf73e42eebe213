//! Published resources: what users may open.

mod target;
mod variable;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    icon::Icon,
    id::Id,
    object::{Kind, Spec},
    policy::{Route, validate_routes},
    rule::Rules,
    site::Site,
    validate::{DESCRIPTION_MAX, Mistakes, NAME_MAX},
};

pub use target::{Application, DesktopSize, OnHost, Source, Target, Window};
pub use variable::{Variable, expand};

/// Something that a user may open, or a folder of such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// What opens.
    pub target: Target,
    /// What users read; absent: the object's name. Several resources may have the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Shown below the name.
    #[serde(default)]
    pub description: String,
    /// The folder it lies in; none: the top.
    #[serde(default)]
    pub folder: Option<Id<Resource>>,
    /// Its place among its siblings: smaller first, then by name.
    #[serde(default)]
    pub order: i32,
    /// Whether it can be seen and opened.
    #[serde(default)]
    pub status: Status,
    /// Its picture: the id of one that was sent, or `builtin:terminal` and the like; none: that of its kind.
    #[serde(default)]
    pub icon: Option<Icon>,
    /// Who sees it. Without rules, everybody.
    #[serde(default)]
    pub rules: Rules,
    /// The sites in which it is published and on whose hosts it runs; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<Id<Site>>,
    /// Ways to it, in this order, before the gateway that the user came by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// How many may use it at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<UseLimit>,
    /// Where clients on a device of their own put a shortcut.
    #[serde(default, skip_serializing_if = "Shortcuts::is_default")]
    pub shortcuts: Shortcuts,
    /// Whether it opens by itself when the user signs in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub start_at_sign_in: bool,
    /// Whether no session is ever started for it before the user opens it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_prelaunch: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// How many may use a resource at a time, over all hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseLimit {
    /// Sessions in which it is open, disconnected ones included.
    pub uses: u32,
    /// What happens to the next user.
    #[serde(default)]
    pub at_limit: AtLimit,
    /// What that user reads: whom to ask. Empty: what the site says, else a sentence of the product's.
    #[serde(default)]
    pub message: String,
}

/// What happens at the limit of concurrent uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtLimit {
    /// It does not open.
    #[default]
    Refuse,
    /// It opens; administrators see it in the log.
    Note,
}

/// Stands in [`Shortcuts::start_menu`] for the folders that the resource lies in.
pub const FOLDERS_VARIABLE: &str = "%GROUPS%";

/// Where clients on a device of their own put shortcuts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Shortcuts {
    /// On the desktop.
    pub desktop: bool,
    /// In this folder of the start menu; the variable `%GROUPS%` stands for the folders that the resource
    /// lies in. Absent: none.
    pub start_menu: Option<String>,
    /// Among what starts with the device.
    pub at_start: bool,
}

impl Shortcuts {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a resource can be seen and opened. A folder's status holds for all below it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "state", deny_unknown_fields)]
pub enum Status {
    /// Seen and opened.
    #[default]
    Enabled,
    /// Not seen.
    Disabled,
    /// Seen, greyed out; opening it shows the message.
    Maintenance {
        /// For users.
        #[serde(default)]
        message: String,
    },
}

/// Sites of one resource.
const SITES_MAX: usize = 200;

impl Resource {
    /// A resource of which nothing is said but what opens: everybody sees it.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            title: None,
            description: String::new(),
            folder: None,
            order: 0,
            status: Status::default(),
            icon: None,
            rules: Rules::default(),
            sites: Vec::new(),
            routes: Vec::new(),
            limit: None,
            shortcuts: Shortcuts::default(),
            start_at_sign_in: false,
            no_prelaunch: false,
        }
    }
}

impl Spec for Resource {
    const KIND: Kind = Kind::Resource;

    fn validate(&self, mistakes: &mut Mistakes) {
        if let Some(title) = &self.title {
            mistakes.text("title", title, NAME_MAX);
        }
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        if let Some(mistake) = self.icon.as_ref().and_then(Icon::mistake) {
            mistakes.add("icon", mistake);
        }
        if let Status::Maintenance { message } = &self.status {
            mistakes.optional_text("status.message", message, 500);
        }
        mistakes.within("target", |m| self.target.validate(m));
        mistakes.within("rules", |m| self.rules.validate(m));
        if self.sites.len() > SITES_MAX {
            mistakes.add("sites", format!("has more than {SITES_MAX} entries"));
        }
        validate_routes(&self.routes, "routes", mistakes);
        if let Some(limit) = &self.limit {
            mistakes.range("limit.uses", &limit.uses, 1..=1_000_000);
            mistakes.optional_text("limit.message", &limit.message, 500);
        }
        if let Some(folder) = &self.shortcuts.start_menu {
            mistakes.optional_text("shortcuts.start_menu", folder, NAME_MAX);
            let plain = folder.replace(FOLDERS_VARIABLE, "");
            if plain.contains('%') || plain.split(['/', '\\']).any(|part| part == "..") {
                let message = "must be a folder's path; only the variable %GROUPS% may stand in it";
                mistakes.add("shortcuts.start_menu", message);
            }
        }
        let opens = !matches!(self.target, Target::Folder);
        if self.start_at_sign_in && !opens {
            mistakes.add("start_at_sign_in", "is not for folders");
        }
        if self.limit.is_some() && !self.target.needs_session() {
            mistakes.add("limit", "is for what opens in a session only");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_named_by_its_field() {
        let check = |json: serde_json::Value, field: &str| {
            let spec: Resource = serde_json::from_value(json).expect("readable");
            let mut mistakes = Mistakes::default();
            spec.validate(&mut mistakes);
            let found = mistakes.into_vec();
            assert!(found.iter().any(|mistake| mistake.field == field), "{field}: {found:?}");
        };
        check(
            serde_json::json!({"target": {"kind": "web_application", "url": "javascript:alert(1)"}}),
            "target.url",
        );
        check(serde_json::json!({"target": {"kind": "network_folder", "path": "share"}}), "target.path");
        check(
            serde_json::json!({"target": {"kind": "application", "program": "x", "extensions": [".odt"]}}),
            "target.extensions[0]",
        );
        check(
            serde_json::json!({"target": {"kind": "desktop", "size": {"as": "fixed", "width": 1, "height": 900}}}),
            "target.size.width",
        );
        check(serde_json::json!({"target": {"kind": "folder"}, "limit": {"uses": 2}}), "limit");
    }
}
