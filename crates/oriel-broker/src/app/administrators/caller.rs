//! Who does something.

use oriel_model::{Id, token::Token, user::User};
use oriel_store::{Author, SignIn};

use super::Rights;

/// Who does something, as the change log names them, and what they may do.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As the change log names them: `token admin`, `user anna`, `system`.
    pub author: Author,
    /// What they may do.
    pub rights: Rights,
    /// How they are known.
    pub source: Source,
    /// Whether they may do nothing but set up a second factor, which the farm wants and they lack.
    pub must_enrol: bool,
}

/// How a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// It is the farm itself.
    System,
    /// By a token.
    Token(Id<Token>),
    /// By a sign-in to the management portal.
    SignIn {
        /// Which.
        id: Id<SignIn>,
        /// Whose.
        user: Id<User>,
    },
}

impl Caller {
    /// The farm itself.
    pub fn system() -> Self {
        Self {
            author: Author::system(),
            rights: Rights::everything(),
            source: Source::System,
            must_enrol: false,
        }
    }

    /// As the change log names them.
    pub fn name(&self) -> &str {
        &self.author.name
    }
}
