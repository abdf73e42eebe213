//! LDAP directories against real servers: OpenLDAP, and Samba as an Active Directory domain.

mod active_directory;
mod bad_servers;
mod open_ldap;

use std::time::Duration;

use oriel_identity::{
    Refused,
    ldap::{Bind, LdapDirectory, Login, Person, Schema, Security, Server, Settings},
};
use oriel_testkit::certificates::Authority;

/// A password as it is handed over.
fn secret(password: &str) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(password.to_owned())
}

fn login(name: &str) -> Login {
    Login::parse(name).unwrap()
}

fn server(host: &str, port: u16, security: Security) -> Server {
    Server { host: host.to_owned(), port, security }
}

/// Settings for these servers, whose certificates come from `authority`, without memory.
fn settings(authority: &Authority, servers: Vec<Server>, schema: Schema) -> Settings {
    let is_windows = schema == Schema::ActiveDirectory;
    Settings {
        servers,
        base_dn: if is_windows { "DC=ad,DC=oriel,DC=test" } else { "dc=oriel,dc=test" }.to_owned(),
        domain: if is_windows { "ad.oriel.test" } else { "oriel.test" }.to_owned(),
        netbios: is_windows.then(|| "ORIELAD".to_owned()),
        schema,
        upn_suffixes: Vec::new(),
        bind: Bind::AsUser,
        tls: oriel_net::tls::authority_client(Some(&authority.pem())).unwrap(),
        // Long enough for machines that do much else.
        connect_timeout: Duration::from_secs(20),
        answer_timeout: Duration::from_secs(20),
        pool: 4,
        membership_cache: Duration::ZERO,
    }
}

fn service(name: &str, password: &str) -> Bind {
    Bind::Service { name: name.to_owned(), password: secret(password) }
}

async fn sign_in(directory: &LdapDirectory, name: &str, password: &str) -> Result<Person, Refused> {
    directory.authenticate(&login(name), secret(password)).await
}
