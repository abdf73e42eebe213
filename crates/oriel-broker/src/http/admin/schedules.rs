//! What is particular to schedules: how their latest times went.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use oriel_model::schedule::Schedule;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    caller::{May, View},
    crud::{self, Api},
    input::IdOf,
};
use crate::{Broker, app::objects, http::ApiError, schedules::Run};

/// How the latest times of a schedule went.
#[derive(Debug, Serialize, JsonSchema)]
struct RunList {
    /// Newest first; the latest 31.
    items: Vec<Run>,
}

async fn runs(
    State(broker): State<Arc<Broker>>,
    may: May<View<Schedule>>,
    IdOf(id): IdOf<Schedule>,
) -> Result<Json<RunList>, ApiError> {
    objects::get::<Schedule>(&broker, may.rights(), id)?;
    Ok(Json(RunList { items: broker.schedule_runs(id) }))
}

pub fn routes() -> Api {
    let runs = get_with(runs, |operation| {
        let summary = "Lists how the latest times of a schedule went, newest first.";
        crud::described(operation, "list_schedule_runs", "schedules", summary)
    });
    ApiRouter::new().api_route("/schedules/{id}/runs", runs)
}
