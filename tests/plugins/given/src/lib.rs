//! A model that says of every picture what it is told to say: so the host's part in labels can be tested by itself.
//! Where it is told nothing, it names the mean colour.

use modelzoo_plugin_api::{label::Classification, prelude::*};
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
    output: Option<Output>,
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
        Ok(self.0.output.clone().unwrap_or_else(|| {
            let [red, green, blue] = mean_color(image).map(|mean| mean as u8);
            Classification::new(format!("#{red:02x}{green:02x}{blue:02x}")).into()
        }))
    }

    /// The mean of each colour, and the size.
    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        self.check(image)?;
        let size = [image.width() as f32, image.height() as f32];
        Ok(Array::vector([mean_color(image).as_slice(), &size].concat()))
    }
}

/// The mean of red, green and blue, 0 to 255.
fn mean_color(image: &Image<'_>) -> [f32; 3] {
    let sums = image.pixels().chunks_exact(3).fold([0.0f64; 3], |sums, pixel| {
        [0, 1, 2].map(|channel| sums[channel] + f64::from(pixel[channel]))
    });
    let count = (image.width() * image.height()) as f64;
    sums.map(|sum| (sum / count) as f32)
}
