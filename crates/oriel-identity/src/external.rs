//! Ids of what a directory has. Every broker derives the same one, and a new name changes nothing.

use oriel_model::{Id, Noun, directory::Directory, group::Group, user::User};
use ring::digest;

/// The id of a directory's user; `external` is their SID, or their entry's UUID.
pub fn user_id(directory: Id<Directory>, external: &str) -> Id<User> {
    derived("user", directory, external)
}

/// The id of a directory's group.
pub fn group_id(directory: Id<Directory>, external: &str) -> Id<Group> {
    derived("group", directory, external)
}

/// Whether an id was derived: the farm's own objects have ids of version 7.
pub fn is_derived<T>(id: Id<T>) -> bool {
    id.uuid().get_version_num() == 8
}

/// RFC 9562, 5.8 and B.2: a UUID of version 8 from SHA-256. The directory is part of it: what one directory says of
/// itself makes nobody another's.
fn derived<T: Noun>(what: &str, directory: Id<Directory>, external: &str) -> Id<T> {
    let text = format!("{what} {directory} {}", external.to_ascii_lowercase());
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let bytes: [u8; 16] = digest.as_ref()[..16].try_into().expect("SHA-256 has 32 bytes");
    uuid::Builder::from_custom_bytes(bytes).into_uuid().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_everywhere_and_another_directorys_are_others() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let (one, other) = (Id::generate(now), Id::generate(now));
        let sid = "S-1-5-21-1-2-3-1104";
        assert_eq!(user_id(one, sid), user_id(one, &sid.to_lowercase()));
        assert_ne!(user_id(one, sid), user_id(other, sid));
        assert_ne!(user_id(one, sid), user_id(one, "S-1-5-21-1-2-3-1105"));
        assert_ne!(user_id(one, sid).uuid(), group_id(one, sid).uuid());
        assert!(is_derived(user_id(one, sid)) && !is_derived(one));
    }
}
