//! Sign-ins that were ended before their time: a sealed sign-in cannot be called back, so the ended
//! ones are remembered until they would have expired anyway.

use jiff::Timestamp;
use oriel_model::{Id, Kind, Noun};

/// Marker for ids of sign-ins.
#[derive(Debug)]
pub enum SignIn {}

impl Noun for SignIn {
    const SETTINGS: Option<Kind> = None;
}

/// A sign-in that no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedSignIn {
    /// Which one.
    pub id: Id<SignIn>,
    /// When it would have expired by itself; after that it need not be remembered.
    pub until: Timestamp,
}
