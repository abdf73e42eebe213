//! Audit events that belong to no settings change: sign-ins, launches, what was done to sessions, and
//! joining. Typed, so that a store of their own can take them over; for now entries of the log with the
//! target `audit`.

use std::net::IpAddr;

use oriel_model::{
    Id,
    host::Host,
    resource::Resource,
    role::Role,
    session::{Connection, Session},
    user::User,
};
use serde_json::Value;

/// Something that happened.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields say it")]
pub enum Event<'a> {
    SignedIn {
        user: Id<User>,
        user_name: &'a str,
        address: IpAddr,
    },
    /// `why` is for administrators; whoever signs in is not told.
    SignInRefused {
        user_name: &'a str,
        address: IpAddr,
        why: &'a str,
    },
    SignedOut {
        user: Id<User>,
        user_name: &'a str,
        address: IpAddr,
    },
    AdministratorSignedIn {
        user: Id<User>,
        user_name: &'a str,
        address: IpAddr,
    },
    /// `why` is for other administrators; whoever signs in is not told.
    AdministratorRefused {
        user_name: &'a str,
        address: IpAddr,
        why: &'a str,
    },
    /// `by` is who ended it: themselves or another.
    AdministratorSignedOut {
        user: Id<User>,
        user_name: &'a str,
        by: &'a str,
    },
    Launched {
        user: Id<User>,
        user_name: &'a str,
        resource: Id<Resource>,
        host: Id<Host>,
        session: Id<Session>,
        connection: Id<Connection>,
        reconnected: bool,
        address: IpAddr,
    },
    LaunchRefused {
        user: Id<User>,
        user_name: &'a str,
        resource: Option<Id<Resource>>,
        why: &'a str,
        address: IpAddr,
    },
    /// `by` is the readable name of who did it.
    SessionAction {
        action: &'a str,
        session: Id<Session>,
        host: Id<Host>,
        user_name: &'a str,
        by: &'a str,
    },
    Joined {
        role: Role,
        component: Id<Value>,
        name: &'a str,
        address: Option<IpAddr>,
    },
    /// `why` is for administrators; whoever joins is not told.
    JoinRefused {
        role: &'a str,
        address: Option<IpAddr>,
        why: &'static str,
    },
}

/// Writes an event down.
pub fn record(event: &Event<'_>) {
    match event {
        Event::SignedIn { user, user_name, address } => {
            tracing::info!(target: "audit", event = "signed_in", user.id = %user, user.name = user_name, client.address = %address);
        }
        Event::SignInRefused { user_name, address, why } => {
            tracing::warn!(target: "audit", event = "sign_in_refused", user.name = user_name, client.address = %address, why);
        }
        Event::SignedOut { user, user_name, address } => {
            tracing::info!(target: "audit", event = "signed_out", user.id = %user, user.name = user_name, client.address = %address);
        }
        Event::AdministratorSignedIn { user, user_name, address } => {
            tracing::info!(target: "audit", event = "administrator_signed_in", user.id = %user, user.name = user_name, client.address = %address);
        }
        Event::AdministratorRefused { user_name, address, why } => {
            tracing::warn!(target: "audit", event = "administrator_sign_in_refused", user.name = user_name, client.address = %address, why);
        }
        Event::AdministratorSignedOut { user, user_name, by } => {
            tracing::info!(target: "audit", event = "administrator_signed_out", user.id = %user, user.name = user_name, by);
        }
        Event::Launched { user, user_name, resource, host, session, connection, reconnected, address } => {
            tracing::info!(
                target: "audit", event = "launched", user.id = %user, user.name = user_name, resource.id = %resource,
                host.id = %host, session.id = %session, connection.id = %connection, reconnected, client.address = %address
            );
        }
        Event::LaunchRefused { user, user_name, resource, why, address } => {
            tracing::warn!(
                target: "audit", event = "launch_refused", user.id = %user, user.name = user_name,
                resource.id = resource.map(tracing::field::display), why, client.address = %address
            );
        }
        Event::SessionAction { action, session, host, user_name, by } => {
            tracing::info!(
                target: "audit", event = "session_action", action, session.id = %session, host.id = %host,
                user.name = user_name, by
            );
        }
        Event::Joined { role, component, name, address } => {
            tracing::info!(
                target: "audit", event = "joined", %role, component.id = %component, component.name = name,
                address = address.map(tracing::field::display)
            );
        }
        Event::JoinRefused { role, address, why } => {
            tracing::warn!(target: "audit", event = "join_refused", role, address = address.map(tracing::field::display), why);
        }
    }
}
