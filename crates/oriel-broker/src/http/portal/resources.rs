//! What a user may open, their favourites, and the icons.

use std::{collections::HashSet, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    response::IntoResponse,
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};
use oriel_model::{Id, Timestamp, resource::Resource};
use oriel_store::{FAVOURITES_MAX, UserState};
use serde::Serialize;

use super::call::{Call, User};
use crate::{
    Broker,
    app::{resource::VisibleResource, sign_in::SignedIn, user_state},
    http::ApiError,
};

/// What a user sees.
#[derive(Debug, Serialize)]
pub struct Resources {
    resources: Vec<VisibleResource>,
    favourites: Vec<Id<Resource>>,
    recent: Vec<RecentView>,
}

#[derive(Debug, Serialize)]
struct RecentView {
    id: Id<Resource>,
    at: Timestamp,
}

pub async fn list(State(broker): State<Arc<Broker>>, call: Call, User(signed_in): User) -> Json<Resources> {
    let client = call.says();
    let resources = match broker.welcome(&signed_in, &client).await.shows_list() {
        true => broker.visible_resources(&signed_in, &client),
        false => Vec::new(),
    };
    let seen: HashSet<_> = resources.iter().map(|resource| resource.id).collect();
    let state = state_of(&broker, &signed_in).await;
    let favourites = state.favourites.into_iter().filter(|id| seen.contains(id)).collect();
    let recent = state.recent.into_iter().filter(|recent| seen.contains(&recent.resource));
    let recent = recent.map(|recent| RecentView { id: recent.resource, at: recent.at }).collect();
    Json(Resources { resources, favourites, recent })
}

/// Favourites are a convenience: without them the list is still of use.
async fn state_of(broker: &Broker, signed_in: &SignedIn) -> UserState {
    match broker.user_states.get(&*broker.store, signed_in.user.id, broker.now()).await {
        Ok(state) => state,
        Err(error) => {
            tracing::warn!(user.id = %signed_in.user.id, %error, "favourites cannot be read; the list goes out without them");
            UserState::default()
        }
    }
}

pub async fn add_favourite(
    State(broker): State<Arc<Broker>>,
    call: Call,
    User(signed_in): User,
    Path(resource): Path<String>,
) -> Result<StatusCode, ApiError> {
    let resource = id(&resource)?;
    let facts = signed_in.facts(&call.says());
    let is_visible =
        broker.farm.load().listing.access(resource, &facts).is_some_and(|(_, access)| access.is_visible());
    if !is_visible {
        return Err(unknown());
    }
    let mut has_room = true;
    let add = |state: &mut UserState| has_room = user_state::add_favourite(state, resource);
    broker.user_states.change(&*broker.store, signed_in.user.id, broker.now(), add).await?;
    if has_room {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::bad_request(format!(
            "You have {FAVOURITES_MAX} favourites, which is as many as there can be."
        ))
        .advice("Remove one first."))
    }
}

pub async fn remove_favourite(
    State(broker): State<Arc<Broker>>,
    User(signed_in): User,
    Path(resource): Path<String>,
) -> Result<StatusCode, ApiError> {
    let resource: Id<Resource> = id(&resource)?;
    let remove = |state: &mut UserState| state.favourites.retain(|favourite| *favourite != resource);
    broker.user_states.change(&*broker.store, signed_in.user.id, broker.now(), remove).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The built-in ones are no secret; the others are named by their digest, and who knows that has seen them.
/// So neither needs a sign-in.
pub async fn icon(
    State(broker): State<Arc<Broker>>,
    Path(file): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let unknown = || ApiError::not_found("There is no such icon.");
    let name = file.strip_suffix(".png").ok_or_else(unknown)?;
    let icon = broker.icons.find(&*broker.store, name).await?.ok_or_else(unknown)?;
    let headers = [
        (CONTENT_TYPE, "image/png".to_owned()),
        (CACHE_CONTROL, format!("public, {}", icon.caching())),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, icon.png))
}

fn unknown() -> ApiError {
    ApiError::not_found("This is not (or no longer) published for you.")
}

/// An id in a path; what is no id names nothing.
pub fn id<T>(text: &str) -> Result<Id<T>, ApiError> {
    text.parse().map_err(|_| unknown())
}
