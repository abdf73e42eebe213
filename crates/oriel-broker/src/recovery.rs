//! The proof behind `oriel recover-root`: that whoever asks can read the broker's data directory. It is made
//! from the farm key, for one request, and is good for a minute.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use oriel_model::Timestamp;
pub use oriel_store::{FarmKey, FarmKeyError};
use ring::hmac;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How old a proof may be, and how far ahead its clock.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// What the farm key is used for here, and nowhere else.
const PURPOSE: &str = "oriel recovery of a root administrator 1";

/// Asks for somebody to be a root administrator with this password.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverRoot {
    /// The user's name; they are made if need be.
    pub user: String,
    /// Their new password.
    #[schemars(with = "String")]
    pub password: Zeroizing<String>,
    /// Whether their second factor is taken away.
    pub reset_second_factor: bool,
    /// When it was asked.
    pub at: Timestamp,
    /// HMAC-SHA256 of all of it under a key made from the farm key, base64url.
    pub proof: String,
}

/// Makes and checks proofs.
pub struct RecoveryKey(hmac::Key);

impl RecoveryKey {
    /// The key of a farm.
    pub fn of(farm: &FarmKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &*farm.derived(PURPOSE)))
    }

    /// Asks with a proof.
    pub fn ask(
        &self,
        user: String,
        password: Zeroizing<String>,
        reset_second_factor: bool,
        at: Timestamp,
    ) -> RecoverRoot {
        let mut asked = RecoverRoot { user, password, reset_second_factor, at, proof: String::new() };
        asked.proof = URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, &said(&asked)));
        asked
    }

    /// Whether the proof is of this request, and was made just now.
    pub fn is_proved(&self, asked: &RecoverRoot, now: Timestamp) -> bool {
        let Ok(proof) = URL_SAFE_NO_PAD.decode(&asked.proof) else { return false };
        now.duration_since(asked.at).abs() <= FRESH && hmac::verify(&self.0, &said(asked), &proof).is_ok()
    }
}

impl std::fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryKey(..)")
    }
}

/// Everything but the proof, each part with its length before it, so that no two requests read alike.
fn said(asked: &RecoverRoot) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::new());
    for part in [asked.user.as_bytes(), asked.password.as_bytes(), asked.at.to_string().as_bytes()] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes.push(u8::from(asked.reset_second_factor));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn a_proof_is_of_one_request_under_one_key_for_a_minute() {
        let key = RecoveryKey::of(&FarmKey::from_bytes(&[7; 32]));
        let ask = || key.ask("anna".into(), Zeroizing::new("secret".into()), false, at(100));
        assert!(key.is_proved(&ask(), at(160)) && key.is_proved(&ask(), at(40)));
        assert!(!key.is_proved(&ask(), at(161)) && !key.is_proved(&ask(), at(39)));
        assert!(!RecoveryKey::of(&FarmKey::from_bytes(&[8; 32])).is_proved(&ask(), at(100)));
        for changed in [
            RecoverRoot { user: "ben".into(), ..ask() },
            RecoverRoot { password: Zeroizing::new("other".into()), ..ask() },
            RecoverRoot { user: "annas".into(), password: Zeroizing::new("ecret".into()), ..ask() },
            RecoverRoot { reset_second_factor: true, ..ask() },
            RecoverRoot { at: at(101), ..ask() },
            RecoverRoot { proof: String::new(), ..ask() },
        ] {
            assert!(!key.is_proved(&changed, at(100)));
        }
    }
}
