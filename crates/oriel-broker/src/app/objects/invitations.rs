//! Invitations: made, listed, withdrawn. The string that is pasted is shown once.

use std::borrow::Cow;

use oriel_model::{
    Id, Object, Timestamp,
    invitation::{Invitation, LIFETIME_DEFAULT_HOURS, LIFETIME_MAX_HOURS, Used},
    pool::Pool,
    role::Role,
    validate::{Mistake, Mistakes},
};
use oriel_store::CommitError;
use oriel_wire::invitation::InvitationString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{ChangeError, Managed, Revised, View, tokens};
use crate::{Broker, app::administrators::Caller, farm::FarmView};

/// What an administrator sends to invite a component.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// A name for the invitation; absent: one is made.
    #[serde(default)]
    pub name: Option<String>,
    /// What shall join: a gateway or an agent.
    pub role: Role,
    /// The pool an agent's host is put into; needed for agents.
    #[serde(default)]
    pub pool: Option<Id<Pool>>,
    /// The name that the component gets; absent: the one it reports.
    #[serde(default)]
    pub component_name: Option<String>,
    /// How long it works, in hours: 1 to 720; absent: 24.
    #[serde(default)]
    pub hours: Option<u32>,
}

/// What an invitation says, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationSettings {
    /// What joins with it.
    pub role: Role,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// The pool an agent's host is put into.
    pub pool: Option<Id<Pool>>,
    /// The name that the component gets; none: the one it reports.
    pub component_name: Option<String>,
    /// Set when it was used.
    pub used: Option<Used>,
}

/// Whether an invitation still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It works.
    Open,
    /// Something joined with it; it works no more.
    Used,
    /// Its time is over.
    Expired,
}

/// What is shown of an invitation beside what it says.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct InvitationFacts {
    /// Whether it still works.
    pub state: InvitationState,
}

/// An invitation that was just made.
#[derive(Serialize, JsonSchema)]
pub struct IssuedInvitation {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: View<Invitation>,
    /// The string to paste where the component runs. It is shown only now.
    #[schemars(with = "String")]
    pub string: Zeroizing<String>,
}

impl Revised for IssuedInvitation {
    fn revision(&self) -> u64 {
        self.invitation.revision()
    }

    fn place(&self) -> String {
        self.invitation.place()
    }
}

impl Managed for Invitation {
    type Shown = InvitationSettings;
    type Beside = InvitationFacts;
    type New = NewInvitation;
    type Made = IssuedInvitation;

    fn shown(&self) -> Cow<'_, InvitationSettings> {
        let Self { role, expires_at, pool, component_name, used, .. } = self.clone();
        Cow::Owned(InvitationSettings { role, expires_at, pool, component_name, used })
    }

    fn said(sent: InvitationSettings, now: &Self) -> Self {
        let InvitationSettings { role, expires_at, pool, component_name, used: _ } = sent;
        // Whether it was used is a fact, not a setting.
        let (secret_sha256, used) = (now.secret_sha256.clone(), now.used.clone());
        Self { role, expires_at, pool, component_name, secret_sha256, used }
    }

    fn beside(broker: &Broker, _: &FarmView, object: &Object<Self>) -> InvitationFacts {
        let state = match &object.spec.used {
            Some(_) => InvitationState::Used,
            None if broker.now() >= object.spec.expires_at => InvitationState::Expired,
            None => InvitationState::Open,
        };
        InvitationFacts { state }
    }

    async fn make(broker: &Broker, by: &Caller, new: NewInvitation) -> Result<IssuedInvitation, ChangeError> {
        create(broker, by, new).await
    }
}

/// Makes an invitation and the string that is pasted.
async fn create(broker: &Broker, by: &Caller, new: NewInvitation) -> Result<IssuedInvitation, ChangeError> {
    let mut mistakes = Mistakes::default();
    let hours = new.hours.unwrap_or(LIFETIME_DEFAULT_HOURS);
    mistakes.range("hours", &hours, 1..=LIFETIME_MAX_HOURS);
    if new.role == Role::Broker {
        mistakes.add("role", "must be gateway or agent: further brokers need a store that several can share");
    }
    if let Some(name) = &new.component_name {
        mistakes.within("component_name", |m| m.text("", name, oriel_model::validate::NAME_MAX));
    }
    let mistakes = mistakes.into_vec();
    if !mistakes.is_empty() {
        return Err(ChangeError::Invalid(mistakes));
    }
    let secret = tokens::random_secret();
    let now = broker.now();
    let expires_at = now + jiff::SignedDuration::from_hours(hours.into());
    let spec = Invitation {
        role: new.role,
        expires_at,
        pool: new.pool,
        component_name: new.component_name,
        secret_sha256: tokens::secret_sha256(&secret),
        used: None,
    };
    let made = match new.name {
        Some(name) => super::create(broker, by, super::New { name, site: None, spec }).await,
        None => create_unnamed(broker, by, spec).await,
    };
    let invitation = made.map_err(without_spec)?;
    let string = InvitationString {
        id: invitation.object.id,
        addresses: addresses(broker, new.role),
        authority_sha256: broker.authority.fingerprint().to_string(),
        role: new.role,
        secret,
        expires_at,
    };
    Ok(IssuedInvitation { invitation, string: Zeroizing::new(string.to_string()) })
}

/// How often a name is made up: two of a day that are the same are rare, five in a row are not seen.
const NAMES_MAX: usize = 5;

async fn create_unnamed(
    broker: &Broker,
    by: &Caller,
    spec: Invitation,
) -> Result<View<Invitation>, ChangeError> {
    let mut last = None;
    for _ in 0..NAMES_MAX {
        let name = made_up_name(spec.role, broker.now());
        match super::create(broker, by, super::New { name, site: None, spec: spec.clone() }).await {
            Err(error @ ChangeError::Commit(CommitError::NameTaken { .. })) => last = Some(error),
            other => return other,
        }
    }
    Err(last.expect("at least one name was tried"))
}

/// A name that says what and when; random digits keep two of one second apart.
fn made_up_name(role: Role, now: Timestamp) -> String {
    let id = Id::<Invitation>::generate(now).to_string();
    let digits: String = id.chars().rev().take(6).collect();
    format!("{role} {} {digits}", now.strftime("%Y-%m-%d"))
}

/// What the caller sent has no `spec`, so the fields of mistakes have none either.
fn without_spec(error: ChangeError) -> ChangeError {
    let ChangeError::Invalid(mistakes) = error else { return error };
    let stripped = mistakes.into_iter().map(|mistake| Mistake {
        field: mistake.field.strip_prefix("spec.").unwrap_or(&mistake.field).to_owned(),
        ..mistake
    });
    ChangeError::Invalid(stripped.collect())
}

/// Where the component will find brokers: this one first, then the farm's others.
fn addresses(broker: &Broker, role: Role) -> Vec<String> {
    let own = match role {
        Role::Agent => &broker.addresses.agent,
        Role::Gateway | Role::Broker => &broker.addresses.gateway,
    };
    let mut found = own.clone();
    for other in broker.farm.load().brokers.sorted() {
        let theirs = match role {
            Role::Agent => &other.spec.agent_addresses,
            Role::Gateway | Role::Broker => &other.spec.gateway_addresses,
        };
        found.extend(theirs.iter().filter(|address| !own.contains(address)).cloned());
    }
    found.dedup();
    found
}
