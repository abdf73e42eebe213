//! A logon name of its own for every session, so that one user can have several.
//!
//! xrdp finds a session again by the logon name alone. So the account `alice` logs on as `alice~1`,
//! `alice~2`, …: aliases with the same user id, read through libnss-extrausers, which only sesman's mount
//! namespace knows. The session's programs see the account's own name again.
//!
//! libnss-extrausers ignores groups below 500. Those are the system's own (audio, video, sudo) and give
//! rights at the machine's console; remote sessions do without.

use std::{fmt::Write, io, path::Path};

use crate::{accounts::Account, pam::ALIAS_SEPARATOR, state};

/// The smallest group id that libnss-extrausers reads (`MINGID` in its source).
const FIRST_GROUP: u32 = 500;

/// An alias and the account behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alias<'a> {
    pub(super) name: &'a str,
    pub(super) account: &'a Account,
}

/// The first alias of the account that is not in use.
pub(super) fn free_name<'a>(account: &str, in_use: impl Iterator<Item = &'a str> + Clone) -> String {
    (1_u32..)
        .map(|number| format!("{account}{ALIAS_SEPARATOR}{number}"))
        .find(|name| !in_use.clone().any(|used| used == name))
        .expect("there are more numbers than sessions")
}

/// Replaces the aliases that the namespace sees.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(folder: &Path, aliases: &[Alias<'_>]) -> io::Result<()> {
    // Groups first: a name that can log on has its groups already.
    state::write(&folder.join("group"), group_file(aliases).as_bytes(), 0o644)?;
    state::write(&folder.join("passwd"), passwd_file(aliases).as_bytes(), 0o644)
}

fn passwd_file(aliases: &[Alias<'_>]) -> String {
    let mut text = String::new();
    for Alias { name, account } in aliases {
        let Account { uid, gid, home, shell, .. } = account;
        let _ = writeln!(text, "{name}:x:{uid}:{gid}::{home}:{shell}");
    }
    text
}

fn group_file(aliases: &[Alias<'_>]) -> String {
    let mut groups = std::collections::BTreeMap::<(&str, u32), Vec<&str>>::new();
    for Alias { name, account } in aliases {
        for (group, gid) in &account.groups {
            if *gid >= FIRST_GROUP && *gid != account.gid {
                groups.entry((group, *gid)).or_default().push(name);
            }
        }
    }
    groups.into_iter().fold(String::new(), |mut text, ((group, gid), members)| {
        let _ = writeln!(text, "{group}:x:{gid}:{}", members.join(","));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_up_and_freed_ones_return() {
        let check = |in_use: &[&str], expected: &str| {
            assert_eq!(free_name("alice", in_use.iter().copied()), expected);
        };
        check(&[], "alice~1");
        check(&["alice~1", "bob~2", "alice~3"], "alice~2");
        check(&["alicia~1"], "alice~1");
    }

    #[test]
    fn an_alias_has_the_accounts_ids_and_its_farm_groups() {
        let account = Account {
            name: "alice".into(),
            uid: 1001,
            gid: 1001,
            home: "/home/alice".into(),
            shell: "/bin/bash".into(),
            groups: vec![("alice".into(), 1001), ("staff".into(), 1500), ("sudo".into(), 27)],
        };
        let aliases = ["alice~1", "alice~2"].map(|name| Alias { name, account: &account });
        assert_eq!(
            passwd_file(&aliases),
            "alice~1:x:1001:1001::/home/alice:/bin/bash\nalice~2:x:1001:1001::/home/alice:/bin/bash\n"
        );
        assert_eq!(group_file(&aliases), "staff:x:1500:alice~1,alice~2\n");
    }
}
