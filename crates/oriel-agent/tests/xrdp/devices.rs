//! Drives and printers of FreeRDP in sessions of xrdp, behind what a gateway lets pass of them.

use std::path::Path;

use oriel_agent::host::{SessionHost, SessionId};
use oriel_model::session::SessionState;
use oriel_rdp::channel::{ChannelPolicy, Direction};

use crate::{
    gateway::Gateway,
    rig::{Rig, Running, program},
};

/// The name of the drive, and where sessions have it.
const DRIVE: &str = "shared";
const FOLDER: &str = "thinclient_drives/shared";

/// A session whose client brings a drive and a printer, and which runs this.
struct Opened {
    session: SessionId,
    gateway: Gateway,
    _client: Running,
    drive: tempfile::TempDir,
}

async fn open(rig: &Rig, channels: ChannelPolicy, script: &str) -> Opened {
    let drive = tempfile::tempdir().unwrap();
    std::fs::write(drive.path().join("note.txt"), "from the device").unwrap();
    let seat = rig.seat("alice", program("xterm", &format!("-e '{script}'")));
    let prepared = rig.host().prepare(&seat).await.unwrap();
    let channels = ChannelPolicy { dynamic: true, ..channels };
    let gateway = rig.gateway(&prepared, channels).await;
    let brings = [&format!("/drive:{DRIVE},{}", drive.path().display()), "/printer:Laser,Generic"];
    let client = rig.client_at(gateway.address, "somebody", "something", &brings);
    rig.until("active", || rig.state(seat.session) == Some(SessionState::Active)).await;
    Opened { session: seat.session, gateway, _client: client, drive }
}

fn content(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}

pub async fn drives_and_printers_are_told_apart(rig: &Rig) {
    const LOOKS: &str = "while sleep 0.2; do date +%s.%N > ~/looked; ls ~/thinclient_drives > ~/drives; done";
    let both = ChannelPolicy { drives: Direction::Both, printers: true, ..ChannelPolicy::default() };
    let printers = ChannelPolicy { drives: Direction::None, ..both.clone() };
    for (channels, heard) in [(both, 2), (printers, 1)] {
        let _ = std::fs::remove_file(rig.home("alice").join("drives"));
        let has_drive = channels.drives == Direction::Both;
        let opened = open(rig, channels, LOOKS).await;
        let replies = || opened.gateway.replies.lock().unwrap().len();
        rig.until("xrdp has heard of devices", || replies() == heard).await;
        // It has the whole list by then; what the session sees afterwards is all that it will.
        let drives = || rig.home_file("alice", "drives");
        for _ in 0..2 {
            let before = rig.home_file("alice", "looked");
            rig.until("the session looks again", || rig.home_file("alice", "looked") != before).await;
        }
        if has_drive {
            rig.until("the drive is there", || drives().contains(DRIVE)).await;
        } else {
            assert_eq!(drives(), "", "only printers came");
        }
        assert_eq!(replies(), heard);
        rig.end(opened.session).await;
    }
}

pub async fn files_pass_the_allowed_way_only(rig: &Rig) {
    let script = format!(
        "cd ~; until [ -d {FOLDER} ]; do sleep 0.2; done; cd {FOLDER}; \
         cat note.txt > ~/read; echo saved > out.txt; echo more >> note.txt; \
         rm -f note.txt; mv note.txt moved.txt; echo done > ~/tried; sleep 1000"
    );
    for direction in [Direction::ToSession, Direction::FromSession] {
        for name in ["read", "tried"] {
            let _ = std::fs::remove_file(rig.home("alice").join(name));
        }
        let channels = ChannelPolicy { drives: direction, ..ChannelPolicy::default() };
        let opened = open(rig, channels, &script).await;
        rig.until("the session has tried everything", || rig.home_file("alice", "tried") == "done\n").await;
        let (read, drive) = (rig.home_file("alice", "read"), opened.drive.path());
        let mut names: Vec<_> =
            std::fs::read_dir(drive).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        match direction {
            Direction::ToSession => {
                assert_eq!(read, "from the device");
                assert_eq!(
                    (names, &*content(drive, "note.txt")),
                    (vec!["note.txt".into()], "from the device")
                );
            }
            _ => {
                assert_eq!(read, "", "nothing is read");
                assert_eq!((names, &*content(drive, "out.txt")), (vec!["out.txt".into()], "saved\n"));
            }
        }
        rig.end(opened.session).await;
    }
}
