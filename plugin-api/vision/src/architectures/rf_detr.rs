//! RF-DETR: DINOv2 in windows, and a decoder whose queries start from the likeliest places.
//!
//! Sources: Robinson et al., "RF-DETR: Neural Architecture Search for Real-Time Detection Transformers" (2025); Chen et
//! al., "LW-DETR: A Transformer Replacement to YOLO for Real-Time Detection" (2024), section 3; names: those of the
//! published files; defaults: those of transformers' `RfDetrConfig`.

mod decoder;
mod features;
mod masks;

use super::{Architecture, Outputs};
use crate::{checkpoint::Checkpoint, repository::Repository};
use decoder::Decoder;
use features::Features;
use masks::MaskHead;
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

struct RfDetr {
    features: Features,
    decoder: Decoder,
    masks: MaskHead,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(RfDetr {
        features: Features::read(config)?,
        masks: MaskHead::read(config)?,
        decoder: Decoder::read(config, names.map_or(91, |names| names.len()))?,
    }))
}

impl Architecture for RfDetr {
    fn image_size(&self) -> [usize; 2] {
        self.features.image_size()
    }

    fn depends_on_size(&self) -> bool {
        true
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let map = self.features.describe(network, checkpoint, image)?;
        let found = self.decoder.describe(network, checkpoint, map)?;
        let (logits, boxes) = (found.logits, found.boxes);
        if !checkpoint.has_any(masks::ROOT) {
            return Ok(Outputs::Objects {
                logits,
                boxes,
                are_exclusive: false,
            });
        }
        let size = network.dims(image)?;
        let operands = [map, found.objects];
        let [queries, features] = self
            .masks
            .describe(network, checkpoint, operands, [size[1], size[2]])?;
        Ok(Outputs::ObjectMasks {
            logits,
            boxes,
            queries,
            features,
        })
    }
}
