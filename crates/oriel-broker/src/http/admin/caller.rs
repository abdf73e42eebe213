//! Who calls the management API, and what they may do. A handler names the permission it needs in its
//! signature: `_: May<Modify<Pool>>`. That it is permitted at all is checked before the handler runs; what
//! it is done to, the use case asks of the caller's rights.

use std::{marker::PhantomData, net::IpAddr, sync::Arc};

use aide::{OperationInput, generate::GenContext, openapi};
use axum::extract::FromRequestParts;
use http::{Extensions, HeaderMap, StatusCode, header, request::Parts};
use oriel_model::permission::{Action, Area};
use oriel_store::{Author, Via};

use super::cookie;
use crate::{
    Broker,
    app::{
        administrators::{Caller, Rights, Source},
        objects,
    },
    http::{ApiError, PeerAddress, problem},
};

/// Something that belongs to an area of administration.
pub trait InArea: Send + Sync + 'static {
    /// The area.
    const AREA: Area;
}

/// What a handler asks for.
pub trait Permission: Send + Sync + 'static {
    /// In this area; none: in any.
    const AREA: Option<Area>;
    /// This is to be done.
    const ACTION: Action;
    /// To everything, with no limit: only root may.
    const UNLIMITED: bool = false;
}

/// Looking at what is in the area of `A`.
pub struct View<A>(PhantomData<A>);
/// Changing what is there.
pub struct Modify<A>(PhantomData<A>);
/// Making something.
pub struct Add<A>(PhantomData<A>);
/// Deleting something.
pub struct Delete<A>(PhantomData<A>);
/// Acting on what runs there.
pub struct Control<A>(PhantomData<A>);

impl<A: InArea> Permission for View<A> {
    const AREA: Option<Area> = Some(A::AREA);
    const ACTION: Action = Action::View;
}
impl<A: InArea> Permission for Modify<A> {
    const AREA: Option<Area> = Some(A::AREA);
    const ACTION: Action = Action::Modify;
}
impl<A: InArea> Permission for Add<A> {
    const AREA: Option<Area> = Some(A::AREA);
    const ACTION: Action = Action::Add;
}
impl<A: InArea> Permission for Delete<A> {
    const AREA: Option<Area> = Some(A::AREA);
    const ACTION: Action = Action::Delete;
}
impl<A: InArea> Permission for Control<A> {
    const AREA: Option<Area> = Some(A::AREA);
    const ACTION: Action = Action::Control;
}

/// Looking at anything: what it is, the use case asks.
pub enum ViewAnything {}

impl Permission for ViewAnything {
    const AREA: Option<Area> = None;
    const ACTION: Action = Action::View;
}

/// Reading or writing the whole farm, secrets included: for root only.
pub enum WholeFarm {}

impl Permission for WholeFarm {
    const AREA: Option<Area> = None;
    const ACTION: Action = Action::Modify;
    const UNLIMITED: bool = true;
}

/// Changing anything: what it is, the use case asks.
pub enum ModifyAnything {}

impl Permission for ModifyAnything {
    const AREA: Option<Area> = None;
    const ACTION: Action = Action::Modify;
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
    caller: Caller,
    permission: PhantomData<P>,
}

impl<P> May<P> {
    /// The caller.
    pub fn by(&self) -> &Caller {
        &self.caller
    }

    /// What they may do.
    pub fn rights(&self) -> &Rights {
        &self.caller.rights
    }

    /// The caller's name, as hosts log it: `token admin`.
    pub fn name(&self) -> &str {
        self.caller.name()
    }
}

impl<P: Permission> FromRequestParts<Arc<Broker>> for May<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let Known(caller) = Known::from_request_parts(parts, broker).await?;
        let mut areas = Area::ALL.iter().filter(|area| P::AREA.is_none_or(|wanted| wanted == **area));
        let is_permitted = areas.any(|area| caller.rights.anywhere(*area, P::ACTION));
        if !is_permitted || (P::UNLIMITED && !caller.rights.is_root()) {
            return Err(not_permitted(&caller));
        }
        Ok(Self { caller, permission: PhantomData })
    }
}

/// 403: the role does not permit it.
pub fn not_permitted(caller: &Caller) -> ApiError {
    let message = match caller.source {
        Source::Token(_) => format!("The role of {} does not permit this.", quoted(caller.name())),
        Source::SignIn { .. } | Source::System => "Your role does not permit this.".to_owned(),
    };
    ApiError::new(StatusCode::FORBIDDEN, "forbidden", message)
        .advice("Ask a root administrator for it, or use a token with another role.")
}

/// `token admin` as `token "admin"`.
fn quoted(name: &str) -> String {
    name.split_once(' ').map_or_else(|| name.to_owned(), |(what, name)| format!("{what} \"{name}\""))
}

/// What a caller may meet for what is to be done: a name that is taken, a host that says no.
impl<P: Permission> OperationInput for May<P> {
    /// Says the permission in the document: `x-permission: {area, action, root}`; no area stands for any.
    fn operation_input(_: &mut GenContext, operation: &mut openapi::Operation) {
        let permission = serde_json::json!({"area": P::AREA, "action": P::ACTION, "root": P::UNLIMITED});
        operation.extensions.insert("x-permission".into(), permission);
    }

    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        let statuses: &[u16] = match P::ACTION {
            Action::View => &[401, 403, 429, 500, 503],
            Action::Modify | Action::Add | Action::Delete => &[401, 403, 409, 429, 500, 503],
            Action::Control => &[401, 403, 404, 409, 429, 500, 503, 504],
        };
        problem::described(context, statuses)
    }
}

/// A caller whom we know, whatever they may do.
pub struct Known(pub Caller);

/// A caller whom we know, even one who must set up a second factor before anything else.
pub struct Whoever(pub Caller);

impl FromRequestParts<Arc<Broker>> for Known {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let Whoever(caller) = Whoever::from_request_parts(parts, broker).await?;
        if caller.must_enrol {
            let message = "Administrators of this farm sign in with a second factor, and you have none yet.";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "second_factor_needed", message)
                .advice("Set one up first: POST /me/totp, then PUT /me/totp with a code of it."));
        }
        Ok(Self(caller))
    }
}

impl FromRequestParts<Arc<Broker>> for Whoever {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let (address, now) = (address(&parts.extensions), broker.now());
        if let Some(address) = address {
            broker.throttle.request(address, now)?;
        }
        if let Some(caller) = of_request(parts, broker)? {
            return Ok(Self(caller));
        }
        if let Some(secret) = bearer(&parts.headers) {
            broker.token_refused(secret, address, via(&parts.headers));
        }
        if let Some(address) = address {
            // A right one is always taken, lest somebody shuts a neighbour out.
            broker.throttle.token_refused(address, now)?;
        }
        let message = "The API token or the sign-in is missing, wrong or expired.";
        Err(ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
            .advice("Sign in, or send a valid token in the header \"Authorization: Bearer …\"."))
    }
}

impl OperationInput for Known {
    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        problem::described(context, &[401, 403, 429, 500, 503])
    }
}

impl OperationInput for Whoever {
    fn inferred_early_responses(
        context: &mut GenContext,
        _: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        problem::described(context, &[401, 429, 500, 503])
    }
}

/// Who sends a request: by its token, else by its sign-in; none where neither counts.
///
/// # Errors
///
/// A sign-in counts for a request that may change something only when our own pages sent it.
pub fn of_request(parts: &Parts, broker: &Broker) -> Result<Option<Caller>, ApiError> {
    if let Some(secret) = bearer(&parts.headers) {
        let (view, now) = (broker.farm.load(), broker.now());
        let Ok((token, rights)) = objects::find_token(&view, secret, now) else { return Ok(None) };
        broker.token_uses.used(token.id, now);
        let name = format!("token {}", token.name);
        let author = Author { name, via: via(&parts.headers), address: address(&parts.extensions) };
        return Ok(Some(Caller { author, rights, source: Source::Token(token.id), must_enrol: false }));
    }
    let Some(sealed) = cookie::of_request(&parts.headers) else { return Ok(None) };
    let Some(administrator) = broker.administrator_signed_in(sealed) else { return Ok(None) };
    cookie::only_from_our_pages(parts)?;
    Ok(Some(administrator.caller(address(&parts.extensions))))
}

/// Where a request comes from.
pub fn address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<PeerAddress>().map(|peer| peer.0.ip())
}

/// Where a request comes from, for handlers that everybody may call.
pub struct From(pub IpAddr);

impl FromRequestParts<Arc<Broker>> for From {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        let address = address(&parts.extensions).ok_or_else(|| ApiError::internal("no peer address"))?;
        broker.throttle.request(address, broker.now())?;
        Ok(Self(address))
    }
}

impl OperationInput for From {}

/// A caller whom we may not know.
pub struct Perhaps(pub Option<Caller>);

impl FromRequestParts<Arc<Broker>> for Perhaps {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        Ok(Self(of_request(parts, broker)?))
    }
}

impl OperationInput for Perhaps {}

/// The secret of `Authorization: Bearer …`; the scheme's name is case-insensitive (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, secret) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// Whether it is our own command line that calls. What it says of itself goes into the change log and
/// decides nothing.
pub fn via(headers: &HeaderMap) -> Via {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
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
        assert_eq!(via(&parts(header::USER_AGENT, "oriel/0.1.0").headers), Via::Cli);
        assert_eq!(via(&parts(header::USER_AGENT, "curl/8").headers), Via::Api);
    }
}
