//! One-time codes by time (RFC 6238): six digits of HMAC-SHA1, a new one every 30 seconds, which is what
//! every authenticator shows. That none counts twice is the caller's to remember: a code is told as the
//! number of its step.

use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use totp_rs::{Algorithm, Builder, Secret};
use zeroize::Zeroizing;

/// Length of a key, in bytes: 160 bits (RFC 4226, 4, R6).
const KEY_LEN: usize = 20;
/// Length of a code, in digits.
const DIGITS: u8 = 6;
/// How long a code is shown, in seconds (RFC 6238, 5.2).
const STEP_SECS: u64 = 30;
/// Steps before and after that are taken, too, for clocks that differ and people who type (RFC 6238, 5.2).
const TOLERANCE: u16 = 1;

/// A key that an authenticator and the farm share.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpKey(Zeroizing<[u8; KEY_LEN]>);

impl TotpKey {
    /// A new random key; none if the operating system gives no random bytes.
    pub fn generate() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        SystemRandom::new().fill(&mut *bytes).ok()?;
        Some(Self(bytes))
    }

    /// The key with these bytes; none if there are not 20.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &*self.0
    }

    /// As people type it: base32 without padding (RFC 4648, 6).
    pub fn in_letters(&self) -> Zeroizing<String> {
        Zeroizing::new(self.secret().to_base32())
    }

    /// The `otpauth://` address that an authenticator reads from a picture.
    pub fn address(&self, issuer: &str, account: &str) -> Option<Zeroizing<String>> {
        // A colon parts the two in the address, and nothing escapes it.
        let plain = |text: &str| text.replace(':', " ");
        let totp = self.builder().with_issuer(Some(plain(issuer))).with_account_name(plain(account));
        totp.build().ok()?.to_url().ok().map(Zeroizing::new)
    }

    /// The step whose code this is, if it is one of those that are taken at `now`.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let secs = u64::try_from(now.as_second()).ok()?;
        let step = self.builder().build().ok()?.check(code, secs)?;
        i64::try_from(step).ok()
    }

    /// The code that an authenticator shows at `now`: for tests.
    pub fn code(&self, now: Timestamp) -> Option<String> {
        let secs = u64::try_from(now.as_second()).ok()?;
        Some(self.builder().build().ok()?.generate(secs).to_string())
    }

    fn builder(&self) -> Builder {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP_SECS)
            .with_skew(TOLERANCE)
            .with_secret(self.secret())
    }

    fn secret(&self) -> Secret {
        Secret::new_stack(*self.0)
    }
}

impl std::fmt::Debug for TotpKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    /// The last six digits of RFC 6238, appendix B, with its key for SHA-1.
    #[test]
    fn codes_are_those_of_the_standard() {
        let key = TotpKey::from_bytes(b"12345678901234567890").expect("20 bytes");
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(key.code(at(second)).as_deref(), Some(code));
            assert_eq!(key.step_of(code, at(second)), Some(second / 30));
        }
    }

    #[test]
    fn a_code_is_taken_one_step_early_and_late_and_no_further() {
        let key = TotpKey::generate().expect("random");
        let code = key.code(at(3_000)).expect("a code");
        for (second, is_taken) in
            [(2_969, false), (2_970, true), (3_029, true), (3_059, true), (3_060, false)]
        {
            assert_eq!(key.step_of(&code, at(second)), is_taken.then_some(100), "{second}");
        }
        for rubbish in ["", "12345", "1234567", "12345a", "\u{661}23456", " ", &"1".repeat(5_000)] {
            assert_eq!(key.step_of(rubbish, at(3_000)), None, "{rubbish}");
        }
    }

    #[test]
    fn the_address_is_read_by_authenticators_whatever_people_are_called() {
        let key = TotpKey::from_bytes(b"12345678901234567890").expect("20 bytes");
        assert_eq!(&**key.in_letters(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let address = key.address("My farm: north", "anna b").expect("an address");
        assert_eq!(
            &**address,
            "otpauth://totp/My%20farm%20%20north:anna%20b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20farm%20%20north"
        );
        assert!(!format!("{key:?}").contains("12345"));
    }
}
