//! The farm's other addresses: where a page of this gateway may open its session, if a policy or a resource
//! sends users there, and whose pages may open theirs here.
//!
//! They stand in a header that keeps pages to themselves, so only what is an address and nothing else is
//! taken over.

use std::sync::{PoisonError, RwLock};

use http::HeaderValue;

use crate::{limits::FARM_ADDRESSES_MAX, web::headers::content_security_policy};

/// As a broker last said. All brokers of a farm say the same.
pub(crate) struct Elsewhere {
    known: RwLock<Known>,
}

struct Known {
    addresses: Vec<String>,
    /// Made once: it goes out with every answer.
    policy: HeaderValue,
}

impl Default for Elsewhere {
    fn default() -> Self {
        Self { known: RwLock::new(Known { addresses: Vec::new(), policy: content_security_policy(&[]) }) }
    }
}

impl Elsewhere {
    pub(crate) fn set(&self, named: Vec<String>) {
        if named.len() > FARM_ADDRESSES_MAX {
            tracing::warn!(
                named = named.len(),
                taken = FARM_ADDRESSES_MAX,
                "routes lead to more addresses than pages can be told; the last ones are not used"
            );
        }
        let addresses: Vec<String> =
            named.into_iter().take(FARM_ADDRESSES_MAX).filter(|address| is_address(address)).collect();
        let policy = content_security_policy(&addresses);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { addresses, policy };
    }

    pub(crate) fn content_security_policy(&self) -> HeaderValue {
        self.known.read().unwrap_or_else(PoisonError::into_inner).policy.clone()
    }

    /// Whether one of them is so.
    pub(crate) fn any(&self, is_it: impl Fn(&str) -> bool) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.addresses.iter().any(|address| is_it(address))
    }
}

/// `host` or `host:port`: letters of names and addresses only, so no space, no `;` and no `*`.
fn is_address(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let good = (1..=260).contains(&text.len()) && text.chars().all(is_plain);
    if !good {
        tracing::warn!(address = %text.escape_debug(), "a route leads to what is no address; it is not used");
    }
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_get_into_the_policy() {
        let elsewhere = Elsewhere::default();
        let before = elsewhere.content_security_policy();
        assert!(before.to_str().expect("ASCII").ends_with("; connect-src 'self'"));
        let named = ["gate.example:8443", "[2001:db8::1]", "x; script-src *", "*", "", "a b", "a/b", "ü"];
        elsewhere.set(named.map(String::from).to_vec());
        let policy = elsewhere.content_security_policy();
        let expected = "; connect-src 'self' wss://gate.example:8443 wss://[2001:db8::1]";
        assert!(policy.to_str().expect("ASCII").ends_with(expected), "{policy:?}");
        assert!(elsewhere.any(|address| address == "gate.example:8443") && !elsewhere.any(|a| a == "*"));
        elsewhere.set(Vec::new());
        assert_eq!(elsewhere.content_security_policy(), before);
    }

    #[test]
    fn there_are_not_more_than_a_header_holds() {
        let elsewhere = Elsewhere::default();
        elsewhere.set((0..1_000).map(|n| format!("gate-{n}.example")).collect());
        assert!(elsewhere.any(|address| address == "gate-63.example"));
        assert!(!elsewhere.any(|address| address == "gate-64.example"));
    }
}
