//! Labels on their way to Python: the classes of `modelzoo.labels`, with NumPy's arrays.

use crate::{array::array, value::to_python};
use modelzoo::{
    Array, Output,
    label::{
        Attributes, Classification, Classifications, Detection, Detections, GeoLocation, Heatmap, Keypoint,
        Keypoints, Label, Polyline, Polylines, Regression, Segmentation, TemporalDetection,
        TemporalDetections,
    },
};
use pyo3::{
    IntoPyObjectExt as _,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyList},
};
use std::collections::BTreeMap;

/// What a model gives for one picture or video: `None`, a label, labels by key, by frame, or by frame and key.
pub fn output(py: Python<'_>, output: Output) -> PyResult<Bound<'_, PyAny>> {
    match output {
        Output::Label(one) => label(py, one),
        Output::Labels(labels) => Ok(named(py, labels)?.into_any()),
        Output::Frames(frames) => {
            let dict = PyDict::new(py);
            for (number, one) in frames {
                dict.set_item(number, label(py, one)?)?;
            }
            Ok(dict.into_any())
        }
        Output::FrameLabels(frames) => Ok(framed(py, frames)?.into_any()),
        _ => Ok(py.None().into_bound(py)),
    }
}

/// Labels by name.
pub fn named(py: Python<'_>, labels: BTreeMap<String, Label>) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for (name, one) in labels {
        dict.set_item(name, label(py, one)?)?;
    }
    Ok(dict)
}

/// Labels by frame and name.
pub fn framed(py: Python<'_>, frames: BTreeMap<u64, BTreeMap<String, Label>>) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for (number, labels) in frames {
        dict.set_item(number, named(py, labels)?)?;
    }
    Ok(dict)
}

/// One label.
fn label(py: Python<'_>, label: Label) -> PyResult<Bound<'_, PyAny>> {
    match label {
        Label::Regression(one) => regression(py, one),
        Label::Classification(one) => classification(py, one),
        Label::Classifications(all) => {
            let Classifications {
                classifications,
                logits,
                ..
            } = all;
            Fields::new(py)
                .put("classifications", list(py, classifications, classification)?)?
                .put_array("logits", logits)?
                .make("Classifications")
        }
        Label::Detection(one) => detection(py, one),
        Label::Detections(Detections { detections, .. }) => Fields::new(py)
            .put("detections", list(py, detections, detection)?)?
            .make("Detections"),
        Label::Polyline(one) => polyline(py, one),
        Label::Polylines(Polylines { polylines, .. }) => Fields::new(py)
            .put("polylines", list(py, polylines, polyline)?)?
            .make("Polylines"),
        Label::Keypoint(one) => keypoint(py, one),
        Label::Keypoints(Keypoints { keypoints, .. }) => Fields::new(py)
            .put("keypoints", list(py, keypoints, keypoint)?)?
            .make("Keypoints"),
        Label::Segmentation(one) => segmentation(py, one),
        Label::Heatmap(one) => heatmap(py, one),
        Label::TemporalDetection(one) => event(py, one),
        Label::TemporalDetections(TemporalDetections { detections, .. }) => Fields::new(py)
            .put("detections", list(py, detections, event)?)?
            .make("TemporalDetections"),
        Label::GeoLocation(one) => place(py, one),
        Label::Vector(vector) => array(py, vector.values),
        Label::Value(plain) => to_python(py, &plain.value),
        // A type that this version does not know says nothing to it.
        _ => Ok(py.None().into_bound(py)),
    }
}

fn regression(py: Python<'_>, one: Regression) -> PyResult<Bound<'_, PyAny>> {
    Fields::new(py)
        .put("value", one.value)?
        .put("confidence", one.confidence)?
        .put("tags", one.tags)?
        .put_attributes(&one.attributes)?
        .make("Regression")
}

fn classification(py: Python<'_>, one: Classification) -> PyResult<Bound<'_, PyAny>> {
    Fields::new(py)
        .put("label", one.label)?
        .put("confidence", one.confidence)?
        .put_array("logits", one.logits)?
        .put("tags", one.tags)?
        .put_attributes(&one.attributes)?
        .make("Classification")
}

fn detection(py: Python<'_>, one: Detection) -> PyResult<Bound<'_, PyAny>> {
    let [x, y, width, height] = one.bounding_box;
    Fields::new(py)
        .put("label", one.label)?
        .put("bounding_box", (x, y, width, height))?
        .put("confidence", one.confidence)?
        .put_array("mask", one.mask)?
        .put("mask_path", one.mask_path)?
        .put("index", one.index)?
        .put("tags", one.tags)?
        .put_attributes(&one.attributes)?
        .make("Detection")
}

fn polyline(py: Python<'_>, one: Polyline) -> PyResult<Bound<'_, PyAny>> {
    let pieces: Vec<Vec<(f64, f64)>> = one.points.into_iter().map(points).collect();
    Fields::new(py)
        .put("label", one.label)?
        .put("points", pieces)?
        .put("confidence", one.confidence)?
        .put("index", one.index)?
        .put("closed", one.closed)?
        .put("filled", one.filled)?
        .put("tags", one.tags)?
        .put_attributes(&one.attributes)?
        .make("Polyline")
}

fn keypoint(py: Python<'_>, one: Keypoint) -> PyResult<Bound<'_, PyAny>> {
    Fields::new(py)
        .put("label", one.label)?
        .put("points", points(one.points))?
        .put("confidence", one.confidence)?
        .put("index", one.index)?
        .put("tags", one.tags)?
        .put_attributes(&one.attributes)?
        .make("Keypoint")
}

fn segmentation(py: Python<'_>, one: Segmentation) -> PyResult<Bound<'_, PyAny>> {
    Fields::new(py)
        .put_array("mask", one.mask)?
        .put("mask_path", one.mask_path)?
        .put("tags", one.tags)?
        .make("Segmentation")
}

fn heatmap(py: Python<'_>, one: Heatmap) -> PyResult<Bound<'_, PyAny>> {
    Fields::new(py)
        .put_array("map", one.map)?
        .put("map_path", one.map_path)?
        .put("range", one.range.map(|[least, greatest]| (least, greatest)))?
        .put("tags", one.tags)?
        .make("Heatmap")
}

fn event(py: Python<'_>, one: TemporalDetection) -> PyResult<Bound<'_, PyAny>> {
    let [first, last] = one.support;
    Fields::new(py)
        .put("label", one.label)?
        .put("support", (first, last))?
        .put("confidence", one.confidence)?
        .put("tags", one.tags)?
        .put_attributes(&one.attributes)?
        .make("TemporalDetection")
}

fn place(py: Python<'_>, one: GeoLocation) -> PyResult<Bound<'_, PyAny>> {
    let polygon: Option<Vec<_>> = one.polygon.map(|rings| rings.into_iter().map(points).collect());
    Fields::new(py)
        .put(
            "point",
            one.point.map(|[longitude, latitude]| (longitude, latitude)),
        )?
        .put("line", one.line.map(points))?
        .put("polygon", polygon)?
        .put("tags", one.tags)?
        .make("GeoLocation")
}

/// Points as Python's pairs.
fn points(points: Vec<[f64; 2]>) -> Vec<(f64, f64)> {
    points.into_iter().map(|[x, y]| (x, y)).collect()
}

fn list<'py, T>(
    py: Python<'py>,
    labels: Vec<T>,
    make: impl Fn(Python<'py>, T) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for one in labels {
        list.append(make(py, one)?)?;
    }
    Ok(list)
}

/// The fields of a label on their way to its class; those that a label does not have keep the class's defaults.
struct Fields<'py>(Bound<'py, PyDict>);

impl<'py> Fields<'py> {
    fn new(py: Python<'py>) -> Self {
        Self(PyDict::new(py))
    }

    fn put(self, name: &str, value: impl IntoPyObject<'py>) -> PyResult<Self> {
        let value = value.into_bound_py_any(self.0.py())?;
        if !value.is_none() {
            self.0.set_item(name, value)?;
        }
        Ok(self)
    }

    fn put_array(self, name: &str, value: Option<Array>) -> PyResult<Self> {
        match value {
            Some(value) => {
                let value = array(self.0.py(), value)?;
                self.put(name, value)
            }
            None => Ok(self),
        }
    }

    fn put_attributes(self, attributes: &Attributes) -> PyResult<Self> {
        if attributes.is_empty() {
            return Ok(self);
        }
        let dict = PyDict::new(self.0.py());
        for (name, value) in attributes {
            dict.set_item(name, to_python(self.0.py(), value)?)?;
        }
        self.put("attributes", dict)
    }

    fn make(self, class: &str) -> PyResult<Bound<'py, PyAny>> {
        static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
        let py = self.0.py();
        let module = MODULE.get_or_try_init(py, || py.import("modelzoo.labels").map(Bound::unbind))?;
        module.bind(py).getattr(class)?.call((), Some(&self.0))
    }
}
