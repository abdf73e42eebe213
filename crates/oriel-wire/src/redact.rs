//! `Debug` of the messages that carry a secret: it must not reach a log by accident.

use std::fmt;

use crate::v1::{JoinRequest, Prepared, TicketKey};

const HIDDEN: &str = "(hidden)";

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("session_id", &self.session_id)
            .field("logon_name", &self.logon_name)
            .field("one_time_logon", &HIDDEN)
            .field("expires_at_ms", &self.expires_at_ms)
            .field("rdp_address", &self.rdp_address)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKey").field("key_id", &self.key_id).field("secret", &HIDDEN).finish()
    }
}

impl fmt::Debug for JoinRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinRequest")
            .field("invitation_id", &self.invitation_id)
            .field("secret", &HIDDEN)
            .field("role", &self.role)
            .field("machine_name", &self.machine_name)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        let prepared = Prepared { one_time_logon: "s3cret".into(), ..Default::default() };
        let key = TicketKey { key_id: 1, secret: b"s3cret".to_vec() };
        let join = JoinRequest { secret: "s3cret".into(), ..Default::default() };
        for shown in [format!("{prepared:?}"), format!("{key:?}"), format!("{join:?}")] {
            assert!(!shown.contains("s3cret") && !shown.contains("115"), "{shown}");
        }
    }
}
