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
use oriel_model::{
    Id, Timestamp,
    rule::{ClientKind, ClientOs},
    user,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    call::{Call, Input, User},
    cookie,
};
use crate::{
    Broker,
    app::{
        client::{ClientSays, text},
        hours::Hours,
        policy::{self, ClientPolicy},
        sign_in::SignedIn,
    },
    http::ApiError,
};

/// Name and password.
#[derive(Deserialize)]
pub struct Credentials {
    user_name: String,
    password: Zeroizing<String>,
    /// The device's time zone.
    #[serde(default)]
    time_zone: String,
    #[serde(default)]
    client: Client,
}

/// What a client says of itself.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Client {
    name: String,
    kind: Option<ClientKind>,
    operating_system: Option<ClientOs>,
    version: String,
}

/// Who is signed in.
#[derive(Debug, Serialize)]
pub struct Me {
    user: UserView,
    farm_name: String,
    sign_in_expires_at: Timestamp,
    policy: Option<ClientPolicy>,
    hours: Option<Hours>,
    sign_out_minutes: Option<u32>,
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
    let Credentials { user_name, password, time_zone, client } = credentials;
    let says = ClientSays {
        name: text(&client.name),
        kind: client.kind,
        operating_system: client.operating_system.or(call.operating_system),
        version: text(&client.version),
        time_zone: text(&time_zone),
    };
    let (address, gateway) = (call.address, Some(call.gateway));
    let (signed_in, sealed) = broker.sign_in(&user_name, password, address, gateway, says).await?;
    broker.after_sign_in(&signed_in);
    let cookie = cookie::set(&sealed, signed_in.sign_in.expires_at, broker.now());
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(show(&broker, &signed_in, &call).await)))
}

pub async fn sign_out(State(broker): State<Arc<Broker>>, call: Call) -> impl IntoResponse {
    if let Some(signed_in) = &call.signed_in {
        broker.sign_out(signed_in);
    }
    (StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie::clear())]))
}

/// Answers in any case: a page that looks whether somebody is signed in has done nothing wrong.
pub async fn who(State(broker): State<Arc<Broker>>, call: Call) -> Json<Who> {
    let me = match &call.signed_in {
        Some(signed_in) => Some(show(&broker, signed_in, &call).await),
        None => None,
    };
    Json(Who { me })
}

pub async fn me(State(broker): State<Arc<Broker>>, call: Call, User(signed_in): User) -> Json<Me> {
    Json(show(&broker, &signed_in, &call).await)
}

async fn show(broker: &Broker, signed_in: &SignedIn, call: &Call) -> Me {
    let user = &signed_in.user;
    let client = call.says();
    let policy = policy::effective(&broker.farm.load(), &signed_in.facts(&client));
    Me {
        user: UserView { id: user.id, name: user.name.clone(), full_name: user.spec.full_name.clone() },
        farm_name: broker.farm.load().farm_name(),
        sign_in_expires_at: signed_in.sign_in.expires_at,
        sign_out_minutes: policy::sign_out(&policy.settings),
        policy: ClientPolicy::told(policy),
        hours: broker.hours(signed_in, &client).await,
    }
}
