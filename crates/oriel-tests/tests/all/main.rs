//! Every integration test, as modules of one binary: one link instead of dozens.

mod wire_generated;
