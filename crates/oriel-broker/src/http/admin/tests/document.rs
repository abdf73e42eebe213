use super::*;

/// The committed document is what the code serves. `ORIEL_UPDATE=1` writes it anew.
#[test]
fn the_openapi_document_is_the_committed_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let found = serde_json::to_string_pretty(&document()).expect("JSON") + "\n";
    if std::env::var_os("ORIEL_UPDATE").is_some() {
        let folder = std::path::Path::new(path).parent().expect("a folder");
        std::fs::create_dir_all(folder).expect("docs");
        std::fs::write(path, &found).expect("written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == found,
        "docs/openapi.json is not what the code serves: run this test with ORIEL_UPDATE=1"
    );
}

#[test]
fn every_operation_has_a_name_a_summary_and_its_errors() {
    let document = serde_json::to_value(document()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let mut ids = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let id =
                operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no name"));
            assert!(operation["summary"].is_string(), "{id} has no summary");
            let answers = operation["responses"].as_object().expect("answers");
            assert!(!answers.contains_key("default"), "{id} does not say which answers it gives");
            let tag = operation["tags"].to_string();
            let needs = match (method.as_str(), path.contains("{id}")) {
                // Sign-ins, and who edits what, have no revisions.
                ("delete", _) if tag.contains("sign-in") || tag.contains("editing") => {
                    vec!["204", "401", "429", "500", "503"]
                }
                ("post", _) if tag.contains("sign-in") => vec!["401", "429", "500", "503"],
                ("get", true) if tag.contains("sign-in") => vec!["200", "401", "429", "500"],
                ("get", false) => vec!["200", "401", "429", "500"],
                ("get", true) => vec!["200", "401", "403", "404", "429", "500"],
                ("post", false) => vec!["401", "403", "422", "429", "503"],
                ("post", true) => vec!["401", "403", "404", "409", "422", "503"],
                ("delete", _) => vec!["204", "401", "403", "404", "409", "412", "428", "503"],
                ("patch", _) => vec!["200", "404", "409", "412", "415", "422", "428"],
                _ => vec!["401", "403", "409", "413", "415", "422"],
            };
            let is_open = path.starts_with("/problems");
            for answer in needs.into_iter().filter(|_| !is_open) {
                assert!(answers.contains_key(answer), "{id} does not say what {answer} means");
            }
            if method == "post" {
                let parameters = operation["parameters"].to_string();
                assert!(parameters.contains("Idempotency-Key"), "{id} takes no key");
            }
            ids.push(id.to_owned());
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "two operations have one name");
    assert!(count > 40, "only {count} operations");
}
