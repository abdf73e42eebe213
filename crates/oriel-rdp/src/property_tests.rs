//! Hostile input to the whole crate: random bytes, and thousands of mutations of valid sequences. Nothing
//! may panic, and whatever gets through must obey the policy.

use bytes::Bytes;
use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::channel::{ChannelFilter, ChannelPolicy};
use crate::connection_sequence::{ConnectionSettings, Logon, Party, Rewriter, StartProgram};
use crate::frame::{Deframer, Phase};
use crate::host_notice::HostNotice;
use crate::quality::Quality;
use crate::samples::*;
use crate::x224::{ConnectionConfirm, ConnectionRequest, SecurityProtocols};

const SECRET: &str = "one-time-secret";

fn settings() -> ConnectionSettings {
    ConnectionSettings {
        logon: Logon { user: "alice".into(), domain: String::new(), password: Zeroizing::new(SECRET.into()) },
        program: StartProgram { command: "xterm".into(), directory: "/".into() },
        client_name: Some("browser".into()),
        client_address: Some([192, 0, 2, 7].into()),
        keyboard_layout: Some(0x0409),
        selected_protocol: SecurityProtocols::RDP,
        client_requested_protocols: Some(SecurityProtocols::SSL),
        force_32_bpp: true,
        quality: Some(Quality::Slow),
        channels: ChannelPolicy::default(),
    }
}

/// Runs a client's and a host's messages through a rewriter until the first error.
fn run(client: &[Bytes], response: Bytes) -> (Vec<Bytes>, Option<ChannelFilter>) {
    let mut rewriter = Rewriter::new(settings()).unwrap();
    let mut sent = Vec::new();
    for (place, frame) in client.iter().enumerate() {
        let Ok(frame) = rewriter.client_frame(frame.clone()) else { break };
        sent.push(frame);
        if place == 0 && rewriter.host_frame(response.clone()).is_err() {
            break;
        }
        if rewriter.is_done() {
            break;
        }
    }
    (sent, rewriter.finish())
}

fn client_sequence() -> Vec<Bytes> {
    let mut sequence = vec![spec_connect_initial()];
    sequence.extend(spec_joins());
    sequence.push(client_info_frame(&spec_info_packet()));
    sequence
}

/// A small deterministic generator (xorshift), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit.max(1)
    }

    fn byte(&mut self) -> u8 {
        const EDGES: [u8; 8] = [0, 1, 3, 0x7f, 0x80, 0x81, 0xfe, 0xff];
        match self.below(3) {
            0 => EDGES[self.below(EDGES.len())],
            _ => u8::try_from(self.below(256)).unwrap(),
        }
    }

    fn mutate(&mut self, frame: &Bytes) -> Bytes {
        let mut bytes = frame.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.byte()),
                2 if !bytes.is_empty() => drop(bytes.remove(at)),
                3 => {
                    let copy = bytes[..at].to_vec();
                    bytes.extend(copy);
                }
                _ if !bytes.is_empty() => bytes[at] = self.byte(),
                _ => {}
            }
        }
        // Mostly with a right TPKT length, so that the parsers behind it are reached.
        if self.below(8) > 0 {
            let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            if let Some(field) = bytes.get_mut(2..4) {
                field.copy_from_slice(&length);
            }
        }
        bytes.into()
    }
}

#[test]
fn mutated_sequences_never_get_past_the_policy() {
    let mut dice = Dice(0x0123_4567_89ab_cdef);
    let valid = client_sequence();
    let (mut finished, mut refused, mut read_back) = (0, 0, 0);
    for _ in 0..20_000 {
        let mut client = valid.clone();
        let victim = dice.below(client.len() + 1);
        let mut response = spec_connect_response();
        match client.get_mut(victim) {
            Some(frame) => *frame = dice.mutate(frame),
            None => response = dice.mutate(&response),
        }
        let (sent, filter) = run(&client, response);
        // Whatever a host could read in what was sent is the policy's, not the client's.
        if let Some(Ok(blocks)) = sent.first().map(|frame| gcc_blocks(frame)) {
            let names = blocks.network.iter().flat_map(|network| &network.channels);
            assert!(names.into_iter().all(|channel| channel.name.as_bytes().starts_with(b"void")));
        }
        match filter {
            Some(filter) => {
                finished += 1;
                assert!(filter.channels().iter().all(|channel| !channel.allowed));
                let logon = sent.last().unwrap();
                if let Ok(info) = client_info(logon) {
                    read_back += 1;
                    assert_eq!((&*info.credentials.username, &*info.credentials.password), ("alice", SECRET));
                    assert_eq!((info.credentials.domain, &*info.alternate_shell), (None, "xterm"));
                    let flags = info.extra_info.optional_data.performance_flags().unwrap();
                    assert_eq!(flags.bits() & 0x1ef, 0x6f, "the host got another quality than the policy's");
                }
                let wide: Vec<u8> = SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect();
                let holds = |secret: &[u8]| logon.windows(secret.len()).any(|part| part == secret);
                assert!(
                    holds(&wide) || holds(SECRET.as_bytes()),
                    "the host got another logon than the ticket's"
                );
            }
            None => refused += 1,
        }
        for frame in client.iter().chain(&sent) {
            let _ = HostNotice::of(frame, 1003);
        }
    }
    let counts = format!("{finished} finished, {read_back} of them read back, {refused} refused");
    assert!(finished > 1000 && refused > 1000 && read_back > 1000, "{counts}");
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..5) {
        let _ = ConnectionRequest::parse(&bytes);
        let _ = ConnectionConfirm::parse(&bytes);
        let _ = HostNotice::of(&bytes, 1003);
        let mut client = client_sequence();
        client[at] = bytes.clone().into();
        run(&client, spec_connect_response());
        run(&client_sequence(), bytes.clone().into());

        // The same bytes in a right envelope.
        let length = u16::try_from(bytes.len() + 7).unwrap().to_be_bytes();
        let framed = Bytes::from([&[3, 0], &length[..], &[2, 0xf0, 0x80], &bytes].concat());
        let _ = HostNotice::of(&framed, 1003);
        client[at] = framed.clone();
        let (_, filter) = run(&client, framed.clone());
        prop_assert!(filter.is_none());
        let (_, filter) = run(&client_sequence(), spec_connect_response());
        let filter = filter.unwrap();
        filter.judge(Party::Client, &framed);
        filter.judge(Party::Host, &framed);
    }

    #[test]
    fn a_sequence_survives_any_split(cuts in proptest::collection::vec(1_usize..200, 1..20)) {
        let stream = client_sequence().concat();
        let mut deframer = Deframer::new(Phase::Rdp);
        let mut frames = Vec::new();
        let mut rest = &stream[..];
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(cut.min(rest.len()));
            deframer.push_slice(now);
            rest = later;
            while let Some(frame) = deframer.next_frame().unwrap() {
                frames.push(frame);
            }
        }
        prop_assert_eq!(&frames, &client_sequence());
        let (whole, _) = run(&client_sequence(), spec_connect_response());
        let (split, filter) = run(&frames, spec_connect_response());
        prop_assert_eq!(whole, split);
        prop_assert!(filter.is_some());
    }
}
