//! A model source that has one of the faults that models have, as its settings say: what `plugin check` must find.

use modelzoo_plugin_api::{
    label::{Classification, Detection, Detections},
    prelude::*,
};
use serde::Deserialize;
use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

#[derive(Default)]
struct Source;

export_source!(Source);

/// What is wrong with the model.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fault {
    #[default]
    None,
    /// Options that do not exist are taken.
    UnknownOptions,
    /// Confidences in percent.
    Percent,
    /// Confidences that are no numbers.
    NotANumber,
    /// Boxes in pixels.
    Pixels,
    /// A class that the model does not name.
    UnknownClass,
    /// Each picture gets the answer for the one before.
    Remembers,
    /// A batch comes back in the other order.
    Reversed,
    /// A batch is normalised as a whole.
    NormalisesBatch,
    /// A panic at a picture of one pixel.
    PanicsAtOnePixel,
    /// A crash at a large picture.
    CrashesAtLargePictures,
    /// Every picture is kept.
    Leaks,
    /// Embeddings as long as the picture is wide.
    EmbeddingOfWidth,
    /// An embedding that is infinite.
    InfiniteEmbedding,
    /// Embeddings that depend on chance.
    RandomEmbedding,
    /// What it finds depends on what other threads do.
    SharesState,
    /// The second model of a process is another.
    DiffersWhenReloaded,
    /// What it finds depends on the environment.
    ReadsTheEnvironment,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    fault: Fault,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

impl ModelSource for Source {
    fn load_model(&self, _name: &str, _path: &Path, options: LoadOptions) -> Result<Box<dyn Model>> {
        static LOADED: AtomicU32 = AtomicU32::new(0);
        let Settings { fault, others } = options.settings()?;
        if let (Some(unknown), true) = (others.keys().next(), fault != Fault::UnknownOptions) {
            return Err(Error::invalid_option(format!("there is no option `{unknown}`")));
        }
        Ok(Box::new(Faulty {
            fault,
            number: LOADED.fetch_add(1, Ordering::Relaxed),
            kept: Mutex::default(),
        }))
    }
}

struct Faulty {
    fault: Fault,
    /// How many were loaded in this process before.
    number: u32,
    kept: Mutex<Vec<Vec<u8>>>,
}

impl Faulty {
    /// From the mean of all bytes, 0 to 1.
    fn answer(&self, image: &Image<'_>, mean: f64) -> Output {
        let (label, confidence) = if mean < 0.5 {
            ("dark", 1.0 - mean)
        } else {
            ("bright", mean)
        };
        if self.fault == Fault::Pixels {
            let edges = [0.0, 0.0, image.width() as f64, image.height() as f64];
            return Detections::new(vec![Detection::new(label, edges)]).into();
        }
        let is_blank = match self.fault {
            Fault::DiffersWhenReloaded => self.number > 0,
            // A worker does not see the program's own settings.
            Fault::ReadsTheEnvironment => std::env::var_os("MODELZOO_STORE").is_some(),
            _ => false,
        };
        if is_blank {
            return Classification::blank().into();
        }
        let label = if self.fault == Fault::UnknownClass {
            "grey"
        } else {
            label
        };
        let confidence = match self.fault {
            Fault::Percent => confidence * 100.0,
            Fault::NotANumber => f64::NAN,
            _ => confidence,
        };
        Classification::new(label).with_confidence(confidence).into()
    }

    fn predict_one(&self, image: &Image<'_>) -> Output {
        static ASKING: AtomicU32 = AtomicU32::new(0);
        let pixels = image.pixels();
        match self.fault {
            Fault::PanicsAtOnePixel if pixels.len() == 3 => panic!("one pixel is too few"),
            Fault::CrashesAtLargePictures if image.width() > 1000 => std::process::abort(),
            Fault::Leaks => lock(&self.kept).push(pixels.to_vec()),
            Fault::Remembers => {
                let mut kept = lock(&self.kept);
                let before = kept.pop();
                kept.push(pixels.to_vec());
                return self.answer(image, before.map_or(0.0, |before| mean(&before)));
            }
            Fault::SharesState => {
                ASKING.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(5));
                let is_alone = ASKING.load(Ordering::SeqCst) == 1;
                thread::sleep(Duration::from_millis(5));
                ASKING.fetch_sub(1, Ordering::SeqCst);
                return self.answer(image, if is_alone { mean(pixels) } else { 1.0 });
            }
            _ => {}
        }
        self.answer(image, mean(pixels))
    }
}

impl Model for Faulty {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(["dark", "bright"])
            .with_embeddings()
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        Ok(self.predict_one(image))
    }

    fn predict_all(&self, images: &[Image<'_>], _options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let means: Vec<f64> = images.iter().map(|image| mean(image.pixels())).collect();
        let mut answers: Vec<Result<Output>> = match self.fault {
            Fault::NormalisesBatch => {
                let brightest = means.iter().copied().fold(0.0, f64::max);
                let answer = |(image, mean): (&Image<'_>, &f64)| Ok(self.answer(image, mean / brightest));
                images.iter().zip(&means).map(answer).collect()
            }
            _ => images.iter().map(|image| Ok(self.predict_one(image))).collect(),
        };
        if self.fault == Fault::Reversed {
            answers.reverse();
        }
        Ok(answers)
    }

    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let mean = mean(image.pixels()) as f32;
        Ok(Array::vector(match self.fault {
            Fault::EmbeddingOfWidth => vec![mean; image.width()],
            Fault::InfiniteEmbedding => vec![mean, f32::INFINITY],
            Fault::RandomEmbedding => vec![mean, CALLS.fetch_add(1, Ordering::Relaxed) as f32],
            _ => vec![mean, 1.0 - mean],
        }))
    }
}

fn mean(bytes: &[u8]) -> f64 {
    let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
    sum as f64 / bytes.len() as f64 / 255.0
}

/// A lock that a panic has poisoned holds what it held.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
