//! Who calls the management API, and what they may do. A handler names the permission it needs in its
//! signature: `_: May<Change<Pool>>`.

use std::{marker::PhantomData, net::IpAddr, sync::Arc};

use aide::{OperationInput, generate::GenContext, openapi};
use axum::extract::FromRequestParts;
use http::{HeaderMap, StatusCode, header, request::Parts};
use oriel_model::{
    Kind, Object,
    role::{Action, Area},
    token::Token,
};
use oriel_store::{Author, Via};

use crate::{
    Broker,
    app::objects,
    http::{ApiError, PeerAddress, problem},
};

/// Something that belongs to an area of administration.
pub trait InArea: Send + Sync + 'static {
    /// The area.
    const AREA: Area;
}

/// What a handler asks for.
pub trait Permission: Send + Sync + 'static {
    /// In this area.
    const AREA: Area;
    /// This is to be done.
    const ACTION: Action;
}

/// Looking at what is in the area of `A`.
pub struct View<A>(PhantomData<A>);
/// Changing it.
pub struct Change<A>(PhantomData<A>);
/// Acting on what runs there.
pub struct Control<A>(PhantomData<A>);

impl<A: InArea> Permission for View<A> {
    const AREA: Area = A::AREA;
    const ACTION: Action = Action::View;
}
impl<A: InArea> Permission for Change<A> {
    const AREA: Area = A::AREA;
    const ACTION: Action = Action::Change;
}
impl<A: InArea> Permission for Control<A> {
    const AREA: Area = A::AREA;
    const ACTION: Action = Action::Control;
}

/// Sessions: they are no settings objects.
pub enum Sessions {}
/// The change log.
pub enum Audit {}

impl InArea for Sessions {
    const AREA: Area = Area::Sessions;
}

impl InArea for Audit {
    const AREA: Area = Area::Audit;
}

macro_rules! areas {
    ($($variant:ident, $spec:ty, $word:literal, $plural:ident, $area:ident, $about:literal;)*) => {
        $(impl InArea for $spec {
            const AREA: Area = Area::$area;
        })*
    };
}

oriel_model::every_kind!(areas);

/// A caller with the permission `P`. To have one is to have been checked.
pub struct May<P> {
    author: Author,
    token: Object<Token>,
    permission: PhantomData<P>,
}

impl<P> May<P> {
    /// The caller, as the change log names them.
    pub fn author(self) -> Author {
        self.author
    }

    /// Whether the caller's role permits something else too.
    pub fn also(&self, area: Area, action: Action) -> bool {
        self.token.spec.role.permits(area, action)
    }

    /// Refuses a caller whose role does not permit this in every area: for what reaches into all of them.
    pub fn everything(&self, action: Action) -> Result<(), ApiError> {
        let is_permitted = Kind::ALL.iter().all(|kind| self.also(super::kinds::area(*kind), action));
        if is_permitted { Ok(()) } else { Err(self.refused()) }
    }

    /// 403: the role does not permit it.
    pub fn refused(&self) -> ApiError {
        not_permitted(&self.token)
    }

    /// The caller's name, as hosts log it: `token admin`.
    pub fn name(&self) -> &str {
        &self.author.name
    }
}

impl<P: Permission> FromRequestParts<Arc<Broker>> for May<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let Known(token) = Known::from_request_parts(parts, broker).await?;
        if !token.spec.role.permits(P::AREA, P::ACTION) {
            return Err(not_permitted(&token));
        }
        let author =
            Author { name: format!("token {}", token.name), via: via(parts), address: address(parts) };
        Ok(Self { author, token, permission: PhantomData })
    }
}

/// 403: the role does not permit it.
pub fn not_permitted(token: &Object<Token>) -> ApiError {
    let message = format!("The role of token \"{}\" does not permit this.", token.name);
    ApiError::new(StatusCode::FORBIDDEN, "forbidden", message).advice("Use a token with another role.")
}

/// What a caller may meet for what is to be done: a name that is taken, a host that says no.
impl<P: Permission> OperationInput for May<P> {
    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        let statuses: &[u16] = match P::ACTION {
            Action::View => &[401, 403, 429, 500, 503],
            Action::Change => &[401, 403, 409, 429, 500, 503],
            Action::Control => &[401, 403, 404, 409, 429, 500, 503, 504],
        };
        problem::described(context, statuses)
    }
}

/// A caller with a valid token, whatever it may do.
pub struct Known(pub Object<Token>);

impl FromRequestParts<Arc<Broker>> for Known {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let (address, now) = (address(parts), broker.now());
        if let Some(address) = address {
            broker.throttle.request(address, now)?;
        }
        if let Some(token) = token(&parts.headers, broker) {
            return Ok(Self(token));
        }
        if let Some(address) = address {
            // A right one is always taken, lest somebody shuts a neighbour out.
            broker.throttle.token_refused(address, now)?;
        }
        let message = "The API token is missing, wrong or expired.";
        Err(ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
            .advice("Send a valid token in the header \"Authorization: Bearer …\"."))
    }
}

impl OperationInput for Known {
    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        problem::described(context, &[401, 429, 500, 503])
    }
}

/// The valid token that a request carries.
pub fn token(headers: &HeaderMap, broker: &Broker) -> Option<Object<Token>> {
    bearer(headers).and_then(|secret| objects::find_token(&broker.farm.load(), secret, broker.now()))
}

fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<PeerAddress>().map(|peer| peer.0.ip())
}

/// The secret of `Authorization: Bearer …`; the scheme's name is case-insensitive (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, secret) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// Whether it is our own command line that calls. What it says of itself goes into the change log and
/// decides nothing.
fn via(parts: &Parts) -> Via {
    let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    if agent.is_some_and(|agent| agent.starts_with("oriel/")) { Via::Cli } else { Via::Api }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: header::HeaderName, value: &str) -> Parts {
        http::Request::builder().header(name, value).body(()).expect("a request").into_parts().0
    }

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer(&parts(header::AUTHORIZATION, "bearer  abc ").headers), Some("abc"));
        assert_eq!(bearer(&parts(header::AUTHORIZATION, "Basic abc").headers), None);
        assert_eq!(bearer(&parts(header::HOST, "x").headers), None);
    }

    #[test]
    fn our_command_line_is_told_apart() {
        assert_eq!(via(&parts(header::USER_AGENT, "oriel/0.1.0")), Via::Cli);
        assert_eq!(via(&parts(header::USER_AGENT, "curl/8")), Via::Api);
    }
}
