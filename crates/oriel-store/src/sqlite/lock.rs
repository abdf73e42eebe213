//! One broker at a time: an advisory lock on a file beside the store.
//!
//! Not on the store's file itself: closing any handle of that file would drop the locks that
//! SQLite holds on it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::OpenError;

/// What is read of the note in the lock file at most, in bytes: it is one short line.
const NOTE_MAX: u64 = 100;

/// Takes the lock, which lasts as long as the file is open. The lock file stays when it is let go:
/// removing it would let two processes hold locks on two files of that name.
pub(super) fn take(store: &Path) -> Result<File, OpenError> {
    let mut path = store.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let unavailable = |error: io::Error| {
        let reason = format!("its lock {} cannot be taken: {error}", path.display());
        super::unusable(store, &error, &reason)
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(OpenError::InUse { path: store.to_owned(), by: holder(&mut file) });
        }
        Err(TryLockError::Error(error)) => return Err(unavailable(error)),
    }
    file.set_len(0).map_err(unavailable)?;
    writeln!(file, "process {}", std::process::id()).map_err(unavailable)?;
    Ok(file)
}

fn holder(file: &mut File) -> String {
    let mut note = String::new();
    match file.take(NOTE_MAX).read_to_string(&mut note) {
        Ok(_) if !note.trim().is_empty() => note.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}
