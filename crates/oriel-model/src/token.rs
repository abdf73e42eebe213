//! API tokens: how scripts and the command line call the management API.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    object::{Kind, Spec},
    permission::{AdministratorRole, Permissions, Reach},
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
    /// SHA-256 of the secret, hexadecimal. The secret has 256 random bits, so no slow hash is needed.
    pub secret_sha256: String,
}

impl Token {
    /// What it may do.
    pub fn permissions(&self) -> Permissions<'_> {
        Permissions { role: self.role, reach: &self.reach }
    }
}

impl Spec for Token {
    const KIND: Kind = Kind::Token;
    const OWN_FIELDS: &'static [&'static str] = &["secret_sha256"];
    const COMES: Option<&'static str> = Some("by POST /tokens, which shows its secret once");

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        mistakes.within("reach", |m| self.reach.validate(self.role, m));
    }
}
