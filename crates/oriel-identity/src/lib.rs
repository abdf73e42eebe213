//! Who somebody is: directories, passwords, and the guard against guessing.
//!
//! A [`Directory`] says whether a name and a password belong together. The first one is the farm's
//! own ([`LocalDirectory`], argon2id); [`ldap`] has Active Directory and OpenLDAP. A [`SignIn`] stands
//! in front of any of them and keeps guessers out ([`Lockout`]). Whoever has a second factor shows a
//! code of their authenticator beside the password ([`TotpKey`]), or is asked by a server elsewhere
//! ([`radius`]).
//!
//! From outside, an unknown name, a wrong password, a disabled and a locked account look alike, in
//! answer and in work done; [`Refused`] tells them apart for the log.
//!
//! Deliberately absent: the store (the caller brings [`Accounts`]), HTTP, and any clock: time is an
//! argument. What a user may do is in `oriel-rules`.

mod directory;
pub mod external;
pub mod ldap;
mod local;
mod lockout;
mod name;
mod password;
mod policy;
pub mod radius;
mod sign_in;
mod totp;

pub use directory::{Answer, Authenticated, Directory, Refused};
pub use local::{Account, Accounts, AccountsError, LocalDirectory};
pub use lockout::{Admission, ENTRIES_MAX, Limits, Lockout};
pub use name::normalised;
pub use password::{Cost, PasswordError, Passwords, Verdict, WAITING_PER_WORKER};
pub use policy::{PasswordRefused, check_new_password};
pub use sign_in::{SecondFactor, SignIn};
pub use totp::TotpKey;
