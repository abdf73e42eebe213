//! Small files that outlive the agent: whole JSON documents, replaced in one step. And opening files where
//! others may write.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use rustix::fs::OFlags;
use serde::{Serialize, de::DeserializeOwned};

/// Reads a document; `None` when it is absent. One that cannot be read is reported and counts as absent,
/// since it was written in one step and is only damaged if the disk is.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = fs::read(path).ok()?;
    serde_json::from_slice(&bytes)
        .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "ignoring a damaged state file"))
        .ok()
}

/// Writes a document, readable by root alone.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    write(path, &serde_json::to_vec(value)?, 0o600)
}

/// Replaces a file in one step: readers see the old text or the new one, never a part. This outlives any end
/// of the agent; it does not wait for the disk, since sessions do not outlive the machine.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&fresh)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    fs::rename(&fresh, path)
}

/// Replaces the text of a file but keeps the file itself, for files that are bind-mounted elsewhere:
/// a mount holds on to the file, not to its name.
///
/// # Errors
/// When the file cannot be written.
pub fn overwrite(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return fs::set_permissions(path, Permissions::from_mode(mode));
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())
}

/// Opens a file in a folder where others may write, too: only a plain file with this name alone, so that
/// neither a link leads elsewhere nor a pipe holds us up. Truncate it afterwards, not by the options.
///
/// # Errors
/// When it cannot be opened or is something else.
pub fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = options.custom_flags(flags.cast_signed()).open(path)?;
    let meta = file.metadata()?;
    if meta.is_file() && meta.nlink() == 1 {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file of its own"))
    }
}

/// Makes a directory and its parents, with this mode for the last.
///
/// # Errors
/// When it cannot be made.
pub fn directory(path: &Path, mode: u32) -> io::Result<()> {
    fs::create_dir_all(path)?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}
