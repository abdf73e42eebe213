//! Administrators sign in, see who they are and who else is there.

use std::{collections::BTreeMap, sync::Arc};

use aide::{
    OperationOutput,
    axum::{
        ApiRouter,
        routing::{delete_with, get_with, post_with},
    },
    generate::GenContext,
    openapi,
};
use axum::{
    Json,
    extract::State,
    response::{AppendHeaders, IntoResponse, NoContent, Response},
};
use http::{HeaderMap, StatusCode, header::SET_COOKIE};
use oriel_model::{
    Id, Timestamp,
    permission::{Action, AdministratorRole, Area, Reach},
    token::Token,
    user::User,
};
use oriel_store::SignIn;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    caller::{self, Delete, May, View, Whoever},
    cookie,
    crud::{self, Api},
    input::{IdOf, Sent},
};
use crate::{
    Broker,
    app::{
        administrators::{Caller, Presence, RefusedSignIn, Rights, Source, own_session},
        factor::Factor,
    },
    http::{ApiError, problem},
    sign_in_token::SealedSignIn,
};

/// Name and password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The user's name.
    name: String,
    /// Their password.
    #[schemars(with = "String")]
    password: Zeroizing<String>,
    /// A code of their authenticator, or a recovery code; wanted where the answer without is `code_needed`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    code: Option<Zeroizing<String>>,
}

/// Who calls, and what they may do.
#[derive(Debug, Serialize, JsonSchema)]
struct Me {
    /// As the change log names them: `user anna`, `token admin`.
    name: String,
    /// The user; none for a token.
    user: Option<MyUser>,
    /// The token; none for a user.
    token: Option<Id<Token>>,
    /// Whether there is no limit.
    root: bool,
    /// Their roles: what any of them permits is permitted.
    roles: Vec<RoleView>,
    /// What they may do somewhere in each area.
    areas: BTreeMap<Area, Vec<Action>>,
    /// Their sign-in; none for a token.
    session: Option<MySession>,
    /// Whether they have a second factor.
    totp: bool,
    /// How many of their recovery codes are left.
    recovery_codes: usize,
    /// Whether they must set up a second factor before anything else.
    second_factor_needed: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MyUser {
    /// Its id.
    id: Id<User>,
    /// What they sign in with.
    name: String,
    /// Their full name.
    full_name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RoleView {
    /// The role.
    role: AdministratorRole,
    /// How far it reaches.
    reach: Reach,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MySession {
    /// Its id.
    id: Id<SignIn>,
    /// When it ends unless something is done; a minute before is the time to warn.
    idle_ends_at: Timestamp,
    /// How many seconds that is from now, for clocks that are not the broker's.
    idle_left_secs: u64,
    /// When it ends at the latest.
    ends_at: Timestamp,
}

/// A sign-in of an administrator.
#[derive(Debug, Serialize, JsonSchema)]
struct AdministratorSession {
    /// Its id.
    id: Id<SignIn>,
    /// Whose.
    user: Id<User>,
    /// The user's name.
    user_name: String,
    /// Where from, last.
    address: Option<std::net::IpAddr>,
    /// What the browser says of itself.
    browser: String,
    /// Since when.
    since: Timestamp,
    /// When they last did something.
    active_at: Timestamp,
    /// Whether it is the caller's own.
    own: bool,
}

/// Sign-ins of administrators on this broker.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AdministratorSessions {
    /// The newest first.
    items: Vec<AdministratorSession>,
}

/// 200 with the cookie.
pub struct WithCookie<T>(pub http::HeaderValue, pub T);

impl<T: IntoResponse> IntoResponse for WithCookie<T> {
    fn into_response(self) -> Response {
        (AppendHeaders([(SET_COOKIE, self.0)]), self.1).into_response()
    }
}

impl<T: OperationOutput> OperationOutput for WithCookie<T> {
    type Inner = T::Inner;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut openapi::Operation,
    ) -> Option<openapi::Response> {
        T::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut openapi::Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        T::inferred_responses(context, operation)
    }
}

async fn sign_in(
    State(broker): State<Arc<Broker>>,
    caller::From(address): caller::From,
    headers: HeaderMap,
    Sent(credentials): Sent<Credentials>,
) -> Result<WithCookie<Json<Me>>, ApiError> {
    let Credentials { name, password, code } = credentials;
    let (browser, code) = (cookie::browser(&headers), code.as_ref().map(|code| code.as_str()));
    let (signed_in, sealed) = broker.sign_in_administrator(&name, password, code, address, browser).await?;
    let sign_in = signed_in.sign_in.clone();
    let cookie = cookie::set(&sealed, sign_in.expires_at, broker.now());
    let caller = signed_in.caller(Some(address));
    Ok(WithCookie(cookie, Json(me_of(&broker, &caller, Some(sign_in)))))
}

/// Who is signed in, if anybody is.
#[derive(Debug, Serialize, JsonSchema)]
struct Who {
    /// None: nobody.
    me: Option<Me>,
}

/// Answers in any case: a page that looks whether somebody is signed in has done nothing wrong.
async fn who(
    State(broker): State<Arc<Broker>>,
    caller::From(_): caller::From,
    caller::Perhaps(caller): caller::Perhaps,
    headers: HeaderMap,
) -> Json<Who> {
    let me = match caller {
        Some(caller) => Some(me(State(broker), Whoever(caller), headers).await.0),
        None => None,
    };
    Json(Who { me })
}

async fn sign_out(State(broker): State<Arc<Broker>>, Whoever(caller): Whoever) -> WithCookie<NoContent> {
    if let Source::SignIn { id, .. } = caller.source {
        broker.end_administrator_sign_in(id, &caller);
    }
    WithCookie(cookie::clear(), NoContent)
}

async fn me(State(broker): State<Arc<Broker>>, Whoever(caller): Whoever, headers: HeaderMap) -> Json<Me> {
    let signed_in = cookie::of_request(&headers).and_then(|sealed| broker.administrator_signed_in(sealed));
    let sign_in = match caller.source {
        Source::SignIn { .. } => signed_in.map(|signed_in| signed_in.sign_in),
        Source::Token(_) | Source::System => None,
    };
    Json(me_of(&broker, &caller, sign_in))
}

/// Doing something is what keeps a sign-in: the layer around all routes does the rest.
async fn stay(State(broker): State<Arc<Broker>>, whoever: Whoever, headers: HeaderMap) -> Json<Me> {
    me(State(broker), whoever, headers).await
}

fn me_of(broker: &Broker, caller: &Caller, sign_in: Option<SealedSignIn>) -> Me {
    let view = broker.farm.load();
    let (user, token) = match caller.source {
        Source::SignIn { user, .. } => (view.person(user), None),
        Source::Token(token) => (None, Some(token)),
        Source::System => (None, None),
    };
    let factor = user.as_ref().and_then(|user| view.factors.get(&user.id));
    Me {
        totp: factor.is_some(),
        recovery_codes: factor.map_or(0, Factor::recovery_left),
        second_factor_needed: caller.must_enrol,
        name: caller.name().to_owned(),
        user: user.map(|user| MyUser {
            id: user.id,
            name: user.name.clone(),
            full_name: user.spec.full_name.clone(),
        }),
        token,
        root: caller.rights.is_root(),
        roles: roles(&caller.rights),
        areas: areas(&caller.rights),
        session: sign_in.map(|sign_in| MySession {
            id: sign_in.id,
            idle_ends_at: sign_in.idle_until,
            idle_left_secs: u64::try_from(sign_in.idle_until.duration_since(broker.now()).as_secs())
                .unwrap_or(0),
            ends_at: sign_in.expires_at,
        }),
    }
}

fn roles(rights: &Rights) -> Vec<RoleView> {
    rights.roles().map(|role| RoleView { role: role.role, reach: role.reach.clone() }).collect()
}

fn areas(rights: &Rights) -> BTreeMap<Area, Vec<Action>> {
    let permitted = |area: &Area| {
        let actions = Action::ALL.iter().copied().filter(|action| rights.anywhere(*area, *action));
        (*area, actions.collect::<Vec<_>>())
    };
    Area::ALL.iter().map(permitted).filter(|(_, actions)| !actions.is_empty()).collect()
}

impl AdministratorSessions {
    /// As this caller sees them.
    pub fn of(broker: &Broker, caller: &Caller, found: Vec<Presence>) -> Self {
        let (view, own) = (broker.farm.load(), own_session(caller));
        let items = found.into_iter().map(|one| AdministratorSession {
            id: one.id,
            user: one.user,
            user_name: view.person(one.user).map(|user| user.name.clone()).unwrap_or_default(),
            address: one.address,
            browser: one.browser,
            since: one.since,
            active_at: one.active_at,
            own: own == Some(one.id),
        });
        Self { items: items.collect() }
    }
}

async fn list(State(broker): State<Arc<Broker>>, may: May<View<Token>>) -> Json<AdministratorSessions> {
    Json(AdministratorSessions::of(&broker, may.by(), broker.present()))
}

async fn end(
    State(broker): State<Arc<Broker>>,
    may: May<Delete<Token>>,
    IdOf(id): IdOf<SignIn>,
) -> Result<NoContent, ApiError> {
    let ended = broker.end_administrator_sign_in(id, may.by());
    ended.map(|_| NoContent).ok_or_else(|| ApiError::not_found("There is no such sign-in on this broker."))
}

impl From<RefusedSignIn> for ApiError {
    fn from(error: RefusedSignIn) -> Self {
        let message = problem::sentence(&error);
        match error {
            RefusedSignIn::Refused => ApiError::new(StatusCode::UNAUTHORIZED, "sign_in_refused", message)
                .advice("Check the name and the password; after several wrong ones the account waits."),
            RefusedSignIn::CodeNeeded => ApiError::new(StatusCode::UNAUTHORIZED, "code_needed", message)
                .advice("Send name and password again with the code that it shows."),
            RefusedSignIn::WrongCode => wrong_code(message),
            RefusedSignIn::Busy => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(1)
            }
            RefusedSignIn::TooMany(error) => error.into(),
            RefusedSignIn::OutOfRandomness => ApiError::internal(error),
        }
    }
}

/// 401: the code does not count.
pub fn wrong_code(message: String) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "code_refused", message)
        .advice("Wait for the next code; after several wrong ones the account waits.")
}

pub fn routes() -> Api {
    let sign_in = post_with(sign_in, |operation| {
        let summary = "Signs an administrator in to the management portal; the answer sets a cookie.";
        let operation = crud::described(operation, "sign_in", "sign-in", summary);
        crud::for_everybody(crud::refusing(operation, &[401, 429, 500, 503]))
    });
    let sign_in = sign_in.delete_with(sign_out, |operation| {
        crud::described(operation, "sign_out", "sign-in", "Ends the caller's own sign-in.")
    });
    let sign_in = sign_in.get_with(who, |operation| {
        let summary = "Shows who is signed in; nobody is no error.";
        let operation = crud::described(operation, "show_sign_in", "sign-in", summary);
        crud::for_everybody(crud::refusing(operation, &[401, 429, 500]))
    });
    let me = get_with(me, |operation| {
        crud::described(operation, "show_me", "sign-in", "Shows who calls, and what they may do.")
    });
    let stay = post_with(stay, |operation| {
        crud::described(operation, "stay", "sign-in", "Keeps an idle sign-in from ending.")
    });
    let list = get_with(list, |operation| {
        let summary = "Lists the administrators who are signed in on this broker.";
        crud::described(operation, "list_administrator_sessions", "sign-in", summary)
    });
    let end = delete_with(end, |operation| {
        let operation = crud::described(
            operation,
            "end_administrator_session",
            "sign-in",
            "Ends a sign-in of an administrator.",
        );
        crud::refusing(operation, &[404])
    });
    ApiRouter::new()
        .api_route("/sign-in", sign_in)
        .api_route("/me", me)
        .api_route("/me/stay", stay)
        .api_route("/administrator-sessions", list)
        .api_route("/administrator-sessions/{id}", end)
}
