//! The farm as files: `oriel apply`, `diff`, `export`, `import`, and `oriel revert`.

use std::path::PathBuf;

use clap::Args;
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk, Format, completion,
    connection::write_private,
    documents::{self, Documents},
    names, objects, output,
    plan::{self, Asking, Plan, Stage},
    secret, words, yaml,
};
use crate::failure::{Failure, Outcome};

/// `oriel apply`
#[derive(Debug, Args)]
pub struct Apply {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    asking: Asking,
}

/// `oriel diff`
#[derive(Debug, Args)]
pub struct Diff {
    #[command(flatten)]
    files: Files,
    /// Exit with 9 when there are differences
    #[arg(long)]
    exit_code: bool,
}

/// Files with documents.
#[derive(Debug, Args)]
struct Files {
    /// File with documents in YAML or JSON, a folder of such files, or - for standard input (can be given
    /// several times: all are one transaction)
    #[arg(short, long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl Apply {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let documents = self.files.read()?;
        plan::carry_out(desk, &self.asking, |stage| send(desk, &documents, stage))
    }
}

impl Diff {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let documents = self.files.read()?;
        let plan = Plan::new(send(desk, &documents, Stage::Planned)?);
        plan.print(desk)?;
        if self.exit_code && !plan.is_empty() {
            return Err(Failure::Different("the farm differs from the files".into()));
        }
        Ok(())
    }
}

impl Files {
    fn read(&self) -> Outcome<Documents> {
        let documents = Documents::read(&self.files)?;
        if documents.count() == 0 {
            return Err(Failure::Usage("there are no documents in it: nothing was sent".into()));
        }
        Ok(documents)
    }
}

fn send(desk: &Desk, documents: &Documents, stage: Stage) -> Outcome<Value> {
    let body = json!({"documents": documents.to_send()});
    plan::send(desk, "apply", &body, stage).map_err(|failure| documents.with_places(failure))
}

/// `oriel export`
#[derive(Debug, Args)]
pub struct Export {
    /// Write it to this file, readable only by its owner, instead of printing it
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Also export secrets (passwords, keys), sealed under the passphrase on the first line of this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Also the farm's own keys, so that oriel broker restore can make this farm anew with them. Whoever has
    /// the file and its passphrase can make certificates that this farm trusts
    #[arg(long, requires = "passphrase_file")]
    farm_keys: bool,
    /// Only the documents, one after the other, without icons and secrets: for reading and for oriel apply
    #[arg(long, conflicts_with = "passphrase_file")]
    documents: bool,
    /// With --documents: only objects of this kind
    #[arg(long, value_name = "KIND", requires = "documents", value_parser = words::kinds())]
    kind: Option<Kind>,
    /// With --documents: only objects of this site
    #[arg(long, value_name = "SITE", requires = "documents")]
    site: Option<String>,
}

impl Export {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let text = if self.documents {
            self.only_documents(desk)?
        } else {
            let passphrase = self.passphrase_file.as_deref().map(secret::from_file).transpose()?;
            let body = match &passphrase {
                Some(passphrase) => json!({"passphrase": passphrase.as_str(), "farm_keys": self.farm_keys}),
                None => json!({}),
            };
            let archive = desk.client.ask("export", &body)?;
            if passphrase.is_none() {
                eprintln!("Without --passphrase-file no passwords and keys are in it.");
            }
            written(desk.format, &archive)?
        };
        match self.file {
            None => output::print(&text),
            Some(path) => {
                write_private(&path, text.as_bytes())
                    .map_err(|error| Failure::Refused(format!("cannot write {}: {error}", path.display())))?;
                output::print(&format!("Exported to {}.\n", path.display()))
            }
        }
    }

    fn only_documents(&self, desk: &Desk) -> Outcome<String> {
        let mut query = Vec::new();
        query.extend(self.kind.map(|kind| ("kind", kind.to_string())));
        if let Some(site) = &self.site {
            query.push(("site", names::id(&desk.client, Kind::Site, site)?));
        }
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = desk.client.get("documents", &query)?;
        let documents =
            [&answer["documents"], &answer["items"], &answer].into_iter().find_map(Value::as_array);
        let documents = documents.map_or(&[][..], Vec::as_slice);
        if desk.format == Format::Json {
            return written(desk.format, &Value::Array(documents.to_vec()));
        }
        documents.iter().map(|document| Ok(format!("---\n{}", yaml::write(document)?))).collect()
    }
}

/// A file: YAML unless JSON is asked for.
fn written(format: Format, value: &Value) -> Outcome<String> {
    match format {
        Format::Json => serde_json::to_string_pretty(value)
            .map(|text| text + "\n")
            .map_err(|error| Failure::Refused(format!("cannot write JSON: {error}"))),
        _ => yaml::write(value),
    }
}

/// `oriel import`
#[derive(Debug, Args)]
pub struct Import {
    /// What oriel export wrote; - for standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// File with the passphrase under which its secrets are sealed, on its first line
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Also into a farm that is not empty: what is not in the file is deleted
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Import {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let archive = documents::archive(&self.file)?;
        let passphrase = self.passphrase_file.as_deref().map(secret::from_file).transpose()?;
        let mut body = json!({"archive": archive.value()});
        if let Some(passphrase) = &passphrase {
            body["passphrase"] = passphrase.as_str().into();
        }
        if self.replace {
            body["replace"] = true.into();
        }
        // The archive says all that shall be, whatever was changed since it was planned.
        plan::carry_out(desk, &self.asking, |stage| match stage {
            Stage::Planned => plan::send(desk, "import", &body, stage),
            Stage::Done(_) => plan::send(desk, "import", &body, Stage::Done(None)),
        })
        .map_err(|failure| match failure {
            Failure::Conflict(text) if !self.replace => Failure::Conflict(format!("{text} Here: --replace")),
            failure => failure,
        })
    }
}

/// `oriel revert`
#[derive(Debug, Args)]
pub struct Revert {
    /// Number of the change that is undone, from oriel log: 7 where it says "change 7"
    #[arg(value_name = "NUMBER")]
    sequence: Option<u64>,
    /// Undo everything that was changed together with it: all of one oriel apply, or of one import
    #[arg(long, requires = "sequence")]
    transaction: bool,
    /// Instead, undo all changes after the one with this number
    #[arg(long, value_name = "NUMBER", conflicts_with = "sequence")]
    to: Option<u64>,
    /// Instead, undo all changes since this time, such as 2026-12-01T08:00 or 3h
    #[arg(long, value_name = "TIME", conflicts_with_all = ["sequence", "to"], value_parser = super::log::moment)]
    since: Option<jiff::Timestamp>,
    #[command(flatten)]
    asking: Asking,
}

impl Revert {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let (path, body) = match (self.sequence, self.to) {
            (None, None) if self.since.is_some() => ("revert".to_owned(), json!({"since": self.since})),
            (Some(sequence), _) => {
                (format!("changes/{sequence}/revert"), json!({"transaction": self.transaction}))
            }
            (None, Some(to)) => ("revert".to_owned(), json!({"to": to})),
            (None, None) => {
                let message = "say which change: its NUMBER from oriel log (\"change 7\"), or --to NUMBER to undo all after it, or --since TIME";
                return Err(Failure::Usage(message.into()));
            }
        };
        plan::carry_out(desk, &self.asking, |stage| plan::send(desk, &path, &body, stage)).map_err(
            |failure| match (failure, self.sequence) {
                (Failure::Conflict(text), Some(sequence)) => Failure::Conflict(format!(
                    "{text} To undo this change and all after it: oriel revert --to {}",
                    sequence.saturating_sub(1)
                )),
                (failure, _) => failure,
            },
        )
    }
}

/// `oriel site copy`
#[derive(Debug, Args)]
pub struct CopySite {
    /// The site whose settings are copied (name or id)
    #[arg(add = completion::objects())]
    from: String,
    /// Copy them to this site (name or id; can be given several times)
    #[arg(long, value_name = "SITE", required = true)]
    to: Vec<String>,
    /// Copy this section: host_defaults, balancing_defaults, clients or publishing (can be given several
    /// times)
    #[arg(long = "section", value_name = "SECTION", required = true, value_parser = sections())]
    sections: Vec<String>,
    /// Keep them in step from now on: what this site says holds there too
    #[arg(long)]
    keep_in_step: bool,
    #[command(flatten)]
    asking: Asking,
}

fn sections() -> clap::builder::PossibleValuesParser {
    oriel_model::site::SiteSection::ALL.map(|section| section.as_str()).into()
}

impl CopySite {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let from = names::find(&desk.client, Kind::Site, &self.from)?;
        let to: Outcome<Vec<_>> =
            self.to.iter().map(|name| names::id(&desk.client, Kind::Site, name)).collect();
        let body = json!({"sections": self.sections, "to": to?, "keep_in_step": self.keep_in_step});
        let path = format!("{}/copy", objects::address(Kind::Site, &from));
        plan::carry_out(desk, &self.asking, |stage| match stage {
            Stage::Planned => plan::send(desk, &path, &body, stage),
            Stage::Done(_) => plan::send(desk, &path, &body, Stage::Done(None)),
        })
    }
}
