//! From logits to classifications.

use crate::asked::{is_sure, is_wanted};
use modelzoo_plugin_api::{
    Array, Error, PredictOptions, Result,
    label::{Classification, Classifications},
};
use std::sync::Arc;

/// Turns the logits of a classifier into a label, as FiftyOne's `ClassifierOutputProcessor` does, with a softmax that
/// cannot overflow.
#[derive(Clone, Debug)]
pub struct Classifier {
    classes: Arc<[String]>,
}

impl Classifier {
    /// A classifier of these classes, by index.
    pub fn new<S: Into<String>>(classes: impl IntoIterator<Item = S>) -> Self {
        Self {
            classes: classes.into_iter().map(Into::into).collect(),
        }
    }

    /// The classes, by index.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The likeliest class, the first of several, with its probability as confidence; and the logits where they are
    /// asked for. Blank where the confidence is below the threshold or the class is not among those asked for.
    ///
    /// The comparison is made in single precision, as numpy makes it: 0.9f32 passes a threshold of 0.9.
    ///
    /// # Errors
    /// When there are not as many logits as classes, or some are not finite.
    pub fn label(&self, logits: &[f32], options: &PredictOptions) -> Result<Classification> {
        let probabilities = self.probabilities(logits)?;
        let Some(best) = first_maximum(&probabilities) else {
            return Ok(Classification::blank());
        };
        let (class, confidence) = (&self.classes[best], probabilities[best]);
        if !is_sure(confidence, options) || !is_wanted(class, options) {
            return Ok(Classification::blank());
        }
        let label = Classification::new(class).with_confidence(confidence);
        Ok(if options.store_logits {
            label.with_logits(Array::vector(logits.to_vec()))
        } else {
            label
        })
    }
}

impl Classifier {
    /// The `count` likeliest classes, the likeliest first, each with its probability as confidence; without those that
    /// are below the threshold or not among those asked for. The logits are stored once, for all.
    ///
    /// # Errors
    /// As for [`Classifier::label`].
    pub fn labels(&self, logits: &[f32], count: usize, options: &PredictOptions) -> Result<Classifications> {
        let probabilities = self.probabilities(logits)?;
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        // A stable sort: the first of equal ones stays the first.
        order.sort_by(|&left, &right| probabilities[right].total_cmp(&probabilities[left]));
        let labels = order
            .into_iter()
            .take(count)
            .map(|class| (&self.classes[class], probabilities[class]))
            .filter(|(class, confidence)| is_sure(*confidence, options) && is_wanted(class, options))
            .map(|(class, confidence)| Classification::new(class).with_confidence(confidence));
        let labels = Classifications::new(labels.collect());
        Ok(if options.store_logits {
            labels.with_logits(Array::vector(logits.to_vec()))
        } else {
            labels
        })
    }

    /// The classes that a picture has each by itself, the likeliest first, `count` at most: those whose probability, the
    /// sigmoid of their logit, is not below the threshold that is asked for, or else `threshold`. The logits are stored
    /// once, for all.
    ///
    /// # Errors
    /// As for [`Classifier::label`].
    pub fn independent_labels(
        &self,
        logits: &[f32],
        threshold: f32,
        count: usize,
        options: &PredictOptions,
    ) -> Result<Classifications> {
        self.check(logits)?;
        let is_enough = |confidence| match options.confidence_threshold {
            Some(_) => is_sure(confidence, options),
            None => confidence >= threshold,
        };
        let mut found: Vec<(&String, f32)> = self
            .classes
            .iter()
            .zip(logits.iter().map(|&logit| sigmoid(logit)))
            .filter(|(class, confidence)| is_enough(*confidence) && is_wanted(class, options))
            .collect();
        found.sort_by(|(_, left), (_, right)| right.total_cmp(left));
        let labels = found
            .into_iter()
            .take(count)
            .map(|(class, confidence)| Classification::new(class).with_confidence(confidence));
        let labels = Classifications::new(labels.collect());
        Ok(if options.store_logits {
            labels.with_logits(Array::vector(logits.to_vec()))
        } else {
            labels
        })
    }

    fn probabilities(&self, logits: &[f32]) -> Result<Vec<f32>> {
        self.check(logits)?;
        Ok(softmax(logits))
    }

    fn check(&self, logits: &[f32]) -> Result<()> {
        if logits.len() != self.classes.len() {
            return Err(Error::new(format!(
                "the network gave {} logits for {} classes",
                logits.len(),
                self.classes.len()
            )));
        }
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err(Error::new("the network gave logits that are not finite"));
        }
        Ok(())
    }
}

/// `exp(x) / sum(exp(x))`, computed relative to the largest value so that it cannot overflow.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = exponentials.iter().copied().map(f64::from).sum();
    exponentials
        .into_iter()
        .map(|value| (f64::from(value) / sum) as f32)
        .collect()
}

/// `1 / (1 + exp(-x))`: the probability that a logit stands for by itself.
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The index of the largest value, the first of several; `None` where there are none.
pub fn first_maximum(values: &[f32]) -> Option<usize> {
    values
        .iter()
        .enumerate()
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(change: impl FnOnce(&mut PredictOptions)) -> PredictOptions {
        let mut options = PredictOptions::default();
        change(&mut options);
        options
    }

    #[test]
    fn softmax_is_stable_and_sums_to_one() {
        let probabilities = softmax(&[500.0, 100.0, 0.0]);
        assert_eq!(probabilities, [1.0, 0.0, 0.0]);
        let sum: f32 = softmax(&[0.3, -1.2, 2.0, 0.0]).iter().sum();
        assert!((sum - 1.0).abs() < 1e-6);
        assert!(softmax(&[]).is_empty());
    }

    #[test]
    fn of_equal_logits_the_first_wins() {
        let classifier = Classifier::new(["a", "b", "c"]);
        let label = classifier
            .label(&[1.0, 2.0, 2.0], &PredictOptions::default())
            .unwrap();
        assert_eq!(label.label.as_deref(), Some("b"));
        assert_eq!(label.logits, None);
    }

    #[test]
    fn classes_may_be_judged_each_by_itself() {
        let classifier = Classifier::new(["a", "b", "c"]);
        let names = |count, options: &PredictOptions| -> Vec<String> {
            let labels = classifier
                .independent_labels(&[0.5, -1.0, 3.0], 0.5, count, options)
                .unwrap();
            let labels = labels.classifications.into_iter();
            labels.filter_map(|label| label.label).collect()
        };
        assert_eq!(names(9, &PredictOptions::default()), ["c", "a"]);
        assert_eq!(names(1, &PredictOptions::default()), ["c"]);
        let all = options(|options| options.confidence_threshold = Some(0.2));
        assert_eq!(names(9, &all), ["c", "a", "b"]);
        let one = options(|options| options.classes = Some(vec!["a".to_owned()]));
        assert_eq!(names(9, &one), ["a"]);
    }

    #[test]
    fn what_is_unsure_or_unwanted_is_blank() {
        let classifier = Classifier::new(["a", "b"]);
        let logits = [0.0, (9.0f32).ln()];
        let label = |options| classifier.label(&logits, &options).unwrap();
        let confidence = label(PredictOptions::default()).confidence.unwrap();
        assert!((confidence - 0.9).abs() < 1e-6);
        let threshold = |value| options(|options| options.confidence_threshold = Some(value));
        assert_eq!(label(threshold(0.91)), Classification::blank());
        // Exactly at the threshold in single precision.
        assert!(label(threshold(confidence)).label.is_some());
        let classes = |name: &str| options(|options| options.classes = Some(vec![name.to_owned()]));
        assert_eq!(label(classes("a")), Classification::blank());
        assert_eq!(label(classes("b")).label.as_deref(), Some("b"));
    }

    #[test]
    fn logits_are_stored_raw_where_asked_for() {
        let classifier = Classifier::new(["a", "b"]);
        let options = options(|options| options.store_logits = true);
        let label = classifier.label(&[0.5, -2.0], &options).unwrap();
        assert_eq!(label.logits.unwrap().as_f32(), Some(&[0.5, -2.0][..]));
    }

    #[test]
    fn the_likeliest_classes_come_first() {
        let classifier = Classifier::new(["a", "b", "c"]);
        let names = |options: &PredictOptions| -> Vec<String> {
            let labels = classifier.labels(&[1.0, 3.0, 1.0], 2, options).unwrap();
            labels
                .classifications
                .into_iter()
                .filter_map(|label| label.label)
                .collect()
        };
        assert_eq!(names(&PredictOptions::default()), ["b", "a"]);
        assert_eq!(
            names(&options(|options| options.confidence_threshold = Some(0.5))),
            ["b"]
        );
        assert!(classifier.labels(&[1.0], 2, &PredictOptions::default()).is_err());
    }

    #[test]
    fn logits_that_do_not_fit_are_errors() {
        let classifier = Classifier::new(["a", "b"]);
        let label = |logits: &[f32]| classifier.label(logits, &PredictOptions::default());
        assert!(
            label(&[1.0])
                .unwrap_err()
                .message()
                .contains("1 logits for 2 classes")
        );
        assert!(label(&[1.0, f32::NAN]).is_err());
    }
}
