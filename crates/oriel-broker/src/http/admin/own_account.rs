//! The caller's own account: their password, and their sign-ins.

use std::sync::Arc;

use aide::axum::{
    ApiRouter,
    routing::{delete_with, get_with, put_with},
};
use axum::{Json, extract::State, response::NoContent};
use http::{HeaderMap, StatusCode};
use oriel_store::SignIn;
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    caller::Known,
    cookie,
    crud::{self, Api},
    input::{IdOf, Sent},
    sign_in::{AdministratorSessions, WithCookie},
};
use crate::{
    Broker,
    app::administrators::OwnPasswordError,
    http::{ApiError, problem::sentence},
};

/// The caller's password, and the one that is to be theirs.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OwnPassword {
    /// The one that they have.
    #[schemars(with = "String")]
    password: Zeroizing<String>,
    /// The new one; at least 8 characters.
    #[schemars(with = "String")]
    new_password: Zeroizing<String>,
}

async fn change_password(
    State(broker): State<Arc<Broker>>,
    Known(caller): Known,
    headers: HeaderMap,
    Sent(sent): Sent<OwnPassword>,
) -> Result<WithCookie<NoContent>, ApiError> {
    let sign_in = cookie::of_request(&headers).and_then(|sealed| broker.administrator_signed_in(sealed));
    let sign_in = sign_in.ok_or(OwnPasswordError::NotSignedIn)?.sign_in;
    broker.change_own_password(&caller, sent.password, sent.new_password).await?;
    // It ended their sign-ins, of which this one goes on.
    let (sign_in, sealed) =
        broker.with_password(sign_in).ok_or_else(|| ApiError::internal("no sealed sign-in"))?;
    Ok(WithCookie(cookie::set(&sealed, sign_in.expires_at, broker.now()), NoContent))
}

async fn sign_ins(State(broker): State<Arc<Broker>>, Known(caller): Known) -> Json<AdministratorSessions> {
    Json(AdministratorSessions::of(&broker, &caller, broker.own_sign_ins(&caller)))
}

async fn end(
    State(broker): State<Arc<Broker>>,
    Known(caller): Known,
    IdOf(id): IdOf<SignIn>,
) -> Result<NoContent, ApiError> {
    if broker.end_own_sign_in(&caller, id) {
        return Ok(NoContent);
    }
    Err(ApiError::not_found("You have no such sign-in on this broker."))
}

impl From<OwnPasswordError> for ApiError {
    fn from(error: OwnPasswordError) -> Self {
        match error {
            OwnPasswordError::NotSignedIn => {
                ApiError::new(StatusCode::FORBIDDEN, "forbidden", sentence(&error))
                    .advice("Sign in with name and password.")
            }
            OwnPasswordError::Change(error) => error.into(),
        }
    }
}

pub fn routes() -> Api {
    let password = put_with(change_password, |operation| {
        let summary =
            "Gives the caller a new password, for the one that they have. Their other sign-ins end.";
        crud::refusing(
            crud::described(operation, "change_own_password", "sign-in", summary),
            &[403, 409, 422],
        )
    });
    let sign_ins = get_with(sign_ins, |operation| {
        let summary = "Lists the caller's own sign-ins on this broker.";
        crud::described(operation, "list_own_sessions", "sign-in", summary)
    });
    let end = delete_with(end, |operation| {
        let summary = "Ends one of the caller's own sign-ins.";
        crud::refusing(crud::described(operation, "end_own_session", "sign-in", summary), &[404])
    });
    ApiRouter::new()
        .api_route("/me/password", password)
        .api_route("/me/sessions", sign_ins)
        .api_route("/me/sessions/{id}", end)
}
