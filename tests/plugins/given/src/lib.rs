//! A model that says of every picture or video what it is told to say: so the host's part in labels can be tested by
//! itself. Where it is told nothing, it names the mean colour of a picture, and says nothing of a video.

use modelzoo_plugin_api::{Video, VideoEmbedding, VideoModel, label::Classification, prelude::*};
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
    /// It takes whole videos instead of pictures.
    takes_videos: bool,
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
        if self.0.takes_videos {
            ModelInfo::video()
        } else {
            ModelInfo::image().with_embeddings()
        }
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
        Ok(Array::vector(facts(image).to_vec()))
    }

    fn videos(&self) -> Option<&dyn VideoModel> {
        self.0.takes_videos.then_some(self)
    }

    fn video_embeddings(&self) -> Option<&dyn VideoEmbedding> {
        self.0.takes_videos.then_some(self)
    }
}

impl VideoModel for Given {
    fn predict_video(&self, _video: &mut Video, _options: &PredictOptions) -> Result<Output> {
        Ok(self.0.output.clone().unwrap_or_default())
    }
}

impl VideoEmbedding for Given {
    /// The mean of what pictures have as embeddings, over all frames; and how many frames there are.
    fn embed_video(&self, video: &mut Video) -> Result<Array> {
        let (mut sums, mut count) = ([0.0; 5], 0.0);
        while let Some(frame) = video.next_frame()? {
            let facts = facts(&frame.image()?);
            sums.iter_mut().zip(facts).for_each(|(sum, fact)| *sum += fact);
            count += 1.0;
        }
        let means = sums.map(|sum| sum / count);
        Ok(Array::vector([means.as_slice(), &[count]].concat()))
    }
}

/// The mean of each colour, and the size.
fn facts(image: &Image<'_>) -> [f32; 5] {
    let [red, green, blue] = mean_color(image);
    [red, green, blue, image.width() as f32, image.height() as f32]
}

/// The mean of red, green and blue, 0 to 255.
fn mean_color(image: &Image<'_>) -> [f32; 3] {
    let sums = image.pixels().chunks_exact(3).fold([0.0f64; 3], |sums, pixel| {
        [0, 1, 2].map(|channel| sums[channel] + f64::from(pixel[channel]))
    });
    let count = (image.width() * image.height()) as f64;
    sums.map(|sum| (sum / count) as f32)
}
