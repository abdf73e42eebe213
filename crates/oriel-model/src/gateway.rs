//! Gateways: the services that carry user connections.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    object::{Kind, Spec},
    policy::validate_address,
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// A secure gateway. It comes into being when it joins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gateway {
    /// A disabled gateway takes no new connections; those it has go on.
    pub enabled: bool,
    /// For administrators.
    pub description: String,
    /// The name users type, with the port if it is not 443. Where preferred routes send users from one gateway
    /// to another, both need theirs: pages connect only where the farm says, and gateways answer only its pages.
    pub public_address: Option<String>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self { enabled: true, description: String::new(), public_address: None }
    }
}

impl Spec for Gateway {
    const KIND: Kind = Kind::Gateway;
    const COMES: Option<&'static str> = Some("when it joins with an invitation");

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        if let Some(address) = &self.public_address {
            validate_address(address, "public_address", mistakes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused() {
        let mistakes = |address: &str| {
            let mut mistakes = Mistakes::default();
            Gateway { public_address: Some(address.into()), ..Gateway::default() }.validate(&mut mistakes);
            mistakes.into_vec().len()
        };
        for good in ["remote.example", "remote.example:8443", "192.0.2.1", "[2001:db8::1]:443"] {
            assert_eq!(mistakes(good), 0, "{good}");
        }
        for bad in ["", "https://remote.example", "remote.example/portal", "a@b", "two words"] {
            assert_ne!(mistakes(bad), 0, "{bad}");
        }
    }
}
