//! What Active Directory calls things ([MS-ADTS]).

use jiff::Timestamp;

use super::{
    Expiry, Found, GroupId, Kind, Login, Person, PersonId, Rule, Settings,
    filter::Filter,
    message::{Entry, Outcome},
};
use crate::{directory::Refused, name::normalised};

/// What is read of a person. Computed attributes count what the domain's policy says.
pub(super) const PERSON: &[&str] = &[
    "objectSid",
    "sAMAccountName",
    "userPrincipalName",
    "displayName",
    "mail",
    "userAccountControl",
    "accountExpires",
    "msDS-UserPasswordExpiryTimeComputed",
];
/// What is read of a group.
pub(super) const GROUP: &[&str] = &["objectSid", "sAMAccountName", "displayName", "description", "mail"];
/// The SIDs of all security groups that somebody is in, through others too, and of their primary group.
/// Computed for one entry at a time.
pub(super) const GROUPS_OF: &str = "tokenGroups";
/// What a domain demands of passwords.
pub(super) const POLICY: &[&str] = &["minPwdLength", "pwdHistoryLength", "pwdProperties", "minPwdAge"];

/// [MS-ADTS] 2.2.16: the account is disabled.
const ACCOUNT_DISABLED: i64 = 0x2;
/// [MS-ADTS] 2.2.12: the group can be in an access list. Others are for mail.
const SECURITY_ENABLED: u32 = 0x8000_0000;
/// Seconds from 1601 to 1970: [MS-DTYP] 2.3.3 counts from the former.
const EPOCH: i64 = 11_644_473_600;
/// [MS-ADTS] 3.1.1.3.4.4: `pwdProperties` demands three kinds of characters.
const PASSWORD_COMPLEX: i64 = 1;

pub(super) fn people() -> Filter {
    Filter::And(vec![Filter::equal("objectCategory", "person"), Filter::equal("objectClass", "user")])
}

pub(super) fn groups() -> Filter {
    Filter::And(vec![
        Filter::equal("objectCategory", "group"),
        Filter::Bits("groupType".to_owned(), SECURITY_ENABLED),
    ])
}

/// Who signs in with this name. Somebody's principal name may be anything; with the domain's own name behind
/// it, an account may be meant as well.
pub(super) fn by_login(settings: &Settings, login: &Login) -> Filter {
    let account = Filter::equal("sAMAccountName", login.user());
    let name = match login {
        Login::Upn { suffix, .. } => {
            let name = Filter::equal("userPrincipalName", login.to_string());
            let own = normalised(suffix) == normalised(&settings.domain);
            if own { Filter::Or(vec![name, account]) } else { name }
        }
        Login::Domain { .. } | Login::Plain { .. } => account,
    };
    Filter::And(vec![people(), name])
}

/// Of those that [`by_login`] found, the one that is meant: as Windows has it, a principal name that is
/// written out comes before an account that only looks like one.
pub(super) fn chosen(login: &Login, mut found: Vec<Entry>) -> Option<Entry> {
    if found.len() > 1 {
        let name = normalised(&login.to_string());
        found.retain(|entry| entry.text("userPrincipalName").is_some_and(|other| normalised(&other) == name));
    }
    if found.len() == 1 { found.pop() } else { None }
}

/// The name for a bind without having looked anybody up.
pub(super) fn bind_name(settings: &Settings, login: &Login) -> String {
    match (login, &settings.netbios) {
        (Login::Upn { .. }, _) => login.to_string(),
        (Login::Domain { user, .. }, Some(netbios)) => format!("{netbios}\\{user}"),
        (Login::Domain { user, .. } | Login::Plain { user }, _) => format!("{user}@{}", settings.domain),
    }
}

pub(super) fn by_id(id: &str) -> Filter {
    // What is no SID is nobody's.
    Filter::equal("objectSid", sid_bytes(id).unwrap_or_default())
}

/// In which names somebody looks for a beginning.
pub(super) fn names(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Users => &["sAMAccountName", "userPrincipalName", "displayName", "givenName", "sn", "mail"],
        Kind::Groups => &["sAMAccountName", "displayName"],
    }
}

pub(super) fn person(settings: &Settings, entry: &Entry) -> Option<Person> {
    let account = entry.text("sAMAccountName")?;
    Some(Person {
        id: PersonId(sid_text(entry.value("objectSid")?)?),
        name: entry.text("userPrincipalName").unwrap_or_else(|| format!("{account}@{}", settings.domain)),
        full_name: entry.text("displayName"),
        mail: entry.text("mail"),
        groups: Vec::new(),
        password_expires: entry.number("msDS-UserPasswordExpiryTimeComputed").and_then(time).map(Expiry::At),
        account_expires: entry.number("accountExpires").and_then(time),
        account,
    })
}

pub(super) fn found(settings: &Settings, kind: Kind, entry: &Entry) -> Option<Found> {
    let account = entry.text("sAMAccountName")?;
    let name = match kind {
        Kind::Users => {
            entry.text("userPrincipalName").unwrap_or_else(|| format!("{account}@{}", settings.domain))
        }
        Kind::Groups => account.clone(),
    };
    Some(Found {
        id: sid_text(entry.value("objectSid")?)?,
        name,
        full_name: entry.text("displayName").or_else(|| entry.text("description")),
        mail: entry.text("mail"),
        dn: entry.dn.clone(),
        account,
    })
}

/// Why somebody who is signed in already may not go on. That wrong passwords locked the account is none:
/// whoever guesses would throw people out.
pub(super) fn shut(entry: &Entry) -> Option<Refused> {
    match entry.number("userAccountControl") {
        Some(flags) => (flags & ACCOUNT_DISABLED != 0).then_some(Refused::Disabled),
        // Not to know it is no reason to believe the better.
        None => Some(Refused::Unavailable(format!(
            "the service account may not see whether {:?} is disabled (userAccountControl)",
            entry.dn
        ))),
    }
}

/// None if the entry does not say: the account that asks may not see it.
pub(super) fn groups_of(entry: &Entry) -> Option<Vec<GroupId>> {
    let sids = entry.values(GROUPS_OF);
    // Everybody has a primary group.
    (!sids.is_empty()).then(|| sids.iter().filter_map(|sid| sid_text(sid)).map(GroupId).collect())
}

/// Why a bind was refused: the hexadecimal number behind `data` in the words of the answer. All but those of
/// a wrong name, a wrong password and a locked account are only given to the right password.
pub(super) fn refused(outcome: &Outcome) -> Refused {
    match subcode(&outcome.words) {
        Some(0x525) => Refused::UnknownUser,
        Some(0x530) => Refused::OutsideHours,
        Some(0x531) => Refused::Workstation,
        Some(0x532) => Refused::PasswordExpired,
        Some(0x533) => Refused::Disabled,
        Some(0x701) => Refused::AccountExpired,
        Some(0x773) => Refused::MustChangePassword,
        Some(0x775) => Refused::LockedInDirectory,
        None | Some(0x52e) => Refused::WrongPassword,
        Some(other) => Refused::ByDirectory(format!("code {other:x}")),
    }
}

fn subcode(words: &str) -> Option<u32> {
    let rest = words.split("data ").nth(1)?;
    let digits: String = rest.chars().take_while(char::is_ascii_hexdigit).take(8).collect();
    u32::from_str_radix(&digits, 16).ok()
}

/// What a refused change of a password means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeRefused {
    WrongPassword,
    Rules,
    Forbidden,
    Unknown,
}

/// The Windows error at the beginning of the words of the answer ([MS-ERREF] 2.2).
pub(super) fn change_refused(outcome: &Outcome) -> ChangeRefused {
    use super::message::code::{CONSTRAINT_VIOLATION, INSUFFICIENT_ACCESS};
    let error = outcome.words.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match (outcome.code, error) {
        (_, Some(0x56 | 0x52b)) => ChangeRefused::WrongPassword,
        (_, Some(0x52d)) => ChangeRefused::Rules,
        (_, Some(0x5)) | (INSUFFICIENT_ACCESS, _) => ChangeRefused::Forbidden,
        (CONSTRAINT_VIOLATION, _) => ChangeRefused::Rules,
        _ => ChangeRefused::Unknown,
    }
}

/// Which rules of the domain may have refused this password, as it does not tell: length and kinds of
/// characters are seen; what it remembers of the past is not.
pub(super) fn broken_rules(policy: &Entry, account: &str, password: &str) -> Vec<Rule> {
    let least = policy.number("minPwdLength").and_then(|least| u32::try_from(least).ok());
    let length = password.encode_utf16().count();
    if let Some(least) = least.filter(|&least| length < least as usize) {
        return vec![Rule::TooShort { least: Some(least) }];
    }
    let must_be_complex = policy.number("pwdProperties").is_some_and(|flags| flags & PASSWORD_COMPLEX != 0);
    if must_be_complex && !is_complex(account, password) {
        return vec![Rule::TooSimple];
    }
    let remembered = policy.number("pwdHistoryLength").and_then(|count| u32::try_from(count).ok());
    let mut rules = Vec::new();
    if let Some(count) = remembered.filter(|&count| count > 0) {
        rules.push(Rule::UsedBefore { remembered: Some(count) });
    }
    if policy.number("minPwdAge").is_some_and(|age| age != 0) {
        rules.push(Rule::TooSoon);
    }
    rules
}

/// Three kinds of characters of five, and without the account ("Password must meet complexity requirements").
fn is_complex(account: &str, password: &str) -> bool {
    let kinds: [fn(char) -> bool; 5] = [
        |c| c.is_uppercase(),
        |c| c.is_lowercase(),
        |c| c.is_ascii_digit(),
        |c| !c.is_alphanumeric(),
        |c| c.is_alphabetic() && !c.is_uppercase() && !c.is_lowercase(),
    ];
    let count = kinds.iter().filter(|kind| password.chars().any(**kind)).count();
    let holds_name =
        account.chars().count() >= 3 && password.to_lowercase().contains(&account.to_lowercase());
    count >= 3 && !holds_name
}

/// [MS-ADTS] 3.1.1.3.1.5: how a password is sent.
pub(super) fn quoted(password: &str) -> zeroize::Zeroizing<Vec<u8>> {
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(4 + 2 * password.len()));
    for unit in std::iter::once(u16::from(b'"')).chain(password.encode_utf16()).chain([u16::from(b'"')]) {
        bytes.extend_from_slice(&unit.to_le_bytes());
    }
    bytes
}

/// [MS-DTYP] 2.3.3 FILETIME: tenths of microseconds since 1601. Zero and the largest number are never.
fn time(ticks: i64) -> Option<Timestamp> {
    if ticks <= 0 || ticks == i64::MAX {
        return None;
    }
    Timestamp::from_second(ticks / 10_000_000 - EPOCH).ok()
}

/// [MS-DTYP] 2.4.2.2 SID, as people write it.
fn sid_text(bytes: &[u8]) -> Option<String> {
    let [1, count, authority @ ..] = bytes else { return None };
    let (authority, parts) = authority.split_at_checked(6)?;
    if parts.len() != usize::from(*count) * 4 {
        return None;
    }
    let authority = authority.iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
    let mut text = format!("S-1-{authority}");
    for part in parts.chunks_exact(4) {
        let part = u32::from_le_bytes([part[0], part[1], part[2], part[3]]);
        text.push_str(&format!("-{part}"));
    }
    Some(text)
}

/// The bytes of a SID that is written as people do.
fn sid_bytes(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.strip_prefix("S-1-")?.split('-');
    let authority: u64 = parts.next()?.parse().ok().filter(|&authority| authority < 1 << 48)?;
    let parts: Vec<u32> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
    // 15 are what a SID can have.
    let count = u8::try_from(parts.len()).ok().filter(|&count| count <= 15)?;
    let mut bytes = vec![1, count];
    bytes.extend_from_slice(&authority.to_be_bytes()[2..]);
    parts.iter().for_each(|part| bytes.extend_from_slice(&part.to_le_bytes()));
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sids_are_written_as_people_do() {
        let bytes = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        assert_eq!(sid_text(&bytes).as_deref(), Some("S-1-5-32-544"));
        assert_eq!(sid_bytes("S-1-5-32-544").as_deref(), Some(&bytes[..]));
        for nothing in ["", "S-1", "S-1-", "S-2-5-32", "S-1-5-x", "S-1-5-4294967296", "S-1-281474976710656"] {
            assert_eq!(sid_bytes(nothing), None, "{nothing}");
        }
        for nothing in [&[][..], &[1], &[1, 0, 0, 0, 0, 0, 0], &bytes[..15], &[2, 0, 0, 0, 0, 0, 0, 5]] {
            assert_eq!(sid_text(nothing), None, "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn a_sid_is_the_same_in_both_forms(authority in 0..1_u64 << 48, parts in prop::collection::vec(any::<u32>(), 0..16)) {
            let text = parts.iter().fold(format!("S-1-{authority}"), |text, part| format!("{text}-{part}"));
            let bytes = sid_bytes(&text).expect("a SID");
            prop_assert_eq!(sid_text(&bytes), Some(text));
        }

        #[test]
        fn any_bytes_are_a_sid_or_none(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(text) = sid_text(&bytes) {
                prop_assert!(bytes[1] > 15 || sid_bytes(&text) == Some(bytes));
            }
        }

        #[test]
        fn any_words_are_a_reason(words in "\\PC{0,60}|80090308: data [0-9a-f]{0,12}, v") {
            let _ = refused(&Outcome { code: 49, words: words.clone() });
            let _ = change_refused(&Outcome { code: 19, words });
        }
    }

    #[test]
    fn the_reason_of_a_refusal_is_read_from_its_words() {
        for (data, expected) in [
            ("525", Refused::UnknownUser),
            ("52e", Refused::WrongPassword),
            ("530", Refused::OutsideHours),
            ("531", Refused::Workstation),
            ("532", Refused::PasswordExpired),
            ("533", Refused::Disabled),
            ("701", Refused::AccountExpired),
            ("773", Refused::MustChangePassword),
            ("775", Refused::LockedInDirectory),
            ("568", Refused::ByDirectory("code 568".into())),
        ] {
            let words = format!(
                "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {data}, v1db1"
            );
            assert_eq!(refused(&Outcome { code: 49, words }), expected);
        }
        assert_eq!(refused(&Outcome { code: 49, words: String::new() }), Refused::WrongPassword);
    }

    #[test]
    fn times_are_those_of_windows() {
        assert_eq!(time(116_444_736_000_000_000), Some(Timestamp::UNIX_EPOCH));
        assert_eq!([time(0), time(-1), time(i64::MAX)], [None, None, None]);
    }

    #[test]
    fn a_password_is_complex_as_windows_has_it() {
        for (password, expected) in [
            ("Passw0rd", true),
            ("passw0rd", false),
            ("pass w0rd", true),
            ("Alice-2024", false),
            ("Ünïcödé 字", true),
            ("", false),
        ] {
            assert_eq!(is_complex("alice", password), expected, "{password}");
        }
    }
}
