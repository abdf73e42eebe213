//! The first root administrator, and one who is recovered.

use std::sync::Arc;

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{Json, extract::State};
use http::{HeaderMap, StatusCode};
use oriel_model::{Id, user::User};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    caller,
    crud::{self, Api},
    input::Sent,
    respond::Created,
};
use crate::{
    Broker,
    app::administrators::NoRoot,
    http::{ApiError, problem},
    recovery::RecoverRoot,
};

/// Whether the farm is at its first start.
#[derive(Serialize, JsonSchema)]
struct FirstStart {
    /// Whether nobody can sign in as root yet.
    needed: bool,
}

/// The first root administrator.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FirstRoot {
    /// The token in the file `admin.token` of the broker's data directory.
    #[schemars(with = "String")]
    token: Zeroizing<String>,
    /// What they will sign in with.
    name: String,
    /// Their full name.
    #[serde(default)]
    full_name: String,
    /// Their password.
    #[schemars(with = "String")]
    password: Zeroizing<String>,
}

/// Somebody who can sign in as root now.
#[derive(Serialize, JsonSchema)]
struct Root {
    /// The user.
    user: Id<User>,
}

async fn is_first(State(broker): State<Arc<Broker>>, _: caller::From) -> Json<FirstStart> {
    Json(FirstStart { needed: broker.is_first_start() })
}

async fn first(
    State(broker): State<Arc<Broker>>,
    caller::From(address): caller::From,
    headers: HeaderMap,
    Sent(root): Sent<FirstRoot>,
) -> Result<Created<Root>, ApiError> {
    let FirstRoot { token, name, full_name, password } = root;
    let via = caller::via(&headers);
    let made = broker.make_first_root(token.trim(), name, full_name, password, address, via).await;
    if matches!(made, Err(NoRoot::WrongToken)) {
        broker.throttle.token_refused(address, broker.now())?;
    }
    Ok(Created(Root { user: made? }))
}

async fn recover(
    State(broker): State<Arc<Broker>>,
    caller::From(address): caller::From,
    Sent(asked): Sent<RecoverRoot>,
) -> Result<Created<Root>, ApiError> {
    let made = broker.recover_root(asked, address).await;
    if matches!(made, Err(NoRoot::NotProved)) {
        broker.throttle.token_refused(address, broker.now())?;
    }
    Ok(Created(Root { user: made? }))
}

impl From<NoRoot> for ApiError {
    fn from(error: NoRoot) -> Self {
        let message = problem::sentence(&error);
        match error {
            NoRoot::NotFirst => ApiError::new(StatusCode::CONFLICT, "not_first_start", message)
                .advice("Sign in; who has lost the password is helped by oriel recover-root."),
            NoRoot::WrongToken => ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
                .advice("It is in the file admin.token of the broker's data directory."),
            NoRoot::NotProved => ApiError::new(StatusCode::FORBIDDEN, "recovery_refused", message).advice(
                "Run oriel recover-root on the broker's machine, as the user that the broker runs as.",
            ),
            NoRoot::Change(error) => error.into(),
        }
    }
}

pub fn routes() -> Api {
    let first_start = get_with(is_first, |operation| {
        let summary = "Says whether nobody can sign in as root yet.";
        crud::for_everybody(crud::refusing(
            crud::described(operation, "show_first_start", "sign-in", summary),
            &[401, 429, 500],
        ))
    });
    let first_start = first_start.post_with(first, |operation| {
        let summary = "Makes the first root administrator, with the token of the broker's data directory.";
        crud::for_everybody(crud::refusing(
            crud::described(operation, "make_first_root", "sign-in", summary),
            &[401, 409, 429],
        ))
    });
    let recovery = post_with(recover, |operation| {
        let summary =
            "What oriel recover-root calls: taken from the broker's own machine only, with a proof.";
        crud::for_everybody(crud::refusing(
            crud::described(operation, "recover_root", "sign-in", summary),
            &[401, 403, 409, 429],
        ))
    });
    ApiRouter::new().api_route("/first-start", first_start).api_route("/recovery", recovery)
}
