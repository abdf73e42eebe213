//! Folders of the network, on a real Samba of this machine.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use oriel_agent::host::{Program, ResourceRef, SeatRequest, SessionHost, Start};

use crate::rig::{self, Rig, Running, free_port, program};

/// A share called "office" that is open to everybody, with a folder "plans" in it.
struct Share {
    folder: tempfile::TempDir,
    port: u16,
    _server: Running,
}

impl Share {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("oriel-share-").tempdir().unwrap();
        let own = folder.path().display();
        let port = free_port().port();
        let kept = [
            "pid directory",
            "lock directory",
            "state directory",
            "cache directory",
            "private dir",
            "ncalrpc dir",
        ]
        .map(|what| format!("{what} = {own}/samba\n"))
        .concat();
        let settings = format!(
            "[global]\nserver role = standalone server\nsmb ports = {port}\ninterfaces = 127.0.0.1/8\n\
             bind interfaces only = yes\ndisable netbios = yes\nlog file = {own}/log\nload printers = no\n\
             printcap name = /dev/null\nmap to guest = Bad User\n{kept}\n\
             [office]\npath = {own}/office\nguest ok = yes\nread only = no\nforce user = root\n"
        );
        for made in ["samba", "office/plans"] {
            fs::create_dir_all(folder.path().join(made)).unwrap();
        }
        // Samba wants these closed; its clients pass through the folder above them.
        fs::set_permissions(folder.path().join("samba"), fs::Permissions::from_mode(0o755)).unwrap();
        let file = folder.path().join("smb.conf");
        fs::write(&file, settings).unwrap();
        let mut server = Command::new("smbd");
        server.args(["--foreground", "--no-process-group", "--configfile"]).arg(&file);
        let server = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { port, _server: Running::of(server.expect("the package samba is installed")), folder }
    }

    fn address(&self, below: &str) -> String {
        format!("smb://127.0.0.1:{}/office/{below}", self.port)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join("office").join(below)
    }
}

fn says(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|found| found.trim() == text)
}

/// Programs of the session read and write files of a share, those that know addresses and those that know
/// paths only, and the file manager shows it. Whose share it is, the session asks its user once.
pub async fn a_share_opens_and_its_files_are_read_and_written(rig: &Rig) {
    let share = Share::start();
    rig.until("Samba listens", || std::net::TcpStream::connect(("127.0.0.1", share.port)).is_ok()).await;
    fs::write(share.path("plans/letter.txt"), "Dear all").unwrap();

    let (letter, reply) = (share.address("plans/letter.txt"), share.address("plans/reply.txt"));
    let mounted = format!("gvfs/smb-share:port={},server=127.0.0.1,share=office/plans", share.port);
    let script = rig.path("share.sh");
    // A server that listens may not be ready for its first guest yet.
    let mount = format!("until gio mount --anonymous {}; do sleep 0.2; done\n", share.address(""));
    let mut lines = format!("{mount}gio cat {letter} | gio save {reply}\n");
    // Containers may have none; who knows addresses does not need it.
    let has_paths = Path::new("/dev/fuse").exists();
    if has_paths {
        let copy = "until cat letter.txt; do sleep 0.2; done > ~/letter.txt\ncp ~/letter.txt copy.txt\n";
        let enter = format!("until cd \"$XDG_RUNTIME_DIR/{mounted}\"; do sleep 0.2; done\n");
        lines += &format!("{enter}{copy}cd\n");
    } else {
        rig::say("no /dev/fuse here: shares as paths are left out");
    }
    lines += "exec sleep 1014\n";
    fs::write(&script, lines).unwrap();
    let resource = ResourceRef { id: "shell".into(), name: String::new() };
    let shell = rig.seat("alice", program("xterm", &format!("-T shell -e sh {}", script.display())));
    let seat = SeatRequest { resource, is_shared: true, ..shell };
    let session = seat.session;
    let prepared = rig.host().prepare(&seat).await.unwrap();
    let client = rig.client(&prepared.logon_name, &prepared.one_time_logon, &["/size:1024x768"]);
    let is_in = |name: &str| says(&share.path(name), "Dear all");
    rig.until("a file was read and written by its address", || is_in("plans/reply.txt")).await;
    rig.until("and by its path", || !has_paths || is_in("plans/copy.txt")).await;
    drop(client);

    let manager = Start::Program(Program { opens: share.address("plans"), ..Program::default() });
    let _client = rig.open_in(session, "alice", "share", manager).await;
    let active = ["xdotool", "getactivewindow", "getwindowname"];
    rig.until_display_says(session, &active, &["plans"]).await;
    rig.screenshot("share");
    rig.end(session).await;
    fs::remove_file(script).unwrap();
}
