//! `oriel gateway join` and `oriel agent join`: an invitation is exchanged for a certificate of the
//! farm. The key is made here and never leaves the machine; the invitation's secret is never shown.

use std::{
    fs, io,
    io::Read,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use oriel_model::role::Role;
use oriel_net::identity::{self, LoadError, NodeIdentity};
use oriel_wire::{
    enrolment::{self, JoinError, Membership},
    invitation::InvitationString,
};
use zeroize::Zeroizing;

use super::{machine_name, runtime};
use crate::{
    admin,
    failure::{Failure, Outcome},
};

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

/// Joins and says so.
pub fn run(options: &JoinOptions, role: Role) -> Outcome {
    let text = read(&options.invitation)?;
    let invitation: InvitationString = text.parse().map_err(|error| Failure::Usage(format!("{error}")))?;
    if invitation.role != role {
        let invited = invitation.role;
        return Err(Failure::Usage(format!(
            "this invitation is for the role {invited}: use it with oriel {invited} join"
        )));
    }
    if invitation.expires_at <= Timestamp::now() {
        return Err(Failure::Refused(JoinError::Expired(invitation.expires_at).to_string()));
    }
    if !options.again {
        must_be_new(&options.data)?;
    }
    let name = options.name.clone().unwrap_or_else(machine_name);
    let joined = runtime()?.block_on(join(&invitation, role, &options.data, &name))?;
    admin::output::print(&format!(
        "Joined as {role} \"{}\". The identity is kept in {data}; brokers: {}.\n\
         Now run it: oriel {role} run --config FILE, where FILE says data_dir = \"{data}\" \
         (oriel {role} example-config prints all that may stand there).\n",
        joined.name,
        joined.broker_addresses.join(", "),
        data = options.data.display(),
    ))
}

/// Reads the argument, or standard input for "-".
fn read(argument: &str) -> Outcome<Zeroizing<String>> {
    if argument != "-" {
        return Ok(Zeroizing::new(argument.to_owned()));
    }
    let mut text = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .take(INVITATION_MAX)
        .read_to_string(&mut text)
        .map_err(|error| Failure::Usage(format!("cannot read standard input: {error}")))?;
    Ok(text)
}

fn must_be_new(data: &Path) -> Outcome {
    Err(Failure::Refused(match NodeIdentity::load(data) {
        Err(LoadError::Absent(_)) => return Ok(()),
        Ok(identity) => format!(
            "{} already holds the identity of a component of a farm (role {}); give --again to replace it",
            data.display(),
            identity.peer().role
        ),
        Err(error) => format!("{error} (give --again to replace the identity)"),
    }))
}

/// Exchanges the invitation for an identity and keeps it in `data`. An identity that is there already
/// is put aside and comes back when joining fails.
///
/// # Errors
/// A sentence: the invitation is over, no broker answers, or it refuses.
pub async fn join(
    invitation: &InvitationString,
    role: Role,
    data: &Path,
    machine_name: &str,
) -> anyhow::Result<Membership> {
    make_folder(data, role).with_context(|| format!("cannot make {}", data.display()))?;
    let (present, aside) = (data.join(identity::FILE_NAME), data.join("identity.previous.pem"));
    let had_one = match fs::rename(&present, &aside) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error).with_context(|| format!("cannot put {} aside", present.display())),
    };
    let joined = enrolment::join(invitation, role, machine_name, data, Timestamp::now()).await;
    if had_one {
        let settled = if joined.is_ok() { fs::remove_file(&aside) } else { fs::rename(&aside, &present) };
        settled.with_context(|| format!("cannot clear up {}", aside.display()))?;
    }
    Ok(joined?)
}

/// Makes a component's folder, only for its owner. An agent's lets others through to what lies below it,
/// since the session software and the sessions run as other users; what is secret in it is a file that
/// only its owner may read.
fn make_folder(data: &Path, role: Role) -> io::Result<()> {
    let mode = if role == Role::Agent { 0o711 } else { 0o700 };
    if data.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o755).create(data)?;
    fs::set_permissions(data, fs::Permissions::from_mode(mode))
}

/// The brokers' addresses that were kept when joining.
pub fn brokers(data: &Path) -> anyhow::Result<Vec<String>> {
    match Membership::load(data) {
        Ok(membership) => Ok(membership.broker_addresses),
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "this machine has not joined a farm yet: there is nothing in {}; ask an administrator for an \
             invitation (oriel invite) and join with it",
            data.display()
        ),
        Err(error) => Err(error).context("what was kept when joining cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use oriel_model::Id;

    use super::*;

    fn options(role: Role, data: &Path) -> JoinOptions {
        let invitation = InvitationString {
            id: Id::generate(Timestamp::UNIX_EPOCH),
            addresses: vec!["127.0.0.1:1".into()],
            authority_sha256: "ab".repeat(32),
            role,
            secret: Zeroizing::new("hush".into()),
            expires_at: Timestamp::UNIX_EPOCH,
        };
        JoinOptions { invitation: invitation.to_string(), data: data.into(), name: None, again: false }
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_is_sent() {
        let data = std::env::temp_dir().join(format!("oriel-join-{}", std::process::id()));
        let said = |options: &JoinOptions| match run(options, Role::Agent) {
            Ok(()) => String::new(),
            Err(failure) => failure.to_string(),
        };
        assert!(said(&options(Role::Gateway, &data)).contains("oriel gateway join"));
        assert!(said(&options(Role::Agent, &data)).contains("expired at 1970"));
        let rubbish = JoinOptions { invitation: "rubbish".into(), ..options(Role::Agent, &data) };
        assert!(said(&rubbish).contains("this is not an invitation"));
        assert!(!data.exists(), "nothing was written");
    }

    #[test]
    fn an_agents_folder_lets_the_session_software_through_and_no_other_does() {
        let root = std::env::temp_dir().join(format!("oriel-folder-{}", std::process::id()));
        for (role, mode) in [(Role::Agent, 0o711), (Role::Gateway, 0o700)] {
            let folder = root.join(role.as_str());
            make_folder(&folder, role).expect("made");
            assert_eq!(fs::metadata(&folder).expect("there").permissions().mode() & 0o777, mode);
        }
        fs::remove_dir_all(&root).expect("removed");
    }

    #[test]
    fn a_machine_that_has_not_joined_is_told_how() {
        let error = brokers(Path::new("/nowhere")).expect_err("nothing there").to_string();
        assert!(error.contains("has not joined a farm yet") && error.contains("oriel invite"));
    }
}
