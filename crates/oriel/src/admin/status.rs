//! `oriel status`.

use super::{Desk, output};
use crate::failure::Outcome;

pub fn run(desk: &Desk) -> Outcome {
    output::one(desk.format, &desk.client.get("status", &[])?)
}
