//! What the patched messages hold is read back by ironrdp-pdu, which shares no code with the patching.

use ironrdp_core::decode;
use ironrdp_pdu::gcc::{ClientClusterData, ClientColorDepth, RedirectionFlags, RedirectionVersion};
use ironrdp_pdu::mcs::ConnectResponse;
use ironrdp_pdu::nego::SecurityProtocol;
use ironrdp_pdu::rdp::client_info::ClientInfoFlags;
use ironrdp_pdu::x224::{X224, X224Data};
use proptest::prelude::*;

use super::*;
use crate::channel::{ClipboardPolicy, Direction};
use crate::samples::*;

/// Settings of a typical launch: one program, clipboard and resizing, nothing else.
fn launch() -> ConnectionSettings {
    ConnectionSettings {
        logon: Logon {
            user: "alice".into(),
            domain: "FARM".into(),
            password: Zeroizing::new("one-time-secret".into()),
        },
        program: StartProgram { command: "xterm -T window".into(), directory: "/home/alice".into() },
        client_name: Some("alice's phone, the old one".into()),
        client_address: Some("2001:db8::7".parse().unwrap()),
        keyboard_layout: Some(0x0407),
        selected_protocol: SecurityProtocols::HYBRID,
        client_requested_protocols: Some(SecurityProtocols::SSL),
        force_32_bpp: true,
        quality: None,
        channels: ChannelPolicy { clipboard: ClipboardPolicy::ALL, dynamic: true, ..Default::default() },
    }
}

/// Settings that say just what the specification's client says by itself.
fn as_in_the_specification() -> ConnectionSettings {
    ConnectionSettings {
        logon: Logon {
            user: "eltons".into(),
            domain: "NTDEV".into(),
            password: Zeroizing::new(String::new()),
        },
        program: StartProgram::default(),
        client_name: Some("ELTONS-DEV2".into()),
        client_address: Some("157.59.242.156".parse().unwrap()),
        keyboard_layout: Some(0x0409),
        selected_protocol: SecurityProtocols::RDP,
        client_requested_protocols: Some(SecurityProtocols::RDP),
        force_32_bpp: false,
        quality: None,
        channels: ChannelPolicy {
            clipboard: ClipboardPolicy::ALL,
            drives: Direction::Both,
            printers: true,
            smart_cards: true,
            ports: true,
            audio: true,
            ..Default::default()
        },
    }
}

fn rewriter(settings: ConnectionSettings) -> Rewriter {
    Rewriter::new(settings).unwrap()
}

/// A rewriter that waits for joins and the Client Info.
fn joining(settings: ConnectionSettings) -> Rewriter {
    let mut rewriter = rewriter(ConnectionSettings { selected_protocol: SecurityProtocols::RDP, ..settings });
    rewriter.client_frame(spec_connect_initial()).unwrap();
    rewriter.host_frame(spec_connect_response()).unwrap();
    rewriter
}

#[test]
fn settings_that_change_nothing_leave_every_byte() {
    let mut rewriter = rewriter(as_in_the_specification());
    let initial = spec_connect_initial();
    assert_eq!(rewriter.client_frame(initial.clone()).unwrap(), initial);
    let response = spec_connect_response();
    assert_eq!(rewriter.host_frame(response.clone()).unwrap(), response);
    for join in spec_joins() {
        assert_eq!(rewriter.client_frame(join.clone()).unwrap(), join);
    }
    // The specification's client does not log on automatically; that one bit is ours.
    let mut packet = spec_info_packet();
    let asked = client_info_frame(&packet);
    packet[4] |= 0x08;
    assert!(!rewriter.is_done());
    assert_eq!(rewriter.client_frame(asked).unwrap(), client_info_frame(&packet));
    assert!(rewriter.is_done());
    let filter = rewriter.finish().unwrap();
    let channels: Vec<_> = filter.channels().iter().map(|c| (c.name.as_str(), c.id, c.allowed)).collect();
    assert_eq!(channels, [("rdpdr", 1004, true), ("cliprdr", 1005, true), ("rdpsnd", 1006, true)]);
    assert_eq!(filter.io_channel(), 1003);
}

#[test]
fn the_core_data_says_what_the_settings_say() {
    let original = browser_connect_initial(&["cliprdr", "rdpsnd", "drdynvc", "RDPDR", "acme", "MS_T120"]);
    let patched = rewriter(launch()).client_frame(original.clone()).unwrap();
    assert_eq!(patched.len(), original.len());

    let before = gcc_blocks(&original).unwrap();
    let blocks = gcc_blocks(&patched).unwrap();
    assert_eq!(blocks.core.keyboard_layout, 0x0407);
    assert_eq!(blocks.core.client_name, "alice's phone, ");
    assert_eq!(blocks.core.client_color_depth(), ClientColorDepth::Bpp32);
    let optional = &blocks.core.optional_data;
    assert_eq!(optional.server_selected_protocol, Some(SecurityProtocol::HYBRID));
    assert_eq!(blocks.core.desktop_width, before.core.desktop_width);
    assert_eq!(optional.device_scale_factor, before.core.optional_data.device_scale_factor);
    assert_eq!(blocks.security, before.security);
    assert!(blocks.multi_transport_channel.unwrap().flags.is_empty(), "UDP would run past the gateway");

    let channels = blocks.network.unwrap().channels;
    let names: Vec<_> = channels.iter().map(|channel| channel.name.as_str().unwrap()).collect();
    assert_eq!(names, ["cliprdr", "void01", "drdynvc", "void03", "void04", "void05"]);
    assert_eq!(channels[0], before.network.unwrap().channels[0]);
    assert!(channels[1].options.is_empty());
}

#[test]
fn the_quality_is_the_policy_s_whatever_the_client_says() {
    use ironrdp_pdu::gcc::{ClientEarlyCapabilityFlags, ConnectionType};
    use ironrdp_pdu::rdp::client_info::PerformanceFlags;

    let effects = PerformanceFlags::ENABLE_FONT_SMOOTHING | PerformanceFlags::ENABLE_DESKTOP_COMPOSITION;
    let without = PerformanceFlags::DISABLE_WALLPAPER
        | PerformanceFlags::DISABLE_FULLWINDOWDRAG
        | PerformanceFlags::DISABLE_MENUANIMATIONS
        | PerformanceFlags::DISABLE_THEMING
        | PerformanceFlags::DISABLE_CURSOR_SHADOW
        | PerformanceFlags::DISABLE_CURSORSETTINGS;
    for (quality, kind, flags) in
        [(Quality::Slow, None, without), (Quality::Fast, Some(ConnectionType::Lan), effects)]
    {
        let settings = ConnectionSettings { quality: Some(quality), ..launch() };
        for asked in [ConnectionType::Modem, ConnectionType::Autodetect] {
            let mut blocks = gcc_blocks(&browser_connect_initial(&["cliprdr"])).unwrap();
            let optional = &mut blocks.core.optional_data;
            optional.connection_type = Some(asked);
            optional.early_capability_flags = Some(ClientEarlyCapabilityFlags::SUPPORT_NET_CHAR_AUTODETECT);
            let original = connect_initial(blocks);
            let patched = rewriter(settings.clone()).client_frame(original.clone()).unwrap();
            assert_eq!(patched.len(), original.len());
            let optional = gcc_blocks(&patched).unwrap().core.optional_data;
            assert_eq!(optional.connection_type, Some(kind.unwrap_or(asked)));
            let early = optional.early_capability_flags.unwrap();
            assert!(early.contains(ClientEarlyCapabilityFlags::SUPPORT_NET_CHAR_AUTODETECT));
            assert_eq!(early.contains(ClientEarlyCapabilityFlags::VALID_CONNECTION_TYPE), kind.is_some());
        }
        // All that is known, and bits that are not.
        for asked in [0_u32, 0x1ff, 0x4000_0000] {
            let mut packet = spec_info_packet();
            let at = packet.len() - 4;
            packet[at..].copy_from_slice(&asked.to_le_bytes());
            let patched = joining(settings.clone()).client_frame(client_info_frame(&packet)).unwrap();
            let kept = asked & 0x4000_0010;
            assert!(patched.ends_with(&(flags.bits() | kept).to_le_bytes()), "{asked:#x}");
            if kept & 0x4000_0000 == 0 {
                let got =
                    client_info(&patched).unwrap().extra_info.optional_data.performance_flags().unwrap();
                assert_eq!(got.bits(), flags.bits() | kept);
            }
        }
    }
}

#[test]
fn a_client_that_says_nothing_of_its_network_is_refused_where_that_is_prescribed() {
    let refusal =
        "the client's Client Info is malformed: it has no performance flags, and they are prescribed";
    let whole = spec_info_packet();
    for end in [SPEC_TAIL_AT, whole.len() - 1, whole.len() - 4, whole.len() - 180] {
        let cut = client_info_frame(&whole[..end]);
        let settings = |quality| ConnectionSettings { quality, ..launch() };
        let error = joining(settings(Some(Quality::Slow))).client_frame(cut.clone()).unwrap_err();
        assert_eq!(error.to_string(), refusal);
        joining(settings(None)).client_frame(cut).unwrap();
    }
}

#[test]
fn nothing_is_replaced_unless_it_is_set() {
    let settings = ConnectionSettings {
        client_name: None,
        client_address: None,
        keyboard_layout: None,
        selected_protocol: SecurityProtocols::SSL,
        force_32_bpp: false,
        ..launch()
    };
    let original = browser_connect_initial(&["cliprdr", "drdynvc"]);
    let patched = gcc_blocks(&rewriter(settings.clone()).client_frame(original.clone()).unwrap()).unwrap();
    assert_eq!(patched.core, gcc_blocks(&original).unwrap().core);

    let patched = client_info(&joining(settings).client_frame(browser_client_info(true)).unwrap()).unwrap();
    assert_eq!(patched.extra_info.address, "192.0.2.1");
}

#[test]
fn the_client_finds_its_own_protocols_in_the_answer() {
    let mut rewriter = rewriter(launch());
    rewriter.client_frame(browser_connect_initial(&["a", "b", "c"])).unwrap();
    let patched = rewriter.host_frame(spec_connect_response()).unwrap();
    let data = decode::<X224<X224Data<'_>>>(&patched).unwrap().0.data;
    let response = decode::<ConnectResponse>(&data).unwrap();
    let core = &response.conference_create_response.gcc_blocks().core;
    assert_eq!(core.optional_data.client_requested_protocols, Some(SecurityProtocol::SSL));
}

#[test]
fn the_logon_and_the_program_are_the_ticket_s() {
    for unicode in [true, false] {
        let mut rewriter = joining(launch());
        let patched = client_info(&rewriter.client_frame(browser_client_info(unicode)).unwrap()).unwrap();
        assert_eq!(patched.credentials.username, "alice");
        assert_eq!(patched.credentials.domain.as_deref(), Some("FARM"));
        assert_eq!(patched.credentials.password, "one-time-secret");
        assert_eq!(patched.work_dir, "/home/alice");
        assert_eq!(patched.extra_info.address, "2001:db8::7");
        assert_eq!(patched.extra_info.address_family.as_u16(), 0x17);
        assert_eq!(patched.extra_info.dir, "C:\\Windows");
        assert!(patched.flags.contains(ClientInfoFlags::AUTOLOGON | ClientInfoFlags::NO_AUDIO_PLAYBACK));
        assert!(!patched.flags.contains(ClientInfoFlags::AUDIO_CAPTURE));
        assert_eq!(patched.alternate_shell, "xterm -T window");
        assert!(rewriter.is_done());
        // What comes later is the relay's.
        let later = Bytes::from_static(&[0x44, 4, 0, 0x1e]);
        assert_eq!(rewriter.client_frame(later.clone()).unwrap().as_ptr(), later.as_ptr());
    }
}

#[test]
fn allowed_sound_and_remote_app_keep_their_flags() {
    let mut packet = spec_info_packet();
    // INFO_RAIL, INFO_AUDIOCAPTURE, INFO_REMOTECONSOLEAUDIO, INFO_PASSWORD_IS_SC_PIN
    let asked = 0x0000_8000_u32 | 0x0020_0000 | 0x0000_2000 | 0x0004_0000 | 0x10;
    packet[4..8].copy_from_slice(&asked.to_le_bytes());
    let flags = |channels| {
        let settings = ConnectionSettings { channels, ..as_in_the_specification() };
        let patched = joining(settings).client_frame(client_info_frame(&packet)).unwrap();
        u32::from_le_bytes(patched[0x17..0x1b].try_into().unwrap())
    };
    let all = ChannelPolicy { audio: true, microphone: true, remote_app: true, ..Default::default() };
    assert_eq!(flags(all), 0x0020_a018);
    assert_eq!(flags(ChannelPolicy::default()), 0x0008_0018);
}

#[test]
fn sound_and_microphone_are_told_apart() {
    let original = client_info(&browser_client_info(true)).unwrap().flags;
    assert!(original.contains(ClientInfoFlags::AUDIO_CAPTURE));
    for (audio, microphone) in [(true, false), (false, true)] {
        let channels = ChannelPolicy { audio, microphone, ..Default::default() };
        let settings = ConnectionSettings { channels, ..launch() };
        let patched =
            client_info(&joining(settings).client_frame(browser_client_info(true)).unwrap()).unwrap();
        assert_eq!(patched.flags.contains(ClientInfoFlags::NO_AUDIO_PLAYBACK), !audio);
        assert_eq!(patched.flags.contains(ClientInfoFlags::AUDIO_CAPTURE), microphone);
    }
}

#[test]
fn a_forbidden_twin_keeps_its_name_and_is_silent() {
    let printers = ChannelPolicy { printers: true, ..Default::default() };
    let mut rewriter = rewriter(ConnectionSettings { channels: printers, ..as_in_the_specification() });
    let patched = rewriter.client_frame(spec_connect_initial()).unwrap();
    let channels = gcc_blocks(&patched).unwrap().network.unwrap().channels;
    let names: Vec<_> = channels.iter().map(|channel| channel.name.as_str().unwrap()).collect();
    assert_eq!(names, ["rdpdr", "void01", "rdpsnd"]);
    rewriter.host_frame(spec_connect_response()).unwrap();
    rewriter.client_frame(client_info_frame(&spec_info_packet())).unwrap();
    let filter = rewriter.finish().unwrap();
    let allowed: Vec<_> = filter.channels().iter().map(|channel| channel.allowed).collect();
    assert_eq!(allowed, [true, false, false]);
    let sound = send_data_request(1006, vec![0; 20]);
    assert_eq!(filter.judge(Party::Client, &sound), crate::channel::Verdict::Drop);
}

#[test]
fn unknown_flags_and_the_tail_survive() {
    let mut packet = spec_info_packet();
    packet[7] = 0xfc;
    packet.extend_from_slice(b"\0\0dynamic daylight saving, and what may come in later years");
    let settings = ConnectionSettings { client_address: None, ..launch() };
    let patched = joining(settings).client_frame(client_info_frame(&packet)).unwrap();
    assert!(patched.ends_with(&packet[SPEC_TAIL_AT..]));
    assert!(patched.ends_with(b"later years"));
    assert_eq!(patched[0x1a], 0xfc);
}

#[test]
fn the_envelope_keeps_its_form_of_length() {
    // No extended info: 18 bytes of fixed fields and five empty strings.
    let mut packet = vec![0; 28];
    packet[4] = 0x10;
    let settings = || ConnectionSettings {
        logon: Logon { user: "u".into(), domain: String::new(), password: Zeroizing::new(String::new()) },
        program: StartProgram::default(),
        ..launch()
    };
    let short = client_info_frame(&packet);
    assert_eq!((short[12], short.len()), (0x70, 14 + 32));
    let patched = joining(settings()).client_frame(short.clone()).unwrap();
    assert_eq!((patched[13], patched.len()), (34, 14 + 34));
    let long = [&[3, 0, 0, 47], &short[4..13], &[0x80, 32], &short[14..]].concat();
    let patched_long = joining(settings()).client_frame(long.into()).unwrap();
    assert_eq!((&patched_long[13..15], patched_long.len()), (&[0x80, 34][..], 15 + 34));
    assert_eq!(patched_long[15..], patched[14..]);
}

#[test]
fn a_wrong_order_ends_the_connection_with_a_sentence() {
    let check = |mut rewriter: Rewriter, frame: Bytes, sentence: &str| {
        let error = rewriter.client_frame(frame).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.party()), (sentence, Party::Client));
        assert!(!rewriter.is_done());
        assert!(rewriter.finish().is_none());
    };
    let logon = || client_info_frame(&spec_info_packet());
    let spec = as_in_the_specification;
    check(
        rewriter(spec()),
        logon(),
        "the client sent an MCS Send Data Request where an MCS Connect-Initial was expected",
    );
    let mut waiting = rewriter(spec());
    waiting.client_frame(spec_connect_initial()).unwrap();
    check(
        waiting,
        logon(),
        "the client sent an MCS Send Data Request where nothing before the host's answer was expected",
    );
    check(
        joining(spec()),
        spec_connect_initial(),
        "the client sent an MCS Connect-Initial where a channel join or the Client Info was expected",
    );
    // On another channel the host would ignore it and believe the next one.
    check(
        joining(spec()),
        client_info_frame_on(1004, &spec_info_packet()),
        "the client sent data where a channel join or the Client Info was expected",
    );
    check(
        joining(spec()),
        send_data_request(1003, vec![1, 2, 0, 0, 0x48]),
        "the client sent data where a channel join or the Client Info was expected",
    );
    // As something else at the same time a host might take it for that, and believe the next one.
    for flags in [0x0041, 0x0042, 0x00c0, 0x0440, 0x1040] {
        let both = [&u32::to_le_bytes(flags)[..], &spec_info_packet()].concat();
        check(
            joining(spec()),
            send_data_request(1003, both),
            "the client sent data where a channel join or the Client Info was expected",
        );
    }
    check(
        joining(spec()),
        Bytes::from_static(&[0x04, 4, 0, 0x1e]),
        "the client's message is malformed: it is not in a TPKT packet",
    );
    check(
        joining(spec()),
        hex("03 00 00 08 02 f0 00 28").into(),
        "the client's message is malformed: it is not in a plain X.224 data message",
    );
    let encrypted = send_data_request(1003, [&[0x48, 0, 0, 0], &spec_info_packet()[..]].concat());
    check(
        joining(spec()),
        encrypted,
        "the client uses standard RDP security, which the gateway does not support",
    );
    let mut endless = joining(spec());
    for _ in 0..MAX_JOIN_MESSAGES {
        endless.client_frame(spec_joins()[2].clone()).unwrap();
    }
    check(endless, spec_joins()[2].clone(), "the client sent more than 72 messages before its logon");
}

#[test]
fn xrdp_is_understood() {
    let settings = ConnectionSettings { client_requested_protocols: None, ..launch() };
    let mut rewriter = rewriter(settings);
    rewriter.client_frame(spec_connect_initial()).unwrap();
    let answer = xrdp_connect_response();
    assert_eq!(rewriter.host_frame(answer.clone()).unwrap().as_ptr(), answer.as_ptr());
    rewriter.client_frame(browser_client_info(true)).unwrap();
    let channels = rewriter.finish().unwrap();
    let forbidden: Vec<_> = channels.channels().iter().filter(|c| !c.allowed).map(|c| c.id).collect();
    assert_eq!(forbidden, [1004, 1006]);
}

#[test]
fn a_host_that_misbehaves_is_named() {
    let check = |frame: Bytes, sentence: &str| {
        let mut rewriter = rewriter(as_in_the_specification());
        rewriter.client_frame(spec_connect_initial()).unwrap();
        let error = rewriter.host_frame(frame).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.party()), (sentence, Party::Host));
        // The state is as before: the right answer still counts.
        rewriter.host_frame(spec_connect_response()).unwrap();
    };
    let changed = |at: usize, value: u8| {
        let mut frame = spec_connect_response().to_vec();
        frame[at] = value;
        Bytes::from(frame)
    };
    check(changed(14, 8), "the host refused the connection with MCS result 8");
    check(
        changed(0x5b, 4),
        "the host's Connect-Response is malformed: it grants more channels than the client asked for",
    );
    check(
        changed(0x5b, 200),
        "the host's Connect-Response is malformed: it grants more channels than RDP has",
    );
    check(
        spec_joins()[1].clone(),
        "the host sent an MCS Attach User Request where an MCS Connect-Response was expected",
    );
    let mut early = rewriter(as_in_the_specification());
    assert!(early.host_frame(spec_connect_response()).is_err());
    let ultimatum = Bytes::from(hex("03 00 00 09 02 f0 80 21 80"));
    assert_eq!(early.host_frame(ultimatum.clone()), Ok(ultimatum));
}

#[test]
fn two_answers_to_one_question_are_refused() {
    // A second list of channels, appended to the first with all lengths adjusted.
    let spec = spec_connect_initial();
    let network = &spec[spec.len() - 44..];
    let mut doubled = [&spec[..], network].concat();
    for (at, length) in [(2, 0x1a0), (9, 0x194), (0x6c - 2, 0x133)] {
        let at = doubled[at..].windows(2).position(|pair| pair == u16::to_be_bytes(length)).unwrap() + at;
        doubled[at..at + 2].copy_from_slice(&(length + 44).to_be_bytes());
    }
    let at = doubled.windows(2).position(|pair| pair == [0x81, 0x1c]).unwrap();
    doubled[at..at + 2].copy_from_slice(&(0x811c_u16 + 44).to_be_bytes());
    let error = rewriter(as_in_the_specification()).client_frame(doubled.into()).unwrap_err();
    assert_eq!(error.to_string(), "the client's Connect-Initial is malformed: a block comes twice");
}

#[test]
fn cluster_data_that_is_cut_is_refused() {
    // The specification's block, taken to be one of half its length and another of an unknown kind.
    let mut frame = spec_connect_initial().to_vec();
    let at = frame.windows(4).position(|part| part == hex("04 c0 0c 00")).unwrap();
    frame[at + 2] = 8;
    frame[at + 8..at + 12].copy_from_slice(&hex("ff c0 04 00"));
    let error = rewriter(as_in_the_specification()).client_frame(frame.into()).unwrap_err();
    assert_eq!(error.to_string(), "the client's Connect-Initial is malformed: its cluster data is too short");
}

#[test]
fn data_behind_the_conference_is_refused() {
    // The inner length shortened by the channel list: a host that reads to the end would see it.
    let mut frame = spec_connect_initial().to_vec();
    let at = frame.windows(2).position(|pair| pair == [0x81, 0x1c]).unwrap();
    frame[at..at + 2].copy_from_slice(&(0x811c_u16 - 44).to_be_bytes());
    let error = rewriter(as_in_the_specification()).client_frame(frame.into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the client's Connect-Initial is malformed: its conference data does not reach to its end"
    );
}

#[test]
fn settings_that_do_not_fit_are_refused_at_once() {
    let check = |change: fn(&mut ConnectionSettings), sentence: &str| {
        let mut settings = launch();
        change(&mut settings);
        assert_eq!(Rewriter::new(settings).unwrap_err().to_string(), sentence);
    };
    check(
        |settings| settings.program.command = "x".repeat(256),
        "the start program has 512 bytes in UTF-16; RDP has room for 510",
    );
    check(|settings| settings.logon.user = "al\0ice".into(), "the user name contains a zero character");
    let mut settings = launch();
    settings.logon.user = "j\u{f6}rg".into();
    let latin = joining(settings.clone()).client_frame(browser_client_info(false)).unwrap();
    assert!(latin.windows(5).any(|part| part == b"j\xf6rg\0"));
    settings.logon.user = "\u{438}".into();
    let error = joining(settings).client_frame(browser_client_info(false)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the client does not speak Unicode, and the user name has characters that it cannot send"
    );
    assert!(!format!("{:?}", launch()).contains("one-time-secret"));
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>(), 0..120)
        .prop_map(|characters| characters.into_iter().filter(|&c| c != '\0').collect())
}

proptest! {
    #[test]
    fn any_logon_arrives_whole(user in text(), domain in text(), password in text(), command in text(), directory in text()) {
        let settings = ConnectionSettings {
            logon: Logon { user: user.clone(), domain: domain.clone(), password: Zeroizing::new(password.clone()) },
            program: StartProgram { command: command.clone(), directory: directory.clone() },
            ..launch()
        };
        let got = client_info(&joining(settings).client_frame(browser_client_info(true)).unwrap()).unwrap();
        prop_assert_eq!(got.credentials.username, user);
        prop_assert_eq!(got.credentials.domain.unwrap_or_default(), domain);
        prop_assert_eq!(got.credentials.password, password);
        prop_assert_eq!(got.alternate_shell, command);
        prop_assert_eq!(got.work_dir, directory);
    }

    #[test]
    fn no_session_of_the_client_s_choice(
        redirection in any::<bool>(), smart_card in any::<bool>(), version in 0_usize..6, session: u32,
    ) {
        use RedirectionVersion::{V1, V2, V3, V4, V5, V6};
        let mut flags = RedirectionFlags::REDIRECTED_SESSION_FIELD_VALID;
        flags.set(RedirectionFlags::REDIRECTION_SUPPORTED, redirection);
        flags.set(RedirectionFlags::REDIRECTED_SMARTCARD, smart_card);
        let redirection_version = [V1, V2, V3, V4, V5, V6][version];
        let asked = ClientClusterData { flags, redirection_version, redirected_session_id: session };
        let mut blocks = gcc_blocks(&browser_connect_initial(&["cliprdr"])).unwrap();
        blocks.cluster = Some(asked.clone());
        let patched = rewriter(launch()).client_frame(connect_initial(blocks)).unwrap();
        let got = gcc_blocks(&patched).unwrap().cluster.unwrap();
        let flags = flags - RedirectionFlags::REDIRECTED_SESSION_FIELD_VALID;
        prop_assert_eq!(got, ClientClusterData { flags, redirected_session_id: 0, ..asked });
    }

    #[test]
    fn no_auto_reconnect_cookie_passes_and_all_else_does(
        cookie: [u8; 28], later in proptest::collection::vec(any::<u8>(), 0..200), replace_address: bool,
    ) {
        let packet = [&spec_info_packet()[..], &28_u16.to_le_bytes(), &cookie, &[0; 4], &later].concat();
        let asked = client_info_frame(&packet);
        let before = client_info(&asked).unwrap().extra_info;
        prop_assert_eq!(before.optional_data.reconnect_cookie(), Some(&cookie));
        let client_address = launch().client_address.filter(|_| replace_address);
        let settings = ConnectionSettings { client_address, ..launch() };
        let patched = joining(settings).client_frame(asked).unwrap();
        let got = client_info(&patched).unwrap().extra_info;
        prop_assert_eq!(got.optional_data.reconnect_cookie(), None);
        prop_assert_eq!(got.optional_data.timezone(), before.optional_data.timezone());
        prop_assert_eq!(got.optional_data.session_id(), before.optional_data.session_id());
        prop_assert_eq!(got.optional_data.performance_flags(), before.optional_data.performance_flags());
        prop_assert_eq!(got.dir, before.dir);
        let end = [&[0; 6][..], &later].concat();
        prop_assert!(patched.ends_with(&end));
        prop_assert_eq!(usize::from(u16::from_be_bytes([patched[2], patched[3]])), patched.len());
    }

    #[test]
    fn extended_info_may_end_after_any_field(end in 0_usize..250) {
        // Cut behind the directory, a client is an older one; before, it is malformed.
        let packet = [&spec_info_packet()[..], &28_u16.to_le_bytes(), &[7; 28]].concat();
        let tail = &packet[SPEC_TAIL_AT..];
        let zone = spec_tail().len() - 172 - 8;
        let whole = [&spec_info_packet()[SPEC_TAIL_AT..], &[0; 2]].concat();
        let cut = &packet[..(SPEC_TAIL_AT + zone + end).min(packet.len())];
        let settings = ConnectionSettings { client_address: None, ..launch() };
        let patched = joining(settings).client_frame(client_info_frame(cut));
        if cut.len() < SPEC_TAIL_AT + spec_tail().len() + 2 {
            prop_assert!(patched.unwrap().ends_with(&cut[SPEC_TAIL_AT..]));
        } else if cut.len() == packet.len() {
            prop_assert!(patched.unwrap().ends_with(&whole));
        } else {
            let error = patched.unwrap_err().to_string();
            prop_assert_eq!(error, "the client's Client Info is malformed: it ends too early");
        }
        prop_assert!(tail.len() > whole.len());
    }

    #[test]
    fn any_tail_is_refused_or_without_a_cookie(tail in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let packet = [&spec_info_packet()[..SPEC_TAIL_AT], &tail].concat();
        let settings = ConnectionSettings { client_address: None, ..launch() };
        if let Ok(patched) = joining(settings).client_frame(client_info_frame(&packet)) {
            prop_assert_eq!(usize::from(u16::from_be_bytes([patched[2], patched[3]])), patched.len());
            if let Ok(info) = client_info(&patched) {
                prop_assert_eq!(info.extra_info.optional_data.reconnect_cookie(), None);
            }
        }
    }

    #[test]
    fn any_client_name_is_cut_whole(name in text()) {
        let settings = ConnectionSettings { client_name: Some(name.clone()), ..launch() };
        let patched = rewriter(settings).client_frame(browser_connect_initial(&[])).unwrap();
        let got = gcc_blocks(&patched).unwrap().core.client_name;
        prop_assert!(name.starts_with(&got), "{:?} of {:?}", got, name);
        prop_assert!(got.encode_utf16().count() <= 15);
    }
}
