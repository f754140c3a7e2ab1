//! CLIP's image tower, with the module names of OpenAI's weights.
//!
//! Source: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (2021), section 2.4
//! and table 20.

use crate::{
    device::Placement,
    network::{Conv2d, Network, NetworkBuilder, Parameters, Value},
};
use modelzoo_plugin_api::Result;

const IMAGE: usize = 224;
const PATCH: usize = 32;
const TOKENS: usize = (IMAGE / PATCH) * (IMAGE / PATCH) + 1;
const FEATURES: usize = 768;
const HIDDEN: usize = 3072;
const LAYERS: usize = 12;
const HEADS: usize = 12;
const EMBEDDING: usize = 512;
const EPSILON: f32 = 1e-5;

/// The image tower of CLIP ViT-B/32: `[3, 224, 224]` to an embedding of 512 numbers, not normalised.
///
/// # Errors
/// When a parameter is missing or has other dimensions.
pub fn clip_vit_b_32_image(parameters: &dyn Parameters, placement: &Placement) -> Result<Network> {
    let mut network = NetworkBuilder::new(parameters);
    let image = network.input("image", [3, IMAGE, IMAGE])?;
    let patches = Conv2d::new(FEATURES, PATCH).stride(PATCH).without_bias();
    let patches = network.conv2d("visual.conv1", image, patches)?;
    let patches = network.to_tokens(patches)?;
    let class = network.parameter_view("visual.class_embedding", &[FEATURES], &[1, FEATURES])?;
    let x = network.cat_tokens(&[class, patches])?;
    let positions = network.parameter("visual.positional_embedding", &[TOKENS, FEATURES])?;
    let x = network.add(x, positions)?;
    let mut x = network.layer_norm("visual.ln_pre", x, EPSILON)?;
    for layer in 0..LAYERS {
        x = residual_attention(&mut network, &format!("visual.transformer.resblocks.{layer}"), x)?;
    }
    let x = network.select_token(x, 0)?;
    let x = network.layer_norm("visual.ln_post", x, EPSILON)?;
    let embedding = network.matmul("visual.proj", x, EMBEDDING)?;
    network.build(&[embedding], placement)
}

fn residual_attention(network: &mut NetworkBuilder, name: &str, input: Value) -> Result<Value> {
    let x = network.layer_norm(&format!("{name}.ln_1"), input, EPSILON)?;
    let x = network.self_attention(&format!("{name}.attn"), x, HEADS)?;
    let attended = network.add(input, x)?;
    let x = network.layer_norm(&format!("{name}.ln_2"), attended, EPSILON)?;
    let x = network.linear(&format!("{name}.mlp.c_fc"), x, HIDDEN)?;
    let x = network.quick_gelu(x)?;
    let x = network.linear(&format!("{name}.mlp.c_proj"), x, FEATURES)?;
    network.add(attended, x)
}
