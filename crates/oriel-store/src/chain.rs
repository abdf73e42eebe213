//! The chain of the log: every entry carries a SHA-256 over itself and the hash of the entry before, so that
//! an entry that is edited, removed or put in between shows. An adapter hands over the columns of an entry and
//! of its change as they lie in the database; what they mean does not matter here.
//!
//! What the chain cannot show is that somebody wrote the whole log anew. Against that, keep a hash elsewhere:
//! `oriel log verify` prints the newest, and a syslog server gets each.

use ring::digest::{Context, SHA256};
use schemars::JsonSchema;
use serde::Serialize;

/// Entries checked in one step at most.
pub const CHECKED_MAX: usize = 5_000;

/// What the first entry of a log follows.
pub(crate) const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Names of the details of `log.dropped` by which the chain goes on.
pub(crate) const THROUGH: &str = "through";
pub(crate) const HASH: &str = "hash";

/// The hash of an entry with these columns after one with the hash `previous`, and the bytes that it covers.
pub(crate) fn hash(previous: &str, columns: &[Option<String>]) -> (String, u64) {
    let mut context = Context::new(&SHA256);
    let mut bytes = 0;
    let mut add = |part: &[u8]| {
        context.update(part);
        bytes += part.len() as u64;
    };
    add(previous.as_bytes());
    for column in columns {
        match column {
            // With its length before it, so that no two rows read the same.
            Some(text) => {
                add(format!("{}:", text.len()).as_bytes());
                add(text.as_bytes());
            }
            None => add(b"-"),
        }
    }
    let digest = context.finish();
    (digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(), bytes)
}

/// How far the chain was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The first entry.
    pub first: u64,
    /// The last entry that was looked at.
    pub through: u64,
    /// Its hash.
    pub hash: String,
    /// What is wrong after it; none: nothing so far.
    pub fault: Option<ChainFault>,
    /// Whether this was the end of the log, or of what can be followed.
    pub is_end: bool,
}

/// What is wrong with the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChainFault {
    /// The entry.
    pub number: u64,
    /// What, as a sentence.
    pub what: String,
}

/// An entry as far as the chain looks at it.
pub(crate) struct Link {
    pub number: u64,
    pub hash: String,
    /// All columns that are hashed.
    pub columns: Vec<Option<String>>,
    /// The change that it tells of, and whether that is there.
    pub change: Option<(u64, bool)>,
}

impl Checked {
    /// Before the first entry: after entry `through`, which had this hash.
    pub(crate) fn before(through: u64, hash: String) -> Self {
        Self { first: through + 1, through, hash, fault: None, is_end: false }
    }

    /// Follows the chain over one entry; false: it does not hold.
    pub(crate) fn follow(&mut self, link: &Link) -> bool {
        let expected = self.through + 1;
        let fault = if link.number != expected {
            let last = link.number - 1;
            Some((
                expected,
                match last == expected {
                    true => format!("Entry {expected} is missing."),
                    false => format!("Entries {expected} to {last} are missing."),
                },
            ))
        } else if let Some((change, false)) = link.change {
            Some((expected, format!("Change {change}, which entry {expected} tells of, is missing.")))
        } else if hash(&self.hash, &link.columns).0 != link.hash {
            Some((
                expected,
                format!("Entry {expected} is not what was written, or the one before it is not."),
            ))
        } else {
            None
        };
        if let Some((number, what)) = fault {
            return self.broken(number, what);
        }
        self.through = link.number;
        self.hash.clone_from(&link.hash);
        true
    }

    /// The end of what was read: it must be the end of what was written.
    pub(crate) fn end(&mut self, newest: u64, hash: &str) {
        self.is_end = true;
        if self.through != newest {
            let next = self.through + 1;
            self.broken(next, format!("The newest entries are missing: those from {next} to {newest}."));
        } else if self.hash != hash {
            let what = format!("Entry {newest} is not the one that was written last.");
            self.broken(newest, what);
        }
    }

    pub(crate) fn broken(&mut self, number: u64, what: String) -> bool {
        self.is_end = true;
        self.fault = Some(ChainFault { number, what });
        false
    }
}

/// What the log shall hold at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Entries from before this go.
    pub since: jiff::Timestamp,
    /// When the log is larger than this, in bytes, the oldest go.
    pub bytes_max: u64,
}

/// What was dropped from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The first entry that was dropped.
    pub first: u64,
    /// The last.
    pub through: u64,
    /// Whether there may be more to drop: so much is not dropped in one step.
    pub is_more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_have_the_same_hash() {
        let text = |text: &str| Some(text.to_owned());
        let rows = [vec![text("ab"), text("c")], vec![text("a"), text("bc")], vec![text("abc")], vec![None]];
        let mut hashes: Vec<_> = rows.iter().map(|row| hash(BEGINNING, row).0).collect();
        hashes.push(hash(&hashes[0], &rows[0]).0);
        let count = hashes.len();
        hashes.sort();
        hashes.dedup();
        assert_eq!((hashes.len(), hashes[0].len()), (count, 64));
        // "1:a" and "-": the bytes that are hashed.
        assert_eq!(hash("", &[text("a"), None]).1, 4);
    }
}
