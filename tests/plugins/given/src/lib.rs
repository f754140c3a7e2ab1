//! A model that says of every picture what it is told to say: so the host's part in labels can be tested by itself.

use modelzoo_plugin_api::prelude::*;
use serde::Deserialize;
use std::path::Path;

#[derive(Default)]
struct Source;

export_source!(Source);

/// What `--set` can change.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// What it says, as [`Output`] is serialised.
    output: Output,
    /// It fails on pictures of this width.
    fails_at_width: Option<usize>,
}

impl ModelSource for Source {
    fn load_model(&self, _name: &str, _path: &Path, options: LoadOptions) -> Result<Box<dyn Model>> {
        Ok(Box::new(Given(options.settings()?)))
    }
}

struct Given(Settings);

impl Given {
    fn check(&self, image: &Image<'_>) -> Result<()> {
        if self.0.fails_at_width == Some(image.width()) {
            return Err(Error::new(format!("{} pixels are too wide", image.width())));
        }
        Ok(())
    }
}

impl Model for Given {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_embeddings()
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        self.check(image)?;
        Ok(self.0.output.clone())
    }

    /// The mean of each colour, and the size.
    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        self.check(image)?;
        let sums = image.pixels().chunks_exact(3).fold([0.0f64; 3], |sums, pixel| {
            [0, 1, 2].map(|channel| sums[channel] + f64::from(pixel[channel]))
        });
        let count = (image.width() * image.height()) as f64;
        let means = sums.map(|sum| (sum / count) as f32);
        Ok(Array::vector(
            [means.as_slice(), &[image.width() as f32, image.height() as f32]].concat(),
        ))
    }
}
