//! The messages of a client's connection sequence, as the browser's client sends them: 16 bits per
//! pixel, no keyboard layout, placeholders for the logon. Tests take them whole or in pieces.

use anyhow::Context as _;
use ironrdp_core::encode_vec;
use ironrdp_pdu::{
    gcc::{
        ChannelDef, ChannelName, ChannelOptions, ClientCoreData, ClientCoreOptionalData,
        ClientEarlyCapabilityFlags, ClientGccBlocks, ClientMessageChannelData, ClientNetworkData,
        ClientSecurityData, ColorDepth, ConnectionType, EncryptionMethod, HighColorDepth, KeyboardType,
        MultiTransportChannelData, MultiTransportFlags, RdpVersion, SecureAccessSequence,
        SupportedColorDepths,
    },
    mcs::{AttachUserRequest, ChannelJoinRequest, ConnectInitial, ErectDomainPdu},
    nego::{ConnectionRequest, NegoRequestData, RequestFlags, SecurityProtocol},
    rdp::{
        ClientInfoPdu,
        capability_sets::{
            Bitmap, BitmapDrawingFlags, CapabilitySet, ClientConfirmActive, DemandActive, General,
            GeneralExtraFlags, Input, InputFlags, SERVER_CHANNEL_ID,
        },
        client_info::{
            AddressFamily, ClientInfo, ClientInfoFlags, CompressionType, Credentials, ExtendedClientInfo,
            ExtendedClientOptionalInfo,
        },
        finalization_messages::{ControlAction, ControlPdu, FontPdu, SynchronizePdu},
        headers::{
            BasicSecurityHeader, BasicSecurityHeaderFlags, CompressionFlags, ShareControlHeader,
            ShareControlPdu, ShareDataHeader, ShareDataPdu, StreamPriority,
        },
    },
};
use ironrdp_rdcleanpath::RDCleanPathPdu;

use super::{
    IO_CHANNEL, USER_CHANNEL,
    frames::{request, x224, x224_data},
};

/// What a client asks for. The defaults are hostile: whatever of them reaches a host was not rewritten.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Where the page says it goes.
    pub destination: String,
    /// Width and height of the desktop, in pixels.
    pub size: (u16, u16),
    /// Static channels.
    pub channels: Vec<&'static str>,
    /// Logon name.
    pub user: String,
    /// Password.
    pub password: String,
    /// Start program.
    pub alternate_shell: String,
    /// Name of the device.
    pub client_name: String,
    /// Value of the header `Origin`; none: that of the gateway's own pages.
    pub origin: Option<String>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            destination: "session".into(),
            size: (1024, 700),
            channels: vec!["cliprdr", "rdpsnd", "rdpdr", "drdynvc", "rail"],
            user: "intruder".into(),
            password: "guess".into(),
            alternate_shell: "/bin/sh -c id".into(),
            client_name: "ironrdp-web".into(),
            origin: None,
        }
    }
}

/// The RDCleanPath request with this ticket.
pub fn clean_path_request(options: &ClientOptions, ticket: &str) -> anyhow::Result<Vec<u8>> {
    let x224 = x224(ConnectionRequest {
        nego_data: Some(NegoRequestData::cookie(options.user.clone())),
        flags: RequestFlags::empty(),
        protocol: SecurityProtocol::SSL,
    });
    RDCleanPathPdu::new_request(x224, options.destination.clone(), ticket.to_owned(), None)
        .and_then(|pdu| pdu.to_der())
        .context("RDCleanPath")
}

/// The MCS Connect-Initial.
pub fn connect_initial(options: &ClientOptions) -> Vec<u8> {
    let channels = options
        .channels
        .iter()
        .map(|name| ChannelDef {
            name: ChannelName::from_utf8(name).unwrap(),
            options: ChannelOptions::INITIALIZED | ChannelOptions::COMPRESS_RDP,
        })
        .collect();
    let blocks = ClientGccBlocks {
        core: ClientCoreData {
            version: RdpVersion::V5_PLUS,
            desktop_width: options.size.0,
            desktop_height: options.size.1,
            color_depth: ColorDepth::Bpp8,
            sec_access_sequence: SecureAccessSequence::Del,
            keyboard_layout: 0,
            client_build: 0,
            client_name: options.client_name.clone(),
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
                early_capability_flags: Some(
                    ClientEarlyCapabilityFlags::SUPPORT_ERR_INFO_PDU
                        | ClientEarlyCapabilityFlags::VALID_CONNECTION_TYPE,
                ),
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
        message_channel: Some(ClientMessageChannelData),
        multi_transport_channel: Some(MultiTransportChannelData {
            flags: MultiTransportFlags::TRANSPORT_TYPE_UDP_FECR,
        }),
        monitor_extended: None,
    };
    x224_data(&ConnectInitial::with_gcc_blocks(blocks).unwrap())
}

/// Erect Domain and Attach User, then a Join for each of these channels.
pub fn joins(channels: &[u16]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let opening = vec![x224(ErectDomainPdu { sub_height: 0, sub_interval: 0 }), x224(AttachUserRequest)];
    let join =
        |channel_id: &u16| x224(ChannelJoinRequest { initiator_id: USER_CHANNEL, channel_id: *channel_id });
    (opening, channels.iter().map(join).collect())
}

/// The Client Info.
pub fn client_info(options: &ClientOptions) -> Vec<u8> {
    let pdu = ClientInfoPdu {
        security_header: BasicSecurityHeader { flags: BasicSecurityHeaderFlags::INFO_PKT },
        client_info: ClientInfo {
            credentials: Credentials {
                username: options.user.clone(),
                password: options.password.clone(),
                domain: None,
            },
            code_page: 0,
            flags: ClientInfoFlags::MOUSE
                | ClientInfoFlags::UNICODE
                | ClientInfoFlags::DISABLE_CTRL_ALT_DEL
                | ClientInfoFlags::LOGON_NOTIFY
                | ClientInfoFlags::MAXIMIZE_SHELL,
            compression_type: CompressionType::K8,
            alternate_shell: options.alternate_shell.clone(),
            work_dir: "/".into(),
            extra_info: ExtendedClientInfo {
                address_family: AddressFamily::INET,
                address: "192.0.2.1".into(),
                dir: "C:\\Windows".into(),
                optional_data: ExtendedClientOptionalInfo::default(),
            },
        },
    };
    request(IO_CHANNEL, &pdu)
}

/// Confirm Active.
pub(super) fn confirm_active(share_id: u32, options: &ClientOptions) -> Vec<u8> {
    let capability_sets = vec![
        CapabilitySet::General(General {
            extra_flags: GeneralExtraFlags::FASTPATH_OUTPUT_SUPPORTED,
            ..Default::default()
        }),
        CapabilitySet::Bitmap(Bitmap {
            pref_bits_per_pix: 32,
            desktop_width: options.size.0,
            desktop_height: options.size.1,
            desktop_resize_flag: true,
            drawing_flags: BitmapDrawingFlags::ALLOW_SKIP_ALPHA,
        }),
        CapabilitySet::Input(Input {
            input_flags: InputFlags::SCANCODES | InputFlags::UNICODE | InputFlags::FASTPATH_INPUT_2,
            keyboard_layout: 0,
            keyboard_type: Some(KeyboardType::IbmEnhanced),
            keyboard_subtype: 0,
            keyboard_function_key: 12,
            keyboard_ime_filename: String::new(),
        }),
    ];
    let pdu = DemandActive { source_descriptor: "TEST".into(), capability_sets };
    let confirm = ClientConfirmActive { originator_id: SERVER_CHANNEL_ID, pdu };
    share_control(share_id, ShareControlPdu::ClientConfirmActive(confirm))
}

/// Synchronize, Control twice, Font List.
pub(super) fn finalization(share_id: u32) -> Vec<Vec<u8>> {
    let control = |action| ShareDataPdu::Control(ControlPdu { action, grant_id: 0, control_id: 0 });
    [
        ShareDataPdu::Synchronize(SynchronizePdu { target_user_id: USER_CHANNEL }),
        control(ControlAction::Cooperate),
        control(ControlAction::RequestControl),
        ShareDataPdu::FontList(FontPdu::default()),
    ]
    .into_iter()
    .map(|pdu| share_data(share_id, pdu))
    .collect()
}

fn share_data(share_id: u32, share_data_pdu: ShareDataPdu) -> Vec<u8> {
    let header = ShareDataHeader {
        share_data_pdu,
        stream_priority: StreamPriority::Medium,
        compression_flags: CompressionFlags::empty(),
        compression_type: CompressionType::K8,
    };
    share_control(share_id, ShareControlPdu::Data(header))
}

fn share_control(share_id: u32, share_control_pdu: ShareControlPdu) -> Vec<u8> {
    request(IO_CHANNEL, &ShareControlHeader { share_control_pdu, pdu_source: USER_CHANNEL, share_id })
}

/// One key pressed and released, as fast-path input ([MS-RDPBCGR] 2.2.8.1.2).
pub(super) fn key(scan_code: u8) -> Vec<u8> {
    use ironrdp_pdu::input::fast_path::{FastPathInput, FastPathInputEvent, KeyboardFlags};
    let press = FastPathInputEvent::KeyboardEvent(KeyboardFlags::empty(), scan_code);
    let release = FastPathInputEvent::KeyboardEvent(KeyboardFlags::RELEASE, scan_code);
    encode_vec(&FastPathInput::new(vec![press, release]).unwrap()).unwrap()
}
