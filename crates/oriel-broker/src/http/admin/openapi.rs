//! The OpenAPI document of the management API.

use aide::openapi::{Info, OpenApi, SecurityScheme, Server};

use super::PATH_PREFIX;

/// Prepares for collecting routes: schemas get a name and a place of their own.
pub fn begin() {
    aide::generate::reset_context();
    aide::generate::extract_schemas(true);
    aide::generate::infer_responses(true);
}

/// What the document says before any route.
pub fn empty() -> OpenApi {
    let description = "Settings objects, sessions and the change log of a farm. Every request carries an \
        API token: `Authorization: Bearer …`. Errors have one shape, Problem: a stable code, a sentence on \
        what happened, one on what to do, and every mistake with its field. Changes and deletions say the \
        revision that they are based on; a stale one is refused with who changed the object and when.";
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
    let components = document.components.get_or_insert_default();
    components.security_schemes.insert("token".into(), aide::openapi::ReferenceOr::Item(scheme));
    document.security = vec![[("token".to_owned(), Vec::new())].into_iter().collect()];
}
