//! What is particular to users and groups of the farm's own directory: passwords and members.

use std::sync::Arc;

use aide::axum::{
    ApiRouter,
    routing::{get_with, put_with},
};
use axum::{Json, extract::State, response::NoContent};
use oriel_model::{group::Group, user::User};
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    caller::{May, Modify, View},
    crud::{self, Api},
    input::{Asked, IdOf, Sent},
};
use crate::{
    Broker,
    app::objects::{self, ListQuery, Page},
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

async fn set_password(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<User>>,
    IdOf(id): IdOf<User>,
    Sent(new): Sent<NewPassword>,
) -> Result<NoContent, ApiError> {
    objects::set_password(&broker, may.by(), id, new.password).await?;
    Ok(NoContent)
}

async fn members(
    State(broker): State<Arc<Broker>>,
    may: May<View<Group>>,
    IdOf(id): IdOf<Group>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<objects::View<User>>>, ApiError> {
    Ok(Json(objects::members(&broker, may.rights(), id, &query)?))
}

pub fn routes() -> Api {
    let password = put_with(set_password, |operation| {
        crud::described(operation, "set_user_password", "users", "Sets a user's password.")
    });
    let members = get_with(members, |operation| {
        crud::described(operation, "list_group_members", "groups", "Lists the users who belong to a group.")
    });
    ApiRouter::new().api_route("/users/{id}/password", password).api_route("/groups/{id}/members", members)
}
