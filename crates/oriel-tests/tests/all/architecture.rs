//! What each crate must never reach, so that a gateway for the DMZ has no database client and a
//! decision has no clock. The table is that of ARCHITECTURE.md.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

/// The packages of the workspace with everything that they reach without their tests.
struct Packages {
    reached: BTreeMap<String, BTreeSet<String>>,
    direct: BTreeMap<String, BTreeSet<String>>,
}

const HTTP: &[&str] = &["hyper", "axum", "tonic", "tower-http", "ureq", "reqwest"];
const DATABASE: &[&str] = &["oriel-store", "rusqlite", "libsqlite3-sys", "tokio-postgres"];
const INPUT_AND_OUTPUT: &[&str] = &["tokio", "hyper", "rusqlite", "rustls", "socket2", "rustix", "mio"];

fn packages() -> Packages {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata speaks JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let names: BTreeMap<String, String> =
        list(&metadata["packages"]).iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();

    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let wanted = list(&node["deps"]).into_iter().filter(|dependency| {
            // A null kind is a normal dependency; tests may reach what they like.
            list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev")
        });
        edges.insert(text(&node["id"]), wanted.map(|dependency| text(&dependency["pkg"])).collect());
    }
    let members: Vec<String> = list(&metadata["workspace_members"]).iter().map(text).collect();
    let mut found = Packages { reached: BTreeMap::new(), direct: BTreeMap::new() };
    for member in members {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![member.clone()];
        while let Some(id) = waiting.pop() {
            for next in &edges[&id] {
                if seen.insert(next.clone()) {
                    waiting.push(next.clone());
                }
            }
        }
        let named = |ids: &BTreeSet<String>| ids.iter().map(|id| names[id].clone()).collect();
        found.reached.insert(names[&member].clone(), named(&seen));
        found.direct.insert(names[&member].clone(), named(&edges[&member]));
    }
    found
}

fn check(crate_name: &str, reached: &BTreeMap<String, BTreeSet<String>>, forbidden: &[&str]) -> Vec<String> {
    let Some(reached) = reached.get(crate_name) else { return vec![format!("there is no {crate_name}")] };
    let bad = forbidden.iter().filter(|name| reached.contains(**name));
    bad.map(|name| format!("{crate_name} reaches {name}")).collect()
}

#[test]
fn no_crate_reaches_what_it_must_not() {
    let Packages { reached, direct } = packages();
    let mut mistakes = Vec::new();
    for (crate_name, forbidden) in [
        ("oriel-model", INPUT_AND_OUTPUT),
        ("oriel-rules", INPUT_AND_OUTPUT),
        ("oriel-wire", DATABASE),
        ("oriel-store", &[HTTP, &["oriel-rules"]].concat()),
        ("oriel-identity", &[HTTP, DATABASE].concat()),
        ("oriel-rdp", &[HTTP, DATABASE].concat()),
        ("oriel-broker", &["oriel-gateway", "oriel-agent", "oriel-rdp"]),
        ("oriel-gateway", &[DATABASE, &["oriel-identity", "oriel-broker"]].concat()),
        (
            "oriel-agent",
            &[DATABASE, &["oriel-identity", "oriel-broker", "oriel-gateway", "oriel-rdp"]].concat(),
        ),
    ] {
        mistakes.extend(check(crate_name, &reached, forbidden));
    }
    // Below tonic there is an HTTP server in any case; an agent names none.
    mistakes.extend(check("oriel-agent", &direct, &["axum", "hyper", "tower-http", "aide"]));
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn only_one_crate_of_the_product_names_ironrdp() {
    let named = packages().direct;
    let allowed = ["oriel-rdp", "oriel-testkit", "oriel-bench"];
    for (crate_name, dependencies) in named {
        let names = dependencies.iter().find(|name| name.starts_with("ironrdp") || *name == "sspi");
        assert!(names.is_none() || allowed.contains(&&*crate_name), "{crate_name} names {names:?}");
    }
}

#[test]
fn there_is_one_provider_of_cryptography() {
    let reached = packages().reached;
    for crate_name in ["oriel", "oriel-testkit"] {
        assert_eq!(
            check(crate_name, &reached, &["aws-lc-rs", "aws-lc-sys", "openssl"]),
            Vec::<String>::new()
        );
    }
}

#[test]
fn decisions_look_at_no_clock_and_at_no_file() {
    let words = ["::now()", "std::fs", "std::net", "std::process", "std::thread", "SystemTime", "Instant"];
    for crate_name in ["oriel-model", "oriel-rules"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_name).join("src");
        for entry in std::fs::read_dir(folder).expect("the crate's folder").flatten() {
            let Ok(source) = std::fs::read_to_string(entry.path()) else { continue };
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                // An address is a value; only sockets are I/O.
                let line = line.replace("std::net::Ip", "");
                let found = words.iter().find(|word| line.contains(**word) && !line.contains("net::{Ip"));
                assert_eq!(found, None, "{}: {line}", entry.path().display());
            }
        }
    }
}
