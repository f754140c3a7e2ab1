//! Whether keypoints can be seen, as COCO and YOLO tell it: 0 for a point that is not labelled, 1 for one that is hidden, 2
//! for one that is seen.
//!
//! Labels have no place of their own for it. Points that are not labelled are missing, and those that are count as seen;
//! where some are hidden, an attribute tells, which FiftyOne calls so, too.

use modelzoo_plugin_api::label::Keypoint;
use serde_json::Value;

const ATTRIBUTE: &str = "visible";

/// Notes which points can be seen.
pub(super) fn put(keypoint: &mut Keypoint, visibility: &[u8]) {
    if visibility.contains(&1) {
        keypoint
            .attributes
            .insert(ATTRIBUTE.to_owned(), visibility.into());
    }
}

/// Whether point number `index` can be seen.
pub(super) fn of_point(keypoint: &Keypoint, index: usize) -> u8 {
    let is_missing = keypoint
        .points
        .get(index)
        .is_none_or(|point| point.iter().any(|value| !value.is_finite()));
    if is_missing {
        return 0;
    }
    let told = keypoint
        .attributes
        .get(ATTRIBUTE)
        .and_then(|told| told.get(index));
    match told.and_then(Value::as_u64) {
        Some(1) => 1,
        _ => 2,
    }
}
