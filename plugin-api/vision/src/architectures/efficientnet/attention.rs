//! The attention of MobileNetV4's hybrids: many queries for each key.
//!
//! Source: Qin et al., "MobileNetV4" (2024), section 3.2.

use crate::architectures::{
    layers::{Layers, Steps, unfit},
    transformer,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// What is behind a block's normalisation, up to its shortcut.
pub(super) fn describe(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    input: Value,
) -> Result<Value> {
    let x = network.batch_norm_with_epsilon(&format!("{name}.norm"), input, layers.epsilon)?;
    let size = network.dims(x)?;
    let query = format!("{name}.attn.query.proj");
    let [all, ..] = layers.dims::<4>(&query)?;
    let [each, ..] = layers.dims::<4>(&format!("{name}.attn.key.proj"))?;
    let heads = all.checked_div(each).filter(|heads| heads * each == all);
    let heads = heads.ok_or_else(|| unfit(&query, &[all]))?;
    let queries = layers.convolve(network, &query, x, Steps::ONE)?;
    let queries = network.to_tokens(queries)?;
    let shared = |network: &mut NetworkBuilder<'_>, part: &str| {
        let name = format!("{name}.attn.{part}");
        let mut x = x;
        let reducing = format!("{name}.down_conv");
        if layers.has(&reducing) {
            let norm = format!("{name}.norm");
            x = layers.normed(network, [&reducing, &norm], x, Steps::of(2))?;
        }
        let x = layers.convolve(network, &format!("{name}.proj"), x, Steps::ONE)?;
        // Every head has the same.
        let x = network.cat(&vec![x; heads])?;
        network.to_tokens(x)
    };
    let keys = shared(network, "key")?;
    let values = shared(network, "value")?;
    let x = network.attention([queries, keys, values], heads)?;
    let x = network.to_map(x, [size[1], size[2]])?;
    let x = layers.convolve(network, &format!("{name}.attn.output.proj"), x, Steps::ONE)?;
    let scale = format!("{name}.layer_scale.gamma");
    if layers.checkpoint.has(&scale) {
        return transformer::layer_scale(network, &scale, x);
    }
    Ok(x)
}
