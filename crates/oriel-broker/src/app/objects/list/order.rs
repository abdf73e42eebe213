//! The order of a list, and the cursor: where in the order a page ended. A cursor carries the sort keys
//! and the id of the last object, so it stays right while others come and go, even when that very object
//! is gone.

use std::cmp::Ordering;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oriel_model::validate::fold;
use serde::{Deserialize, Serialize};

use super::{ListError, Place, Shape, looked::Leaf};

/// Sort keys of one order at most.
const KEYS_MAX: usize = 4;
/// Characters of a text that count in an order: what a table shows of it.
const TEXT_MAX: usize = 100;
/// Longest cursor that is read, in bytes: the keys in full, in base64.
const CURSOR_MAX: usize = 16 * 1024;

/// How a list is sorted.
#[derive(Debug, Default)]
pub struct Order {
    /// As it was asked for.
    text: String,
    /// Paths, and whether the largest comes first. Empty: the list's own order.
    paths: Vec<(String, bool)>,
}

/// The value of one object for one path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Has none, which comes first.
    None(()),
    /// False before true.
    Bool(bool),
    /// By size.
    Number(f64),
    /// By the alphabet, upper and lower case alike.
    Text(String),
}

/// Where a page ended.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The order it belongs to.
    #[serde(rename = "s")]
    sort: String,
    /// The last object's sort keys.
    #[serde(rename = "k")]
    keys: Vec<Key>,
    /// Its place in the list's own order, which decides between equals.
    #[serde(rename = "p")]
    pub place: String,
}

impl Order {
    /// Reads an order; an error names the path that is wrong. `own` is the list's own order.
    pub fn read(text: &str, own: &str, shape: &Shape) -> Result<Self, ListError> {
        let text = text.trim();
        if text.is_empty() || text == own {
            return Ok(Self::default());
        }
        let mut paths = Vec::new();
        for path in text.split(',').map(str::trim) {
            let (path, descending) = path.strip_prefix('-').map_or((path, false), |path| (path, true));
            let nature = shape.nature("sort", path)?;
            if nature.has_fields || nature.is_list {
                return Err(ListError::new(
                    "sort",
                    format!("\"{path}\" holds several values: a list is not sorted by it"),
                ));
            }
            paths.push((path.to_owned(), descending));
        }
        if paths.len() > KEYS_MAX {
            return Err(ListError::new("sort", format!("names more than {KEYS_MAX} fields")));
        }
        Ok(Self { text: text.to_owned(), paths })
    }

    /// Whether it is the list's own order.
    pub fn is_own(&self) -> bool {
        self.paths.is_empty()
    }

    /// The paths that are looked at.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|(path, _)| path.as_str())
    }

    /// The sort keys of an object of which nothing has been looked at yet.
    pub fn no_keys(&self) -> Vec<Key> {
        vec![Key::None(()); self.paths.len()]
    }

    /// Compares two objects by their keys, and equals by their places in the list's own order.
    pub fn compare<P: Place>(&self, a: (&[Key], &P), b: (&[Key], &P)) -> Ordering {
        self.compare_keys(a.0, b.0).then_with(|| a.1.cmp(b.1))
    }

    /// Whether an object comes after the cursor.
    pub fn is_after(&self, keys: &[Key], place: &impl Place, cursor: &Cursor) -> bool {
        let ordering = self.compare_keys(keys, &cursor.keys);
        ordering.then_with(|| (*place.text()).cmp(&*cursor.place)) == Ordering::Greater
    }

    fn compare_keys(&self, a: &[Key], b: &[Key]) -> Ordering {
        for ((a, b), (_, descending)) in a.iter().zip(b).zip(&self.paths) {
            let ordering = a.compare(b);
            if ordering != Ordering::Equal {
                return if *descending { ordering.reverse() } else { ordering };
            }
        }
        Ordering::Equal
    }

    /// The cursor behind an object.
    pub fn cursor(&self, keys: Vec<Key>, place: &impl Place) -> String {
        let cursor = Cursor { sort: self.text.clone(), keys, place: place.text().into_owned() };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).expect("keys are plain values"))
    }

    /// Reads a cursor that this order has given.
    pub fn read_cursor(&self, text: &str) -> Result<Cursor, ListError> {
        let wrong = || ListError::new("after", "is not what an earlier page gave as \"next\"".into());
        if text.len() > CURSOR_MAX {
            return Err(wrong());
        }
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        let cursor: Cursor = serde_json::from_slice(&json).map_err(|_| wrong())?;
        if cursor.sort != self.text || cursor.keys.len() != self.paths.len() {
            return Err(ListError::new("after", "belongs to a list in another order; begin again".into()));
        }
        Ok(cursor)
    }
}

impl Key {
    /// The key that a value makes.
    pub fn of(value: &Leaf<'_>) -> Self {
        match value {
            Leaf::Null => Key::None(()),
            Leaf::Bool(value) => Key::Bool(*value),
            Leaf::Number(number) => Key::Number(number.as_f64().unwrap_or_default()),
            Leaf::Text(text) => {
                let mut text = fold(text);
                if let Some((end, _)) = text.char_indices().nth(TEXT_MAX) {
                    text.truncate(end);
                }
                Key::Text(text)
            }
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Key::None(()) => 0,
            Key::Bool(_) => 1,
            Key::Number(_) => 2,
            Key::Text(_) => 3,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Key::Bool(a), Key::Bool(b)) => a.cmp(b),
            (Key::Number(a), Key::Number(b)) => a.total_cmp(b),
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}
