//! What the ground of all crates fails with.

use super::{Sample, each, not_found, path};
use modelzoo::output::OutputError;

pub(super) fn samples() -> Vec<Sample> {
    each([OutputError::new(path("out.jsonl"), not_found())])
}
