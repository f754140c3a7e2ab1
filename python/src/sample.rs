//! Samples on their way to Python: `modelzoo.Sample`.

use crate::{
    label::{framed, named},
    model::json,
    value::to_python,
};
use modelzoo::{
    plugin_api::MediaType,
    record::{Metadata, SampleRecord},
};
use pyo3::{prelude::*, types::PyDict};

/// A sample with its labels.
pub fn sample(py: Python<'_>, record: SampleRecord) -> PyResult<Bound<'_, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("filepath", record.filepath)?;
    fields.set_item(
        "media_type",
        match record.media_type {
            MediaType::Video => "video",
            _ => "image",
        },
    )?;
    fields.set_item("metadata", facts(py, record.metadata.as_ref())?)?;
    fields.set_item("tags", record.tags)?;
    fields.set_item("labels", named(py, record.labels.sample)?)?;
    fields.set_item("frames", framed(py, record.labels.frames)?)?;
    fields.set_item("error", record.error)?;
    fields.set_item("warnings", record.warnings)?;
    py.import("modelzoo.samples")?
        .getattr("Sample")?
        .call((), Some(&fields))
}

fn facts<'py>(py: Python<'py>, metadata: Option<&Metadata>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(metadata) = metadata else { return Ok(None) };
    // What was just written can be read.
    let value = serde_json::from_str(&json(metadata)).unwrap_or_default();
    to_python(py, &value).map(Some)
}
