//! The messages of a connection sequence, as bytes. Those of the client are the ones that
//! [MS-RDPBCGR] prints in section 4.1, those of the host the ones that xrdp 0.9.21 sends.

/// 4.1.3: Connect-Initial with the channels rdpdr, cliprdr and rdpsnd.
const CONNECT_INITIAL: &str = "\
    03 00 01 a0 02 f0 80 7f 65 82 01 94 04 01 01 04 01 01 01 01 ff 30 19 02 01 22 02 01 02 02 01 00 \
    02 01 01 02 01 00 02 01 01 02 02 ff ff 02 01 02 30 19 02 01 01 02 01 01 02 01 01 02 01 01 02 01 \
    00 02 01 01 02 02 04 20 02 01 02 30 1c 02 02 ff ff 02 02 fc 17 02 02 ff ff 02 01 01 02 01 00 02 \
    01 01 02 02 ff ff 02 01 02 04 82 01 33 00 05 00 14 7c 00 01 81 2a 00 08 00 10 00 01 c0 00 44 75 \
    63 61 81 1c 01 c0 d8 00 04 00 08 00 00 05 00 04 01 ca 03 aa 09 04 00 00 ce 0e 00 00 45 00 4c 00 \
    54 00 4f 00 4e 00 53 00 2d 00 44 00 45 00 56 00 32 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00 \
    00 00 00 00 0c 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 \
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 \
    00 00 00 00 00 00 00 00 01 ca 01 00 00 00 00 00 18 00 07 00 01 00 36 00 39 00 37 00 31 00 32 00 \
    2d 00 37 00 38 00 33 00 2d 00 30 00 33 00 35 00 37 00 39 00 37 00 34 00 2d 00 34 00 32 00 37 00 \
    31 00 34 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 04 c0 0c 00 \
    0d 00 00 00 00 00 00 00 02 c0 0c 00 1b 00 00 00 00 00 00 00 03 c0 2c 00 03 00 00 00 72 64 70 64 \
    72 00 00 00 00 00 80 80 63 6c 69 70 72 64 72 00 00 00 a0 c0 72 64 70 73 6e 64 00 00 00 00 00 c0";

/// xrdp's Connect-Response to it: I/O channel 1003, the others 1004 to 1006.
const CONNECT_RESPONSE: &str = "\
    03 00 00 6d 02 f0 80 7f 66 63 0a 01 00 02 01 00 30 1a 02 01 16 02 01 03 02 01 00 02 01 01 02 01 \
    00 02 01 01 02 03 00 ff f8 02 01 02 04 3f 00 05 00 14 7c 00 01 2a 14 76 0a 01 01 00 01 c0 00 4d \
    63 44 6e 80 28 01 0c 0c 00 04 00 08 00 01 00 00 00 03 0c 10 00 eb 03 03 00 ec 03 ed 03 ee 03 00 \
    00 02 0c 0c 00 00 00 00 00 00 00 00 00";

/// 4.1.5: Erect Domain Request; nobody answers it.
const ERECT_DOMAIN: &str = "03 00 00 0c 02 f0 80 04 01 00 01 00";
/// 4.1.6: Attach User Request.
const ATTACH_USER: &str = "03 00 00 08 02 f0 80 28";
/// 4.1.7: Attach User Confirm for user 1007.
const ATTACH_USER_CONFIRM: &str = "03 00 00 0b 02 f0 80 2e 00 00 06";

/// The info packet of 4.1.10 without its extended part: domain NTDEV, user eltons, no password, no
/// program, in Unicode and for automatic logon.
const INFO_PACKET: &str = "\
    09 04 09 04 b3 43 00 00 0a 00 0c 00 00 00 00 00 00 00 \
    4e 00 54 00 44 00 45 00 56 00 00 00 65 00 6c 00 74 00 6f 00 6e 00 73 00 00 00 00 00 00 00 00 00";

/// The channels that a client joins: its own, I/O, and the three it asked for.
const JOINED: [u16; 5] = [1007, 1003, 1004, 1005, 1006];

/// The logon that tickets carry and the host expects: what the gateway must put in place of the
/// client's.
pub const LOGON_NAME: &str = "bench~s1";
/// See [`LOGON_NAME`].
pub const LOGON_SECRET: &str = "once";

/// The security header of a Client Info (SEC_INFO_PKT).
const INFO_FLAGS: [u8; 4] = [0x40, 0, 0, 0];

/// One step of a client's connection sequence: what it sends, and whether it waits for an answer.
pub struct Step {
    pub send: Vec<u8>,
    pub answered: bool,
}

/// The whole sequence from Connect-Initial to Client Info.
pub fn client_steps() -> Vec<Step> {
    let step = |text: &str, answered| Step { send: hex(text), answered };
    let mut steps = vec![step(CONNECT_INITIAL, true), step(ERECT_DOMAIN, false), step(ATTACH_USER, true)];
    steps.extend(JOINED.map(|channel| Step { send: join_request(channel), answered: true }));
    steps.push(Step { send: client_info(), answered: false });
    steps
}

/// 4.1.8: Channel Join Request of user 1007.
fn join_request(channel: u16) -> Vec<u8> {
    [&[3, 0, 0, 12, 2, 0xf0, 0x80, 0x38, 0, 6][..], &channel.to_be_bytes()].concat()
}

/// 4.1.10, over TLS: no encryption of its own.
fn client_info() -> Vec<u8> {
    let data = [&INFO_FLAGS[..], &hex(INFO_PACKET)].concat();
    let inside = u8::try_from(data.len()).expect("under 128 bytes");
    let whole = 14 + inside;
    [&[3, 0, 0, whole, 2, 0xf0, 0x80, 0x64, 0, 6, 0x03, 0xeb, 0x70, inside][..], &data].concat()
}

/// What a host does about a client's message.
#[derive(Debug, PartialEq, Eq)]
pub enum HostStep {
    /// Answers.
    Answer(Vec<u8>),
    /// Takes it in.
    Nothing,
    /// The client has logged on with this name and this secret.
    LoggedOn { name: String, secret: String },
    /// It is none of the sequence.
    Unknown,
}

/// The host's part for one whole message of the client.
pub fn host_step(message: &[u8]) -> HostStep {
    match message {
        [3, _, _, _, 2, 0xf0, 0x80, 0x7f, 0x65, ..] => HostStep::Answer(hex(CONNECT_RESPONSE)),
        [3, _, _, _, 2, 0xf0, 0x80, choice, rest @ ..] => match (choice >> 2, rest) {
            (1, _) => HostStep::Nothing,
            (10, _) => HostStep::Answer(hex(ATTACH_USER_CONFIRM)),
            (14, &[user_high, user_low, high, low]) => HostStep::Answer(vec![
                3, 0, 0, 15, 2, 0xf0, 0x80, 0x3e, 0, user_high, user_low, high, low, high, low,
            ]),
            (25, _) => logon(message).unwrap_or(HostStep::Unknown),
            _ => HostStep::Unknown,
        },
        _ => HostStep::Unknown,
    }
}

/// Reads name and password of a Client Info in Unicode (2.2.1.11.1.1).
fn logon(message: &[u8]) -> Option<HostStep> {
    let at = message.windows(4).position(|window| window == INFO_FLAGS)? + INFO_FLAGS.len();
    let packet = &message[at..];
    let length = |index: usize| {
        let field = packet.get(8 + 2 * index..10 + 2 * index)?;
        Some(usize::from(u16::from_le_bytes([field[0], field[1]])))
    };
    let (domain, name, secret) = (length(0)?, length(1)?, length(2)?);
    // Behind each string stand two bytes of zero that its length does not count.
    let name_at = 18 + domain + 2;
    let secret_at = name_at + name + 2;
    Some(HostStep::LoggedOn {
        name: utf16(packet.get(name_at..name_at + name)?),
        secret: utf16(packet.get(secret_at..secret_at + secret)?),
    })
}

fn utf16(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    String::from_utf16_lossy(&units.iter().map(|unit| u16::from_le_bytes(*unit)).collect::<Vec<_>>())
}

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).expect("the constants are hexadecimal"))
        .collect()
}

#[cfg(test)]
mod tests {
    use oriel_rdp::{
        channel::ChannelPolicy,
        connection_sequence::{ConnectionSettings, Logon, Rewriter, StartProgram},
        x224::SecurityProtocols,
    };

    use super::*;

    #[test]
    fn the_sequence_passes_the_rewriter_and_the_logon_arrives() {
        let mut rewriter = Rewriter::new(ConnectionSettings {
            logon: Logon {
                user: LOGON_NAME.into(),
                domain: String::new(),
                password: LOGON_SECRET.to_owned().into(),
            },
            program: StartProgram::default(),
            client_name: Some("bench".into()),
            client_address: None,
            keyboard_layout: Some(0x407),
            selected_protocol: SecurityProtocols::SSL,
            client_requested_protocols: Some(SecurityProtocols::SSL),
            force_32_bpp: true,
            quality: None,
            channels: ChannelPolicy::default(),
        })
        .unwrap();
        let mut logged_on = None;
        for step in client_steps() {
            let message = rewriter.client_frame(step.send.into()).unwrap();
            match host_step(&message) {
                HostStep::Answer(answer) => {
                    assert!(step.answered);
                    rewriter.host_frame(answer.into()).unwrap();
                }
                HostStep::Nothing => assert!(!step.answered),
                HostStep::LoggedOn { name, secret } => logged_on = Some((name, secret)),
                HostStep::Unknown => panic!("{message:x?}"),
            }
        }
        assert!(rewriter.is_done());
        assert_eq!(logged_on, Some((LOGON_NAME.into(), LOGON_SECRET.into())));
    }

    #[test]
    fn what_is_none_of_the_sequence_is_said_to_be_so() {
        for message in [&b"GET / HTTP/1.1"[..], &[], &[3, 0, 0, 8, 2, 0xf0, 0x80, 0x64], &[0, 4, 1, 2]] {
            assert_eq!(host_step(message), HostStep::Unknown);
        }
    }
}
