//! Settings as documents: applying, exporting, importing, turning back, copying, and backups.

use std::{sync::Arc, time::Duration};

use aide::{
    OperationInput,
    axum::{
        ApiRouter,
        routing::{get_with, post_with, put_with},
    },
};
use axum::{
    Json,
    extract::{DefaultBodyLimit, FromRequestParts, State},
    response::NoContent,
};
use http::{StatusCode, request::Parts};
use oriel_model::{Timestamp, farm::Farm, site::Site};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use zeroize::Zeroizing;

use super::{
    caller::{Audit, May, Modify, ModifyAnything, View, ViewAnything, WholeFarm},
    crud::{self, Api},
    input::{Asked, At, IdOf, Sent},
    respond::Created,
};
use crate::{
    Broker,
    app::audit::Event,
    app::documents::{
        self, Apply, Back, CopySections, Document, DocumentsQuery, Import, Obstacle, Plan, Refused, Why,
        archive::Archive,
        backup::{self, BackupFile},
    },
    http::{ApiError, problem::sentence},
};

/// Largest body of documents, in bytes: a farm of 10,000 resources and 10,000 users has a third of it.
const DOCUMENTS_BODY_MAX: usize = 48 * 1024 * 1024;
/// Largest body of an import, in bytes: such a farm with a picture for every other resource.
const IMPORT_BODY_MAX: usize = 128 * 1024 * 1024;

/// How long a large call waits for the one before it.
const LARGE_WAIT: Duration = Duration::from_secs(20);

/// The turn of a call with so much in it that such calls go one by one; taken before its body is read.
pub struct Turn(#[expect(dead_code, reason = "it is held, not read")] OwnedSemaphorePermit);

impl FromRequestParts<Arc<Broker>> for Turn {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, broker: &Arc<Broker>) -> Result<Self, ApiError> {
        match timeout(LARGE_WAIT, broker.large_calls.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Self(permit)),
            _ => Err(Refused::Busy.into()),
        }
    }
}

impl OperationInput for Turn {}

/// The farm, or a part of it, as documents.
#[derive(Debug, Serialize, JsonSchema)]
struct Documents {
    /// In the order in which objects may refer to each other, then of their names.
    documents: Vec<Document>,
    /// Number of the newest change of settings in them.
    sequence: u64,
}

/// What is sent to export the farm.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Export {
    /// Seals what is secret; at least 12 characters. Without it, nothing secret is in the archive.
    #[schemars(with = "Option<String>")]
    passphrase: Option<Zeroizing<String>>,
    /// Also the farm's own keys, so that it can be restored as itself: gateways and hosts then go on without
    /// joining again. Whoever opens the archive can make certificates that the farm trusts.
    farm_keys: bool,
}

/// What is sent to turn a change back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Revert {
    /// With it everything that was changed in the same transaction: all of one apply, or of one import.
    transaction: bool,
    /// Only says what would be done.
    dry_run: bool,
    /// Refuse it if an object that it would change was changed after this number: that of the plan that was
    /// looked at.
    sequence: Option<u64>,
}

/// What is sent to turn back all changes after one, or since a moment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RevertTo {
    /// The number of the last change that stays.
    to: Option<u64>,
    /// In place of it: the moment from which on nothing stays.
    since: Option<Timestamp>,
    /// Only says what would be done.
    #[serde(default)]
    dry_run: bool,
    /// Refuse it if an object that it would change was changed after this number: that of the plan that was
    /// looked at.
    #[serde(default)]
    sequence: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
struct ChangePath {
    /// The change's number.
    sequence: u64,
}

/// A passphrase that is set.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPassphrase {
    /// At least 12 characters. Keep it where the backups are not: without it they cannot be opened.
    #[schemars(with = "String", length(min = 12))]
    passphrase: Zeroizing<String>,
}

/// The backups that are there.
#[derive(Debug, Serialize, JsonSchema)]
struct BackupList {
    /// Newest first.
    items: Vec<BackupFile>,
}

async fn list(
    State(broker): State<Arc<Broker>>,
    may: May<ViewAnything>,
    Asked(query): Asked<DocumentsQuery>,
) -> Result<Json<Documents>, ApiError> {
    let view = broker.farm.load();
    // A large farm takes a while to write down.
    let listed = tokio::task::spawn_blocking(move || Documents {
        documents: documents::list(&view, &query, may.rights()),
        sequence: view.sequence,
    });
    Ok(Json(listed.await.map_err(ApiError::internal)?))
}

async fn apply(
    State(broker): State<Arc<Broker>>,
    may: May<ModifyAnything>,
    _turn: Turn,
    Sent(sent): Sent<Apply>,
) -> Result<Json<Plan>, ApiError> {
    let wanted = documents::read(sent.documents, "documents")?;
    let plan = documents::apply(&broker, may.by(), wanted, sent.dry_run, sent.sequence).await?;
    Ok(Json(plan))
}

async fn export(
    State(broker): State<Arc<Broker>>,
    may: May<WholeFarm>,
    _turn: Turn,
    Sent(sent): Sent<Export>,
) -> Result<Json<Archive>, ApiError> {
    let with_secrets = sent.passphrase.is_some();
    let archive = documents::export(&broker, sent.passphrase, sent.farm_keys).await?;
    let by = &may.by().author;
    broker.record(&Event::Exported { by, with_secrets, with_farm_keys: sent.farm_keys });
    Ok(Json(archive))
}

async fn import(
    State(broker): State<Arc<Broker>>,
    may: May<WholeFarm>,
    _turn: Turn,
    Sent(sent): Sent<Import>,
) -> Result<Json<Plan>, ApiError> {
    Ok(Json(documents::import(&broker, may.by(), sent).await?))
}

async fn revert(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Audit>>,
    At(path): At<ChangePath>,
    _turn: Turn,
    Sent(sent): Sent<Revert>,
) -> Result<Json<Plan>, ApiError> {
    let back = if sent.transaction { Back::Transaction } else { Back::Change };
    let plan = documents::revert(&broker, may.by(), path.sequence, back, sent.sequence, sent.dry_run).await?;
    Ok(Json(plan))
}

async fn revert_to(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Audit>>,
    _turn: Turn,
    Sent(sent): Sent<RevertTo>,
) -> Result<Json<Plan>, ApiError> {
    let to = match (sent.to, sent.since) {
        (Some(to), None) => to,
        (None, Some(since)) => documents::last_change_before(&broker, since).await?,
        _ => return Err(ApiError::bad_request("Say either to or since.")),
    };
    Ok(Json(documents::revert_to(&broker, may.by(), to, sent.sequence, sent.dry_run).await?))
}

async fn copy_sections(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Site>>,
    IdOf(id): IdOf<Site>,
    Sent(sent): Sent<CopySections>,
) -> Result<Json<Plan>, ApiError> {
    Ok(Json(documents::copy_sections(&broker, may.by(), id, sent).await?))
}

async fn list_backups(
    State(broker): State<Arc<Broker>>,
    _: May<View<Farm>>,
) -> Result<Json<BackupList>, ApiError> {
    Ok(Json(BackupList { items: backup::backups(&broker).await? }))
}

async fn make_backup(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Farm>>,
    _turn: Turn,
) -> Result<Created<BackupFile>, ApiError> {
    Ok(Created(backup::make(&broker, &may.by().author).await?))
}

async fn set_passphrase(
    State(broker): State<Arc<Broker>>,
    may: May<Modify<Farm>>,
    Sent(sent): Sent<NewPassphrase>,
) -> Result<NoContent, ApiError> {
    backup::set_passphrase(&broker, may.by(), sent.passphrase).await?;
    Ok(NoContent)
}

impl From<Refused> for ApiError {
    fn from(error: Refused) -> Self {
        let message = sentence(&error);
        let conflict = |code| ApiError::new(StatusCode::CONFLICT, code, message.clone());
        match error {
            Refused::Invalid(mistakes) => ApiError::invalid(mistakes),
            Refused::ChangedSince { .. } => {
                conflict("changed_since").advice("Look at it again, and repeat what you wanted.")
            }
            Refused::InTheWay(obstacles) => {
                let is_changed = obstacles.iter().any(|one| matches!(one.why, Why::Changed { .. }));
                conflict(if is_changed { "changed_since" } else { "not_revertible" })
                    .mistakes(obstacles.iter().map(Obstacle::as_mistake).collect())
                    .advice("Turn back what came later first, or everything since.")
            }
            Refused::NotRevertible(_) => conflict("not_revertible"),
            Refused::NoSuchChange(_) | Refused::NoSuchSite => ApiError::not_found(message),
            Refused::NotEmpty(_) => conflict("not_empty").advice(
                "Import into a new farm, or say \"replace\": then what is not in the archive is deleted.",
            ),
            Refused::PassphraseMissing | Refused::WrongPassphrase => {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_passphrase", message)
                    .advice("Send the passphrase that the archive was made with.")
            }
            Refused::NoBackupPassphrase => {
                conflict("no_backup_passphrase").advice("Set one with PUT /farm/backup-passphrase.")
            }
            Refused::Backup { .. } => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "backup_failed", message)
                    .advice("Make room on the broker's disk, or let its user write there.")
            }
            Refused::Busy => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(5),
            Refused::Commit(error) => error.into(),
            Refused::Forbidden(error) => error.into(),
        }
    }
}

pub fn routes() -> Api {
    let large = |routes: Api, max: usize| routes.layer(DefaultBodyLimit::max(max));
    let apply = post_with(apply, |operation| {
        let summary = "Makes objects what documents say: all in one transaction, or none.";
        crud::refusing(crud::described(operation, "apply_documents", "documents", summary), &[412, 503])
    });
    let import = post_with(import, |operation| {
        let summary = "Makes an empty farm what an archive says.";
        crud::refusing(crud::described(operation, "import_farm", "documents", summary), &[412, 503])
    });
    ApiRouter::new()
        .merge(large(ApiRouter::new().api_route("/apply", apply), DOCUMENTS_BODY_MAX))
        .merge(large(ApiRouter::new().api_route("/import", import), IMPORT_BODY_MAX))
        .merge(reading())
        .merge(turning_back())
        .merge(backups())
}

fn reading() -> Api {
    let list = get_with(list, |operation| {
        let summary = "The farm as documents, with names in place of ids and without anything secret.";
        crud::described(operation, "list_documents", "documents", summary)
    });
    let export = post_with(export, |operation| {
        let summary = "The whole farm as an archive; with a passphrase, secrets included.";
        crud::refusing(crud::described(operation, "export_farm", "documents", summary), &[422, 503])
    });
    ApiRouter::new().api_route("/documents", list).api_route("/export", export)
}

fn turning_back() -> Api {
    let revert = post_with(revert, |operation| {
        let summary =
            "Turns one change back, or the whole transaction it was made in, by a change of its own.";
        crud::refusing(crud::described(operation, "revert_change", "changes", summary), &[404, 412, 503])
    });
    let revert_to = post_with(revert_to, |operation| {
        let summary = "Turns back every change after one.";
        crud::refusing(crud::described(operation, "revert_to", "changes", summary), &[404, 412, 503])
    });
    let copy = post_with(copy_sections, |operation| {
        let summary = "Copies sections of a site's settings to other sites, once or kept in step.";
        crud::refusing(crud::described(operation, "copy_site_sections", "sites", summary), &[404, 412, 503])
    });
    ApiRouter::new()
        .api_route("/changes/{sequence}/revert", revert)
        .api_route("/revert", revert_to)
        .api_route("/sites/{id}/copy", copy)
}

fn backups() -> Api {
    let list = get_with(list_backups, |operation| {
        let summary = "Lists the backups in the data directory of the broker that answers.";
        crud::refusing(crud::described(operation, "list_backups", "backups", summary), &[503])
    });
    let list = list.post_with(make_backup, |operation| {
        let summary = "Makes a backup now.";
        crud::refusing(crud::described(operation, "make_backup", "backups", summary), &[409, 503])
    });
    let passphrase = put_with(set_passphrase, |operation| {
        let summary = "Sets the passphrase of the farm's backups. It is never given back.";
        crud::described(operation, "set_backup_passphrase", "backups", summary)
    });
    ApiRouter::new().api_route("/backups", list).api_route("/farm/backup-passphrase", passphrase)
}
