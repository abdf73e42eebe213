//! How components join and keep their certificates young. Served on both internal ports.
//!
//! Joining is the only call without a client certificate. Every wrong, used or expired secret gets the
//! same answer.

use std::{net::IpAddr, sync::Arc, time::Duration};

use oriel_model::{
    Id, Kind, Object, Timestamp, broker,
    gateway::Gateway,
    host::{Host, HostSettings, LogonMode},
    invitation::{Invitation, Used},
    role::Role,
    site::Site,
    validate::NAME_MAX,
};
use oriel_net::{
    authority::Grant,
    identity::{PeerIdentity, Validity},
};
use oriel_store::{Author, CommitError, Transaction, Via};
use oriel_wire::v1::{JoinRequest, JoinResponse, RenewRequest, RenewResponse, enrolment_server::Enrolment};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    Broker,
    app::{
        audit::Event,
        objects::{same_digest, secret_sha256},
    },
    farm::FarmView,
    peer::{peer, remote},
};

/// Largest message of the service, in bytes: a signing request has about 500.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Names tried for a component whose own is taken: `web`, `web-2` and so on.
const NAMES_MAX: u32 = 100;

/// The service that components call.
pub struct EnrolmentService {
    broker: Arc<Broker>,
}

impl EnrolmentService {
    /// The service over this broker's state.
    pub fn new(broker: Arc<Broker>) -> Self {
        Self { broker }
    }
}

#[tonic::async_trait]
impl Enrolment for EnrolmentService {
    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinResponse>, Status> {
        let address = remote(request.extensions());
        let request = request.into_inner();
        self.broker.join(request, address).await.map(Response::new)
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        let peer = peer(&self.broker, request.extensions())?;
        let certificate_pem =
            self.broker.certificate(&request.get_ref().csr_pem, peer.role, peer.id.uuid())?;
        // Its link may stand for long with the one of before.
        if let Some(valid) = Validity::of_pem(&certificate_pem) {
            self.broker.node_certificates.note(peer.role, peer.id, valid);
        }
        tracing::info!(role = %peer.role, component.id = %peer.id, "a component renewed its certificate");
        Ok(Response::new(RenewResponse {
            certificate_pem,
            authority_pem: self.broker.authority.certificate_pem(),
            broker_addresses: self.broker.addresses_for(peer.role),
        }))
    }
}

/// The one answer to everything that is wrong with an invitation.
fn not_valid() -> Status {
    Status::unauthenticated("the invitation is wrong, has been used or has expired; ask for a new one")
}

impl Broker {
    async fn join(&self, request: JoinRequest, address: Option<IpAddr>) -> Result<JoinResponse, Status> {
        let now = self.now();
        if let Some(address) = address {
            let too_many = |error: crate::throttle::TooMany| Status::resource_exhausted(error.to_string());
            self.throttle.admit_invitation(address, now).map_err(too_many)?;
        }
        let view = self.farm.load();
        let refuse = |why: &'static str| {
            self.record(&Event::JoinRefused {
                role: &request.role.chars().take(16).collect::<String>(),
                address,
                why,
            });
            if let Some(address) = address {
                // Over the bound already: then the next one is not looked at.
                let _ = self.throttle.token_refused(address, now);
            }
            not_valid()
        };
        let invitation = check(&view, &request, now).map_err(refuse)?;
        let role = invitation.spec.role;
        let id = Id::<Host>::generate(now).uuid();
        // First the certificate: a request that cannot be signed must not use the invitation up.
        let certificate_pem = self.certificate(&request.csr_pem, role, id)?;
        let name = match self.admit(&view, &invitation, &request, id, address, now).await {
            Ok(name) => name,
            Err(JoinError::UsedMeanwhile) => return Err(refuse("it was used at the same moment")),
            Err(JoinError::Commit(error)) => {
                tracing::warn!(%error, "a component could not be admitted");
                return Err(Status::unavailable(
                    "the farm cannot take a new component at the moment; try again",
                ));
            }
        };
        let invitation = invitation.id;
        self.record(&Event::Joined { role, component: id.into(), name: &name, invitation, address });
        Ok(JoinResponse {
            component_id: id.to_string(),
            component_name: name,
            farm_id: self.farm_id.to_string(),
            certificate_pem,
            authority_pem: self.authority.certificate_pem(),
            broker_addresses: self.addresses_for(role),
        })
    }

    /// Uses the invitation up and makes the component, together or not at all.
    async fn admit(
        &self,
        view: &FarmView,
        invitation: &Object<Invitation>,
        request: &JoinRequest,
        id: Uuid,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<String, JoinError> {
        let mut used = invitation.clone();
        let from = address.map(|address| address.to_string()).unwrap_or_default();
        used.spec.used = Some(Used { at: now, component: id.into(), address: from });
        let wanted = wanted_name(invitation, request);
        let site = site_of(view, invitation);
        for number in 1..=NAMES_MAX {
            let name = if number == 1 { wanted.clone() } else { format!("{wanted}-{number}") };
            if is_taken(view, invitation.spec.role, &name) {
                continue;
            }
            let author =
                Author { name: format!("invitation {}", invitation.name), via: Via::System, address };
            let transaction = Transaction::new(author, now).update(&used);
            let transaction = match invitation.spec.role {
                Role::Gateway => transaction.create::<Gateway>(id.into(), &name, site, &Gateway::default()),
                Role::Agent => {
                    transaction.create::<Host>(id.into(), &name, site, &new_host(view, invitation))
                }
                Role::Broker => transaction.create::<broker::Broker>(id.into(), &name, site, &new_broker()),
            };
            match self.commit(transaction).await {
                Ok(_) => return Ok(name),
                // Taken at the same moment by another one.
                Err(CommitError::NameTaken { kind, .. }) if kind != Kind::Invitation => {}
                Err(
                    CommitError::Stale { .. } | CommitError::Deleted { .. } | CommitError::NotFound { .. },
                ) => {
                    return Err(JoinError::UsedMeanwhile);
                }
                Err(error) => return Err(JoinError::Commit(error)),
            }
        }
        Err(JoinError::Commit(CommitError::NameTaken { kind: kind_of(invitation.spec.role), name: wanted }))
    }

    /// Signs a component's key.
    pub(crate) fn certificate(&self, csr_pem: &str, role: Role, id: Uuid) -> Result<String, Status> {
        let hours = self.farm.load().farm().certificate_lifetime_hours;
        let grant = Grant {
            identity: PeerIdentity { farm: self.farm_id.uuid(), role, id },
            // Components know each other by role, not by host name.
            names: Vec::new(),
            lifetime: Duration::from_secs(u64::from(hours) * 3600),
        };
        self.authority
            .issue(csr_pem, &grant, self.now())
            .map_err(|error| Status::invalid_argument(error.to_string()))
    }

    /// Every broker's addresses for a role; this broker's first.
    fn addresses_for(&self, role: Role) -> Vec<String> {
        let own = match role {
            Role::Gateway => &self.addresses.gateway,
            Role::Agent | Role::Broker => &self.addresses.agent,
        };
        let mut addresses = own.clone();
        for broker in self.farm.load().brokers.sorted() {
            let others = match role {
                Role::Gateway => &broker.spec.gateway_addresses,
                Role::Agent | Role::Broker => &broker.spec.agent_addresses,
            };
            for address in others {
                if !addresses.contains(address) {
                    addresses.push(address.clone());
                }
            }
        }
        addresses
    }
}

enum JoinError {
    UsedMeanwhile,
    Commit(CommitError),
}

/// The invitation, if everything about the request is right. The error is for the audit only.
fn check(view: &FarmView, request: &JoinRequest, now: Timestamp) -> Result<Object<Invitation>, &'static str> {
    // Computed for every request, so that a wrong id takes no less than a wrong secret.
    let shown = secret_sha256(&request.secret);
    let invitation = request.invitation_id.parse().ok().and_then(|id| view.invitations.get(id));
    let kept = invitation.map_or("", |invitation| &*invitation.spec.secret_sha256);
    let is_secret_right = same_digest(&shown, kept);
    let invitation = invitation.ok_or("there is no such invitation")?;
    if !is_secret_right {
        return Err("the secret is wrong");
    }
    if invitation.spec.used.is_some() {
        return Err("it was used before");
    }
    if invitation.spec.expires_at <= now {
        return Err("it has expired");
    }
    if request.role.parse() != Ok(invitation.spec.role) {
        return Err("it is for another role");
    }
    Ok((**invitation).clone())
}

fn wanted_name(invitation: &Object<Invitation>, request: &JoinRequest) -> String {
    let reported = invitation.spec.component_name.as_deref().unwrap_or(&request.machine_name);
    // Room for a number.
    let name: String = reported.chars().filter(|c| !c.is_control()).take(NAME_MAX - 8).collect();
    match name.trim() {
        "" => invitation.spec.role.to_string(),
        name => name.to_owned(),
    }
}

fn is_taken(view: &FarmView, role: Role, name: &str) -> bool {
    match role {
        Role::Gateway => view.gateways.by_name(name).is_some(),
        Role::Agent => view.hosts.by_name(name).is_some(),
        Role::Broker => view.brokers.by_name(name).is_some(),
    }
}

fn kind_of(role: Role) -> Kind {
    match role {
        Role::Gateway => Kind::Gateway,
        Role::Agent => Kind::Host,
        Role::Broker => Kind::Broker,
    }
}

/// The pool's site, then the invitation's own, then the farm's only one.
fn site_of(view: &FarmView, invitation: &Object<Invitation>) -> Option<Id<Site>> {
    let of_pool = invitation.spec.pool.and_then(|pool| view.pools.get(pool)).and_then(|pool| pool.site);
    of_pool.or(invitation.site).or_else(|| {
        let sites = view.sites.sorted();
        sites.first().map(|site| site.id)
    })
}

fn new_host(view: &FarmView, invitation: &Object<Invitation>) -> Host {
    // The pool may have been deleted since: any is better than a host that cannot join.
    let pool = invitation.spec.pool.filter(|pool| view.pools.get(*pool).is_some());
    let pool = pool.or_else(|| view.pools.sorted().first().map(|pool| pool.id));
    Host {
        enabled: true,
        description: String::new(),
        address: None,
        pool: pool.unwrap_or_else(|| Uuid::nil().into()),
        logon_mode: LogonMode::Enabled,
        settings: HostSettings::default(),
    }
}

fn new_broker() -> broker::Broker {
    broker::Broker { description: String::new(), gateway_addresses: Vec::new(), agent_addresses: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oriel_model::SettingsObject;
    use serde_json::json;

    fn view(used: bool) -> (FarmView, Id<Invitation>) {
        let at = Timestamp::UNIX_EPOCH;
        let id: Id<Invitation> = Id::generate(at);
        let pool = Id::<oriel_model::pool::Pool>::generate(at);
        let used = used.then(|| json!({"at": at, "component": id, "address": ""}));
        let mut view = FarmView::default();
        view.put(&SettingsObject {
            kind: Kind::Invitation,
            id: id.cast(),
            name: "i".into(),
            site: None,
            spec: json!({
                "role": "agent", "expires_at": "2030-01-01T00:00:00Z", "pool": pool, "used": used,
                "secret_sha256": secret_sha256("right"),
            }),
            revision: 1,
            changed_at: at,
            changed_by: "system".into(),
        });
        (view, id)
    }

    fn answer(view: &FarmView, id: &str, secret: &str, role: &str, now: &str) -> Result<(), &'static str> {
        let request = JoinRequest {
            invitation_id: id.into(),
            secret: secret.into(),
            role: role.into(),
            ..Default::default()
        };
        check(view, &request, now.parse().expect("time")).map(|_| ())
    }

    #[test]
    fn only_the_right_secret_in_the_right_role_in_time_and_once() {
        let (fresh, id) = view(false);
        let id = id.to_string();
        let early = "2029-12-31T23:59:59Z";
        assert_eq!(answer(&fresh, &id, "right", "agent", early), Ok(()));
        assert!(answer(&fresh, &id, "wrong", "agent", early).is_err());
        assert!(answer(&fresh, &id, "right", "gateway", early).is_err());
        assert!(answer(&fresh, &id, "right", "agent", "2030-01-01T00:00:00Z").is_err());
        assert!(answer(&fresh, "rubbish", "right", "agent", early).is_err());
        let (used, id) = view(true);
        assert!(answer(&used, &id.to_string(), "right", "agent", early).is_err());
    }
}
