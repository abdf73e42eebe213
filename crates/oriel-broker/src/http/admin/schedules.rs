//! What is particular to schedules: how their latest times went, and the times of all of them.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use jiff::SignedDuration;
use oriel_model::{Timestamp, schedule::Schedule, validate::Mistake};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    caller::{May, View},
    crud::{self, Api},
    input::{Asked, IdOf},
};
use crate::{
    Broker,
    app::objects,
    http::ApiError,
    schedules::{Calendar, Run},
};

/// Longest time that is looked at, in days: the weeks that a calendar shows of two months.
const DAYS_MAX: i64 = 70;

/// Which times of schedules are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CalendarQuery {
    /// From this moment on, as in `2026-12-01T00:00:00Z`.
    from: Timestamp,
    /// Before this moment, at most 70 days later.
    until: Timestamp,
}

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

async fn calendar(
    State(broker): State<Arc<Broker>>,
    may: May<View<Schedule>>,
    Asked(CalendarQuery { from, until }): Asked<CalendarQuery>,
) -> Result<Json<Calendar>, ApiError> {
    let longest = SignedDuration::from_hours(24 * DAYS_MAX);
    if until <= from || until.duration_since(from) > longest {
        let message = format!("must be after \"from\", by at most {DAYS_MAX} days");
        return Err(ApiError::bad_request(format!("The query is not understood: until {message}."))
            .mistakes(vec![Mistake { field: "until".into(), message }]));
    }
    Ok(Json(broker.calendar(may.rights(), from, until)))
}

pub fn routes() -> Api {
    let runs = get_with(runs, |operation| {
        let summary = "Lists how the latest times of a schedule went, newest first.";
        crud::described(operation, "list_schedule_runs", "schedules", summary)
    });
    let calendar = get_with(calendar, |operation| {
        let summary = "Lists the times of all schedules between two moments: those to come, and how those \
            that are over went, as far as that is kept.";
        crud::described(operation, "list_scheduled_times", "schedules", summary)
    });
    ApiRouter::new().api_route("/schedules/runs", calendar).api_route("/schedules/{id}/runs", runs)
}
