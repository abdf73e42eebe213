//! The host's word that a connection is about to be agreed on anew, as for another size of the desktop: the
//! Deactivate All PDU (2.2.3.1).
//!
//! xrdp, like Windows XP, sends no more of it than its header. Some clients want it whole and end the
//! connection otherwise, among them the one in the browser; so it is completed on its way.

use bytes::{BufMut, Bytes, BytesMut};

use crate::mcs;

/// PDUTYPE_DEACTIVATEALLPDU with TS_PROTOCOL_VERSION (2.2.8.1.1.1.1), little-endian.
const PDU_TYPE: [u8; 2] = [0x16, 0];
/// The header alone: its length, its type, its source. And so much more is to follow: the share's id, the
/// length of the source's description, and that description, which is to be a zero byte.
const HEADER: usize = 6;
const REST: usize = 4 + 2 + 1;
/// The longest packet with no more than the header: TPKT, X.224, MCS with a length of two bytes.
const SHORT_MAX: usize = 4 + 3 + 8 + HEADER;

/// The whole PDU in place of a short one of the host; none for anything else.
pub(crate) fn completed(packet: &[u8], io_channel: u16) -> Option<Bytes> {
    if packet.len() > SHORT_MAX {
        return None;
    }
    let envelope = mcs::send_data(packet).ok()?;
    let header = packet.get(envelope.user_data.clone())?;
    let [_, _, kind @ .., source_low, source_high] = header else { return None };
    if envelope.channel != io_channel || header.len() != HEADER || kind != PDU_TYPE {
        return None;
    }
    let length = HEADER + REST;
    let mut whole = BytesMut::with_capacity(packet.len() + REST);
    whole.put_slice(&[packet[0], packet[1]]);
    whole.put_u16(u16::try_from(envelope.length_at + 1 + length).ok()?);
    whole.put_slice(packet.get(4..envelope.length_at)?);
    whole.put_u8(u8::try_from(length).ok()?);
    whole.put_u16_le(u16::try_from(length).ok()?);
    whole.put_slice(&PDU_TYPE);
    whole.put_slice(&[*source_low, *source_high]);
    // The id of a share that ends here: nobody asks for it any more.
    whole.put_u32_le(0);
    whole.put_u16_le(1);
    whole.put_u8(0);
    Some(whole.freeze())
}

#[cfg(test)]
mod tests {
    use ironrdp_pdu::rdp::headers::{ShareControlHeader, ShareControlPdu};

    use super::*;

    const IO: u16 = 1003;

    /// As xrdp 0.10.1 sends it.
    const SHORT: [u8; 20] =
        [3, 0, 0, 20, 2, 0xf0, 0x80, 0x68, 0, 5, 0x03, 0xeb, 0x70, 6, 6, 0, 0x16, 0, 0xea, 0x03];

    #[test]
    fn a_short_one_is_completed() {
        let long_length = [&[3, 0, 0, 21][..], &SHORT[4..13], &[0x80, 6], &SHORT[14..]].concat();
        for short in [&SHORT[..], &long_length] {
            let whole = completed(short, IO).expect("completed");
            assert_eq!(usize::from(u16::from_be_bytes([whole[2], whole[3]])), whole.len());
            let envelope = mcs::send_data(&whole).expect("an envelope");
            assert_eq!(envelope.channel, IO);
            let header: ShareControlHeader =
                ironrdp_core::decode(&whole[envelope.user_data]).expect("decodes");
            assert!(matches!(header.share_control_pdu, ShareControlPdu::ServerDeactivateAll(_)));
            assert_eq!(header.pdu_source, 0x03ea);
            assert_eq!(completed(&whole, IO), None, "what is whole passes as it is");
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        assert_eq!(completed(&SHORT, IO + 1), None);
        for at in [13, 16, 17] {
            let mut other = SHORT;
            other[at] ^= 1;
            assert_eq!(completed(&other, IO), None, "{at}");
        }
        for length in 0..SHORT.len() {
            assert_eq!(completed(&SHORT[..length], IO), None);
        }
    }
}
