//! A model source with everything that a source can have, and no weights: it tells bright pictures from dark ones.

use modelzoo_plugin_api::{
    LogLevel, SampleFields, SampleModel, Session, Video, VideoModel,
    label::{Classification, Heatmap, Label, Regression},
    prelude::*,
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

#[derive(Default)]
struct Source;

export_source!(Source);

/// What `--set` can change.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// From which mean brightness on, 0 to 1, a picture is bright.
    threshold: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threshold: 0.5 }
    }
}

impl ModelSource for Source {
    fn download_model(&self, name: &str, path: &Path, host: &Host) -> Result<()> {
        host.progress("writing", 1, Some(1));
        std::fs::write(path, name).with_context(|| format!("writing {}", path.display()))
    }

    fn load_model(&self, name: &str, path: &Path, options: LoadOptions) -> Result<Box<dyn Model>> {
        let Settings { threshold } = options.settings()?;
        options
            .host
            .log(LogLevel::Info, format!("loading {name} from {}", path.display()));
        Ok(Box::new(Brightness {
            threshold,
            threads: options.host.threads(),
            is_ready: AtomicBool::new(false),
        }))
    }
}

struct Brightness {
    threshold: f64,
    threads: usize,
    is_ready: AtomicBool,
}

impl Brightness {
    fn classify(&self, brightness: f64) -> Classification {
        let label = if brightness >= self.threshold {
            "bright"
        } else {
            "dark"
        };
        Classification::new(label).with_confidence((brightness - self.threshold).abs().max(0.5))
    }
}

impl Model for Brightness {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(["dark", "bright"])
            .with_embeddings()
            .with_preferred_batch_size(4)
            .with_needed_fields(["weather"])
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        let luminance: Vec<f32> = image
            .pixels()
            .chunks_exact(3)
            .map(|pixel| pixel.iter().map(|&value| f32::from(value) / 765.0).sum())
            .collect();
        let heatmap =
            Heatmap::new(Array::new([image.height(), image.width()], luminance)?).with_range(0.0, 1.0);
        Ok(Output::Labels(BTreeMap::from([
            ("class".to_owned(), self.classify(mean(image)).into()),
            ("map".to_owned(), heatmap.into()),
            (
                "ready".to_owned(),
                Label::from(Regression::new(f64::from(u8::from(
                    self.is_ready.load(Ordering::Relaxed),
                )))),
            ),
            ("threads".to_owned(), Regression::new(self.threads as f64).into()),
        ])))
    }

    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        let sums = image.pixels().chunks_exact(3).fold([0.0f64; 3], |sums, pixel| {
            [0, 1, 2].map(|channel| sums[channel] + f64::from(pixel[channel]))
        });
        let count = (image.width() * image.height()) as f64;
        Ok(Array::vector(
            sums.map(|sum| (sum / count / 255.0) as f32).to_vec(),
        ))
    }

    fn session(&self) -> Option<&dyn Session> {
        Some(self)
    }

    fn samples(&self) -> Option<&dyn SampleModel> {
        Some(self)
    }

    fn videos(&self) -> Option<&dyn VideoModel> {
        Some(self)
    }
}

impl Session for Brightness {
    fn setup(&self) -> Result<()> {
        self.is_ready.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn teardown(&self) -> Result<()> {
        self.is_ready.store(false, Ordering::Relaxed);
        Ok(())
    }
}

impl SampleModel for Brightness {
    fn predict_samples(
        &self,
        images: &[Image<'_>],
        samples: &[SampleFields],
        _options: &PredictOptions,
    ) -> Result<Vec<Result<Output>>> {
        let predict = |(image, fields): (&Image<'_>, &SampleFields)| {
            let weather = fields.get("weather").context("the field weather is missing")?;
            let mut classification = self.classify(mean(image));
            classification.tags.push(weather.to_string());
            Ok(classification.into())
        };
        Ok(images.iter().zip(samples).map(predict).collect())
    }
}

impl VideoModel for Brightness {
    fn predict_video(&self, video: &mut Video, _options: &PredictOptions) -> Result<Output> {
        let mut frames = BTreeMap::new();
        while let Some(frame) = video.next_frame()? {
            frames.insert(frame.number(), self.classify(mean(&frame.image()?)).into());
        }
        Ok(Output::Frames(frames))
    }
}

/// The mean of all bytes, 0 to 1.
fn mean(image: &Image<'_>) -> f64 {
    let sum: u64 = image.pixels().iter().map(|&value| u64::from(value)).sum();
    sum as f64 / image.pixels().len() as f64 / 255.0
}
