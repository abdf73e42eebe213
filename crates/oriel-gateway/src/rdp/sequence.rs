//! The connection sequence: every message of both sides goes through the rewriter until the logon has
//! gone to the host.

use std::net::IpAddr;

use bytes::Bytes;
use oriel_model::{
    policy::{self, ClipboardKind},
    session::{self, EndReason},
};
use oriel_net::relay::{Meter, Side};
use oriel_rdp::{
    channel::{ChannelFilter, ChannelPolicy, ClipboardPolicy, Direction, Kinds},
    clean_path::{self, Failure},
    connection_sequence::{ConnectionSettings, Logon, Party, Rewriter, SequenceError, StartProgram},
    quality::Quality,
    x224::SecurityProtocols,
};
use oriel_wire::ticket::Claims;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

use super::{Browser, End, host::Host};
use crate::{
    connections::Ending,
    limits::{SEQUENCE_BYTES_MAX, SEQUENCE_TIMEOUT},
    websocket::{Incoming, Opcode},
};

/// What the browser's client is told of the host's address. It wants one that it can parse and does
/// nothing with it; the real one is not its business.
const HIDDEN_ADDRESS: &str = "0.0.0.0:3389";

/// Close code for a browser that does not keep to the protocol (RFC 6455, 7.4.1).
const PROTOCOL_ERROR: u16 = 1002;

/// Answers the opening message and carries both sides through the sequence.
///
/// # Errors
/// How the connection ended.
pub(super) async fn run<B, H>(
    browser: &mut Browser<B>,
    host: &mut Host<H>,
    request: &clean_path::Request,
    claims: Claims,
    client: IpAddr,
    meter: &Meter,
) -> Result<ChannelFilter, End>
where
    B: AsyncRead + AsyncWrite + Send,
    H: AsyncRead + AsyncWrite + Send,
{
    let refused = |error: &dyn std::fmt::Display| {
        End::Refused(Failure::General, Ending::new(EndReason::HostFailed, error.to_string()))
    };
    let settings = settings(claims, client, request.connection_request.protocols);
    let mut rewriter = Rewriter::new(settings).map_err(|error| refused(&error))?;
    let chain = std::mem::take(&mut host.chain);
    let answer = clean_path::success(HIDDEN_ADDRESS, &host.confirm, chain);
    browser.writer.queue(answer.map_err(|error| refused(&error))?);
    match timeout(SEQUENCE_TIMEOUT, exchange(browser, host, &mut rewriter, meter)).await {
        Ok(Ok(())) => rewriter.finish().ok_or_else(|| refused(&"the connection sequence is incomplete")),
        Ok(Err(end)) => Err(end),
        Err(_) => {
            Err(End::ByGateway(Ending::new(EndReason::NetworkLost, "the connection sequence took too long")))
        }
    }
}

async fn exchange<B, H>(
    browser: &mut Browser<B>,
    host: &mut Host<H>,
    rewriter: &mut Rewriter,
    meter: &Meter,
) -> Result<(), End>
where
    B: AsyncRead + AsyncWrite + Send,
    H: AsyncRead + AsyncWrite + Send,
{
    loop {
        while !rewriter.is_done() {
            let Some(frame) = next(&mut browser.reader.deframer, Party::Client)? else { break };
            host.writer.queue(rewriter.client_frame(frame).map_err(broken)?);
        }
        host.writer.send().await.map_err(|error| host_gone(&error))?;
        while let Some(frame) = next(&mut host.reader.deframer, Party::Host)? {
            browser.writer.queue(rewriter.host_frame(frame).map_err(broken)?);
        }
        browser.writer.send().await.map_err(|error| browser_gone(&error))?;
        if rewriter.is_done() {
            return Ok(());
        }
        tokio::select! {
            incoming = browser.reader.next() => match incoming {
                Ok(Incoming::Data { bytes, .. }) => {
                    meter.count(Side::Client, bytes.len());
                    browser.reader.deframer.push(bytes);
                }
                Ok(Incoming::Ping(payload)) => {
                    browser.writer.queue_control(Opcode::Pong, payload);
                }
                Ok(Incoming::Pong(_)) => {}
                Ok(Incoming::Close(_)) => {
                    let ending = Ending::new(EndReason::Disconnected, "the browser closed the connection");
                    return Err(End::ByBrowser(ending, Some(1000)));
                }
                Err(error) => return Err(browser_gone(&error)),
            },
            read = host.reader.read() => match read {
                Ok(0) => return Err(host_gone(&"it closed the connection")),
                Ok(count) => meter.count(Side::Host, count),
                Err(error) => return Err(host_gone(&error)),
            },
        }
        if meter.to_host().max(meter.to_client()) > SEQUENCE_BYTES_MAX {
            let ending = Ending::new(EndReason::Disconnected, "the connection sequence is too long");
            return Err(End::ByBrowser(ending, Some(PROTOCOL_ERROR)));
        }
    }
}

fn next(deframer: &mut oriel_rdp::frame::Deframer, party: Party) -> Result<Option<Bytes>, End> {
    deframer.next_frame().map_err(|error| by(party, Ending::new(reason(party), error)))
}

fn broken(error: SequenceError) -> End {
    by(error.party(), Ending::new(reason(error.party()), error))
}

fn by(party: Party, ending: Ending) -> End {
    match party {
        Party::Client => End::ByBrowser(ending, Some(PROTOCOL_ERROR)),
        Party::Host => End::ByHost(ending),
    }
}

/// What to call it when a side does not keep to the protocol. The session itself is not touched by a
/// client that does not.
fn reason(party: Party) -> EndReason {
    match party {
        Party::Client => EndReason::Disconnected,
        Party::Host => EndReason::HostFailed,
    }
}

fn host_gone(error: &dyn std::fmt::Display) -> End {
    let detail = format!("the host left during the connection sequence: {error}");
    End::ByHost(Ending::new(EndReason::HostFailed, detail))
}

fn browser_gone(error: &dyn std::fmt::Display) -> End {
    let detail = format!("the browser left during the connection sequence: {error}");
    End::ByBrowser(Ending::new(EndReason::NetworkLost, detail), None)
}

/// What the ticket says, in the terms of the connection sequence.
fn settings(claims: Claims, client: IpAddr, offered: SecurityProtocols) -> ConnectionSettings {
    let layout = (claims.keyboard_layout != 0).then_some(claims.keyboard_layout);
    let channels = channels(&claims);
    ConnectionSettings {
        logon: Logon { user: claims.logon.name, domain: claims.logon.domain, password: claims.logon.secret },
        program: StartProgram { command: claims.alternate_shell, directory: claims.working_directory },
        client_name: Some(claims.client_name).filter(|name| !name.is_empty()),
        client_address: Some(client),
        keyboard_layout: layout,
        selected_protocol: SecurityProtocols::SSL,
        client_requested_protocols: Some(offered),
        // Also on a slow network: the browser's client and xrdp's pictures want it, and xrdp 0.9 leads whoever
        // asks for another depth to another session.
        force_32_bpp: true,
        quality: match claims.quality {
            policy::Quality::Automatic => None,
            policy::Quality::Slow => Some(Quality::Slow),
            policy::Quality::Fast => Some(Quality::Fast),
        },
        channels,
    }
}

/// What the farm has no setting for, as smart cards and ports, stays shut. Resizing, touch and the newer
/// pictures run in dynamic channels, of which only those open that the rest of this allows.
fn channels(claims: &Claims) -> ChannelPolicy {
    let session::ChannelPolicy { clipboard: may_copy, drives, audio, microphone, printers } = claims.channels;
    ChannelPolicy {
        clipboard: if may_copy { clipboard(&claims.clipboard) } else { ClipboardPolicy::default() },
        drives: if drives { direction(claims.drives) } else { Direction::None },
        printers,
        audio,
        microphone,
        dynamic: true,
        ..ChannelPolicy::default()
    }
}

/// No kinds are all kinds.
fn clipboard(policy: &policy::Clipboard) -> ClipboardPolicy {
    let has = |kind| policy.kinds.is_empty() || policy.kinds.contains(&kind);
    ClipboardPolicy {
        direction: direction(policy.direction),
        kinds: Kinds {
            text: has(ClipboardKind::Text),
            html: has(ClipboardKind::Html),
            images: has(ClipboardKind::Images),
            files: has(ClipboardKind::Files),
            others: has(ClipboardKind::Others),
        },
        max_bytes: policy.max_kib.map(|kib| u64::from(kib) * 1024),
    }
}

fn direction(direction: policy::Direction) -> Direction {
    match direction {
        policy::Direction::None => Direction::None,
        policy::Direction::ToSession => Direction::ToSession,
        policy::Direction::FromSession => Direction::FromSession,
        policy::Direction::Both => Direction::Both,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_ticket_decides_what_the_host_is_told() {
        let mut claims = testing::claims();
        claims.channels = session::ChannelPolicy { audio: false, microphone: false, ..Default::default() };
        let settings = settings(claims, [10, 0, 0, 1].into(), SecurityProtocols::SSL);
        assert_eq!((&*settings.logon.user, &**settings.logon.password), ("alice", "once"));
        assert_eq!(settings.program.command, "gnome-calculator");
        assert_eq!(settings.keyboard_layout, Some(0x407));
        assert!(
            settings.force_32_bpp && settings.channels.clipboard.is_allowed() && settings.channels.dynamic
        );
        assert!(!settings.channels.audio && !settings.channels.microphone);
        assert!(!settings.channels.remote_app && !settings.channels.assistance);
    }

    #[test]
    fn what_the_ticket_leaves_open_is_the_client_s() {
        let mut claims = testing::claims();
        claims.keyboard_layout = 0;
        claims.client_name = String::new();
        let settings = settings(claims, [10, 0, 0, 1].into(), SecurityProtocols::SSL);
        assert_eq!((settings.keyboard_layout, settings.client_name), (None, None));
    }

    #[test]
    fn devices_sound_and_quality_are_what_the_ticket_says() {
        let mut claims = testing::claims();
        claims.drives = policy::Direction::ToSession;
        claims.channels.microphone = false;
        claims.quality = policy::Quality::Slow;
        let said = settings(claims.clone(), [10, 0, 0, 1].into(), SecurityProtocols::SSL);
        assert_eq!(said.quality, Some(Quality::Slow));
        assert_eq!(said.channels.drives, Direction::ToSession);
        assert!(said.channels.printers && said.channels.audio && !said.channels.microphone);
        assert!(!said.channels.smart_cards && !said.channels.ports);
        claims.channels = session::ChannelPolicy {
            drives: false,
            audio: false,
            microphone: true,
            printers: false,
            clipboard: false,
        };
        claims.quality = policy::Quality::Automatic;
        let said = settings(claims, [10, 0, 0, 1].into(), SecurityProtocols::SSL);
        let microphone = ChannelPolicy { microphone: true, dynamic: true, ..ChannelPolicy::default() };
        assert_eq!((said.quality, said.channels), (None, microphone));
    }

    #[test]
    fn the_clipboard_is_what_the_ticket_says() {
        let mut claims = testing::claims();
        let clipboard = |claims: &Claims| channels(claims).clipboard;
        assert_eq!(clipboard(&claims), ClipboardPolicy::ALL);
        claims.clipboard = policy::Clipboard {
            direction: policy::Direction::ToSession,
            kinds: vec![ClipboardKind::Text, ClipboardKind::Images],
            max_kib: Some(2),
        };
        let expected = ClipboardPolicy {
            direction: Direction::ToSession,
            kinds: Kinds { images: true, ..Kinds::TEXT },
            max_bytes: Some(2_048),
        };
        assert_eq!(clipboard(&claims), expected);
        claims.channels.clipboard = false;
        assert!(!clipboard(&claims).is_allowed());
    }
}
