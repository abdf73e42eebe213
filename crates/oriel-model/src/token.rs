//! API tokens: how scripts and the command line call the management API.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Id,
    object::{Kind, Spec},
    permission::{AdministratorRole, Reach},
    user::User,
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// An API token. The secret itself is shown once; its SHA-256 is what is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What it may do.
    pub role: AdministratorRole,
    /// How far the role reaches.
    #[serde(default)]
    pub reach: Reach,
    /// For administrators.
    #[serde(default)]
    pub description: String,
    /// When it stops working; none: never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Who has made it. It counts only while they are an administrator, and never for more than they may do; none:
    /// it was made by the farm itself, or with a token that is nobody's.
    #[serde(default)]
    pub owner: Option<Id<User>>,
    /// SHA-256 of the secret, hexadecimal. The secret has 256 random bits, so no slow hash is needed.
    pub secret_sha256: String,
}

impl Spec for Token {
    const KIND: Kind = Kind::Token;
    const OWN_FIELDS: &'static [&'static str] = &["secret_sha256", "owner"];
    const COMES: Option<&'static str> = Some("by POST /tokens, which shows its secret once");

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        mistakes.within("reach", |m| self.reach.validate(self.role, m));
    }
}
