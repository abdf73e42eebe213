//! API tokens. The secret is shown once, when the token is made; what is kept is its SHA-256, which
//! is never shown either.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oriel_model::{
    Id, Object, Timestamp, role::AdministratorRole, site::Site, token::Token, validate::Mistakes,
};
use oriel_store::Author;
use ring::{
    digest,
    rand::{SecureRandom, SystemRandom},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{ChangeError, Managed};
use crate::{Broker, farm::FarmView};

/// What an administrator says of a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenSettings {
    /// What it may do.
    pub role: AdministratorRole,
    /// For administrators.
    #[serde(default)]
    pub description: String,
    /// When it stops working; none: never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// An API token as it is shown: without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TokenView {
    /// Its id.
    pub id: Id<Token>,
    /// Its name.
    pub name: String,
    /// The site it belongs to; none when it belongs to the farm.
    pub site: Option<Id<Site>>,
    /// What it may do, and until when.
    pub spec: TokenSettings,
    /// One more with every change.
    pub revision: u64,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
}

/// What an administrator sends to make a token.
pub type NewToken = super::New<TokenSettings>;
/// What an administrator sends to change a token; its secret stays.
pub type ChangedToken = super::Changed<TokenSettings>;

/// A token that was just made.
#[derive(Serialize, JsonSchema)]
pub struct IssuedToken {
    /// The token.
    #[serde(flatten)]
    pub token: TokenView,
    /// Its secret, for the header `Authorization: Bearer …`. It is shown only now.
    #[schemars(with = "String")]
    pub secret: Zeroizing<String>,
}

impl Managed for Token {
    type View = TokenView;

    fn show(_: &Broker, _: &FarmView, object: &Object<Self>) -> TokenView {
        let Token { role, description, expires_at, .. } = object.spec.clone();
        TokenView {
            id: object.id,
            name: object.name.clone(),
            site: object.site,
            spec: TokenSettings { role, description, expires_at },
            revision: object.revision,
            changed_at: object.changed_at,
            changed_by: object.changed_by.clone(),
        }
    }

    fn check(&self, view: &FarmView, id: Option<Id<Self>>, mistakes: &mut Mistakes) {
        if id.is_some_and(|id| is_last_root(view, id)) && !is_lasting_root(self) {
            let field = if self.role == AdministratorRole::Root { "expires_at" } else { "role" };
            mistakes.add(field, "cannot be changed: this is the last token that may do everything for ever");
        }
    }

    fn kept_by(view: &FarmView, id: Id<Self>) -> Vec<String> {
        let last = "the farm, as the last token that may do everything for ever";
        is_last_root(view, id).then(|| last.to_owned()).into_iter().collect()
    }
}

/// 256 random bits, base64url.
pub(super) fn random_secret() -> Zeroizing<String> {
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
pub async fn create(broker: &Broker, author: Author, new: NewToken) -> Result<IssuedToken, ChangeError> {
    let secret = random_secret();
    let TokenSettings { role, description, expires_at } = new.spec;
    let spec = Token { role, description, expires_at, secret_sha256: secret_sha256(&secret) };
    let new = super::New { name: new.name, site: new.site, spec };
    Ok(IssuedToken { token: super::create(broker, author, new).await?, secret })
}

/// Changes what a token may do; its secret stays.
pub async fn change(
    broker: &Broker,
    author: Author,
    id: Id<Token>,
    revision: u64,
    changed: ChangedToken,
) -> Result<TokenView, ChangeError> {
    let kept = {
        let view = broker.farm.load();
        let token = view.tokens.get(id).ok_or(ChangeError::NotFound(oriel_model::Kind::Token))?;
        token.spec.secret_sha256.clone()
    };
    let TokenSettings { role, description, expires_at } = changed.spec;
    let spec = Token { role, description, expires_at, secret_sha256: kept };
    let changed = super::Changed { name: changed.name, site: changed.site, spec, revision: changed.revision };
    super::change(broker, author, id, revision, changed).await
}

/// Whether it can do everything for ever. One such token must stay: without it nobody could manage the
/// farm, and there would be no way back.
fn is_lasting_root(token: &Token) -> bool {
    token.role == AdministratorRole::Root && token.expires_at.is_none()
}

fn is_last_root(view: &FarmView, id: Id<Token>) -> bool {
    let is_one = view.tokens.get(id).is_some_and(|token| is_lasting_root(&token.spec));
    is_one && !view.tokens.iter().any(|other| other.id != id && is_lasting_root(&other.spec))
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
