//! CLIP, SigLIP and OWL: an image tower and a text tower, whose embeddings are comparable.
//!
//! Sources: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (2021), section
//! 2.4; Zhai et al., "Sigmoid Loss for Language Image Pre-Training" (2023), section 3.2; Tschannen et al., "SigLIP 2" (2025),
//! section 2.4; names and defaults: those of transformers' `CLIPConfig`, `SiglipConfig` and `Siglip2Config`.

mod image;
mod owl;
mod text;
mod tokens;
mod tower;

pub(super) use image::{clip, naflex, siglip};
pub(super) use owl::{owl_v2, owl_vit};
