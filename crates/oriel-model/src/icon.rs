//! Icons of published resources: PNG pictures, named by the SHA-256 of their bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// SHA-256 of an icon's PNG bytes, 64 lower-case hexadecimal digits. The bytes are a blob of the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct IconId(pub String);

impl IconId {
    /// Whether it has the form of a digest.
    pub fn is_well_formed(&self) -> bool {
        self.0.len() == 64 && self.0.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }
}

/// Largest icon file taken, in bytes: a 256 pixel PNG is rarely over 100 KiB.
pub const ICON_BYTES_MAX: usize = 256 * 1024;
/// Largest side of an icon, in pixels; larger ones are scaled down.
pub const ICON_SIDE_MAX: u32 = 256;
