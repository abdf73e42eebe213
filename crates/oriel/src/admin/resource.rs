//! `oriel resource`.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    Desk, Format, application, group, host, names,
    objects::{self, CreateOptions, ListOptions, Named, Noun, SetOptions},
    output::{self, Column},
    pool, user,
};
use crate::failure::{Failure, Outcome};

/// Published resources.
pub static NOUN: Noun = Noun {
    path: "resources",
    word: "resource",
    command: "resource",
    columns: &[
        Column::plain("NAME", "/name"),
        Column::plain("KIND", "/spec/target/kind"),
        Column::plain("FOLDER", "/spec/folder"),
        Column::plain("STATUS", "/spec/status/state"),
        Column::plain("PROGRAM", "/spec/target/program"),
        Column::plain("FOR", "/for"),
        Column::plain("ID", "/id"),
    ],
    refers: &[(&NOUN, "/spec/folder")],
};

/// `oriel resource …`
#[derive(Debug, Subcommand)]
pub enum ResourceCommand {
    /// List what is published
    List(ListOptions),
    /// Show a resource
    Show(Named),
    /// Publish a program that is installed on a host: name, command and icon come from there
    Publish(Publish),
    /// Make a folder
    CreateFolder {
        /// Name of the folder
        name: String,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        options: CreateOptions,
    },
    /// Publish a whole desktop
    CreateDesktop {
        /// Name of the desktop, as users see it
        name: String,
        #[command(flatten)]
        source: SourceOptions,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        options: CreateOptions,
    },
    /// Publish a program by its command
    CreateApplication {
        /// Name of the program, as users see it
        name: String,
        #[command(flatten)]
        program: Program,
        #[command(flatten)]
        source: SourceOptions,
        #[command(flatten)]
        fields: Fields,
        #[command(flatten)]
        options: CreateOptions,
    },
    /// Change a resource
    Set {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        source: SourceOptions,
        #[command(flatten)]
        fields: Fields,
        /// Everybody may see it again
        #[arg(long, conflicts_with_all = ["groups", "users"])]
        everybody: bool,
        #[command(flatten)]
        options: SetOptions,
    },
    /// Delete a resource, or a folder in which nothing lies
    Delete(Named),
}

/// `oriel resource publish`.
#[derive(Debug, Args)]
pub struct Publish {
    /// Id of the program, from `oriel host apps HOST`
    app: String,
    /// Host on which the program is installed
    #[arg(long, value_name = "HOST")]
    from_host: String,
    /// Name as users see it; otherwise the program's own
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Open it in the user's running session, if there is one that may be shared
    #[arg(long)]
    share_session: bool,
    #[command(flatten)]
    source: SourceOptions,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    options: CreateOptions,
}

/// What an application runs.
#[derive(Debug, Args)]
pub struct Program {
    /// The program: an absolute path, or a name that the host finds in its path
    #[arg(long)]
    program: String,
    /// Its arguments, quoted as in a shell
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    arguments: String,
    /// The folder it starts in; otherwise the user's home
    #[arg(long, default_value = "")]
    start_in: String,
    /// Open it in the user's running session, if there is one that may be shared
    #[arg(long)]
    share_session: bool,
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
    /// Shown below the name
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Its place among its siblings: smaller first
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    order: Option<i32>,
    /// Its icon, a PNG file
    #[arg(long, value_name = "FILE")]
    icon: Option<PathBuf>,
    /// Whether it is seen and opened
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// What users read who open it while it is in maintenance
    #[arg(long, value_name = "TEXT", requires = "status")]
    message: Option<String>,
    /// Only members of this group see it (name or id; can be given several times)
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Only this user sees it (name or id; can be given several times)
    #[arg(long = "user", value_name = "USER")]
    users: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    /// Seen and opened
    Enabled,
    /// Not seen
    Disabled,
    /// Seen, but cannot be opened
    Maintenance,
}

impl SourceOptions {
    fn apply(&self, desk: &Desk, spec: &mut Value) -> Outcome {
        let source = if !self.pools.is_empty() {
            json!({"from": "pools", "pools": names::ids(&desk.client, &pool::NOUN, &self.pools)?})
        } else if !self.hosts.is_empty() {
            json!({"from": "hosts", "hosts": names::ids(&desk.client, &host::NOUN, &self.hosts)?})
        } else {
            return Ok(());
        };
        spec["target"]["source"] = source;
        Ok(())
    }
}

impl Fields {
    fn apply(&self, desk: &Desk, spec: &mut Value) -> Outcome {
        if let Some(folder) = &self.folder {
            spec["folder"] = match folder.as_str() {
                "" => Value::Null,
                name => names::id(&desk.client, &NOUN, name)?.into(),
            };
        }
        if let Some(description) = &self.description {
            spec["description"] = description.as_str().into();
        }
        if let Some(order) = self.order {
            spec["order"] = order.into();
        }
        if let Some(path) = &self.icon {
            let png = fs::read(path)
                .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", path.display())))?;
            spec["icon"] = send_icon(desk, &png)?;
        }
        if let Some(status) = self.status {
            let message = self.message.as_deref().unwrap_or_default();
            spec["status"] = match status {
                Status::Enabled => json!({"state": "enabled"}),
                Status::Disabled => json!({"state": "disabled"}),
                Status::Maintenance => json!({"state": "maintenance", "message": message}),
            };
        }
        let mut rules = Vec::new();
        for (noun, kind, named) in [(&group::NOUN, "group", &self.groups), (&user::NOUN, "user", &self.users)]
        {
            if !named.is_empty() {
                let objects = names::ids(&desk.client, noun, named)?;
                rules.push(allow(kind, &named.join(", "), &objects));
            }
        }
        if !rules.is_empty() {
            spec["rules"] = json!({"rules": rules, "otherwise": "deny"});
        }
        Ok(())
    }
}

/// One rule that lets these users or groups in.
fn allow(kind: &str, names: &str, objects: &[String]) -> Value {
    let name: String = format!("for {kind} {names}").chars().take(255).collect();
    json!({"name": name, "effect": "allow", "criteria": [{"type": kind, "objects": objects}]})
}

/// Sends a picture and returns the icon's id.
fn send_icon(desk: &Desk, png: &[u8]) -> Outcome<Value> {
    Ok(desk.client.post_png("icons", png)?["id"].take())
}

impl ResourceCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            ResourceCommand::List(options) => list(desk, &options),
            ResourceCommand::Show(named) => objects::show(desk, &NOUN, &named),
            ResourceCommand::Publish(publish) => publish.run(desk),
            ResourceCommand::CreateFolder { name, fields, options } => {
                let mut spec = json!({"target": {"kind": "folder"}});
                fields.apply(desk, &mut spec)?;
                objects::create(desk, &NOUN, &name, &options, spec)
            }
            ResourceCommand::CreateDesktop { name, source, fields, options } => {
                let mut spec = json!({"target": {"kind": "desktop"}});
                source.apply(desk, &mut spec)?;
                fields.apply(desk, &mut spec)?;
                objects::create(desk, &NOUN, &name, &options, spec)
            }
            ResourceCommand::CreateApplication { name, program, source, fields, options } => {
                let Program { program, arguments, start_in, share_session } = program;
                let mut spec = json!({"target": {
                    "kind": "application", "program": program, "arguments": arguments,
                    "start_in": start_in, "share_session": share_session,
                }});
                source.apply(desk, &mut spec)?;
                fields.apply(desk, &mut spec)?;
                objects::create(desk, &NOUN, &name, &options, spec)
            }
            ResourceCommand::Set { named, source, fields, everybody, options } => {
                objects::set(desk, &NOUN, &named, &options, |spec| {
                    source.apply(desk, spec)?;
                    fields.apply(desk, spec)?;
                    if everybody {
                        spec["rules"] = json!({"rules": [], "otherwise": "allow"});
                    }
                    Ok(())
                })
            }
            ResourceCommand::Delete(named) => objects::delete(desk, &NOUN, &named),
        }
    }
}

impl Publish {
    fn run(self, desk: &Desk) -> Outcome {
        let app = application::one(desk, &self.from_host, &self.app)?;
        let text = |field: &str| app[field].as_str().unwrap_or_default();
        let name = self.name.as_deref().unwrap_or(text("name"));
        let mut spec = json!({
            "target": {
                "kind": "application", "program": text("program"), "arguments": text("arguments"),
                "share_session": self.share_session,
            },
            "description": text("comment"),
        });
        if self.fields.icon.is_none()
            && let Some(png) = application::icon(&app)
        {
            spec["icon"] = send_icon(desk, &png)?;
        }
        self.source.apply(desk, &mut spec)?;
        self.fields.apply(desk, &mut spec)?;
        objects::create(desk, &NOUN, name, &self.options, spec)
    }
}

/// Lists resources; in the table with whom they are for, in words.
fn list(desk: &Desk, options: &ListOptions) -> Outcome {
    if desk.format == Format::Json {
        return objects::list(desk, &NOUN, options);
    }
    let query: Vec<_> = options.filter.as_deref().map(|part| ("name", part)).into_iter().collect();
    let mut rows = desk.client.list(NOUN.path, &query)?;
    names::show_names(&desk.client, &NOUN, "/spec/folder", &mut rows)?;
    for row in &mut rows {
        row["for"] = meant_for(&row["spec"]["rules"]).into();
    }
    output::rows(desk.format, NOUN.columns, &rows)
}

/// Whom rules let in, as far as few words can say it.
fn meant_for(rules: &Value) -> String {
    let entries = rules["rules"].as_array().map_or(&[][..], Vec::as_slice);
    match (entries, rules["otherwise"].as_str()) {
        ([], Some("deny")) => "nobody".into(),
        ([], _) => "everybody".into(),
        ([only], Some("deny")) => {
            only["name"].as_str().filter(|name| !name.is_empty()).unwrap_or("1 rule").into()
        }
        (several, _) => format!("{} rules", several.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_in_few_words() {
        assert_eq!(meant_for(&Value::Null), "everybody");
        assert_eq!(meant_for(&json!({"rules": [], "otherwise": "deny"})), "nobody");
        let one = json!({"rules": [allow("group", "Office", &[])], "otherwise": "deny"});
        assert_eq!(meant_for(&one), "for group Office");
    }

    #[test]
    fn the_rule_that_is_sent_is_one_that_the_model_reads() {
        let id = "0192f0c1-2b7a-7c3e-9d55-0e6f3a1b2c4d".to_owned();
        let rules = json!({"rules": [allow("group", "Office", &[id])], "otherwise": "deny"});
        let rules: oriel_model::rule::Rules = serde_json::from_value(rules).expect("readable");
        assert_eq!(rules.rules.len(), 1);
    }
}
