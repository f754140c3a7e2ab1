//! The model: pictures in, keypoints out.

use crate::{
    People, Settings,
    body::{NAMES, SKELETON},
    decode::{Maps, Person, one_person, several_people},
    network::{INPUT, posenet},
};
use modelzoo_candle::{
    device::Placement,
    image::{Normalization, Preprocessing},
    keypoints::{self, Point},
    pictures::PictureNetwork,
    weights::Weights,
};
use modelzoo_plugin_api::{
    Context, Error, Image, Model, ModelInfo, Output, PredictOptions, Result,
    label::{Keypoint, Keypoints},
};

/// The class of what it finds.
const PERSON: &str = "person";

/// PoseNet with its preprocessing.
#[derive(Debug)]
pub struct PoseNet {
    network: PictureNetwork,
    settings: Settings,
}

impl PoseNet {
    /// Makes the model ready.
    ///
    /// # Errors
    /// When the weights are not those of PoseNet.
    pub fn new(weights: &Weights, placement: &Placement, settings: Settings) -> Result<Self> {
        let preprocessing = Preprocessing::new()
            .resize([INPUT, INPUT])
            .normalize(Normalization::SIGNED_UNIT);
        Ok(Self {
            network: PictureNetwork::new(preprocessing, posenet(weights, placement)?)?,
            settings,
        })
    }

    /// The people in a picture, found in the network's outputs for it.
    fn people(&self, outputs: &[Vec<f32>], options: &PredictOptions) -> Result<Output> {
        let [heatmap, offsets, forward, backward] = outputs else {
            return Err(Error::new("the network has four outputs"));
        };
        let maps = Maps::new([heatmap, offsets, forward, backward])
            .context("the network's outputs have other sizes than they should")?;
        let people = match self.settings.people {
            People::One => vec![one_person(&maps)],
            People::Several => several_people(&maps, &self.settings),
        };
        let found = people.iter().map(|person| keypoint(person, options));
        Ok(Keypoints::new(found.collect()).into())
    }
}

fn keypoint(person: &Person, options: &PredictOptions) -> Keypoint {
    let points = person.map(|found| Point::new([found.point.x, found.point.y], found.score));
    keypoints::label(&points, [INPUT, INPUT], options).with_label(PERSON)
}

impl Model for PoseNet {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes([PERSON])
            .with_keypoints(NAMES, SKELETON)
            .with_preferred_batch_size(8)
            .on_device(self.network.device_name())
            .with_precision(self.network.network().precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        self.network.run(images, |outputs| self.people(outputs, options))
    }
}
