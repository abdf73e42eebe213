//! The two sockets through which sessions reach the agent: one for PAM's steps, which only root opens, and
//! one for the programs inside sessions, which run as their users.

use std::{
    collections::HashMap,
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{core::Core, socket::ShortPath};
use crate::{
    pam::{self, PamAnswer, PamRequest},
    session::protocol::{FromSession, LINE_BYTES_MAX, ToSession},
};

/// Who dials must say what it wants within this time.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections at a time from sessions: some for each that a machine can carry.
const SESSIONS_MAX: usize = 4_000;
/// The same of one user, so that nobody keeps the others' sessions from the agent: a few for each session
/// that a person may have.
const SESSIONS_PER_USER_MAX: usize = 100;
/// Pause after each message of a session. It says something new a few times a minute; what it says is
/// written down and told to brokers, so one that never stops must not keep the machine busy.
const MESSAGE_PAUSE: Duration = Duration::from_millis(20);
/// PAM steps at a time. There is one for each session that opens or closes.
const STEPS_MAX: usize = 500;
/// Orders that wait for a session that does not read. A session that is this far behind is broken.
const ORDERS_MAX: usize = 32;

/// Listens on a path, replacing what an earlier agent left there.
pub(super) fn listen(path: &Path, mode: u32) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let short = ShortPath::to(path)?;
    let listener = UnixListener::bind(short.as_ref())?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

/// Serves PAM's steps for ever.
pub(super) async fn serve_pam(listener: UnixListener, core: Arc<Core>) {
    let stopping = core.stopping.clone();
    serve(listener, STEPS_MAX, stopping, move |stream| {
        let core = Arc::clone(&core);
        async move {
            let is_root = stream.peer_cred().is_ok_and(|peer| peer.uid() == 0);
            if is_root {
                let _ = timeout(GREETING_TIMEOUT, pam_step(stream, &core)).await;
            }
        }
    })
    .await;
}

async fn pam_step(stream: UnixStream, core: &Arc<Core>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = zeroize::Zeroizing::new(Vec::new());
    (&mut stream).take(pam::LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
    let is_allowed = match serde_json::from_slice(&line)? {
        PamRequest::Logon { name, secret } => core.log_on(&name, &secret),
        PamRequest::Session { name, is_opening, terminal, leader } => {
            core.session_event(&name, is_opening, &terminal, leader);
            true
        }
    };
    let mut answer = serde_json::to_vec(&PamAnswer { is_allowed })?;
    answer.push(b'\n');
    stream.get_mut().write_all(&answer).await
}

/// Serves the programs inside sessions for ever.
pub(super) async fn serve_sessions(listener: UnixListener, core: Arc<Core>) {
    let stopping = core.stopping.clone();
    let users = Arc::<Users>::default();
    serve(listener, SESSIONS_MAX, stopping, move |stream| {
        let (core, users) = (Arc::clone(&core), Arc::clone(&users));
        async move {
            let Ok(uid) = stream.peer_cred().map(|peer| peer.uid()) else { return };
            if let Some(_place) = users.enter(uid) {
                let _ = session_line(stream, uid, &core).await;
            }
        }
    })
    .await;
}

/// How many connections each user has.
#[derive(Default)]
struct Users(Mutex<HashMap<u32, usize>>);

/// One connection of a user; counts until it is dropped.
struct Place {
    users: Arc<Users>,
    uid: u32,
}

impl Users {
    fn enter(self: &Arc<Self>, uid: u32) -> Option<Place> {
        let mut counts = self.counts();
        let count = counts.entry(uid).or_default();
        if *count >= SESSIONS_PER_USER_MAX {
            return None;
        }
        *count += 1;
        Some(Place { users: Arc::clone(self), uid })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<u32, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.users.counts();
        if let Some(count) = counts.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.uid);
            }
        }
    }
}

async fn session_line(stream: UnixStream, uid: u32, core: &Arc<Core>) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader);
    let mut line = Vec::new();
    timeout(GREETING_TIMEOUT, read_line(&mut lines, &mut line)).await??;
    let FromSession::Hello { logon_name, has_begun } = serde_json::from_slice(&line)? else {
        return Ok(());
    };
    let (orders, mut to_send) = mpsc::channel(ORDERS_MAX);
    let Some((id, line_number, begin)) = core.greet_session(&logon_name, uid, !has_begun, orders) else {
        tracing::warn!(logon.name = logon_name, uid, "a program claims a session that is not its own");
        return Ok(());
    };
    if !has_begun {
        write_line(&mut writer, &ToSession::Begin(Box::new(begin))).await?;
    }
    loop {
        // Only whole lines are lost when the other branch wins, and only at the end: `read_line` keeps what
        // it has read in `line`, which is emptied after use.
        line.clear();
        let outcome = loop {
            tokio::select! {
                read = read_line(&mut lines, &mut line) => break read,
                order = to_send.recv() => match order {
                    Some(order) => write_line(&mut writer, &order).await?,
                    None => return Ok(()),
                },
            }
        };
        if outcome.is_err() {
            core.session_line_lost(id, line_number);
            return Ok(());
        }
        if let Ok(message) = serde_json::from_slice(&line) {
            core.hear(id, message);
        }
        tokio::time::sleep(MESSAGE_PAUSE).await;
    }
}

/// Appends to `line` up to a line's end. May be dropped and called again with the same `line`.
async fn read_line(
    lines: &mut BufReader<tokio::net::unix::OwnedReadHalf>,
    line: &mut Vec<u8>,
) -> io::Result<()> {
    let room = LINE_BYTES_MAX.saturating_sub(line.len()) as u64;
    let read = lines.take(room).read_until(b'\n', line).await?;
    if read == 0 || line.last() != Some(&b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

async fn write_line(writer: &mut tokio::net::unix::OwnedWriteHalf, order: &ToSession) -> io::Result<()> {
    let mut line = serde_json::to_vec(order)?;
    line.push(b'\n');
    timeout(GREETING_TIMEOUT, writer.write_all(&line)).await?
}

pub(super) async fn serve<F, T>(listener: UnixListener, max: usize, stopping: CancellationToken, handle: F)
where
    F: Fn(UnixStream) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(max));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let work = stopping.clone().run_until_cancelled_owned(handle(stream));
                tokio::spawn(async move {
                    work.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection from a session");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_leaves_room_for_the_others() {
        let users = Arc::<Users>::default();
        let places: Vec<_> = std::iter::from_fn(|| users.enter(1001)).collect();
        assert_eq!(places.len(), SESSIONS_PER_USER_MAX);
        assert!(users.enter(1002).is_some());
        drop(places);
        assert!(users.counts().is_empty());
        assert!(users.enter(1001).is_some());
    }
}
