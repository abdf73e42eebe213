//! The log: entries written, read, followed along their chain, and dropped.

use jiff::Timestamp;
use rusqlite::{Connection, Row, ToSql, params, types::ValueRef};

use super::{
    rows::{self, Fault, Result},
    sql,
};
use crate::{
    Author, Change, ENTRIES_MAX, Entry, EntryQuery, Event, Outcome, Start, Subject, Via,
    chain::{self, CHECKED_MAX, Checked, Dropped, Link, Retention},
    entry::Code,
    transaction::to_micros,
};

/// Entries dropped in one step at most; a transaction goes whole.
const DROPPED_MAX: usize = 5_000;
/// Columns of [`sql::ENTRIES`] that are hashed, and the first of its change.
const HASHED: std::ops::Range<usize> = 1..25;
const CHANGE: usize = 11;

/// Where the log ends and begins.
struct Head {
    number: u64,
    hash: String,
    bytes: u64,
    dropped_entry: u64,
    dropped_change: u64,
}

fn head(connection: &Connection) -> Result<Head> {
    Ok(connection.prepare_cached(sql::LOG_HEAD)?.query_row([], |row| {
        Ok(Head {
            number: row.get(0)?,
            hash: row.get(1)?,
            bytes: row.get(2)?,
            dropped_entry: row.get(3)?,
            dropped_change: row.get(4)?,
        })
    })?)
}

/// The end of the log, to which entries are added within one transaction of the database.
pub(super) struct Tail<'a> {
    connection: &'a Connection,
    head: Head,
}

impl<'a> Tail<'a> {
    pub(super) fn of(connection: &'a Connection) -> Result<Self> {
        Ok(Self { connection, head: head(connection)? })
    }

    /// Adds the entry of a change that is in the database already.
    pub(super) fn change(&mut self, change: &Change) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql::CHANGE_COLUMNS)?;
        let kept = statement.query_row(params![change.sequence], |row| columns(row, 0..14))?;
        let event = Event::new(change.at, change.author.clone(), change.action.into())
            .about(Subject::object(change.kind, change.id, &change.name));
        self.add(&event, Some(change.sequence), kept)
    }

    pub(super) fn event(&mut self, event: &Event) -> Result<()> {
        self.add(event, None, vec![None; HASHED.end - CHANGE])
    }

    fn add(&mut self, event: &Event, change: Option<u64>, kept: Vec<Option<String>>) -> Result<()> {
        let number = self.head.number + 1;
        // SQLite turns the text of a number into one where the column holds numbers.
        let own = [
            Some(number.to_string()),
            Some(to_micros(event.at).as_microsecond().to_string()),
            Some(event.author.name.clone()),
            Some(event.author.via.as_str().to_owned()),
            event.author.address.map(|address| address.to_string()),
            Some(event.code.as_str().to_owned()),
            Some(event.outcome.as_str().to_owned()),
            Some(rows::to_json(&event.subjects)),
            Some(rows::to_json(&event.details)),
            change.map(|change| change.to_string()),
        ];
        let hashed: Vec<_> = own.iter().cloned().chain(kept).collect();
        let (hash, bytes) = chain::hash(&self.head.hash, &hashed);
        let mut values: Vec<&dyn ToSql> = own.iter().map(|column| column as &dyn ToSql).collect();
        values.extend([&bytes as &dyn ToSql, &hash]);
        self.connection.prepare_cached(sql::ENTRY_INSERT)?.execute(values.as_slice())?;
        for subject in &event.subjects {
            let mut statement = self.connection.prepare_cached(sql::ENTRY_SUBJECT_INSERT)?;
            statement.execute(params![subject.id.to_string(), number])?;
        }
        self.head = Head { number, hash, bytes: self.head.bytes + bytes, ..self.head };
        Ok(())
    }

    /// Keeps where the log ends now.
    pub(super) fn keep(self) -> Result<u64> {
        let Head { number, hash, bytes, dropped_entry, dropped_change } = &self.head;
        let mut statement = self.connection.prepare_cached(sql::LOG_HEAD_PUT)?;
        statement.execute(params![number, hash, bytes, dropped_entry, dropped_change])?;
        Ok(*number)
    }
}

/// Gives entries to changes from before there were any.
pub(super) fn begin(connection: &Connection) -> Result<()> {
    let mut tail = Tail::of(connection)?;
    if tail.head.number > 0 {
        return Ok(());
    }
    let mut statement = connection.prepare(sql::CHANGES_WITHOUT_ENTRY)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        tail.change(&rows::change(row, 0)?)?;
    }
    tail.keep()?;
    Ok(())
}

// ---- Reading ----

pub(super) fn entries(connection: &Connection, query: &EntryQuery) -> Result<Vec<Entry>> {
    let (after, before, order) = match query.start {
        Start::After(number) => (rows::clamp(number), i64::MAX, "ASC"),
        Start::Before(number) => (0, rows::clamp(number), "DESC"),
        Start::Newest => (0, i64::MAX, "DESC"),
    };
    // A condition that is not there lets SQLite use the index of one that is.
    let mut text = sql::ENTRIES.to_owned();
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(after), Box::new(before)];
    let mut only = |condition: &str, value: Box<dyn ToSql>| {
        values.push(value);
        text += &format!(" AND {}", condition.replace("??", &format!("?{}", values.len())));
    };
    if let Some(object) = query.object {
        let condition = "entry.number IN (SELECT entry FROM entry_subject WHERE object = ??)";
        only(condition, Box::new(object.to_string()));
    }
    if let Some(code) = &query.code {
        // From "session." to "session/": the next character after the dot.
        only(
            "(entry.code = ?? OR (entry.code > ?? || '.' AND entry.code < ?? || '/'))",
            Box::new(code.clone()),
        );
    }
    if let Some(outcome) = query.outcome {
        only("entry.outcome = ??", Box::new(outcome.as_str()));
    }
    if let Some(kind) = &query.kind {
        // A quote within a name is escaped, so none can look like this.
        only("instr(entry.subjects, ??) > 0", Box::new(format!("\"kind\":{}", rows::to_json(kind))));
    }
    if let Some(transaction) = query.transaction {
        let condition = "entry.change IN (SELECT sequence FROM change WHERE transaction_first = ??)";
        only(condition, Box::new(rows::clamp(transaction)));
    }
    if let Some(by) = &query.by {
        only("instr(lower(entry.author), ??) > 0", Box::new(by.to_ascii_lowercase()));
    }
    if let Some(via) = query.via {
        only("entry.via = ??", Box::new(via.as_str()));
    }
    if let Some(since) = query.since {
        only("entry.at >= ??", Box::new(since.as_microsecond()));
    }
    if let Some(until) = query.until {
        only("entry.at < ??", Box::new(until.as_microsecond()));
    }
    if let Some(wanted) = &query.text {
        // Details as JSON: what JSON escapes is escaped here, too.
        let escaped = rows::to_json(wanted);
        let escaped =
            escaped.trim_start_matches('"').strip_suffix('"').unwrap_or(&escaped).to_ascii_lowercase();
        let places = "lower(entry.author || ' ' || coalesce(entry.address, '') || ' ' || entry.subjects || ' ' || \
                      entry.details)";
        only(&format!("instr({places}, ??) > 0"), Box::new(escaped));
    }
    text += &format!(" ORDER BY entry.number {order} LIMIT {}", query.limit.min(ENTRIES_MAX));
    let mut statement = connection.prepare(&text)?;
    let mut found = statement.query(rusqlite::params_from_iter(values))?;
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        entries.push(entry(row)?);
    }
    Ok(entries)
}

fn entry(row: &Row) -> Result<Entry> {
    let missing = |what: &str| Fault::Unreadable(format!("an entry of the log without {what}"));
    let has_change = row.get::<_, Option<u64>>(CHANGE)?.is_some();
    Ok(Entry {
        hash: row.get(0)?,
        number: row.get(1)?,
        at: rows::time(row, 2)?,
        author: Author {
            name: row.get(3)?,
            via: rows::word(row, 4, Via::from_word)?,
            address: rows::address(row, 5)?,
        },
        code: rows::word(row, 6, Code::from_word)?,
        outcome: rows::word(row, 7, Outcome::from_word)?,
        subjects: rows::json(row, 8)?.ok_or_else(|| missing("subjects"))?,
        details: rows::json(row, 9)?.ok_or_else(|| missing("details"))?,
        change: if has_change { Some(rows::change(row, CHANGE)?) } else { None },
    })
}

/// Columns as text, as they are hashed.
fn columns(row: &Row, range: std::ops::Range<usize>) -> rusqlite::Result<Vec<Option<String>>> {
    range
        .map(|column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    Some(String::from_utf8_lossy(bytes).into_owned())
                }
            })
        })
        .collect()
}

// ---- Following the chain ----

/// Follows the chain for one step; from where the log begins when nothing was checked before.
pub(super) fn check(connection: &Connection, checked: Option<Checked>) -> Result<Checked> {
    let head = head(connection)?;
    let mut checked = match checked {
        // What was checked was dropped in the meantime: the rest goes on from what the log says of it.
        Some(checked) if checked.through >= head.dropped_entry => checked,
        earlier => {
            let mut from = beginning(connection, &head)?;
            if let Some(earlier) = earlier {
                from.first = earlier.first;
            }
            from
        }
    };
    if checked.is_end {
        return Ok(checked);
    }
    let text = format!("{} ORDER BY entry.number LIMIT {CHECKED_MAX}", sql::ENTRIES);
    let mut statement = connection.prepare_cached(&text)?;
    let mut found = statement.query(params![rows::clamp(checked.through), i64::MAX])?;
    let mut count = 0;
    while let Some(row) = found.next()? {
        count += 1;
        let change = row.get::<_, Option<u64>>(CHANGE - 1)?;
        let is_there = row.get::<_, Option<u64>>(CHANGE)?.is_some();
        let link = Link {
            hash: row.get(0)?,
            number: row.get(1)?,
            columns: columns(row, HASHED)?,
            change: change.map(|change| (change, is_there)),
        };
        if !checked.follow(&link) {
            return Ok(checked);
        }
    }
    if count < CHECKED_MAX {
        checked.end(head.number, &head.hash);
    }
    Ok(checked)
}

/// Before the first entry: after those that the log itself says were dropped.
fn beginning(connection: &Connection, head: &Head) -> Result<Checked> {
    let mut statement = connection.prepare_cached(sql::ENTRY_DROPPED)?;
    let mut found = statement.query([])?;
    let Some(row) = found.next()? else {
        let mut checked = Checked::before(0, chain::BEGINNING.to_owned());
        if head.dropped_entry > 0 {
            let what = format!(
                "Entries up to {} were dropped, and the entry that says so is missing.",
                head.dropped_entry
            );
            checked.broken(1, what);
        }
        return Ok(checked);
    };
    let details: std::collections::BTreeMap<String, String> = rows::json(row, 0)?
        .ok_or_else(|| Fault::Unreadable("an entry of the log without details".to_owned()))?;
    let through = details.get(chain::THROUGH).and_then(|number| number.parse().ok());
    let (Some(through), Some(hash)) = (through, details.get(chain::HASH)) else {
        let mut checked = Checked::before(0, chain::BEGINNING.to_owned());
        checked.broken(1, "What was dropped from the log is not said.".to_owned());
        return Ok(checked);
    };
    Ok(Checked::before(through, hash.clone()))
}

// ---- Dropping ----

/// Drops the oldest entries that are not to be kept, one step of them, and says so in the log.
pub(super) fn drop_oldest(
    connection: &Connection,
    keep: &Retention,
    at: Timestamp,
) -> Result<Option<Dropped>> {
    let mut tail = Tail::of(connection)?;
    let Some(cut) = cut(connection, &tail.head, keep)? else { return Ok(None) };
    let first = tail.head.dropped_entry + 1;
    tail.head.dropped_entry = cut.entry;
    tail.head.dropped_change = cut.change.max(tail.head.dropped_change);
    tail.head.bytes = tail.head.bytes.saturating_sub(cut.bytes);
    let event = Event::new(at, Author::system(), Code::LogDropped)
        .detail("first", first)
        .detail(chain::THROUGH, cut.entry)
        .detail(chain::HASH, &cut.hash)
        .detail("from", cut.from)
        .detail("to", cut.to)
        .detail("why", if cut.from < keep.since { "age" } else { "size" });
    tail.event(&event)?;
    let (entry, change) = (tail.head.dropped_entry, tail.head.dropped_change);
    tail.keep()?;
    // The head first: rows go only when it says that they do.
    connection.prepare_cached(sql::ENTRIES_DROP)?.execute(params![entry])?;
    connection.prepare_cached(sql::ENTRY_SUBJECTS_DROP)?.execute(params![entry])?;
    connection.prepare_cached(sql::CHANGES_DROP)?.execute(params![change])?;
    Ok(Some(Dropped { first, through: cut.entry, is_more: cut.is_more }))
}

/// Up to where the log is to be dropped.
struct Cut {
    entry: u64,
    hash: String,
    change: u64,
    bytes: u64,
    from: Timestamp,
    to: Timestamp,
    is_more: bool,
}

fn cut(connection: &Connection, head: &Head, keep: &Retention) -> Result<Option<Cut>> {
    let mut statement = connection.prepare_cached(sql::ENTRIES_OLDEST)?;
    // When it is too large, some room is made, lest every other entry drops one.
    let bytes_max = if head.bytes > keep.bytes_max { keep.bytes_max / 10 * 9 } else { u64::MAX };
    // With room for the rest of the largest transaction.
    let mut oldest = statement.query(params![DROPPED_MAX + crate::WRITES_MAX])?;
    let mut cut: Option<Cut> = None;
    // A transaction goes whole: half of one could not be taken back any more.
    let mut transaction_end = 0;
    let mut count = 0;
    while let Some(row) = oldest.next()? {
        let (at, change) = (rows::time(row, 1)?, row.get::<_, Option<u64>>(4)?);
        let dropped = cut.as_ref().map_or(0, |cut| cut.bytes);
        let is_within = change.is_some_and(|change| change <= transaction_end);
        let goes = at < keep.since || head.bytes.saturating_sub(dropped) > bytes_max;
        if !is_within && (!goes || count >= DROPPED_MAX) {
            if let Some(cut) = &mut cut {
                cut.is_more = goes;
            }
            break;
        }
        count += 1;
        if let Some(change) = change.filter(|_| !is_within) {
            let mut statement = connection.prepare_cached(sql::TRANSACTION_END)?;
            transaction_end =
                statement.query_row(params![change], |row| row.get::<_, Option<u64>>(0))?.unwrap_or(change);
        }
        cut = Some(Cut {
            entry: row.get(0)?,
            hash: row.get(3)?,
            change: change.or(cut.as_ref().map(|cut| cut.change)).unwrap_or(0),
            bytes: dropped + row.get::<_, u64>(2)?,
            from: cut.as_ref().map_or(at, |cut| cut.from.min(at)),
            to: cut.as_ref().map_or(at, |cut| cut.to.max(at)),
            is_more: false,
        });
    }
    Ok(cut)
}
