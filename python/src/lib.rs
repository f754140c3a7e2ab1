//! The native half of the Python package `modelzoo`: what Python cannot do itself, over the library's one door. What
//! people use is in `modelzoo/*.py`, which documents it; nothing here is meant to be called from elsewhere.
//!
//! Options come as JSON and facts go back as JSON, as both are small; pictures and arrays cross without a copy. Whatever
//! takes long is done without the interpreter's lock.
#![deny(unsafe_code)]

mod arguments;
mod array;
mod dataset;
mod error;
mod interrupt;
mod label;
mod logging;
mod model;
mod picture;
mod run;
mod sample;
mod value;
mod zoo;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        dataset::{Dataset, DatasetSamples},
        model::Model,
        picture::is_video,
        run::Run,
        zoo::{
            delete_model, download_model, find_model, forget_source, list_models, list_sources, load_model,
            model_entry, register_source, search,
        },
    };
    use pyo3::prelude::*;

    /// Says the version, and begins to hand the library's log to `logging`.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::logging::begin();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
