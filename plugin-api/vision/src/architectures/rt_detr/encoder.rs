//! The hybrid encoder: attention within the smallest map, then maps fused from small to large and back.

use super::fusion::Fusion;
use crate::{
    architectures::{activation::Activation, transformer},
    repository::Config,
};
use modelzoo_candle::network::{Conv2d, Interpolation, NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// Torch's default for batch normalisations.
const EPSILON: f64 = 1e-5;

/// What RT-DETR and its relatives have in common before their decoders.
#[derive(Debug)]
pub(in crate::architectures) struct HybridEncoder {
    /// Channels of all of its maps.
    channels: usize,
    /// Channels of the backbone's maps, the largest map first.
    inputs: Vec<usize>,
    /// Layers of attention in a map.
    layers: usize,
    /// The maps that have attention.
    attended: Vec<usize>,
    heads: usize,
    hidden: usize,
    activation: Activation,
    temperature: f64,
    /// Whether attention knows where a pixel is.
    has_positions: bool,
    epsilon: f32,
}

impl HybridEncoder {
    /// Reads the settings.
    pub(in crate::architectures) fn read(config: &Config) -> Result<Self> {
        let channels = config.count("encoder_hidden_dim", 256)?;
        if channels % 4 != 0 {
            return Err(config.wrong("encoder_hidden_dim", "a multiple of 4"));
        }
        if config.flag("normalize_before", false)? {
            return Err(config.unsupported("normalize_before", "false"));
        }
        let inputs = config.counts("encoder_in_channels", &[512, 1024, 2048])?;
        let attended = indices(config, "encode_proj_layers", inputs.len(), &[2])?;
        let temperature = config.number("positional_encoding_temperature")?.unwrap_or(1e4);
        if temperature.is_nan() || temperature <= 0.0 {
            return Err(config.wrong("positional_encoding_temperature", "a number above 0"));
        }
        Ok(Self {
            channels,
            layers: config.count_or_none("encoder_layers", 1)?,
            attended,
            heads: transformer::heads(config, "encoder_attention_heads", 8, channels)?,
            hidden: config.count("encoder_ffn_dim", 1024)?,
            activation: Activation::of(config, "encoder_activation_function", Activation::Gelu)?,
            temperature,
            has_positions: !config.has("eval_size"),
            epsilon: config.epsilon("layer_norm_eps", 1e-5)? as f32,
            inputs,
        })
    }

    /// How many maps it takes and gives.
    pub(in crate::architectures) fn levels(&self) -> usize {
        self.inputs.len()
    }

    /// Channels of all of its maps.
    pub(in crate::architectures) fn channels(&self) -> usize {
        self.channels
    }

    /// Describes it for maps of the backbone, the largest first, each half as large as the one before.
    pub(in crate::architectures) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        fusion: &dyn Fusion,
        maps: Vec<Value>,
    ) -> Result<Vec<Value>> {
        let mut maps = maps;
        for (level, map) in maps.iter_mut().enumerate() {
            let name = format!("model.encoder_input_proj.{level}");
            let projection = Conv2d::new(self.channels, 1).without_bias();
            let x = network.conv2d(&format!("{name}.0"), *map, projection)?;
            *map = network.batch_norm_with_epsilon(&format!("{name}.1"), x, EPSILON)?;
        }
        halve(network, &maps)?;
        if self.layers > 0 {
            for (index, &level) in self.attended.iter().enumerate() {
                maps[level] = self.attend(network, &format!("model.encoder.encoder.{index}"), maps[level])?;
            }
        }
        // From small to large: what was fused last is widened for the next.
        let last = maps.len() - 1;
        for step in 0..last {
            let level = last - step;
            let name = format!("model.encoder.lateral_convs.{step}");
            maps[level] = fusion.lateral(network, &name, maps[level])?;
            let wide = network.upsample(maps[level], 2, Interpolation::Nearest)?;
            let both = network.cat(&[wide, maps[level - 1]])?;
            maps[level - 1] = fusion.fuse(network, &format!("model.encoder.fpn_blocks.{step}"), both)?;
        }
        for level in 0..last {
            let name = format!("model.encoder.downsample_convs.{level}");
            let small = fusion.downsample(network, &name, maps[level])?;
            let both = network.cat(&[small, maps[level + 1]])?;
            maps[level + 1] = fusion.fuse(network, &format!("model.encoder.pan_blocks.{level}"), both)?;
        }
        Ok(maps)
    }

    /// Attention between the pixels of a map.
    fn attend(&self, network: &mut NetworkBuilder<'_>, name: &str, map: Value) -> Result<Value> {
        let dims = network.dims(map)?;
        let size = [dims[1], dims[2]];
        let mut x = network.to_tokens(map)?;
        let places = if self.has_positions {
            let values = positions(size, self.channels, self.temperature);
            Some(network.constant(&[size[0] * size[1], self.channels], values)?)
        } else {
            None
        };
        for layer in 0..self.layers {
            let name = format!("{name}.layers.{layer}");
            let placed = match places {
                Some(places) => network.add(x, places)?,
                None => x,
            };
            let attended = transformer::projected_attention(
                network,
                &format!("{name}.self_attn"),
                [placed, placed, x],
                self.heads,
            )?;
            let sum = network.add(x, attended)?;
            x = network.layer_norm(&format!("{name}.self_attn_layer_norm"), sum, self.epsilon)?;
            let layers = (self.hidden, self.activation);
            x = transformer::normed_perceptron(network, &name, layers, self.epsilon, x)?;
        }
        network.to_map(x, size)
    }
}

/// Places in a list of so many.
fn indices(config: &Config, key: &str, count: usize, default: &[usize]) -> Result<Vec<usize>> {
    let Some(value) = config.value(key) else {
        return Ok(default.iter().copied().filter(|&index| index < count).collect());
    };
    let index = |value: &serde_json::Value| value.as_u64().map(|index| index as usize);
    value
        .as_array()
        .and_then(|values| values.iter().map(index).collect::<Option<Vec<usize>>>())
        .filter(|indices| indices.iter().all(|&index| index < count))
        .ok_or_else(|| config.wrong(key, &format!("a list of numbers below {count}")))
}

/// Makes sure that each map is half as large as the one before.
fn halve(network: &NetworkBuilder<'_>, maps: &[Value]) -> Result<()> {
    for pair in maps.windows(2) {
        let [large, small] = [network.dims(pair[0])?, network.dims(pair[1])?];
        if [large[1], large[2]] != [2 * small[1], 2 * small[2]] {
            return Err(Error::new(format!(
                "maps of {} x {} and {} x {} pixels cannot be fused: the picture's sides have to be multiples of 32",
                large[2], large[1], small[2], small[1]
            ))
            .with_kind(ErrorKind::InvalidInput));
        }
    }
    Ok(())
}

/// Sines and cosines of rows, then of columns: `[rows * columns, features]`.
fn positions([rows, columns]: [usize; 2], features: usize, temperature: f64) -> Vec<f32> {
    let quarter = features / 4;
    let wave = |place: usize| -> Vec<f32> {
        let angle = |feature: usize| place as f64 / temperature.powf(feature as f64 / quarter as f64);
        let sines = (0..quarter).map(|feature| angle(feature).sin() as f32);
        sines
            .chain((0..quarter).map(|feature| angle(feature).cos() as f32))
            .collect()
    };
    (0..rows * columns)
        .flat_map(|place| [wave(place / columns), wave(place % columns)].concat())
        .collect()
}
