//! The farm's directories of people, as this broker asks them: a client of each, made from its settings, and how
//! each stood last.
//!
//! [`sign_in`] lets their people in, [`refresh`] keeps what is known of them true, [`adopt`] makes objects of
//! those whom administrators choose. What is known is in [`crate::farm::KnownPeople`]. Deliberately absent: LDAP
//! (`oriel_identity::ldap`). No call here waits for a directory on behalf of anybody but its own people.

mod adopt;
mod client;
mod password;
mod refresh;
mod search;
mod sign_in;
mod standing;

pub use adopt::{Adopt, Adopted};
pub use password::{BindPassword, PASSWORD_SECRET};
pub use refresh::run;
pub use search::{DirectoryCheck, DirectoryError, DirectoryPage, PeopleQuery, Sought, check, flush, people};
pub use sign_in::{EveryDirectory, OfDirectory, whose};
pub use standing::{DirectoryStanding, DirectoryState};

use std::{collections::HashMap, sync::Mutex};

use oriel_model::{Id, directory::Directory, user::User};
use tokio::sync::{Notify, watch};

/// The farm's directories, as this broker asks them.
#[derive(Default)]
pub struct Directories {
    clients: Mutex<HashMap<Id<Directory>, client::Kept>>,
    standings: Mutex<HashMap<Id<Directory>, DirectoryState>>,
    /// Who is being asked about: each once, whoever wants to know.
    asking: Mutex<HashMap<Id<User>, watch::Receiver<bool>>>,
    /// Nudged when everybody of a directory is to be asked about anew.
    flushed: Notify,
}

impl std::fmt::Debug for Directories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directories").finish_non_exhaustive()
    }
}
