//! Which broker the command line talks to, and with which token.
//!
//! Each part comes from the option, else from the environment, else from what `oriel login` kept.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::secret;
use crate::failure::{Failure, Outcome};

/// Options of every command that talks to a broker.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionOptions {
    /// Address of the management API, such as https://broker.example:20443
    #[arg(long, env = "ORIEL_URL", global = true, value_name = "URL")]
    pub url: Option<String>,
    /// File that holds the API token (ORIEL_TOKEN holds the token itself)
    #[arg(long, env = "ORIEL_TOKEN_FILE", global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Certificate (PEM) that the management address must prove itself with; without it, this
    /// machine's certificate authorities decide
    #[arg(long, env = "ORIEL_AUTHORITY", global = true, value_name = "FILE")]
    pub authority: Option<PathBuf>,
}

/// A broker's management API and the token for it.
pub struct Connection {
    /// `https://host:port`.
    pub url: String,
    /// PEM of the certificate authority, if one is pinned.
    pub authority: Option<String>,
    /// The bearer token.
    pub token: Zeroizing<String>,
}

/// The file of `oriel login`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    url: Option<String>,
    authority: Option<String>,
    token: Option<Zeroizing<String>>,
}

/// The environment variable with the token itself. It has no option of its own: what is on a command
/// line, other users of the machine can read.
const TOKEN_VARIABLE: &str = "ORIEL_TOKEN";

impl ConnectionOptions {
    /// What the environment says, where no options were read.
    pub fn or_environment(mut self) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        self.url = self.url.or_else(|| set("ORIEL_URL")?.into_string().ok());
        self.token_file = self.token_file.or_else(|| set("ORIEL_TOKEN_FILE").map(Into::into));
        self.authority = self.authority.or_else(|| set("ORIEL_AUTHORITY").map(Into::into));
        self
    }

    /// Puts option, environment and file together.
    pub fn resolve(&self) -> Outcome<Connection> {
        let kept = Kept::read()?;
        let url = self.url.clone().or(kept.url).ok_or_else(|| {
            Failure::Usage(
                "which farm? Run oriel login once, or give --url https://BROKER:20443 (or set ORIEL_URL)"
                    .into(),
            )
        })?;
        let token = match self.token()? {
            Some(token) => token,
            None => kept.token.ok_or_else(|| {
                Failure::Usage(
                    "there is no API token: run oriel login once, give --token-file FILE, or set ORIEL_TOKEN"
                        .into(),
                )
            })?,
        };
        let authority = self.authority()?.or(kept.authority);
        Ok(Connection { url, authority, token })
    }

    /// The token from the option or the environment.
    pub fn token(&self) -> Outcome<Option<Zeroizing<String>>> {
        if let Some(path) = &self.token_file {
            return secret::from_file(path).map(Some);
        }
        let set = std::env::var(TOKEN_VARIABLE).ok().map(Zeroizing::new);
        Ok(set.map(|token| Zeroizing::new(token.trim().to_owned())).filter(|token| !token.is_empty()))
    }

    /// The pinned authority's PEM from the option or the environment.
    pub fn authority(&self) -> Outcome<Option<String>> {
        let read = |path: &PathBuf| {
            fs::read_to_string(path)
                .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", path.display())))
        };
        self.authority.as_ref().map(read).transpose()
    }
}

impl Connection {
    /// Keeps it for later commands, in a file that only its owner may read. Returns the file's path.
    pub fn keep(&self) -> Outcome<PathBuf> {
        let path = kept_path()?;
        let kept = Kept {
            url: Some(self.url.clone()),
            authority: self.authority.clone(),
            token: Some(self.token.clone()),
        };
        let text = Zeroizing::new(
            toml::to_string(&kept)
                .map_err(|error| Failure::Refused(format!("cannot write the settings: {error}")))?,
        );
        write_private(&path, text.as_bytes())
            .map_err(|error| Failure::Refused(format!("cannot write {}: {error}", path.display())))?;
        Ok(path)
    }

    /// Forgets what was kept. Returns whether there was anything.
    pub fn forget() -> Outcome<bool> {
        let path = kept_path()?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Failure::Refused(format!("cannot remove {}: {error}", path.display()))),
        }
    }
}

impl Kept {
    fn read() -> Outcome<Self> {
        let Ok(path) = kept_path() else { return Ok(Self::default()) };
        let text = match fs::read_to_string(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Failure::Usage(format!("cannot read {}: {error}", path.display()))),
        };
        toml::from_str(&text).map_err(|error| {
            // Only the message: toml's own rendering quotes the line, which may be the token.
            Failure::Usage(format!(
                "{} is damaged ({}): run oriel login again",
                path.display(),
                error.message()
            ))
        })
    }
}

fn kept_path() -> Outcome<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    let base = base.ok_or_else(|| Failure::Usage("neither HOME nor XDG_CONFIG_HOME is set".into()))?;
    Ok(base.join("oriel").join("cli.toml"))
}

/// Writes a file that only its owner may read (0600, its folder 0700), whole or not at all.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let _ = fs::remove_file(&fresh);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    let written =
        file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}
