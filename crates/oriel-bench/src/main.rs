//! Measures.
mod process;
mod rdp;
mod report;
mod stats;
fn main() {}
