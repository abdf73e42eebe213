//! Every configuration text that xrdp, sesman and PAM get from us.
//!
//! Sources: xrdp.ini(5) and sesman.ini(5) of 0.9.21 and 0.10, pam.conf(5).

use std::{
    fmt::Write,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use super::{
    layout::{INSIDE, inside_etc, inside_log, xrdp_account},
    version::Version,
};
use crate::{
    apps::find_program,
    session::{LOGON_VARIABLE, SOCKET_VARIABLE},
};

/// Numbers that keep two agents on one machine apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    /// First X display.
    pub(super) first_display: u32,
    /// How many displays may follow it.
    pub(super) displays: u32,
    /// Where sesman listens, on loopback (0.9 only).
    pub(super) sesman_port: u16,
    /// Where xrdp believes that sesman listens: our relay (0.9 only).
    pub(super) relay_port: u16,
}

/// `xrdp.ini`. One kind of session (Xorg), TLS only, no login window: whoever has no one-time logon is
/// disconnected at once.
pub(super) fn xrdp_ini(listen: SocketAddr) -> String {
    let port = match listen.ip() {
        IpAddr::V4(address) => format!("tcp://{address}:{}", listen.port()),
        IpAddr::V6(address) => format!("tcp6://{{{address}}}:{}", listen.port()),
    };
    format!(
        "; Written by the Oriel agent at each start; changes are lost.\n\
         [Globals]\n\
         ini_version=1\n\
         fork=true\n\
         port={port}\n\
         use_vsock=false\n\
         tcp_nodelay=true\n\
         tcp_keepalive=true\n\
         security_layer=tls\n\
         crypt_level=high\n\
         certificate={certificate}\n\
         key_file={key}\n\
         ssl_protocols=TLSv1.2, TLSv1.3\n\
         autorun=Xorg\n\
         allow_channels=true\n\
         allow_multimon=true\n\
         bitmap_cache=true\n\
         bitmap_compression=true\n\
         bulk_compression=true\n\
         hidelogwindow=true\n\
         require_credentials=true\n\
         max_bpp=32\n\
         new_cursors=true\n\
         use_fastpath=both\n\
         ls_top_window_bg_color=262b33\n\
         \n\
         [Logging]\n\
         LogFile={log}\n\
         LogLevel=INFO\n\
         EnableSyslog=false\n\
         \n\
         [Channels]\n\
         rdpdr=true\n\
         rdpsnd=true\n\
         drdynvc=true\n\
         cliprdr=true\n\
         rail=false\n\
         xrdpvr=false\n\
         tcutils=true\n\
         \n\
         [Xorg]\n\
         name=Xorg\n\
         lib=libxup.so\n\
         username=ask\n\
         password=ask\n\
         ip=127.0.0.1\n\
         port=-1\n\
         code=20\n",
        certificate = inside_etc("certificate.pem").display(),
        key = inside_etc("key.pem").display(),
        log = inside_log("xrdp").display(),
    )
}

/// Who reads a `sesman.ini`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// sesman itself, and the channel server that it starts.
    Sesman,
    /// xrdp, which looks up where sesman listens.
    Xrdp,
}

/// `sesman.ini`. Limits on time are ours to keep (xrdp's have a floor of a minute and give no reason), so
/// they are off here. A session is found again by its logon name alone: in 0.9 by the policy "Default", in
/// 0.10 by user id and address, which the relay replaces.
pub(super) fn sesman_ini(numbers: Numbers, version: Version, reader: Reader) -> String {
    let port = match (version.has_tcp_sesman(), reader) {
        (false, Reader::Sesman) => format!("{INSIDE}/sesman/sesman.sock"),
        (false, Reader::Xrdp) => "sesman.socket".to_owned(),
        (true, Reader::Sesman) => numbers.sesman_port.to_string(),
        (true, Reader::Xrdp) if version.lets_clients_choose_the_program() => numbers.relay_port.to_string(),
        (true, Reader::Xrdp) => numbers.sesman_port.to_string(),
    };
    let policy = if version.has_tcp_sesman() { "Default" } else { "UI" };
    // Who may enter the folders of the sessions' sockets (0.10 only): xrdp's own user, where there is one.
    let group = if xrdp_account().is_some() { "xrdp" } else { "root" };
    format!(
        "; Written by the Oriel agent at each start; changes are lost.\n\
         [Globals]\n\
         ListenAddress=127.0.0.1\n\
         ListenPort={port}\n\
         EnableUserWindowManager=false\n\
         DefaultWindowManager={INSIDE}/startwm\n\
         ReconnectScript={INSIDE}/reconnect\n\
         \n\
         [Security]\n\
         AllowRootLogin=false\n\
         MaxLoginRetry=1\n\
         TerminalServerUsers=\n\
         TerminalServerAdmins=oriel-nobody\n\
         AlwaysGroupCheck=false\n\
         RestrictOutboundClipboard=none\n\
         RestrictInboundClipboard=none\n\
         AllowAlternateShell=false\n\
         SessionSockdirGroup={group}\n\
         \n\
         [Sessions]\n\
         X11DisplayOffset={first}\n\
         MaxDisplayNumber={last}\n\
         MaxSessions={count}\n\
         KillDisconnected=false\n\
         DisconnectedTimeLimit=0\n\
         IdleTimeLimit=0\n\
         Policy={policy}\n\
         \n\
         [Logging]\n\
         LogFile={log}\n\
         LogLevel=INFO\n\
         EnableSyslog=false\n\
         \n\
         [Xorg]\n\
         param={xorg}\n\
         param=-config\n\
         param=xrdp/xorg.conf\n\
         param=-noreset\n\
         param=-nolisten\n\
         param=tcp\n\
         param=-logfile\n\
         param=/dev/null\n\
         \n\
         [Chansrv]\n\
         EnableFuseMount={fuse}\n\
         FuseMountName=thinclient_drives\n\
         FileUmask=077\n\
         \n\
         [ChansrvLogging]\n\
         LogLevel=ERROR\n\
         EnableSyslog=false\n\
         \n\
         [SessionVariables]\n\
         {SOCKET_VARIABLE}={INSIDE}/session.sock\n",
        first = numbers.first_display,
        // 0.10 stops at 63 otherwise.
        last = numbers.first_display + numbers.displays - 1,
        count = numbers.displays,
        log = inside_log("sesman").display(),
        fuse = ["fusermount", "fusermount3"].iter().any(|name| find_program(name).is_some()),
        xorg = if Path::new("/usr/lib/xorg/Xorg").exists() { "/usr/lib/xorg/Xorg" } else { "Xorg" },
    )
}

/// The PAM service of sesman. The agent alone decides who logs on. sesman checks one logon at a time, so
/// the check must be fast: one call to the agent's socket, no delay on failure.
pub(super) fn pam_service(version: Version) -> String {
    let name = if version.has_tcp_sesman() {
        String::new()
    } else {
        format!("session required pam_env.so readenv=0 conffile={}\n", inside_etc("pam_env.conf").display())
    };
    format!(
        "# Written by the Oriel agent at each start; changes are lost.\n\
         auth [success=1 default=ignore] pam_exec.so expose_authtok quiet {INSIDE}/oriel agent pam-logon --socket {INSIDE}/pam.sock\n\
         auth requisite pam_deny.so\n\
         auth required pam_permit.so\n\
         account required pam_permit.so\n\
         session required pam_limits.so\n\
         session optional pam_env.so readenv=1 envfile=/etc/default/locale\n\
         {name}\
         session optional pam_mkhomedir.so umask=0077\n\
         -session optional pam_systemd.so\n\
         session optional pam_exec.so quiet {INSIDE}/oriel agent pam-session --socket {INSIDE}/pam.sock\n\
         password requisite pam_deny.so\n"
    )
}

/// Tells the session the name that was logged on with, which 0.10 does not (see `ipm`); pam_env.conf(5).
pub(super) fn pam_env() -> String {
    format!("{LOGON_VARIABLE} OVERRIDE=@{{PAM_RHOST}}\n")
}

/// What sesman starts in every session. Failing to reach it ends the session: nothing else is tried.
pub(super) fn startwm() -> String {
    format!("#!/bin/sh\nexec {INSIDE}/oriel agent session-start\n")
}

/// The host's `nsswitch.conf` with the aliases' file behind the databases that we add to.
pub(super) fn nsswitch(of_host: &str) -> String {
    let mut text = String::new();
    let mut missing = vec!["passwd", "group"];
    for line in of_host.lines() {
        let database = line.split(':').next().unwrap_or_default().trim();
        let found = missing.iter().position(|name| *name == database);
        if let Some(index) = found {
            missing.remove(index);
        }
        let (sources, comment) = line.split_once('#').map_or((line, None), |(l, c)| (l, Some(c)));
        let wants = found.is_some() && !sources.split_ascii_whitespace().any(|word| word == "extrausers");
        if wants {
            // First of all after the files: a directory may be slow, and knows no alias anyway.
            let sources = sources.trim_end();
            let with = match sources.find("files") {
                Some(at) => format!("{} extrausers{}", &sources[..at + 5], &sources[at + 5..]),
                None => format!("{sources} extrausers"),
            };
            text.push_str(&with);
            if let Some(comment) = comment {
                let _ = write!(text, " #{comment}");
            }
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    for database in missing {
        let _ = writeln!(text, "{database}: files extrausers");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Numbers =
        Numbers { first_display: 500, displays: 400, sesman_port: 33_601, relay_port: 33_501 };

    #[test]
    fn the_listener_takes_either_address_family() {
        let check = |listen: &str, expected: &str| {
            let text = xrdp_ini(listen.parse().expect("address"));
            assert!(text.lines().any(|line| line == expected), "{expected} in:\n{text}");
        };
        check("127.0.0.1:13389", "port=tcp://127.0.0.1:13389");
        check("[::1]:3389", "port=tcp6://{::1}:3389");
        check("0.0.0.0:3389", "security_layer=tls");
        check("0.0.0.0:3389", "require_credentials=true");
        check("0.0.0.0:3389", "rail=false");
    }

    #[test]
    fn xrdp_talks_to_sesman_through_a_relay_where_it_must() {
        let check = |version: &str, reader: Reader, expected: &str| {
            let version = Version::parse(version).expect("version");
            let text = sesman_ini(NUMBERS, version, reader);
            assert!(text.lines().any(|line| line == expected), "{expected} in:\n{text}");
        };
        check("xrdp 0.9.21.1", Reader::Xrdp, "ListenPort=33501");
        check("xrdp 0.9.21.1", Reader::Sesman, "ListenPort=33601");
        check("xrdp 0.9.26", Reader::Xrdp, "ListenPort=33601");
        check("xrdp 0.10.1", Reader::Xrdp, "ListenPort=sesman.socket");
        check("xrdp 0.10.1", Reader::Sesman, "ListenPort=/run/xrdp/oriel/sesman/sesman.sock");
        check("xrdp 0.10.1", Reader::Sesman, "Policy=UI");
        check("xrdp 0.10.1", Reader::Sesman, "MaxDisplayNumber=899");
        check("xrdp 0.9.21.1", Reader::Sesman, "Policy=Default");
        check("xrdp 0.10.1", Reader::Sesman, "AllowAlternateShell=false");
        check("xrdp 0.9.21.1", Reader::Sesman, "X11DisplayOffset=500");
    }

    #[test]
    fn aliases_come_right_after_the_files_and_nothing_else_changes() {
        let of_host =
            "# comment\npasswd:         files systemd\ngroup: compat sss # local\nhosts: files dns\n";
        let expected = "# comment\npasswd:         files extrausers systemd\ngroup: compat sss extrausers # local\n\
                        hosts: files dns\n";
        assert_eq!(nsswitch(of_host), expected);
        assert_eq!(nsswitch(expected), expected);
        assert_eq!(nsswitch(""), "passwd: files extrausers\ngroup: files extrausers\n");
    }

    #[test]
    fn a_failed_logon_step_denies_and_a_good_one_skips_the_denial() {
        let version = |text| Version::parse(text).expect("version");
        assert!(pam_service(version("xrdp 0.10.1")).contains("conffile=/run/xrdp/oriel/etc/pam_env.conf\n"));
        let text = pam_service(version("xrdp 0.9.21.1"));
        assert!(!text.contains("conffile"));
        let auth: Vec<&str> = text.lines().filter(|line| line.starts_with("auth")).collect();
        assert!(auth[0].starts_with("auth [success=1 default=ignore] pam_exec.so expose_authtok"));
        assert_eq!(auth[1..], ["auth requisite pam_deny.so", "auth required pam_permit.so"]);
    }
}
