//! What several tests of this crate need.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use oriel_model::{Id, Timestamp, session::ChannelPolicy};
use oriel_wire::ticket::{Claims, Logon, TicketKey};
use zeroize::Zeroizing;

/// A random key.
pub(crate) fn ticket_key(id: u32) -> TicketKey {
    TicketKey::generate(id).expect("random")
}

/// A genuine ticket's content that expires in a minute.
pub(crate) fn claims() -> Claims {
    let now = Timestamp::now();
    Claims {
        connection: Id::generate(now),
        session: Id::generate(now),
        user: Id::generate(now),
        user_name: "alice".into(),
        resource: Id::generate(now),
        host: Id::generate(now),
        host_address: "127.0.0.1:1".into(),
        host_certificate_sha256: "00".repeat(32),
        logon: Logon {
            name: "alice".into(),
            domain: String::new(),
            secret: Zeroizing::new("once".into()),
        },
        alternate_shell: "gnome-calculator".into(),
        working_directory: "/home/alice".into(),
        client_name: "laptop".into(),
        keyboard_layout: 0x407,
        channels: ChannelPolicy::default(),
        expires_at: now + std::time::Duration::from_secs(60),
        connected_until: now + std::time::Duration::from_secs(3_600),
    }
}

/// An empty folder that is removed at the end of the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("oriel-gateway-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("within the folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
