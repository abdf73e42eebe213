//! What is looked at before anything starts: that this data directory has one farm at a time, and that
//! its ports are free. Without it a second start would rewrite the node files of a farm that runs, and a
//! port that is taken would show only as a service that is started again and again.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, bail};

/// The lock file, in the data directory. It stays when the farm stops: removing it would let two
/// processes hold locks on two files of that name.
const LOCK: &str = "all-in-one.lock";
/// What is read of the note in the lock file at most, in bytes: it is one short line.
const NOTE_MAX: u64 = 100;

/// Takes the data directory for as long as the file is open; the number of the process stands in it.
pub fn lock(root: &Path) -> anyhow::Result<File> {
    let path = root.join(LOCK);
    let unavailable = || format!("the lock {} cannot be taken", path.display());
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .open(&path)
        .with_context(unavailable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.take(NOTE_MAX).read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() { "another process" } else { holder.trim() };
            bail!("a farm runs in {} already ({holder}): stop it, or choose another --data", root.display());
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(unavailable),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "process {}", std::process::id()))
        .with_context(unavailable)?;
    Ok(file)
}

/// Fails with the option to change where an address cannot be listened on. All are held at the same
/// time, so that one port given twice shows too; who takes one right afterwards is told by the service.
pub fn are_free(doors: &[(&str, SocketAddr)]) -> anyhow::Result<()> {
    let mut held = Vec::new();
    let mut taken = Vec::new();
    for (option, address) in doors {
        match TcpListener::bind(address) {
            Ok(listener) => held.push(listener),
            Err(error) => {
                let why = match error.kind() {
                    ErrorKind::AddrInUse => "it is in use (ss -ltnp shows by what)".to_owned(),
                    ErrorKind::PermissionDenied => "only root may".to_owned(),
                    _ => error.to_string(),
                };
                taken.push(format!("cannot listen on {address}: {why}; choose another with {option}"));
            }
        }
    }
    if taken.is_empty() { Ok(()) } else { bail!(taken.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_farm_at_a_time() {
        let root = std::env::temp_dir().join(format!("oriel-lock-{}", std::process::id()));
        std::fs::create_dir_all(&root).expect("made");
        let first = lock(&root).expect("taken");
        let refused = lock(&root).expect_err("taken already").to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        lock(&root).expect("free again");
        std::fs::remove_dir_all(&root).expect("removed");
    }

    #[test]
    fn a_taken_port_is_told_with_its_option_and_so_is_one_given_twice() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = taken.local_addr().expect("an address");
        let refused = are_free(&[("--gateway-port", address)]).expect_err("taken").to_string();
        assert!(refused.contains("--gateway-port") && refused.contains(&address.to_string()), "{refused}");
        drop(taken);
        are_free(&[("--gateway-port", address)]).expect("free");
        let twice = are_free(&[("--gateway-port", address), ("--management-port", address)]);
        assert!(twice.expect_err("given twice").to_string().contains("--management-port"));
    }
}
