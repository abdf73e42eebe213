//! Ends with its parent: the parent keeps a pipe to our standard input, and the kernel closes it
//! however the parent ends.

use std::io::Read;

use oriel_net::supervise::ShutdownHandle;

/// Gives the signal to stop when standard input is closed.
pub fn watch(handle: ShutdownHandle) {
    // A thread of its own, never joined: a blocked read must not keep the process.
    let watcher = move || {
        let mut nothing = [0; 64];
        loop {
            match std::io::stdin().lock().read(&mut nothing) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        tracing::info!("the supervisor has ended; stopping");
        handle.give();
    };
    if let Err(error) = std::thread::Builder::new().name("parent".into()).spawn(watcher) {
        tracing::error!(%error, "the supervisor cannot be watched");
    }
}
