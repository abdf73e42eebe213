//! Finding people and groups by what they are called.
/// Matches of one search at most.
pub const MATCHES_MAX: usize = 1_000;
/// Matches of one page at most.
pub const FOUND_MAX: usize = 200;
