//! One connection as `ironrdp-server` wants it described: its logon, its keyboard and its picture.

use std::{
    num::{NonZeroU16, NonZeroUsize},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use ironrdp_server::{
    BitmapUpdate, CredentialDecision, CredentialValidationError, CredentialValidator, Credentials,
    DesktopSize, DisplayUpdate, KeyboardEvent, MouseEvent, PixelFormat, RdpServer, RdpServerDisplay,
    RdpServerDisplayUpdates, RdpServerInputHandler,
};
use tokio::{
    sync::{Mutex, mpsc},
    time::{Interval, interval},
};
use tokio_rustls::TlsAcceptor;

use crate::protocol::{self, Event};

/// The edge of the square that changes, in pixels. A multiple of 4, as the library's encoder wants it.
const TILE: u16 = 64;

/// Time between two pictures.
const PICTURE_INTERVAL: Duration = Duration::from_millis(50);

/// A server for one connection. `answers` decide on its logon.
pub fn server(number: u64, tls: TlsAcceptor, answers: mpsc::UnboundedReceiver<bool>) -> RdpServer {
    let logons = AskedLogons { number, answers: Mutex::new(answers) };
    RdpServer::builder()
        // It is handed the stream and never listens.
        .with_addr(([127, 0, 0, 1], 0))
        .with_tls(tls)
        .with_input_handler(Keyboard { number })
        .with_display_handler(Screen { size: DesktopSize { width: 1024, height: 768 } })
        .with_honor_client_desktop_size(true)
        .with_credential_validator(Some(std::sync::Arc::new(logons)))
        .build()
}

/// Passes the decision on a logon on to whoever started the program.
struct AskedLogons {
    number: u64,
    answers: Mutex<mpsc::UnboundedReceiver<bool>>,
}

#[async_trait]
impl CredentialValidator for AskedLogons {
    async fn validate(&self, logon: &Credentials) -> Result<CredentialDecision, CredentialValidationError> {
        let (name, secret) = (logon.username.clone(), logon.password.clone());
        protocol::tell(self.number, Event::Logon { name, secret });
        match self.answers.lock().await.recv().await {
            Some(true) => Ok(CredentialDecision::Accept),
            // None: the program ends.
            Some(false) | None => Ok(CredentialDecision::Reject),
        }
    }
}

/// Tells of keys. The mouse is not listened to.
struct Keyboard {
    number: u64,
}

impl RdpServerInputHandler for Keyboard {
    fn keyboard(&mut self, event: KeyboardEvent) {
        let (scan_code, pressed) = match event {
            KeyboardEvent::Pressed { code, .. } => (code, true),
            KeyboardEvent::Released { code, .. } => (code, false),
            _ => return,
        };
        protocol::tell(self.number, Event::Key { scan_code, pressed });
    }

    fn mouse(&mut self, _: MouseEvent) {}
}

/// A desktop of the size that the client asks for, with a square in a corner that changes its colours.
struct Screen {
    size: DesktopSize,
}

#[async_trait]
impl RdpServerDisplay for Screen {
    async fn size(&mut self) -> DesktopSize {
        self.size
    }

    async fn request_initial_size(&mut self, client_size: DesktopSize) -> DesktopSize {
        self.size = client_size;
        client_size
    }

    async fn updates(&mut self) -> anyhow::Result<Box<dyn RdpServerDisplayUpdates>> {
        Ok(Box::new(MovingPicture { interval: interval(PICTURE_INTERVAL), count: 0 }))
    }
}

struct MovingPicture {
    interval: Interval,
    count: u8,
}

#[async_trait]
impl RdpServerDisplayUpdates for MovingPicture {
    /// Safe to drop: nothing changes before the tick has come.
    async fn next_update(&mut self) -> anyhow::Result<Option<DisplayUpdate>> {
        self.interval.tick().await;
        self.count = self.count.wrapping_add(1);
        Ok(Some(DisplayUpdate::Bitmap(tile(self.count))))
    }
}

/// A square whose pixels differ from each other and from those of every other `count`.
fn tile(count: u8) -> BitmapUpdate {
    let edge = u8::try_from(TILE).expect("it is below 256");
    let pixels =
        (0..edge).flat_map(|y| (0..edge).map(move |x| [x ^ count, y.wrapping_add(count), count, 0xff]));
    let size = NonZeroU16::new(TILE).expect("it is not zero");
    BitmapUpdate {
        x: 0,
        y: 0,
        width: size,
        height: size,
        format: PixelFormat::BgrX32,
        data: Bytes::from_iter(pixels.flatten()),
        stride: NonZeroUsize::from(size).saturating_mul(NonZeroUsize::new(4).expect("it is not zero")),
    }
}
