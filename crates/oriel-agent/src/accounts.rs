//! Accounts of the operating system: found through NSS, or made at a user's first logon.
//!
//! A name reaches us over the network and goes to `getent` and `useradd`, so it is checked first, and
//! always stands behind `--`.

use std::{io, path::Path, process::Stdio, time::Duration};

use oriel_model::host::AccountMode;
use tokio::process::Command;

use crate::host::{Refusal, RefusalKind};

/// Comment field of the accounts that the agent makes.
pub const MADE_BY_US: &str = "Oriel farm user";
/// Accounts below this are the system's own (`UID_MIN` of Debian and most others).
const FIRST_USER_ID: u32 = 1000;
/// "nobody".
const NOBODY: u32 = 65_534;
/// Longest account name taken; directories allow no longer ones either.
const NAME_MAX: usize = 64;
/// Longest name that `useradd` takes.
const NEW_NAME_MAX: usize = 32;
/// A directory behind NSS may be slow, but a user waits for the answer.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(15);
/// File in the agent's data directory that lists the accounts it made, one per line.
pub const MADE_ACCOUNTS_FILE: &str = "accounts-created";

/// An account that may have sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name as the system spells it.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// Further groups, name and id.
    pub groups: Vec<(String, u32)>,
}

/// Finds the account, or makes it if `mode` says so. Callers take turns (two logons of a new user).
///
/// # Errors
/// A refusal with the reason why the account cannot have a session.
pub async fn find_or_create(name: &str, mode: AccountMode, data: &Path) -> Result<Account, Refusal> {
    check_name(name, NAME_MAX)?;
    let mut line = lookup("passwd", name).await?;
    if line.is_none() && mode == AccountMode::Create {
        create(name, data).await?;
        line = lookup("passwd", name).await?;
    }
    let Some(line) = line else {
        return Err(no_account(format!("the account \"{name}\" does not exist on this host")));
    };
    let mut account = parse_passwd(&line)
        .ok_or_else(|| no_account(format!("the entry of the account \"{name}\" cannot be read")))?;
    check_may_log_on(&account)?;
    if let Some(shadow) = lookup("shadow", name).await? {
        check_not_expired(name, &shadow, jiff::Timestamp::now().as_second() / 86_400)?;
    }
    account.groups = groups_of(name).await?;
    Ok(account)
}

/// A name that can be neither an option, nor a path, nor another field of a line, nor one of our aliases.
fn check_name(name: &str, max: usize) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
    let first_ok = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    // `getent` and `id` take a number for an id: for somebody else's account.
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    if first_ok && !is_number && name.len() <= max && name.chars().all(allowed) {
        return Ok(());
    }
    let shown: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    Err(no_account(format!(
        "\"{shown}\" cannot be an account name: up to {max} letters, digits and . _ - @ are allowed, \
         beginning with a letter or a digit, and not digits alone"
    )))
}

fn check_may_log_on(account: &Account) -> Result<(), Refusal> {
    let Account { name, uid, shell, .. } = account;
    if *uid < FIRST_USER_ID || *uid == NOBODY {
        return Err(no_account(format!("\"{name}\" is an account of the system and cannot have sessions")));
    }
    let program = shell.rsplit('/').next().unwrap_or_default();
    if matches!(program, "nologin" | "false" | "sync" | "halt" | "shutdown") {
        return Err(no_account(format!("the account \"{name}\" is closed to logons (its shell is {shell})")));
    }
    Ok(())
}

/// Field 8 of the shadow entry: days since the epoch when the account expires.
fn check_not_expired(name: &str, shadow: &str, today: i64) -> Result<(), Refusal> {
    match shadow.split(':').nth(7).and_then(|days| days.parse::<i64>().ok()) {
        Some(last) if last <= today => Err(no_account(format!("the account \"{name}\" has expired"))),
        _ => Ok(()),
    }
}

fn parse_passwd(line: &str) -> Option<Account> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, _, home, shell] = fields.as_slice() else { return None };
    Some(Account {
        name: (*name).to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        home: (*home).to_owned(),
        // An empty field means the standard shell (passwd(5)).
        shell: if shell.is_empty() { "/bin/sh".to_owned() } else { (*shell).to_owned() },
        groups: Vec::new(),
    })
}

async fn groups_of(name: &str) -> Result<Vec<(String, u32)>, Refusal> {
    let ids = run("id", &["-G", "--", name]).await?;
    let mut command = vec!["group", "--"];
    command.extend(ids.1.split_ascii_whitespace());
    // Exit code 2 means that some group has no name; the ones with a name are printed all the same.
    let (_, text) = run("getent", &command).await?;
    Ok(text.lines().filter_map(parse_group).collect())
}

fn parse_group(line: &str) -> Option<(String, u32)> {
    let mut fields = line.split(':');
    Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
}

async fn lookup(database: &str, name: &str) -> Result<Option<String>, Refusal> {
    let (code, text) = run("getent", &[database, "--", name]).await?;
    Ok((code == 0).then(|| text.lines().next().map(str::to_owned)).flatten())
}

async fn create(name: &str, data: &Path) -> Result<(), Refusal> {
    check_name(name, NEW_NAME_MAX)?;
    if name.contains('@') || !name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') {
        return Err(no_account(format!(
            "no account can be made for \"{name}\": the name must begin with a small letter and have no @"
        )));
    }
    // Written down before it is made: a line too many is harmless, an account too many stays for ever.
    remember_made(name, data).map_err(|error| internal(format!("cannot note the new account: {error}")))?;
    let arguments = ["--create-home", "--shell", "/bin/bash", "--comment", MADE_BY_US, "--", name];
    let (code, text) = run("useradd", &arguments).await?;
    if code != 0 {
        return Err(no_account(format!("useradd could not make the account \"{name}\": {}", text.trim())));
    }
    tracing::info!(account = name, "made an account at its user's first logon");
    Ok(())
}

fn remember_made(name: &str, data: &Path) -> io::Result<()> {
    use std::io::Write;
    let path = data.join(MADE_ACCOUNTS_FILE);
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    if known.lines().any(|line| line == name) {
        return Ok(());
    }
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "{name}")?;
    file.sync_all()
}

/// Exit code and output (with errors) of one of the system's own tools.
async fn run(program: &str, arguments: &[&str]) -> Result<(i32, String), Refusal> {
    let child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(LOOKUP_TIMEOUT, child).await {
        Ok(Ok(output)) => {
            let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.push_str(&String::from_utf8_lossy(&output.stderr));
            Ok((output.status.code().unwrap_or(-1), text))
        }
        Ok(Err(error)) => Err(internal(format!("cannot run {program}: {error}"))),
        Err(_) => Err(internal(format!("{program} gave no answer within {} s", LOOKUP_TIMEOUT.as_secs()))),
    }
}

fn no_account(reason: String) -> Refusal {
    Refusal::new(RefusalKind::NoAccount, reason)
}

fn internal(reason: String) -> Refusal {
    Refusal::new(RefusalKind::Internal, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_something_else_are_refused() {
        for good in ["alice", "a.b-c_d", "alice@corp.example", "_svc", "Alice"] {
            assert!(check_name(good, NAME_MAX).is_ok(), "{good}");
        }
        let long = "a".repeat(NAME_MAX + 1);
        for bad in ["", "-rf", "--help", "a:b", "a/b", "../x", "a b", "a~1", "a\nb", "ä", ".x", "1001", &long]
        {
            assert!(check_name(bad, NAME_MAX).is_err(), "{bad}");
        }
    }

    #[test]
    fn system_closed_and_expired_accounts_have_no_sessions() {
        let account = |line: &str| parse_passwd(line).expect("parses");
        assert!(check_may_log_on(&account("alice:x:1001:1001:A,,,:/home/alice:/bin/bash")).is_ok());
        assert!(check_may_log_on(&account("alice:x:1001:1001::/home/alice:")).is_ok());
        for bad in [
            "root:x:0:0::/root:/bin/bash",
            "www-data:x:33:33::/var/www:/usr/sbin/nologin",
            "nobody:x:65534:65534::/:/bin/sh",
            "kiosk:x:1002:1002::/home/kiosk:/usr/sbin/nologin",
        ] {
            assert!(check_may_log_on(&account(bad)).is_err(), "{bad}");
        }
        assert!(parse_passwd("broken:x:1").is_none());
        assert!(check_not_expired("a", "a:!:19000:0:99999:7:::", 20_000).is_ok());
        assert!(check_not_expired("a", "a:!:19000:0:99999:7::19999:", 20_000).is_err());
    }

    #[tokio::test]
    async fn an_unknown_account_is_a_refusal_with_its_name() {
        let refusal = find_or_create("no-such-user-x1", AccountMode::Existing, Path::new("/"))
            .await
            .expect_err("does not exist");
        assert_eq!(refusal.kind, RefusalKind::NoAccount);
        assert!(refusal.reason.contains("no-such-user-x1"));
    }
}
