//! How good predictions are, beside what is known to be true: top-k accuracy of classes, average precision of boxes. And
//! how far two models say the same.
//!
//! It is arithmetic on labels: where these come from is the caller's business.

mod accuracy;
mod agreement;
mod boxes;
mod likeness;
mod matching;
mod precision;

pub use accuracy::{Accuracy, Ranking};
pub use agreement::{Agreement, Aspect, Mean};
pub use boxes::{FoundBox, TrueBox, found_boxes, true_boxes};
pub use precision::{BoxComparison, ClassPrecision, DetectionScores};
