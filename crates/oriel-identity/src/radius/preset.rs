//! What is known of common servers, as plain data. `docs/second-factors.md` says where each number is from.

use std::time::Duration;

use super::settings::Encoding;

/// What to begin the settings of a provider with.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// What stands in documents; it stays.
    pub id: &'static str,
    /// What people read.
    pub name: &'static str,
    /// How long to wait for an answer before asking again.
    pub timeout: Duration,
    /// How often to ask again.
    pub retries: u32,
    /// How the password goes to the server.
    pub encoding: Encoding,
    /// What people may send instead of a code, by a button.
    pub actions: &'static [Action],
}

/// A word that makes a server do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// What is sent in place of a code.
    pub command: &'static str,
    /// What it does, in English.
    pub title: &'static str,
}

/// The servers that are known, by name.
pub const PRESETS: &[Preset] = &[
    Preset {
        id: "duo",
        name: "Duo Authentication Proxy",
        timeout: Duration::from_secs(60),
        retries: 0,
        encoding: Encoding::Pap,
        actions: &[
            Action { command: "push", title: "Push to the phone" },
            Action { command: "phone", title: "Call the phone" },
            Action { command: "sms", title: "Codes by text message" },
        ],
    },
    Preset {
        id: "entra",
        name: "Microsoft Entra (NPS extension)",
        timeout: Duration::from_secs(60),
        retries: 0,
        encoding: Encoding::Pap,
        actions: &[],
    },
    Preset {
        id: "fortiauthenticator",
        name: "FortiAuthenticator",
        timeout: Duration::from_secs(30),
        retries: 1,
        encoding: Encoding::Pap,
        actions: &[Action { command: "push", title: "Push to the phone" }],
    },
    Preset {
        id: "dualshield",
        name: "Deepnet DualShield",
        timeout: Duration::from_secs(5),
        retries: 2,
        encoding: Encoding::Pap,
        actions: &[],
    },
    Preset {
        id: "safenet",
        name: "SafeNet Trusted Access",
        timeout: Duration::from_secs(60),
        retries: 0,
        encoding: Encoding::Pap,
        actions: &[
            Action { command: "p", title: "Push to the phone" },
            Action { command: "s", title: "Code by text message" },
            Action { command: "g", title: "Grid" },
        ],
    },
];
