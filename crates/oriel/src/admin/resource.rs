//! `oriel resource`.

use std::fs;

use clap::{Args, Subcommand, ValueEnum};
use oriel_model::{Kind, icon::BuiltIn};
use serde_json::{Value, json};

use super::{
    Desk, columns, completion,
    frame::{self, Kept, or_none, put},
    meant::MeantFor,
    objects::{self, Named, SetOptions},
    output,
    publish::Publish,
    words,
};
use crate::failure::{Failure, Outcome};

/// `oriel resource …`
#[derive(Debug, Subcommand)]
pub enum ResourceCommand {
    #[command(flatten)]
    Kept(Box<Kept<AnyFields>>),
    /// Publish something: an installed program by its id, or anything else by its kind
    Publish(Box<Publish>),
    /// List the built-in icons
    Icons,
    /// Say whether a resource, or a folder with all that lies in it, is seen and opened
    Status {
        #[command(flatten)]
        named: Named,
        /// How it is from now on
        #[arg(value_enum)]
        status: Status,
        /// With maintenance: what users read who open it
        #[arg(long, value_name = "TEXT")]
        message: Option<String>,
    },
}

/// Where a resource runs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Where it runs (without: on all hosts)")]
pub struct SourceOptions {
    /// On the hosts of this pool (name or id; can be given several times)
    #[arg(long = "pool", value_name = "POOL", conflicts_with = "hosts")]
    pools: Vec<String>,
    /// On this host (name or id; can be given several times)
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
}

/// What all resources have.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What users see")]
pub struct Fields {
    /// The folder it lies in ("" for the top)
    #[arg(long, value_name = "FOLDER")]
    folder: Option<String>,
    /// What users read, where it is not the name
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Shown below the name
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Its place among its siblings: smaller first
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    order: Option<i32>,
    /// Its icon: a built-in one by its name, from oriel resource icons, or a PNG file ("" for that of its kind)
    #[arg(long, value_name = "NAME|FILE", add = completion::icons())]
    pub(super) icon: Option<String>,
    /// Whether it is seen and opened
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// With --status maintenance: what users read who open it
    #[arg(long, value_name = "TEXT", requires = "status")]
    message: Option<String>,
    /// At most so many uses at a time
    #[arg(long = "max-uses", value_name = "NUMBER")]
    max_uses: Option<u32>,
    /// In this site only (name or id; can be given several times)
    #[arg(long = "in-site", value_name = "SITE")]
    sites: Vec<String>,
    #[command(flatten)]
    meant_for: MeantFor,
}

/// What an existing resource may have.
#[derive(Debug, Clone, Default, Args)]
pub struct AnyFields {
    #[command(flatten)]
    source: SourceOptions,
    #[command(flatten)]
    fields: Fields,
}

/// Whether a resource is seen and opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Status {
    /// Seen and opened
    Enabled,
    /// Not seen
    Disabled,
    /// Seen, but cannot be opened
    Maintenance,
}

impl Status {
    fn value(self, message: Option<&str>) -> Outcome<Value> {
        match (self, message) {
            (Status::Maintenance, message) => {
                Ok(json!({"state": "maintenance", "message": message.unwrap_or_default()}))
            }
            (_, Some(_)) => Err(Failure::Usage("a message is for resources in maintenance".into())),
            (Status::Enabled, None) => Ok(json!({"state": "enabled"})),
            (Status::Disabled, None) => Ok(json!({"state": "disabled"})),
        }
    }
}

impl SourceOptions {
    /// Puts where it runs into a spec.
    pub fn apply(&self, spec: &mut Value) {
        if !self.pools.is_empty() {
            spec["target"]["source"] = json!({"from": "pools", "pools": self.pools});
        } else if !self.hosts.is_empty() {
            spec["target"]["source"] = json!({"from": "hosts", "hosts": self.hosts});
        }
    }
}

impl frame::Fields for Fields {
    fn apply(&self, desk: &Desk, spec: &mut Value) -> Outcome {
        put(spec, "folder", self.folder.as_deref().map(or_none))?;
        put(spec, "title", self.title.as_deref().map(or_none))?;
        put(spec, "description", self.description.as_deref())?;
        put(spec, "order", self.order)?;
        if let Some(icon) = &self.icon {
            put(spec, "icon", self::icon(desk, icon)?)?;
        }
        if let Some(status) = self.status {
            spec["status"] = status.value(self.message.as_deref())?;
        }
        put(spec, "limit.uses", self.max_uses)?;
        put(spec, "sites", (!self.sites.is_empty()).then(|| self.sites.clone()))?;
        put(spec, "rules", self.meant_for.rules())
    }
}

impl frame::Fields for AnyFields {
    fn apply(&self, desk: &Desk, spec: &mut Value) -> Outcome {
        self.source.apply(spec);
        self.fields.apply(desk, spec)
    }
}

/// The icon that is meant: none, a built-in one, or a file's.
fn icon(desk: &Desk, icon: &str) -> Outcome<Option<Value>> {
    if icon.is_empty() {
        return Ok(Some(Value::Null));
    }
    let name = icon.strip_prefix("builtin:").unwrap_or(icon);
    if let Some(icon) = BuiltIn::named(name) {
        return Ok(Some(json!(icon.icon())));
    }
    let png = fs::read(icon).map_err(|error| {
        let names = BuiltIn::all().map(BuiltIn::name);
        let hint = words::did_you_mean(name, names).unwrap_or_else(|| "see oriel resource icons".into());
        Failure::Usage(format!(
            "no built-in icon is called {icon} ({hint}), and no file can be read: {error}"
        ))
    })?;
    send_icon(desk, &png)
}

/// Sends a picture and returns the icon's id; none in a dry run, which sends nothing.
pub fn send_icon(desk: &Desk, png: &[u8]) -> Outcome<Option<Value>> {
    if desk.client.dry_run() {
        return Ok(None);
    }
    Ok(Some(desk.client.post_png("icons", png)?["id"].take()))
}

impl ResourceCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            ResourceCommand::Kept(command) => command.run(desk, Kind::Resource),
            ResourceCommand::Publish(publish) => publish.run(desk),
            ResourceCommand::Icons => {
                let mut set = desk.client.get("icons", &[])?;
                let rows = set["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
                output::rows(desk.format, columns::ICONS, &rows)
            }
            ResourceCommand::Status { named, status, message } => {
                let status = status.value(message.as_deref())?;
                objects::set(desk, Kind::Resource, &named.name, &SetOptions::default(), |spec| {
                    spec["status"] = status;
                    Ok(())
                })
            }
        }
    }
}
