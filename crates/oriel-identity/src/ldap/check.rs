//! Whether a server can be used with these settings.

use std::time::Duration;

use super::{
    Answering, Schema, Settings,
    connection::{Broken, Connection},
    filter::Filter,
    message::{Scope, Search},
};

/// [MS-ADTS] 3.1.1.3.4.3.1: what only Active Directory can.
const IS_ACTIVE_DIRECTORY: &[u8] = b"1.2.840.113556.1.4.800";

/// Asks a server what it is, and, if the service account is bound, for the base of the directory.
pub(super) async fn ask(
    settings: &Settings,
    is_bound: bool,
    mut connection: Connection,
) -> Result<Answering, Broken> {
    let entry = |base, attributes| {
        let filter = Filter::Present("objectClass".to_owned());
        Search { base, scope: Scope::Base, filter, attributes, limit: 1 }
    };
    let attributes = vec!["dnsHostName", "vendorName", "supportedCapabilities", "structuralObjectClass"];
    let root = connection.search(&entry("", attributes)).await?.entries.pop().unwrap_or_default();
    let is_windows = root.values("supportedCapabilities").iter().any(|value| value == IS_ACTIVE_DIRECTORY);
    match (&settings.schema, is_windows) {
        (Schema::ActiveDirectory, false) => {
            let sentence = "it is no domain controller of Active Directory: choose the other schema";
            return Err(Broken::Because(sentence.to_owned()));
        }
        (Schema::OpenLdap(_), true) => {
            let sentence = "it is a domain controller of Active Directory: choose that schema";
            return Err(Broken::Because(sentence.to_owned()));
        }
        _ => {}
    }
    if is_bound {
        let base = &settings.base_dn;
        if connection.search(&entry(base, vec!["objectClass"])).await?.entries.is_empty() {
            return Err(Broken::Because(format!(
                "it has no entry {base:?}, or the service account may not see it"
            )));
        }
    }
    let name = root.text("dnsHostName").or_else(|| root.text("vendorName"));
    connection.close().await;
    Ok(Answering { took: Duration::ZERO, name })
}
