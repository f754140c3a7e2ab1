//! EfficientNet and what shares its blocks, as timm and transformers publish them.
//!
//! Sources: Sandler et al., "MobileNetV2" (2018), table 2; Howard et al., "Searching for MobileNetV3" (2019), tables 1
//! and 2; Tan and Le, "EfficientNet" (2019), table 1, and "EfficientNetV2" (2021), table 4; Qin et al.,
//! "MobileNetV4" (2024), section 3.

mod attention;
mod hugging_face;
mod timm;

pub(super) use hugging_face::open as hugging_face;
pub(super) use timm::open as timm;
