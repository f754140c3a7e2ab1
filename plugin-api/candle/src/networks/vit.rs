//! The vision transformer, with torchvision's module names.
//!
//! Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), section 3.1 and table 1.

use crate::{
    device::Placement,
    network::{Conv2d, Network, NetworkBuilder, Parameters, Value},
};
use modelzoo_plugin_api::Result;

const IMAGE: usize = 224;
const PATCH: usize = 16;
const TOKENS: usize = (IMAGE / PATCH) * (IMAGE / PATCH) + 1;
const FEATURES: usize = 768;
const HIDDEN: usize = 3072;
const LAYERS: usize = 12;
const HEADS: usize = 12;
const EPSILON: f32 = 1e-6;

/// ViT-B/16: `[3, 224, 224]` to `classes` logits; the 768 features before them are called `embedding`.
///
/// # Errors
/// When a parameter is missing or has other dimensions.
pub fn vit_b_16(parameters: &dyn Parameters, classes: usize, placement: &Placement) -> Result<Network> {
    let mut network = NetworkBuilder::new(parameters);
    let image = network.input("image", [3, IMAGE, IMAGE])?;
    let patches = network.conv2d("conv_proj", image, Conv2d::new(FEATURES, PATCH).stride(PATCH))?;
    let patches = network.to_tokens(patches)?;
    let class = network.parameter_view("class_token", &[1, 1, FEATURES], &[1, FEATURES])?;
    let x = network.cat_tokens(&[class, patches])?;
    let positions = [TOKENS, FEATURES];
    let positions = network.parameter_view("encoder.pos_embedding", &[1, TOKENS, FEATURES], &positions)?;
    let mut x = network.add(x, positions)?;
    for layer in 0..LAYERS {
        x = encoder(&mut network, &format!("encoder.layers.encoder_layer_{layer}"), x)?;
    }
    let x = network.layer_norm("encoder.ln", x, EPSILON)?;
    let x = network.select_token(x, 0)?;
    network.alias("embedding", x)?;
    let logits = network.linear("heads.head", x, classes)?;
    network.build(&[logits], placement)
}

fn encoder(network: &mut NetworkBuilder, name: &str, input: Value) -> Result<Value> {
    let x = network.layer_norm(&format!("{name}.ln_1"), input, EPSILON)?;
    let x = network.self_attention(&format!("{name}.self_attention"), x, HEADS)?;
    let attended = network.add(x, input)?;
    let x = network.layer_norm(&format!("{name}.ln_2"), attended, EPSILON)?;
    let x = network.linear(&format!("{name}.mlp.0"), x, HIDDEN)?;
    let x = network.gelu(x)?;
    let x = network.linear(&format!("{name}.mlp.3"), x, FEATURES)?;
    network.add(attended, x)
}
