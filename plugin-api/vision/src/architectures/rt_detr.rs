//! RT-DETR, first and second version: a detector in real time that needs no suppression of overlapping boxes.
//!
//! Sources: Zhao et al., "DETRs Beat YOLOs on Real-time Object Detection" (2023); Lv et al., "RT-DETRv2" (2024); names
//! and defaults: those of transformers' `RTDetrConfig` and `RTDetrV2Config`.

mod decoder;
mod encoder;
mod fusion;
mod queries;

use super::{Architecture, Outputs, resnet};
use crate::{
    checkpoint::Checkpoint,
    repository::{Config, Repository},
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, Result};

pub(super) use decoder::{LIMIT, Points, box_embedding, head_root};
pub(super) use encoder::HybridEncoder;
pub(super) use fusion::{CspRep, Fusion, convolve, expansion};
pub(super) use queries::{QuerySelection, Selected};

use decoder::Decoder;

/// Before the names of the backbone's tensors.
pub(super) const BACKBONE: &str = "model.backbone.model.";

struct RtDetr {
    backbone: resnet::ResNet,
    /// The stages of the backbone whose maps are used; 0 is the stem.
    stages: Vec<usize>,
    encoder: HybridEncoder,
    fusion: CspRep,
    queries: QuerySelection,
    decoder: Decoder,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let section = config.section_or_empty("backbone_config")?;
    if section
        .text("model_type")?
        .is_some_and(|kind| kind != "rt_detr_resnet")
    {
        return Err(section.unsupported("model_type", "\"rt_detr_resnet\""));
    }
    let encoder = HybridEncoder::read(config)?;
    let names = crate::repository::class_names(repository)?;
    let classes = names.map_or(2, |names| names.len());
    Ok(Box::new(RtDetr {
        backbone: resnet::ResNet::read(&section)?,
        stages: stages(&section, encoder.levels())?,
        fusion: CspRep::read(config, encoder.channels())?,
        queries: QuerySelection::read(config, classes, encoder.levels())?,
        decoder: Decoder::read(config, classes)?,
        encoder,
    }))
}

/// The stages of a backbone whose maps are used, `stage1` being 1: as many as the encoder takes, the last three of four
/// as published.
pub(super) fn stages(backbone: &Config, count: usize) -> Result<Vec<usize>> {
    stages_or(backbone, count, &[2, 3, 4])
}

/// As [`stages`], with these where the backbone names none.
pub(super) fn stages_or(backbone: &Config, count: usize, default: &[usize]) -> Result<Vec<usize>> {
    let expected = format!("a list of {count} stages, one for each map that is used,");
    let Some(names) = backbone.value("out_features") else {
        let stages = backbone.counts("out_indices", default)?;
        return if stages.len() == count && stages.is_sorted() {
            Ok(stages)
        } else {
            Err(backbone.wrong("out_indices", &expected))
        };
    };
    let stage = |name: &serde_json::Value| name.as_str()?.strip_prefix("stage")?.parse::<usize>().ok();
    names
        .as_array()
        .and_then(|names| names.iter().map(stage).collect::<Option<Vec<usize>>>())
        .filter(|stages| stages.len() == count && stages.is_sorted())
        .ok_or_else(|| backbone.wrong("out_features", &expected))
}

/// The maps of some stages.
pub(super) fn chosen(stages: &[usize], maps: &[Value]) -> Result<Vec<Value>> {
    let map = |&stage: &usize| {
        maps.get(stage).copied().ok_or_else(|| {
            Error::new(format!(
                "the backbone has {} stages, but stage {stage} is asked for",
                maps.len() - 1
            ))
        })
    };
    stages.iter().map(map).collect()
}

impl Architecture for RtDetr {
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
        let maps = self.backbone.stages(network, BACKBONE, image)?;
        let maps = chosen(&self.stages, &maps)?;
        let maps = self.encoder.describe(network, &self.fusion, maps)?;
        let selected = self.queries.describe(network, &maps)?;
        checkpoint.leave_out("model.denoising_class_embed.");
        self.decoder.describe(network, checkpoint, selected)
    }
}
