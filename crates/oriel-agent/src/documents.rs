//! What a program opens: files and folders of this host, and addresses. Everything is looked at when it is
//! to be opened, so that whoever published it learns what is missing.
//!
//! Deliberately absent: who may read it. The program runs as the user, and the system decides.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    apps::{self, find_program, split_words},
    host::{Program, Refusal, RefusalKind},
};

/// Schemes of addresses that a file manager without help does not open, by the file that says that gvfs
/// does it.
const MOUNTS: &str = "/usr/share/gvfs/mounts";
/// The program that desktops agree on to open something with whatever is there for it.
const OPENER: &str = "xdg-open";

/// A program with what it opens as its last argument; the file manager, where there is no program.
///
/// # Errors
/// When the file does not exist, or the host has nothing to open it with.
pub fn resolve(program: Program, home: &Path) -> Result<Program, Refusal> {
    let mut program = with_opener_unwrapped(program);
    if program.opens.is_empty() {
        return Ok(program);
    }
    let target = target(&std::mem::take(&mut program.opens), home)?;
    if program.program.is_empty() {
        let manager = apps::folder_handler().ok_or_else(|| {
            let reason = format!("this host has no file manager that could open {target}");
            Refusal::new(RefusalKind::NotSupported, reason)
        })?;
        if let Target::Address(address) = &target {
            check_address(address, &manager.id, Path::new(MOUNTS))?;
        }
        (program.program, program.arguments) = (manager.program, manager.arguments);
    }
    let mut words = split_words(&program.arguments).map_err(|error| {
        Refusal::new(RefusalKind::BadRequest, format!("the program's arguments: {error}"))
    })?;
    words.push(target.to_string());
    program.arguments = apps::join_words(&words);
    Ok(program)
}

/// Opening one thing with the general opener is the same as with the file manager, whose absence we can
/// tell, where that thing is a folder or a share.
fn with_opener_unwrapped(program: Program) -> Program {
    if program.program != OPENER || !program.opens.is_empty() {
        return program;
    }
    match split_words(&program.arguments).as_deref() {
        Ok([opens]) if !opens.starts_with("http") => {
            Program { program: String::new(), arguments: String::new(), opens: opens.clone(), ..program }
        }
        _ => program,
    }
}

/// What is opened.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Path(PathBuf),
    Address(String),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Path(path) => write!(f, "{}", path.display()),
            Target::Address(address) => f.write_str(address),
        }
    }
}

fn target(opens: &str, home: &Path) -> Result<Target, Refusal> {
    if let Some(share) = opens.strip_prefix(r"\\") {
        return Ok(Target::Address(format!("smb://{}", share.replace('\\', "/"))));
    }
    if is_address(opens) {
        return Ok(Target::Address(opens.to_owned()));
    }
    let path = match opens.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(below) if below.starts_with('/') => home.join(below.trim_start_matches('/')),
        _ if opens.starts_with('/') => PathBuf::from(opens),
        _ => {
            let reason = format!("what is to be opened must begin with / or ~: \"{opens}\"");
            return Err(Refusal::new(RefusalKind::BadRequest, reason));
        }
    };
    // A home is made at the first logon. What only the user may look at is there as far as we know.
    let is_absent = fs::metadata(&path)
        .is_err_and(|error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory));
    if is_absent && path != home {
        let reason = format!("{} does not exist on this host", path.display());
        return Err(Refusal::new(RefusalKind::NoDocument, reason));
    }
    Ok(Target::Path(path))
}

/// RFC 3986, 3.1: a scheme, and what follows "://".
fn is_address(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        let mut letters = scheme.chars();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !rest.is_empty()
    })
}

/// Whether this host reaches what has such an address: by gvfs, or by a file manager of KDE, which brings
/// its own way.
fn check_address(address: &str, manager: &str, mounts: &Path) -> Result<(), Refusal> {
    let scheme = address.split("://").next().unwrap_or_default().to_ascii_lowercase();
    let has_gvfs = mounts.join(format!("{scheme}.mount")).exists() && find_program("gio").is_some();
    if scheme == "file" || has_gvfs || manager.starts_with("org.kde.") {
        return Ok(());
    }
    let reason = format!(
        "this host has no way to open {address}: its file manager needs the packages gvfs and gvfs-backends"
    );
    Err(Refusal::new(RefusalKind::NotSupported, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(program: &str, arguments: &str, opens: &str) -> Program {
        Program {
            program: program.into(),
            arguments: arguments.into(),
            opens: opens.into(),
            ..Program::default()
        }
    }

    #[test]
    fn what_is_opened_is_the_last_argument_and_home_is_the_users() {
        let home = tempfile::tempdir().expect("folder");
        fs::write(home.path().join("it's mine.txt"), "").expect("file");
        let check = |arguments: &str, opens: &str, expected: &[&str]| {
            let program = resolve(opening("editor", arguments, opens), home.path()).expect(opens);
            assert_eq!(program.opens, "");
            assert_eq!(split_words(&program.arguments).expect("closed"), expected, "{opens}");
        };
        let file = home.path().join("it's mine.txt");
        let file = file.to_str().expect("plain");
        check("--new 'a b'", "~/it's mine.txt", &["--new", "a b", file]);
        check("", file, &[file]);
        check("", "~", &[home.path().to_str().expect("plain")]);
        check("-x", "https://example.test/a?b=c d", &["-x", "https://example.test/a?b=c d"]);
        check("", r"\\server\share\folder", &["smb://server/share/folder"]);
        check("-x", "", &["-x"]);
        let gone = Path::new("/no/such/home");
        resolve(opening("editor", "", "~"), gone).expect("a home is made at the first logon");
    }

    #[test]
    fn what_is_not_there_is_refused_by_its_name() {
        let home = tempfile::tempdir().expect("folder");
        let check = |opens: &str, kind: RefusalKind, named: &str| {
            let refusal = resolve(opening("editor", "", opens), home.path()).expect_err(opens);
            assert_eq!(refusal.kind, kind, "{refusal}");
            assert!(refusal.reason.contains(named), "{refusal}");
        };
        let absent = home.path().join("absent.txt");
        check("~/absent.txt", RefusalKind::NoDocument, absent.to_str().expect("plain"));
        check("/etc/passwd/x", RefusalKind::NoDocument, "/etc/passwd/x");
        check("/no/such/file", RefusalKind::NoDocument, "/no/such/file");
        check("relative.txt", RefusalKind::BadRequest, "relative.txt");
        check("~root/x", RefusalKind::BadRequest, "~root/x");
    }

    #[test]
    fn shares_need_a_way_to_them() {
        let mounts = tempfile::tempdir().expect("folder");
        let check = |manager: &str| check_address("smb://server/share", manager, mounts.path());
        let refusal = check("pcmanfm").expect_err("no gvfs");
        assert_eq!(refusal.kind, RefusalKind::NotSupported);
        assert!(refusal.reason.contains("smb://server/share"), "{refusal}");
        assert_eq!(check("org.kde.dolphin"), Ok(()));
        fs::write(mounts.path().join("smb.mount"), "").expect("file");
        assert_eq!(check("pcmanfm").is_ok(), find_program("gio").is_some());
    }

    #[test]
    fn the_general_opener_stands_for_the_file_manager() {
        let unwrapped = with_opener_unwrapped(opening("xdg-open", "'/a b'", ""));
        assert_eq!((unwrapped.program.as_str(), unwrapped.opens.as_str()), ("", "/a b"));
        for other in [opening("xdg-open", "https://a.test", ""), opening("xdg-open", "a b", "")] {
            assert_eq!(with_opener_unwrapped(other.clone()), other);
        }
    }
}
