//! SAM and SAM 2: masks of what prompts point at.
//!
//! Sources: Kirillov et al., "Segment Anything" (2023), appendix A; Ravi et al., "SAM 2: Segment Anything in Images and Videos"
//! (2024), of which this is what single pictures need, without the memory; names and defaults: those of transformers'
//! `SamConfig`, `Sam2Config` and `Sam2VideoConfig`.

mod decoder;
mod hiera;
mod prompts;
mod relative;
mod vit;

pub(crate) use decoder::{Choice, MaskDecoder};
pub(crate) use prompts::{Prompt, PromptEncoder};

use super::{Architecture, Outputs};
use crate::{
    checkpoint::Checkpoint,
    repository::{Config, Repository},
};
use hiera::HieraEncoder;
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};
use vit::VitEncoder;

/// What only videos need.
const OF_VIDEOS: [&str; 8] = [
    "memory_",
    "mask_downsample.",
    "no_memory_positional_encoding",
    "no_object_pointer",
    "object_pointer_proj.",
    "occlusion_spatial_embedding_parameter",
    "temporal_positional_encoding_projection_layer.",
    // Whether there is an object at all, which tracking asks.
    "mask_decoder.pred_obj_score_head.",
];

/// What only masks as prompts need.
const OF_MASK_PROMPTS: &str = "prompt_encoder.mask_embed.";

struct Sam {
    /// Rows and columns of pictures.
    side: usize,
    encoder: Encoder,
    decoder: MaskDecoder,
}

/// What sees the picture.
enum Encoder {
    Vit(VitEncoder),
    Hiera(HieraEncoder),
}

pub(super) fn sam(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let vision = repository.config.section_or_empty("vision_config")?;
    let encoder = VitEncoder::read(&vision)?;
    let decoder = MaskDecoder::first(repository, encoder.grid(), encoder.side())?;
    check_features(&vision, "output_channels", encoder.outputs(), &decoder)?;
    Ok(Box::new(Sam {
        side: encoder.side(),
        encoder: Encoder::Vit(encoder),
        decoder,
    }))
}

pub(super) fn sam2(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let vision = repository.config.section_or_empty("vision_config")?;
    let encoder = HieraEncoder::read(&vision)?;
    let decoder = MaskDecoder::second(repository, encoder.grid(), encoder.side())?;
    check_features(&vision, "fpn_hidden_size", encoder.outputs(), &decoder)?;
    Ok(Box::new(Sam {
        side: encoder.side(),
        encoder: Encoder::Hiera(encoder),
        decoder,
    }))
}

/// Both parts have as many features of each place.
fn check_features(config: &Config, key: &str, features: usize, decoder: &MaskDecoder) -> Result<()> {
    if features == decoder.features() {
        return Ok(());
    }
    let expected = format!("{}, as the decoder's `hidden_size`,", decoder.features());
    Err(config.wrong(key, &expected))
}

/// Rows and columns of pictures, which are squares.
fn side(config: &Config, key: &str) -> Result<usize> {
    match config.size(key, [1024; 2])? {
        [height, width] if height == width => Ok(height),
        _ => Err(config.unsupported(key, "as many rows as columns")),
    }
}

/// The places of layers in their order.
fn places(config: &Config, key: &str, default: &[usize]) -> Result<Vec<usize>> {
    let Some(value) = config.value(key) else {
        return Ok(default.to_vec());
    };
    serde_json::from_value(value.clone()).map_err(|_| config.wrong(key, "a list of places of layers"))
}

impl Architecture for Sam {
    fn image_size(&self) -> [usize; 2] {
        [self.side; 2]
    }

    fn depends_on_size(&self) -> bool {
        true
    }

    fn prompts(&self) -> Option<&MaskDecoder> {
        Some(&self.decoder)
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let size = network.dims(image)?;
        if size[1..] != [self.side; 2] {
            return Err(Error::new(format!(
                "the network takes pictures of {0} x {0} pixels only, not of {2} x {1}",
                self.side, size[1], size[2]
            ))
            .with_kind(ErrorKind::InvalidInput)
            .with_hint("leave `image_size` unset"));
        }
        checkpoint.leave_out(OF_MASK_PROMPTS);
        let features = match &self.encoder {
            Encoder::Vit(encoder) => vec![encoder.describe(network, checkpoint, image)?],
            Encoder::Hiera(encoder) => {
                for prefix in OF_VIDEOS {
                    checkpoint.leave_out(prefix);
                }
                encoder.describe(network, checkpoint, image)?
            }
        };
        Ok(Outputs::Prompted { features })
    }
}
