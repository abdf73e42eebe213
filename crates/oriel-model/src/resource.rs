//! Published resources: what users may open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    host::Host,
    icon::IconId,
    id::Id,
    object::{Kind, Spec},
    pool::Pool,
    rule::Rules,
    validate::{COMMAND_MAX, DESCRIPTION_MAX, Mistakes},
};

/// Something that a user may open, or a folder of such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// What opens.
    pub target: Target,
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
    /// Its picture; none: the built-in one of its kind.
    #[serde(default)]
    pub icon: Option<IconId>,
    /// Who sees it. Without rules, everybody.
    #[serde(default)]
    pub rules: Rules,
}

/// What opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Target {
    /// Holds other resources.
    Folder,
    /// A whole desktop of a session host.
    Desktop {
        /// Where from.
        #[serde(default)]
        source: Source,
    },
    /// One program of a session host.
    Application {
        /// Where from.
        #[serde(default)]
        source: Source,
        /// The program: an absolute path, or a name that the host finds in its path.
        program: String,
        /// Its arguments, in the shell's quoting; no shell interprets anything else in them.
        #[serde(default)]
        arguments: String,
        /// The folder it starts in; empty: the user's home.
        #[serde(default)]
        start_in: String,
        /// Whether it opens in the user's running application session, if there is one.
        #[serde(default)]
        share_session: bool,
    },
}

/// Which hosts a resource runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "from", deny_unknown_fields)]
pub enum Source {
    /// Every host of the site.
    #[default]
    AllHosts,
    /// The members of these pools.
    Pools {
        /// At least one.
        pools: Vec<Id<Pool>>,
    },
    /// These hosts.
    Hosts {
        /// At least one.
        hosts: Vec<Id<Host>>,
    },
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

impl Target {
    /// Where it runs; none for a folder.
    pub fn source(&self) -> Option<&Source> {
        match self {
            Target::Folder => None,
            Target::Desktop { source } | Target::Application { source, .. } => Some(source),
        }
    }
}

impl Spec for Resource {
    const KIND: Kind = Kind::Resource;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        if let Some(icon) = &self.icon
            && !icon.is_well_formed()
        {
            mistakes.add("icon", "is not the id of an icon (64 hexadecimal digits)");
        }
        mistakes.within("target", |m| self.target.validate(m));
        mistakes.within("rules", |m| self.rules.validate(m));
    }
}

impl Target {
    fn validate(&self, mistakes: &mut Mistakes) {
        if let Target::Application { program, arguments, start_in, .. } = self {
            mistakes.text("program", program, COMMAND_MAX);
            mistakes.optional_text("arguments", arguments, COMMAND_MAX);
            mistakes.optional_text("start_in", start_in, COMMAND_MAX);
            for (field, text) in [("program", program), ("arguments", arguments), ("start_in", start_in)] {
                if text.contains('\n') {
                    mistakes.add(field, "must be one line");
                }
            }
            if !start_in.is_empty() && !start_in.starts_with('/') && !start_in.starts_with('~') {
                mistakes.add("start_in", "must be an absolute path, or begin with ~ for the user's home");
            }
        }
        match self.source() {
            Some(Source::Pools { pools }) if pools.is_empty() => {
                mistakes.add("source.pools", "needs at least one pool");
            }
            Some(Source::Hosts { hosts }) if hosts.is_empty() => {
                mistakes.add("source.hosts", "needs at least one host");
            }
            _ => {}
        }
    }
}
