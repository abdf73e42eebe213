//! Messages on their way out: written together, without copying them together.

use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf, Bytes};

use crate::{
    limits::{BATCH_BYTES, BATCH_MESSAGES},
    websocket::Header,
};

/// Beyond this many messages the list's memory is given back when it is empty.
const KEPT_MESSAGES: usize = 16;

/// A queue of messages, each with a header in front or none. It is a [`Buf`] that hands them out as
/// slices for one vectored write, and remembers how far they were written.
#[derive(Default)]
pub(super) struct Batch {
    messages: VecDeque<Message>,
    remaining: usize,
}

struct Message {
    header: Option<Header>,
    payload: Bytes,
    /// Bytes of header and payload that were written.
    written: usize,
}

impl Batch {
    pub(super) fn push(&mut self, header: Option<Header>, payload: Bytes) {
        let message = Message { header, payload, written: 0 };
        let (head, body) = message.unwritten();
        let length = head.len() + body.len();
        if length > 0 {
            self.remaining += length;
            self.messages.push_back(message);
        }
    }

    /// Whether it is time to write, even if there is more.
    pub(super) fn is_full(&self) -> bool {
        self.remaining >= BATCH_BYTES || self.messages.len() >= BATCH_MESSAGES
    }

    /// Bytes that are queued, headers included.
    pub(super) fn queued(&self) -> usize {
        self.remaining
    }

    pub(super) fn is_empty(&self) -> bool {
        self.remaining == 0
    }
}

impl Message {
    fn unwritten(&self) -> (&[u8], &[u8]) {
        let header = self.header.as_ref().map_or(&[][..], Header::as_slice);
        let of_header = self.written.min(header.len());
        (&header[of_header..], &self.payload[self.written - of_header..])
    }
}

impl Buf for Batch {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        match self.messages.front().map(Message::unwritten) {
            Some(([], payload)) => payload,
            Some((header, _)) => header,
            None => &[],
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let parts = self.messages.iter().map(Message::unwritten).flat_map(|(head, body)| [head, body]);
        let mut used = 0;
        for (slice, part) in slices.iter_mut().zip(parts.filter(|part| !part.is_empty())) {
            *slice = IoSlice::new(part);
            used += 1;
        }
        used
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "more was written than there is");
        self.remaining -= count;
        while let Some(message) = self.messages.front_mut() {
            let (head, body) = message.unwritten();
            let length = head.len() + body.len();
            if count < length {
                message.written += count;
                break;
            }
            count -= length;
            self.messages.pop_front();
        }
        if self.messages.is_empty() && self.messages.capacity() > KEPT_MESSAGES {
            self.messages = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::Opcode;

    fn batch() -> (Batch, Vec<u8>) {
        let mut batch = Batch::default();
        let mut expected = Vec::new();
        for (n, length) in [5usize, 0, 300, 70_000].into_iter().enumerate() {
            let payload = Bytes::from(vec![n as u8; length]);
            let header = (n != 2).then(|| Header::new(Opcode::Binary, length));
            expected.extend_from_slice(header.as_ref().map_or(&[][..], Header::as_slice));
            expected.extend_from_slice(&payload);
            batch.push(header, payload);
        }
        (batch, expected)
    }

    #[test]
    fn it_is_written_whole_however_little_is_taken() {
        for step in [1, 2, 3, 7, 1000, 100_000] {
            let (mut batch, expected) = batch();
            assert_eq!(batch.remaining(), expected.len());
            let mut written = Vec::new();
            while !batch.is_empty() {
                let take = batch.chunk().len().min(step);
                written.extend_from_slice(&batch.chunk()[..take]);
                batch.advance(take);
            }
            assert_eq!(written, expected);
        }
    }

    #[test]
    fn the_slices_together_are_all_of_it() {
        let (mut batch, expected) = batch();
        batch.advance(3);
        let mut slices = [IoSlice::new(&[]); 16];
        let used = batch.chunks_vectored(&mut slices);
        let all: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.iter().copied()).collect();
        assert_eq!(all, expected[3..]);
        let mut few = [IoSlice::new(&[]); 2];
        assert_eq!(batch.chunks_vectored(&mut few), 2);
    }

    #[test]
    fn it_is_full_by_bytes_or_by_number_and_gives_its_memory_back() {
        let mut batch = Batch::default();
        batch.push(None, Bytes::from(vec![0; BATCH_BYTES - 1]));
        assert!(!batch.is_full());
        batch.push(None, Bytes::from_static(b"x"));
        assert!(batch.is_full());
        batch.advance(BATCH_BYTES);
        for _ in 0..BATCH_MESSAGES {
            assert!(!batch.is_full());
            batch.push(None, Bytes::from_static(b"x"));
        }
        assert!(batch.is_full());
        batch.advance(BATCH_MESSAGES);
        assert_eq!(batch.messages.capacity(), 0);
    }
}
