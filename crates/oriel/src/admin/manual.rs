//! `oriel manual`: pages for man(1), from the definitions of the commands.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::output;
use crate::{
    cli::Cli,
    failure::{Failure, Outcome},
};

/// `oriel manual`
#[derive(Debug, Args)]
pub struct Manual {
    /// Folder that the pages are written into: oriel.1, oriel-get.1 and so on
    folder: PathBuf,
}

impl Manual {
    pub(super) fn run(&self) -> Outcome {
        let failed = |error: std::io::Error| {
            Failure::Refused(format!("cannot write to {}: {error}", self.folder.display()))
        };
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), &self.folder).map_err(failed)?;
        output::print(&format!(
            "Wrote the manual to {0}. Read it with man -l {0}/oriel.1\n",
            self.folder.display()
        ))
    }
}
