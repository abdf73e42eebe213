//! What people type as their name, and which directory it belongs to.

use std::fmt;

use oriel_model::validate::{NAME_MAX, fold};

/// A name as it was typed, in its parts. Never empty, without control characters, at most [`NAME_MAX`]
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Login {
    /// `user@suffix`, a user principal name.
    Upn {
        /// What is before the last `@`.
        user: String,
        /// What is behind it.
        suffix: String,
    },
    /// `DOMAIN\user`.
    Domain {
        /// Short name, or DNS name, of the domain.
        domain: String,
        /// The account.
        user: String,
    },
    /// Only the account.
    Plain {
        /// The account.
        user: String,
    },
}

impl Login {
    /// The parts of `name`; none if nobody can be called like that.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim();
        // Bytes first, so that a hostile megabyte is not counted.
        if name.is_empty()
            || name.len() > NAME_MAX * 4
            || name.chars().count() > NAME_MAX
            || name.chars().any(char::is_control)
        {
            return None;
        }
        let login = if let Some((domain, user)) = name.split_once('\\') {
            Login::Domain { domain: domain.trim().to_owned(), user: user.trim().to_owned() }
        } else if let Some((user, suffix)) = name.rsplit_once('@') {
            Login::Upn { user: user.trim().to_owned(), suffix: suffix.trim().to_owned() }
        } else {
            Login::Plain { user: name.to_owned() }
        };
        let whole = match &login {
            Login::Upn { user, suffix: other } | Login::Domain { user, domain: other } => {
                !user.is_empty() && !other.is_empty() && !user.contains('\\')
            }
            Login::Plain { .. } => true,
        };
        whole.then_some(login)
    }

    /// The account, without the domain.
    pub fn user(&self) -> &str {
        match self {
            Login::Upn { user, .. } | Login::Domain { user, .. } | Login::Plain { user } => user,
        }
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Login::Upn { user, suffix } => write!(f, "{user}@{suffix}"),
            Login::Domain { domain, user } => write!(f, "{domain}\\{user}"),
            Login::Plain { user } => f.write_str(user),
        }
    }
}

/// The names that a directory answers to.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a, D> {
    /// The directory, in the caller's terms.
    pub directory: D,
    /// Its DNS name.
    pub domain: &'a str,
    /// Its short name.
    pub netbios: Option<&'a str>,
    /// Further suffixes of its people's names.
    pub upn_suffixes: &'a [String],
}

/// The directory that a name belongs to: the one whose DNS name it carries, else the first one with such a
/// suffix or short name, and `default` for a name without a domain. None if nobody claims its domain.
pub fn directory_of<D: Copy>(login: &Login, claims: &[Claim<'_, D>], default: Option<D>) -> Option<D> {
    let is = |one: &str, other: &str| fold(one) == fold(other);
    let (name, others): (&str, &dyn Fn(&Claim<'_, D>) -> bool) = match login {
        Login::Plain { .. } => return default,
        Login::Upn { suffix, .. } => {
            (suffix, &|claim| claim.upn_suffixes.iter().any(|other| is(other, suffix)))
        }
        Login::Domain { domain, .. } => {
            (domain, &|claim| claim.netbios.is_some_and(|netbios| is(netbios, domain)))
        }
    };
    let by_dns_name = claims.iter().find(|claim| is(claim.domain, name));
    by_dns_name.or_else(|| claims.iter().find(|claim| others(claim))).map(|claim| claim.directory)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn upn(user: &str, suffix: &str) -> Option<Login> {
        Some(Login::Upn { user: user.into(), suffix: suffix.into() })
    }

    fn domain(domain: &str, user: &str) -> Option<Login> {
        Some(Login::Domain { domain: domain.into(), user: user.into() })
    }

    #[test]
    fn names_are_read_in_their_three_forms() {
        for (name, expected) in [
            ("alice", Some(Login::Plain { user: "alice".into() })),
            (" alice@ad.example.org\t", upn("alice", "ad.example.org")),
            ("a@b@c", upn("a@b", "c")),
            ("AD\\alice", domain("AD", "alice")),
            ("AD \\ alice", domain("AD", "alice")),
            ("AD\\alice@home", domain("AD", "alice@home")),
            ("AD\\x\\alice", None),
            ("\\alice", None),
            ("AD\\", None),
            ("@example.org", None),
            ("alice@", None),
            ("", None),
            (" ", None),
            ("a\0b", None),
        ] {
            assert_eq!(Login::parse(name), expected, "{name:?}");
        }
        assert_eq!(Login::parse(&"x".repeat(NAME_MAX + 1)), None);
        assert_eq!(Login::parse(&"x".repeat(1 << 20)), None);
    }

    #[test]
    fn a_name_belongs_to_the_directory_that_claims_its_domain() {
        let suffixes = ["example.org".to_owned(), "lab.example.org".to_owned()];
        let claims = [
            Claim { directory: 1, domain: "ad.example.org", netbios: Some("AD"), upn_suffixes: &suffixes },
            Claim { directory: 2, domain: "lab.example.org", netbios: None, upn_suffixes: &suffixes[..1] },
        ];
        for (name, expected) in [
            ("alice", Some(9)),
            ("alice@AD.Example.Org", Some(1)),
            ("alice@example.org", Some(1)),
            // Whose DNS name it is comes before whoever has it as a further suffix.
            ("alice@lab.example.org", Some(2)),
            ("ad\\alice", Some(1)),
            ("LAB.example.org\\alice", Some(2)),
            ("lab\\alice", None),
            ("alice@elsewhere.org", None),
        ] {
            let login = Login::parse(name).expect("a name");
            assert_eq!(directory_of(&login, &claims, Some(9)), expected, "{name}");
        }
        assert_eq!(directory_of(&Login::parse("alice").expect("a name"), &claims, None), None);
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_refused_or_read_to_the_same_again(name in "\\PC{0,40}|[a-c@\\\\ .]{0,12}") {
            if let Some(login) = Login::parse(&name) {
                prop_assert!(!login.user().is_empty());
                prop_assert!(!login.to_string().chars().any(char::is_control));
                prop_assert_eq!(Login::parse(&login.to_string()), Some(login));
            }
        }
    }
}
