//! What the program says: progress in plain lines on standard error, results as one JSON object per
//! line on standard output, which `scripts/bench.mjs` makes into a table.

use serde::Serialize;

/// One line of the table.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The part of the table.
    pub part: &'static str,
    /// What was measured.
    pub what: String,
    /// The figures, in words.
    pub result: String,
    /// What is aimed at, or what to compare with; may be empty.
    pub aim: String,
}

/// Says what goes on.
pub fn progress(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// Hands over a result.
pub fn row(part: &'static str, what: impl Into<String>, result: impl Into<String>, aim: impl Into<String>) {
    let row = Row { part, what: what.into(), result: result.into(), aim: aim.into() };
    println!("{}", serde_json::to_string(&row).expect("text always has a JSON form"));
}
