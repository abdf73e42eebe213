//! The statements, each in a file of its own.

/// Statements kept prepared on a connection: all of them.
pub(super) const STATEMENTS: usize = 60;

macro_rules! statements {
    ($($name:ident = $file:literal;)*) => {
        $(pub(super) const $name: &str = include_str!($file);)*
    };
}

statements! {
    PRAGMAS_OF_CONNECTION = "pragmas_of_connection.sql";
    OBJECTS = "objects.sql";
    OBJECT_BY_ID = "object_by_id.sql";
    OBJECT_BY_NAME = "object_by_name.sql";
    OBJECT_INSERT = "object_insert.sql";
    OBJECT_REPLACE = "object_replace.sql";
    OBJECT_DELETE = "object_delete.sql";
    NEWEST_SEQUENCE = "newest_sequence.sql";
    DELETION = "deletion.sql";
    CHANGE_INSERT = "change_insert.sql";
    CHANGES = "changes.sql";
    SECRET = "secret.sql";
    SECRETS = "secrets.sql";
    SECRET_EXISTS = "secret_exists.sql";
    SECRET_PUT = "secret_put.sql";
    SECRET_DELETE = "secret_delete.sql";
    BLOB = "blob.sql";
    BLOB_EXISTS = "blob_exists.sql";
    BLOB_INSERT = "blob_insert.sql";
    KEPT = "kept.sql";
    KEPT_PUT = "kept_put.sql";
    USER_STATE = "user_state.sql";
    USER_STATE_PUT = "user_state_put.sql";
    ENDED_SIGN_INS = "ended_sign_ins.sql";
    ENDED_SIGN_INS_FORGET = "ended_sign_ins_forget.sql";
    ENDED_SIGN_IN_PUT = "ended_sign_in_put.sql";
    ANSWER = "answer.sql";
    ANSWER_PUT = "answer_put.sql";
    ANSWERS_FORGET = "answers_forget.sql";
    CHANGE_COLUMNS = "change_columns.sql";
    CHANGES_WITHOUT_ENTRY = "changes_without_entry.sql";
    ENTRIES = "entries.sql";
    ENTRIES_OLDEST = "entries_oldest.sql";
    ENTRY_DROPPED = "entry_dropped.sql";
    ENTRY_INSERT = "entry_insert.sql";
    ENTRY_SUBJECT_INSERT = "entry_subject_insert.sql";
    ENTRIES_DROP = "entries_drop.sql";
    ENTRY_SUBJECTS_DROP = "entry_subjects_drop.sql";
    CHANGES_DROP = "changes_drop.sql";
    TRANSACTION_END = "transaction_end.sql";
    LOG_HEAD = "log_head.sql";
    LOG_HEAD_PUT = "log_head_put.sql";
    CODE_USE = "code_use.sql";
    PEOPLE = "people.sql";
    PERSON_PUT = "person_put.sql";
    PEOPLE_FORGET = "people_forget.sql";
    KEY_CHECK = "key_check.sql";
    KEY_CHECK_INSERT = "key_check_insert.sql";
}
