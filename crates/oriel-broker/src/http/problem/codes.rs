//! Every code that an answer may carry, once: its statuses, its title, and when it is given.

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

/// A code and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Code {
    /// The stable word for programs.
    pub code: &'static str,
    /// The statuses that it comes with.
    pub status: &'static [u16],
    /// What kind of problem it is: the same for every answer with this code.
    pub title: &'static str,
    /// When it is given, and what to do about it.
    pub about: &'static str,
}

/// Every code, in the order of their statuses.
pub const CODES: &[Code] = &[
    code(
        "bad_request",
        &[400, 405],
        "Not understood",
        "The request's form is wrong: its path, its query, a header, or a body that is no JSON.",
    ),
    code(
        "bad_list",
        &[400],
        "Wrong list",
        "A list was asked for with a filter, an order, a field or a cursor that does not exist; `errors` names it.",
    ),
    code("unauthorized", &[401], "Not signed in", "The API token is missing, wrong or expired."),
    code("signed_out", &[401], "Signed out", "The sign-in of a portal's user has ended."),
    code("sign_in_refused", &[401], "Sign-in refused", "User name or password is wrong."),
    code(
        "password_expired",
        &[401],
        "Password expired",
        "Name and password are right, and a directory lets nobody in with this password any more: it has expired, or must be changed first.",
    ),
    code(
        "code_needed",
        &[401],
        "Code wanted",
        "Name and password are right: send them again with a code of the authenticator, or a recovery code.",
    ),
    code(
        "code_refused",
        &[401],
        "Code refused",
        "The code is wrong or was used before. After several wrong ones the account waits.",
    ),
    code(
        "second_factor_needed",
        &[403],
        "Second factor wanted",
        "The farm wants a second factor of every administrator, and the caller has none yet: nothing else is permitted before it is set up.",
    ),
    code(
        "recovery_refused",
        &[403],
        "Not from the broker's machine",
        "Only who can read the broker's data directory, on its machine, may recover a root administrator.",
    ),
    code("forbidden", &[403], "Not permitted", "The caller is known, and its role does not permit this."),
    code("csrf", &[403], "From elsewhere", "A portal's request does not come from the portal's own pages."),
    code(
        "outside_hours",
        &[403],
        "Outside the hours",
        "The farm is not open to the user now; `opens_at` says when that changes.",
    ),
    code(
        "client_not_allowed",
        &[403],
        "Client not let in",
        "The site does not let this kind of client in, or this version of it.",
    ),
    code("not_found", &[404], "Not found", "There is nothing at this address, or no object with this id."),
    code("session_gone", &[404], "Session ended", "The session does not run any more."),
    code(
        "method_not_allowed",
        &[405],
        "Not for this method",
        "The address exists; the header `Allow` says for which methods.",
    ),
    code("name_taken", &[409], "Name taken", "Another object of the kind has this name already."),
    code("id_taken", &[409], "Id taken", "Another object has this id already."),
    code(
        "changed_since",
        &[409],
        "Changed since",
        "An object has been changed since the plan was made, or since the change that is to be turned back; the answer says by whom and when.",
    ),
    code(
        "not_revertible",
        &[409],
        "Not to be turned back",
        "The change cannot be turned back; the answer says why.",
    ),
    code(
        "not_empty",
        &[409],
        "Farm not empty",
        "Only an empty farm takes an import, unless `replace` is said.",
    ),
    code(
        "no_backup_passphrase",
        &[409],
        "No passphrase",
        "The farm has no passphrase for its backups yet: set one with `PUT /farm/backup-passphrase`.",
    ),
    code("in_use", &[409], "In use", "What is to be deleted is used by others; the answer names them."),
    code(
        "second_factor_exists",
        &[409],
        "There is one already",
        "The caller has a second factor: it is removed before another is set up.",
    ),
    code(
        "enrolment_not_begun",
        &[409],
        "Not begun",
        "Setting up a second factor was not begun, or too long ago: begin again.",
    ),
    code(
        "not_first_start",
        &[409],
        "Not the first start",
        "Somebody can sign in as root already: the first root administrator was made.",
    ),
    code("deleted", &[409], "Deleted meanwhile", "Somebody deleted the object in the meantime."),
    code(
        "limit_reached",
        &[409],
        "All in use",
        "As many use what is to be opened as may at a time; the answer says whom to ask.",
    ),
    code(
        "not_for_this_client",
        &[409],
        "Not with this client",
        "What is to be opened opens on the user's own device, and this client cannot do that.",
    ),
    code(
        "not_extendable",
        &[409],
        "Not to be extended",
        "The end of the hours cannot be put off any further.",
    ),
    code("in_maintenance", &[409], "In maintenance", "What is to be opened is in maintenance."),
    code(
        "host_refused",
        &[409, 503],
        "Refused by the host",
        "The session host was asked and said no; the answer says why.",
    ),
    code(
        "stale",
        &[412],
        "Changed meanwhile",
        "The object is not the one that was read: somebody changed it in the meantime. `changes` says who changed what and when. Load it again and repeat the change.",
    ),
    code("too_large", &[413], "Too large", "The body is larger than is taken here."),
    code(
        "not_json",
        &[415],
        "Not JSON",
        "The body must be sent as `application/json`; a patch may be `application/merge-patch+json`.",
    ),
    code("not_png", &[415], "Not a PNG", "A picture must be sent as `image/png`."),
    code(
        "invalid",
        &[422],
        "Not valid",
        "The body was understood, and fields of it are wrong: all of them are in `errors`.",
    ),
    code(
        "wrong_passphrase",
        &[422],
        "Wrong passphrase",
        "The archive does not open: the passphrase is missing or wrong, or the archive was altered.",
    ),
    code("bad_picture", &[422], "Unusable picture", "The picture is damaged or too large."),
    code(
        "idempotency_key_reused",
        &[422],
        "Key used for another request",
        "The header `Idempotency-Key` carries a key that was used within the last day for another request. Take a new key for a new request.",
    ),
    code(
        "revision_needed",
        &[428],
        "Revision needed",
        "A change must say which revision it is based on: in the header `If-Match`, or as `revision`.",
    ),
    code(
        "busy",
        &[429, 503],
        "Busy",
        "With 429, the caller asks too much at once; with 503, the broker has too much to do. The header `Retry-After` says when to try again.",
    ),
    code("internal", &[500], "Our fault", "Something went wrong on the broker; its log says what."),
    code(
        "host_unreachable",
        &[503],
        "Host not connected",
        "The session host's agent is not connected to the farm.",
    ),
    code(
        "no_host",
        &[503],
        "No host takes it",
        "No session host can take the session at the moment; the answer says why.",
    ),
    code(
        "session_ending",
        &[503],
        "Still ending",
        "The user's last session of the resource was told to end, and its programs still run.",
    ),
    code(
        "directory_unreachable",
        &[503],
        "Directory out of reach",
        "No server of the directory that is asked could be asked in time; administrators read why.",
    ),
    code(
        "farm_starting",
        &[503],
        "Still starting",
        "The broker has just begun, and its session hosts are still on their way to it.",
    ),
    code(
        "store_unavailable",
        &[503],
        "Settings not writable",
        "The settings store cannot be used at the moment.",
    ),
    code(
        "mail_not_sent",
        &[503],
        "Mail not sent",
        "The mail could not be given to the farm's mail server; the answer says why.",
    ),
    code("backup_failed", &[503], "No backup", "The backup's file cannot be written; the answer says why."),
    code("host_timed_out", &[504], "Host too slow", "The session host did not answer in time."),
];

const fn code(code: &'static str, status: &'static [u16], title: &'static str, about: &'static str) -> Code {
    Code { code, status, title, about }
}

/// What a code means; none for a word that is no code.
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|known| known.code == code)
}

/// What a code is called; the status's own words for one that is not listed.
pub fn title(code: &str, status: StatusCode) -> &'static str {
    let known = find(code);
    debug_assert!(
        known.is_some_and(|known| known.status.contains(&status.as_u16())),
        "\"{code}\" with {status} is not in http/problem/codes.rs, where every code is explained"
    );
    known.map(|known| known.title).or(status.canonical_reason()).unwrap_or("Error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_with_statuses_that_are_errors() {
        for (index, code) in CODES.iter().enumerate() {
            assert!(!CODES[..index].iter().any(|other| other.code == code.code), "{} twice", code.code);
            assert!(code.status.iter().all(|status| (400..600).contains(status)), "{}", code.code);
            assert!(code.about.ends_with('.') && !code.title.ends_with('.'), "{}", code.code);
        }
    }
}
