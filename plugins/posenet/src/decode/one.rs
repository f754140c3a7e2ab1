//! One person.

use super::{Cell, Maps, Person};
use crate::network::CELLS;

/// Each keypoint where its score is highest in the picture.
pub(crate) fn one_person(maps: &Maps<'_>) -> Person {
    std::array::from_fn(|keypoint| {
        let logits = maps.logits(keypoint);
        let best =
            (0..logits.len()).reduce(|best, cell| if logits[cell] > logits[best] { cell } else { best });
        let best = best.unwrap_or(0);
        let cell = Cell {
            row: best / CELLS,
            column: best % CELLS,
        };
        maps.keypoint_at(cell, keypoint)
    })
}
