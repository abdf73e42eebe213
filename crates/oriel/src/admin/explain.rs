//! `oriel explain`: what a kind of settings object holds, field by field.

use clap::Args;
use oriel_model::Kind;
use serde_json::json;

use super::{
    Format, completion, output, path,
    schema::{Field, Schema},
    words,
};
use crate::failure::{Failure, Outcome};

/// `oriel explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// Kind of object
    #[arg(value_name = "KIND", value_parser = words::kinds())]
    kind: Kind,
    /// One of its fields, such as settings or target.source
    #[arg(value_name = "FIELD", add = completion::fields())]
    field: Option<String>,
}

impl Explain {
    pub(super) fn run(self, format: Format) -> Outcome {
        let schema = Schema::of(self.kind);
        let steps = match &self.field {
            Some(field) => path::parse(field)?,
            None => Vec::new(),
        };
        if schema.at(&steps).is_empty() {
            return Err(unknown_field(self.kind, &schema, self.field.as_deref().unwrap_or_default()));
        }
        let about = schema.about(&steps).unwrap_or_default();
        let fields = schema.fields(&steps);
        if !format.is_for_people() {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| {
                    json!({"name": field.name, "holds": field.holds, "about": field.about,
                    "variant": field.variant, "required": field.required, "default": field.default})
                })
                .collect();
            let holds = schema.holds(&steps);
            let answer = json!({"kind": self.kind, "field": self.field, "about": about, "holds": holds, "fields": fields});
            return output::value(format, &answer);
        }
        let mut text = match &self.field {
            Some(field) => format!("{} {field}: {}\n\n{about}\n", self.kind, schema.holds(&steps)),
            None => format!("{}: {}\n\n{about}\n", self.kind, self.kind.about()),
        };
        if !fields.is_empty() {
            text += "\nFields\n";
            text += &listed(&fields);
        }
        output::print(&text)
    }
}

/// The fields that are always there, then those of each variant.
fn listed(fields: &[Field]) -> String {
    let mut text = String::new();
    let mut variant = &None;
    for field in fields {
        if &field.variant != variant {
            variant = &field.variant;
            if let Some(variant) = variant {
                text += &format!("\nWith {variant}\n");
            }
        }
        let required = if field.required { ", required" } else { "" };
        let default =
            field.default.as_ref().map(|default| format!(", by default {}", output::plain(default)));
        let default = default.unwrap_or_default();
        text += &format!("  {}  <{}{required}{default}>\n", field.name, field.holds);
        if !field.about.is_empty() {
            text += &output::wrapped(&field.about, 6);
        }
    }
    text
}

/// Says that a kind has no such field, and which it may have meant.
fn unknown_field(kind: Kind, schema: &Schema, field: &str) -> Failure {
    let paths = schema.paths();
    let hint = words::did_you_mean(field, paths.iter().map(|(path, _)| path.as_str()));
    let hint = hint.unwrap_or_else(|| format!("see oriel explain {kind}"));
    Failure::Usage(format!("a {kind} has no field \"{field}\": {hint}"))
}
