//! What happens beside changes of settings: sign-ins, launches, what is done to sessions, and joining; and how
//! the log tells it.

use std::net::IpAddr;

use oriel_model::{
    Id, Kind, Timestamp,
    directory::Directory,
    host::Host,
    invitation::Invitation,
    logon::LaunchTimes,
    notification::Notification,
    resource::Resource,
    role::Role,
    schedule::Schedule,
    session::{Connection, Session},
    user::User,
};
use oriel_rules::schedule::Action;
use oriel_store::{Author, Code, Outcome, Subject, Via};
use oriel_wire::v1::PowerAction;
use serde_json::Value;

use crate::{app::refused_tokens::RefusedToken, directories::whose, farm::FarmView, notifications::Way};

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
        by: &'a Author,
    },
    DirectoryAnswers {
        directory: Id<Directory>,
    },
    /// `why` says it of every server.
    DirectoryOutOfReach {
        directory: Id<Directory>,
        why: &'a str,
    },
    /// `times` is how often within a minute.
    TokenRefused {
        refused: &'a RefusedToken,
        times: u64,
    },
    HoursExtended {
        user: Id<User>,
        user_name: &'a str,
        until: Timestamp,
        address: IpAddr,
    },
    /// `failed` is why the host did not do it.
    HostSwitched {
        host: Id<Host>,
        action: PowerAction,
        by: &'a Author,
        failed: Option<&'a str>,
    },
    /// `failed` is why the host did not do it.
    Scheduled {
        schedule: Id<Schedule>,
        host: Id<Host>,
        action: &'a Action,
        failed: Option<&'a str>,
    },
    Launched {
        user: Id<User>,
        user_name: &'a str,
        resource: Id<Resource>,
        host: Id<Host>,
        session: Id<Session>,
        connection: Id<Connection>,
        reconnected: bool,
        times: LaunchTimes,
        address: IpAddr,
    },
    LaunchRefused {
        user: Id<User>,
        user_name: &'a str,
        resource: Option<Id<Resource>>,
        why: &'a str,
        address: IpAddr,
    },
    /// `code` says what was done; `failed` why the host did not do it.
    SessionAction {
        code: Code,
        session: Id<Session>,
        host: Id<Host>,
        user: Option<Id<User>>,
        user_name: &'a str,
        by: &'a Author,
        failed: Option<&'a str>,
    },
    Joined {
        role: Role,
        component: Id<Value>,
        name: &'a str,
        invitation: Id<Invitation>,
        address: Option<IpAddr>,
    },
    /// `why` is for other administrators; whoever asks is not told.
    RecoveryRefused {
        user_name: &'a str,
        address: IpAddr,
        why: &'a str,
    },
    AdministratorRecovered {
        user: Id<User>,
        user_name: &'a str,
        by: &'a Author,
    },
    /// `failed` is why it did not go out; `is_last` says that it is not tried again.
    Notified {
        notification: Id<Notification>,
        way: Way,
        what: &'a str,
        failed: Option<&'a str>,
        is_last: bool,
    },
    BackupMade {
        file: &'a str,
        by: &'a Author,
    },
    BackupFailed {
        why: &'a str,
        by: &'a Author,
    },
    Exported {
        by: &'a Author,
        with_secrets: bool,
        with_farm_keys: bool,
    },
    /// `why` is for administrators; whoever joins is not told.
    JoinRefused {
        role: &'a str,
        address: Option<IpAddr>,
        why: &'static str,
    },
}

impl Event<'_> {
    /// As the log tells it, with the names that things have now.
    pub(super) fn told(&self, at: Timestamp, view: &FarmView) -> oriel_store::Event {
        let event = |author: Author, code: Code| oriel_store::Event::new(at, author, code);
        let object =
            |kind: Kind, id: Id<Value>| Subject::object(kind, id, view.name_of(kind, id).unwrap_or_default());
        let user_of = |id: &Id<User>, name: &str| Subject::object(Kind::User, *id, name);
        let running = |kind: &str, id: Id<Value>| Subject { kind: kind.to_owned(), id, name: String::new() };
        match self {
            Event::SignedIn { user, user_name, address } => {
                let signed_in = event(person(user_name, Some(*address)), Code::UserSignedIn);
                of_directory(signed_in.about(user_of(user, user_name)), view, *user)
            }
            Event::SignInRefused { user_name, address, why } => {
                let refused =
                    event(person(user_name, Some(*address)), Code::UserSignInRefused).detail("why", why);
                about_who_it_claims(refused, view, user_name).ended(Outcome::Refused)
            }
            Event::SignedOut { user, user_name, address } => {
                event(person(user_name, Some(*address)), Code::UserSignedOut).about(user_of(user, user_name))
            }
            Event::AdministratorSignedIn { user, user_name, address } => {
                let signed_in = event(person(user_name, Some(*address)), Code::AdministratorSignedIn);
                of_directory(signed_in.about(user_of(user, user_name)), view, *user)
            }
            Event::AdministratorRefused { user_name, address, why } => {
                let author = person(user_name, Some(*address));
                let refused = event(author, Code::AdministratorSignInRefused).detail("why", why);
                about_who_it_claims(refused, view, user_name).ended(Outcome::Refused)
            }
            Event::AdministratorSignedOut { user, user_name, by } => {
                event((*by).clone(), Code::AdministratorSignedOut).about(user_of(user, user_name))
            }
            Event::DirectoryAnswers { directory } => event(Author::system(), Code::DirectoryAnswers)
                .about(object(Kind::Directory, directory.cast())),
            Event::DirectoryOutOfReach { directory, why } => {
                let told = event(Author::system(), Code::DirectoryOutOfReach);
                or_failed(told.about(object(Kind::Directory, directory.cast())), Some(why))
            }
            Event::TokenRefused { refused: RefusedToken { token, why, address, via }, times } => {
                let name = token.as_ref().map_or("unknown token".into(), |(_, name)| format!("token {name}"));
                let refused = event(Author { name, via: *via, address: *address }, Code::TokenRefused)
                    .detail("why", why)
                    .detail("times", times)
                    .ended(Outcome::Refused);
                token.iter().fold(refused, |refused, (id, name)| {
                    refused.about(Subject::object(Kind::Token, *id, name))
                })
            }
            Event::HoursExtended { user, user_name, until, address } => {
                let extended = event(person(user_name, Some(*address)), Code::UserHoursExtended);
                extended.about(user_of(user, user_name)).detail("until", until)
            }
            Event::HostSwitched { host, action, by, failed } => {
                let is_stop = *action == PowerAction::Stop;
                let code = if is_stop { Code::HostStopped } else { Code::HostRestarted };
                or_failed(event((*by).clone(), code).about(object(Kind::Host, host.cast())), *failed)
            }
            Event::Scheduled { schedule, host, action, failed } => {
                let action = serde_json::to_value(action).unwrap_or_default();
                let done = event(Author::system(), Code::ScheduleCarriedOut)
                    .about(object(Kind::Schedule, schedule.cast()))
                    .about(object(Kind::Host, host.cast()))
                    .detail("action", action["do"].as_str().unwrap_or_default());
                or_failed(done, *failed)
            }
            Event::Launched {
                user,
                user_name,
                resource,
                host,
                session,
                connection,
                reconnected,
                times,
                address,
            } => event(person(user_name, Some(*address)), Code::SessionLaunched)
                .about(running("session", session.cast()))
                .about(user_of(user, user_name))
                .about(object(Kind::Resource, resource.cast()))
                .about(object(Kind::Host, host.cast()))
                .about(running("connection", connection.cast()))
                .detail("reconnected", reconnected)
                .detail("brokering_ms", times.brokering_ms)
                .detail("prepare_ms", times.prepare_ms),
            Event::LaunchRefused { user, user_name, resource, why, address } => {
                let refused = event(person(user_name, Some(*address)), Code::SessionLaunchRefused)
                    .about(user_of(user, user_name))
                    .detail("why", why)
                    .ended(Outcome::Refused);
                resource.map_or(refused.clone(), |resource| {
                    refused.about(object(Kind::Resource, resource.cast()))
                })
            }
            Event::SessionAction { code, session, host, user, user_name, by, failed } => {
                let done = event((*by).clone(), *code)
                    .about(running("session", session.cast()))
                    .about(object(Kind::Host, host.cast()));
                let done = user.iter().fold(done, |done, user| done.about(user_of(user, user_name)));
                or_failed(done, *failed)
            }
            Event::Joined { role, component, name, invitation, address } => {
                let kind = match role {
                    Role::Gateway => Kind::Gateway,
                    Role::Agent => Kind::Host,
                    Role::Broker => Kind::Broker,
                };
                let author = Author { name: format!("{role} {name}"), via: Via::System, address: *address };
                event(author, Code::ComponentJoined)
                    .about(Subject::object(kind, *component, name))
                    .about(object(Kind::Invitation, invitation.cast()))
            }
            Event::RecoveryRefused { user_name, address, why } => {
                let author =
                    Author { name: "oriel recover-root".into(), via: Via::Recovery, address: Some(*address) };
                let refused = event(author, Code::AdministratorRecovered).detail("why", why);
                about_who_it_claims(refused, view, user_name).ended(Outcome::Refused)
            }
            Event::AdministratorRecovered { user, user_name, by } => {
                event((*by).clone(), Code::AdministratorRecovered).about(user_of(user, user_name))
            }
            Event::Notified { notification, way, what, failed, is_last } => {
                let code = failed.map_or(Code::NotificationSent, |_| Code::NotificationFailed);
                let told = event(Author::system(), code)
                    .about(object(Kind::Notification, notification.cast()))
                    .detail("way", way)
                    .detail("what", what);
                let told = if failed.is_some() { told.detail("given_up", is_last) } else { told };
                or_failed(told, *failed)
            }
            Event::BackupMade { file, by } => event((*by).clone(), Code::BackupMade).detail("file", file),
            Event::BackupFailed { why, by } => or_failed(event((*by).clone(), Code::BackupFailed), Some(why)),
            Event::Exported { by, with_secrets, with_farm_keys } => event((*by).clone(), Code::FarmExported)
                .detail("with_secrets", with_secrets)
                .detail("with_farm_keys", with_farm_keys),
            Event::JoinRefused { role, address, why } => {
                let author = Author { name: format!("unknown {role}"), via: Via::System, address: *address };
                event(author, Code::ComponentJoinRefused).detail("why", why).ended(Outcome::Refused)
            }
        }
    }
}

fn person(name: &str, address: Option<IpAddr>) -> Author {
    Author { name: format!("user {name}"), via: Via::Portal, address }
}

/// Says which directory somebody is of.
fn of_directory(event: oriel_store::Event, view: &FarmView, user: Id<User>) -> oriel_store::Event {
    let directory = view.kept_in(user).and_then(|kept| view.directories.get(kept.directory));
    match directory {
        Some(directory) => event.detail("directory", &directory.name),
        None => event,
    }
}

/// Whom somebody who was refused said to be, if there is such a user: so that their own entries show it. Of whom a
/// directory would know, the directory is said.
fn about_who_it_claims(event: oriel_store::Event, view: &FarmView, name: &str) -> oriel_store::Event {
    let directory = whose(view, name).and_then(|(directory, _)| view.directories.get(directory));
    let event = match directory {
        Some(directory) => event.detail("directory", &directory.name),
        None => event,
    };
    match view.users.by_name(name) {
        Some(user) => event.about(Subject::object(Kind::User, user.id, &user.name)),
        None => event,
    }
}

fn or_failed(event: oriel_store::Event, failed: Option<&str>) -> oriel_store::Event {
    match failed {
        Some(why) => event.detail("why", why).ended(Outcome::Failed),
        None => event,
    }
}
