//! Unix sockets at paths of any length. The kernel takes 107 bytes for a socket's path (unix(7)), and a data
//! directory may lie deeper than that.

use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

/// A short way to a socket, by the open folder that it lies in. It leads there only as long as this lives:
/// lend it to what opens the socket, which may look at the path and drop it before it does.
pub(super) struct ShortPath {
    path: PathBuf,
    _folder: File,
}

impl ShortPath {
    /// # Errors
    /// When the folder cannot be opened.
    pub(super) fn to(socket: &Path) -> io::Result<Self> {
        let (folder, name) = socket.parent().zip(socket.file_name()).ok_or(io::ErrorKind::InvalidInput)?;
        let folder = File::open(folder)?;
        let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
        Ok(Self { path, _folder: folder })
    }
}

impl AsRef<Path> for ShortPath {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::net::UnixDatagram};

    use super::*;

    #[test]
    fn a_socket_lies_where_its_path_is_too_long_for_the_kernel() {
        let root = std::env::temp_dir().join(format!("oriel-socket-{}", std::process::id()));
        let deep = root.join("x".repeat(100)).join("a blank");
        fs::create_dir_all(&deep).unwrap();
        let path = deep.join("s.sock");
        assert!(UnixDatagram::bind(&path).is_err(), "longer than the kernel takes");
        let short = ShortPath::to(&path).unwrap();
        let listens = UnixDatagram::bind(short.as_ref()).unwrap();
        assert!(path.exists());
        UnixDatagram::unbound().unwrap().send_to(b"ab", short.as_ref()).unwrap();
        assert_eq!(listens.recv(&mut [0; 4]).unwrap(), 2);
        fs::remove_dir_all(&root).unwrap();
    }
}
