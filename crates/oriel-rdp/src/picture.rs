//! Tells the host's first picture from what comes before it: pointers, palettes, frame markers, sounds. Sans
//! decoding: whether a message draws is in its first bytes.
//!
//! Three kinds of update draw: orders, bitmaps and surface commands; each comes as fast-path output or, the
//! first two, on the slow path. What is compressed is judged by its kind alone, and what is fragmented by its
//! beginning. Pictures of the graphics pipeline ([MS-RDPEGFX]) are not looked for: no client of the farm asks for them.

use crate::frame::{FrameKind, Phase, frame_kind};
use crate::mcs::{self, Carried};
use crate::read::{Malformed, Reader};

/// updateCode (2.2.9.1.2.1): FASTPATH_UPDATETYPE_ORDERS, _BITMAP, _SURFCMDS.
const FAST_ORDERS: u8 = 0;
const FAST_BITMAP: u8 = 1;
const FAST_SURFACE: u8 = 4;
/// updateType (2.2.9.1.1.3.1): UPDATETYPE_ORDERS, _BITMAP.
const SLOW_ORDERS: u16 = 0;
const SLOW_BITMAP: u16 = 1;
/// PDUTYPE_DATAPDU (2.2.8.1.1.1.1) and PDUTYPE2_UPDATE (2.2.8.1.1.1.2).
const PDU_TYPE_DATA: u16 = 7;
const UPDATE: u8 = 2;
/// CMDTYPE_FRAME_MARKER (2.2.9.2.3), and the rest of such a command: an action and a number.
const FRAME_MARKER: u16 = 4;
const FRAME_MARKER_REST: usize = 2 + 4;
/// The low bits of an order's controlFlags: a primary one, which draws ([MS-RDPEGDI] 2.2.2.2.1.1.2); a secondary
/// one (2.2.2.2.1.2.1.1), which fills caches, and how many bytes more than its orderLength says it has.
const PRIMARY: u8 = 0b01;
const SECONDARY: u8 = 0b11;
const SECONDARY_EXTRA: i16 = 13;
/// Secondary orders that are stepped over: hosts fill caches by the dozen.
const ORDERS_MAX: u16 = 256;

/// Whether a whole message of the host draws something. `io_channel` is what
/// [`crate::channel::ChannelFilter::io_channel`] says.
pub fn is_picture(frame: &[u8], io_channel: u16) -> bool {
    let Some(&first) = frame.first() else { return false };
    match frame_kind(first, Phase::Rdp) {
        Some(FrameKind::FastPath) => fast_path(frame).unwrap_or(false),
        Some(FrameKind::Tpkt) if mcs::carried(frame) == Carried::Channel(io_channel) => {
            slow_path(frame).unwrap_or(false)
        }
        _ => false,
    }
}

/// Several updates may stand in one message (2.2.9.1.2).
fn fast_path(frame: &[u8]) -> Result<bool, Malformed> {
    let mut reader = Reader::new(frame);
    reader.u8()?;
    if reader.u8()? & 0x80 != 0 {
        reader.u8()?;
    }
    while reader.remaining() > 0 {
        let header = reader.u8()?;
        let is_compressed = header >> 6 & 0b10 != 0;
        if is_compressed {
            reader.u8()?;
        }
        let size = reader.u16_le()?;
        let data = reader.take(size.into())?;
        // 0 is a whole one, 2 the first of several.
        let is_beginning = matches!(header >> 4 & 0b11, 0 | 2);
        let draws = match header & 0xf {
            FAST_BITMAP => true,
            FAST_ORDERS | FAST_SURFACE if is_compressed => true,
            FAST_ORDERS if is_beginning => {
                let mut reader = Reader::new(data);
                let count = reader.u16_le()?;
                orders(count, &mut reader).unwrap_or(false)
            }
            FAST_SURFACE if is_beginning => surface_commands(data).unwrap_or(false),
            _ => false,
        };
        if draws {
            return Ok(true);
        }
    }
    Ok(false)
}

fn slow_path(frame: &[u8]) -> Result<bool, Malformed> {
    let envelope = mcs::send_data(frame)?;
    let mut reader = Reader::new(&frame[envelope.user_data]);
    reader.u16_le()?; // total length
    let pdu_type = reader.u16_le()? & 0xf;
    reader.take(2 + 4 + 1 + 1 + 2)?; // source, share id, padding, stream, uncompressed length
    if pdu_type != PDU_TYPE_DATA || reader.u8()? != UPDATE {
        return Ok(false);
    }
    let is_compressed = reader.u8()? & 0x20 != 0;
    reader.u16_le()?; // compressed length
    if is_compressed {
        return Ok(true);
    }
    match reader.u16_le()? {
        SLOW_BITMAP => Ok(true),
        SLOW_ORDERS => {
            reader.u16_le()?; // padding
            let count = reader.u16_le()?;
            reader.u16_le()?; // padding
            orders(count, &mut reader)
        }
        _ => Ok(false),
    }
}

/// Whether one of the orders draws, as far as they can be told apart: the length of an alternate secondary
/// one depends on its kind, so there it ends.
fn orders(count: u16, reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    for _ in 0..count.min(ORDERS_MAX) {
        match reader.u8()? & 0b11 {
            PRIMARY => return Ok(true),
            SECONDARY => {
                let length = reader.u16_le()?.cast_signed().checked_add(SECONDARY_EXTRA);
                // Its first three bytes are read already.
                let rest = length.and_then(|length| usize::try_from(length - 3).ok());
                reader.take(rest.ok_or(Malformed("an order has no length"))?)?;
            }
            _ => return Ok(false),
        }
    }
    Ok(false)
}

fn surface_commands(data: &[u8]) -> Result<bool, Malformed> {
    let mut reader = Reader::new(data);
    while reader.remaining() > 0 {
        if reader.u16_le()? != FRAME_MARKER {
            return Ok(true);
        }
        reader.take(FRAME_MARKER_REST)?;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IO: u16 = 1003;

    /// A fast-path message with one update.
    fn fast(header: u8, data: &[u8]) -> Vec<u8> {
        let size = u16::try_from(data.len()).unwrap();
        let compression: &[u8] = if header >> 6 == 0b10 { &[0x61] } else { &[] };
        let length = (3 + 1 + compression.len() + 2 + data.len()) as u16 | 0x8000;
        [&[0], &length.to_be_bytes()[..], &[header], compression, &size.to_le_bytes(), data].concat()
    }

    /// A slow-path data PDU.
    fn slow(channel: u16, kind: u8, data: &[u8]) -> Vec<u8> {
        let total = u8::try_from(18 + data.len()).unwrap();
        let [high, low] = channel.to_be_bytes();
        let head = [3, 0, 0, 14 + total, 2, 0xf0, 0x80, 0x68, 0, 1, high, low, 0x70, total];
        let share = [total, 0, 0x17, 0, 0xea, 3, 0xea, 3, 1, 0, 0, 1, 0, 0, kind, 0, 0, 0];
        [&head[..], &share, data].concat()
    }

    const MARKER: [u8; 8] = [4, 0, 0, 0, 7, 0, 0, 0];
    /// Cache Bitmap, secondary: seven bytes in all, so an orderLength of -6.
    const CACHE: [u8; 7] = [0x03, 0xfa, 0xff, 0, 0, 0, 4];

    #[test]
    fn what_draws_is_a_picture() {
        let bits = [&MARKER[..], &[1, 0, 9, 9]].concat();
        let drawing = [&[2, 0][..], &CACHE, &[0x09, 1]].concat();
        for (what, frame) in [
            ("bitmap", fast(1, &[1, 0, 0])),
            ("the first part of a bitmap", fast(0x21, &[1, 0, 0])),
            ("surface bits behind a frame's beginning", fast(4, &bits)),
            ("compressed surface commands", fast(0x84, &[1, 2, 3])),
            ("an order that draws behind one that does not", fast(0, &drawing)),
            ("a pointer, then a bitmap", {
                let mut frame = fast(5, &[]);
                frame.extend([1, 2, 0, 9, 9]);
                frame[2] += 5;
                frame
            }),
            ("slow-path bitmap", slow(IO, 2, &[1, 0, 1, 0])),
            ("slow-path order", slow(IO, 2, &[0, 0, 0, 0, 1, 0, 0, 0, 0x09, 1])),
        ] {
            assert!(is_picture(&frame, IO), "{what}");
        }
    }

    #[test]
    fn what_comes_before_is_none() {
        let caches = [&[1, 0][..], &CACHE].concat();
        for (what, frame) in [
            ("nothing", Vec::new()),
            ("synchronize", fast(3, &[])),
            ("palette", fast(2, &[2, 0, 0, 0])),
            ("pointer", fast(9, &[0; 40])),
            ("a frame's beginning alone", fast(4, &MARKER)),
            ("caches alone", fast(0, &caches)),
            ("slow-path caches alone", slow(IO, 2, &[&[0, 0, 0, 0, 1, 0, 0, 0][..], &CACHE].concat())),
            ("the rest of orders", fast(0x10, &[1, 0, 0x09, 1])),
            ("no orders", fast(0, &[0, 0])),
            ("frame of the alternate kind", fast(0, &[1, 0, 0x36, 0, 0, 0, 0])),
            ("control", slow(IO, 0x14, &[4, 0, 0, 0, 0, 0, 0, 0])),
            ("slow-path synchronize", slow(IO, 2, &[3, 0, 0, 0])),
            ("a bitmap's look on a virtual channel", slow(1004, 2, &[1, 0, 1, 0])),
            ("a cut bitmap", fast(1, &[1, 0, 0])[..6].to_vec()),
        ] {
            assert!(!is_picture(&frame, IO), "{what}");
        }
    }

    #[test]
    fn an_independent_encoder_s_updates_are_told_apart() {
        use ironrdp_core::encode_vec;
        use ironrdp_pdu::fast_path::{
            EncryptionFlags, FastPathHeader, FastPathUpdatePdu, Fragmentation, UpdateCode,
        };
        for (code, expected) in [
            (UpdateCode::Bitmap, true),
            (UpdateCode::Synchronize, false),
            (UpdateCode::Palette, false),
            (UpdateCode::HiddenPointer, false),
        ] {
            let data = [1, 0, 1, 0];
            let update = FastPathUpdatePdu {
                fragmentation: Fragmentation::Single,
                update_code: code,
                compression_flags: None,
                compression_type: None,
                data: &data,
            };
            let update = encode_vec(&update).unwrap();
            let header = FastPathHeader::new(EncryptionFlags::empty(), update.len());
            let frame = [encode_vec(&header).unwrap(), update].concat();
            assert_eq!(is_picture(&frame, IO), expected, "{code:?}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(first: u8, rest in proptest::collection::vec(any::<u8>(), 0..200)) {
            let frame = [&[first][..], &rest].concat();
            is_picture(&frame, IO);
            let _ = orders(first.into(), &mut Reader::new(&rest));
            let _ = surface_commands(&rest);
            let _ = fast_path(&frame);
            let _ = slow_path(&frame);
        }
    }
}
