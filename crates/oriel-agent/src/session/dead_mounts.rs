//! Folders that an earlier session's programs mounted by FUSE and left behind when they were killed: gvfs
//! mounts network folders so, in the user's runtime directory, which all of a user's sessions share. Until
//! such a mount is taken away, nothing can be mounted there again.

use std::{fs, path::Path};

use rustix::io::Errno;

use super::environment::Environment;
use crate::apps::find_program;

/// Entries looked at: a runtime directory has a dozen.
const ENTRIES_MAX: usize = 200;

/// Takes away the mounts in the user's runtime directory whose programs have gone. Those of the user's other
/// sessions answer, and stay.
pub(super) fn take_away(environment: &Environment) {
    let Some(folder) = environment.runtime_dir() else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().take(ENTRIES_MAX).map(|entry| entry.path()).filter(|path| is_dead(path)) {
        let Some(unmount) =
            ["fusermount3", "fusermount"].into_iter().find(|name| find_program(name).is_some())
        else {
            return;
        };
        // Without it the session works, but network folders have no paths in it.
        let _ = environment.command(unmount).args(["-u", "-z"]).arg(&path).status();
    }
}

/// What a FUSE mount answers when its program has gone, fuse(4).
fn is_dead(path: &Path) -> bool {
    fs::metadata(path).is_err_and(|error| error.raw_os_error() == Some(Errno::NOTCONN.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_or_is_not_there_is_no_dead_mount() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!is_dead(folder.path()));
        assert!(!is_dead(&folder.path().join("nothing")));
    }
}
