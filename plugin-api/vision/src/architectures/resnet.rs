//! ResNet and its relatives: wide, with groups (ResNeXt), with squeeze and excitation, with a deep stem.
//!
//! Sources: He et al., "Deep Residual Learning for Image Recognition" (2015); Xie et al., "Aggregated Residual
//! Transformations for Deep Neural Networks" (2016); Hu et al., "Squeeze-and-Excitation Networks" (2017); He et al.,
//! "Bag of Tricks for Image Classification with Convolutional Neural Networks" (2018) for stems and shortcuts.

mod hugging_face;
mod timm;

pub(super) use hugging_face::{ResNet, open as hugging_face};
pub(super) use timm::{Described, open as timm};
