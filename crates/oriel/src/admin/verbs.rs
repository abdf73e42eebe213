//! The verbs for any kind of settings object: `oriel get KIND`, `set`, `create`, `delete`.

use clap::Args;
use oriel_model::Kind;
use serde_json::json;

use super::{
    Desk, columns, completion,
    objects::{self, CreateOptions, Deletion, Named, Narrow, SetOptions},
    output, words,
};
use crate::failure::{Failure, Outcome};

/// `oriel get`
#[derive(Debug, Args)]
pub struct Get {
    /// Kind of object
    #[arg(value_name = "KIND", value_parser = words::kinds())]
    kind: Kind,
    /// Only this one (name or id)
    #[arg(value_name = "NAME", add = completion::objects())]
    name: Option<String>,
    #[command(flatten)]
    narrow: Narrow,
}

/// `oriel used-by`
#[derive(Debug, Args)]
pub struct UsedBy {
    /// Kind of object
    #[arg(value_name = "KIND", value_parser = words::kinds())]
    kind: Kind,
    #[command(flatten)]
    named: Named,
}

/// `oriel create`
#[derive(Debug, Args)]
pub struct Create {
    /// Kind of object
    #[arg(value_name = "KIND", value_parser = words::kinds())]
    kind: Kind,
    /// Name of the new object
    name: String,
    #[command(flatten)]
    options: CreateOptions,
}

/// `oriel set`
#[derive(Debug, Args)]
pub struct Set {
    /// Kind of object
    #[arg(value_name = "KIND", value_parser = words::kinds())]
    kind: Kind,
    /// Name or id; of the farm, which there is only one of, none
    #[arg(value_name = "NAME", add = completion::objects())]
    name: String,
    #[command(flatten)]
    options: SetOptions,
}

/// `oriel delete`
#[derive(Debug, Args)]
pub struct Delete {
    /// Kind of object
    #[arg(value_name = "KIND", value_parser = words::kinds())]
    kind: Kind,
    #[command(flatten)]
    deletion: Deletion,
}

impl Get {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self.name {
            None => objects::list(desk, self.kind, &objects::ListOptions { name: None, narrow: self.narrow }),
            Some(name) => {
                let list_only = [
                    ("--site", self.narrow.site.is_some()),
                    ("--filter", !self.narrow.filter.is_empty()),
                    ("--sort", self.narrow.sort.is_some()),
                    ("--limit", self.narrow.limit.is_some()),
                    ("--count", self.narrow.count),
                ];
                if let Some((option, _)) = list_only.iter().find(|(_, given)| *given) {
                    return Err(Failure::Usage(format!("{option} is for lists: leave out \"{name}\"")));
                }
                if self.narrow.fields.is_empty() {
                    return objects::show(desk, self.kind, &Named { name });
                }
                let object = super::names::find(&desk.client, self.kind, &name)?;
                objects::print(desk, self.kind, &mut [object], &self.narrow.fields)
            }
        }
    }
}

impl UsedBy {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let object = super::names::find(&desk.client, self.kind, &self.named.name)?;
        let path = format!("{}/{}/references", self.kind.plural(), super::names::id_of(&object));
        // A list says nothing of what lies beyond its pages; one entry is enough to ask.
        let is_hidden = desk.client.get(&path, &[("limit", "1")])?["hidden"] == true;
        output::rows(desk.format, columns::REFERRERS, &desk.client.list(&path, &[])?)?;
        if is_hidden {
            eprintln!("Something that you may not see refers to it, too.");
        }
        Ok(())
    }
}

impl Create {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        objects::create(desk, self.kind, &self.name, &self.options, json!({}))
    }
}

impl Set {
    pub(super) fn run(mut self, desk: &Desk) -> Outcome {
        if self.kind == Kind::Farm && self.name.contains('=') {
            let edits = &mut self.options.others.edits;
            *edits = std::mem::take(edits).first(&self.name);
        }
        objects::set(desk, self.kind, &self.name, &self.options, |_| Ok(()))
    }
}

impl Delete {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        objects::delete(desk, self.kind, &self.deletion)
    }
}
