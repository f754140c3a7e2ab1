//! From scores of pixels to a class for each.

use crate::asked::is_sure;
use modelzoo_plugin_api::{Array, Error, PredictOptions, Result, label::Segmentation};

/// Turns the scores of a semantic segmenter into a mask, as FiftyOne's `SemanticSegmenterOutputProcessor` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segmenter {
    lacks_background: bool,
    takes_logits: bool,
}

impl Segmenter {
    /// A segmenter whose scores are probabilities, and whose class 0 is the background.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that has no class for the background: class `n` becomes `n + 1` in the mask, where 0 is no class.
    pub fn without_background(mut self) -> Self {
        self.lacks_background = true;
        self
    }

    /// One whose scores are logits: a softmax over the classes, which cannot overflow, makes probabilities of them.
    pub fn with_softmax(mut self) -> Self {
        self.takes_logits = true;
        self
    }

    /// The likeliest class of each pixel, the first of several: `[height, width]`. Where its probability is below the
    /// threshold, the pixel is 0.
    ///
    /// `scores` are those of one picture: `[classes, height, width]`, in this order.
    ///
    /// # Errors
    /// When the scores do not fill the shape, some are not numbers, there are no classes, or more than 65535.
    pub fn label(&self, scores: &[f32], shape: [usize; 3], options: &PredictOptions) -> Result<Segmentation> {
        let [classes, height, width] = shape;
        let area = height.checked_mul(width);
        if classes == 0 || area.and_then(|area| area.checked_mul(classes)) != Some(scores.len()) {
            return Err(Error::new(format!(
                "the network gave {} scores for {classes} classes of {width} x {height} pixels",
                scores.len()
            )));
        }
        if scores.iter().any(|score| score.is_nan()) {
            return Err(Error::new("the network gave scores that are not numbers"));
        }
        let first = usize::from(self.lacks_background);
        if classes - 1 + first > usize::from(u16::MAX) {
            return Err(Error::new(format!("a mask cannot hold {classes} classes")));
        }
        let area = height * width;
        let mut best = scores[..area].to_vec();
        let mut mask = vec![first as u16; area];
        for class in 1..classes {
            let scores = &scores[class * area..][..area];
            for ((best, winner), &score) in best.iter_mut().zip(&mut mask).zip(scores) {
                if score > *best {
                    (*best, *winner) = (score, (class + first) as u16);
                }
            }
        }
        if options.confidence_threshold.is_some() {
            let probabilities = if self.takes_logits {
                probabilities_of_best(scores, &best)
            } else {
                best
            };
            for (winner, probability) in mask.iter_mut().zip(probabilities) {
                if !is_sure(probability, options) {
                    *winner = 0;
                }
            }
        }
        let shape = [height, width];
        let narrow: Option<Vec<u8>> = (classes - 1 + first <= usize::from(u8::MAX))
            .then(|| mask.iter().map(|&class| class as u8).collect());
        Ok(Segmentation::new(match narrow {
            Some(mask) => Array::new(shape, mask)?,
            None => Array::new(shape, mask)?,
        }))
    }
}

/// The softmax over the classes, of the greatest logit of each pixel.
fn probabilities_of_best(logits: &[f32], best: &[f32]) -> Vec<f32> {
    let mut sums = vec![0.0f32; best.len()];
    for logits in logits.chunks_exact(best.len().max(1)) {
        for ((sum, logit), best) in sums.iter_mut().zip(logits).zip(best) {
            *sum += (logit - best).exp();
        }
    }
    sums.into_iter().map(|sum| 1.0 / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three classes of four pixels: class 1 wins, classes 0 and 2 tie, class 2 wins, class 0 wins.
    const SCORES: [f32; 12] = [
        0.25, 0.4, 0.0, 0.9, //
        0.5, 0.2, 0.2, 0.05, //
        0.25, 0.4, 0.8, 0.05,
    ];

    fn mask(segmenter: Segmenter, scores: &[f32], threshold: Option<f64>) -> Vec<f64> {
        let mut options = PredictOptions::default();
        options.confidence_threshold = threshold;
        let label = segmenter.label(scores, [3, 2, 2], &options).unwrap();
        let mask = label.mask.unwrap();
        assert_eq!(mask.shape(), [2, 2]);
        mask.to_f64()
    }

    #[test]
    fn the_first_of_the_likeliest_classes_wins() {
        assert_eq!(mask(Segmenter::new(), &SCORES, None), [1.0, 0.0, 2.0, 0.0]);
        let without = Segmenter::new().without_background();
        assert_eq!(mask(without, &SCORES, None), [2.0, 1.0, 3.0, 1.0]);
    }

    #[test]
    fn unsure_pixels_are_0() {
        // 0.5 and 0.9f32 are at their thresholds.
        assert_eq!(mask(Segmenter::new(), &SCORES, Some(0.5)), [1.0, 0.0, 2.0, 0.0]);
        let without = Segmenter::new().without_background();
        assert_eq!(mask(without, &SCORES, Some(0.9)), [0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn logits_get_a_softmax_that_cannot_overflow() {
        let logits = SCORES.map(|score| score.ln() + 300.0);
        let segmenter = Segmenter::new().with_softmax();
        assert_eq!(mask(segmenter, &logits, Some(0.45)), [1.0, 0.0, 2.0, 0.0]);
        assert_eq!(mask(segmenter, &logits, Some(0.75)), [0.0, 0.0, 2.0, 0.0]);
        assert_eq!(
            mask(segmenter.without_background(), &logits, Some(0.75)),
            [0.0, 0.0, 3.0, 1.0]
        );
        // As probabilities they would all pass.
        assert_eq!(mask(Segmenter::new(), &logits, Some(0.75)), [1.0, 0.0, 2.0, 0.0]);
    }

    #[test]
    fn many_classes_need_wider_numbers() {
        let scores: Vec<f32> = (0..300).map(|class| class as f32).collect();
        let label = Segmenter::new().label(&scores, [300, 1, 1], &PredictOptions::default());
        assert_eq!(label.unwrap().mask.unwrap().to_f64(), [299.0]);
    }

    #[test]
    fn what_is_no_mask_is_an_error() {
        let label = |scores: &[f32], shape| Segmenter::new().label(scores, shape, &PredictOptions::default());
        assert!(label(&SCORES, [3, 2, 3]).is_err());
        assert!(label(&[], [0, 2, 2]).is_err());
        assert!(label(&[0.5, f32::NAN], [2, 1, 1]).is_err());
        assert!(label(&[0.0; 65537], [65537, 1, 1]).is_err());
    }
}
