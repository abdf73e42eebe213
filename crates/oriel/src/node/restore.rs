//! `oriel broker restore`: the farm of a backup, as itself, where there is none.

use std::path::PathBuf;

use clap::Args;
use oriel_broker::{
    BrokerConfig,
    app::documents::{self, Archive, RestoreError, Restored},
};
use oriel_net::node_file;

use super::broker::File;
use crate::{
    admin::{documents as files, output, secret},
    failure::{Failure, Outcome},
};

/// `oriel broker restore`
#[derive(Debug, Args)]
pub struct RestoreOptions {
    /// The backup, or what oriel export wrote, with the farm's own keys in it
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The broker's node file, as for oriel broker run
    #[arg(long, value_name = "FILE", required_unless_present = "data")]
    config: Option<PathBuf>,
    /// Instead of a node file, the broker's data directory (of an all-in-one farm: the folder broker in its
    /// own)
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data: Option<PathBuf>,
    /// Read the backup's passphrase from the first line of this file; without it, it is asked for
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Restores a farm; the broker is started after it.
pub fn run(options: &RestoreOptions) -> Outcome {
    let config = options.broker()?;
    let archive = files::archive(&options.from)?.value();
    let archive: Archive = serde_json::from_value(archive).map_err(|error| {
        Failure::Usage(format!("{} is not a backup that this version reads: {error}", options.from.display()))
    })?;
    let passphrase = match &options.passphrase_file {
        Some(file) => secret::from_file(file)?,
        None => secret::ask("Passphrase of the backup: ")?,
    };
    let data = config.data_dir.clone();
    let done = super::runtime()?.block_on(documents::restore(&config, archive, passphrase));
    output::print(&told(&done.map_err(failure)?, &data))
}

impl RestoreOptions {
    fn broker(&self) -> Outcome<BrokerConfig> {
        match (&self.config, &self.data) {
            (Some(path), _) => {
                let file =
                    node_file::load::<File>(path).map_err(|error| Failure::Usage(error.to_string()))?;
                Ok(file.into_config())
            }
            (None, Some(data)) => {
                let nowhere = std::net::Ipv4Addr::LOCALHOST.into();
                Ok(BrokerConfig::new(data, nowhere, super::machine_name()))
            }
            (None, None) => Err(Failure::Usage("say --config FILE or --data DIR".into())),
        }
    }
}

fn told(done: &Restored, data: &std::path::Path) -> String {
    format!(
        "Restored the farm \"{}\" with {} objects into {}, as it was at {}.\n\
         Now start the broker. Where it is reached at the same addresses as before, gateways and hosts come \
         back by themselves; users sign in once more. Tokens of before hold; {} holds a new one.\n\
         What was deleted or withdrawn after the backup is there again: look through oriel get tokens, \
         invitations, users, gateways and hosts.\n",
        done.farm,
        done.objects,
        data.display(),
        done.made_at,
        done.token_file.display(),
    )
}

fn failure(error: RestoreError) -> Failure {
    match error {
        RestoreError::NotEmpty(_) => Failure::Conflict(sentence(&error)),
        RestoreError::Refused(documents::Refused::Invalid(mistakes)) => {
            Failure::invalid("The backup is not valid, and nothing was restored.", mistakes)
        }
        error => Failure::Refused(sentence(&error)),
    }
}

/// The error and its causes as a sentence.
fn sentence(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let text: String = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).chain(['.']).collect()
}
