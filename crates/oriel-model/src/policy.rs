//! Client policies: settings of users' clients, with rules for whom they apply.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    gateway::Gateway,
    id::Id,
    keyboard::windows_layout,
    object::{Kind, Spec},
    rule::Rules,
    session::ChannelPolicy,
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// A client policy. Exactly one holds for a client: the first by `order` whose rules allow. Each group of
/// settings is enforced (present) or left to the user (absent).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// A disabled policy holds for nobody.
    pub enabled: bool,
    /// For administrators.
    pub description: String,
    /// Its place among all policies: smaller first, then by name.
    pub order: i32,
    /// Whom it holds for. Without rules, everybody.
    pub rules: Rules,
    /// What it enforces.
    pub settings: PolicySettings,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            description: String::new(),
            order: 0,
            rules: Rules::default(),
            settings: PolicySettings::default(),
        }
    }
}

/// What a policy enforces, in groups. An absent group is left to the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each group is documented by its type")]
pub struct PolicySettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<Display>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clipboard: Option<Clipboard>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drives: Option<Drives>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printing: Option<Printing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Audio>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<Keyboard>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<ClientOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirection: Option<GatewayRedirection>,
}

/// How a session looks on the user's screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Display {
    /// Whether sessions open over the whole screen.
    pub full_screen: bool,
    /// Whether the session takes the size of its window; if not, it is scaled to fit.
    pub follow_window: bool,
    /// Enlargement of what is drawn, in percent; absent: that of the user's screen.
    pub scale_percent: Option<u32>,
}

impl Default for Display {
    fn default() -> Self {
        Self { full_screen: false, follow_window: true, scale_percent: None }
    }
}

/// What passes the clipboard. The gateway enforces it, whatever the client asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Clipboard {
    /// Which way.
    pub direction: Direction,
    /// What; empty: everything.
    pub kinds: Vec<ClipboardKind>,
    /// Largest content, in KiB; absent: no limit.
    pub max_kib: Option<u32>,
}

impl Default for Clipboard {
    fn default() -> Self {
        Self { direction: Direction::Both, kinds: Vec::new(), max_kib: None }
    }
}

/// Which way something may pass between a user's device and a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Not at all.
    None,
    /// From the device into the session.
    ToSession,
    /// From the session to the device.
    FromSession,
    /// Both ways.
    #[default]
    Both,
}

/// What may be on a clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClipboardKind {
    /// Plain text.
    Text,
    /// Text with its look (HTML, RTF).
    Html,
    /// Pictures.
    Images,
    /// Files.
    Files,
    /// Anything else.
    Others,
}

/// The user's drives and folders in the session. Files on the clipboard are the clipboard's matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drives {
    /// Which way files may pass; `none`: there are no drives. Names, sizes and times of files pass both ways
    /// wherever there are drives. The gateway enforces it, whatever the client does.
    pub direction: Direction,
}

/// The user's printers in the session. The gateway enforces it, whatever the client does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Printing {
    /// Whether there are any.
    pub printers: bool,
}

impl Default for Printing {
    fn default() -> Self {
        Self { printers: true }
    }
}

/// Sound. The gateway enforces it, whatever the client does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Audio {
    /// The session's sound on the user's device.
    pub playback: bool,
    /// The user's microphone in the session.
    pub recording: bool,
}

impl Default for Audio {
    fn default() -> Self {
        Self { playback: true, recording: false }
    }
}

/// The keyboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keyboard {
    /// The layout in the session as a language tag, as in `de-DE`; absent: the user's own.
    pub layout: Option<String>,
    /// Whether key combinations of the user's own system go to the session in full screen.
    pub system_keys: bool,
}

impl Default for Keyboard {
    fn default() -> Self {
        Self { layout: None, system_keys: true }
    }
}

/// Connecting and connecting again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionSettings {
    /// Whether a lost connection is taken up again by itself.
    pub reconnect: bool,
    /// For how long that is tried, in minutes.
    pub reconnect_minutes: u32,
    /// Whether a session is started at sign-in, before the user opens anything.
    pub prelaunch: Prelaunch,
    /// How long one connection may last, in minutes; absent: as long as the user likes.
    pub max_minutes: Option<u32>,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self { reconnect: true, reconnect_minutes: 10, prelaunch: Prelaunch::Off, max_minutes: None }
    }
}

/// Starting a session before the user opens anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Prelaunch {
    /// Not.
    #[default]
    Off,
    /// At sign-in; kept for ten minutes, and dropped when unused.
    Basic,
}

/// How much of the network a session takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// What the client asks the session for. The gateway writes it into what the client says to the host.
    pub quality: Quality,
    /// Most that one connection may take, in kbit/s from session to device; absent: no limit. The gateway
    /// enforces it.
    pub max_kbits: Option<u32>,
}

/// What a client asks a session for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// What the client and the host find right for the network.
    #[default]
    Automatic,
    /// As on a slow network: no wallpaper, no effects, no themes.
    Slow,
    /// As on a fast network: everything.
    Fast,
}

/// What users may do in the portal and in the session page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientOptions {
    /// Whether the session page has a toolbar.
    pub toolbar: bool,
    /// Whether users may log off and disconnect their sessions from the portal.
    pub session_list: bool,
    /// Users who do nothing in the portal for so many minutes are signed out; absent: the farm's setting.
    pub sign_out_minutes: Option<u32>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { toolbar: true, session_list: true, sign_out_minutes: None }
    }
}

/// Sends clients to other entry points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayRedirection {
    /// In this order; where none answers, the one that was used.
    pub routes: Vec<Route>,
}

/// A way to a session: a gateway of the farm, or an address in front of gateways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "by", deny_unknown_fields)]
pub enum Route {
    /// This gateway, at its public address.
    Gateway {
        /// Which.
        gateway: Id<Gateway>,
    },
    /// This address: `host` or `host:port`.
    Address {
        /// The address.
        address: String,
    },
}

/// More routes than anyone waits for.
pub const ROUTES_MAX: usize = 16;

/// Checks an ordered list of routes.
pub fn validate_routes(routes: &[Route], field: &str, mistakes: &mut Mistakes) {
    if routes.len() > ROUTES_MAX {
        mistakes.add(field, format!("has more than {ROUTES_MAX} entries"));
    }
    for (index, route) in routes.iter().enumerate() {
        if let Route::Address { address } = route {
            validate_address(address, &format!("{field}[{index}].address"), mistakes);
        }
    }
}

/// Checks an address that clients are sent to.
pub fn validate_address(address: &str, field: &str, mistakes: &mut Mistakes) {
    // A host name of the longest and a port.
    mistakes.text(field, address, 260);
    if address.chars().any(|c| c.is_whitespace() || matches!(c, '/' | '@' | '?' | '#')) {
        mistakes.add(field, "must be a host name or an IP address, with a port or without");
    }
}

impl Spec for Policy {
    const KIND: Kind = Kind::Policy;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        mistakes.within("rules", |m| self.rules.validate(m));
        mistakes.within("settings", |m| self.settings.validate(m));
    }
}

impl PolicySettings {
    fn validate(&self, mistakes: &mut Mistakes) {
        if let Some(scale) = self.display.as_ref().and_then(|display| display.scale_percent) {
            mistakes.range("display.scale_percent", &scale, 100..=500);
        }
        if let Some(max) = self.clipboard.as_ref().and_then(|clipboard| clipboard.max_kib) {
            mistakes.range("clipboard.max_kib", &max, 1..=1024 * 1024);
        }
        if let Some(layout) = self.keyboard.as_ref().and_then(|keyboard| keyboard.layout.as_ref()) {
            let tag = !layout.is_empty()
                && layout.len() <= 35
                && layout.split('-').all(|part| {
                    (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
                });
            if !tag {
                mistakes.add("keyboard.layout", "is not a language tag such as de-DE");
            } else if windows_layout(layout).is_none() {
                // It would be set and have no effect.
                mistakes.add("keyboard.layout", "is a language whose keyboard is not known");
            }
        }
        if let Some(connection) = &self.connection {
            mistakes.range("connection.reconnect_minutes", &connection.reconnect_minutes, 1..=240);
            if let Some(max) = connection.max_minutes {
                mistakes.range("connection.max_minutes", &max, 5..=7 * 24 * 60);
            }
        }
        if let Some(max) = self.network.as_ref().and_then(|network| network.max_kbits) {
            mistakes.range("network.max_kbits", &max, 64..=10_000_000);
        }
        if let Some(minutes) = self.options.as_ref().and_then(|options| options.sign_out_minutes) {
            mistakes.range("options.sign_out_minutes", &minutes, 5..=24 * 60);
        }
        if let Some(redirection) = &self.redirection {
            if redirection.routes.is_empty() {
                mistakes.add("redirection.routes", "needs at least one gateway or address");
            }
            validate_routes(&redirection.routes, "redirection.routes", mistakes);
        }
    }

    /// The virtual channels that it leaves open.
    pub fn channels(&self) -> ChannelPolicy {
        let open = ChannelPolicy::default();
        ChannelPolicy {
            clipboard: self.clipboard.as_ref().map_or(open.clipboard, |c| c.direction != Direction::None),
            drives: self.drives.as_ref().map_or(open.drives, |d| d.direction != Direction::None),
            audio: self.audio.as_ref().map_or(open.audio, |a| a.playback),
            microphone: self.audio.as_ref().map_or(open.microphone, |a| a.recording),
            printers: self.printing.as_ref().map_or(open.printers, |p| p.printers),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings(settings: Value) -> PolicySettings {
        serde_json::from_value(settings).expect("settings")
    }

    #[test]
    fn each_group_closes_its_channels_and_no_others() {
        let closed = |json: Value| {
            let ChannelPolicy { clipboard, drives, audio, microphone, printers } = settings(json).channels();
            [
                (clipboard, "clipboard"),
                (drives, "drives"),
                (audio, "audio"),
                (microphone, "microphone"),
                (printers, "printers"),
            ]
            .into_iter()
            .filter_map(|(is_open, channel)| (!is_open).then_some(channel))
            .collect::<Vec<_>>()
        };
        assert_eq!(closed(json!({})), [""; 0]);
        assert_eq!(closed(json!({ "clipboard": { "direction": "none" } })), ["clipboard"]);
        assert_eq!(closed(json!({ "drives": { "direction": "none" } })), ["drives"]);
        assert_eq!(closed(json!({ "drives": { "direction": "to_session" } })), [""; 0]);
        assert_eq!(closed(json!({ "printing": { "printers": false } })), ["printers"]);
        assert_eq!(closed(json!({ "audio": { "playback": false, "recording": true } })), ["audio"]);
        assert_eq!(closed(json!({ "audio": { "playback": true, "recording": false } })), ["microphone"]);
    }

    #[test]
    fn a_keyboard_that_would_have_no_effect_is_refused() {
        let mistakes = |layout: &str| {
            let mut mistakes = Mistakes::default();
            settings(json!({ "keyboard": { "layout": layout } })).validate(&mut mistakes);
            mistakes.into_vec().into_iter().map(|mistake| mistake.message).collect::<Vec<_>>()
        };
        assert_eq!(mistakes("de-DE"), [""; 0]);
        assert_eq!(mistakes("de_DE"), ["is not a language tag such as de-DE"]);
        assert_eq!(mistakes("tlh-001"), ["is a language whose keyboard is not known"]);
    }
}
