//! `oriel changes`.

use clap::Args;
use serde_json::Value;

use super::{
    Desk,
    output::{self, Column},
};
use crate::failure::Outcome;

const COLUMNS: [Column; 8] = [
    Column::plain("NUMBER", "/sequence"),
    Column::plain("AT", "/at"),
    Column::plain("BY", "/author/name"),
    Column::plain("VIA", "/author/via"),
    Column::plain("ADDRESS", "/author/address"),
    Column::plain("DID", "/action"),
    Column::plain("KIND", "/kind"),
    Column::plain("NAME", "/name"),
];

/// `oriel changes`
#[derive(Debug, Args)]
pub struct Changes {
    /// Only changes of objects of this kind, such as user or resource
    #[arg(long)]
    kind: Option<String>,
    /// Only changes of the object with this id
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// Only changes before the one with this number
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// Most changes shown
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
}

impl Changes {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let mut query = vec![("limit", self.limit.to_string())];
        query.extend(self.kind.map(|kind| ("kind", kind)));
        query.extend(self.object.map(|object| ("object", object)));
        query.extend(self.before.map(|before| ("before", before.to_string())));
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = desk.client.get("changes", &query)?;
        let rows: Vec<Value> = answer["items"].as_array().cloned().unwrap_or_default();
        output::rows(desk.format, &COLUMNS, &rows)
    }
}
