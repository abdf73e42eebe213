//! What a new password must be like. Length is what counts ([NIST SP 800-63B] 5.1.1.2): no rules
//! about digits and signs, which make passwords predictable, and no forced change.
//!
//! Not done: normalising Unicode. A password that is typed with composed accents on one device and
//! decomposed ones on another is two passwords.

use oriel_model::user::{PASSWORD_MAX, PASSWORD_MIN};

use crate::name::normalised;

/// Why a new password is not taken, for the person who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    /// Too few characters.
    #[error("the password must have at least {PASSWORD_MIN} characters")]
    TooShort,
    /// Too many bytes.
    #[error(
        "the password is too long: at most {PASSWORD_MAX} bytes are allowed, which is as many plain letters"
    )]
    TooLong,
    /// Cannot be typed.
    #[error("the password must not contain control characters such as tabs or line ends")]
    ControlCharacter,
    /// The first guess of everybody.
    #[error("the password must not be the user's name")]
    SameAsName,
    /// The second guess.
    #[error("the password must not be one character repeated")]
    OneCharacter,
}

/// Checks a new password of the user called `name`.
pub fn check_new_password(name: &str, password: &str) -> Result<(), PasswordRefused> {
    if password.len() > PASSWORD_MAX {
        return Err(PasswordRefused::TooLong);
    }
    if password.chars().count() < PASSWORD_MIN {
        return Err(PasswordRefused::TooShort);
    }
    if password.chars().any(char::is_control) {
        return Err(PasswordRefused::ControlCharacter);
    }
    if normalised(password).is_some_and(|password| Some(password) == normalised(name)) {
        return Err(PasswordRefused::SameAsName);
    }
    let mut chars = password.chars();
    if chars.next().is_some_and(|first| chars.all(|c| c == first)) {
        return Err(PasswordRefused::OneCharacter);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_passwords_are_refused_for_one_reason_or_taken() {
        let check = |password: &str| check_new_password("Christine", password);
        assert_eq!(check("correct horse"), Ok(()));
        assert_eq!(check("påsswörd"), Ok(()), "characters are counted, not bytes");
        assert_eq!(check(&"ab".repeat(128)), Ok(()));
        assert_eq!(check("short7c"), Err(PasswordRefused::TooShort));
        assert_eq!(check(&"é1".repeat(129)), Err(PasswordRefused::TooLong));
        assert_eq!(check("with\ttab in it"), Err(PasswordRefused::ControlCharacter));
        assert_eq!(check("CHRISTINE"), Err(PasswordRefused::SameAsName));
        assert_eq!(check("........"), Err(PasswordRefused::OneCharacter));
        assert!(PasswordRefused::TooShort.to_string().contains("at least 8 characters"));
    }
}
