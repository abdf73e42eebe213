//! SHA-256 fingerprints of certificates and public keys, as invitations and pins carry them.

use std::{fmt, str::FromStr};

use ring::digest;

/// SHA-256 of some DER, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of these DER bytes.
    pub fn of(der: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, der);
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// The digest itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Fingerprint {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

/// The text is not a SHA-256 fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 fingerprint: expected 64 hexadecimal digits, with or without colons")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Takes upper and lower case, with colons between the bytes or without.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut digits = text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16));
        let mut next = || digits.next().flatten().and_then(|d| u8::try_from(d).ok());
        let mut digest = [0; 32];
        for byte in &mut digest {
            let (high, low) = (next().ok_or(FingerprintError)?, next().ok_or(FingerprintError)?);
            *byte = high << 4 | low;
        }
        if digits.next().is_some() {
            return Err(FingerprintError);
        }
        Ok(Self(digest))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_round_trip_and_refuse_other_text() {
        let print = Fingerprint::of(b"oriel");
        let text = print.to_string();
        assert_eq!(text.len(), 64);
        assert_eq!(text.parse(), Ok(print));
        let colons: Vec<String> =
            text.as_bytes().chunks(2).map(|b| String::from_utf8_lossy(b).to_uppercase()).collect();
        assert_eq!(colons.join(":").parse(), Ok(print));
        for bad in ["", "ab", &text[1..], &format!("{text}0"), &text.replace(&text[..1], "x")] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(FingerprintError), "{bad}");
        }
    }
}
