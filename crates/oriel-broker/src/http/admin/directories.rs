//! What is particular to directories: trying one out, looking for people in it, choosing them, asking anew, and the
//! password of its service account.

use std::sync::Arc;

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with, put_with},
};
use axum::{Json, extract::State, response::NoContent};
use http::StatusCode;
use oriel_model::{directory::Directory, group::Group};
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    caller::{Add, Control, May, Modify, View},
    crud::{self, Api},
    input::{Asked, IdOf, Sent},
};
use crate::{
    Broker,
    directories::{self, Adopt, Adopted, DirectoryCheck, DirectoryError, DirectoryPage, PeopleQuery},
    http::{ApiError, problem::sentence},
};

/// The password of a service account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewBindPassword {
    /// For the account and the servers that are set now.
    #[schemars(with = "String", length(min = 1))]
    password: Zeroizing<String>,
}

async fn set_password(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Directory>>,
    IdOf(id): IdOf<Directory>,
    Sent(new): Sent<NewBindPassword>,
) -> Result<NoContent, ApiError> {
    broker.set_bind_password(may.by(), id, new.password).await?;
    Ok(NoContent)
}

async fn check(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Directory>>,
    IdOf(id): IdOf<Directory>,
) -> Result<Json<DirectoryCheck>, ApiError> {
    Ok(Json(directories::check(&broker, may.by(), id).await?))
}

async fn flush(
    State(broker): State<Arc<Broker>>,
    may: May<Control<Directory>>,
    IdOf(id): IdOf<Directory>,
) -> Result<NoContent, ApiError> {
    directories::flush(&broker, may.by(), id)?;
    Ok(NoContent)
}

async fn people(
    State(broker): State<Arc<Broker>>,
    may: May<View<Directory>>,
    IdOf(id): IdOf<Directory>,
    Asked(query): Asked<PeopleQuery>,
) -> Result<Json<DirectoryPage>, ApiError> {
    Ok(Json(directories::people(&broker, may.rights(), id, &query).await?))
}

async fn adopt(
    State(broker): State<Arc<Broker>>,
    may: May<Add<Group>>,
    IdOf(id): IdOf<Directory>,
    Sent(adopt): Sent<Adopt>,
) -> Result<Json<Adopted>, ApiError> {
    Ok(Json(broker.adopt(may.by(), id, adopt).await?))
}

impl From<DirectoryError> for ApiError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Change(error) => error.into(),
            DirectoryError::Nobody => ApiError::not_found(sentence(&error)),
            DirectoryError::NotAsked(_) => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "directory_unreachable", sentence(&error))
                    .advice("Check the directory: POST /directories/{id}/check says it of every server.")
            }
        }
    }
}

pub fn routes() -> Api {
    let tag = "directories";
    let password = put_with(set_password, |operation| {
        let summary = "Sets the password of a directory's service account. It is never given back.";
        crud::described(operation, "set_directory_password", tag, summary)
    });
    let check = post_with(check, |operation| {
        let summary = "Asks every server of a directory once, and says how each answers.";
        crud::described(operation, "check_directory", tag, summary)
    });
    let flush = post_with(flush, |operation| {
        let summary =
            "Asks about everybody of a directory anew: who is no more is signed out, and groups follow.";
        crud::described(operation, "flush_directory", tag, summary)
    });
    let people = get_with(people, |operation| {
        let summary = "Looks for people or groups in a directory.";
        crud::refusing(crud::described(operation, "search_directory", tag, summary), &[404])
    });
    let adopt = post_with(adopt, |operation| {
        let summary =
            "Gives the object that stands for somebody of a directory, and makes it if there is none yet.";
        crud::refusing(crud::described(operation, "adopt_from_directory", tag, summary), &[404])
    });
    ApiRouter::new()
        .api_route("/directories/{id}/password", password)
        .api_route("/directories/{id}/check", check)
        .api_route("/directories/{id}/flush", flush)
        .api_route("/directories/{id}/people", people)
        .api_route("/directories/{id}/adopt", adopt)
}
