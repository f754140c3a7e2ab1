//! From a detector's raw numbers to objects: box decoding, suppression, labels.

mod anchors;
mod boxes;
mod distribution;
mod instances;
mod roi_align;
mod suppression;

pub use anchors::{Anchors, BoxCoder};
pub(crate) use boxes::bounding_box;
pub use boxes::{Corners, grid_centers};
pub use distribution::expected_bin;
pub use instances::{Instance, Masks, label_cut_instances, label_instances};
pub use roi_align::FeaturePyramid;
pub use suppression::{Candidate, Suppression};

use crate::asked::{is_sure, is_wanted, name_of};
use modelzoo_plugin_api::{
    PredictOptions, Result,
    label::{Detection, Detections},
};

/// Turns candidates into labels. Their boxes are relative to the picture (`0..=1`), see [`Corners::relative_to`].
///
/// Candidates below the threshold, compared in single precision as numpy does, and of classes that were not asked
/// for are left out.
///
/// # Errors
/// When a candidate's class has no name.
pub fn label(
    candidates: &[Candidate],
    classes: &[impl AsRef<str>],
    options: &PredictOptions,
) -> Result<Detections> {
    let mut detections = Vec::new();
    for candidate in candidates
        .iter()
        .filter(|candidate| is_sure(candidate.score, options))
    {
        let class = name_of(candidate.class, classes)?;
        if is_wanted(class, options) {
            let detection = Detection::new(class, candidate.corners.to_bounding_box());
            detections.push(detection.with_confidence(candidate.score));
        }
    }
    Ok(Detections::new(detections))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_names_scores_and_boxes() {
        let corners = Corners::new(10.0, 20.0, 30.0, 60.0).relative_to(100.0, 200.0);
        let candidates = [(0, 0.9), (1, 0.5), (1, 0.25)].map(|(class, score)| Candidate {
            class,
            score,
            corners,
        });
        let mut options = PredictOptions::default();
        let all = label(&candidates, &["cat", "dog"], &options).unwrap().detections;
        assert_eq!(all.len(), 3);
        assert_eq!(all[0].label.as_deref(), Some("cat"));
        for (found, expected) in all[0].bounding_box.into_iter().zip([0.1, 0.1, 0.2, 0.2]) {
            assert!((found - expected).abs() < 1e-6);
        }
        options.confidence_threshold = Some(0.5);
        options.classes = Some(vec!["dog".to_owned()]);
        let dogs = label(&candidates, &["cat", "dog"], &options).unwrap().detections;
        assert_eq!(
            dogs.iter().map(|dog| dog.confidence).collect::<Vec<_>>(),
            [Some(0.5)]
        );
        assert!(label(&candidates, &["cat"], &PredictOptions::default()).is_err());
    }
}
