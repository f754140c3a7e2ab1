//! DINOv3: a vision transformer whose queries and keys are rotated by where their patches are.
//!
//! Source: Siméoni et al., "DINOv3" (2025), section 3.2; names and defaults: those of transformers' `DINOv3ViTConfig`, and of
//! timm's `Eva`.

mod hugging_face;
mod rotation;
mod timm;

pub(super) use hugging_face::open as hugging_face;
pub(super) use timm::open as timm;
