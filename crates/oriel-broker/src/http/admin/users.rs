//! Users and groups of the farm's own directory.

use std::sync::Arc;

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with, put_with},
};
use axum::{Json, extract::State, response::NoContent};
use oriel_model::{group::Group, user::User};
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    caller::{Change, May, View},
    crud::{self, Api},
    input::{Asked, IdOf, Sent},
    respond::Created,
};
use crate::{
    Broker,
    app::objects::{self, ListQuery, NewUser, Page, UserView},
    http::ApiError,
};

/// A new password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The password; at least 8 characters.
    #[schemars(with = "String")]
    password: Zeroizing<String>,
}

async fn create(
    State(broker): State<Arc<Broker>>,
    may: May<Change<User>>,
    Sent(new): Sent<NewUser>,
) -> Result<Created<UserView>, ApiError> {
    Ok(Created(objects::create_user(&broker, may.author(), new).await?))
}

async fn set_password(
    State(broker): State<Arc<Broker>>,
    may: May<Change<User>>,
    IdOf(id): IdOf<User>,
    Sent(new): Sent<NewPassword>,
) -> Result<NoContent, ApiError> {
    objects::set_password(&broker, may.author(), id, new.password).await?;
    Ok(NoContent)
}

async fn members(
    State(broker): State<Arc<Broker>>,
    _: May<View<Group>>,
    IdOf(id): IdOf<Group>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<UserView>>, ApiError> {
    Ok(Json(objects::members(&broker, id, &query)?))
}

pub fn routes() -> Api {
    let create = post_with(create, |operation| {
        crud::about::<User>(operation, "create", "Makes one, with a password or without.")
    });
    let password = put_with(set_password, |operation| {
        crud::described(operation, "set_user_password", "users", "Sets a user's password.")
    });
    let members = get_with(members, |operation| {
        crud::described(operation, "list_group_members", "groups", "Lists the users who belong to a group.")
    });
    ApiRouter::new()
        .merge(crud::viewed::<User>())
        .merge(crud::changed::<User>())
        .merge(crud::deleted::<User>())
        .api_route(&crud::all_of::<User>(), create)
        .api_route("/users/{id}/password", password)
        .api_route("/groups/{id}/members", members)
}
