//! Detectors: networks that say of many boxes what is in them, and how they would fit better.

mod arguments;
mod pyramid;
mod rcnn;
mod retinanet;
mod ssd;

pub(in crate::architectures) use rcnn::open as rcnn;
pub(in crate::architectures) use retinanet::open as retinanet;
pub(in crate::architectures) use ssd::{ssd300, ssdlite320};

use super::{Layers, Steps};
use crate::architectures::Detector;
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// An error for weights that tell so many classes apart, but for which there are so many names.
fn unfit_classes(found: usize, names: usize) -> Error {
    Error::new(format!(
        "the weights tell {found} classes apart, but there are names for {names}"
    ))
    .with_kind(ErrorKind::Weights)
    .with_hint(HINT)
}

/// What is often forgotten.
const HINT: &str = "`num_classes` and the names of classes count that of no object as well";

/// Makes sure that there is a number for each class, and four differences, of each box of each map.
fn check_boxes(
    network: &NetworkBuilder<'_>,
    detector: &Detector,
    classes: usize,
    logits: &[Value],
    differences: &[Value],
) -> Result<()> {
    for (index, (&logits, &differences)) in logits.iter().zip(differences).enumerate() {
        let boxes = detector.boxes.count(index);
        let found = [network.channels(logits)?, network.channels(differences)?];
        let expected = [boxes * classes, boxes * 4];
        if found != expected {
            return Err(Error::new(format!(
                "the weights say of map {index} {} numbers for classes and {} for differences, but {boxes} boxes of \
                 {classes} classes need {} and {}",
                found[0], found[1], expected[0], expected[1]
            ))
            .with_kind(ErrorKind::Weights)
            .with_hint(HINT));
        }
    }
    Ok(())
}
