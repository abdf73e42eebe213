//! Starting a session before anybody comes: we log on in place of the client that will come later.
//!
//! The X server waits for a client without a limit, and takes the size of each that comes, so the size at
//! the start only matters to programs that look at it once.

use std::{io, time::Duration};

use super::{core::Core, ipm, scp};

/// Where the client is not known yet: what fits every screen.
const SIZE: (u16, u16) = (1024, 768);
/// sesman answers once the X server is up; it serves one logon at a time, and many may wait.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// Starts it. Whether it is up shows like that of any other session.
///
/// # Errors
/// When sesman does not do it.
pub(super) async fn start(
    core: &Core,
    sesman_port: Option<u16>,
    name: &str,
    secret: &str,
    size: (u16, u16),
) -> io::Result<()> {
    let size = if size.0 == 0 || size.1 == 0 { SIZE } else { size };
    let start = async {
        match sesman_port {
            Some(port) => scp::start_session(port, name, secret, size).await,
            None => ipm::start_session(&core.layout.sesman_socket(), name, secret, size).await,
        }
    };
    tokio::time::timeout(START_TIMEOUT, start).await?
}
