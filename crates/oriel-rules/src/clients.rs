//! Allowed clients: which may sign in to a site, and which may open something there.

use oriel_model::{
    rule::ClientKind,
    site::{AllowedClients, ClientMode},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{Asker, Client, Facts};

/// What a client may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Admission {
    /// Sign in.
    pub may_sign_in: bool,
    /// See resources and open them.
    pub may_open: bool,
    /// The entry of the list that lets it in; none: no list is asked, or none does.
    pub entry: Option<usize>,
    /// Why it may not do all, for its user.
    pub message: Option<String>,
}

/// Looks whether the client that `facts` describe is let in.
pub fn admit(allowed: &AllowedClients, facts: &Facts) -> Admission {
    let asker = Asker::new(facts);
    let mut same_kind = None;
    let mut entry = None;
    for (index, wanted) in allowed.clients.iter().enumerate() {
        let client = Client::new(wanted);
        if client.holds(&asker) {
            entry = Some(index);
            break;
        }
        if client.is_kind(&asker) {
            same_kind = wanted.minimum_version.as_deref().or(same_kind);
        }
    }
    let is_listed = allowed.mode == ClientMode::Any || entry.is_some();
    if is_listed {
        return Admission { may_sign_in: true, may_open: true, entry, message: None };
    }
    let message = match (allowed.message.as_str(), same_kind) {
        ("", Some(minimum)) => {
            format!("Your client is too old for this site. Please use version {minimum} or newer.")
        }
        ("", None) => format!("This client is not let in here. Please use {}.", listed(allowed)),
        (message, _) => message.to_owned(),
    };
    Admission {
        may_sign_in: allowed.mode != ClientMode::ListedToSignIn,
        may_open: false,
        entry: None,
        message: Some(message),
    }
}

/// The kinds that are let in: "a web browser or the Oriel launcher".
fn listed(allowed: &AllowedClients) -> String {
    let mut names: Vec<_> = Vec::new();
    for client in &allowed.clients {
        let name = match client.kind {
            ClientKind::Browser => "a web browser",
            ClientKind::Mstsc => "Microsoft's Remote Desktop Connection",
            ClientKind::WindowsApp => "Microsoft's Windows App",
            ClientKind::FreeRdp => "FreeRDP",
            ClientKind::Launcher => "the Oriel launcher",
            ClientKind::Other => "another remote-desktop client",
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.as_slice() {
        [] => "a client that your administrator has allowed".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use oriel_model::rule::ClientKindMatch;

    use super::*;

    fn check(mode: ClientMode, kind: ClientKind, version: Option<&str>, expected: (bool, bool)) -> String {
        let listed = |kind, minimum: Option<&str>| ClientKindMatch {
            kind,
            minimum_version: minimum.map(str::to_owned),
        };
        let clients = vec![listed(ClientKind::Browser, None), listed(ClientKind::Launcher, Some("1.4"))];
        let allowed = AllowedClients { mode, clients, message: String::new() };
        let client_version = version.map(str::to_owned);
        let facts = Facts { client: Some(kind), client_version, ..Facts::default() };
        let admission = admit(&allowed, &facts);
        assert_eq!((admission.may_sign_in, admission.may_open), expected);
        assert_eq!(admission.message.is_none(), admission.may_open);
        admission.message.unwrap_or_default()
    }

    #[test]
    fn each_mode_lets_in_whom_it_says() {
        check(ClientMode::Any, ClientKind::Mstsc, None, (true, true));
        check(ClientMode::ListedToOpen, ClientKind::Mstsc, None, (true, false));
        check(ClientMode::ListedToSignIn, ClientKind::Mstsc, None, (false, false));
        check(ClientMode::ListedToSignIn, ClientKind::Browser, None, (true, true));
        check(ClientMode::ListedToSignIn, ClientKind::Launcher, Some("1.10"), (true, true));
        check(ClientMode::ListedToSignIn, ClientKind::Launcher, None, (false, false));
    }

    #[test]
    fn who_is_not_let_in_is_told_what_would_be() {
        let other = check(ClientMode::ListedToOpen, ClientKind::Mstsc, None, (true, false));
        assert_eq!(other, "This client is not let in here. Please use a web browser or the Oriel launcher.");
        let old = check(ClientMode::ListedToOpen, ClientKind::Launcher, Some("1.3"), (true, false));
        assert_eq!(old, "Your client is too old for this site. Please use version 1.4 or newer.");
    }

    #[test]
    fn the_administrators_own_words_come_first() {
        let allowed = AllowedClients {
            mode: ClientMode::ListedToOpen,
            clients: Vec::new(),
            message: "Ask Ann.".into(),
        };
        assert_eq!(admit(&allowed, &Facts::default()).message.as_deref(), Some("Ask Ann."));
    }
}
