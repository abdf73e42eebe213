//! A session host that speaks just enough: negotiation, TLS, and messages that the test says.

use bytes::Bytes;
use oriel_model::Timestamp;
use oriel_net::{
    fingerprint::Fingerprint,
    tls::{PortalCertificate, portal_server},
};
use oriel_rdp::{
    frame::{Deframer, Phase},
    x224::{ConnectionConfirm, ConnectionRequest, SecurityProtocols},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::browser::{Browser, SOON};
use crate::testing::Scratch;

pub(super) struct FakeHost {
    listener: TcpListener,
    tls: TlsAcceptor,
    pub(super) address: String,
    pub(super) certificate: Fingerprint,
    _folder: Scratch,
}

/// A connection that the host has accepted.
pub(super) struct Attached {
    pub(super) stream: TlsStream<TcpStream>,
    deframer: Deframer,
}

impl FakeHost {
    pub(super) async fn new() -> Self {
        let folder = Scratch::new();
        let names = ["127.0.0.1".to_owned()];
        let certificate =
            PortalCertificate::self_signed(folder.path(), &names, Timestamp::now()).expect("a certificate");
        let config = portal_server(&certificate).expect("TLS");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self {
            address: listener.local_addr().expect("an address").to_string(),
            listener,
            tls: TlsAcceptor::from(config),
            certificate: certificate.fingerprint(),
            _folder: folder,
        }
    }

    /// Takes the next connection up to the first message inside TLS.
    pub(super) async fn accept(&self) -> Attached {
        let (mut tcp, _) = timeout(SOON, self.listener.accept()).await.expect("someone").expect("accepted");
        let mut request = vec![0; 19];
        tcp.read_exact(&mut request).await.expect("a connection request");
        let request = ConnectionRequest::parse(&request).expect("valid");
        assert_eq!(request.protocols, SecurityProtocols::SSL);
        let confirm = ConnectionConfirm::Selected { protocol: SecurityProtocols::SSL, flags: 1 };
        tcp.write_all(&confirm.encode()).await.expect("written");
        let stream = self.tls.accept(tcp).await.expect("TLS");
        Attached { stream, deframer: Deframer::new(Phase::Rdp) }
    }
}

impl Attached {
    pub(super) async fn frame(&mut self) -> Bytes {
        loop {
            if let Some(frame) = self.deframer.next_frame().expect("RDP") {
                return frame;
            }
            let read = self.stream.read_buf(self.deframer.buffer_mut());
            assert_ne!(timeout(SOON, read).await.expect("a message soon").expect("read"), 0, "the end");
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("written");
        self.stream.flush().await.expect("flushed");
    }

    /// Whether the gateway took leave properly.
    pub(super) async fn ends_cleanly(&mut self) -> bool {
        let mut rest = Vec::new();
        timeout(SOON, self.stream.read_to_end(&mut rest)).await.expect("the end soon").is_ok()
    }

    /// Goes through the connection sequence with a browser and returns what came as Client Info. The ticket
    /// says whether there is a clipboard.
    pub(super) async fn sequence(&mut self, browser: &mut Browser, has_clipboard: bool) -> Bytes {
        let [initial, info] = self.sequence_of(browser, connect_initial(), client_info(&[])).await;
        // The name of a forbidden channel is gone.
        assert_eq!(contains(&initial, b"cliprdr"), has_clipboard);
        assert!(contains(&initial, b"rdpsnd"));
        info
    }

    /// The same with a Connect-Initial and a Client Info of the browser's; returns what came of both.
    pub(super) async fn sequence_of(
        &mut self,
        browser: &mut Browser,
        initial: Vec<u8>,
        info: Vec<u8>,
    ) -> [Bytes; 2] {
        browser.send(initial).await;
        let initial = self.frame().await;
        self.send(&hex(CONNECT_RESPONSE)).await;
        assert_eq!(browser.message().await.len(), hex(CONNECT_RESPONSE).len());
        for join in JOINS {
            browser.send(hex(join)).await;
            assert_eq!(self.frame().await, hex(join));
        }
        browser.send(info).await;
        [initial, self.frame().await]
    }
}

pub(super) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// UTF-16, little endian, as RDP writes text.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub(super) fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hexadecimal")).collect()
}

pub(super) fn connect_initial() -> Vec<u8> {
    hex(CONNECT_INITIAL)
}

pub(super) fn connect_response() -> Vec<u8> {
    hex(CONNECT_RESPONSE)
}

/// [MS-RDPBCGR] 4.1.10: an info packet with a domain, a user, no password and no program, and this extended
/// info.
pub(super) fn client_info(extended: &[u8]) -> Vec<u8> {
    let mut user_data = hex("40 00 00 00
         09 04 09 04 b3 43 00 00 0a 00 0c 00 00 00 00 00 00 00
         4e 00 54 00 44 00 45 00 56 00 00 00 65 00 6c 00 74 00 6f 00 6e 00 73 00 00 00 00 00 00 00 00 00");
    user_data.extend(extended);
    let length = u16::try_from(user_data.len()).expect("short");
    let mut frame = vec![3, 0];
    frame.extend((length + 15).to_be_bytes());
    frame.extend([2, 0xf0, 0x80, 0x64, 0, 6, 3, 0xeb, 0x70]);
    frame.extend((length | 0x8000).to_be_bytes());
    frame.extend(user_data);
    frame
}

/// [MS-RDPBCGR] 4.1.3, with drdynvc in place of rdpdr: three channels, drdynvc, cliprdr and rdpsnd.
const CONNECT_INITIAL: &str = "
    03 00 01 a0 02 f0 80 7f 65 82 01 94 04 01 01 04 01 01 01 01 ff 30 19 02 01 22 02 01 02 02 01 00
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
    0d 00 00 00 00 00 00 00 02 c0 0c 00 1b 00 00 00 00 00 00 00 03 c0 2c 00 03 00 00 00 64 72 64 79
    6e 76 63 00 00 00 80 80 63 6c 69 70 72 64 72 00 00 00 a0 c0 72 64 70 73 6e 64 00 00 00 00 00 c0";

/// What xrdp 0.9.21 answers to it over TLS: channels 1004, 1005 and 1006.
const CONNECT_RESPONSE: &str = "
    03 00 00 6d 02 f0 80 7f 66 63 0a 01 00 02 01 00 30 1a 02 01 16 02 01 03 02 01 00 02 01 01 02 01 00 02 01 01
    02 03 00 ff f8 02 01 02 04 3f 00 05 00 14 7c 00 01 2a 14 76 0a 01 01 00 01 c0 00 4d 63 44 6e 80 28 01 0c
    0c 00 04 00 08 00 01 00 00 00 03 0c 10 00 eb 03 03 00 ec 03 ed 03 ee 03 00 00 02 0c 0c 00 00 00 00 00 00
    00 00 00";

/// [MS-RDPBCGR] 4.1.5 to 4.1.8: Erect Domain, Attach User, Channel Join.
const JOINS: [&str; 3] =
    ["03 00 00 0c 02 f0 80 04 01 00 01 00", "03 00 00 08 02 f0 80 28", "03 00 00 0c 02 f0 80 38 00 06 03 ef"];
