//! Blobs: the bytes of icons, named by their digest.

use oriel_model::icon::{ICON_BYTES_MAX, IconId};
use ring::digest;

use crate::StoreError;

/// Size of a blob at most, in bytes.
pub const BLOB_BYTES_MAX: usize = ICON_BYTES_MAX;
/// Blobs kept at most: two for each of 10,000 resources, a few gigabytes at the very worst.
pub const BLOBS_MAX: u64 = 20_000;

/// The name of these bytes.
pub(crate) fn id(bytes: &[u8]) -> Result<IconId, StoreError> {
    if bytes.len() > BLOB_BYTES_MAX {
        let size = bytes.len();
        return Err(StoreError::Refused(format!(
            "the icon has {size} bytes; at most {BLOB_BYTES_MAX} are taken"
        )));
    }
    let digest = digest::digest(&digest::SHA256, bytes);
    Ok(IconId(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// What is said when there are too many.
pub(crate) fn too_many() -> StoreError {
    StoreError::Refused(format!("the settings store holds {BLOBS_MAX} icons, which is the most it takes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_named_by_its_sha_256() {
        let empty = id(b"").expect("small");
        assert_eq!(empty.0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert!(empty.is_well_formed());
        assert!(id(&vec![0; BLOB_BYTES_MAX + 1]).is_err());
    }
}
