//! `oriel token`.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use oriel_model::{Kind, Spec, token::Token};
use serde_json::json;

use super::{
    Desk,
    connection::write_private,
    frame::Ended,
    names, objects, plan,
    reach::{ReachOptions, Role},
};
use crate::failure::{Failure, Outcome};

/// `oriel token …`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    #[command(flatten)]
    Ended(Ended),
    /// Make a token and print its secret, which is never shown again
    Create {
        /// Name of the token: it stands in the change log beside what was done with it
        name: String,
        /// What it may do
        #[arg(long, value_enum)]
        role: Role,
        #[command(flatten)]
        reach: Box<ReachOptions>,
        /// For administrators
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// Stops working after this many days; otherwise never
        #[arg(long, value_name = "NUMBER")]
        days: Option<u32>,
        /// Write the secret to this file (readable only by its owner) instead of printing it
        #[arg(long, value_name = "FILE")]
        output_file: Option<PathBuf>,
    },
}

impl TokenCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            TokenCommand::Ended(command) => command.run(desk, Kind::Token),
            TokenCommand::Create { name, role, reach, description, days, output_file } => {
                let expires_at =
                    days.map(|days| Timestamp::now() + SignedDuration::from_hours(24 * i64::from(days)));
                let mut spec =
                    json!({"role": role.as_str(), "description": description, "expires_at": expires_at});
                if let Some(reach) = reach.said() {
                    spec["reach"] = reach;
                    // A token as it is kept, which names are read from, has the digest of its secret and an owner.
                    spec["secret_sha256"] = "".into();
                    names::to_ids(&desk.client, Kind::Token, &mut spec)?;
                    if let Some(fields) = spec.as_object_mut() {
                        fields.retain(|field, _| !Token::OWN_FIELDS.contains(&field.as_str()));
                    }
                }
                let body = json!({"name": name, "spec": spec});
                if desk.client.dry_run() {
                    return plan::of_action(desk, &format!("Would create token \"{name}\"."));
                }
                let mut made = desk.client.post(Kind::Token.plural(), &body)?;
                if let Some(path) = output_file {
                    let secret = made["secret"].take();
                    let text = format!("{}\n", secret.as_str().unwrap_or_default());
                    write_private(&path, text.as_bytes()).map_err(|error| {
                        Failure::Refused(format!("cannot write {}: {error}", path.display()))
                    })?;
                }
                objects::created(desk, Kind::Token, made)
            }
        }
    }
}
