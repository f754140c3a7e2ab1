//! What the tests of plugins share: photographs, tensors that another program computed, comparisons. Behind the feature
//! `testing`, which is for `[dev-dependencies]`. Everything here panics when something is wrong, as tests do.

use crate::weights::Weights;
use candle_core::{Device, Tensor};
use modelzoo_plugin_api::{ErrorKind, Image, LoadOptions, ModelSource};
use std::path::Path;

/// A decoded photograph.
#[derive(Clone, Debug)]
pub struct Photograph {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Photograph {
    /// Decodes a JPEG file. Its pixels differ from libjpeg-turbo's, which the host decodes with, by a few levels.
    pub fn open(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(bytes));
        let pixels = decoder
            .decode()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (width, height) = decoder.dimensions().unwrap_or_default();
        Self {
            width,
            height,
            pixels,
        }
    }

    /// The photograph as a model gets it.
    pub fn image(&self) -> Image<'_> {
        Image::new(self.width, self.height, &self.pixels)
            .unwrap_or_else(|error| panic!("the decoder gave too few pixels: {error}"))
    }
}

/// The tensor `name` of a safetensors file, on the CPU.
pub fn tensor(weights: &Weights, name: &str) -> Tensor {
    let stored = weights.tensor(name).unwrap_or_else(|error| panic!("{error}"));
    Tensor::from_slice(stored.data(), stored.dims(), &Device::Cpu)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The numbers of a tensor, row by row.
pub fn numbers(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.flatten_all().and_then(|flat| flat.to_vec1());
    flat.unwrap_or_else(|error| panic!("{error}"))
}

/// How far the worst number of `found` is from its counterpart, in parts of the largest of `expected`; NaN where one is.
#[track_caller]
pub fn relative_difference(found: &[f32], expected: &[f32], what: &str) -> f32 {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .fold(0f32, |largest, value| largest.max(value.abs()));
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    // `f32::max` would drop a NaN.
    let worst = differences.fold(0f32, |worst, difference| {
        if difference > worst || difference.is_nan() {
            difference
        } else {
            worst
        }
    });
    if worst == 0.0 { 0.0 } else { worst / largest }
}

/// That no number of `found` is further from its counterpart than `tolerance` times the largest of `expected`.
#[track_caller]
pub fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    let difference = relative_difference(found, expected, what);
    assert!(
        difference <= tolerance,
        "{what}: off by {difference:.2e} of the largest number"
    );
}

/// The options that `--set` would give for these keys and values.
pub fn load_options<const N: usize>(settings: [(&str, serde_json::Value); N]) -> LoadOptions {
    let mut options = LoadOptions::default();
    for (key, value) in settings {
        options.settings.insert(key.to_owned(), value);
    }
    options
}

/// The kind of the error with which a model is not loaded.
#[track_caller]
pub fn load_error(source: &dyn ModelSource, name: &str, path: &Path, options: LoadOptions) -> ErrorKind {
    match source.load_model(name, path, options) {
        Ok(_) => panic!("{name} was loaded from {}", path.display()),
        Err(error) => error.kind(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_close_passes() {
        assert_close(&[1.0, -2.0], &[1.1, -2.0], 0.06, "numbers");
    }

    #[test]
    #[should_panic(expected = "numbers: off by")]
    fn what_is_not_close_fails() {
        assert_close(&[1.0, -2.0], &[1.2, -2.0], 0.06, "numbers");
    }

    #[test]
    #[should_panic(expected = "off by NaN")]
    fn what_is_no_number_is_never_close() {
        assert_close(&[f32::NAN, -2.0], &[1.0, -2.0], 0.5, "numbers");
    }
}
