//! The kernel's autogroups (sched(7)): where they are on, the processes of each session in the kernel's sense
//! (setsid(2)) share the CPU as one with all other such groups, and a process's priority counts only within its
//! own. So a group that a heavy process is in is lowered as well, by as much.
//!
//! Deliberately absent: control groups. Where the system gives each user one with a share of its own, the
//! kernel leaves autogroups aside, and one user's programs do not slow the others' anyway.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
};

use super::decision::lowered;
use crate::proc::{self, ProcessId};

/// Says "1" where autogroups are on.
const SWITCH: &str = "/proc/sys/kernel/sched_autogroup_enabled";

/// The number of an autogroup; none is used twice until the machine restarts.
pub(super) type Group = u64;

/// What is to be done with groups; as with processes, each with the priority that it has or gets back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) lower: BTreeMap<Group, i32>,
    pub(super) restore: BTreeMap<Group, i32>,
}

/// Plans for the groups of processes with a lower priority; `known` are those lowered already. A group is
/// lowered only if all in it is one user's, and nothing of it is to be left alone.
pub(super) fn plan(
    heavy: impl Iterator<Item = ProcessId>,
    left_alone: &[ProcessId],
    known: &BTreeMap<Group, i32>,
) -> Plan {
    let wanted: BTreeMap<Group, ProcessId> = if are_on() {
        heavy.filter_map(|process| Some((of(process)?.0, process))).collect()
    } else {
        BTreeMap::new()
    };
    let restore = known.iter().filter(|(group, _)| !wanted.contains_key(group));
    let restore = restore.map(|(group, priority)| (*group, *priority)).collect();
    let mut new: BTreeMap<Group, ProcessId> = wanted;
    new.retain(|group, _| !known.contains_key(group));
    if !new.is_empty() {
        for (other, group) in everything() {
            let Some(process) = new.get(&group) else { continue };
            if other.owner() != process.owner() || left_alone.contains(&other) {
                new.remove(&group);
            }
        }
    }
    let lower = new.into_iter().filter_map(|(group, process)| Some((group, of(process)?.1))).collect();
    Plan { lower, restore }
}

/// Lowers groups that have these priorities.
pub(super) fn lower(groups: &BTreeMap<Group, i32>) {
    change(groups, |priority| (priority, lowered(priority)));
}

/// Gives groups these priorities back; one that somebody has changed since is left alone.
pub(super) fn restore(groups: &BTreeMap<Group, i32>) {
    change(groups, |priority| (lowered(priority), priority));
}

/// Through any process that is in it: a group has no other handle.
fn change(groups: &BTreeMap<Group, i32>, step: impl Fn(i32) -> (i32, i32)) {
    if groups.is_empty() {
        return;
    }
    let mut done = BTreeSet::new();
    for (process, group) in everything() {
        let Some(priority) = groups.get(&group).filter(|_| !done.contains(&group)) else { continue };
        let (from, to) = step(*priority);
        match set(process, group, from, to) {
            Ok(true) => _ = done.insert(group),
            // It is gone, or in another group by now: the next one may do.
            Ok(false) => {}
            Err(error) => tracing::debug!(process.id = process.pid, %error, "cannot set a group's priority"),
        }
    }
}

/// Sets a group's priority; false where the process is not in it any more. What is read and written is the
/// same process, however numbers are used again.
fn set(process: ProcessId, group: Group, from: i32, to: i32) -> io::Result<bool> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path(process.pid)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let Some((number, priority)) = read(&mut file) else { return Ok(false) };
    if number != group {
        return Ok(false);
    }
    if priority == from {
        file.write_all(to.to_string().as_bytes())?;
    }
    Ok(true)
}

fn are_on() -> bool {
    fs::read_to_string(SWITCH).is_ok_and(|switch| switch.trim() == "1")
}

/// Every process that is in a group, with that.
fn everything() -> impl Iterator<Item = (ProcessId, Group)> {
    let processes = proc::all().into_iter();
    processes.filter_map(|process| Some((process, of(process)?.0)))
}

/// The group that a process is in, and that group's priority.
pub(super) fn of(process: ProcessId) -> Option<(Group, i32)> {
    read(&mut File::open(path(process.pid)).ok()?)
}

fn read(file: &mut File) -> Option<(Group, i32)> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    parse(&text)
}

/// "/autogroup-25 nice 0"; empty for what is in none.
fn parse(text: &str) -> Option<(Group, i32)> {
    let (number, priority) = text.trim().strip_prefix("/autogroup-")?.split_once(" nice ")?;
    Some((number.parse().ok()?, priority.parse().ok()?))
}

fn path(pid: u32) -> String {
    format!("/proc/{pid}/autogroup")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_as_the_kernel_writes_it() {
        assert_eq!(parse("/autogroup-25 nice -5\n"), Some((25, -5)));
        assert_eq!(parse(""), None);
        assert_eq!(parse("/autogroup-x nice 0"), None);
    }
}
