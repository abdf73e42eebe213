//! The farm key: seals the secrets in the store. It lies in a file outside the store, so that a
//! copy of the store alone opens nothing.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use ring::{
    aead::{AES_256_GCM, LessSafeKey, UnboundKey},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

/// Length of a farm key, in bytes.
const KEY_LEN: usize = 32;
/// Id of the first farm key; a replaced key will count up.
const FIRST: u8 = 1;
/// What the file begins with; the 64 hexadecimal digits of the key follow, and a line feed.
const PREFIX: &str = "oriel-farm-key-1:";
/// Bytes read from the file at most: one more than it has, so that a longer file is noticed.
const FILE_LEN: usize = PREFIX.len() + 2 * KEY_LEN + 1;

/// The key that seals the farm's secrets. Never shown.
pub struct FarmKey {
    id: u8,
    cipher: LessSafeKey,
    root: hmac::Key,
}

/// The farm key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FarmKeyError {
    /// The file cannot be read or written.
    #[error("the farm key {} cannot be {verb}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others can read it.
    #[error(
        "the farm key {path} is open to other users (mode {mode:o}); run: chmod 600 {path}",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It holds something else.
    #[error("{} is not a farm key; restore it from a backup: without it the secrets in the store are lost", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

impl FarmKey {
    /// A new random key, kept nowhere.
    pub fn generate() -> Self {
        Self::from_bytes(&random())
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: &[u8; KEY_LEN]) -> Self {
        let unbound = UnboundKey::new(&AES_256_GCM, bytes).expect("the length is that of the cipher");
        let root = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        Self { id: FIRST, cipher: LessSafeKey::new(unbound), root }
    }

    /// A key for another purpose, which opens no secret (NIST SP 800-108r1, 4.1 with HMAC-SHA256, one block).
    pub fn derived(&self, purpose: &str) -> Zeroizing<[u8; KEY_LEN]> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        bytes.copy_from_slice(hmac::sign(&self.root, purpose.as_bytes()).as_ref());
        bytes
    }

    /// Reads the key from its file, or makes one there that only the owner can read. Two processes
    /// that start at once get the same key, and a crash leaves a whole file or none.
    pub fn load_or_create(path: &Path) -> Result<Self, FarmKeyError> {
        if let Some(key) = Self::load(path)? {
            return Ok(key);
        }
        create(path).map_err(|source| FarmKeyError::File {
            path: path.to_owned(),
            verb: "written",
            source,
        })?;
        Self::load(path)?.ok_or_else(|| FarmKeyError::File {
            path: path.to_owned(),
            verb: "read",
            source: io::ErrorKind::NotFound.into(),
        })
    }

    /// Reads the key from its file; none where there is no file.
    pub fn load(path: &Path) -> Result<Option<Self>, FarmKeyError> {
        let unreadable = |source| FarmKeyError::File { path: path.to_owned(), verb: "read", source };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(FarmKeyError::Exposed { path: path.to_owned(), mode });
        }
        // The capacity keeps the text from moving, which would leave a copy behind.
        let mut text = Zeroizing::new(Vec::with_capacity(FILE_LEN + 1));
        file.take(FILE_LEN as u64 + 1).read_to_end(&mut text).map_err(unreadable)?;
        let bytes = parse(&text).ok_or_else(|| FarmKeyError::Malformed { path: path.to_owned() })?;
        Ok(Some(Self::from_bytes(&bytes)))
    }

    pub(crate) fn id(&self) -> u8 {
        self.id
    }

    pub(crate) fn cipher(&self) -> &LessSafeKey {
        &self.cipher
    }
}

impl fmt::Debug for FarmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FarmKey {}", self.id)
    }
}

fn random() -> Zeroizing<[u8; KEY_LEN]> {
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    SystemRandom::new().fill(bytes.as_mut()).expect("the operating system gives random bytes");
    bytes
}

/// Writes a new key beside `path`, then gives it that name unless another process was faster.
fn create(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut beside = path.as_os_str().to_owned();
    // Not the process id: two containers on one volume may both run as process 1. What a crash
    // leaves behind is a key that nothing was sealed with.
    let [a, b, c, d, ..] = *random();
    beside.push(format!(".{a:02x}{b:02x}{c:02x}{d:02x}.new"));
    let beside = PathBuf::from(beside);
    let written = write_new(&beside).and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    });
    fs::remove_file(&beside).and(written)?;
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path) -> io::Result<()> {
    let key = random();
    let mut text = Zeroizing::new(String::with_capacity(FILE_LEN));
    text.push_str(PREFIX);
    for byte in key.iter() {
        text.push(hex_digit(byte >> 4));
        text.push(hex_digit(byte & 15));
    }
    text.push('\n');
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).expect("a nibble is below 16")
}

fn parse(text: &[u8]) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    let digits = text.strip_prefix(PREFIX.as_bytes())?;
    let digits = digits.strip_suffix(b"\n").unwrap_or(digits);
    if digits.len() != 2 * KEY_LEN {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        contract::Folder,
        secret::{SecretPlace, open, seal},
    };

    fn same(one: &FarmKey, other: &FarmKey) -> bool {
        let place = SecretPlace {
            kind: oriel_model::Kind::Farm,
            owner: oriel_model::Id::generate(jiff::Timestamp::UNIX_EPOCH),
            name: "x",
        };
        open(other, &place, seal(one, &place, b"x")).is_ok()
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only_and_read_back() {
        let folder = Folder::new();
        let path = folder.path("farm.key");
        let made = FarmKey::load_or_create(&path).expect("made");
        let read = FarmKey::load_or_create(&path).expect("read");
        assert!(same(&made, &read));
        assert!(!same(&made, &FarmKey::generate()));
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().expect("folder")).expect("readable").count(), 1);
    }

    #[test]
    fn several_that_start_at_once_get_the_same_key() {
        let folder = Folder::new();
        let path = folder.path("farm.key");
        let keys: Vec<FarmKey> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| FarmKey::load_or_create(&path))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic").expect("a key")).collect()
        });
        assert!(keys.iter().all(|key| same(&keys[0], key)));
    }

    #[test]
    fn files_that_are_exposed_or_something_else_are_refused_with_a_sentence() {
        let folder = Folder::new();
        let path = folder.path("farm.key");
        let write = |text: &str, mode| {
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
            FarmKey::load_or_create(&path).expect_err("refused").to_string()
        };
        let good = format!("{PREFIX}{}\n", "0f".repeat(32));
        assert!(write(&good, 0o640).contains("open to other users (mode 640)"));
        for bad in ["", "secret", &good[..good.len() - 3], &format!("{good}x"), &good.replace('f', "g")] {
            assert!(write(bad, 0o600).contains("is not a farm key"), "{bad}");
        }
        let missing = FarmKey::load_or_create(&folder.path("no/such/folder.key")).expect_err("refused");
        assert!(missing.to_string().contains("cannot be written"));
    }
}
