use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
struct Sample {
    data_dir: PathBuf,
    store: String,
    workers: u16,
    #[serde(default)]
    brokers: Vec<String>,
    public_name: Option<String>,
    listen: Listen,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Listen {
    web: Vec<SocketAddr>,
    agents: SocketAddr,
    redirect: bool,
}

const fn field(key: &'static str, kind: Kind, presence: Presence, help: &'static str) -> Field {
    Field { key, kind, presence, help }
}

impl NodeFile for Sample {
    const FIELDS: &'static [Field] = &[
        field("data_dir", Kind::Path, Presence::Required, "Where the node keeps its files."),
        field("store", Kind::Url(&["sqlite", "postgres"]), Presence::Required, "The settings store."),
        field("workers", Kind::Number { min: 1, max: 64 }, Presence::Default("4"), "Threads."),
        field("brokers", Kind::List(&Kind::Endpoint), Presence::Optional, "The brokers."),
        field("public_name", Kind::Host, Presence::Optional, "The name in links."),
        field("listen.web", Kind::List(&Kind::Listen), Presence::Default("[\"0.0.0.0:443\"]"), "Browsers."),
        field("listen.agents", Kind::Listen, Presence::Default("\"0.0.0.0:20003\""), "Agents."),
        field("listen.redirect", Kind::Flag, Presence::Default("true"), "Whether port 80 sends on."),
    ];

    fn contradictions(&self) -> Vec<(&'static str, String)> {
        if self.listen.web.contains(&self.listen.agents) {
            return vec![("listen.agents", "is the same address as listen.web".into())];
        }
        Vec::new()
    }
}

/// Parses the text and gives its mistakes, one per line; nothing when it is right.
fn mistakes(text: &str) -> String {
    match parse::<Sample>(text) {
        Ok(_) => String::new(),
        Err(mistakes) => mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

#[test]
fn a_short_file_gets_its_defaults() {
    let file: Sample = parse(
        "data_dir = \"/var/lib/oriel\"\nstore = \"sqlite:///x\"\nbrokers = [\"b1:20003\"]\n\
         [listen]\nagents = \"127.0.0.1:0\"\n",
    )
    .unwrap();
    assert_eq!(
        file,
        Sample {
            data_dir: "/var/lib/oriel".into(),
            store: "sqlite:///x".into(),
            workers: 4,
            brokers: vec!["b1:20003".into()],
            public_name: None,
            listen: Listen {
                web: vec!["0.0.0.0:443".parse().unwrap()],
                agents: "127.0.0.1:0".parse().unwrap(),
                redirect: true,
            },
        }
    );
}

#[test]
fn all_mistakes_are_reported_at_once_with_their_lines() {
    let text = "\
store = \"mysql://db\"
worker = 3
workers = 65
colour = \"red\"
brokers = [\"b1:20003\", \"b2\"]

[listen]
web = \"0.0.0.0:443\"
agents = \"all:20003\"
redirect = 1
public_name = \"here\"
";
    assert_eq!(
        mistakes(text),
        "\
line 1: store is \"mysql://db\". Expected a URL in quotes that starts with \"sqlite://\" or \"postgres://\".
line 2: worker is not a key of this file; did you mean workers?
line 3: workers is out of range: 65. Expected a whole number from 1 to 64.
line 4: colour is not a key of this file
line 5: brokers is \"b2\". Expected a host and port in quotes, such as \"broker.example:20003\".
line 8: listen.web is text. Expected a list of IP addresses with ports, such as [\"0.0.0.0:443\"].
line 9: listen.agents is \"all:20003\". Expected an IP address and port in quotes, such as \"0.0.0.0:443\".
line 10: listen.redirect is a number. Expected true or false.
line 11: listen.public_name is not a key of this file; did you mean public_name?
data_dir is missing: Where the node keeps its files. Expected a path in quotes."
    );
}

#[test]
fn broken_toml_is_reported_with_its_line_and_beside_other_mistakes() {
    let text = "data_dir = \"/d\"\nstore = sqlite\nworkrs = 2\n";
    let found = mistakes(text);
    assert!(found.contains("line 2: the file is not valid TOML: "), "{found}");
    assert!(found.contains("line 3: workrs is not a key of this file; did you mean workers?"), "{found}");
    assert_eq!(found.lines().count(), 2, "{found}");
    let found = mistakes("data_dir = \"/d\"\nstore = \"sqlite://x\"\nlisten = 7\n[lsten]\n");
    assert!(found.contains("line 3: listen is a section"), "{found}");
    assert!(found.contains("line 4: lsten is not a key of this file; did you mean listen?"), "{found}");
}

#[test]
fn contradictions_come_with_the_key_s_line() {
    let text = "data_dir = \"/d\"\nstore = \"sqlite://x\"\n[listen]\nagents = \"0.0.0.0:443\"\n";
    assert_eq!(mistakes(text), "line 4: listen.agents is the same address as listen.web");
}

#[test]
fn the_example_is_a_file_but_for_what_is_required() {
    let text = example(Sample::FIELDS);
    let left: Vec<_> = parse::<Sample>(&text).unwrap_err().into_iter().map(|m| m.key).collect();
    assert_eq!(left, ["data_dir", "store"], "{text}");
}

#[test]
fn a_file_error_lists_everything() {
    let error = FileError::Mistakes {
        path: "/etc/oriel/broker.toml".into(),
        mistakes: parse::<Sample>("x = 1\n").unwrap_err(),
    };
    let text = error.to_string();
    assert!(
        text.starts_with("the node file /etc/oriel/broker.toml has 3 mistakes:\n  line 1: x is"),
        "{text}"
    );
    assert!(matches!(load::<Sample>(Path::new("/nonexistent/file")), Err(FileError::Io { .. })));
}
