//! What OpenLDAP and its kin call things: names of attributes are settings, states come from its overlay for
//! passwords ([draft-behera-ldap-password-policy-10]).

use jiff::SignedDuration;

use super::{
    Expiry, Found, GroupId, Kind, Login, OpenLdap, Person, PersonId, Rule, Settings, dn,
    filter::Filter,
    message::{Entry, Outcome, Policy, PolicyError, code},
};
use crate::directory::Refused;

/// [RFC 2307] 2.2: the number of somebody's primary group.
const PRIMARY: &str = "gidNumber";
/// An administrator locked the account for good: [draft-behera-ldap-password-policy-10] 5.3.3.
const LOCKED: &str = "pwdAccountLockedTime";
const LOCKED_FOR_GOOD: &str = "000001010000Z";

pub(super) fn person_attributes(names: &OpenLdap) -> Vec<&str> {
    vec![&names.id, &names.account, &names.full_name, &names.mail, PRIMARY, LOCKED]
}

pub(super) fn group_attributes(names: &OpenLdap) -> Vec<&str> {
    vec![&names.id, &names.group_name, "description", &names.mail]
}

pub(super) fn people(names: &OpenLdap) -> Filter {
    Filter::equal("objectClass", names.user_class.as_str())
}

pub(super) fn groups(names: &OpenLdap) -> Filter {
    Filter::Or(names.group_classes.iter().map(|class| Filter::equal("objectClass", class.as_str())).collect())
}

pub(super) fn by_login(names: &OpenLdap, login: &Login) -> Filter {
    Filter::And(vec![people(names), Filter::equal(&names.account, login.user())])
}

/// The name for a bind without having looked anybody up.
pub(super) fn bind_name(settings: &Settings, names: &OpenLdap, user: &str) -> String {
    dn::child(&names.account, user, names.users_dn.as_deref().unwrap_or(&settings.base_dn))
}

pub(super) fn by_id(names: &OpenLdap, id: &str) -> Filter {
    Filter::equal(&names.id, id)
}

/// In which names somebody looks for a beginning.
pub(super) fn names(names: &OpenLdap, kind: Kind) -> Vec<&str> {
    match kind {
        Kind::Users => vec![&names.account, &names.full_name, "sn", "givenName", &names.mail],
        Kind::Groups => vec![&names.group_name],
    }
}

pub(super) fn person(settings: &Settings, names: &OpenLdap, entry: &Entry) -> Option<Person> {
    let account = entry.text(&names.account)?;
    Some(Person {
        id: PersonId(entry.text(&names.id)?),
        name: format!("{account}@{}", settings.domain),
        full_name: entry.text(&names.full_name),
        mail: entry.text(&names.mail),
        groups: Vec::new(),
        password_expires: None,
        account_expires: None,
        account,
    })
}

pub(super) fn found(settings: &Settings, names: &OpenLdap, kind: Kind, entry: &Entry) -> Option<Found> {
    let id = entry.text(&names.id)?;
    let (mail, dn) = (entry.text(&names.mail), entry.dn.clone());
    Some(match kind {
        Kind::Users => {
            let account = entry.text(&names.account)?;
            let name = format!("{account}@{}", settings.domain);
            Found { id, name, full_name: entry.text(&names.full_name), mail, dn, account }
        }
        Kind::Groups => {
            let account = entry.text(&names.group_name)?;
            Found { id, name: account.clone(), full_name: entry.text("description"), mail, dn, account }
        }
    })
}

/// Why somebody who is signed in already may not go on, as far as it may be read.
pub(super) fn shut(entry: &Entry) -> Option<Refused> {
    let is_locked = entry.text(LOCKED).is_some_and(|since| since == LOCKED_FOR_GOOD);
    is_locked.then_some(Refused::Disabled)
}

/// Groups of which one of these entries is a member.
pub(super) fn with_members(names: &OpenLdap, dns: &[String]) -> Filter {
    let members = dns.iter().flat_map(|dn| names.members.iter().map(|name| Filter::equal(name, dn.as_str())));
    Filter::And(vec![groups(names), Filter::Or(members.collect())])
}

/// Groups that name this person otherwise than by their entry: by the account, and as their primary one.
pub(super) fn with_account(names: &OpenLdap, entry: &Entry) -> Option<Filter> {
    let mut ways = Vec::new();
    if let (false, Some(account)) = (names.member_accounts.is_empty(), entry.text(&names.account)) {
        ways.push(Filter::equal(&names.member_accounts, account));
    }
    if let Some(primary) = entry.text(PRIMARY) {
        ways.push(Filter::equal(PRIMARY, primary));
    }
    (!ways.is_empty()).then(|| Filter::And(vec![groups(names), Filter::Or(ways)]))
}

pub(super) fn group_id(names: &OpenLdap, entry: &Entry) -> Option<GroupId> {
    entry.text(&names.id).map(GroupId)
}

/// What a bind came to.
pub(super) fn bound(outcome: &Outcome, policy: &Policy) -> Result<Option<Expiry>, Refused> {
    match (outcome.code, policy.error) {
        (code::SUCCESS, Some(PolicyError::ChangeAfterReset)) => Err(Refused::MustChangePassword),
        (code::SUCCESS, _) => {
            // A password that works some more times has expired.
            let expires_in = policy.grace.map(|_| 0).or(policy.expires_in);
            Ok(expires_in.map(|seconds| Expiry::In(SignedDuration::from_secs(seconds))))
        }
        (code::INVALID_CREDENTIALS, Some(PolicyError::PasswordExpired)) => Err(Refused::PasswordExpired),
        (code::INVALID_CREDENTIALS, Some(PolicyError::AccountLocked)) => Err(Refused::LockedInDirectory),
        (code::INAPPROPRIATE_AUTHENTICATION, _) => Err(Refused::NoPassword),
        _ => Err(Refused::WrongPassword),
    }
}

/// The rule that refused a new password.
pub(super) fn broken_rule(policy: &Policy) -> Option<Rule> {
    Some(match policy.error? {
        PolicyError::TooShort => Rule::TooShort { least: None },
        PolicyError::Quality => Rule::TooSimple,
        PolicyError::InHistory => Rule::UsedBefore { remembered: None },
        PolicyError::TooYoung => Rule::TooSoon,
        PolicyError::TooLong => Rule::TooLong,
        PolicyError::PasswordExpired
        | PolicyError::AccountLocked
        | PolicyError::ChangeAfterReset
        | PolicyError::ModNotAllowed
        | PolicyError::MustSupplyOld => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_bind_came_to_is_told_by_the_policy() {
        let answer = |code, error| {
            let policy = Policy { error, ..Policy::default() };
            bound(&Outcome { code, words: String::new() }, &policy)
        };
        assert_eq!(answer(0, None), Ok(None));
        assert_eq!(answer(0, Some(PolicyError::ChangeAfterReset)), Err(Refused::MustChangePassword));
        assert_eq!(answer(49, None), Err(Refused::WrongPassword));
        assert_eq!(answer(49, Some(PolicyError::PasswordExpired)), Err(Refused::PasswordExpired));
        assert_eq!(answer(49, Some(PolicyError::AccountLocked)), Err(Refused::LockedInDirectory));
        assert_eq!(answer(48, None), Err(Refused::NoPassword));
        let policy = Policy { expires_in: Some(60), ..Policy::default() };
        let soon = Ok(Some(Expiry::In(SignedDuration::from_secs(60))));
        assert_eq!(bound(&Outcome::default(), &policy), soon);
    }
}
