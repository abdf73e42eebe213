//! Administrators: who calls the management API, what they may do, and how they sign in.

mod caller;
mod editing;
mod enrolling;
mod messages;
mod own;
mod rights;
mod roots;
mod sign_in;

pub use caller::{Caller, Source};
pub use editing::{Edited, Editing, Leases};
pub use enrolling::{EnrolError, Enrolling, NewKey};
pub use messages::{Message, Messages, TEXT_MAX, own_session};
pub use own::OwnPasswordError;
pub use rights::{Forbidden, Rights, permitted, target_of};
pub use roots::NoRoot;
pub use sign_in::{Presence, Presences, RefusedSignIn, SignedInAdministrator};
