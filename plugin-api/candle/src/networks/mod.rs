//! Well-known networks, as a plugin's author would describe them, with torch's or their project's parameter names.
//!
//! | function | input | outputs |
//! |---|---|---|
//! | [`resnet18`], [`resnet34`], [`resnet50`] | `[3, 224, 224]` | logits `[classes]` |
//! | [`yolov8n`] | `[3, 640, 640]` | cells `[8400, 64 + classes]` |
//! | [`vit_b_16`] | `[3, 224, 224]` | logits `[classes]` |
//! | [`clip_vit_b_32_image`] | `[3, 224, 224]` | embedding `[512]` |

mod clip;
mod resnet;
#[cfg(test)]
mod tests;
mod vit;
mod yolov8;

pub use clip::clip_vit_b_32_image;
pub use resnet::{resnet18, resnet34, resnet50};
pub use vit::vit_b_16;
pub use yolov8::yolov8n;
