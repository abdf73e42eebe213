//! `oriel host`.

use clap::{Args, Subcommand};
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk, application, columns,
    frame::{self, Kept, or_none, put},
    names,
    objects::{self, Named},
    output,
    plan::{self, Asking},
};
use crate::failure::Outcome;

/// `oriel host …`
#[derive(Debug, Subcommand)]
pub enum HostCommand {
    #[command(flatten)]
    Kept(Kept<Fields>),
    /// List the programs installed on a host, for `oriel resource publish`
    Apps {
        #[command(flatten)]
        named: Named,
        /// Language of the names, such as de; can be given several times, most wanted first
        #[arg(long = "language", value_name = "LANGUAGE")]
        languages: Vec<String>,
    },
    /// Take new logons again
    Enable(Named),
    /// Refuse new logons and reconnections
    Disable(Named),
    /// Restart the machine at once
    Restart(Switch),
    /// Stop the machine at once; a schedule, or somebody who is there, starts it again
    Stop(Switch),
    /// Refuse new logons, let users return to their sessions
    Drain {
        #[command(flatten)]
        named: Named,
        /// Take new logons again once the host has restarted
        #[arg(long)]
        until_reboot: bool,
    },
}

/// How a machine is restarted or stopped.
#[derive(Debug, Args)]
pub struct Switch {
    #[command(flatten)]
    named: Named,
    /// Also while sessions run on it: they end with it, and what was not saved is lost
    #[arg(long)]
    with_sessions: bool,
    #[command(flatten)]
    asking: Asking,
}

/// The fields of a host that have options of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Fields {
    /// The pool it is a member of
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    /// For administrators
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where gateways reach it; "" for the address its agent reports
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// Whether it serves at all
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
}

impl frame::Fields for Fields {
    fn apply(&self, _: &Desk, spec: &mut Value) -> Outcome {
        put(spec, "pool", self.pool.as_deref())?;
        put(spec, "description", self.description.as_deref())?;
        put(spec, "address", self.address.as_deref().map(or_none))?;
        put(spec, "enabled", self.enabled)
    }
}

impl HostCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            HostCommand::Kept(command) => command.run(desk, Kind::Host),
            HostCommand::Apps { named, languages } => {
                let apps = application::installed(desk, &named.name, &languages)?;
                output::rows(desk.format, columns::PROGRAMS, &apps)
            }
            HostCommand::Enable(named) => logon_mode(desk, &named, "enabled"),
            HostCommand::Disable(named) => logon_mode(desk, &named, "disabled"),
            HostCommand::Restart(switch) => switch.run(desk, "restart", "restarted"),
            HostCommand::Stop(switch) => switch.run(desk, "stop", "stopped"),
            HostCommand::Drain { named, until_reboot: false } => logon_mode(desk, &named, "drain"),
            HostCommand::Drain { named, until_reboot: true } => {
                logon_mode(desk, &named, "drain_until_reboot")
            }
        }
    }
}

impl Switch {
    fn run(self, desk: &Desk, verb: &str, done: &str) -> Outcome {
        let host = names::find(&desk.client, Kind::Host, &self.named.name)?;
        let name = names::name_of(&host);
        if desk.client.dry_run() {
            return plan::of_action(desk, &format!("Would {verb} host \"{name}\"."));
        }
        self.asking.agree(&format!("Shall host \"{name}\" be {done}?"))?;
        let path = format!("{}/{verb}", objects::address(Kind::Host, &host));
        desk.client.post(&path, &json!({"with_sessions": self.with_sessions}))?;
        output::done(desk.format, &format!("Host \"{name}\" is being {done}."), &Value::Null)
    }
}

fn logon_mode(desk: &Desk, named: &Named, mode: &str) -> Outcome {
    let host = names::find(&desk.client, Kind::Host, &named.name)?;
    let (name, words) = (names::name_of(&host), mode.replace('_', " "));
    if desk.client.dry_run() {
        return plan::of_action(desk, &format!("Would set logons on host \"{name}\" to: {words}."));
    }
    let path = format!("{}/logon-mode", objects::address(Kind::Host, &host));
    let answer = desk.client.post(&path, &json!({"logon_mode": mode}))?;
    output::done(desk.format, &format!("Logons on host \"{name}\": {words}."), &answer)
}
