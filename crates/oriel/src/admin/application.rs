//! Programs installed on a host, as its agent finds them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oriel_model::Kind;
use serde_json::Value;

use super::{Desk, names};
use crate::failure::{Failure, Outcome};

/// The programs of a host, without icons.
pub fn installed(desk: &Desk, host: &str, languages: &[String]) -> Outcome<Vec<Value>> {
    let id = names::id(&desk.client, Kind::Host, host)?;
    let query: Vec<_> = languages.iter().map(|language| ("language", language.as_str())).collect();
    let mut answer = desk.client.get(&format!("hosts/{id}/apps"), &query)?;
    Ok(match answer["apps"].take() {
        Value::Array(apps) => apps,
        _ => Vec::new(),
    })
}

/// One program of a host, with its icon.
pub fn one(desk: &Desk, host: &str, app: &str) -> Outcome<Value> {
    let id = names::id(&desk.client, Kind::Host, host)?;
    let answer = desk.client.get(&format!("hosts/{id}/apps"), &[("app", app), ("icons", "true")])?;
    answer["apps"].as_array().and_then(|apps| apps.first()).cloned().ok_or_else(|| {
        Failure::NotFound(format!(
            "host \"{host}\" has no program with the id \"{app}\": see oriel host apps {host}"
        ))
    })
}

/// The icon of a program that [`one`] found, as PNG.
pub fn icon(app: &Value) -> Option<Vec<u8>> {
    let text = app["icon_png"].as_str().filter(|text| !text.is_empty())?;
    STANDARD.decode(text).ok()
}
