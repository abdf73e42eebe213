//! API tokens. The secret is shown once, when the token is made; what is kept is its SHA-256, which
//! is never shown either.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oriel_model::{
    Id, Object, Timestamp,
    permission::{AdministratorRole, Reach},
    token::Token,
    validate::Mistakes,
};
use ring::{
    digest,
    rand::{SecureRandom, SystemRandom},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{ChangeError, Managed, Revised, View, administrators};
use crate::{Broker, app::administrators::Caller, farm::FarmView};

/// What an administrator says of a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenSettings {
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
}

/// What an administrator sends to make a token.
pub type NewToken = super::New<TokenSettings>;

/// A token that was just made.
#[derive(Serialize, JsonSchema)]
pub struct IssuedToken {
    /// The token.
    #[serde(flatten)]
    pub token: View<Token>,
    /// Its secret, for the header `Authorization: Bearer …`. It is shown only now.
    #[schemars(with = "String")]
    pub secret: Zeroizing<String>,
}

impl Revised for IssuedToken {
    fn revision(&self) -> u64 {
        self.token.revision
    }

    fn place(&self) -> String {
        self.token.place()
    }
}

/// What is shown of a token beside what is set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TokenFacts {
    /// When it was used last on this broker, to the minute; none: never.
    pub last_used_at: Option<Timestamp>,
}

impl Managed for Token {
    type Shown = TokenSettings;
    type Beside = TokenFacts;
    type New = NewToken;
    type Made = IssuedToken;

    fn shown(&self) -> TokenSettings {
        let Self { role, reach, description, expires_at, .. } = self.clone();
        TokenSettings { role, reach, description, expires_at }
    }

    fn said(sent: TokenSettings, now: &Self) -> Self {
        let TokenSettings { role, reach, description, expires_at } = sent;
        Self { role, reach, description, expires_at, secret_sha256: now.secret_sha256.clone() }
    }

    fn beside(broker: &Broker, _: &FarmView, object: &Object<Self>) -> TokenFacts {
        TokenFacts { last_used_at: broker.token_uses.last(object.id) }
    }

    async fn make(broker: &Broker, by: &Caller, new: NewToken) -> Result<IssuedToken, ChangeError> {
        create(broker, by, new).await
    }

    fn check(&self, view: &FarmView, _: Id<Self>, before: Option<&Self>, mistakes: &mut Mistakes) {
        if before.is_some_and(is_lasting_root) && !is_lasting_root(self) && !is_open(view) {
            let field = if self.role == AdministratorRole::Root { "expires_at" } else { "role" };
            mistakes.add(field, "cannot be changed: this is the last token that may do everything for ever");
        }
    }

    fn kept_by(object: &Object<Self>, view: &FarmView) -> Vec<String> {
        let last = "the farm, as the last token that may do everything for ever";
        let is_last = is_lasting_root(&object.spec) && !is_open(view);
        is_last.then(|| last.to_owned()).into_iter().collect()
    }
}

/// 256 random bits, base64url.
pub(crate) fn random_secret() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    SystemRandom::new().fill(&mut *bytes).expect("the system's random numbers do not fail once it runs");
    Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))
}

/// SHA-256 of a secret, hexadecimal: what tokens and invitations keep of theirs.
pub fn secret_sha256(secret: &str) -> String {
    let mut text = String::with_capacity(64);
    for byte in digest::digest(&digest::SHA256, secret.as_bytes()).as_ref() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The token whose secret this is and that has not expired. The digests of all tokens are compared,
/// each in constant time, so that the answer's time says nothing about how near a guess was.
pub fn find(view: &FarmView, secret: &str, now: Timestamp) -> Option<Object<Token>> {
    let wanted = secret_sha256(secret);
    let mut found = None;
    for token in view.tokens.iter() {
        if same_digest(&token.spec.secret_sha256, &wanted) {
            found = Some(token);
        }
    }
    found.filter(|token| token.spec.expires_at.is_none_or(|end| now < end)).map(|token| (**token).clone())
}

/// Compares digests without telling by time where two of the same length differ.
pub fn same_digest(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Makes a token and its secret.
async fn create(broker: &Broker, by: &Caller, new: NewToken) -> Result<IssuedToken, ChangeError> {
    let secret = random_secret();
    let TokenSettings { role, reach, description, expires_at } = new.spec;
    let spec = Token { role, reach, description, expires_at, secret_sha256: secret_sha256(&secret) };
    let new = super::New { name: new.name, site: new.site, spec };
    Ok(IssuedToken { token: super::create(broker, by, new).await?, secret })
}

/// Whether it can do everything for ever. One such token must stay while nobody can sign in as root: without
/// it nobody could manage the farm.
fn is_lasting_root(token: &Token) -> bool {
    token.role == AdministratorRole::Root && token.expires_at.is_none()
}

/// Whether anybody may do everything for ever.
fn is_open(view: &FarmView) -> bool {
    administrators::root_can_sign_in(view) || view.tokens.iter().any(|token| is_lasting_root(&token.spec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_one_everybody_knows() {
        assert!(secret_sha256("").starts_with("e3b0c44298fc1c14"));
        assert_ne!(*random_secret(), *random_secret());
    }

    #[test]
    fn digests_are_compared_whole() {
        assert!(same_digest("abc", "abc"));
        assert!(!same_digest("abc", "abd"));
        assert!(!same_digest("abc", "ab"));
    }
}
