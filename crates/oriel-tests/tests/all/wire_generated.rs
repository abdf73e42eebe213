//! The Rust of the wire messages is committed, so that no build needs the generators. This test
//! keeps it equal to the `.proto` files; `ORIEL_UPDATE=1` writes it anew.

use std::{fs, path::Path};

#[test]
fn the_committed_messages_are_those_of_the_proto_files() {
    let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("../oriel-wire");
    let proto = wire.join("proto");
    let files = ["enrolment.proto", "agent.proto", "gateway.proto"];
    let descriptors = protox::compile(files, [&proto]).expect("the proto files compile");

    let out = std::env::temp_dir().join(format!("oriel-wire-{}", std::process::id()));
    fs::create_dir_all(&out).expect("a temporary folder");
    tonic_prost_build::configure()
        .out_dir(&out)
        // Both hold a secret: their Debug is written by hand in oriel_wire::redact.
        .skip_debug([".oriel.v1.Prepared", ".oriel.v1.TicketKey", ".oriel.v1.JoinRequest"])
        .compile_fds(descriptors)
        .expect("the code is generated");
    let fresh = fs::read_to_string(out.join("oriel.v1.rs")).expect("the generated file");
    fs::remove_dir_all(&out).expect("the temporary folder goes");

    let committed = wire.join("src/generated/oriel.v1.rs");
    if std::env::var_os("ORIEL_UPDATE").is_some() {
        fs::write(&committed, &fresh).expect("the committed file is written");
    }
    let current = fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        current == fresh,
        "crates/oriel-wire/src/generated/oriel.v1.rs is not what proto/*.proto say: run \
         ORIEL_UPDATE=1 cargo test -p oriel-tests wire_generated and commit it"
    );
}
