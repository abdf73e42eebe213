//! `oriel login` and `oriel logout`.

use clap::Args;

use super::{
    Format,
    client::Client,
    connection::{Connection, ConnectionOptions},
    output, secret,
};
use crate::failure::{Failure, Outcome};

/// `oriel login`
#[derive(Debug, Args)]
pub struct Login {
    /// Read the API token from the first line of standard input instead of asking for it
    #[arg(long)]
    token_stdin: bool,
}

impl Login {
    pub(super) fn run(self, options: &ConnectionOptions, format: Format) -> Outcome {
        let url = options
            .url
            .clone()
            .ok_or_else(|| Failure::Usage("where is the farm? Give --url https://BROKER:20443".into()))?;
        let token = match options.token()? {
            Some(token) => token,
            None if self.token_stdin => secret::from_stdin()?,
            None => secret::ask("API token: ")?,
        };
        let connection = Connection { url, authority: options.authority()?, token };
        let status = Client::new(&connection, false)?.get("status", &[])?;
        let path = connection.keep()?;
        let farm = status["farm_name"].as_str().unwrap_or("?");
        let sentence = format!("The farm \"{farm}\" answers. Kept in {}.", path.display());
        output::done(format, &sentence, &status)
    }
}

/// Forgets what login kept.
pub fn logout() -> Outcome {
    let sentence = if Connection::forget()? {
        "Forgot the farm's address and token. The token itself still works: delete it with oriel token delete."
    } else {
        "There was nothing to forget."
    };
    output::print(&format!("{sentence}\n"))
}
