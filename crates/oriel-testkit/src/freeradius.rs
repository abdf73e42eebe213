//! A real RADIUS server: Debian's FreeRADIUS, on a port and with files of its own.

use std::{
    fs::{self, File},
    net::{SocketAddr, UdpSocket},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::wait;

/// What the server shares with its clients.
pub const SECRET: &str = "testing123";

/// Whether the server signs what it answers with Message-Authenticator. Debian 12's does so only where its
/// configuration says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// With it.
    Signed,
    /// Without, as servers did before 2024.
    Unsigned,
}

/// The running server. Dropping it kills it.
///
/// Its users: `anna` (`pw-anna`), whom it lets in and says something of; `otto` (`pw-otto`), whom it asks for
/// `111111` and then for `222222`; `endless`, whom it asks without end; `echo`, whom it refuses, and
/// tells what the request said.
pub struct FreeRadius {
    directory: TempDir,
    process: Child,
    address: SocketAddr,
}

impl FreeRadius {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// It is not installed, or says why it does not start.
    pub async fn start(answers: Answers) -> anyhow::Result<Self> {
        // Somebody else may take the port that was free a moment ago.
        let mut problem = None;
        for _ in 0..3 {
            let address = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
            match Self::start_at(address, answers).await {
                Ok(server) => return Ok(server),
                Err(error) => problem = Some(error),
            }
        }
        Err(problem.context("never tried")?)
    }

    /// The same at this address.
    ///
    /// # Errors
    /// As [`FreeRadius::start`].
    pub async fn start_at(address: SocketAddr, answers: Answers) -> anyhow::Result<Self> {
        let directory = TempDir::with_prefix("oriel-freeradius-")?;
        let root = directory.path();
        fs::write(root.join("users"), USERS)?;
        fs::write(root.join("radiusd.conf"), configuration(root, address, answers))?;
        let log = File::create(root.join("log"))?;
        let process = Command::new("freeradius")
            .arg("-d")
            .arg(root)
            .args(["-n", "radiusd", "-f", "-X", "-l", "stdout"])
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log)
            .spawn()
            .context("starting freeradius (Debian's package of that name)")?;
        let mut server = Self { directory, process, address };
        let ended = wait::until("freeradius is ready", async || {
            if server.log().contains("Ready to process requests") {
                return Ok(None);
            }
            match server.process.try_wait() {
                Ok(None) => Err(server.log()),
                ended => Ok(Some(ended)),
            }
        })
        .await;
        if let Some(ended) = ended {
            bail!("freeradius ended ({ended:?}): {}", server.log());
        }
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it says of everything that it gets.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.directory.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for FreeRadius {
    fn drop(&mut self) {
        // It has ended if this fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const USERS: &str = r#"
anna	Cleartext-Password := "pw-anna"
	Reply-Message = "Welcome, Anna",
	Filter-Id = "staff",
	Class = 0x0102,
	Session-Timeout = 3600,
	Cisco-AVPair = "shell:priv-lvl=15",
	Fortinet-Group-Name = "remote"
"#;

fn configuration(root: &std::path::Path, address: SocketAddr, answers: Answers) -> String {
    let (ip, port, root) = (address.ip(), address.port(), root.display());
    let signed = match answers {
        Answers::Signed => "update reply {\n Message-Authenticator := 0x00\n }",
        Answers::Unsigned => "ok",
    };
    format!(
        r#"
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {root}
run_dir = {root}
max_request_time = 30
cleanup_delay = 5
max_requests = 4096
security {{
 reject_delay = 0
 status_server = yes
}}
client broker {{
 ipaddr = 127.0.0.1
 secret = {SECRET}
 require_message_authenticator = yes
}}
modules {{
 pap {{
 }}
 chap {{
 }}
 mschap {{
  use_mppe = no
 }}
 always reject {{
  rcode = reject
 }}
 always ok {{
  rcode = ok
 }}
 always handled {{
  rcode = handled
 }}
 files {{
  filename = {root}/users
 }}
}}
server default {{
 listen {{
  type = auth
  ipaddr = {ip}
  port = {port}
 }}
 authorize {{
  if (&User-Name == "echo") {{
   update reply {{
    Reply-Message := "%{{NAS-Identifier}} %{{Calling-Station-Id}} %{{Service-Type}} %{{NAS-Port-Type}} %{{Cisco-AVPair}} %{{Attr-26.12356.3}}"
   }}
   reject
  }}
  elsif (&User-Name == "endless") {{
   update reply {{
    State := 0x656e646c657373
    Reply-Message := "And now?"
   }}
   update control {{
    Auth-Type := CHALLENGE
   }}
  }}
  elsif (&User-Name == "otto") {{
   if (!&State && &User-Password == "pw-otto") {{
    update reply {{
     State := 0x6f6e65
     Reply-Message := "Enter the code"
     Reply-Message += "from your token"
     Prompt := No-Echo
    }}
    update control {{
     Auth-Type := CHALLENGE
    }}
   }}
   elsif (&State == 0x6f6e65 && &User-Password == "111111") {{
    update reply {{
     State := 0x74776f
     Reply-Message := "Enter the next code"
     Prompt := Echo
     Session-Timeout := 30
    }}
    update control {{
     Auth-Type := CHALLENGE
    }}
   }}
   elsif (&State == 0x74776f && &User-Password == "222222") {{
    update control {{
     Auth-Type := Accept
    }}
   }}
   else {{
    update reply {{
     Reply-Message := "That code is wrong"
    }}
    reject
   }}
  }}
  else {{
   files
   chap
   mschap
   pap
  }}
 }}
 authenticate {{
  Auth-Type PAP {{
   pap
  }}
  Auth-Type CHAP {{
   chap
  }}
  Auth-Type MS-CHAP {{
   mschap
  }}
  Auth-Type CHALLENGE {{
   update control {{
    Response-Packet-Type := Access-Challenge
   }}
   handled
  }}
 }}
 post-auth {{
  {signed}
  Post-Auth-Type REJECT {{
   {signed}
  }}
  Post-Auth-Type Challenge {{
   {signed}
  }}
 }}
}}
"#
    )
}
