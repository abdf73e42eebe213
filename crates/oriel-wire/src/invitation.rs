//! The invitation string: all that a component needs to join, in one word that can be pasted.
//!
//! `oriel1.` followed by base64url (no padding) of a JSON object. It is a bearer secret until used.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oriel_model::{Id, Timestamp, invitation, role::Role};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a pasted invitation says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvitationString {
    /// Which invitation it is.
    pub id: Id<invitation::Invitation>,
    /// Brokers' addresses for this role, `host:port`, tried in order.
    pub addresses: Vec<String>,
    /// SHA-256 of the farm CA's certificate (DER), 64 hexadecimal digits.
    pub authority_sha256: String,
    /// What joins.
    pub role: Role,
    /// 256 random bits, base64url.
    pub secret: Zeroizing<String>,
    /// When it stops working.
    pub expires_at: Timestamp,
}

const PREFIX: &str = "oriel1.";

/// Longer strings are not invitations of ours: a few addresses take some hundred bytes.
const LENGTH_MAX: usize = 8 * 1024;

/// Why a pasted string is not an invitation.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum InvitationError {
    /// Not even the beginning is right.
    #[error(
        "this is not an invitation: it should begin with \"{PREFIX}\"; paste the whole string that `oriel invite` printed"
    )]
    NotOne,
    /// Cut, or changed on the way.
    #[error("the invitation is damaged or was not pasted whole ({0})")]
    Damaged(String),
}

impl fmt::Display for InvitationString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = Zeroizing::new(serde_json::to_vec(self).map_err(|_| fmt::Error)?);
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(&*json))
    }
}

impl fmt::Debug for InvitationString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvitationString({}, {})", self.id, self.role)
    }
}

impl FromStr for InvitationString {
    type Err = InvitationError;
    fn from_str(text: &str) -> Result<Self, InvitationError> {
        // People paste with line breaks from mails and terminals.
        let text: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
        let body = text.strip_prefix(PREFIX).ok_or(InvitationError::NotOne)?;
        if body.len() > LENGTH_MAX {
            return Err(InvitationError::Damaged("it is too long".into()));
        }
        let damaged = |error: &dyn fmt::Display| InvitationError::Damaged(error.to_string());
        let json = Zeroizing::new(URL_SAFE_NO_PAD.decode(body).map_err(|error| damaged(&error))?);
        let invitation: Self = serde_json::from_slice(&json).map_err(|error| damaged(&error))?;
        if invitation.addresses.is_empty() {
            return Err(InvitationError::Damaged("it names no address".into()));
        }
        Ok(invitation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> InvitationString {
        InvitationString {
            id: Id::generate(Timestamp::UNIX_EPOCH),
            addresses: vec!["broker.example:20002".into()],
            authority_sha256: "ab".repeat(32),
            role: Role::Gateway,
            secret: Zeroizing::new("very-secret".into()),
            expires_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn it_survives_pasting_with_line_breaks() {
        let invitation = example();
        let text = invitation.to_string();
        let (head, tail) = text.split_at(40);
        assert_eq!(format!(" {head}\n  {tail}\n").parse(), Ok(invitation));
    }

    #[test]
    fn damage_is_told_apart_from_something_else() {
        assert_eq!("hello".parse::<InvitationString>(), Err(InvitationError::NotOne));
        let text = example().to_string();
        let cut = &text[..text.len() - 9];
        assert!(matches!(cut.parse::<InvitationString>(), Err(InvitationError::Damaged(_))));
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        assert!(!format!("{:?}", example()).contains("very-secret"));
    }
}
