//! A sorted map of which copies are cheap: a copy shares what neither of the two has changed since.
//!
//! For what is read all the time and replaced whole with every change, such as the settings in memory: a
//! change of one entry among ten thousand costs the copy of one chunk, not of the map.

use std::{borrow::Borrow, fmt, sync::Arc};

/// Entries of one chunk at most. A change copies a chunk and the list of chunks, which for some ten thousand
/// entries are about as long.
const CHUNK_MAX: usize = 128;

/// A sorted map of which copies are cheap.
#[derive(Clone)]
pub struct SortedMap<K, V> {
    /// None of them is empty.
    chunks: Vec<Chunk<K, V>>,
    len: usize,
}

#[derive(Clone)]
struct Chunk<K, V> {
    /// Everything in the chunks before is smaller, and nothing in this one is, unless it is the first.
    from: K,
    entries: Arc<Vec<(K, V)>>,
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let entries = &self.chunks.get(self.chunk_of(key))?.entries;
        let at = entries.binary_search_by(|(known, _)| known.borrow().cmp(key)).ok()?;
        Some(&entries[at].1)
    }

    /// Whether there is such a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.chunks.iter().flat_map(|chunk| chunk.entries.iter()).map(|(key, value)| (key, value))
    }

    /// All values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The entries after a key, or all, in the order of their keys.
    pub fn after<'a, Q: Ord + ?Sized>(
        &'a self,
        key: Option<&Q>,
    ) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V, Q>
    where
        K: Borrow<Q>,
    {
        let first = key.map_or(0, |key| self.chunk_of(key));
        let skipped = match (key, self.chunks.get(first)) {
            (Some(key), Some(chunk)) => chunk.entries.partition_point(|(known, _)| known.borrow() <= key),
            _ => 0,
        };
        let chunks = self.chunks.get(first..).unwrap_or_default();
        let entries = chunks.iter().flat_map(|chunk| chunk.entries.iter());
        entries.skip(skipped).map(|(key, value)| (key, value))
    }

    /// Where a key is, if it is anywhere; the end of an empty map.
    fn chunk_of<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        self.chunks.partition_point(|chunk| chunk.from.borrow() <= key).saturating_sub(1)
    }
}

impl<K: Ord + Clone, V: Clone> SortedMap<K, V> {
    /// Adds an entry; gives the value that the key had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let number = self.chunk_of(&key);
        let is_last = number + 1 >= self.chunks.len();
        let Some(chunk) = self.chunks.get_mut(number) else {
            self.chunks.push(Chunk { from: key.clone(), entries: Arc::new(vec![(key, value)]) });
            self.len = 1;
            return None;
        };
        let entries = Arc::make_mut(&mut chunk.entries);
        let at = match entries.binary_search_by(|(known, _)| known.cmp(&key)) {
            Ok(at) => return Some(std::mem::replace(&mut entries[at].1, value)),
            Err(at) => at,
        };
        entries.insert(at, (key, value));
        self.len += 1;
        if entries.len() > CHUNK_MAX {
            // What comes in its order, as new ids do, leaves full chunks behind.
            let rest = entries.split_off(if is_last && at == CHUNK_MAX { at } else { CHUNK_MAX / 2 });
            self.chunks.insert(number + 1, Chunk { from: rest[0].0.clone(), entries: Arc::new(rest) });
        }
        None
    }

    /// Takes an entry out; gives its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let number = self.chunk_of(key);
        let chunk = self.chunks.get_mut(number)?;
        let at = chunk.entries.binary_search_by(|(known, _)| known.borrow().cmp(key)).ok()?;
        self.len -= 1;
        if chunk.entries.len() == 1 {
            let (_, value) = &self.chunks.remove(number).entries[0];
            return Some(value.clone());
        }
        Some(Arc::make_mut(&mut chunk.entries).remove(at).1)
    }
}

impl<K: fmt::Debug + Ord, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Debug, Clone)]
    enum Edit {
        Put(u16, u16),
        Remove(u16),
        /// Of all from here on, so that whole chunks go.
        RemoveAfter(u16),
    }

    fn edits() -> impl Strategy<Value = Vec<Edit>> {
        // Few keys, so that many are met again.
        let key = || 0u16..700;
        vec(
            prop_oneof![
                8 => (key(), any::<u16>()).prop_map(|(key, value)| Edit::Put(key, value)),
                2 => key().prop_map(Edit::Remove),
                1 => (600u16..700).prop_map(Edit::RemoveAfter),
            ],
            0..2_000,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_agrees_with_the_standard_librarys(edits in edits(), sought in 0u16..750) {
            let (mut map, mut plain) = (SortedMap::default(), BTreeMap::new());
            let half = edits.len() / 2;
            let mut copies = None;
            for (number, edit) in edits.into_iter().enumerate() {
                if number == half {
                    copies = Some((map.clone(), plain.clone()));
                }
                match edit {
                    Edit::Put(key, value) => prop_assert_eq!(map.insert(key, value), plain.insert(key, value)),
                    Edit::Remove(key) => prop_assert_eq!(map.remove(&key), plain.remove(&key)),
                    Edit::RemoveAfter(key) => {
                        let gone: Vec<u16> = map.after(Some(&key)).map(|(key, _)| *key).collect();
                        for key in gone {
                            prop_assert_eq!(map.remove(&key), plain.remove(&key));
                        }
                    }
                }
            }
            for (map, plain) in copies.into_iter().chain([(map, plain)]) {
                prop_assert!(map.iter().eq(plain.iter()));
                prop_assert_eq!((map.len(), map.is_empty()), (plain.len(), plain.is_empty()));
                prop_assert_eq!(map.get(&sought), plain.get(&sought));
                prop_assert!(map.after(Some(&sought)).eq(plain.range(sought + 1..)));
                prop_assert!(map.after::<u16>(None).eq(plain.iter()));
                prop_assert!(map.chunks.iter().all(|chunk| (1..=CHUNK_MAX).contains(&chunk.entries.len())));
            }
        }
    }

    #[test]
    fn a_change_of_a_copy_copies_one_chunk() {
        let mut map = SortedMap::default();
        for key in 0..10 * CHUNK_MAX {
            map.insert(key, key);
        }
        assert_eq!(map.chunks.len(), 10, "what comes in its order fills chunks");
        let mut copy = map.clone();
        copy.insert(5 * CHUNK_MAX, 0);
        let shared = map.chunks.iter().zip(&copy.chunks);
        assert_eq!(shared.filter(|(a, b)| Arc::ptr_eq(&a.entries, &b.entries)).count(), 9);
        assert_eq!(
            (map.get(&(5 * CHUNK_MAX)), copy.get(&(5 * CHUNK_MAX))),
            (Some(&(5 * CHUNK_MAX)), Some(&0))
        );
    }
}
