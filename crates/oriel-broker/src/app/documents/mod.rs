//! Settings as documents: the whole farm, or parts of it, as text that people and scripts keep, compare and
//! apply. One mechanism plans and checks changes of many objects: documents, imports, reverts, copies.

pub mod any_kind;
pub mod diff;
pub mod draft;
pub mod names;
