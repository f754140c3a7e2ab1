//! A trained query's attention to all tokens, as SigLIP's towers have it in timm.

use crate::{architectures::layers::Layers, checkpoint::Checkpoint};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Added to variances.
const EPSILON: f32 = 1e-6;

/// What the query finds among the tokens, and a perceptron makes of it: a vector.
pub(super) fn pool(
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    tokens: Value,
    heads: usize,
) -> Result<Value> {
    let layers = Layers::new(checkpoint);
    let features = network.channels(tokens)?;
    let latent = network.parameter_view("attn_pool.latent", &[1, 1, features], &[1, features])?;
    let query = layers.linear(network, "attn_pool.q", latent)?;
    let [keys, values] = {
        let both = network.linear("attn_pool.kv", tokens, 2 * features)?;
        network.halves(both)?
    };
    let x = network.attention([query, keys, values], heads)?;
    let x = layers.linear(network, "attn_pool.proj", x)?;
    let mixed = network.layer_norm("attn_pool.norm", x, EPSILON)?;
    let mixed = layers.linear(network, "attn_pool.mlp.fc1", mixed)?;
    let mixed = network.gelu(mixed)?;
    let mixed = layers.linear(network, "attn_pool.mlp.fc2", mixed)?;
    let x = network.add(x, mixed)?;
    network.select_token(x, 0)
}
