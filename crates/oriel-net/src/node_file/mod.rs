//! A node's own file: what only this machine knows (addresses to listen on, the data directory,
//! the store). Everything else is a settings object in the store.
//!
//! A file is checked against a declared list of [`Field`]s before it is deserialised, so that all
//! its mistakes are reported at once, each with its key and line. Unknown keys are mistakes.

mod check;
mod field;

use std::{
    fmt, fs, io,
    io::Read,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

pub use field::{Field, Kind, Presence};

/// The longest node file that is read, in bytes: a hundred times what one needs.
pub const MAX_FILE: u64 = 64 * 1024;

/// A type that is read from a node file. Its serde shape follows its fields: a key `listen.web` is
/// field `web` of a struct in field `listen`.
pub trait NodeFile: DeserializeOwned {
    /// Every key that the file may have.
    const FIELDS: &'static [Field];

    /// Mistakes that show only when several keys are seen together, as (key, sentence).
    fn contradictions(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Something wrong with a node file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The full key, such as `listen.web`; empty where the text is not TOML.
    pub key: String,
    /// The line, from 1; `None` for what is missing.
    pub line: Option<usize>,
    /// A sentence that goes after the key.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{} ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Why a node file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read the node file {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It has mistakes; these are all of them.
    #[error("the node file {path} has {}:{}", count(.mistakes), list(.mistakes))]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// In the file's order, what is missing last.
        mistakes: Vec<Mistake>,
    },
}

/// Reads a node file.
pub fn load<T: NodeFile>(path: &Path) -> Result<T, FileError> {
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text))
        .and_then(|read| match read as u64 > MAX_FILE {
            true => Err(io::Error::other(format!("it is longer than {MAX_FILE} bytes"))),
            false => Ok(()),
        })
        .map_err(|error| FileError::Io { path: path.into(), error })?;
    parse(&text).map_err(|mistakes| FileError::Mistakes { path: path.into(), mistakes })
}

/// Reads the text of a node file, or reports everything that is wrong with it.
pub fn parse<T: NodeFile>(text: &str) -> Result<T, Vec<Mistake>> {
    let check::Checked { values, lines } = check::check(text, T::FIELDS)?;
    // What the fields allow, the type takes; if not, the two were declared differently.
    let read: T = toml::Value::Table(values).try_into().map_err(|error: toml::de::Error| {
        vec![Mistake { key: String::new(), line: None, message: error.message().to_owned() }]
    })?;
    let mistakes: Vec<_> = read
        .contradictions()
        .into_iter()
        .map(|(key, message)| Mistake { key: key.to_owned(), line: lines.get(key).copied(), message })
        .collect();
    if mistakes.is_empty() { Ok(read) } else { Err(mistakes) }
}

/// A commented example with every key at its default, for `--help` and the documentation.
/// Keys without a default are commented out.
pub fn example(fields: &[Field]) -> String {
    let mut text = String::new();
    let mut section = "";
    // A key after a section header would belong to that section: those without one go first.
    let (bare, in_sections): (Vec<&Field>, Vec<&Field>) =
        fields.iter().partition(|field| !field.key.contains('.'));
    for field in bare.into_iter().chain(in_sections) {
        let (table, key) = field.key.rsplit_once('.').unwrap_or(("", field.key));
        if table != section {
            text += &format!("[{table}]\n");
            section = table;
        }
        for line in field.help.lines() {
            text += &format!("# {line}\n");
        }
        text += &match field.presence {
            Presence::Default(value) => format!("{key} = {value}\n\n"),
            Presence::Required => format!("# Required. {}\n# {key} =\n\n", field.kind.expected()),
            Presence::Optional => format!("# {}\n# {key} =\n\n", field.kind.expected()),
        };
    }
    text
}

fn count(mistakes: &[Mistake]) -> String {
    match mistakes.len() {
        1 => "a mistake".to_owned(),
        many => format!("{many} mistakes"),
    }
}

fn list(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect()
}

#[cfg(test)]
mod tests;
