//! The model: pictures in, keypoints out.

use crate::{
    People, Settings,
    body::{NAMES, SKELETON},
    decode::{Maps, Person, one_person, several_people},
    network::{INPUT, posenet},
};
use modelzoo_candle::{
    candle_core::Tensor,
    device::{self, Placement},
    image::{Normalization, Preprocessing},
    keypoints::{self, Point},
    network::Network,
    weights::Weights,
};
use modelzoo_plugin_api::{
    Context, Image, Model, ModelInfo, Output, PredictOptions, Result,
    label::{Keypoint, Keypoints},
};

/// The class of what it finds.
const PERSON: &str = "person";

/// PoseNet with its preprocessing.
#[derive(Debug)]
pub struct PoseNet {
    preprocessing: Preprocessing,
    network: Network,
    settings: Settings,
}

impl PoseNet {
    /// Makes the model ready.
    ///
    /// # Errors
    /// When the weights are not those of PoseNet.
    pub fn new(weights: &Weights, placement: &Placement, settings: Settings) -> Result<Self> {
        let network = posenet(weights, placement)?;
        network.prepare()?;
        Ok(Self {
            preprocessing: Preprocessing::new()
                .resize([INPUT, INPUT])
                .normalize(Normalization::SIGNED_UNIT),
            network,
            settings,
        })
    }

    fn predict_batch(&self, batch: &Tensor, options: &PredictOptions) -> Result<Vec<Output>> {
        let outputs = self.network.forward(batch)?;
        let rows: Vec<Vec<Vec<f32>>> = outputs
            .iter()
            .map(|output| output.flatten_from(1)?.to_vec2())
            .collect::<Result<_, _>>()?;
        (0..batch.dim(0)?)
            .map(|picture| {
                let output = |index: usize| rows[index][picture].as_slice();
                let maps = Maps::new([output(0), output(1), output(2), output(3)])
                    .context("the network's outputs have other sizes than they should")?;
                let people = match self.settings.people {
                    People::One => vec![one_person(&maps)],
                    People::Several => several_people(&maps, &self.settings),
                };
                let found = people.iter().map(|person| keypoint(person, options));
                Ok(Keypoints::new(found.collect()).into())
            })
            .collect()
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
            .on_device(device::name(self.network.device()))
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        self.preprocessing
            .run_batched(images, self.network.device(), |batch| {
                self.predict_batch(batch, options)
            })
    }
}
