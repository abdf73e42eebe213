//! Administrators: who calls the management API, what they may do, and how they sign in.

mod caller;
mod rights;
mod sign_in;

pub use caller::{Caller, Source};
pub use rights::{Forbidden, Rights, permitted, target_of};
pub use sign_in::{Presence, Presences, RefusedSignIn, SignedInAdministrator};
