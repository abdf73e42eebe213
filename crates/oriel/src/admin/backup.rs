//! `oriel backup`: the farm's sealed daily backups. They are made on the broker's machine; `oriel import`
//! brings one into another farm, `oriel broker restore` makes the farm itself anew.

use clap::{Args, Subcommand};
use jiff::civil::Time;
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk, columns,
    objects::{self, SetOptions},
    output, path, plan,
    secret::PasswordSource,
};
use crate::failure::{Failure, Outcome};

/// `oriel backup …`
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// List the backups that are there, newest first
    List,
    /// Make one now
    Now,
    /// Say when backups are made, and how many are kept
    Schedule(Schedule),
    /// Set the passphrase that backups are sealed with; asks for it. Keep it where the backups are not
    Passphrase {
        #[command(flatten)]
        passphrase: PasswordSource,
    },
}

/// `oriel backup schedule`
#[derive(Debug, Args)]
pub struct Schedule {
    /// Whether any are made
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
    /// When, every day, such as 02:30
    #[arg(long, value_name = "TIME")]
    at: Option<Time>,
    /// By the clocks of this time zone, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// How many are kept
    #[arg(long, value_name = "NUMBER")]
    keep: Option<u32>,
    /// Whether the farm's own keys are in them. With them, oriel broker restore makes this farm anew when its
    /// machine is lost, and gateways and hosts go on without joining again. Whoever has such a backup and its
    /// passphrase can make certificates that this farm trusts, and so pose as any part of it
    #[arg(long, value_name = "true|false")]
    farm_keys: Option<bool>,
}

impl BackupCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            BackupCommand::List => {
                output::rows(desk.format, columns::BACKUPS, &desk.client.list("backups", &[])?)
            }
            BackupCommand::Now => {
                if desk.client.dry_run() {
                    return plan::of_action(desk, "Would make a backup now.");
                }
                let made = desk.client.post("backups", &json!({})).map_err(|failure| match failure {
                    Failure::Conflict(text) => {
                        Failure::Conflict(format!("{text} Here: oriel backup passphrase"))
                    }
                    failure => failure,
                })?;
                output::done(desk.format, &format!("Made {}.", output::plain(&made["name"])), &made)
            }
            BackupCommand::Schedule(schedule) => schedule.run(desk),
            BackupCommand::Passphrase { passphrase } => {
                if desk.client.dry_run() {
                    return plan::of_action(desk, "Would set the passphrase of backups.");
                }
                let passphrase = passphrase.read("Passphrase for backups: ")?;
                desk.client.put("farm/backup-passphrase", &json!({"passphrase": passphrase.as_str()}))?;
                let sentence = "Set the passphrase. Keep it where the backups are not: without it they \
                     cannot be opened.";
                output::done(desk.format, sentence, &Value::Null)
            }
        }
    }
}

impl Schedule {
    fn run(self, desk: &Desk) -> Outcome {
        let fields: [(&str, Option<Value>); 5] = [
            ("backup.enabled", self.enabled.map(Value::from)),
            ("backup.at", self.at.map(|at| at.to_string().into())),
            ("backup.time_zone", self.time_zone.map(Value::from)),
            ("backup.keep", self.keep.map(Value::from)),
            ("backup.farm_keys", self.farm_keys.map(Value::from)),
        ];
        objects::set(desk, Kind::Farm, "", &SetOptions::default(), |spec| {
            for (field, value) in fields {
                if let Some(value) = value {
                    path::put(spec, field, value)?;
                }
            }
            Ok(())
        })
    }
}
