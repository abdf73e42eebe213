//! What a key of a node file may hold.

use std::net::SocketAddr;

use toml::de::DeValue;

use crate::connect;

/// One key of a node file.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The full key, with dots: `listen.web`.
    pub key: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What happens when it is absent.
    pub presence: Presence,
    /// What it is for, in a sentence.
    pub help: &'static str,
}

/// What a key may hold.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text that is not empty. Deserialises as `String`.
    Text,
    /// A path of a file or directory. `PathBuf`.
    Path,
    /// An IP address and port to listen on, such as `0.0.0.0:443` or `[::]:443`. `SocketAddr`.
    Listen,
    /// A host and port to connect to, such as `broker.example:20003`. `String`.
    Endpoint,
    /// A DNS name or an IP address. `String`.
    Host,
    /// A URL with one of these schemes. `String`.
    Url(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number within these bounds. Any integer type that holds them.
    Number {
        /// The least allowed.
        min: i64,
        /// The most allowed.
        max: i64,
    },
    /// One of these words. `String` or an enum.
    OneOf(&'static [&'static str]),
    /// Any number of these. `Vec`.
    List(&'static Kind),
}

/// What happens when a key is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is a mistake.
    Required,
    /// The type copes: `Option`, or a serde default.
    Optional,
    /// It has this value, written as in the file: `"\"0.0.0.0:443\""`.
    Default(&'static str),
}

impl Kind {
    /// What is expected, as the rest of a sentence.
    pub(super) fn expected(self) -> String {
        match self {
            Kind::Text => "Expected text in quotes.".into(),
            Kind::Path => "Expected a path in quotes.".into(),
            Kind::Listen => "Expected an IP address and port in quotes, such as \"0.0.0.0:443\".".into(),
            Kind::Endpoint => "Expected a host and port in quotes, such as \"broker.example:20003\".".into(),
            Kind::Host => "Expected a host name or IP address in quotes.".into(),
            Kind::Url(schemes) => {
                format!("Expected a URL in quotes that starts with {}.", joined(schemes, "://"))
            }
            Kind::Flag => "Expected true or false.".into(),
            Kind::Number { min, max } => format!("Expected a whole number from {min} to {max}."),
            Kind::OneOf(words) => format!("Expected {} in quotes.", joined(words, "")),
            Kind::List(Kind::Listen) => {
                "Expected a list of IP addresses with ports, such as [\"0.0.0.0:443\"].".into()
            }
            Kind::List(Kind::Endpoint) => {
                "Expected a list of hosts with ports, such as [\"broker.example:20003\"].".into()
            }
            Kind::List(_) => "Expected a list in brackets, such as [\"one\", \"two\"].".into(),
        }
    }

    /// The value as the type will read it, or what is wrong as the rest of a sentence.
    pub(super) fn check(self, value: &DeValue<'_>) -> Result<toml::Value, String> {
        let wrong = |what: String| format!("{what}. {}", self.expected());
        match (self, value) {
            (Kind::Flag, DeValue::Boolean(flag)) => Ok(toml::Value::Boolean(*flag)),
            (Kind::Number { min, max }, DeValue::Integer(digits)) => {
                match i64::from_str_radix(digits.as_str(), digits.radix()) {
                    Ok(number) if (min..=max).contains(&number) => Ok(toml::Value::Integer(number)),
                    _ => Err(wrong(format!("is out of range: {digits}"))),
                }
            }
            (Kind::List(kind), DeValue::Array(items)) => {
                let checked = items.iter().map(|item| kind.check(item.get_ref()));
                checked.collect::<Result<Vec<_>, _>>().map(toml::Value::Array)
            }
            (Kind::Flag | Kind::Number { .. } | Kind::List(_), other) => {
                Err(wrong(format!("is {}", described(other))))
            }
            (_, DeValue::String(text)) => match self.takes(text) {
                true => Ok(toml::Value::String(text.clone().into_owned())),
                false => {
                    let shown: String = text.chars().take(80).collect();
                    Err(wrong(format!("is \"{shown}\"")))
                }
            },
            (_, other) => Err(wrong(format!("is {}", described(other)))),
        }
    }

    /// Whether a text is of this kind.
    fn takes(self, text: &str) -> bool {
        match self {
            Kind::Text | Kind::Path => !text.trim().is_empty() && !text.contains('\0'),
            Kind::Listen => text.parse::<SocketAddr>().is_ok(),
            Kind::Endpoint => connect::server_name(text).is_ok(),
            Kind::Host => rustls_pki_types::ServerName::try_from(text).is_ok(),
            Kind::Url(schemes) => text
                .split_once("://")
                .is_some_and(|(scheme, rest)| schemes.contains(&scheme) && !rest.is_empty()),
            Kind::OneOf(words) => words.contains(&text),
            Kind::Flag | Kind::Number { .. } | Kind::List(_) => false,
        }
    }
}

fn joined(words: &[&str], suffix: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}{suffix}\"")).collect();
    quoted.join(" or ")
}

fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}
