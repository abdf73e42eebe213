//! What went wrong between two components, in as many words as it takes.

use std::error::Error;

use tonic::Status;

/// The cause at the end of an error's chain: transport errors say only there what happened. Of a peer's
/// status it is the peer's sentence, without code and metadata.
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    match error.downcast_ref::<Status>() {
        Some(status) => status.message().to_owned(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_its_sentence_and_a_chain_its_end() {
        let status = Status::permission_denied("this host was removed from the farm");
        assert_eq!(innermost(&status), "this host was removed from the farm");
        let broken = std::io::Error::new(std::io::ErrorKind::BrokenPipe, "the line was cut");
        let status = Status::from_error(Box::new(broken));
        assert_eq!(innermost(&status), "the line was cut");
        assert!(status.to_string().len() > "the line was cut".len(), "as it used to be logged: {status}");
    }
}
