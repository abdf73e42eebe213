//! Looking at the machine and acting on what is seen.

use std::{
    collections::HashMap, fs, io::Read, os::unix::net::UnixDatagram, path::Path, sync::Arc, time::Duration,
};

use jiff::Timestamp;
use oriel_model::session::EndReason;

use super::{
    core::{Core, send},
    layout::Layout,
    record::{Action, Ending, LOG_OFF_GRACE, Record, Seen},
    socket::ShortPath,
};
use crate::{
    host::SessionId,
    proc::{ProcessId, ProcessTable, Signal, Stat},
    session::{LOGON_VARIABLE, SESSION_VARIABLE, protocol::ToSession},
    state,
};

/// How often to look while there are sessions: their state is reported every second.
const INTERVAL: Duration = Duration::from_secs(1);
/// While one comes or goes: users wait for it.
const INTERVAL_IN_TRANSITION: Duration = Duration::from_millis(200);
/// While there are none.
const INTERVAL_EMPTY: Duration = Duration::from_secs(5);
/// PAM tells which process stands for a session. If that got lost, look for it after this time.
const LEADER_SEARCH: Duration = Duration::from_secs(3);
/// What the programs of sesman are called that stand for a session: xrdp-sesman, and xrdp-sesexec of 0.10.
const LEADER_NAMES: [&str; 2] = ["xrdp-sesman", "xrdp-sesexec"];
/// How the command line of a session's own program ends, see `config::startwm`.
const OWN_PROGRAM: &str = "/oriel agent session-start";
/// An X server's lock file holds ten digits and a line's end.
const LOCK_BYTES_MAX: u64 = 64;

/// Looks and acts for ever.
pub(super) async fn watch(core: Arc<Core>) {
    loop {
        let pause = {
            let core = Arc::clone(&core);
            tokio::task::spawn_blocking(move || look(&core)).await.unwrap_or(INTERVAL)
        };
        tokio::select! {
            () = core.nudge.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Looks once and returns when to look again.
pub(super) fn look(core: &Core) -> Duration {
    let now = core.now();
    let attached = attached_displays(&fs::read_to_string("/proc/net/unix").unwrap_or_default());
    let mut actions = Vec::new();
    let mut has_changed = false;
    let pause = {
        let mut state = core.state();
        let limits = state.limits;
        let mut ended = Vec::new();
        let mut over = Vec::new();
        let mut taken = Vec::new();
        for record in state.records.values_mut() {
            let has_new_leader = find_leader(record, now) || find_heir(record);
            has_changed |= has_new_leader;
            let seen = Seen {
                leader_is_alive: record.leader.is_some_and(ProcessId::is_alive),
                attached: record.display.and_then(|display| attached.get(&display).copied()),
                is_other_boot: record.boot_id != core.boot_id,
            };
            let was_prelaunched = record.is_prelaunched;
            let step = record.step(seen, limits, now);
            if was_prelaunched && !record.is_prelaunched {
                taken.push(record.id);
            }
            has_changed |= step.has_changed || step.is_over || !step.ended.is_empty();
            if step.is_over {
                over.push(record.id);
            } else if step.has_changed || has_new_leader {
                core.save(record);
            }
            ended.extend(step.ended);
            actions.extend(step.action.map(|action| (action, record.clone())));
        }
        if !ended.is_empty() {
            core.note_ended(&mut state, ended, now);
        }
        if !over.is_empty() {
            core.forget(&mut state, &over);
        }
        for session in taken {
            core.deliver(&mut state, session);
        }
        if state.records.is_empty() {
            INTERVAL_EMPTY
        } else if state.records.values().any(Record::is_in_transition) {
            INTERVAL_IN_TRANSITION
        } else {
            INTERVAL
        }
    };
    if has_changed {
        core.announce();
    }
    for (action, record) in actions {
        act(core, action, &record);
    }
    pause
}

/// Does something to a session. Errors are logged: the next look sees whether it worked.
pub(super) fn act(core: &Core, action: Action, record: &Record) {
    match action {
        Action::Disconnect => disconnect(&core.layout, record),
        Action::LogOff => {
            let order = ToSession::LogOff { grace_secs: LOG_OFF_GRACE.as_secs() };
            if send(&core.state(), record.id, order).is_err() {
                signal_all(record, Signal::TERM);
            }
        }
        Action::Kill => {
            signal_all(record, Signal::KILL);
        }
    }
}

/// What `xrdp-dis` does: four bytes to a socket of the X server. 0.10 has the socket in a folder per user.
fn disconnect(layout: &Layout, record: &Record) {
    let Some(display) = record.display else { return };
    let name = format!("xrdp_disconnect_display_{display}");
    let sockets = layout.sockets();
    let places = [sockets.join(&name), sockets.join(record.account.uid.to_string()).join(&name)];
    let sent = places
        .iter()
        .filter(|path| path.exists())
        .any(|path: &std::path::PathBuf| send_disconnect(path).is_ok());
    if !sent {
        tracing::warn!(session.id = %record.id, "cannot disconnect: the X server does not listen");
    }
}

fn send_disconnect(path: &Path) -> std::io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(b"sig\0", ShortPath::to(path)?.as_ref()).map(|_| ())
}

/// Signals everything that belongs to a session but the servers and the leader, which then ends the servers
/// and itself. Called again when that takes too long, it finds the servers alone and signals those, and last
/// the leader.
fn signal_all(record: &Record, signal: Signal) {
    let Some(leader) = record.leader else { return };
    let table = ProcessTable::read();
    let is_server = |process: &ProcessId| {
        table.iter().find(|stat| stat.id == *process).is_some_and(|stat| is_server(stat, record))
    };
    let (servers, programs): (Vec<_>, Vec<_>) = members(record, &table).into_iter().partition(is_server);
    let targets = [programs, servers, vec![leader]].into_iter().find(|group| !group.is_empty());
    for process in targets.into_iter().flatten() {
        let _ = process.signal(signal);
    }
}

/// Whether a process is one of a session's servers: right below its leader or, in an orphan, of its user
/// and under its logon name. A user's own process may look like that, which then ends with the session.
pub(super) fn is_server(stat: &Stat, record: &Record) -> bool {
    if !matches!(stat.name.as_str(), "Xorg" | "xrdp-chansrv") {
        return false;
    }
    if record.is_orphan {
        stat.runs() && is_of_session(stat.id, record)
    } else {
        record.leader.is_some_and(|leader| stat.parent == leader.pid)
    }
}

/// Ends the servers of a session that is over, where nobody else does.
pub(super) fn end_servers(record: &Record) {
    if record.is_orphan {
        for stat in ProcessTable::read().iter().filter(|stat| is_server(stat, record)) {
            let _ = stat.id.signal(Signal::TERM);
        }
    }
}

/// Removes what an X server leaves behind when it is killed, lest its display's number is lost. The lock is
/// the user's file in everybody's folder, so it may have become anything.
pub(super) fn tidy_display(record: &Record) {
    let Some(display) = record.display else { return };
    let lock = format!("/tmp/.X{display}-lock");
    if lock_owner(Path::new(&lock))
        .is_some_and(|pid| ProcessId::of(pid).is_none_or(|process| !process.is_alive()))
    {
        let _ = fs::remove_file(lock);
        let _ = fs::remove_file(format!("/tmp/.X11-unix/X{display}"));
    }
}

fn lock_owner(lock: &Path) -> Option<u32> {
    let mut text = String::new();
    state::open_own(lock, fs::File::options().read(true))
        .ok()?
        .take(LOCK_BYTES_MAX)
        .read_to_string(&mut text)
        .ok()?;
    text.trim().parse().ok()
}

/// Every process of a session but its leader: those below it, and those that have left the tree but carry
/// the session's mark and belong to its user.
pub(super) fn members(record: &Record, table: &ProcessTable) -> Vec<ProcessId> {
    let Some(leader) = record.leader else { return Vec::new() };
    let mark = record.id.to_string();
    // Where it has ended, its number may be another's already, with a tree of its own.
    let is_leader_there = table.iter().any(|stat| stat.id == leader);
    let is_below = |process: u32| is_leader_there && table.descends(process, leader.pid);
    table
        .iter()
        .filter(|stat| stat.runs() && stat.id != leader)
        .filter(|stat| {
            let is_orphans = record.is_orphan && is_server(stat, record);
            is_below(stat.id.pid) || is_orphans || is_marked(stat.id, record, &mark)
        })
        .map(|stat| stat.id)
        .collect()
}

/// Whether a process was started by a session's program.
pub(super) fn is_marked(process: ProcessId, record: &Record, mark: &str) -> bool {
    process.owner() == Some(record.account.uid) && process.variable(SESSION_VARIABLE).as_deref() == Some(mark)
}

/// Whether a process belongs to a session's user and was started under its logon name.
fn is_of_session(process: ProcessId, record: &Record) -> bool {
    process.owner() == Some(record.account.uid) && logon_name_of(process).as_ref() == Some(&record.logon_name)
}

/// The name that a process of a session was logged on with: 0.10 has the account's in `USER`.
fn logon_name_of(process: ProcessId) -> Option<String> {
    process.variable(LOGON_VARIABLE).or_else(|| process.variable("USER"))
}

/// Finds the process that stands for a session by its X server, which knows the logon name. Users
/// can make a process that looks like that server, but none that sesman started as root: so they cannot
/// have a stranger, or the first process of the machine, taken for their session and ended with it.
fn find_leader(record: &mut Record, now: Timestamp) -> bool {
    let is_missing =
        record.leader.is_none() && record.logged_on_at.is_some_and(|at| now > at + LEADER_SEARCH);
    if !is_missing {
        return false;
    }
    let table = ProcessTable::read();
    let server = table.iter().find(|stat| {
        stat.name == "Xorg"
            && is_of_session(stat.id, record)
            && table.iter().any(|parent| parent.id.pid == stat.parent && may_lead(parent))
    });
    let Some(server) = server else { return false };
    record.leader = ProcessId::of(server.parent);
    record.display = display_in(&server.id.command_line(1024));
    true
}

/// Where the process that stands for a session has ended before it, the session's own program takes its
/// place. sesman of 0.10 takes those processes with it when it ends, but neither servers nor programs.
pub(super) fn find_heir(record: &mut Record) -> bool {
    let is_orphaned = !record.is_orphan && record.leader.is_some_and(|leader| !leader.is_alive());
    if !is_orphaned {
        return false;
    }
    let table = ProcessTable::read();
    let heir = table.iter().find(|stat| {
        stat.runs() && is_of_session(stat.id, record) && stat.id.command_line(1024).ends_with(OWN_PROGRAM)
    });
    let Some(heir) = heir else { return false };
    tracing::warn!(session.id = %record.id, "sesman's process of a session has ended; the session goes on");
    record.leader = Some(heir.id);
    record.is_orphan = true;
    true
}

fn may_lead(stat: &Stat) -> bool {
    stat.id.owner() == Some(0) && LEADER_NAMES.contains(&stat.name.as_str())
}

fn display_in(command_line: &str) -> Option<u32> {
    command_line.split(' ').find_map(|word| word.strip_prefix(':')?.parse().ok())
}

/// Displays that xrdp is attached to, each with the kernel's number of the socket (the highest, where an old
/// connection is just being replaced).
///
/// `/proc/net/unix`: slot, references, protocol, flags, type, state (`03` is connected), number, path. A
/// connected socket of a server shows the path that the server listens on.
fn attached_displays(table: &str) -> HashMap<u32, u64> {
    let mut displays = HashMap::new();
    for line in table.lines() {
        let mut columns = line.split_ascii_whitespace().skip(5);
        let (Some("03"), Some(number), Some(path)) = (columns.next(), columns.next(), columns.next()) else {
            continue;
        };
        let display = path.rsplit('/').next().and_then(|name| name.strip_prefix("xrdp_display_"));
        if let (Some(Ok(display)), Ok(number)) = (display.map(str::parse), number.parse::<u64>()) {
            let newest = displays.entry(display).or_insert(number);
            *newest = number.max(*newest);
        }
    }
    displays
}

/// Ends all sessions, first asking, then not. For the end of a demo or a test.
pub(super) fn end_all(core: &Core, grace: Duration) {
    let ids: Vec<SessionId> = core.state().records.keys().copied().collect();
    let deadline = std::time::Instant::now() + grace;
    for id in &ids {
        let mut state = core.state();
        let Some(record) = state.records.get_mut(id) else { continue };
        let (reason, detail) = (EndReason::LoggedOffByRequest, "the session host is being closed".to_owned());
        record.leaving = Some((reason, detail.clone()));
        record.ending.get_or_insert(Ending { reason, detail, since: core.now() });
        let record = record.clone();
        let order = ToSession::LogOff { grace_secs: grace.as_secs().saturating_sub(1).max(1) };
        let is_asked = send(&state, *id, order).is_ok();
        drop(state);
        if !is_asked {
            signal_all(&record, Signal::TERM);
        }
    }
    loop {
        look(core);
        let rest: Vec<Record> =
            core.state().records.values().filter(|record| record.leader.is_some()).cloned().collect();
        if rest.is_empty() {
            return;
        }
        let is_late = std::time::Instant::now() > deadline;
        if is_late {
            rest.iter().for_each(|record| signal_all(record, Signal::KILL));
        }
        if std::time::Instant::now() > deadline + grace {
            tracing::warn!(sessions = rest.len(), "some sessions did not end");
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attached_displays_are_those_with_a_connected_socket() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 111 /run/xrdp/sockdir/xrdp_display_500\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 222 /run/xrdp/sockdir/xrdp_display_500\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 333 /run/xrdp/sockdir/xrdp_display_500\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 444 /run/xrdp/sockdir/1001/xrdp_display_501\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 555 /run/xrdp/sockdir/xrdp_chansrv_socket_500\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 666 /run/xrdp/sockdir/xrdp_display_502\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 777\n";
        assert_eq!(attached_displays(table), HashMap::from([(500, 333), (501, 444)]));
    }

    #[test]
    fn a_lock_is_read_only_where_it_is_a_small_file_of_its_own() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("lock"), "      4711\n").expect("file");
        assert_eq!(lock_owner(&path("lock")), Some(4711));
        std::os::unix::fs::symlink("/dev/zero", path("endless")).expect("link");
        std::os::unix::fs::symlink(path("lock"), path("link")).expect("link");
        // Reading it would wait for a writer, for ever.
        assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().expect("mkfifo").success());
        fs::write(path("large"), "1".repeat(1_000_000)).expect("file");
        for odd in ["endless", "link", "pipe", "large", "absent"] {
            assert_eq!(lock_owner(&path(odd)), None, "{odd}");
        }
    }

    #[test]
    fn nobody_but_sesman_leads_a_session() {
        let me = Stat::read(std::process::id()).expect("this process");
        assert!(!may_lead(&me));
        assert!(!may_lead(&Stat::read(1).expect("the first process")));
    }

    #[test]
    fn the_display_is_the_first_argument_with_a_colon() {
        assert_eq!(display_in("/usr/lib/xorg/Xorg :513 -auth .Xauthority -config xrdp/xorg.conf"), Some(513));
        assert_eq!(display_in("Xorg"), None);
    }
}
