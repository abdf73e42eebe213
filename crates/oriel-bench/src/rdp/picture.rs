//! What a host sends when it draws: fast-path messages (2.2.9.1.2) of the sizes in which xrdp sends
//! pointers, text, lists and pictures. The content is noise: nobody on the way may look at it.

/// Which sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// Twelve messages of 64 to 16,000 bytes, on average 3,041: a desktop that is worked on.
    Mixed,
    /// 16,000 bytes each, the largest that xrdp makes: a film or a scrolled picture.
    Large,
}

impl Sizes {
    /// For the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Large => "large",
        }
    }

    fn bytes(self) -> &'static [usize] {
        match self {
            Self::Mixed => &[64, 500, 4_000, 64, 1_400, 500, 16_000, 64, 4_000, 500, 1_400, 8_000],
            Self::Large => &[16_000; 4],
        }
    }

    /// One round of messages, to be sent again and again.
    pub fn messages(self) -> Vec<Vec<u8>> {
        self.bytes().iter().map(|&bytes| message(bytes)).collect()
    }
}

/// Bytes of a user's mouse move: a fast-path input message with one event (2.2.8.1.2).
pub const INPUT_BYTES: usize = 10;

/// Bytes of the host's answer to it: a small change of the picture.
pub const ECHO_BYTES: usize = 320;

/// A mouse move.
pub fn input() -> Vec<u8> {
    let mut input = vec![0x04, INPUT_BYTES as u8, 0x20];
    input.resize(INPUT_BYTES, 0x11);
    input
}

/// A fast-path output message of exactly this length, header included, with one bitmap update.
pub fn message(bytes: usize) -> Vec<u8> {
    let length = u16::try_from(bytes).expect("fast-path messages are below 32 KiB") | 0x8000;
    let mut message = vec![0];
    message.extend(length.to_be_bytes());
    // FASTPATH_UPDATETYPE_BITMAP, whole (2.2.9.1.2.1): without a picture the gateway would look for one in each.
    message.push(1);
    message.extend((u16::try_from(bytes - 6).expect("checked above")).to_le_bytes());
    // A plain multiplicative generator: enough that nothing on the way could compress it.
    let mut state = bytes as u32 | 1;
    message.extend(
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(bytes - 6),
    );
    message
}

#[cfg(test)]
mod tests {
    use oriel_rdp::frame::{Deframer, Phase};

    use super::*;

    #[test]
    fn messages_are_fast_path_of_the_wanted_length() {
        for sizes in [Sizes::Mixed, Sizes::Large] {
            let mut deframer = Deframer::new(Phase::Rdp);
            for message in sizes.messages() {
                deframer.push_slice(&message);
                assert_eq!(deframer.next_frame().unwrap().unwrap(), message);
                assert!(oriel_rdp::picture::is_picture(&message, 1003));
            }
        }
        let mixed = Sizes::Mixed.bytes();
        assert_eq!(mixed.iter().sum::<usize>() / mixed.len(), 3_041);
        let mut deframer = Deframer::new(Phase::Rdp);
        deframer.push_slice(&input());
        assert_eq!(deframer.next_frame().unwrap().unwrap().len(), INPUT_BYTES);
    }
}
