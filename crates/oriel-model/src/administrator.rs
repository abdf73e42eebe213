//! Administrators: users, or groups of users, who may manage the farm.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    group::Group,
    id::Id,
    object::{Kind, Spec},
    permission::{AdministratorRole, Permissions, Reach},
    user::User,
    validate::{DESCRIPTION_MAX, Mistakes},
};

/// A user, or every member of a group, who may manage the farm. They sign in to the management portal as
/// that user. Whoever is one in several ways may do what any of them allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    /// A disabled administrator may do nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// For other administrators.
    #[serde(default)]
    pub description: String,
    /// Whom it is about.
    pub who: Who,
    /// What they may do.
    pub role: AdministratorRole,
    /// How far the role reaches.
    #[serde(default)]
    pub reach: Reach,
    /// Where mail for them goes. Not for groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their telephone, for other administrators. Not for groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    /// Whether they get the farm's notifications by mail.
    #[serde(default)]
    pub notified: bool,
}

fn yes() -> bool {
    true
}

/// Whom an administrator object is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Who {
    /// One user.
    User(Id<User>),
    /// Every member of a group.
    Group(Id<Group>),
}

impl Administrator {
    /// What they may do.
    pub fn permissions(&self) -> Permissions<'_> {
        Permissions { role: self.role, reach: &self.reach }
    }

    /// Whether it is about this user.
    pub fn is(&self, user: Id<User>, groups: &[Id<Group>]) -> bool {
        match self.who {
            Who::User(one) => one == user,
            Who::Group(group) => groups.contains(&group),
        }
    }
}

impl Spec for Administrator {
    const KIND: Kind = Kind::Administrator;

    fn validate(&self, mistakes: &mut Mistakes) {
        mistakes.optional_text("description", &self.description, DESCRIPTION_MAX);
        mistakes.within("reach", |m| self.reach.validate(self.role, m));
        let is_group = matches!(self.who, Who::Group(_));
        for (field, said) in [("email", &self.email), ("mobile", &self.mobile)] {
            if let Some(text) = said {
                mistakes.text(field, text, 254);
                if is_group {
                    mistakes.add(field, "cannot be said of a group");
                }
            }
        }
        if let Some(email) = &self.email
            && !is_address(email)
        {
            mistakes.add("email", "must be an address such as anna@example.org");
        }
        if self.notified && self.email.is_none() {
            mistakes.add("notified", "needs an address in email");
        }
    }
}

/// Whether mail can be sent there: the shape that every mail system takes, not all of RFC 5321.
pub fn is_address(text: &str) -> bool {
    let Some((person, host)) = text.rsplit_once('@') else { return false };
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '@' | '<' | '>' | '"' | ',' | ';' | '\\');
    !person.is_empty()
        && person.len() <= 64
        && person.chars().all(is_plain)
        && !host.is_empty()
        && host
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_could_add_a_recipient_or_a_header_are_refused() {
        for good in ["anna@example.org", "a.b+c@mail", "x@192"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "anna", "@example.org", "a@b@c", "a@b, c@d", "a@b\r\nBcc: c@d", "a b@c", "a@b..c"] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
