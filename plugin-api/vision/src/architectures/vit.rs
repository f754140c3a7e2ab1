//! The vision transformer, and DeiT, which has a second token to learn from a teacher.
//!
//! Sources: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), section 3.1; Touvron et al., "Training
//! data-efficient image transformers & distillation through attention" (2020), section 4; names and defaults: those of
//! transformers' `ViTConfig` and `DeiTConfig`, and of timm's `VisionTransformer`.

mod attention_pool;
mod hugging_face;
mod timm;

pub(super) use hugging_face::{Vit, open as hugging_face};
pub(super) use timm::open as timm;
