//! All settings at one moment.

use oriel_model::SettingsObject;

/// All settings objects at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The objects, sorted by id, that is by age.
    pub objects: Vec<SettingsObject>,
    /// Sequence number of the newest change that they contain; 0 in an empty store.
    pub sequence: u64,
}
