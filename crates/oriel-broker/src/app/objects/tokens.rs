//! API tokens. The secret is shown once, when the token is made; what is kept is its SHA-256, which
//! is never shown either.

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oriel_model::{
    Id, Object, Timestamp,
    permission::{AdministratorRole, Reach},
    token::Token,
    user::User,
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
use crate::{
    Broker,
    app::administrators::{Caller, Rights, Source},
    farm::FarmView,
};

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
        self.token.revision()
    }

    fn place(&self) -> String {
        self.token.place()
    }
}

/// What is shown of a token beside what is set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TokenFacts {
    /// Who has made it: it counts only while they are an administrator, and never for more than they may do.
    /// None: it was made by the farm itself, or with a token that is nobody's.
    pub owner: Option<TokenOwner>,
    /// When it was used last on this broker, to the minute; none: never.
    pub last_used_at: Option<Timestamp>,
}

/// Who has made a token.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TokenOwner {
    /// Their id.
    pub id: Id<User>,
    /// Their name.
    pub name: String,
}

impl Managed for Token {
    type Shown = TokenSettings;
    type Beside = TokenFacts;
    type New = NewToken;
    type Made = IssuedToken;

    fn shown(&self) -> Cow<'_, TokenSettings> {
        let Self { role, reach, description, expires_at, .. } = self.clone();
        Cow::Owned(TokenSettings { role, reach, description, expires_at })
    }

    fn said(sent: TokenSettings, now: &Self) -> Self {
        let TokenSettings { role, reach, description, expires_at } = sent;
        let (owner, secret_sha256) = (now.owner, now.secret_sha256.clone());
        Self { role, reach, description, expires_at, owner, secret_sha256 }
    }

    fn beside(broker: &Broker, view: &FarmView, object: &Object<Self>) -> TokenFacts {
        let name = |id| view.person(id).map(|user| user.name.clone()).unwrap_or_default();
        let owner = object.spec.owner.map(|id| TokenOwner { id, name: name(id) });
        TokenFacts { owner, last_used_at: broker.token_uses.last(object.id) }
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

/// Why a token does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none with this secret.
    #[error("the token is none of the farm's")]
    Unknown,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Who has made it is no administrator any more.
    #[error("the token's owner is no administrator any more")]
    OwnerGone,
}

/// A token that counts, and what it may do.
pub type Valid<'v> = (&'v Arc<Object<Token>>, Rights);

/// A token that does not count, where there is one with the secret, and why.
pub type Refused<'v> = (Option<&'v Arc<Object<Token>>>, TokenError);

/// The token whose secret this is, if it counts; else why not, with the token if there is one. The digests of all
/// tokens are compared, each in constant time, so that the answer's time says nothing about how near a guess was.
pub fn find<'v>(view: &'v FarmView, secret: &str, now: Timestamp) -> Result<Valid<'v>, Refused<'v>> {
    let wanted = secret_sha256(secret);
    let mut found = None;
    for token in view.tokens.iter() {
        if same_digest(&token.spec.secret_sha256, &wanted) {
            found = Some(token);
        }
    }
    let token = found.ok_or((None, TokenError::Unknown))?;
    let rights = rights_of(view, &token.spec, now).map_err(|error| (Some(token), error))?;
    Ok((token, rights))
}

/// What a token may do now.
pub fn rights_of(view: &FarmView, token: &Token, now: Timestamp) -> Result<Rights, TokenError> {
    if token.expires_at.is_some_and(|end| end <= now) {
        return Err(TokenError::Expired);
    }
    Rights::of_token(view, token).ok_or(TokenError::OwnerGone)
}

/// Compares digests without telling by time where two of the same length differ.
pub fn same_digest(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Makes a token and its secret.
async fn create(broker: &Broker, by: &Caller, new: NewToken) -> Result<IssuedToken, ChangeError> {
    if let Source::SignIn { user, .. } = by.source {
        // A token names its owner, and what is named is an object.
        broker.adopt_known(by, user).await?;
    }
    let secret = random_secret();
    let TokenSettings { role, reach, description, expires_at } = new.spec;
    let (owner, secret_sha256) = (owner_for(&broker.farm.load(), by.source), secret_sha256(&secret));
    let spec = Token { role, reach, description, expires_at, owner, secret_sha256 };
    let new = super::New { name: new.name, site: new.site, spec };
    Ok(IssuedToken { token: super::create(broker, by, new).await?, secret })
}

/// For whom a token works that a caller makes. One that is made with a token is for whom that one works.
fn owner_for(view: &FarmView, source: Source) -> Option<Id<User>> {
    match source {
        Source::SignIn { user, .. } => Some(user),
        Source::Token(token) => view.tokens.get(token)?.spec.owner,
        Source::System => None,
    }
}

/// Whether it can do everything for ever, whatever becomes of anybody. One such token must stay while nobody can sign in as root: without
/// it nobody could manage the farm.
fn is_lasting_root(token: &Token) -> bool {
    token.role == AdministratorRole::Root && token.expires_at.is_none() && token.owner.is_none()
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
