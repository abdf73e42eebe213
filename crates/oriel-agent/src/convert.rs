//! Between the wire's words and ours.

use std::time::Duration;

use oriel_model::{
    Id,
    host::{AccountMode, CpuOptimisation, EffectiveHostSettings, Linger},
    user::User,
};
use oriel_wire::{convert::linger, v1};

use crate::host::{
    App, ClientFacts, Ended, HostSoftware, Owner, Prepared, Program, Refusal, RefusalKind, ResourceRef,
    SeatRequest, SessionLimits, SessionProcess, SessionSnapshot, Start,
};

pub(crate) fn settings(settings: &v1::HostSettings) -> EffectiveHostSettings {
    EffectiveHostSettings {
        max_sessions: settings.max_sessions,
        linger_disconnect_secs: linger(settings.linger_disconnect_secs),
        linger_logoff_secs: linger(settings.linger_logoff_secs),
        readiness_timeout_secs: settings.readiness_timeout_secs,
        idle_disconnect_minutes: settings.idle_disconnect_minutes,
        disconnected_logoff_minutes: settings.disconnected_logoff_minutes,
        accounts: if settings.create_accounts { AccountMode::Create } else { AccountMode::Existing },
        ..EffectiveHostSettings::default()
    }
}

/// An older broker says nothing of it: then it is off.
pub(crate) fn cpu_optimisation(settings: Option<&v1::CpuOptimisation>) -> CpuOptimisation {
    settings.map_or_else(CpuOptimisation::default, |settings| CpuOptimisation {
        enabled: settings.enabled,
        above_percent: settings.above_percent,
        critical_percent: settings.critical_percent,
        idle_percent: settings.idle_percent,
        after_secs: settings.after_secs,
        excluded: settings.excluded.clone(),
    })
}

pub(crate) fn limits(settings: &EffectiveHostSettings) -> SessionLimits {
    let secs = |value: u32| Duration::from_secs(value.into());
    let linger = |value: Linger| match value {
        Linger::Secs(value) => Some(secs(value)),
        Linger::Never => None,
    };
    let minutes = |value: u32| (value > 0).then(|| Duration::from_secs(60 * u64::from(value)));
    SessionLimits {
        linger_disconnect: linger(settings.linger_disconnect_secs),
        linger_logoff: linger(settings.linger_logoff_secs),
        idle_disconnect: minutes(settings.idle_disconnect_minutes),
        disconnected_logoff: minutes(settings.disconnected_logoff_minutes),
        readiness: secs(settings.readiness_timeout_secs),
    }
}

/// More documents than anyone has open in one program; a session is told them in one line.
const SAME_PROGRAM_MAX: usize = 256;

/// # Errors
/// When an id is none.
pub(crate) fn seat(prepare: &v1::Prepare, accounts: AccountMode) -> Result<SeatRequest, Refusal> {
    let bad = |field: &str| Refusal::new(RefusalKind::BadRequest, format!("the request's {field} is no id"));
    let client = prepare.client.clone().unwrap_or_default();
    prepare.user_id.parse::<Id<User>>().map_err(|_| bad("user"))?;
    Ok(SeatRequest {
        session: prepare.session_id.parse().map_err(|_| bad("session"))?,
        connection: prepare.connection_id.parse().map_err(|_| bad("connection"))?,
        is_reconnect: prepare.reconnect,
        owner: Owner { user_id: prepare.user_id.clone(), proof: prepare.proof.clone() },
        user_name: prepare.user_name.clone(),
        account: prepare.account.clone(),
        accounts,
        client: ClientFacts {
            name: client.name,
            address: client.address,
            kind: client.kind,
            version: client.version,
            operating_system: client.operating_system,
        },
        resource: ResourceRef { id: prepare.resource_id.clone(), name: prepare.resource_name.clone() },
        start: prepare.start.as_ref().map(|start| match start {
            v1::prepare::Start::Desktop(_) => Start::Desktop,
            v1::prepare::Start::Program(program) => Start::Program(Program {
                program: program.program.clone(),
                arguments: program.arguments.clone(),
                start_in: program.start_in.clone(),
                window: program.window().into(),
                opens: program.opens.clone(),
            }),
        }),
        is_shared: prepare.shared,
        is_prelaunch: prepare.prelaunch,
        brings_to_front: prepare.bring_to_front,
        same_program: prepare.same_program_ids.iter().take(SAME_PROGRAM_MAX).cloned().collect(),
        size: (pixels(prepare.width), pixels(prepare.height)),
    })
}

/// A length of a screen; nonsense is none.
fn pixels(length: u32) -> u16 {
    u16::try_from(length).unwrap_or(0)
}

pub(crate) fn prepared(
    prepared: &Prepared,
    rdp_address: String,
    software: &HostSoftware,
) -> v1::agent_reply::Body {
    v1::agent_reply::Body::Prepared(v1::Prepared {
        session_id: prepared.session.to_string(),
        logon_name: prepared.logon_name.clone(),
        logon_domain: String::new(),
        one_time_logon: prepared.one_time_logon.to_string(),
        expires_at_ms: prepared.expires_at.as_millisecond(),
        rdp_address,
        rdp_certificate_sha256: software.certificate_sha256.to_vec(),
        // The host itself knows what the session is for.
        alternate_shell: String::new(),
        working_directory: String::new(),
        dynamic_resize: software.has_dynamic_resize,
    })
}

pub(crate) fn refused(refusal: Refusal) -> v1::agent_reply::Body {
    let code = match refusal.kind {
        RefusalKind::Internal => v1::RefusalCode::Internal,
        RefusalKind::Full => v1::RefusalCode::Full,
        RefusalKind::LogonsDisabled => v1::RefusalCode::LogonsDisabled,
        RefusalKind::Draining => v1::RefusalCode::Draining,
        RefusalKind::NoAccount => v1::RefusalCode::NoAccount,
        RefusalKind::UnknownSession => v1::RefusalCode::UnknownSession,
        RefusalKind::NoProgram => v1::RefusalCode::NoProgram,
        RefusalKind::Unhealthy => v1::RefusalCode::Unhealthy,
        RefusalKind::BadRequest => v1::RefusalCode::BadRequest,
        RefusalKind::UnknownProcess => v1::RefusalCode::UnknownProcess,
        RefusalKind::NoDocument => v1::RefusalCode::NoDocument,
        RefusalKind::NotSupported => v1::RefusalCode::NotSupported,
    };
    v1::agent_reply::Body::Refused(v1::Refused { code: code.into(), reason: refusal.reason })
}

pub(crate) fn session(session: SessionSnapshot) -> v1::SessionReport {
    let client = session.client;
    v1::SessionReport {
        session_id: session.id.to_string(),
        user_id: session.owner.user_id,
        user_name: session.user_name,
        proof: session.owner.proof,
        account: session.account,
        state: v1::SessionState::from(session.state).into(),
        started_at_ms: session.started_at.as_millisecond(),
        idle_secs: session.idle.as_secs(),
        resource_id: session.resource.id,
        resource_name: session.resource.name,
        shared: session.is_shared,
        client: Some(v1::ClientFacts {
            name: client.name,
            address: client.address,
            kind: client.kind,
            version: client.version,
            operating_system: client.operating_system,
        }),
        programs: session.programs,
        desktop: session.is_desktop,
        open_resource_ids: session.open,
        prelaunched: session.is_prelaunched,
        disconnected_secs: session.disconnected.unwrap_or_default().as_secs(),
        logon: session.logon.map(|(connection, took)| v1::HostLogon {
            connection_id: connection.to_string(),
            took_ms: took.map_or(0, millis),
        }),
    }
}

/// Rounded up: zero says that it is not through.
fn millis(took: Duration) -> u32 {
    u32::try_from(took.as_micros().div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
}

pub(crate) fn ended(ended: Ended) -> v1::EndedSession {
    v1::EndedSession {
        session_id: ended.session.to_string(),
        connection_id: ended.connection.map(|id| id.to_string()).unwrap_or_default(),
        user_id: ended.owner.user_id,
        user_name: ended.user_name,
        proof: ended.owner.proof,
        resource_id: ended.resource_id,
        reason: ended.reason.as_str().to_owned(),
        detail: ended.detail,
        ended_at_ms: ended.at.as_millisecond(),
    }
}

pub(crate) fn process(process: SessionProcess) -> v1::Process {
    v1::Process {
        process_id: process.pid,
        name: process.name,
        cpu_load: process.cpu,
        memory_bytes: process.memory_bytes,
        started_at_ms: process.started_at_ms,
        command_line: process.command_line,
    }
}

pub(crate) fn app(app: App) -> v1::App {
    v1::App {
        id: app.id,
        name: app.name,
        comment: app.comment,
        program: app.program,
        arguments: app.arguments,
        categories: app.categories,
        icon_png: app.icon_png,
    }
}

#[cfg(test)]
mod tests {
    use oriel_model::host::LogonMode;

    use super::*;

    #[test]
    fn zero_minutes_mean_never_and_zero_seconds_mean_at_once() {
        let settings = EffectiveHostSettings::default();
        assert_eq!(limits(&settings), SessionLimits::default());
        let limits = limits(&EffectiveHostSettings { idle_disconnect_minutes: 2, ..settings });
        assert_eq!(limits.idle_disconnect, Some(Duration::from_secs(120)));
        assert_eq!((limits.linger_logoff, limits.disconnected_logoff), (Some(Duration::ZERO), None));
    }

    #[test]
    fn what_is_never_ended_crosses_the_wire_as_that() {
        let told = EffectiveHostSettings { linger_logoff_secs: Linger::Never, ..Default::default() };
        let sent = oriel_wire::convert::host_settings(&told, true, LogonMode::Enabled, 1);
        let heard = settings(&sent);
        assert_eq!(heard, told);
        assert_eq!(limits(&heard).linger_logoff, None);
        assert_eq!(limits(&heard).linger_disconnect, Some(Duration::from_secs(25)));
    }

    #[test]
    fn a_request_without_ids_is_refused() {
        let refusal = seat(&v1::Prepare::default(), AccountMode::Existing).expect_err("no ids");
        assert_eq!(refusal.kind, RefusalKind::BadRequest);
        let id = "00000000-0000-7000-8000-000000000001".to_owned();
        let of_nobody =
            v1::Prepare { session_id: id.clone(), connection_id: id.clone(), ..Default::default() };
        let refusal = seat(&of_nobody, AccountMode::Existing).expect_err("nobody's");
        assert_eq!(refusal.kind, RefusalKind::BadRequest);
        assert!(seat(&v1::Prepare { user_id: id, ..of_nobody }, AccountMode::Existing).is_ok());
    }
}
