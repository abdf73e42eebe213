//! `oriel session`.

use clap::{Args, Subcommand};
use oriel_model::Kind;
use serde_json::{Value, json};

use super::{
    Desk, columns, names,
    objects::{self, Narrow},
    output, plan,
};
use crate::failure::{Failure, Outcome};

/// `oriel session …`
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// List sessions
    List(Which),
    /// Show a session
    Show(Session),
    /// Show a message on the session's screen
    Message {
        #[command(flatten)]
        session: Session,
        /// What the user reads
        text: String,
        /// Title of the message
        #[arg(long, default_value = "Message from the administrator")]
        title: String,
    },
    /// Take the client away; the programs run on
    Disconnect(Session),
    /// End a session in order: programs are asked to close
    LogOff(Session),
    /// End a session at once: what was not saved is lost
    Reset(Session),
    /// List the processes of a session
    Processes(Session),
    /// End one process of a session
    EndProcess {
        #[command(flatten)]
        session: Session,
        /// Process id, from `oriel session processes`
        process_id: u32,
    },
}

/// Which sessions are listed.
#[derive(Debug, Args)]
pub struct Which {
    /// Only those of this user
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only those on this host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Only those of this resource
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    #[command(flatten)]
    narrow: Narrow,
}

/// Names a session.
#[derive(Debug, Args)]
pub struct Session {
    /// Id of the session, or as much of its end or beginning as tells it apart
    id: String,
}

impl SessionCommand {
    pub(super) fn run(self, desk: &Desk) -> Outcome {
        match self {
            SessionCommand::List(which) => which.list(desk),
            SessionCommand::Show(session) => output::one(desk.format, &session.find(desk)?),
            SessionCommand::Message { session, text, title } => {
                session.act(desk, "message", &json!({"title": title, "text": text}), "Sent the message to")
            }
            SessionCommand::Disconnect(session) => {
                session.act(desk, "disconnect", &json!({}), "Disconnected")
            }
            SessionCommand::LogOff(session) => session.act(desk, "log-off", &json!({}), "Logged off"),
            SessionCommand::Reset(session) => session.act(desk, "reset", &json!({}), "Reset"),
            SessionCommand::Processes(session) => {
                let id = names::id_of(&session.find(desk)?);
                let answer = desk.client.get(&format!("sessions/{id}/processes"), &[])?;
                let rows = answer["processes"].as_array().cloned().unwrap_or_default();
                output::rows(desk.format, columns::PROCESSES, &rows)
            }
            SessionCommand::EndProcess { session, process_id } => {
                let what = format!("Ended process {process_id} of");
                session.act(desk, "end-process", &json!({"process_id": process_id}), &what)
            }
        }
    }
}

impl Which {
    fn list(&self, desk: &Desk) -> Outcome {
        let mut query = self.narrow.query(desk)?;
        if let Some(user) = &self.user {
            query.push(("user", names::id(&desk.client, Kind::User, user)?));
        }
        if let Some(host) = &self.host {
            query.push(("host", names::id(&desk.client, Kind::Host, host)?));
        }
        if let Some(resource) = &self.resource {
            query.push(("resource", names::id(&desk.client, Kind::Resource, resource)?));
        }
        if self.narrow.count {
            return objects::count(desk, "sessions", &query);
        }
        let rows = objects::read(desk, "sessions", query, self.narrow.limit)?;
        if !self.narrow.fields.is_empty() {
            let paths: Vec<_> = self.narrow.fields.iter().map(String::as_str).collect();
            return output::fields(desk.format, &paths, &rows);
        }
        output::rows(desk.format, columns::SESSIONS, &rows)
    }
}

impl Session {
    fn find(&self, desk: &Desk) -> Outcome<Value> {
        let wanted = self.id.to_lowercase();
        let mut found = desk.client.list("sessions", &[])?;
        found.retain(|session| {
            let id = names::id_of(session);
            !wanted.is_empty() && (id.starts_with(&wanted) || id.ends_with(&wanted))
        });
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => {
                Err(Failure::NotFound(format!("there is no session \"{}\": see oriel session list", self.id)))
            }
            many => Err(Failure::Usage(format!("\"{}\" fits {many} sessions: give more of the id", self.id))),
        }
    }

    fn act(&self, desk: &Desk, verb: &str, body: &Value, done: &str) -> Outcome {
        let session = self.find(desk)?;
        let word = |field: &str| session[field].as_str().unwrap_or("?").to_owned();
        let whose = format!(
            "the session of {} on {} ({})",
            word("user_name"),
            word("host_name"),
            word("resource_name")
        );
        if desk.client.dry_run() {
            return plan::of_action(desk, &format!("Would have done: {done} {whose}."));
        }
        let answer = desk.client.post(&format!("sessions/{}/{verb}", names::id_of(&session)), body)?;
        output::done(desk.format, &format!("{done} {whose}."), &answer)
    }
}
