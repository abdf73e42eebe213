//! Signing in and out.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{AppendHeaders, IntoResponse},
};
use http::{
    HeaderValue, StatusCode,
    header::{HeaderName, SET_COOKIE},
};
use oriel_model::{Id, Timestamp, user};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    call::{Call, Input, User},
    cookie,
};
use crate::{Broker, app::sign_in::SignedIn, http::ApiError};

/// Name and password.
#[derive(Deserialize)]
pub struct Credentials {
    user_name: String,
    password: Zeroizing<String>,
}

/// Who is signed in.
#[derive(Debug, Serialize)]
pub struct Me {
    user: UserView,
    farm_name: String,
    sign_in_expires_at: Timestamp,
}

/// Who is signed in, if anybody is.
#[derive(Debug, Serialize)]
pub struct Who {
    me: Option<Me>,
}

#[derive(Debug, Serialize)]
struct UserView {
    id: Id<user::User>,
    name: String,
    full_name: String,
}

type Cookie = AppendHeaders<[(HeaderName, HeaderValue); 1]>;

pub async fn sign_in(
    State(broker): State<Arc<Broker>>,
    call: Call,
    Input(credentials): Input<Credentials>,
) -> Result<(Cookie, Json<Me>), ApiError> {
    let Credentials { user_name, password } = credentials;
    let (signed_in, sealed) = broker.sign_in(&user_name, password, call.address, Some(call.gateway)).await?;
    let cookie = cookie::set(&sealed, signed_in.sign_in.expires_at, broker.now());
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(show(&broker, &signed_in))))
}

pub async fn sign_out(State(broker): State<Arc<Broker>>, call: Call) -> impl IntoResponse {
    if let Some(signed_in) = &call.signed_in {
        broker.sign_out(signed_in);
    }
    (StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie::clear())]))
}

/// Answers in any case: a page that looks whether somebody is signed in has done nothing wrong.
pub async fn who(State(broker): State<Arc<Broker>>, call: Call) -> Json<Who> {
    Json(Who { me: call.signed_in.as_ref().map(|signed_in| show(&broker, signed_in)) })
}

pub async fn me(State(broker): State<Arc<Broker>>, User(signed_in): User) -> Json<Me> {
    Json(show(&broker, &signed_in))
}

fn show(broker: &Broker, signed_in: &SignedIn) -> Me {
    let user = &signed_in.user;
    Me {
        user: UserView { id: user.id, name: user.name.clone(), full_name: user.spec.full_name.clone() },
        farm_name: broker.farm.load().farm_name(),
        sign_in_expires_at: signed_in.sign_in.expires_at,
    }
}
