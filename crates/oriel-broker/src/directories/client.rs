//! A client of a directory, made from its settings and kept until they change.

use std::{sync::Arc, time::Duration};

use oriel_identity::ldap::{Bind, LdapDirectory, OpenLdap, Schema, Security, Server, Settings};
use oriel_model::{
    Id,
    directory::{Directory, DirectoryAttributes, DirectoryKind, DirectorySecurity},
};
use oriel_net::tls::authority_client;

use super::{BindPassword, Directories};
use crate::{farm::FarmView, hosts::lock};

/// Requests to one directory at once, and connections kept to a server: 200 sign-ins a second, each of some
/// round trips of a few milliseconds, need fewer.
const POOL: usize = 16;

/// A client, and what it was made from.
pub(super) struct Kept {
    spec: Directory,
    password: Option<BindPassword>,
    client: Arc<LdapDirectory>,
}

impl Directories {
    /// The client of a directory that is enabled.
    ///
    /// # Errors
    /// Why it cannot be asked, in words.
    pub(super) fn client(&self, view: &FarmView, id: Id<Directory>) -> Result<Arc<LdapDirectory>, String> {
        let directory = view.directories.get(id).ok_or("there is no such directory any more")?;
        let (spec, password) = (&directory.spec, view.bind_passwords.get(&id));
        {
            let clients = lock(&self.clients);
            let kept =
                clients.get(&id).filter(|kept| kept.spec == *spec && kept.password.as_ref() == password);
            if let Some(kept) = kept {
                return Ok(kept.client.clone());
            }
        }
        let client = LdapDirectory::new(settings(spec, password)?).map_err(|error| error.to_string())?;
        let client = Arc::new(client);
        let kept = Kept { spec: spec.clone(), password: password.cloned(), client: client.clone() };
        let mut clients = lock(&self.clients);
        clients.retain(|id, _| view.directories.get(*id).is_some());
        clients.insert(id, kept);
        Ok(client)
    }
}

fn settings(spec: &Directory, password: Option<&BindPassword>) -> Result<Settings, String> {
    let bind = match &spec.bind_name {
        None => Bind::AsUser,
        Some(name) => {
            let password = match password {
                None => return Err("the service account has no password yet; set it".to_owned()),
                Some(kept) => kept.of(spec).ok_or(
                    "the service account's password was set for another account or other servers; set it anew",
                )?,
            };
            Bind::Service { name: name.clone(), password }
        }
    };
    let secs = |secs: u32| Duration::from_secs(secs.into());
    Ok(Settings {
        servers: spec
            .servers
            .iter()
            .map(|server| Server {
                host: server.host.clone(),
                port: server.port(),
                security: match server.security {
                    DirectorySecurity::Ldaps => Security::Ldaps,
                    DirectorySecurity::Starttls => Security::StartTls,
                },
            })
            .collect(),
        schema: match spec.kind {
            DirectoryKind::ActiveDirectory => Schema::ActiveDirectory,
            DirectoryKind::Openldap => Schema::OpenLdap(open_ldap(&spec.attributes)),
        },
        base_dn: spec.base_dn.clone(),
        domain: spec.domain.clone(),
        netbios: spec.netbios_name.clone(),
        upn_suffixes: spec.upn_suffixes.clone(),
        bind,
        tls: authority_client(spec.trusted_certificates.as_deref())?,
        connect_timeout: secs(spec.connect_timeout_secs),
        answer_timeout: secs(spec.answer_timeout_secs),
        pool: POOL,
        // What is known of people is remembered by the farm, for all of the broker's parts alike.
        membership_cache: Duration::ZERO,
    })
}

fn open_ldap(attributes: &DirectoryAttributes) -> OpenLdap {
    let DirectoryAttributes { people_dn, groups_dn, user_class, user_name, full_name, mail, .. } = attributes;
    let DirectoryAttributes { group_classes, group_name, members, member_accounts, id, .. } = attributes;
    OpenLdap {
        users_dn: people_dn.clone(),
        groups_dn: groups_dn.clone(),
        user_class: user_class.clone(),
        group_classes: group_classes.clone(),
        id: id.clone(),
        account: user_name.clone(),
        full_name: full_name.clone(),
        mail: mail.clone(),
        group_name: group_name.clone(),
        members: members.clone(),
        member_accounts: member_accounts.clone(),
    }
}
