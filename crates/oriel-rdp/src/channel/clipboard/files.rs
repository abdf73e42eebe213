//! Files on a clipboard ([MS-RDPECLIP] 2.2.5.3, 2.2.5.4): who pastes asks for their sizes and pieces, each
//! question with a number of its own. An answer passes only to its question, and no longer than asked.

use std::collections::BTreeMap;

/// Questions that wait for an answer. Windows asks one after the other, FreeRDP a few at once.
const ASKED_MAX: usize = 64;

/// Files of one content whose length is counted.
const FILES_MAX: usize = 4_096;

/// Bits of dwFlags (2.2.5.3).
const SIZE: u32 = 1;
const RANGE: u32 = 2;

/// The files that one side gives.
#[derive(Debug, Default)]
pub(super) struct Files {
    asked: Vec<Asked>,
    /// How far each file of the present content was given.
    given: BTreeMap<File, u64>,
}

/// A file of what is copied: its place in the list, and which list if one is held on to.
type File = (Option<u32>, u32);

#[derive(Debug, Clone, Copy)]
struct Asked {
    stream: u32,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Size,
    Piece { file: File, at: u64, bytes: u64 },
}

impl Files {
    /// Something new is copied.
    pub(super) fn renew(&mut self) {
        self.given.clear();
    }

    /// Takes note of a question, the body of a File Contents Request; false if it is none or one too many.
    pub(super) fn ask(&mut self, body: &[u8]) -> bool {
        let mut numbers =
            body.chunks_exact(4).filter_map(<[u8]>::first_chunk).map(|n| u32::from_le_bytes(*n));
        let mut next = || numbers.next();
        let (Some(stream), Some(index), Some(flags), Some(low), Some(high), Some(bytes)) =
            (next(), next(), next(), next(), next(), next())
        else {
            return false;
        };
        let what = match flags {
            SIZE => What::Size,
            RANGE => What::Piece {
                file: (next(), index),
                at: u64::from(high) << 32 | u64::from(low),
                bytes: bytes.into(),
            },
            _ => return false,
        };
        self.asked.retain(|asked| asked.stream != stream);
        let has_room = self.asked.len() < ASKED_MAX;
        if has_room {
            self.asked.push(Asked { stream, what });
        }
        has_room
    }

    /// Whether somebody waits for an answer of this number.
    pub(super) fn is_awaited(&self, stream: u32) -> bool {
        self.asked.iter().any(|asked| asked.stream == stream)
    }

    /// Whether an answer may pass: `length` bytes, of which `beginning` is there, for content of at most
    /// `max` bytes in all its files. None: more of it is wanted.
    pub(super) fn answer(
        &mut self,
        stream: u32,
        length: u64,
        beginning: &[u8],
        max: Option<u64>,
    ) -> Option<bool> {
        let Some(place) = self.asked.iter().position(|asked| asked.stream == stream) else {
            return Some(false);
        };
        let may_pass = match self.asked[place].what {
            // A refusal has nothing in it.
            _ if length == 0 => true,
            What::Size if length != 8 => false,
            What::Size => {
                let size = u64::from_le_bytes(*beginning.first_chunk()?);
                max.is_none_or(|max| size <= max)
            }
            What::Piece { bytes, .. } if length > bytes => false,
            What::Piece { file, at, .. } => {
                max.is_none_or(|max| self.give(file, at.saturating_add(length), max))
            }
        };
        self.asked.swap_remove(place);
        Some(may_pass)
    }

    /// Counts a file as given up to its byte `end`, if that is not too much.
    fn give(&mut self, file: File, end: u64, max: u64) -> bool {
        let before = self.given.get(&file).copied().unwrap_or(0);
        let others = self.given.values().fold(0_u64, |sum, end| sum.saturating_add(*end)) - before;
        let has_room = before > 0 || self.given.len() < FILES_MAX;
        let fits = has_room && others.saturating_add(end.max(before)) <= max;
        if fits {
            self.given.insert(file, end.max(before));
        }
        fits
    }
}
