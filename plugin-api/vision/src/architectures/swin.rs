//! The Swin transformers: attention within windows, which are shifted in every other layer.
//!
//! Sources: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows" (2021), section 3, and
//! "Swin Transformer V2: Scaling Up Capacity and Resolution" (2022), section 3; names and defaults: those of transformers'
//! `SwinConfig` and `Swinv2Config`, and of timm's `SwinTransformer` and `SwinTransformerV2`.

mod distances;
mod names;
mod network;
mod settings;

pub(super) use distances::biases as biases_of_distances;
pub(super) use network::scaled as scaled_queries;
pub(super) use settings::{Swin, hugging_face, timm};
