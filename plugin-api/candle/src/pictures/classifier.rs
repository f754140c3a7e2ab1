//! A classifier of pictures as a whole model.

use super::PictureNetwork;
use crate::{classifier::Classifier, image::Preprocessing, network::Network};
use modelzoo_plugin_api::{Array, Error, Image, Model, ModelInfo, Output, PredictOptions, Result};

/// The places of a network's outputs.
const LOGITS: usize = 0;
const EMBEDDING: usize = 1;

/// So many pictures at once are worth it on a CPU.
const BATCH: usize = 8;

/// A model that says which class a picture is of and, where its network has a second output, embeds it.
#[derive(Clone, Debug)]
pub struct PictureClassifier {
    network: PictureNetwork,
    classifier: Classifier,
    batch: usize,
}

impl PictureClassifier {
    /// A model of a network whose first output is a logit for each of these classes, and whose second, if it has one, is the
    /// embedding: [`Network::with_outputs`] chooses them.
    ///
    /// # Errors
    /// When there are not as many classes as logits, or the network cannot be computed.
    pub fn new<S: Into<String>>(
        preprocessing: Preprocessing,
        network: Network,
        classes: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let classifier = Classifier::new(classes);
        let logits = network
            .output_dims()
            .get(LOGITS)
            .map(|dims| dims.iter().product::<usize>());
        if logits != Some(classifier.classes().len()) {
            return Err(Error::new(format!(
                "there are names for {} classes, but the network tells {} apart",
                classifier.classes().len(),
                logits.unwrap_or_default()
            )));
        }
        Ok(Self {
            network: PictureNetwork::new(preprocessing, network)?,
            classifier,
            batch: BATCH,
        })
    }

    /// With another number of pictures that it had best be given at once; 8 unless told otherwise.
    pub fn with_preferred_batch_size(self, batch: usize) -> Self {
        Self { batch, ..self }
    }

    fn embeds(&self) -> bool {
        self.network.network().output_dims().len() > EMBEDDING
    }
}

impl Model for PictureClassifier {
    fn info(&self) -> ModelInfo {
        let info = ModelInfo::image()
            .with_classes(self.classifier.classes())
            .with_logits()
            .with_preferred_batch_size(self.batch)
            .on_device(self.network.device_name())
            .with_precision(self.network.network().precision());
        if self.embeds() {
            info.with_embeddings()
        } else {
            info
        }
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let label = |logits: Vec<f32>| Ok(self.classifier.label(&logits, options)?.into());
        let rows = self.network.rows(images, LOGITS)?.into_iter();
        Ok(rows.map(|logits| logits.and_then(label)).collect())
    }

    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        self.embed_all(std::slice::from_ref(image))?.remove(0)
    }

    fn embed_all(&self, images: &[Image<'_>]) -> Result<Vec<Result<Array>>> {
        if !self.embeds() {
            return Err(Error::unsupported("this model has no embeddings"));
        }
        self.network.arrays(images, EMBEDDING)
    }
}
