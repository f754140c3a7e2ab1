//! Everything that the author of a modelzoo plugin needs.
//!
//! A plugin is a crate of type `cdylib` beside a `manifest.json`. It implements [`ModelSource`], whose two functions
//! mirror FiftyOne's `download_model()` and `load_model()`, and [`Model`], and exports the source with
//! [`export_source!`]:
//!
//! ```
//! use modelzoo_plugin_api::{prelude::*, label::Classification};
//! use std::path::Path;
//!
//! #[derive(Default)]
//! struct Brightness;
//!
//! impl ModelSource for Brightness {
//!     fn load_model(&self, _name: &str, _path: &Path, _options: LoadOptions) -> Result<Box<dyn Model>> {
//!         Ok(Box::new(Brightness))
//!     }
//! }
//!
//! impl Model for Brightness {
//!     fn info(&self) -> ModelInfo {
//!         ModelInfo::image()
//!     }
//!
//!     fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
//!         let sum: u64 = image.pixels().iter().map(|&value| u64::from(value)).sum();
//!         let mean = sum as f64 / image.pixels().len() as f64 / 255.0;
//!         Ok(Classification::new(if mean > 0.5 { "bright" } else { "dark" }).into())
//!     }
//! }
//!
//! export_source!(Brightness);
//! ```
//!
//! There is no unsafe code, no tensor library and no I/O in this interface: `modelzoo-candle` has the tensors.
#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]

mod array;
mod calibration;
mod call;
mod codec;
mod device;
mod error;
mod export;
mod host;
mod image;
mod items;
pub mod label;
pub mod message;
mod model;
mod output;
mod precision;
mod service;
mod settings;
mod source;
mod video;

pub use array::{Array, ElementType, Elements};
pub use calibration::{Calibrate, Calibration};
pub use device::{Device, UnknownDevice};
pub use error::{Context, Error, ErrorKind, Result};
pub use host::Host;
pub use image::Image;
pub use model::{
    MediaType, Model, ModelInfo, PredictOptions, PreparedImage, Preprocessing, PromptEmbedding, SampleFields,
    SampleModel, Session, VideoEmbedding, VideoModel,
};
pub use modelzoo_abi as abi;
pub use output::Output;
pub use precision::{Precision, UnknownPrecision};
pub use service::{DownloadRequest, LogLevel};
pub use source::{LoadOptions, ModelSource};
pub use video::{Frame, Video, VideoInfo};

/// The version of this interface.
pub const API_VERSION: &str = env!("CARGO_PKG_VERSION");

#[doc(hidden)]
pub use export::glue;

/// What most plugins import.
pub mod prelude {
    pub use crate::{
        Array, Context, Device, Error, Host, Image, LoadOptions, Model, ModelInfo, ModelSource, Output,
        PredictOptions, Result, export_source,
    };
}
