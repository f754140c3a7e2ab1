//! Maps of several sizes that all have seen the whole picture.
//!
//! Source: Lin et al., "Feature Pyramid Networks for Object Detection" (2016), section 3.

use super::{Layers, Steps};
use modelzoo_candle::network::{Interpolation, NetworkBuilder, Pool, Value};
use modelzoo_plugin_api::Result;

/// The name of a convolution, which is the first of a group of modules, or by itself in older files.
pub(super) fn grouped(layers: Layers<'_>, group: &str, older: &str) -> String {
    let first = format!("{group}.0");
    if layers.has(&first) {
        first
    } else {
        older.to_owned()
    }
}

/// The pyramid of maps, the largest of which comes first: as many of as many channels.
pub(super) fn pyramid(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    maps: &[Value],
) -> Result<Vec<Value>> {
    let mut above: Option<Value> = None;
    let mut pyramid = Vec::new();
    for (index, &map) in maps.iter().enumerate().rev() {
        let mut x = block(
            network,
            layers,
            &format!("backbone.fpn.inner_blocks.{index}"),
            map,
        )?;
        if let Some(above) = above {
            let enlarged = network.interpolate_like(above, x, Interpolation::Nearest)?;
            x = network.add(x, enlarged)?;
        }
        above = Some(x);
        pyramid.push(block(
            network,
            layers,
            &format!("backbone.fpn.layer_blocks.{index}"),
            x,
        )?);
    }
    pyramid.reverse();
    Ok(pyramid)
}

/// Adds every second pixel of every second row of the smallest map.
pub(super) fn add_halved(network: &mut NetworkBuilder<'_>, pyramid: &mut Vec<Value>) -> Result<()> {
    if let Some(&last) = pyramid.last() {
        pyramid.push(network.max_pool2d(last, Pool::new(1, 2, 0))?);
    }
    Ok(())
}

/// Adds two maps, each half as large as the one before: made of the smallest one, or of the `map` below it, whichever
/// the weights are for.
pub(super) fn add_convolved(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    pyramid: &mut Vec<Value>,
    map: Value,
) -> Result<()> {
    const SIXTH: &str = "backbone.fpn.extra_blocks.p6";
    let [_, channels, ..] = layers.dims::<4>(SIXTH)?;
    let last = pyramid.last().copied().unwrap_or(map);
    let source = if network.channels(last)? == channels {
        last
    } else {
        map
    };
    let sixth = layers.convolve(network, SIXTH, source, Steps::of(2))?;
    let x = network.relu(sixth)?;
    let seventh = layers.convolve(network, "backbone.fpn.extra_blocks.p7", x, Steps::of(2))?;
    pyramid.extend([sixth, seventh]);
    Ok(())
}

/// A convolution, and its normalisation where it has one.
fn block(network: &mut NetworkBuilder<'_>, layers: Layers<'_>, group: &str, x: Value) -> Result<Value> {
    let name = grouped(layers, group, group);
    let x = layers.convolve(network, &name, x, Steps::ONE)?;
    let norm = format!("{group}.1");
    if layers.has(&norm) {
        network.batch_norm(&norm, x)
    } else {
        Ok(x)
    }
}
