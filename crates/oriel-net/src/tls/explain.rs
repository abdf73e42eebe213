//! Why a handshake failed, in words for people.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// Says why a TLS connection failed, as the rest of a sentence. rustls prints what our own
/// verifiers refuse with as a debugging text; here it is the refusal's sentence.
pub fn explain(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => explain_tls(error),
        None => error.to_string(),
    }
}

fn explain_tls(error: &Error) -> String {
    use CertificateError::{
        BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, Other, UnknownIssuer,
    };
    match error {
        Error::InvalidCertificate(Other(refusal)) => refusal.0.to_string(),
        // The signature is bad where an authority of the same name has another key.
        Error::InvalidCertificate(UnknownIssuer | BadSignature) => {
            "the other side's certificate is not from an authority that is trusted here".to_owned()
        }
        Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "the other side's certificate is for another name".to_owned()
        }
        Error::InvalidCertificate(Expired | ExpiredContext { .. }) => {
            "the other side's certificate has expired; check the clocks of both machines".to_owned()
        }
        Error::InvalidCertificate(NotValidYet | NotValidYetContext { .. }) => {
            "the other side's certificate is not valid yet; check the clocks of both machines".to_owned()
        }
        Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA,
        ) => format!("the other side refused our certificate ({error})"),
        _ => error.to_string(),
    }
}
