//! D-FINE: RT-DETR whose boxes are distributions of their sides' distances, refined from layer to layer.
//!
//! Source: Peng et al., "D-FINE: Redefine Regression Task in DETRs as Fine-grained Distribution Refinement" (2024);
//! names and defaults: those of transformers' `DFineConfig`.

mod decoder;
mod fusion;

use super::{
    Architecture, Outputs,
    hgnet_v2::HgNetV2,
    rt_detr::{self, HybridEncoder, QuerySelection},
};
use crate::{checkpoint::Checkpoint, repository::Repository};
use decoder::Decoder;
use fusion::Elan;
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

struct DFine {
    backbone: HgNetV2,
    /// The stages of the backbone whose maps are used; 0 is the stem.
    stages: Vec<usize>,
    encoder: HybridEncoder,
    fusion: Elan,
    queries: QuerySelection,
    decoder: Decoder,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let section = config.section_or_empty("backbone_config")?;
    if section.text("model_type")?.is_some_and(|kind| kind != "hgnet_v2") {
        return Err(section.unsupported("model_type", "\"hgnet_v2\""));
    }
    let encoder = HybridEncoder::read(config)?;
    let names = crate::repository::class_names(repository)?;
    let classes = names.map_or(2, |names| names.len());
    let decoder_inputs = config.counts("decoder_in_channels", &[256; 3])?;
    let are_maps_plain = decoder_inputs.last() == Some(&config.count("d_model", 256)?);
    let queries = QuerySelection::read(config, classes, encoder.levels())?;
    Ok(Box::new(DFine {
        backbone: HgNetV2::read(&section)?,
        stages: rt_detr::stages(&section, encoder.levels())?,
        fusion: Elan::read(config, encoder.channels())?,
        queries: queries.of_plain_maps(are_maps_plain),
        decoder: Decoder::read(config, classes)?,
        encoder,
    }))
}

impl Architecture for DFine {
    fn image_size(&self) -> [usize; 2] {
        [640; 2]
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
        let maps = self
            .backbone
            .stages(network, checkpoint, rt_detr::BACKBONE, image)?;
        let maps = rt_detr::chosen(&self.stages, &maps)?;
        let maps = self.encoder.describe(network, &self.fusion, maps)?;
        let selected = self.queries.describe(network, &maps)?;
        checkpoint.leave_out("model.denoising_class_embed.");
        self.decoder.describe(network, checkpoint, selected)
    }
}
