//! The sealed sign-in: what the portal's cookie holds. Brokers keep no table of sign-ins, so one
//! survives the broker's end, and every broker of the farm can open it.
//!
//! Form: base64url of version (1 byte), nonce (12), AES-256-GCM of the JSON content with the version as
//! associated data. Whether the user still may is looked up at every use: the credential's revision in
//! it makes every sign-in end with a new password.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oriel_model::{Id, Timestamp, user::User};
use oriel_store::SignIn;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};

use crate::{app::client::ClientSays, directories::OfDirectory, secret_key::SecretKey};

/// Name of the farm's secret that holds the key.
pub const SECRET: &str = "sign-in-key";

const VERSION: u8 = 1;

/// Longer strings are not sign-ins of ours; real ones are about 500 bytes, and 2 KiB where a
/// client says as much of itself as it may.
const LENGTH_MAX: usize = 3 * 1024;

/// What a sealed sign-in says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedSignIn {
    /// Which sign-in: what signing out ends.
    pub id: Id<SignIn>,
    /// Whose.
    pub user: Id<User>,
    /// The directory that knows them; none: the farm itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<OfDirectory>,
    /// Of the password it was made with.
    pub credential_revision: u64,
    /// Of the second factor that was shown beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor_revision: Option<u64>,
    /// When the user signed in.
    pub issued_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it ends unless it is used again.
    pub idle_until: Timestamp,
    /// What the client said of itself at the sign-in.
    #[serde(default)]
    pub client: ClientSays,
}

/// Why a sign-in does not open. Callers tell users one thing for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not one of ours, or changed.
    #[error("the sign-in is not one of this farm's, or was changed")]
    Forged,
    /// Too old, or not used for too long.
    #[error("the sign-in has expired")]
    Expired,
}

/// Seals and opens sign-ins.
pub type SignInKey = SecretKey<SignIns>;

/// The use of a [`SignInKey`].
#[derive(Debug)]
pub enum SignIns {}

impl SignInKey {
    /// Seals a sign-in; none if the operating system gives no random bytes.
    pub fn seal(&self, sign_in: &SealedSignIn) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut body = serde_json::to_vec(sign_in).expect("plain JSON");
        self.cipher()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from([VERSION]), &mut body)
            .expect("far below the cipher's limit");
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens a sign-in at the time `now`.
    pub fn open(&self, token: &str, now: Timestamp) -> Result<SealedSignIn, TokenError> {
        if token.len() > LENGTH_MAX {
            return Err(TokenError::Forged);
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Forged)?;
        if bytes.len() < 1 + NONCE_LEN || bytes[0] != VERSION {
            return Err(TokenError::Forged);
        }
        let (header, body) = bytes.split_at_mut(1 + NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&header[1..]).map_err(|_| TokenError::Forged)?;
        let plain =
            self.cipher().open_in_place(nonce, Aad::from([VERSION]), body).map_err(|_| TokenError::Forged)?;
        let sign_in: SealedSignIn = serde_json::from_slice(plain).map_err(|_| TokenError::Forged)?;
        if sign_in.expires_at <= now || sign_in.idle_until <= now {
            Err(TokenError::Expired)
        } else {
            Ok(sign_in)
        }
    }

    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, self.bytes()).expect("AES-256 takes 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn example() -> SealedSignIn {
        SealedSignIn {
            id: Id::generate(at(1)),
            user: Id::generate(at(2)),
            directory: None,
            credential_revision: 7,
            factor_revision: None,
            issued_at: at(100),
            expires_at: at(1_000),
            idle_until: at(200),
            client: ClientSays { time_zone: Some("Europe/Berlin".into()), ..ClientSays::default() },
        }
    }

    #[test]
    fn a_sign_in_opens_until_it_expires_or_lies_idle() {
        let key = SignInKey::generate().expect("random");
        let sign_in = example();
        let token = key.seal(&sign_in).expect("random");
        let again = SignInKey::from_secret(&key.to_secret()).expect("32 bytes");
        assert_eq!(again.open(&token, at(199)), Ok(sign_in.clone()));
        assert_eq!(again.open(&token, at(200)), Err(TokenError::Expired));
        let busy = SealedSignIn { idle_until: at(2_000), ..sign_in };
        let token = key.seal(&busy).expect("random");
        assert_eq!(key.open(&token, at(1_000)), Err(TokenError::Expired));
    }

    #[test]
    fn what_is_sealed_for_one_purpose_opens_for_no_other() {
        let key = SignInKey::generate().expect("random");
        let (administrators, sign_in) = (key.derived("administrators"), example());
        let sealed = administrators.seal(&sign_in).expect("random");
        assert_eq!(key.derived("administrators").open(&sealed, at(150)), Ok(sign_in));
        assert_eq!(key.open(&sealed, at(150)), Err(TokenError::Forged));
        let of_user = key.seal(&example()).expect("random");
        assert_eq!(administrators.open(&of_user, at(150)), Err(TokenError::Forged));
    }

    #[test]
    fn no_changed_byte_and_no_other_key_opens_it() {
        let key = SignInKey::generate().expect("random");
        let token = key.seal(&example()).expect("random");
        let other = SignInKey::generate().expect("random");
        assert_eq!(other.open(&token, at(150)), Err(TokenError::Forged));
        let bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64");
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(key.open(&changed, at(150)), Err(TokenError::Forged), "byte {index}");
        }
        for rubbish in ["", "AA", "....", &"A".repeat(LENGTH_MAX + 1)] {
            assert_eq!(key.open(rubbish, at(150)), Err(TokenError::Forged));
        }
    }
}
