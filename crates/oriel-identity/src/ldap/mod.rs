//! People of an LDAP directory: Active Directory, or OpenLDAP and its kin.
//!
//! An [`LdapDirectory`] answers who somebody is, what groups they are in, and changes their password, by
//! asking the first of its servers that can be asked. [`Login`] reads what people type as their name, and
//! [`directory_of`] says which of several directories that belongs to.
//!
//! From the inside out: [`ber`] and [`message`] are bytes in and bytes out; [`filter`] and [`dn`] build what
//! is asked from data, never from text, so that no name can change a question; [`connection`] talks to one
//! server over TLS, [`servers`] chooses among several and keeps connections; `active_directory` and
//! `open_ldap` know what each calls things; [`directory`] and the files named for its verbs do the work.
//!
//! The protocol is spoken here and not by a library: the one there is for Rust panics on answers that are
//! not as it expects, and reads nested values by recursion without a bound, which lets whoever is between it
//! and a server, before TLS, overflow the stack of the whole broker.
//!
//! Deliberately absent: a plain connection without TLS; following referrals, which would send passwords to
//! whomever a server names; Kerberos; the wall clock (times are told, the caller compares); the store.

mod active_directory;
mod ber;
mod change;
mod check;
mod connection;
mod directory;
mod dn;
mod filter;
mod login;
mod message;
mod open_ldap;
mod person;
mod refusal;
mod search;
mod servers;
mod settings;

pub use directory::LdapDirectory;
pub use login::{Claim, Login, directory_of};
pub use person::{Cursor, Expiry, Found, GroupId, Kind, Page, Person, PersonId};
pub use refusal::{Answering, Check, NotAsked, PasswordRefused, Rule, ServerCheck};
pub use search::{FOUND_MAX, MATCHES_MAX};
pub use settings::{
    Bind, InvalidSettings, OpenLdap, POOL_MAX, SERVERS_MAX, Schema, Security, Server, Settings,
};
