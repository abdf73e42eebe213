//! The OpenAPI document of the management API.

use std::collections::BTreeMap;

use aide::openapi::{Info, OpenApi, Operation, ReferenceOr, Response, SecurityScheme, Server, StatusCode};
use schemars::json_schema;

use super::{PATH_PREFIX, idempotency::KEY_MAX, input::header_parameter};
use crate::http::problem::{self, PROBLEM_JSON};

/// Prepares for collecting routes: schemas get a name and a place of their own.
pub fn begin() {
    aide::generate::reset_context();
    aide::generate::extract_schemas(true);
    aide::generate::infer_responses(true);
}

/// What the document says before any route.
pub fn empty() -> OpenApi {
    let description = "Settings objects, sessions and the change log of a farm.\n\n\
        Every request carries an API token: `Authorization: Bearer …`.\n\n\
        Errors are problem documents (RFC 9457): a stable code, what happened, what to do, and every mistake \
        with its field. `GET /problems` explains every code.\n\n\
        Lists are filtered, sorted and cut into pages; a page's `next` is the `after` of the next one.\n\n\
        Single objects have an ETag. Changes and deletions say which revision they are based on, in the \
        header If-Match or as `revision`; a stale one is refused with who changed what and when.\n\n\
        A POST with the header Idempotency-Key may be sent again and is carried out once.";
    OpenApi {
        info: Info {
            title: "Oriel management API".into(),
            description: Some(description.into()),
            version: "1".into(),
            ..Info::default()
        },
        servers: vec![Server { url: PATH_PREFIX.into(), ..Server::default() }],
        ..OpenApi::default()
    }
}

/// Adds what holds for all routes.
pub fn finish(document: &mut OpenApi) {
    let scheme = SecurityScheme::Http {
        scheme: "bearer".into(),
        bearer_format: None,
        description: Some("An API token.".into()),
        extensions: Default::default(),
    };
    let mut refusals = BTreeMap::new();
    for path in document.paths.iter_mut().flat_map(|paths| paths.paths.values_mut()) {
        let Some(path) = path.as_item_mut() else { continue };
        if let Some(operation) = &mut path.post {
            takes_a_key(operation);
        }
        if let Some(operation) = &mut path.get {
            may_be_known(operation);
        }
        let operations = [&mut path.get, &mut path.put, &mut path.post, &mut path.patch, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            share_refusals(operation, &mut refusals);
        }
    }
    let components = document.components.get_or_insert_default();
    components.security_schemes.insert("token".into(), ReferenceOr::Item(scheme));
    components.responses.extend(refusals);
    document.security = vec![[("token".to_owned(), Vec::new())].into_iter().collect()];
}

/// Every POST may carry a key.
fn takes_a_key(operation: &mut Operation) {
    let about = "A word of the caller's own, such as a UUID. The same request with the same key within 24 \
        hours is carried out once, and answered with the same answer; the header `Idempotent-Replayed` says \
        so. Of one caller, the newest 1000 are remembered.";
    let schema = json_schema!({ "type": "string", "minLength": 1, "maxLength": KEY_MAX });
    operation.parameters.push(header_parameter("Idempotency-Key", about, schema));
    let refusals = aide::generate::in_context(|context| problem::described(context, &[400, 413, 422]));
    let responses = &mut operation.responses.get_or_insert_default().responses;
    for (status, response) in refusals {
        if let Some(status) = status {
            responses.entry(StatusCode::Code(status)).or_insert(ReferenceOr::Item(response));
        }
    }
}

/// What has a tag may be known to the caller already.
fn may_be_known(operation: &mut Operation) {
    let responses = &mut operation.responses.get_or_insert_default().responses;
    let answer = responses.get(&StatusCode::Code(200)).and_then(|answer| answer.as_item());
    if answer.is_none_or(|answer| !answer.headers.contains_key("ETag")) {
        return;
    }
    let about = "The ETag that the caller has: nothing is sent when it is still the same.";
    let schema = json_schema!({ "type": "string" });
    operation.parameters.push(header_parameter("If-None-Match", about, schema));
    let unchanged =
        Response { description: "What the caller has is still the same.".into(), ..Response::default() };
    responses.insert(StatusCode::Code(304), ReferenceOr::Item(unchanged));
}

/// Puts the description of every refusal in one place: it depends on the status alone.
fn share_refusals(operation: &mut Operation, refusals: &mut BTreeMap<String, ReferenceOr<Response>>) {
    let responses = &mut operation.responses.get_or_insert_default().responses;
    for (status, response) in responses.iter_mut() {
        let is_refusal = response.as_item().is_some_and(|one| one.content.contains_key(PROBLEM_JSON));
        let StatusCode::Code(status) = status else { continue };
        if is_refusal {
            let name = format!("Problem{status}");
            let reference = format!("#/components/responses/{name}");
            let reference = ReferenceOr::Reference { reference, summary: None, description: None };
            refusals.insert(name, std::mem::replace(response, reference));
        }
    }
    responses.sort_unstable_by(|a, _, b, _| a.to_string().cmp(&b.to_string()));
}
