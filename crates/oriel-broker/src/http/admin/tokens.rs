//! API tokens and invitations: what is secret about them is shown once, when they are made.

use std::sync::Arc;

use aide::axum::{
    ApiRouter,
    routing::{post_with, put_with},
};
use axum::{Json, extract::State};
use oriel_model::{invitation::Invitation, token::Token};

use super::{
    caller::{Change, May},
    crud::{self, Api},
    input::{BasedOn, IdOf, Sent},
    respond::Created,
};
use crate::{
    Broker,
    app::objects::{self, ChangedToken, IssuedInvitation, IssuedToken, NewInvitation, NewToken, TokenView},
    http::ApiError,
};

async fn create_token(
    State(broker): State<Arc<Broker>>,
    may: May<Change<Token>>,
    Sent(new): Sent<NewToken>,
) -> Result<Created<IssuedToken>, ApiError> {
    Ok(Created(objects::create_token(&broker, may.author(), new).await?))
}

async fn change_token(
    State(broker): State<Arc<Broker>>,
    may: May<Change<Token>>,
    IdOf(id): IdOf<Token>,
    based_on: BasedOn,
    Sent(changed): Sent<ChangedToken>,
) -> Result<Json<TokenView>, ApiError> {
    let revision = based_on.revision(changed.revision)?;
    Ok(Json(objects::change_token(&broker, may.author(), id, revision, changed).await?))
}

async fn invite(
    State(broker): State<Arc<Broker>>,
    may: May<Change<Invitation>>,
    Sent(new): Sent<NewInvitation>,
) -> Result<Created<IssuedInvitation>, ApiError> {
    Ok(Created(objects::invite(&broker, may.author(), new).await?))
}

pub fn routes() -> Api {
    let (all, one) = (crud::all_of::<Token>(), crud::one_of::<Token>());
    let create = post_with(create_token, |operation| {
        crud::about::<Token>(
            operation,
            "create",
            "Makes one. Its secret is in the answer and never shown again.",
        )
    });
    let change = put_with(change_token, |operation| {
        crud::about::<Token>(operation, "change", "Changes what it may do and until when; its secret stays.")
    });
    let invite = post_with(invite, |operation| {
        crud::about::<Invitation>(
            operation,
            "create",
            "Makes one. The string to paste is in the answer and never shown again.",
        )
    });
    ApiRouter::new()
        .merge(crud::viewed::<Token>())
        .api_route(&all, create)
        .api_route(&one, change)
        .merge(crud::deleted::<Token>())
        .merge(crud::viewed::<Invitation>())
        .merge(crud::deleted::<Invitation>())
        .api_route(&crud::all_of::<Invitation>(), invite)
}
