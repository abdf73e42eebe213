//! Seats, sessions that start before anybody comes, and what opens in them.

use oriel_model::Timestamp;
use oriel_wire::v1::{self, agent_reply, prepare::Start};

use super::{LOGON_LIFETIME_SECS, OneTimeLogon, SimulatedHost, State, end, random_secret, refused};

impl SimulatedHost {
    /// The programs that run in a session, by the resource that each was started for.
    pub fn open_programs(&self, session_id: &str) -> Vec<(String, v1::StartProgram)> {
        self.state()
            .open
            .get(session_id)
            .into_iter()
            .flatten()
            .map(|(id, p)| (id.clone(), p.clone()))
            .collect()
    }

    /// The user ends the program of a resource; with its last program the session ends.
    pub fn close_program(&self, session_id: &str, resource_id: &str) {
        self.change(|state| {
            let Some(open) = state.open.get_mut(session_id) else { return };
            open.remove(resource_id);
            if open.is_empty() {
                end(state, session_id, oriel_model::session::EndReason::LoggedOff, "the program has ended");
            }
        });
    }

    /// What was brought to the front so far: sessions, each with the resource whose program it was.
    pub fn raised(&self) -> Vec<(String, String)> {
        self.state().raised.clone()
    }

    pub(super) fn prepare(&self, state: &mut State, prepare: &v1::Prepare) -> agent_reply::Body {
        if let Some(refusal) = &state.refuse {
            return agent_reply::Body::Refused(refusal.clone());
        }
        if let Err((code, reason)) = may_prepare(state, prepare) {
            return refused(code, reason);
        }
        if !prepare.reconnect && !state.sessions.contains_key(&prepare.session_id) {
            state.sessions.insert(prepare.session_id.clone(), session(prepare));
        }
        if let Some(Start::Program(program)) = &prepare.start {
            let open = state.open.entry(prepare.session_id.clone()).or_default();
            open.insert(prepare.resource_id.clone(), program.clone());
        }
        if prepare.bring_to_front {
            let open = state.open.get(&prepare.session_id);
            let is_open = |id: &&String| open.is_some_and(|open| open.contains_key(*id));
            let its_own = std::iter::once(&prepare.resource_id);
            if let Some(resource) = its_own.chain(&prepare.same_program_ids).find(is_open) {
                state.raised.push((prepare.session_id.clone(), resource.clone()));
            }
        }
        if prepare.prelaunch {
            return agent_reply::Body::Prepared(v1::Prepared {
                session_id: prepare.session_id.clone(),
                ..Default::default()
            });
        }
        if prepare.reconnect
            && let Some(report) = state.sessions.get_mut(&prepare.session_id)
        {
            report.client = prepare.client.clone();
            if report.prelaunched && !prepare.proof.is_empty() {
                report.proof.clone_from(&prepare.proof);
                report.resource_id.clone_from(&prepare.resource_id);
                report.resource_name.clone_from(&prepare.resource_name);
            }
        }
        let logon_name =
            format!("{}~{}", prepare.account, &prepare.session_id[prepare.session_id.len() - 6..]);
        let secret = random_secret();
        let expires_at = Timestamp::now() + jiff::SignedDuration::from_secs(LOGON_LIFETIME_SECS);
        let logon = OneTimeLogon {
            secret: secret.clone(),
            session: prepare.session_id.clone(),
            connection: prepare.connection_id.clone(),
            expires_at,
        };
        state.logons.insert(logon_name.clone(), logon);
        agent_reply::Body::Prepared(v1::Prepared {
            session_id: prepare.session_id.clone(),
            logon_name,
            logon_domain: String::new(),
            one_time_logon: secret,
            expires_at_ms: expires_at.as_millisecond(),
            rdp_address: self.listener.address.clone(),
            rdp_certificate_sha256: self.listener.certificate_sha256.to_vec(),
            alternate_shell: state.program.0.clone(),
            working_directory: state.program.1.clone(),
            dynamic_resize: true,
        })
    }
}

fn may_prepare(state: &State, prepare: &v1::Prepare) -> Result<(), (v1::RefusalCode, &'static str)> {
    if prepare.reconnect {
        let is_here = state.sessions.contains_key(&prepare.session_id);
        return is_here.then_some(()).ok_or((v1::RefusalCode::UnknownSession, "That session is gone."));
    }
    match state.settings.logon_mode() {
        v1::LogonMode::Enabled => {}
        v1::LogonMode::Disabled => return Err((v1::RefusalCode::LogonsDisabled, "Logons are off.")),
        _ => return Err((v1::RefusalCode::Draining, "The host is draining.")),
    }
    if state.sessions.len() >= state.settings.max_sessions as usize {
        return Err((v1::RefusalCode::Full, "Every seat is taken."));
    }
    Ok(())
}

/// A session started beforehand runs and nobody is attached; any other is a seat that is kept.
fn session(prepare: &v1::Prepare) -> v1::SessionReport {
    let state = if prepare.prelaunch { v1::SessionState::Disconnected } else { v1::SessionState::Prepared };
    v1::SessionReport {
        session_id: prepare.session_id.clone(),
        user_id: prepare.user_id.clone(),
        user_name: prepare.user_name.clone(),
        proof: prepare.proof.clone(),
        account: prepare.account.clone(),
        state: state.into(),
        started_at_ms: Timestamp::now().as_millisecond(),
        resource_id: prepare.resource_id.clone(),
        resource_name: prepare.resource_name.clone(),
        shared: prepare.shared,
        client: prepare.client.clone(),
        desktop: matches!(prepare.start, Some(Start::Desktop(_))),
        prelaunched: prepare.prelaunch,
        ..Default::default()
    }
}
