//! What is true of every call: it comes from a gateway, within bounds, from our own pages, and perhaps
//! from somebody who is signed in.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CACHE_CONTROL, SET_COOKIE, USER_AGENT},
    request::Parts,
};
use oriel_model::{Id, gateway::Gateway, role::Role, rule::ClientOs};
use oriel_wire::portal::{CLIENT_ADDRESS_HEADER, REQUEST_HEADER};
use serde::de::DeserializeOwned;

use super::cookie;
use crate::{
    Broker,
    app::{
        client::ClientSays,
        sign_in::{SignInError, SignedIn, SignedOut},
    },
    http::{ApiError, problem::sentence},
    peer::peer_in_role,
    throttle::TooMany,
};

/// A call that was let in.
#[derive(Debug, Clone)]
pub struct Call {
    /// Where the client is, as the gateway saw it.
    pub address: IpAddr,
    /// The gateway.
    pub gateway: Id<Gateway>,
    /// The system that the browser says it runs on.
    pub operating_system: Option<ClientOs>,
    /// Who, if anybody is signed in.
    pub signed_in: Option<SignedIn>,
}

impl Call {
    /// What the browser says about itself without being asked.
    pub fn says(&self) -> ClientSays {
        ClientSays { operating_system: self.operating_system, ..ClientSays::default() }
    }
}

/// The permission of calls that need somebody signed in.
#[derive(Debug, Clone)]
pub struct User(pub SignedIn);

/// A JSON body.
#[derive(Debug)]
pub struct Input<T>(pub T);

/// Lets a call in, and keeps a sign-in that is used from lying idle.
pub async fn admit(State(broker): State<Arc<Broker>>, mut request: Request, next: Next) -> Response {
    if let Some(token) = cookie::of_request(request.headers()) {
        broker.meet_user(token).await;
    }
    let call = match admitted(&broker, &request) {
        Ok(call) => call,
        Err(refused) => return refused.into_response(),
    };
    let signed_in = call.signed_in.clone();
    request.extensions_mut().insert(call);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(signed_in) = signed_in
        && !headers.contains_key(SET_COOKIE)
        && let Some(sealed) = broker.renewed(&signed_in)
    {
        headers.insert(SET_COOKIE, cookie::set(&sealed, signed_in.sign_in.expires_at, broker.now()));
    }
    response
}

fn admitted(broker: &Broker, request: &Request) -> Result<Call, ApiError> {
    let gateway = peer_in_role(broker, request.extensions(), Role::Gateway)
        .map_err(|refusal| ApiError::new(StatusCode::FORBIDDEN, "forbidden", sentence(&refusal)))?
        .cast();
    let headers = request.headers();
    let address = header(headers, CLIENT_ADDRESS_HEADER)
        .and_then(|address| address.parse::<IpAddr>().ok())
        .ok_or_else(|| ApiError::bad_request("The gateway did not say where the request comes from."))?
        .to_canonical();
    broker.throttle.request(address, broker.now())?;
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && header(headers, REQUEST_HEADER) != Some("1") {
        let message = "The request does not come from the portal's own pages.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "csrf", message)
            .advice("Open the portal's address yourself."));
    }
    let signed_in =
        cookie::of_request(headers).and_then(|token| broker.signed_in(token, address, Some(gateway)).ok());
    let operating_system =
        headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).map(operating_system);
    Ok(Call { address, gateway, operating_system, signed_in })
}

/// A header that must be there once, or not at all.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// The system that a browser says it runs on.
fn operating_system(user_agent: &str) -> ClientOs {
    // Android and ChromeOS also say Linux or X11, so they come first.
    let known = [
        ("Windows", ClientOs::Windows),
        ("Android", ClientOs::Android),
        ("CrOS", ClientOs::ChromeOs),
        ("iPhone", ClientOs::Ios),
        ("iPad", ClientOs::Ios),
        ("Macintosh", ClientOs::MacOs),
        ("Linux", ClientOs::Linux),
    ];
    known.into_iter().find(|(word, _)| user_agent.contains(word)).map_or(ClientOs::Other, |(_, os)| os)
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Call>().cloned().ok_or_else(|| ApiError::internal("a route without admission"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let call = Call::from_request_parts(parts, state).await?;
        Ok(User(call.signed_in.ok_or(SignedOut)?))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let unreadable = |_| ApiError::bad_request("The request is too large or was cut off.");
        let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
        // Where, not what: the body may hold a password.
        serde_json::from_slice(&body).map(Input).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            ApiError::bad_request(format!("The request cannot be understood (line {line}, column {column})."))
        })
    }
}

impl From<SignedOut> for ApiError {
    fn from(error: SignedOut) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "signed_out", sentence(&error)).advice("Sign in again.")
    }
}

impl From<TooMany> for ApiError {
    fn from(error: TooMany) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", "Too many requests were made in a short time.")
            .advice(format!("Try again in {} s.", error.retry_after_secs))
            .retry_after(error.retry_after_secs)
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused => Self::new(StatusCode::UNAUTHORIZED, "sign_in_refused", sentence(&error))
                .advice("Check both and try again; after several wrong passwords an account is locked for a while."),
            SignInError::ChangePassword => Self::new(StatusCode::UNAUTHORIZED, "password_expired", sentence(&error))
                .advice("Change it where you change your password at work, then sign in with the new one."),
            SignInError::Unavailable => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "directory_unreachable", sentence(&error))
                    .advice("Try again in a moment.")
                    .retry_after(10)
            }
            SignInError::Busy => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", "Too many people are signing in at once.")
                    .advice("Try again in a moment.")
                    .retry_after(3)
            }
            SignInError::TooMany(too_many) => too_many.into(),
            SignInError::NotWelcome(refused) => refused.into(),
            SignInError::OutOfRandomness => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_header_is_no_header() {
        let mut headers = HeaderMap::new();
        headers.append(CLIENT_ADDRESS_HEADER, HeaderValue::from_static("10.0.0.1"));
        assert_eq!(header(&headers, CLIENT_ADDRESS_HEADER), Some("10.0.0.1"));
        headers.append(CLIENT_ADDRESS_HEADER, HeaderValue::from_static("10.0.0.2"));
        assert_eq!(header(&headers, CLIENT_ADDRESS_HEADER), None);
    }

    #[test]
    fn the_system_is_read_from_what_browsers_say() {
        for (agent, os) in [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", ClientOs::Windows),
            ("Mozilla/5.0 (Linux; Android 14; Pixel 8)", ClientOs::Android),
            ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)", ClientOs::ChromeOs),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", ClientOs::Ios),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", ClientOs::MacOs),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:109.0)", ClientOs::Linux),
            ("curl/8.0", ClientOs::Other),
        ] {
            assert_eq!(operating_system(agent), os, "{agent}");
        }
    }
}
