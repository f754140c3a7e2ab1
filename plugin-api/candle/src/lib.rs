//! The Candle toolkit for authors of modelzoo plugins.
//!
//! | module | what it has |
//! |---|---|
//! | [`device`] | the device that the user asked for, or the one that there is |
//! | [`weights`] | safetensors files as parameters, with errors that name file and tensor |
//! | [`image`] | pictures to input tensors, as Pillow and torchvision make them |
//! | [`network`] | networks described in torch's vocabulary, fast on a CPU, on Candle's operators elsewhere |
//! | [`networks`] | well-known networks: ResNet, YOLOv8, ViT, CLIP's image tower |
//! | [`blocks`] | what MobileNets and EfficientNets are made of |
//! | [`pictures`] | a network with its preprocessing; classifiers that are models at once |
//! | [`classifier`] | logits to classifications |
//! | [`detection`] | raw detector outputs to objects, with masks or without |
//! | [`keypoints`] | points with scores to keypoints |
//! | [`segmentation`] | scores of pixels to masks |
//! | `testing` | what tests of plugins share; behind the feature of that name |
//!
//! Errors are `modelzoo_plugin_api::Error`, what a plugin's methods return.
#![deny(missing_docs)]

mod asked;
pub mod blocks;
pub mod classifier;
pub mod detection;
pub mod device;
pub mod image;
pub mod keypoints;
pub mod network;
pub mod networks;
pub mod pictures;
pub mod segmentation;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod weights;

pub use candle_core;
pub use candle_nn;
