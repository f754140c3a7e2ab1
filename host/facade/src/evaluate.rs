//! How good a model is on samples whose labels are known.

use crate::{error::Error, model::Model};
use modelzoo_base::error::NextStep;
use modelzoo_data::{
    dataset::Existing,
    evaluation::{Accuracy, BoxComparison, DetectionScores, Ranking, found_boxes, true_boxes},
    record::label_type,
};
use modelzoo_engine::{ApplyOptions, EngineError, Input, LabeledItem, RunOptions, Task};
use modelzoo_plugin_api::label::Label;
use serde::Serialize;
use std::{
    collections::BTreeSet,
    path::{Component, Path},
};

/// The field with the truth, where nobody says another: the one that labels are imported to.
pub const DEFAULT_TRUTH: &str = "ground_truth";

/// How a model is evaluated.
#[derive(Clone, Debug)]
pub struct EvaluateOptions {
    /// The field of the samples that says what is true. Pictures without labels are of the class that the folder below the
    /// input is named after.
    pub truth: String,
    /// Leave out what the model is less sure of, 0 to 1.
    pub confidence_threshold: Option<f64>,
    /// How samples go through the model.
    pub run: RunOptions,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            truth: DEFAULT_TRUTH.to_owned(),
            confidence_threshold: None,
            run: RunOptions::default(),
        }
    }
}

/// How good a model was.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evaluation {
    /// How many samples were compared.
    pub compared: u64,
    /// How many of them the model failed on: nothing of them is right.
    pub failed: u64,
    /// How many samples were left out, as nobody knows what is true of them.
    pub without_truth: u64,
    /// Of classes of pictures.
    pub classification: Option<Accuracy>,
    /// Of boxes.
    pub detection: Option<DetectionScores>,
    /// Classes of the truth that the model does not know, so that it gets them wrong.
    pub unknown_classes: Vec<String>,
}

/// Applies `model` to the samples of `input` ([`Input::resolve_labeled`]), and compares what it says with what is true:
/// classes of pictures with theirs, by top-1 and top-5 accuracy; boxes by COCO's average precision, with the numbers of
/// pycocotools. Nothing is stored.
///
/// # Errors
/// When the model cannot do it or go on, or there is nothing to compare with.
pub fn evaluate(model: &Model, input: &mut Input, options: &EvaluateOptions) -> Result<Evaluation, Error> {
    let task = Task::Apply(ApplyOptions {
        store_logits: model.info().has_logits,
        confidence_threshold: options.confidence_threshold,
        run: options.run.clone(),
        ..ApplyOptions::default()
    });
    let mut comparison = Comparison::new(&options.truth, &model.info().classes);
    model.run(&task, input, Existing::Resume, |item| comparison.add(&item))?;
    comparison.finish()
}

/// What was compared so far.
struct Comparison<'a> {
    truth: &'a str,
    classes: &'a [String],
    classification: Accuracy,
    detections: BoxComparison,
    boxes: u64,
    failed: u64,
    without_truth: u64,
    unknown: BTreeSet<String>,
    /// Types of truths that nothing can be compared with.
    other_types: BTreeSet<&'static str>,
}

impl<'a> Comparison<'a> {
    fn new(truth: &'a str, classes: &'a [String]) -> Self {
        Self {
            truth,
            classes,
            classification: Accuracy::default(),
            detections: BoxComparison::default(),
            boxes: 0,
            failed: 0,
            without_truth: 0,
            unknown: BTreeSet::new(),
            other_types: BTreeSet::new(),
        }
    }

    fn add(&mut self, item: &LabeledItem) {
        let is_compared = match item.record.labels.sample.get(self.truth) {
            Some(Label::Classification(truth)) => match truth.label.clone() {
                Some(class) => self.add_class(&class, item),
                None => false,
            },
            Some(truth @ (Label::Detection(_) | Label::Detections(_))) => self.add_boxes(truth, item),
            Some(other) => {
                self.other_types.extend(label_type(other));
                false
            }
            None => {
                match class_of_folder(&item.relative_path).filter(|_| item.record.labels.sample.is_empty()) {
                    Some(class) => self.add_class(class, item),
                    None => false,
                }
            }
        };
        if !is_compared {
            self.without_truth += 1;
        } else if item.error().is_some() {
            self.failed += 1;
        }
    }

    fn add_class(&mut self, truth: &str, item: &LabeledItem) -> bool {
        self.know([truth]);
        let mut labels = item.fields.sample.values();
        let ranking = labels.find_map(|label| Ranking::of(label, self.classes));
        self.classification.add(truth, ranking.as_ref());
        true
    }

    fn add_boxes(&mut self, truth: &Label, item: &LabeledItem) -> bool {
        let metadata = item.record.metadata.as_ref().map(|metadata| metadata.size());
        let decoded = || item.image.as_ref().map(|image| (image.width(), image.height()));
        // Of a file that cannot be read nobody knows how large it would be.
        let Some(size) = metadata.or_else(decoded) else {
            return false;
        };
        let Some(truth) = true_boxes(truth, size) else {
            return false;
        };
        self.know(truth.iter().map(|one| one.class.as_str()));
        let mut labels = item.fields.sample.values();
        let found = labels
            .find_map(|label| found_boxes(label, size))
            .unwrap_or_default();
        self.detections.add(&truth, &found);
        self.boxes += 1;
        true
    }

    fn know<'t>(&mut self, classes: impl IntoIterator<Item = &'t str>) {
        for class in classes {
            let is_known = self.classes.is_empty() || self.classes.iter().any(|known| known == class);
            if !is_known && !self.unknown.contains(class) {
                self.unknown.insert(class.to_owned());
            }
        }
    }

    fn finish(self) -> Result<Evaluation, Error> {
        let compared = self.classification.pictures + self.boxes;
        if compared == 0 {
            return Err(self.nothing().into());
        }
        Ok(Evaluation {
            compared,
            failed: self.failed,
            without_truth: self.without_truth,
            classification: (self.classification.pictures > 0).then_some(self.classification),
            detection: (self.boxes > 0).then(|| self.detections.scores()),
            unknown_classes: self.unknown.into_iter().collect(),
        })
    }

    fn nothing(&self) -> EngineError {
        let types: Vec<&str> = self.other_types.iter().copied().collect();
        if types.is_empty() {
            EngineError::InvalidOption {
                problem: format!("no sample has a field `{}` that says what is true", self.truth),
                next_step: NextStep::advice(
                    "name the field, or put each picture into a folder that is named after its class",
                ),
            }
        } else {
            EngineError::InvalidOption {
                problem: format!(
                    "the field `{}` has labels of type {}, which cannot be evaluated",
                    self.truth,
                    types.join(", ")
                ),
                next_step: NextStep::advice(
                    "classes of pictures and boxes can be: Classification, Detections",
                ),
            }
        }
    }
}

/// The name of the first folder on the way to a picture.
fn class_of_folder(path: &Path) -> Option<&str> {
    let mut components = path.components();
    match (components.next()?, components.next()) {
        (Component::Normal(folder), Some(_)) => folder.to_str(),
        _ => None,
    }
}
