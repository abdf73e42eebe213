//! Completion for shells: words from the same definitions as the commands, names from the farm.
//!
//! The shells call the program itself, so what is offered is always what this version takes. Whatever goes
//! wrong while a name is completed, nothing is offered and nothing is said: the user is typing.

use std::ffi::OsStr;

use clap::Args;
use clap_complete::{
    engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _},
    env::{Bash, EnvCompleter, Fish, Zsh},
};
use oriel_model::{Kind, icon::BuiltIn};

use super::{Desk, Format, connection::ConnectionOptions, output, schema::Schema, words};
use crate::failure::{Failure, Outcome};

/// The environment variable by which a shell asks for completions.
pub const VARIABLE: &str = "ORIEL_COMPLETE";

/// `oriel completion`
#[derive(Debug, Args)]
#[command(after_help = HOW)]
pub struct Completion {
    /// The shell
    #[arg(value_parser = ["bash", "zsh", "fish"])]
    shell: String,
}

const HOW: &str = "For bash, add to ~/.bashrc:\n  source <(oriel completion bash)\n\n\
    For zsh, add to ~/.zshrc, after compinit:\n  source <(oriel completion zsh)\n\n\
    For fish:\n  oriel completion fish > ~/.config/fish/completions/oriel.fish";

impl Completion {
    pub(super) fn run(&self) -> Outcome {
        let shell: &dyn EnvCompleter = match self.shell.as_str() {
            "bash" => &Bash,
            "zsh" => &Zsh,
            _ => &Fish,
        };
        let mut script = Vec::new();
        shell
            .write_registration(VARIABLE, "oriel", "oriel", "oriel", &mut script)
            .map_err(|error| Failure::Refused(format!("cannot write the script: {error}")))?;
        output::print(&String::from_utf8_lossy(&script))
    }
}

/// Completes names of objects of the kind that the words before say.
pub fn objects() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| named(kind_before(), typed))
}

/// Completes names of built-in icons, and files.
pub fn icons() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let mut found = PathCompleter::file().complete(typed);
        let Some(typed) = typed.to_str() else { return found };
        let named = BuiltIn::all().filter(|icon| icon.name().starts_with(typed));
        found.extend(named.map(|icon| CompletionCandidate::new(icon.name()).help(Some(icon.about().into()))));
        found
    })
}

/// Completes the paths of fields of the kind that the words before say.
pub fn fields() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| paths(typed, ""))
}

/// Completes `FIELD=`.
pub fn assignments() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| paths(typed, "="))
}

fn paths(typed: &OsStr, end: &str) -> Vec<CompletionCandidate> {
    let (Some(kind), Some(typed)) = (kind_before(), typed.to_str()) else { return Vec::new() };
    let all = Schema::of(kind).paths();
    let fits = all.into_iter().filter(|(path, _)| path.starts_with(typed));
    fits.map(|(path, field)| CompletionCandidate::new(path + end).help(Some(field.about.into()))).collect()
}

/// Names offered at most: what a terminal shows.
const NAMES_MAX: &str = "200";

fn named(kind: Option<Kind>, typed: &OsStr) -> Vec<CompletionCandidate> {
    let (Some(kind), Some(typed)) = (kind, typed.to_str()) else { return Vec::new() };
    let Ok(desk) = Desk::new(&ConnectionOptions::default().or_environment(), Format::Json, false) else {
        return Vec::new();
    };
    let query = [("name", typed), ("limit", NAMES_MAX), ("fields", "name")];
    let Ok(page) = desk.client.get(kind.plural(), &query) else { return Vec::new() };
    let names = page["items"].as_array().into_iter().flatten().filter_map(|object| object["name"].as_str());
    names.filter(|name| name.starts_with(typed)).map(CompletionCandidate::new).collect()
}

/// The kind that the words on the line say: `get pool …`, `pool show …`, `log --kind pool …`.
fn kind_before() -> Option<Kind> {
    let words: Vec<String> = std::env::args_os()
        .skip_while(|word| word != "--")
        .skip(2)
        .filter_map(|word| word.into_string().ok())
        .collect();
    kind_of_line(&words)
}

fn kind_of_line(line: &[String]) -> Option<Kind> {
    if let Some(place) = line.iter().position(|word| word == "--kind") {
        return words::kind(line.get(place + 1)?);
    }
    let mut plain = line.iter().filter(|word| !word.starts_with('-'));
    let first = plain.next()?;
    let noun = match first.as_str() {
        "hours" => return Some(Kind::LogonHours),
        "invite" => return Some(Kind::Invitation),
        "get" | "set" | "delete" | "create" | "explain" => plain.next()?,
        _ => first,
    };
    words::kind(noun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_found_among_the_words_before() {
        let kind = |line: &str| kind_of_line(&line.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>());
        assert_eq!(kind("get pools O"), Some(Kind::Pool));
        assert_eq!(kind("pool show O"), Some(Kind::Pool));
        assert_eq!(kind("hours set D"), Some(Kind::LogonHours));
        assert_eq!(kind("log --kind user --object a"), Some(Kind::User));
        assert_eq!(kind("status"), None);
    }
}
