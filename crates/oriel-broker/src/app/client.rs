//! What is known of a user's device: what it says about itself, and what its gateway saw.

use oriel_model::rule::{ClientKind, ClientOs};
use serde::{Deserialize, Serialize};

/// Longest text that a client gives about itself, in characters: the client name in RDP has 15, in
/// Windows 63, the longest name of a time zone 32.
const TEXT_MAX: usize = 64;

/// What a client says about itself. Its address and its gateway it is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSays {
    /// Name of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ClientKind>,
    /// Its operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<ClientOs>,
    /// The client's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The device's time zone, as in `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

impl ClientSays {
    /// What it says now, and where it says nothing, what it said `before`.
    #[must_use]
    pub fn or(self, before: &Self) -> Self {
        Self {
            name: self.name.or_else(|| before.name.clone()),
            kind: self.kind.or(before.kind),
            operating_system: self.operating_system.or(before.operating_system),
            version: self.version.or_else(|| before.version.clone()),
            time_zone: self.time_zone.or_else(|| before.time_zone.clone()),
        }
    }
}

/// A text that a client gives, bounded; none where it gives none.
pub fn text(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A word of the public contract, as in `linux`.
pub fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_now_counts_and_the_rest_is_remembered() {
        let before = ClientSays {
            name: text("laptop"),
            time_zone: text("Europe/Berlin"),
            operating_system: Some(ClientOs::Linux),
            ..ClientSays::default()
        };
        let now = ClientSays { name: text("desk"), kind: Some(ClientKind::Browser), ..ClientSays::default() };
        let all = now.or(&before);
        assert_eq!((all.name.as_deref(), all.time_zone.as_deref()), (Some("desk"), Some("Europe/Berlin")));
        assert_eq!((all.kind, all.operating_system), (Some(ClientKind::Browser), Some(ClientOs::Linux)));
        assert_eq!(text(" \n "), None);
        assert_eq!(text(&"x".repeat(100)).map(|text| text.len()), Some(TEXT_MAX));
    }
}
