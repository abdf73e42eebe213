//! Messages to test with: those that [MS-RDPBCGR] prints in section 4.1, and others made by the encoders
//! of ironrdp-pdu.

use std::borrow::Cow;

use bytes::Bytes;
use ironrdp_core::{DecodeResult, decode, encode_vec};
use ironrdp_pdu::gcc::{
    ChannelDef, ChannelName, ChannelOptions, ClientCoreData, ClientCoreOptionalData,
    ClientEarlyCapabilityFlags, ClientGccBlocks, ClientNetworkData, ClientSecurityData, ColorDepth,
    ConnectionType, EncryptionMethod, HighColorDepth, KeyboardType, MultiTransportChannelData,
    MultiTransportFlags, RdpVersion, SecureAccessSequence, SupportedColorDepths,
};
use ironrdp_pdu::mcs::{ConnectInitial, SendDataRequest};
use ironrdp_pdu::nego::SecurityProtocol;
use ironrdp_pdu::rdp::ClientInfoPdu;
use ironrdp_pdu::rdp::client_info::{
    AddressFamily, ClientInfo, ClientInfoFlags, CompressionType, Credentials, ExtendedClientInfo,
    ExtendedClientOptionalInfo,
};
use ironrdp_pdu::rdp::headers::{BasicSecurityHeader, BasicSecurityHeaderFlags};
use ironrdp_pdu::x224::{X224, X224Data};

pub(crate) fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// 4.1.3: three channels, rdpdr, cliprdr and rdpsnd; no network level authentication.
pub(crate) fn spec_connect_initial() -> Bytes {
    hex("03 00 01 a0 02 f0 80 7f 65 82 01 94 04 01 01 04 01 01 01 01 ff 30 19 02 01 22 02 01 02 02 01 00
        02 01 01 02 01 00 02 01 01 02 02 ff ff 02 01 02 30 19 02 01 01 02 01 01 02 01 01 02 01 01 02 01
        00 02 01 01 02 02 04 20 02 01 02 30 1c 02 02 ff ff 02 02 fc 17 02 02 ff ff 02 01 01 02 01 00 02
        01 01 02 02 ff ff 02 01 02 04 82 01 33 00 05 00 14 7c 00 01 81 2a 00 08 00 10 00 01 c0 00 44 75
        63 61 81 1c 01 c0 d8 00 04 00 08 00 00 05 00 04 01 ca 03 aa 09 04 00 00 ce 0e 00 00 45 00 4c 00
        54 00 4f 00 4e 00 53 00 2d 00 44 00 45 00 56 00 32 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00
        00 00 00 00 0c 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 01 ca 01 00 00 00 00 00 18 00 07 00 01 00 36 00 39 00 37 00 31 00 32 00
        2d 00 37 00 38 00 33 00 2d 00 30 00 33 00 35 00 37 00 39 00 37 00 34 00 2d 00 34 00 32 00 37 00
        31 00 34 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 04 c0 0c 00
        0d 00 00 00 00 00 00 00 02 c0 0c 00 1b 00 00 00 00 00 00 00 03 c0 2c 00 03 00 00 00 72 64 70 64
        72 00 00 00 00 00 80 80 63 6c 69 70 72 64 72 00 00 00 a0 c0 72 64 70 73 6e 64 00 00 00 00 00 c0")
    .into()
}

/// 4.1.4: the answer to [`spec_connect_initial`], with channels 1004, 1005 and 1006.
pub(crate) fn spec_connect_response() -> Bytes {
    hex("03 00 01 51 02 f0 80 7f 66 82 01 45 0a 01 00 02 01 00 30 1a 02 01 22 02 01 03 02 01 00 02 01 01
        02 01 00 02 01 01 02 03 00 ff f8 02 01 02 04 82 01 1f 00 05 00 14 7c 00 01 2a 14 76 0a 01 01 00
        01 c0 00 4d 63 44 6e 81 08 01 0c 0c 00 04 00 08 00 00 00 00 00 03 0c 10 00 eb 03 03 00 ec 03 ed
        03 ee 03 00 00 02 0c ec 00 02 00 00 00 02 00 00 00 20 00 00 00 b8 00 00 00 10 11 77 20 30 61 0a
        12 e4 34 a1 1e f2 c3 9f 31 7d a4 5f 01 89 34 96 e0 ff 11 08 69 7f 1a c3 d2 01 00 00 00 01 00 00
        00 01 00 00 00 06 00 5c 00 52 53 41 31 48 00 00 00 00 02 00 00 3f 00 00 00 01 00 01 00 cb 81 fe
        ba 6d 61 c3 55 05 d5 5f 2e 87 f8 71 94 d6 f1 a5 cb f1 5f 0c 3d f8 70 02 96 c4 fb 9b c8 3c 2d 55
        ae e8 ff 32 75 ea 68 79 e5 a2 01 fd 31 a0 b1 1f 55 a6 1f c1 f6 d1 83 88 63 26 56 12 bc 00 00 00
        00 00 00 00 00 08 00 48 00 e9 e1 d6 28 46 8b 4e f5 0a df fd ee 21 99 ac b4 e1 8f 5f 81 57 82 ef
        9d 96 52 63 27 18 29 db b3 4a fd 9a da 42 ad b5 69 21 89 0e 1d c0 4c 1a a8 aa 71 3e 0f 54 b9 9a
        e4 99 68 3f 6c d6 76 84 61 00 00 00 00 00 00 00 00")
    .into()
}

/// What xrdp 0.9.21 answers to [`spec_connect_initial`] over TLS.
pub(crate) fn xrdp_connect_response() -> Bytes {
    hex("03 00 00 6d 02 f0 80 7f 66 63 0a 01 00 02 01 00 30 1a 02 01 16 02 01 03 02 01 00 02 01 01 02 01 00 02 01 01
        02 03 00 ff f8 02 01 02 04 3f 00 05 00 14 7c 00 01 2a 14 76 0a 01 01 00 01 c0 00 4d 63 44 6e 80 28 01 0c
        0c 00 04 00 08 00 01 00 00 00 03 0c 10 00 eb 03 03 00 ec 03 ed 03 ee 03 00 00 02 0c 0c 00 00 00 00 00 00
        00 00 00")
    .into()
}

/// 4.1.5 to 4.1.8: Erect Domain, Attach User, Channel Join.
pub(crate) fn spec_joins() -> Vec<Bytes> {
    ["03 00 00 0c 02 f0 80 04 01 00 01 00", "03 00 00 08 02 f0 80 28", "03 00 00 0c 02 f0 80 38 00 06 03 ef"]
        .map(|text| hex(text).into())
        .into()
}

/// The info packet of 4.1.10, decrypted: domain NTDEV, user eltons, no password, no program.
pub(crate) fn spec_info_packet() -> Vec<u8> {
    let mut packet = hex("09 04 09 04 b3 43 00 00 0a 00 0c 00 00 00 00 00 00 00
        4e 00 54 00 44 00 45 00 56 00 00 00 65 00 6c 00 74 00 6f 00 6e 00 73 00 00 00 00 00 00 00 00 00");
    packet.extend(spec_tail());
    packet
}

/// Where the extended info starts in [`spec_info_packet`].
pub(crate) const SPEC_TAIL_AT: usize = 50;

/// The extended info of 4.1.10.
pub(crate) fn spec_tail() -> Vec<u8> {
    hex("02 00 1e 00 31 00 35 00 37 00 2e 00 35 00 39 00 2e 00 32 00 34 00 32 00 2e 00 31 00 35 00 36 00 00 00
        84 00 43 00 3a 00 5c 00 64 00 65 00 70 00 6f 00 74 00 73 00 5c 00 77 00 32 00 6b 00 33 00 5f 00 31 00
        5c 00 74 00 65 00 72 00 6d 00 73 00 72 00 76 00 5c 00 6e 00 65 00 77 00 63 00 6c 00 69 00 65 00 6e 00
        74 00 5c 00 6c 00 69 00 62 00 5c 00 77 00 69 00 6e 00 33 00 32 00 5c 00 6f 00 62 00 6a 00 5c 00 69 00
        33 00 38 00 36 00 5c 00 6d 00 73 00 74 00 73 00 63 00 61 00 78 00 2e 00 64 00 6c 00 6c 00 00 00
        e0 01 00 00 50 00 61 00 63 00 69 00 66 00 69 00 63 00 20 00 53 00 74 00 61 00 6e 00 64 00 61 00 72 00
        64 00 20 00 54 00 69 00 6d 00 65 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        00 00 0a 00 00 00 05 00 02 00 00 00 00 00 00 00 00 00 00 00 50 00 61 00 63 00 69 00 66 00 69 00 63 00 20 00
        44 00 61 00 79 00 6c 00 69 00 67 00 68 00 74 00 20 00 54 00 69 00 6d 00 65 00 00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00 01 00 02 00 00 00 00 00 00 00 c4 ff ff ff
        00 00 00 00 01 00 00 00")
}

/// What ironrdp-pdu reads in a Connect-Initial.
pub(crate) fn gcc_blocks(frame: &[u8]) -> DecodeResult<ClientGccBlocks> {
    let data = decode::<X224<X224Data<'_>>>(frame)?.0.data;
    Ok(decode::<ConnectInitial>(&data)?.conference_create_request.into_gcc_blocks())
}

/// What ironrdp-pdu reads in a Client Info.
pub(crate) fn client_info(frame: &[u8]) -> DecodeResult<ClientInfo> {
    let data = decode::<X224<SendDataRequest<'_>>>(frame)?.0;
    assert_eq!(data.channel_id, 1003);
    Ok(decode::<ClientInfoPdu>(&data.user_data)?.client_info)
}

/// A Client Info with this info packet, as it is under TLS: a basic security header and no encryption.
pub(crate) fn client_info_frame(packet: &[u8]) -> Bytes {
    client_info_frame_on(1003, packet)
}

pub(crate) fn client_info_frame_on(channel_id: u16, packet: &[u8]) -> Bytes {
    let user_data = [&[0x40, 0, 0, 0], packet].concat();
    send_data_request(channel_id, user_data)
}

pub(crate) fn send_data_request(channel_id: u16, user_data: Vec<u8>) -> Bytes {
    encode_vec(&X224(SendDataRequest { initiator_id: 1007, channel_id, user_data: Cow::Owned(user_data) }))
        .unwrap()
        .into()
}

/// A Connect-Initial such as the browser's client sends: 16 bits per pixel, no keyboard layout.
pub(crate) fn browser_connect_initial(channels: &[&str]) -> Bytes {
    let channels = channels
        .iter()
        .map(|name| ChannelDef {
            name: ChannelName::from_utf8(name).unwrap(),
            options: ChannelOptions::INITIALIZED | ChannelOptions::COMPRESS_RDP,
        })
        .collect();
    let blocks = ClientGccBlocks {
        core: ClientCoreData {
            version: RdpVersion::V5_PLUS,
            desktop_width: 1024,
            desktop_height: 700,
            color_depth: ColorDepth::Bpp8,
            sec_access_sequence: SecureAccessSequence::Del,
            keyboard_layout: 0,
            client_build: 0,
            client_name: "ironrdp-web".into(),
            keyboard_type: KeyboardType::IbmEnhanced,
            keyboard_subtype: 0,
            keyboard_functional_keys_count: 12,
            ime_file_name: String::new(),
            optional_data: ClientCoreOptionalData {
                post_beta2_color_depth: Some(ColorDepth::Bpp8),
                client_product_id: Some(1),
                serial_number: Some(0),
                high_color_depth: Some(HighColorDepth::Rgb565Bpp16),
                supported_color_depths: Some(SupportedColorDepths::BPP16),
                early_capability_flags: Some(ClientEarlyCapabilityFlags::SUPPORT_ERR_INFO_PDU),
                dig_product_id: Some(String::new()),
                connection_type: Some(ConnectionType::Lan),
                server_selected_protocol: Some(SecurityProtocol::SSL),
                desktop_physical_width: Some(0),
                desktop_physical_height: Some(0),
                desktop_orientation: Some(0),
                desktop_scale_factor: Some(100),
                device_scale_factor: Some(100),
            },
        },
        security: ClientSecurityData {
            encryption_methods: EncryptionMethod::empty(),
            ext_encryption_methods: 0,
        },
        network: Some(ClientNetworkData { channels }),
        cluster: None,
        monitor: None,
        message_channel: None,
        multi_transport_channel: Some(MultiTransportChannelData {
            flags: MultiTransportFlags::TRANSPORT_TYPE_UDP_FECR,
        }),
        monitor_extended: None,
    };
    connect_initial(blocks)
}

/// A Connect-Initial of these blocks.
pub(crate) fn connect_initial(blocks: ClientGccBlocks) -> Bytes {
    let initial = encode_vec(&ConnectInitial::with_gcc_blocks(blocks).unwrap()).unwrap();
    encode_vec(&X224(X224Data { data: Cow::Owned(initial) })).unwrap().into()
}

/// A Client Info such as the browser's client sends.
pub(crate) fn browser_client_info(unicode: bool) -> Bytes {
    let mut flags = ClientInfoFlags::MOUSE
        | ClientInfoFlags::DISABLE_CTRL_ALT_DEL
        | ClientInfoFlags::MAXIMIZE_SHELL
        | ClientInfoFlags::AUDIO_CAPTURE;
    flags.set(ClientInfoFlags::UNICODE, unicode);
    let pdu = ClientInfoPdu {
        security_header: BasicSecurityHeader { flags: BasicSecurityHeaderFlags::INFO_PKT },
        client_info: ClientInfo {
            credentials: Credentials { username: "-".into(), password: "-".into(), domain: None },
            code_page: 0,
            flags,
            compression_type: CompressionType::K8,
            alternate_shell: "evil.exe".into(),
            work_dir: String::new(),
            extra_info: ExtendedClientInfo {
                address_family: AddressFamily::INET,
                address: "192.0.2.1".into(),
                dir: "C:\\Windows".into(),
                optional_data: ExtendedClientOptionalInfo::default(),
            },
        },
    };
    send_data_request(1003, encode_vec(&pdu).unwrap())
}
