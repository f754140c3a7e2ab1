//! Blocks that many networks are made of: [`InvertedResidual`] of MobileNetV2, MobileNetV3 and EfficientNet (there called
//! MBConv), and the [`SqueezeExcitation`] within it.
//!
//! A block finds its parameters in the [scope](crate::network::NetworkBuilder::scope) that it is described in.
//!
//! ```
//! use modelzoo_candle::{
//!     blocks::{BlockNames, InvertedResidual, SqueezeExcitation},
//!     device::Placement,
//!     network::{Activation, NetworkBuilder, RandomParameters},
//! };
//!
//! // The second stage of timm's `tf_efficientnet_b0`.
//! let parameters = RandomParameters::new(0);
//! let mut network = NetworkBuilder::new(&parameters).with_batch_norm_epsilon(1e-3);
//! let mut x = network.input("image", [16, 112, 112])?;
//! for index in 0..2 {
//!     let block = InvertedResidual::new(24, 6)
//!         .stride(if index == 0 { 2 } else { 1 })
//!         .same()
//!         .activation(Activation::Silu)
//!         .excitation(SqueezeExcitation::new(network.channels(x)? / 4).activation(Activation::Silu))
//!         .names(BlockNames::Timm);
//!     x = block.describe(&mut network.scope(&format!("blocks.1.{index}")), x)?;
//! }
//! assert_eq!(network.build(&[x], &Placement::cpu())?.output_dims(), [[24, 56, 56]]);
//! # Ok::<(), modelzoo_plugin_api::Error>(())
//! ```

mod excitation;
mod inverted_residual;
mod names;
#[cfg(test)]
mod tests;

pub use excitation::SqueezeExcitation;
pub use inverted_residual::InvertedResidual;
pub use names::{BlockNames, LayerNames};
