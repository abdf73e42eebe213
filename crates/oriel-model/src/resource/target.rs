//! What a published resource opens: the kinds of resources.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Resource, expand};
use crate::{
    host::Host,
    id::Id,
    pool::Pool,
    rule::ClientOs,
    validate::{COMMAND_MAX, Mistakes},
};

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
        /// How large it is.
        #[serde(default)]
        size: DesktopSize,
    },
    /// One program of a session host.
    Application(Application),
    /// A file, opened with a published application.
    Document {
        /// The application.
        application: Id<Resource>,
        /// The file, as the session host finds it: an absolute path, or one that begins with ~ for the
        /// user's home. May hold variables.
        path: String,
    },
    /// A web page.
    WebApplication {
        /// Its address: https:// or http://. May hold variables.
        url: String,
        /// A published browser to open it with; absent: the user's own.
        #[serde(default)]
        browser: Option<Id<Resource>>,
    },
    /// A folder of the network, opened on a session host.
    NetworkFolder {
        /// Where from.
        #[serde(default)]
        source: Source,
        /// The folder: an absolute path, or the address of a share such as `smb://server/share` or
        /// `\\server\share`. May hold variables.
        path: String,
        /// The published application that shows it; absent: the host's file manager.
        #[serde(default)]
        application: Option<Id<Resource>>,
    },
    /// A program of the user's own device, started by a client that is installed there.
    LocalApplication {
        /// The program.
        program: String,
        /// Its arguments. May hold variables.
        #[serde(default)]
        arguments: String,
        /// The folder it starts in.
        #[serde(default)]
        start_in: String,
        /// The operating systems it exists on; empty: all.
        #[serde(default)]
        systems: Vec<ClientOs>,
    },
}

/// One program of a session host. Texts may hold variables ([`Variable`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Where from.
    #[serde(default)]
    pub source: Source,
    /// The program: an absolute path, or a name that the host finds in its path.
    pub program: String,
    /// Its arguments, in the shell's quoting; no shell interprets anything else in them.
    #[serde(default)]
    pub arguments: String,
    /// The folder it starts in; empty: the user's home.
    #[serde(default)]
    pub start_in: String,
    /// Hosts where it is called otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_hosts: Vec<OnHost>,
    /// How its window opens.
    #[serde(default)]
    pub window: Window,
    /// Whether it opens in the user's running application session, if there is one.
    #[serde(default)]
    pub share_session: bool,
    /// Whether a user has at most one instance: the running one is brought to them.
    #[serde(default)]
    pub one_instance: bool,
    /// Names of files that it opens end with one of these: `odt`, `docx`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
}

/// What an application is called on one host. An absent field is as everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnHost {
    /// The host.
    pub host: Id<Host>,
    /// The program.
    #[serde(default)]
    pub program: Option<String>,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Option<String>,
    /// The folder it starts in.
    #[serde(default)]
    pub start_in: Option<String>,
}

/// How a program's window opens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Over the whole session.
    #[default]
    Maximised,
    /// As the program likes.
    Normal,
    /// As an icon.
    Minimised,
    /// Over the whole session, without a frame.
    FullScreen,
}

/// How large a desktop is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "as", deny_unknown_fields)]
pub enum DesktopSize {
    /// As the client's window, also when that changes.
    #[default]
    Client,
    /// Over the whole screen.
    FullScreen,
    /// These pixels; clients scale it to their window.
    Fixed {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
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

impl Target {
    /// Where it runs by itself; none for what does not, or runs in another resource's application.
    pub fn source(&self) -> Option<&Source> {
        match self {
            Target::Desktop { source, .. } | Target::NetworkFolder { source, .. } => Some(source),
            Target::Application(application) => Some(&application.source),
            Target::Folder
            | Target::Document { .. }
            | Target::WebApplication { .. }
            | Target::LocalApplication { .. } => None,
        }
    }

    /// The application in which it opens, if it is another resource's.
    pub fn opens_in(&self) -> Option<Id<Resource>> {
        match self {
            Target::Document { application, .. } => Some(*application),
            Target::WebApplication { browser, .. } => *browser,
            Target::NetworkFolder { application, .. } => *application,
            _ => None,
        }
    }

    /// Whether opening it needs a session.
    pub fn needs_session(&self) -> bool {
        match self {
            Target::Folder | Target::LocalApplication { .. } => false,
            Target::WebApplication { browser, .. } => browser.is_some(),
            _ => true,
        }
    }

    /// The word of its kind.
    pub fn as_str(&self) -> &'static str {
        match self {
            Target::Folder => "folder",
            Target::Desktop { .. } => "desktop",
            Target::Application(_) => "application",
            Target::Document { .. } => "document",
            Target::WebApplication { .. } => "web_application",
            Target::NetworkFolder { .. } => "network_folder",
            Target::LocalApplication { .. } => "local_application",
        }
    }
}

/// More file extensions than any program has.
const EXTENSIONS_MAX: usize = 100;
/// Hosts where an application is called otherwise.
const ON_HOSTS_MAX: usize = 1_000;
/// Checks a text that is one line and may hold variables.
fn line(mistakes: &mut Mistakes, field: &str, text: &str) {
    mistakes.optional_text(field, text, COMMAND_MAX);
    if text.contains('\n') {
        mistakes.add(field, "must be one line");
    }
    if let Err(message) = expand(text, |_| String::new()) {
        mistakes.add(field, message);
    }
}

fn start_in(mistakes: &mut Mistakes, field: &str, path: &str) {
    line(mistakes, field, path);
    if !path.is_empty() && !path.starts_with(['/', '~']) {
        mistakes.add(field, "must be an absolute path, or begin with ~ for the user's home");
    }
}

impl Target {
    pub(super) fn validate(&self, mistakes: &mut Mistakes) {
        match self {
            Target::Folder => {}
            Target::Desktop { size, .. } => {
                if let DesktopSize::Fixed { width, height } = size {
                    // [MS-RDPBCGR] 2.2.1.3.2: desktopWidth and desktopHeight.
                    mistakes.range("size.width", width, 200..=8192);
                    mistakes.range("size.height", height, 200..=8192);
                }
            }
            Target::Application(application) => application.validate(mistakes),
            Target::Document { path, .. } => {
                mistakes.text("path", path, COMMAND_MAX);
                start_in(mistakes, "path", path);
            }
            Target::WebApplication { url, .. } => {
                line(mistakes, "url", url);
                let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
                let named = host.is_some_and(|host| !host.starts_with('/') && !host.is_empty());
                if !named || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
                    mistakes.add("url", "must be an address that begins with https:// or http://");
                }
            }
            Target::NetworkFolder { path, .. } => {
                mistakes.text("path", path, COMMAND_MAX);
                line(mistakes, "path", path);
                let share = path.starts_with("\\\\")
                    || path.split_once("://").is_some_and(|(scheme, rest)| {
                        matches!(scheme, "smb" | "nfs" | "sftp" | "dav" | "davs") && !rest.is_empty()
                    });
                if !path.is_empty() && !share && !path.starts_with(['/', '~']) {
                    mistakes.add("path", "must be an absolute path or a share such as smb://server/share");
                }
            }
            Target::LocalApplication { program, arguments, start_in, .. } => {
                mistakes.text("program", program, COMMAND_MAX);
                for (field, text) in [("program", program), ("arguments", arguments), ("start_in", start_in)]
                {
                    line(mistakes, field, text);
                }
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

impl Application {
    /// A program with everything else as by default.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            source: Source::default(),
            program: program.into(),
            arguments: String::new(),
            start_in: String::new(),
            on_hosts: Vec::new(),
            window: Window::default(),
            share_session: false,
            one_instance: false,
            extensions: Vec::new(),
        }
    }

    /// Program, arguments and folder on this host, with their variables.
    pub fn on(&self, host: Id<Host>) -> (&str, &str, &str) {
        let other = self.on_hosts.iter().find(|other| other.host == host);
        (
            other.and_then(|other| other.program.as_deref()).unwrap_or(&self.program),
            other.and_then(|other| other.arguments.as_deref()).unwrap_or(&self.arguments),
            other.and_then(|other| other.start_in.as_deref()).unwrap_or(&self.start_in),
        )
    }

    pub(super) fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.text("program", &self.program, COMMAND_MAX);
        line(mistakes, "program", &self.program);
        line(mistakes, "arguments", &self.arguments);
        start_in(mistakes, "start_in", &self.start_in);
        if self.on_hosts.len() > ON_HOSTS_MAX {
            mistakes.add("on_hosts", format!("has more than {ON_HOSTS_MAX} entries"));
        }
        for (index, other) in self.on_hosts.iter().enumerate() {
            if self.on_hosts[..index].iter().any(|before| before.host == other.host) {
                mistakes.add(&format!("on_hosts[{index}].host"), "stands in this list already");
            }
            mistakes.within(&format!("on_hosts[{index}]"), |m| {
                if let Some(program) = &other.program {
                    m.text("program", program, COMMAND_MAX);
                    line(m, "program", program);
                }
                if let Some(arguments) = &other.arguments {
                    line(m, "arguments", arguments);
                }
                if let Some(folder) = &other.start_in {
                    start_in(m, "start_in", folder);
                }
            });
        }
        if self.extensions.len() > EXTENSIONS_MAX {
            mistakes.add("extensions", format!("has more than {EXTENSIONS_MAX} entries"));
        }
        for (index, extension) in self.extensions.iter().enumerate() {
            let good = !extension.is_empty()
                && extension.len() <= 32
                && extension.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.'))
                && !extension.starts_with('.');
            if !good {
                mistakes.add(&format!("extensions[{index}]"), "must be the end of a name, such as odt");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_call_an_application_otherwise() {
        let host = Id::from(uuid::Uuid::from_u128(1));
        let mut application = Application::new("/usr/bin/writer");
        application.on_hosts =
            vec![OnHost { host, program: Some("/opt/writer".into()), arguments: None, start_in: None }];
        assert_eq!(application.on(host).0, "/opt/writer");
        assert_eq!(application.on(Id::from(uuid::Uuid::from_u128(2))).0, "/usr/bin/writer");
    }
}
