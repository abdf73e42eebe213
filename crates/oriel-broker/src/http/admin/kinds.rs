//! The kinds of settings objects: the common routes of all of them, and the list of what there is.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing::get_with};
use axum::Json;
use oriel_model::{Kind, permission::Area};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    caller::Known,
    crud::{self, Api, Verb},
    input::At,
};
use crate::{
    Broker,
    http::{
        ApiError,
        problem::codes::{self, Code},
    },
};

/// A kind of settings object.
#[derive(Debug, Serialize, JsonSchema)]
struct KindView {
    /// Its word.
    kind: Kind,
    /// Its path below `/api/v1`.
    plural: &'static str,
    /// What it is.
    about: &'static str,
    /// The area of administration it belongs to.
    area: Area,
    /// What can be done with its objects.
    verbs: Vec<Verb>,
}

/// Every kind of settings object.
#[derive(Debug, Serialize, JsonSchema)]
struct Kinds {
    /// In the order in which objects may refer to each other.
    items: Vec<KindView>,
}

/// Every code of an answer that is an error.
#[derive(Debug, Serialize, JsonSchema)]
struct Problems {
    /// In the order of their statuses.
    items: &'static [Code],
}

#[derive(Deserialize, JsonSchema)]
struct CodePath {
    /// The code.
    code: String,
}

async fn list_kinds(_: Known) -> Json<Kinds> {
    let items = Kind::ALL.iter().map(|kind| KindView {
        kind: *kind,
        plural: kind.plural(),
        about: kind.about(),
        area: kind.area(),
        verbs: Verb::of(*kind),
    });
    Json(Kinds { items: items.collect() })
}

async fn list_problems() -> Json<Problems> {
    Json(Problems { items: codes::CODES })
}

async fn show_problem(At(path): At<CodePath>) -> Result<Json<Code>, ApiError> {
    let code = codes::find(&path.code).ok_or_else(|| ApiError::not_found("There is no such code."))?;
    Ok(Json(*code))
}

macro_rules! every_kind {
    ($($variant:ident, $spec:ty, $word:literal, $plural:ident, $area:ident, $about:literal;)*) => {
        fn of_every_kind() -> Api {
            ApiRouter::<Arc<Broker>>::new()$(.merge(crud::routes::<$spec>()))*
        }
    };
}

oriel_model::every_kind!(every_kind);

pub fn routes() -> Api {
    let kinds = get_with(list_kinds, |operation| {
        crud::described(
            operation,
            "list_kinds",
            "kinds",
            "Lists the kinds of settings objects, and what can be done with each.",
        )
    });
    let problems = get_with(list_problems, |operation| {
        let operation = crud::described(
            operation,
            "list_problems",
            "problems",
            "Lists every code that an error may carry.",
        );
        crud::for_everybody(operation)
    });
    let problem = get_with(show_problem, |operation| {
        let operation =
            crud::described(operation, "show_problem", "problems", "Explains the code of an error.");
        crud::for_everybody(operation)
    });
    of_every_kind()
        .api_route("/kinds", kinds)
        .api_route("/problems", problems)
        .api_route("/problems/{code}", problem)
}
