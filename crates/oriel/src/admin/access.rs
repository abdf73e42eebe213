//! `oriel why access`: what a user sees, what not, and the rule that decided each.

use clap::Args;
use jiff::Timestamp;
use oriel_model::Kind;
use serde_json::{Map, Value, json};

use super::{Desk, log, names, output};
use crate::failure::Outcome;

/// `oriel why access`
#[derive(Debug, Args)]
pub struct Access {
    /// The user (name or id)
    #[arg(long)]
    user: String,
    #[command(flatten)]
    facts: Facts,
}

/// What rules look at beside the user; each may be left out.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The device and the way they come by")]
pub struct Facts {
    /// The gateway they come by (name or id)
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<String>,
    /// The theme they sign in at
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// Address of their device
    #[arg(long, value_name = "IP")]
    address: Option<String>,
    /// Name of their device
    #[arg(long, value_name = "NAME")]
    client_name: Option<String>,
    /// Operating system of their device: windows, mac_os, linux, chrome_os, android, ios or other
    #[arg(long, value_name = "WORD")]
    client_os: Option<String>,
    /// Kind of client: browser, mstsc, windows_app, free_rdp, launcher or other
    #[arg(long, value_name = "WORD")]
    client_kind: Option<String>,
    /// Version of the client, such as 10.2
    #[arg(long, value_name = "VERSION")]
    client_version: Option<String>,
    /// Hardware id of their device
    #[arg(long, value_name = "ID")]
    hardware_id: Option<String>,
    /// Time zone of their device, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// When, such as 2026-12-01T08:00:00Z; otherwise now
    #[arg(long, value_name = "TIME", value_parser = log::moment)]
    at: Option<Timestamp>,
}

impl Facts {
    /// As the API takes them.
    pub fn fields(&self, desk: &Desk) -> Outcome<Map<String, Value>> {
        let mut fields = Map::new();
        if let Some(gateway) = &self.gateway {
            fields.insert("gateway".into(), names::id(&desk.client, Kind::Gateway, gateway)?.into());
        }
        let texts = [
            ("theme", &self.theme),
            ("address", &self.address),
            ("client_name", &self.client_name),
            ("client_os", &self.client_os),
            ("client_kind", &self.client_kind),
            ("client_version", &self.client_version),
            ("hardware_id", &self.hardware_id),
            ("time_zone", &self.time_zone),
        ];
        for (field, text) in texts {
            fields.extend(text.clone().map(|text| (field.to_owned(), text.into())));
        }
        fields.extend(self.at.map(|at| ("at".to_owned(), at.to_string().into())));
        Ok(fields)
    }
}

impl Access {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        let user = names::id(&desk.client, Kind::User, &self.user)?;
        let body = json!({"user": user, "facts": self.facts.fields(desk)?});
        let answer = desk.client.ask("why/access", &body)?;
        output::one(desk.format, &answer)
    }
}
