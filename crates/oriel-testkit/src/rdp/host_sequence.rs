//! The host's side of the connection sequence ([MS-RDPBCGR] 1.3.1.1).

use anyhow::{Context as _, bail};
use bytes::Bytes;
use ironrdp_core::decode;
use ironrdp_pdu::{
    gcc::{
        ConferenceCreateResponse, RdpVersion, ServerCoreData, ServerCoreOptionalData, ServerGccBlocks,
        ServerMessageChannelData, ServerNetworkData, ServerSecurityData,
    },
    mcs::{
        AttachUserConfirm, ChannelJoinConfirm, ConnectInitial, ConnectResponse, DisconnectProviderUltimatum,
        DisconnectReason, DomainParameters, McsMessage,
    },
    nego::{ConnectionConfirm, ConnectionRequest, FailureCode, ResponseFlags, SecurityProtocol},
    rdp::{
        ClientInfoPdu,
        capability_sets::{
            Bitmap, BitmapDrawingFlags, CapabilitySet, DemandActive, General, GeneralExtraFlags, Input,
            InputFlags, SERVER_CHANNEL_ID, ServerDemandActive, VirtualChannel, VirtualChannelFlags,
        },
        client_info::{ClientInfo, CompressionType},
        finalization_messages::{ControlAction, ControlPdu, FontPdu, SynchronizePdu},
        headers::{
            CompressionFlags, ShareControlHeader, ShareControlPdu, ShareDataHeader, ShareDataPdu,
            StreamPriority,
        },
        server_license::{LicensePdu, LicensingErrorMessage},
    },
    x224::{X224, X224Data},
};
use oriel_model::Timestamp;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::{
    IO_CHANNEL, USER_CHANNEL,
    connection::{HostConnection, Seen},
    frames::{Frames, indication, x224, x224_data},
    host::{Shared, Stage},
};

const SHARE_ID: u32 = 0x1_0001;

/// X.224: what comes before TLS.
pub(super) async fn negotiate(
    mut stream: TcpStream,
    shared: &Shared,
    connection: &HostConnection,
) -> anyhow::Result<(TcpStream, SecurityProtocol)> {
    shared.pass(connection, Stage::Accepted, &mut stream).await?;
    let mut frames = Frames::new(stream);
    let request = frames.expect("a Connection Request").await?;
    let offered = decode::<X224<ConnectionRequest>>(&request)?.0.protocol;
    let mut stream = frames.into_inner();
    shared.pass(connection, Stage::Requested, &mut stream).await?;
    let mut frames = Frames::new(stream);
    if !offered.contains(SecurityProtocol::SSL) {
        frames.send(&x224(ConnectionConfirm::Failure { code: FailureCode::SSL_REQUIRED_BY_SERVER })).await?;
        bail!("the client does not offer TLS");
    }
    let flags = ResponseFlags::EXTENDED_CLIENT_DATA_SUPPORTED;
    frames.send(&x224(ConnectionConfirm::Response { flags, protocol: SecurityProtocol::SSL })).await?;
    Ok((frames.into_inner(), offered))
}

/// Everything from the Connect-Initial to the Font Map.
pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    frames: &mut Frames<S>,
    offered: SecurityProtocol,
    shared: &Shared,
    connection: &HostConnection,
) -> anyhow::Result<()> {
    let initial = frames.expect("a Connect-Initial").await?;
    let data = decode::<X224<X224Data<'_>>>(&initial)?.0.data;
    let gcc = decode::<ConnectInitial>(&data)?.conference_create_request.into_gcc_blocks();
    let seen = Seen { offered, gcc: gcc.clone(), joined: Vec::new(), info: None };
    connection.state_mut(|slot, _| *slot = Some(seen));
    shared.pass(connection, Stage::Initial, frames.stream_mut()).await?;

    let count = gcc.network.as_ref().map_or(0, |network| network.channels.len()) as u16;
    let channel_ids: Vec<u16> = (1..=count).map(|number| IO_CHANNEL + number).collect();
    let message_channel = gcc
        .message_channel
        .is_some()
        .then_some(ServerMessageChannelData { mcs_message_channel_id: IO_CHANNEL + count + 1 });
    let blocks = ServerGccBlocks {
        core: ServerCoreData {
            version: RdpVersion::V5_PLUS,
            optional_data: ServerCoreOptionalData {
                client_requested_protocols: Some(offered),
                early_capability_flags: None,
            },
        },
        network: ServerNetworkData { channel_ids, io_channel: IO_CHANNEL },
        security: ServerSecurityData::no_security(),
        message_channel,
        multi_transport_channel: None,
    };
    let response = ConnectResponse {
        conference_create_response: ConferenceCreateResponse::new(USER_CHANNEL, blocks)?,
        called_connect_id: 1,
        domain_parameters: DomainParameters::target(),
    };
    frames.send(&x224_data(&response)).await?;

    let info = join(frames, connection).await?;
    connection.state_mut(|seen, _| {
        if let Some(seen) = seen {
            seen.info = Some(info.clone());
        }
    });
    shared.pass(connection, Stage::Info, frames.stream_mut()).await?;
    log_on(&info, shared, connection)?;
    let license: LicensePdu = LicensingErrorMessage::new_valid_client()?.into();
    frames.send(&indication(IO_CHANNEL, &license)).await?;

    let core = &gcc.core;
    frames.send(&demand_active(core.desktop_width, core.desktop_height)).await?;
    loop {
        let frame = frames.expect("the Font List").await?;
        let Some((IO_CHANNEL, user_data)) = super::user_data_of(&frame) else { continue };
        let header = decode::<ShareControlHeader>(&user_data)?;
        if let ShareControlPdu::Data(data) = header.share_control_pdu
            && matches!(data.share_data_pdu, ShareDataPdu::FontList(_))
        {
            break;
        }
    }
    let control =
        |action, grant_id, control_id| ShareDataPdu::Control(ControlPdu { action, grant_id, control_id });
    for answer in [
        ShareDataPdu::Synchronize(SynchronizePdu { target_user_id: USER_CHANNEL }),
        control(ControlAction::Cooperate, 0, 0),
        control(ControlAction::GrantedControl, USER_CHANNEL, SERVER_CHANNEL_ID.into()),
        ShareDataPdu::FontMap(FontPdu::default()),
    ] {
        frames.send(&share_data(answer)).await?;
    }
    Ok(())
}

/// Confirms joins until the Client Info comes.
async fn join<S: AsyncRead + AsyncWrite + Unpin>(
    frames: &mut Frames<S>,
    connection: &HostConnection,
) -> anyhow::Result<ClientInfo> {
    loop {
        let frame = frames.expect("the Client Info").await?;
        match decode::<X224<McsMessage<'_>>>(&frame)?.0 {
            McsMessage::ErectDomainRequest(_) => {}
            McsMessage::AttachUserRequest(_) => {
                frames.send(&x224(AttachUserConfirm { result: 0, initiator_id: USER_CHANNEL })).await?;
            }
            McsMessage::ChannelJoinRequest(request) => {
                connection.state_mut(|seen, _| {
                    if let Some(seen) = seen {
                        seen.joined.push(request.channel_id);
                    }
                });
                let confirm = ChannelJoinConfirm {
                    result: 0,
                    initiator_id: USER_CHANNEL,
                    requested_channel_id: request.channel_id,
                    channel_id: request.channel_id,
                };
                frames.send(&x224(confirm)).await?;
            }
            McsMessage::SendDataRequest(data) => {
                return Ok(decode::<ClientInfoPdu>(&data.user_data).context("the Client Info")?.client_info);
            }
            other => bail!("unexpected during the joins: {other:?}"),
        }
    }
}

fn log_on(info: &ClientInfo, shared: &Shared, connection: &HostConnection) -> anyhow::Result<()> {
    let Some(host) = shared.logons() else { return Ok(()) };
    let credentials = &info.credentials;
    match host.log_on(&credentials.username, &credentials.password, Timestamp::now()) {
        Some(logged_on) => connection.state_mut(|_, slot| *slot = Some(logged_on)),
        None => bail!("the logon of {} was refused", credentials.username),
    }
    Ok(())
}

fn demand_active(desktop_width: u16, desktop_height: u16) -> Vec<u8> {
    let capability_sets = vec![
        CapabilitySet::General(General {
            extra_flags: GeneralExtraFlags::FASTPATH_OUTPUT_SUPPORTED,
            ..Default::default()
        }),
        CapabilitySet::Bitmap(Bitmap {
            pref_bits_per_pix: 32,
            desktop_width,
            desktop_height,
            desktop_resize_flag: true,
            drawing_flags: BitmapDrawingFlags::empty(),
        }),
        CapabilitySet::Input(Input {
            input_flags: InputFlags::SCANCODES | InputFlags::UNICODE | InputFlags::FASTPATH_INPUT_2,
            keyboard_layout: 0,
            keyboard_type: None,
            keyboard_subtype: 0,
            keyboard_function_key: 128,
            keyboard_ime_filename: String::new(),
        }),
        CapabilitySet::VirtualChannel(VirtualChannel {
            flags: VirtualChannelFlags::NO_COMPRESSION,
            chunk_size: None,
        }),
    ];
    let pdu = DemandActive { source_descriptor: String::new(), capability_sets };
    share_control(ShareControlPdu::ServerDemandActive(ServerDemandActive { pdu }))
}

fn share_control(share_control_pdu: ShareControlPdu) -> Vec<u8> {
    let header = ShareControlHeader { share_control_pdu, pdu_source: IO_CHANNEL, share_id: SHARE_ID };
    indication(IO_CHANNEL, &header)
}

fn share_data(share_data_pdu: ShareDataPdu) -> Vec<u8> {
    share_control(ShareControlPdu::Data(ShareDataHeader {
        share_data_pdu,
        stream_priority: StreamPriority::Undefined,
        compression_flags: CompressionFlags::empty(),
        compression_type: CompressionType::K8,
    }))
}

/// Set Error Info with any code, written by hand because the library knows only codes with names
/// ([MS-RDPBCGR] 2.2.5.1.1).
pub(super) fn error_info(code: u32) -> Vec<u8> {
    let mut data = Vec::new();
    data.extend(22u16.to_le_bytes()); // total length
    data.extend(0x17u16.to_le_bytes()); // a data PDU, version 1
    data.extend(IO_CHANNEL.to_le_bytes());
    data.extend(SHARE_ID.to_le_bytes());
    data.extend([0, 1]); // padding, stream
    data.extend(8u16.to_le_bytes()); // uncompressed length
    data.extend([0x2f, 0, 0, 0]); // Set Error Info, not compressed
    data.extend(code.to_le_bytes());
    x224(ironrdp_pdu::mcs::SendDataIndication {
        initiator_id: USER_CHANNEL,
        channel_id: IO_CHANNEL,
        user_data: data.into(),
    })
}

pub(super) fn ultimatum() -> Bytes {
    x224(DisconnectProviderUltimatum::from_reason(DisconnectReason::UserRequested)).into()
}
