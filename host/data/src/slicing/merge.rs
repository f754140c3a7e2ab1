//! One object of several findings of it.

use super::{Merging, mask};
use crate::boxes::{area, common_area};
use modelzoo_plugin_api::label::Detection;

/// Two findings are of one object where they share at least this much of the smaller one: SAHI's default. The part of an
/// object at a slice's edge lies within the whole of it, so this says more than the share of both together.
const SHARE: f64 = 0.5;

/// Makes one of all findings of an object, class by class. `picture` is its size in pixels. The surest come first in what is
/// given back; of equally sure ones, those that were found first.
pub(super) fn merge(mut found: Vec<Detection>, merging: Merging, picture: [f64; 2]) -> Vec<Detection> {
    // NaN is as good as nothing said.
    let confidence = |detection: &Detection| detection.confidence.filter(|one| !one.is_nan()).unwrap_or(0.0);
    found.sort_by(|one, other| confidence(other).total_cmp(&confidence(one)));
    let mut kept: Vec<Detection> = Vec::new();
    let mut left: Vec<Option<Detection>> = found.into_iter().map(Some).collect();
    for index in 0..left.len() {
        let Some(mut surest) = left[index].take() else {
            continue;
        };
        let first = surest.bounding_box;
        for other in &mut left[index + 1..] {
            let is_same = other.as_ref().is_some_and(|other| {
                other.label == surest.label && share(first, other.bounding_box) >= SHARE
            });
            let Some(other) = other.take_if(|_| is_same) else {
                continue;
            };
            // What has grown may be larger than the other one by now, and share less of it.
            if merging == Merging::Unite && share(surest.bounding_box, other.bounding_box) >= SHARE {
                unite(&mut surest, &other, picture);
            }
        }
        kept.push(surest);
    }
    kept
}

/// How much of the smaller one of two boxes lies in the other one.
fn share(one: [f64; 4], other: [f64; 4]) -> f64 {
    let smaller = area(one).min(area(other));
    if smaller > 0.0 {
        common_area(one, other) / smaller
    } else {
        0.0
    }
}

/// Makes `one` as large as both together.
fn unite(one: &mut Detection, other: &Detection, picture: [f64; 2]) {
    let both = around(one.bounding_box, other.bounding_box);
    one.mask = match (&one.mask, &other.mask) {
        (Some(first), Some(second)) => {
            let parts = [(first, one.bounding_box), (second, other.bounding_box)];
            mask::unite(parts, both, picture)
        }
        // Half of a mask would be a wrong one.
        _ => None,
    };
    one.bounding_box = both;
}

fn around(one: [f64; 4], other: [f64; 4]) -> [f64; 4] {
    let [left, top] = [0, 1].map(|axis| one[axis].min(other[axis]));
    let [right, bottom] = [0, 1].map(|axis| (one[axis] + one[axis + 2]).max(other[axis] + other[axis + 2]));
    [left, top, right - left, bottom - top]
}
