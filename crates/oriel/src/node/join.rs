//! `oriel gateway join` and `oriel agent join`: an invitation is exchanged for a certificate of the
//! farm. The key is made here and never leaves the machine; the invitation's secret is never shown.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use jiff::Timestamp;
use oriel_model::role::Role;
use oriel_net::{
    connect,
    fingerprint::Fingerprint,
    identity::{KeyRequest, LoadError, NodeIdentity},
    tls,
};
use oriel_wire::{
    invitation::InvitationString,
    v1::{JoinRequest, JoinResponse, enrolment_client::EnrolmentClient},
};
use tonic::Code;
use zeroize::Zeroizing;

use super::{machine_name, runtime};
use crate::{
    admin::write_private,
    failure::{Failure, Outcome},
};

/// The brokers' addresses, one per line, beside the identity.
const BROKERS_FILE: &str = "brokers";

/// How long the broker may take to answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// Longest invitation that is read from standard input, in bytes.
const INVITATION_MAX: u64 = 16 * 1024;

/// `oriel gateway join`, `oriel agent join`.
#[derive(Debug, Args)]
pub struct JoinOptions {
    /// The string that `oriel invite` printed, or - to read it from standard input (so that it is in no
    /// list of processes)
    pub invitation: String,
    /// Where this machine's identity is kept: data_dir of its node file
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Name of this machine for the farm; otherwise its own
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Join although this folder already holds an identity, which is replaced
    #[arg(long)]
    pub again: bool,
}

/// What joining led to.
pub struct Joined {
    /// The component's name in the farm.
    pub name: String,
    /// Where it finds brokers.
    pub brokers: Vec<String>,
}

/// Joins and says so.
pub fn run(options: &JoinOptions, role: Role) -> Outcome {
    let invitation = read(&options.invitation)?;
    if !options.again {
        match NodeIdentity::load(&options.data) {
            Err(LoadError::Absent(_)) => {}
            Ok(identity) => {
                return Err(Failure::Refused(format!(
                    "{} already holds the identity of a {} of a farm; give --again to replace it",
                    options.data.display(),
                    identity.peer().role
                )));
            }
            Err(error) => {
                return Err(Failure::Refused(format!("{error} (give --again to replace the identity)")));
            }
        }
    }
    let name = options.name.clone().unwrap_or_else(machine_name);
    let joined = runtime()?.block_on(join(&invitation, role, &options.data, &name, Timestamp::now()))?;
    crate::admin::print(&format!(
        "Joined as {role} \"{}\". Identity and brokers ({}) are kept in {}.\n",
        joined.name,
        joined.brokers.join(", "),
        options.data.display()
    ))
}

/// Reads the argument, or standard input for "-".
fn read(argument: &str) -> Outcome<Zeroizing<String>> {
    if argument != "-" {
        return Ok(Zeroizing::new(argument.to_owned()));
    }
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .lock()
        .take(INVITATION_MAX)
        .read_to_string(&mut text)
        .map_err(|error| Failure::Usage(format!("cannot read standard input: {error}")))?;
    Ok(text)
}

/// Exchanges the invitation for an identity and keeps it in `data`.
///
/// # Errors
/// A sentence: the string is none or is over, no broker answers, or it refuses.
pub async fn join(
    invitation: &str,
    role: Role,
    data: &Path,
    machine_name: &str,
    now: Timestamp,
) -> anyhow::Result<Joined> {
    let invitation = checked(invitation, role, now)?;
    let authority: Fingerprint =
        invitation.authority_sha256.parse().context("the invitation is damaged: the fingerprint in it")?;
    let request = KeyRequest::generate().context("a key cannot be made")?;
    let csr_pem = request.csr_pem().context("a certificate request cannot be made")?;
    let answer = ask(&invitation, authority, csr_pem, machine_name).await?;
    let identity = request.complete(&answer.certificate_pem, &answer.authority_pem, authority)?;
    ensure!(identity.peer().role == role, "the broker issued a certificate for another role");
    let brokers = if answer.broker_addresses.is_empty() { invitation.addresses } else { answer.broker_addresses };
    // The addresses first: an identity alone would look joined and could reach nobody.
    write_private(&data.join(BROKERS_FILE), (brokers.join("\n") + "\n").as_bytes())
        .and_then(|()| identity.save(data))
        .with_context(|| format!("the identity cannot be kept in {}", data.display()))?;
    Ok(Joined { name: answer.component_name, brokers })
}

/// Reads the string and checks what can be known without asking a broker.
fn checked(text: &str, role: Role, now: Timestamp) -> anyhow::Result<InvitationString> {
    let invitation: InvitationString = text.parse()?;
    if invitation.role != role {
        bail!("this invitation is for a {invited}: use it with oriel {invited} join", invited = invitation.role);
    }
    if now >= invitation.expires_at {
        bail!(
            "this invitation expired at {}: ask for a new one (or set this machine's clock, which says {})",
            invitation.expires_at.strftime("%Y-%m-%d %H:%M UTC"),
            now.strftime("%Y-%m-%d %H:%M UTC")
        );
    }
    Ok(invitation)
}

/// Asks the brokers, who must prove that they belong to the farm of the invitation.
async fn ask(
    invitation: &InvitationString,
    authority: Fingerprint,
    csr_pem: String,
    machine_name: &str,
) -> anyhow::Result<JoinResponse> {
    let tls = tls::joining_client(authority).context("TLS cannot be set up")?;
    let channel = connect::connected_channel(invitation.addresses.clone(), tls).await;
    let channel = channel.map_err(|error| anyhow::anyhow!(innermost(&error))).with_context(|| {
        format!("no broker of the invitation could be reached ({})", invitation.addresses.join(", "))
    })?;
    let request = JoinRequest {
        invitation_id: invitation.id.to_string(),
        secret: invitation.secret.to_string(),
        role: invitation.role.to_string(),
        csr_pem,
        machine_name: machine_name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut client = EnrolmentClient::new(channel);
    let call = client.join(request);
    match tokio::time::timeout(ANSWER_DEADLINE, call).await {
        Err(_) => bail!("the broker did not answer within {} seconds", ANSWER_DEADLINE.as_secs()),
        Ok(Ok(answer)) => Ok(answer.into_inner()),
        Ok(Err(status)) if status.code() == Code::Unauthenticated => {
            bail!("the broker refuses the invitation: it was used already, taken back, or is over; ask for a new one")
        }
        Ok(Err(status)) => bail!("the broker refuses: {}", status.message()),
    }
}

/// tonic says "transport error"; the reason is at the end of the chain.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// The brokers' addresses that were kept when joining.
pub fn brokers(data: &Path) -> anyhow::Result<Vec<String>> {
    let path = data.join(BROKERS_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "this machine has not joined a farm yet: {} is missing; ask an administrator for an invitation \
             (oriel invite) and join with it",
            path.display()
        ),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let found: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    ensure!(!found.is_empty(), "{} names no broker: join again", path.display());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use oriel_model::Id;

    use super::*;

    fn invitation(role: Role, expires_at: Timestamp) -> String {
        InvitationString {
            id: Id::generate(Timestamp::UNIX_EPOCH),
            addresses: vec!["127.0.0.1:1".into()],
            authority_sha256: "ab".repeat(32),
            role,
            secret: Zeroizing::new("hush".into()),
            expires_at,
        }
        .to_string()
    }

    #[test]
    fn what_can_be_known_beforehand_is_said_before_anything_is_sent() {
        let now = Timestamp::from_second(1_800_000_000).expect("in range");
        let later = Timestamp::from_second(1_800_000_060).expect("in range");
        let said = |text: &str, role| match checked(text, role, now) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        assert_eq!(said(&invitation(Role::Gateway, later), Role::Gateway), "");
        assert!(said(&invitation(Role::Gateway, later), Role::Agent).contains("oriel gateway join"));
        assert!(said(&invitation(Role::Agent, now), Role::Agent).contains("expired at 2027-01-15"));
        assert!(said("rubbish", Role::Agent).contains("this is not an invitation"));
    }

    #[test]
    fn nobody_joined_is_told_apart_from_a_damaged_folder() {
        let folder = std::env::temp_dir().join(format!("oriel-join-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        assert!(brokers(&folder).expect_err("none").to_string().contains("has not joined"));
        fs::write(folder.join(BROKERS_FILE), "\n").expect("written");
        assert!(brokers(&folder).expect_err("none").to_string().contains("names no broker"));
        fs::write(folder.join(BROKERS_FILE), "a:1\nb:2\n").expect("written");
        assert_eq!(brokers(&folder).expect("two"), ["a:1", "b:2"]);
        fs::remove_dir_all(&folder).expect("removed");
    }
}
