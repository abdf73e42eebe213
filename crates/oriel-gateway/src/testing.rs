//! What several tests of this crate need.

use std::path::Path;

use oriel_model::{
    Id, Timestamp,
    logon::LaunchTimes,
    policy::{Clipboard, Direction, Quality},
    session::ChannelPolicy,
};
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
        logon: Logon { name: "alice".into(), domain: String::new(), secret: Zeroizing::new("once".into()) },
        alternate_shell: "gnome-calculator".into(),
        working_directory: "/home/alice".into(),
        client_name: "laptop".into(),
        keyboard_layout: 0x407,
        channels: ChannelPolicy::default(),
        clipboard: Clipboard::default(),
        drives: Direction::Both,
        quality: Quality::Automatic,
        max_kbits: None,
        times: LaunchTimes::default(),
        expires_at: now + std::time::Duration::from_secs(60),
        connected_until: now + std::time::Duration::from_secs(3_600),
    }
}

/// An empty folder that is removed at the end of the test.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the test"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("within the folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
}
