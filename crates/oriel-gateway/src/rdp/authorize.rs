//! Whether a ticket opens a connection. The browser is told the same for every bad ticket; the log
//! says why.

use oriel_rdp::clean_path::Failure;
use oriel_wire::ticket::{Claims, TicketError};

use crate::{
    replay::ReplayError,
    shared::{Obstacle, Shared},
};

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Ticket(#[from] TicketError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("the time until which the connection may last has passed")]
    TimeUp,
    #[error(transparent)]
    Closed(#[from] Obstacle),
}

impl Refusal {
    /// What the browser is told.
    pub(super) fn failure(self) -> Failure {
        match self {
            Refusal::Closed(_) => Failure::Http(503),
            Refusal::Ticket(_) | Refusal::Replay(_) | Refusal::TimeUp => Failure::Http(403),
        }
    }
}

/// Opens the ticket and uses it up.
pub(super) fn check(shared: &Shared, ticket: &str) -> Result<Claims, Refusal> {
    // Draining may have begun since the handshake.
    shared.takes_connections()?;
    let now = shared.clock.now();
    let claims = shared.keys.open(ticket, now)?;
    if claims.connected_until <= now {
        return Err(Refusal::TimeUp);
    }
    shared.replay.consume(&claims, now)?;
    Ok(claims)
}
