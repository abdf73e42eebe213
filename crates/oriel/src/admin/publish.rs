//! `oriel resource publish`: everything that can be published, each kind with its own options.

use clap::{Args, Subcommand, ValueEnum};
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk, application,
    frame::{Fields as _, put},
    objects::{self, CreateOptions},
    resource::{Fields, SourceOptions, send_icon},
};
use crate::failure::Outcome;

/// `oriel resource publish`
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
pub struct Publish {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    installed: Installed,
}

/// Kinds of resources.
#[derive(Debug, Subcommand)]
enum What {
    /// A folder, in which others lie
    Folder(Plain),
    /// A whole desktop of a session host
    Desktop {
        #[command(flatten)]
        source: SourceOptions,
        #[command(flatten)]
        plain: Plain,
    },
    /// A program of a session host, by its command
    Application {
        #[command(flatten)]
        program: Program,
        #[command(flatten)]
        source: SourceOptions,
        #[command(flatten)]
        plain: Plain,
    },
    /// A file, opened with a published application
    Document {
        /// The file, as the session host finds it
        #[arg(long)]
        path: String,
        /// The published application that opens it (name or id)
        #[arg(long)]
        application: String,
        #[command(flatten)]
        plain: Plain,
    },
    /// A web page, in the user's own browser or a published one
    Web {
        /// Its address, such as https://wiki.example
        #[arg(long, value_name = "URL")]
        address: String,
        /// The published browser that shows it (name or id); otherwise the user's own
        #[arg(long)]
        browser: Option<String>,
        #[command(flatten)]
        plain: Plain,
    },
    /// A folder of the network, opened on a session host
    NetworkFolder {
        /// The folder: a path on the host, or a share such as smb://server/share
        #[arg(long)]
        path: String,
        /// The published application that shows it (name or id); otherwise the host's file manager
        #[arg(long)]
        application: Option<String>,
        #[command(flatten)]
        source: SourceOptions,
        #[command(flatten)]
        plain: Plain,
    },
    /// A program of the user's own device
    Local {
        /// The program
        #[arg(long)]
        program: String,
        /// Its arguments
        #[arg(long, default_value = "", allow_hyphen_values = true)]
        arguments: String,
        /// The folder it starts in
        #[arg(long, default_value = "")]
        start_in: String,
        /// An operating system that it exists on (can be given several times); otherwise all
        #[arg(long = "system", value_enum, value_name = "SYSTEM")]
        systems: Vec<System>,
        #[command(flatten)]
        plain: Plain,
    },
}

/// A program that is installed on a host: name, command and icon come from there.
#[derive(Debug, Args)]
struct Installed {
    /// Id of the program, from `oriel host apps HOST`
    #[arg(required = true)]
    app: Option<String>,
    /// Host on which the program is installed
    #[arg(long, value_name = "HOST", required = true)]
    from_host: Option<String>,
    /// Name as users see it; otherwise the program's own
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    sharing: Sharing,
    #[command(flatten)]
    source: SourceOptions,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    options: CreateOptions,
}

/// What every kind has.
#[derive(Debug, Args)]
struct Plain {
    /// Name, as users see it
    name: String,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    options: CreateOptions,
}

/// What an application runs.
#[derive(Debug, Args)]
struct Program {
    /// The program: an absolute path, or a name that the host finds in its path
    #[arg(long)]
    program: String,
    /// Its arguments, quoted as in a shell
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    arguments: String,
    /// The folder it starts in; otherwise the user's home
    #[arg(long, default_value = "")]
    start_in: String,
    /// The end of names of files that it opens, such as odt (can be given several times)
    #[arg(long = "extension", value_name = "END")]
    extensions: Vec<String>,
    #[command(flatten)]
    sharing: Sharing,
}

/// Which session an application opens in.
#[derive(Debug, Args)]
struct Sharing {
    /// Open it in the user's running session, if there is one that may be shared
    #[arg(long)]
    share_session: bool,
    /// At most one instance for each user: the running one is brought to them
    #[arg(long)]
    one_instance: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum System {
    Windows,
    MacOs,
    Linux,
    ChromeOs,
    Android,
    Ios,
    Other,
}

impl Publish {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self.what {
            Some(what) => what.run(desk),
            None => self.installed.run(desk),
        }
    }
}

impl What {
    fn run(self, desk: &Desk) -> Outcome {
        match self {
            What::Folder(plain) => plain.make(desk, json!({"kind": "folder"}), None),
            What::Desktop { source, plain } => plain.make(desk, json!({"kind": "desktop"}), Some(&source)),
            What::Application { program, source, plain } => plain.make(desk, program.target(), Some(&source)),
            What::Document { path, application, plain } => {
                plain.make(desk, json!({"kind": "document", "path": path, "application": application}), None)
            }
            What::Web { address, browser, plain } => {
                plain.make(desk, json!({"kind": "web_application", "url": address, "browser": browser}), None)
            }
            What::NetworkFolder { path, application, source, plain } => {
                let target = json!({"kind": "network_folder", "path": path, "application": application});
                plain.make(desk, target, Some(&source))
            }
            What::Local { program, arguments, start_in, systems, plain } => {
                let word =
                    |system: &System| system.to_possible_value().map(|value| value.get_name().to_owned());
                let systems: Vec<_> = systems.iter().filter_map(word).collect();
                let target = json!({
                    "kind": "local_application", "program": program, "arguments": arguments,
                    "start_in": start_in, "systems": systems,
                });
                plain.make(desk, target, None)
            }
        }
    }
}

impl Program {
    fn target(&self) -> Value {
        json!({
            "kind": "application", "program": self.program, "arguments": self.arguments,
            "start_in": self.start_in, "extensions": self.extensions,
            "share_session": self.sharing.share_session, "one_instance": self.sharing.one_instance,
        })
    }
}

impl Plain {
    fn make(&self, desk: &Desk, target: Value, source: Option<&SourceOptions>) -> Outcome {
        let mut spec = json!({"target": target});
        if let Some(source) = source {
            source.apply(&mut spec);
        }
        self.fields.apply(desk, &mut spec)?;
        objects::create(desk, Kind::Resource, &self.name, &self.options, spec)
    }
}

impl Installed {
    fn run(self, desk: &Desk) -> Outcome {
        // Clap lets nobody by without both; they are optional for the other kinds only.
        let (host, app) = (self.from_host.unwrap_or_default(), self.app.unwrap_or_default());
        let app = application::one(desk, &host, &app)?;
        let text = |field: &str| app[field].as_str().unwrap_or_default();
        let name = self.name.as_deref().unwrap_or(text("name"));
        let mut spec = json!({
            "target": {
                "kind": "application", "program": text("program"), "arguments": text("arguments"),
                "share_session": self.sharing.share_session, "one_instance": self.sharing.one_instance,
            },
            "description": text("comment"),
        });
        if self.fields.icon.is_none()
            && let Some(png) = application::icon(&app)
        {
            put(&mut spec, "icon", send_icon(desk, &png)?)?;
        }
        self.source.apply(&mut spec);
        self.fields.apply(desk, &mut spec)?;
        objects::create(desk, Kind::Resource, name, &self.options, spec)
    }
}
