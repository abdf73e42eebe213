//! The second factor of administrators: each sets up their own; root can take another's away.

use std::sync::Arc;

use aide::axum::{
    ApiRouter,
    routing::{delete_with, post_with},
};
use axum::{Json, extract::State, response::NoContent};
use http::{HeaderMap, StatusCode};
use oriel_model::user::User;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    caller::{May, Modify, Whoever},
    cookie,
    crud::{self, Api},
    input::{IdOf, Sent},
    respond::Created,
    sign_in::{WithCookie, wrong_code},
};
use crate::{
    Broker,
    app::{
        administrators::EnrolError,
        factor::{FactorError, RecoveryCodes},
        objects,
    },
    http::{ApiError, problem},
};

/// A code of an authenticator, or a recovery code.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    /// The code.
    #[schemars(with = "String")]
    code: Zeroizing<String>,
}

/// A key for an authenticator. It counts once a code of it was sent.
#[derive(Serialize, JsonSchema)]
struct Key {
    /// To be typed into the authenticator: base32.
    #[schemars(with = "String")]
    key: Zeroizing<String>,
    /// To be shown as a QR code: `otpauth://totp/…`.
    #[schemars(with = "String")]
    address: Zeroizing<String>,
}

/// Codes for when the authenticator is lost. Each counts once, and they are shown only now.
#[derive(Serialize, JsonSchema)]
struct Recovery {
    /// Ten of them.
    #[schemars(with = "Vec<String>")]
    recovery_codes: RecoveryCodes,
}

async fn begin(
    State(broker): State<Arc<Broker>>,
    Whoever(caller): Whoever,
) -> Result<Created<Key>, ApiError> {
    let made = broker.begin_enrolling(&caller)?;
    Ok(Created(Key { key: made.key, address: made.address }))
}

async fn finish(
    State(broker): State<Arc<Broker>>,
    Whoever(caller): Whoever,
    headers: HeaderMap,
    Sent(sent): Sent<Code>,
) -> Result<WithCookie<Json<Recovery>>, ApiError> {
    let sign_in = cookie::of_request(&headers).and_then(|sealed| broker.administrator_signed_in(sealed));
    let sign_in = sign_in.ok_or(EnrolError::NotSignedIn)?.sign_in;
    let recovery_codes = broker.finish_enrolling(&caller, &sent.code).await?;
    // It ended their sign-ins, of which this one has just shown the new factor.
    let (sign_in, sealed) =
        broker.with_factor(sign_in).ok_or_else(|| EnrolError::from(FactorError::OutOfRandomness))?;
    let cookie = cookie::set(&sealed, sign_in.expires_at, broker.now());
    Ok(WithCookie(cookie, Json(Recovery { recovery_codes })))
}

async fn remove(
    State(broker): State<Arc<Broker>>,
    Whoever(caller): Whoever,
    Sent(sent): Sent<Code>,
) -> Result<NoContent, ApiError> {
    broker.remove_own_factor(&caller, &sent.code).await?;
    Ok(NoContent)
}

async fn renew_recovery(
    State(broker): State<Arc<Broker>>,
    Whoever(caller): Whoever,
    Sent(sent): Sent<Code>,
) -> Result<Created<Recovery>, ApiError> {
    let recovery_codes = broker.renew_own_recovery(&caller, &sent.code).await?;
    Ok(Created(Recovery { recovery_codes }))
}

async fn remove_of_user(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<User>>,
    IdOf(id): IdOf<User>,
) -> Result<NoContent, ApiError> {
    objects::remove_factor(&broker, may.by(), id).await?;
    Ok(NoContent)
}

impl From<EnrolError> for ApiError {
    fn from(error: EnrolError) -> Self {
        let message = problem::sentence(&error);
        let conflict = |code: &str| ApiError::new(StatusCode::CONFLICT, code, message.clone());
        match error {
            EnrolError::NotSignedIn => ApiError::new(StatusCode::FORBIDDEN, "forbidden", message)
                .advice("Sign in with name and password."),
            EnrolError::Code(oriel_identity::Refused::Unavailable(_)) => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(5)
            }
            // A locked account is told as a wrong code, like everywhere.
            EnrolError::Code(_) => wrong_code("The code is wrong, or was used before.".into()),
            EnrolError::Factor(FactorError::None) => ApiError::not_found("There is no second factor."),
            EnrolError::Factor(FactorError::Exists) => conflict("second_factor_exists"),
            EnrolError::Factor(FactorError::NotBegun) => conflict("enrolment_not_begun"),
            EnrolError::Factor(FactorError::Commit(error)) => error.into(),
            EnrolError::Change(error) => error.into(),
            EnrolError::Factor(FactorError::OutOfRandomness) => ApiError::internal(error),
        }
    }
}

pub fn routes() -> Api {
    let own = post_with(begin, |operation| {
        let summary = "Makes a key for the caller's authenticator, which counts once a code of it was sent.";
        crud::refusing(crud::described(operation, "begin_totp", "sign-in", summary), &[403, 409])
    });
    let own = own.put_with(finish, |operation| {
        let summary =
            "Makes the caller's new key their second factor, with a code of it. Their other sign-ins end.";
        crud::refusing(crud::described(operation, "finish_totp", "sign-in", summary), &[403, 409])
    });
    let own = own.delete_with(remove, |operation| {
        let summary = "Takes the caller's second factor away, for a code.";
        crud::refusing(crud::described(operation, "remove_totp", "sign-in", summary), &[403, 404])
    });
    let recovery = post_with(renew_recovery, |operation| {
        let summary = "Gives the caller new recovery codes in place of the old ones, for a code.";
        crud::refusing(crud::described(operation, "renew_recovery_codes", "sign-in", summary), &[403, 404])
    });
    let of_user = delete_with(remove_of_user, |operation| {
        let summary =
            "Takes a user's second factor away: for who has lost it. Of an administrator, only root may.";
        crud::refusing(crud::described(operation, "remove_user_totp", "sign-in", summary), &[404])
    });
    ApiRouter::new()
        .api_route("/me/totp", own)
        .api_route("/me/totp/recovery-codes", recovery)
        .api_route("/users/{id}/totp", of_user)
}
