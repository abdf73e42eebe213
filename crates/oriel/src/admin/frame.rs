//! The commands that every noun has: list, show, set, delete, and create where objects are created.
//!
//! A noun adds the options of its daily fields ([`Fields`]) and verbs of its own.

use clap::{Args, Subcommand};
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk,
    objects::{self, CreateOptions, Deletion, ListOptions, Named, SetOptions},
};
use crate::failure::Outcome;

/// Options for fields that are set every day.
pub trait Fields: Args {
    /// Puts what was given into a spec; names may stand where ids belong.
    fn apply(&self, desk: &Desk, spec: &mut Value) -> Outcome;
}

/// What comes into being by itself and is looked at.
#[derive(Debug, Subcommand)]
pub enum Seen {
    /// List them
    List(ListOptions),
    /// Show one with everything that is set and known
    Show(Named),
}

/// What is not changed, but deleted.
#[derive(Debug, Subcommand)]
pub enum Ended {
    #[command(flatten)]
    Seen(Seen),
    /// Delete one
    Delete(Deletion),
}

/// What is changed and deleted.
#[derive(Debug, Subcommand)]
pub enum Kept<F: Fields> {
    #[command(flatten)]
    Ended(Ended),
    /// Change one
    Set {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        fields: F,
        #[command(flatten)]
        options: SetOptions,
    },
}

/// What is created, changed and deleted.
#[derive(Debug, Subcommand)]
pub enum Made<F: Fields> {
    #[command(flatten)]
    Kept(Kept<F>),
    /// Make one
    Create {
        /// Name of the new one
        name: String,
        #[command(flatten)]
        fields: F,
        #[command(flatten)]
        options: CreateOptions,
    },
}

impl Seen {
    pub fn run(self, desk: &Desk, kind: Kind) -> Outcome {
        match self {
            Seen::List(options) => objects::list(desk, kind, &options),
            Seen::Show(named) => objects::show(desk, kind, &named),
        }
    }
}

impl Ended {
    pub fn run(self, desk: &Desk, kind: Kind) -> Outcome {
        match self {
            Ended::Seen(command) => command.run(desk, kind),
            Ended::Delete(deletion) => objects::delete(desk, kind, &deletion),
        }
    }
}

impl<F: Fields> Kept<F> {
    pub fn run(self, desk: &Desk, kind: Kind) -> Outcome {
        match self {
            Kept::Ended(command) => command.run(desk, kind),
            Kept::Set { named, fields, options } => {
                objects::set(desk, kind, &named.name, &options, |spec| fields.apply(desk, spec))
            }
        }
    }
}

impl<F: Fields> Made<F> {
    pub fn run(self, desk: &Desk, kind: Kind) -> Outcome {
        match self {
            Made::Kept(command) => command.run(desk, kind),
            Made::Create { name, fields, options } => {
                let mut spec = json!({});
                fields.apply(desk, &mut spec)?;
                objects::create(desk, kind, &name, &options, spec)
            }
        }
    }
}

/// Sets the field at a path where something was given for it.
pub fn put(spec: &mut Value, path: &str, given: Option<impl Into<Value>>) -> Outcome {
    match given {
        Some(value) => super::path::put(spec, path, value.into()),
        None => Ok(()),
    }
}

/// A text that may be taken away: `""` stands for none.
pub fn or_none(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}
