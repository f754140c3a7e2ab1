//! The encoder of SAM 2: Hiera, a vision transformer in stages of ever fewer tokens, and a pyramid of their features.
//!
//! Source: Ryali et al., "Hiera: A Hierarchical Vision Transformer without the Bells-and-Whistles" (2023); Bolya et al.,
//! "Window Attention is Bugged: How not to Interpolate Position Embeddings" (2023), for the positions.

use super::{places, side};
use crate::{
    architectures::{activation::Activation, positions::bicubic, transformer, windows::Windows},
    checkpoint::Checkpoint,
    repository::Config,
};
use modelzoo_candle::network::{Conv2d, Interpolation, NetworkBuilder, Padding, Parameters, Pool, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

/// Before the names of all tensors.
const ROOT: &str = "vision_encoder.";
/// The stages, whose features become as many maps; the last one is only seen through the one before it.
const STAGES: usize = 4;
/// Tokens along each axis of which the largest values go on into the next stage.
const POOLED: usize = 2;

pub(super) struct HieraEncoder {
    side: usize,
    patch: Patch,
    /// The rows and columns of the trained positions.
    background: [usize; 2],
    stages: [Stage; STAGES],
    /// So many stages begin with fewer tokens.
    pooled: usize,
    /// The blocks that see the whole picture.
    global: Vec<usize>,
    ratio: f64,
    activation: Activation,
    epsilon: f32,
    outputs: usize,
    /// The stages to whose features those of the next one are added.
    top_down: Vec<usize>,
}

struct Patch {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
}

#[derive(Clone, Copy)]
struct Stage {
    blocks: usize,
    features: usize,
    heads: usize,
    /// Rows and columns of windows.
    window: usize,
}

/// A block, where it is and what it does.
struct Block {
    name: String,
    /// Rows and columns of windows; 0 where all is seen.
    window: usize,
    features: usize,
    heads: usize,
    is_pooled: bool,
}

impl HieraEncoder {
    pub(super) fn read(config: &Config) -> Result<Self> {
        let backbone = config.section_or_empty("backbone_config")?;
        transformer::three_channels(&backbone, "num_channels")?;
        let side = side(&backbone, "image_size")?;
        let sizes = |key: &str, default: [usize; STAGES]| backbone.counts_of(key, default);
        let blocks = sizes("blocks_per_stage", [1, 2, 7, 2])?;
        let features = sizes("embed_dim_per_stage", [96, 192, 384, 768])?;
        let heads = sizes("num_attention_heads_per_stage", [1, 2, 4, 8])?;
        let windows = sizes("window_size_per_stage", [8, 4, 14, 7])?;
        if (0..STAGES).any(|stage| !features[stage].is_multiple_of(heads[stage])) {
            let expected = "divisors of the numbers of features";
            return Err(backbone.wrong("num_attention_heads_per_stage", expected));
        }
        if blocks.iter().sum::<usize>() > 1000 {
            return Err(backbone.unsupported("blocks_per_stage", "at most 1000 in all"));
        }
        if backbone.count("hidden_size", 96)? != features[0] {
            let expected = format!("{}, as the first stage has,", features[0]);
            return Err(backbone.wrong("hidden_size", &expected));
        }
        if backbone.size("query_stride", [POOLED; 2])? != [POOLED; 2] {
            return Err(backbone.unsupported("query_stride", "2"));
        }
        let padding = match backbone.value("patch_padding") {
            Some(value) if value.as_u64() == Some(0) => [0; 2],
            _ => backbone.size("patch_padding", [3; 2])?,
        };
        let expected = [
            ("fpn_kernel_size", 1),
            ("fpn_stride", 1),
            ("num_feature_levels", 3),
        ];
        for (key, value) in expected {
            if config.count(key, value)? != value {
                return Err(config.unsupported(key, &value.to_string()));
            }
        }
        if config.count_or_none("fpn_padding", 0)? != 0 {
            return Err(config.unsupported("fpn_padding", "0"));
        }
        let encoder = Self {
            side,
            patch: Patch {
                kernel: backbone.size("patch_kernel_size", [7; 2])?,
                stride: backbone.size("patch_stride", [4; 2])?,
                padding,
            },
            background: backbone.size("window_positional_embedding_background_size", [7; 2])?,
            stages: std::array::from_fn(|stage| Stage {
                blocks: blocks[stage],
                features: features[stage],
                heads: heads[stage],
                window: windows[stage],
            }),
            pooled: backbone.count_or_none("num_query_pool_stages", 3)?,
            global: places(&backbone, "global_attention_blocks", &[5, 7, 9])?,
            ratio: transformer::hidden_ratio(&backbone, 4.0)?,
            activation: Activation::of(&backbone, "hidden_act", Activation::Gelu)?,
            epsilon: backbone.epsilon("layer_norm_eps", 1e-6)? as f32,
            outputs: config.count("fpn_hidden_size", 256)?,
            top_down: places(config, "fpn_top_down_levels", &[2, 3])?,
        };
        encoder.check(&backbone)?;
        Ok(encoder)
    }

    /// That tokens can be halved between all stages.
    fn check(&self, config: &Config) -> Result<()> {
        if self.pooled != STAGES - 1 {
            return Err(config.unsupported("num_query_pool_stages", "3"));
        }
        if self
            .stages
            .windows(2)
            .any(|pair| pair[0].features == pair[1].features)
        {
            return Err(config.unsupported("embed_dim_per_stage", "another number for each stage"));
        }
        let firsts = (1..STAGES).map(|stage| self.stages[..stage].iter().map(|stage| stage.blocks).sum());
        if firsts
            .into_iter()
            .any(|first: usize| self.global.contains(&first))
        {
            return Err(config.unsupported("global_attention_blocks", "places of blocks that begin no stage"));
        }
        let is_fourth = self.patch.stride == [4; 2]
            && [0, 1].into_iter().all(|axis| {
                (self.side + 2 * self.patch.padding[axis])
                    .checked_sub(self.patch.kernel[axis])
                    .is_some_and(|rest| rest / 4 + 1 == self.side / 4)
            });
        if !is_fourth {
            return Err(config.unsupported(
                "patch_stride",
                "4, with as many zeros around pictures as make a fourth of their rows and columns",
            ));
        }
        if !self.side.is_multiple_of(32) {
            return Err(config.unsupported("image_size", "a multiple of 32"));
        }
        if !(self.side / 4).is_multiple_of(self.stages[0].window)
            || self.stages[..STAGES - 1]
                .iter()
                .any(|stage| !stage.window.is_multiple_of(POOLED))
        {
            return Err(config.unsupported(
                "window_size_per_stage",
                "even numbers but for the last one, of which the first divides the rows of tokens,",
            ));
        }
        Ok(())
    }

    /// Rows and columns of pictures.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    /// Rows and columns of the smallest map.
    pub(super) fn grid(&self) -> usize {
        self.side / 16
    }

    /// Features of each of its places.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Features of the places of a picture: maps, the smallest one first.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Vec<Value>> {
        let mut grid = [self.side / 4; 2];
        let mut x = self.embed(network, checkpoint, image, grid)?;
        let (mut number, mut maps) = (0, Vec::new());
        for (index, stage) in self.stages.iter().enumerate() {
            for block in 0..stage.blocks {
                let is_pooled = index > 0 && block == 0;
                let before = self.stages[index - usize::from(is_pooled)];
                let block = Block {
                    name: format!("{ROOT}backbone.blocks.{number}"),
                    window: if self.global.contains(&number) {
                        0
                    } else {
                        before.window
                    },
                    features: stage.features,
                    heads: stage.heads,
                    is_pooled,
                };
                x = self.block(network, &block, x, grid)?;
                if is_pooled {
                    grid = grid.map(|side| side / POOLED);
                }
                number += 1;
            }
            maps.push(network.to_map(x, grid)?);
        }
        self.pyramid(network, checkpoint, &maps)
    }

    /// Tokens of patches with their positions.
    fn embed(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
        grid: [usize; 2],
    ) -> Result<Value> {
        let features = self.stages[0].features;
        let [vertical, horizontal] = self.patch.padding;
        let projection = Conv2d::new(features, self.patch.kernel[0])
            .kernel(self.patch.kernel)
            .strides(self.patch.stride)
            .uneven_padding(Padding {
                top: vertical,
                bottom: vertical,
                left: horizontal,
                right: horizontal,
            });
        let name = format!("{ROOT}backbone.patch_embed.projection");
        let map = network.conv2d(&name, image, projection)?;
        let stored = |name: &str, [rows, columns]: [usize; 2]| {
            checkpoint.parameter(&format!("{ROOT}backbone.{name}"), &[1, features, rows, columns])
        };
        let window = self.stages[0].window;
        let background = stored("pos_embed", self.background)?;
        let of_window = stored("pos_embed_window", [window; 2])?;
        let mut positions = bicubic(background.data(), self.background, grid);
        for (plane, of_window) in positions
            .chunks_exact_mut(grid[0] * grid[1])
            .zip(of_window.data().chunks_exact(window * window))
        {
            for (place, value) in plane.iter_mut().enumerate() {
                let [row, column] = [place / grid[1], place % grid[1]];
                *value += of_window[row % window * window + column % window];
            }
        }
        let positions = network.constant(&[features, grid[0], grid[1]], positions)?;
        let map = network.add(map, positions)?;
        network.to_tokens(map)
    }

    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        block: &Block,
        input: Value,
        grid: [usize; 2],
    ) -> Result<Value> {
        let name = &block.name;
        let normed = network.layer_norm(&format!("{name}.layer_norm1"), input, self.epsilon)?;
        let mut residual = input;
        if network.channels(input)? != block.features {
            residual = network.linear(&format!("{name}.proj"), normed, block.features)?;
            if block.is_pooled {
                residual = pooled(network, residual, grid)?;
            }
        }
        let x = self.attend(network, block, normed, grid)?;
        let x = network.linear(&format!("{name}.attn.proj"), x, block.features)?;
        let attended = network.add(residual, x)?;
        let hidden = ((block.features as f64 * self.ratio) as usize).max(1);
        let perceptron = (["proj_in", "proj_out"], hidden, self.activation);
        transformer::second_half(network, name, perceptron, self.epsilon, attended)
    }

    /// What tokens of a grid see in their windows; where fewer tokens go on, those of a smaller grid.
    fn attend(
        &self,
        network: &mut NetworkBuilder<'_>,
        block: &Block,
        x: Value,
        grid: [usize; 2],
    ) -> Result<Value> {
        let windows = match block.window {
            0 => None,
            side => Some(Windows::new(grid, side, false)?),
        };
        let x = match windows {
            Some(windows) => windows.cut(network, x)?,
            None => x,
        };
        let fused = format!("{}.attn.qkv", block.name);
        let all = network.linear(&fused, x, 3 * block.features)?;
        let [queries, keys, values] = transformer::thirds(network, all, block.features)?;
        let Some(windows) = windows else {
            return network.attention([queries, keys, values], block.heads);
        };
        let area = block.window * block.window;
        let nothing = Weight::new([1, block.heads, area, area], vec![0.0; block.heads * area * area]);
        if !block.is_pooled {
            let x =
                network.window_attention([queries, keys, values], block.heads, windows.count(), nothing)?;
            return windows.join(network, x);
        }
        // The windows of a window's rows and columns are those of the smaller grid, in their order.
        let smaller = grid.map(|side| side / POOLED);
        let whole = grid.map(|side| side.next_multiple_of(block.window));
        let complete = Windows::new(whole, block.window, false)?;
        let fewer = Windows::new(smaller, block.window / POOLED, false)?;
        let of_whole = Windows::new(whole.map(|side| side / POOLED), block.window / POOLED, false)?;
        let queries = complete.join(network, queries)?;
        let queries = pooled(network, queries, whole)?;
        let queries = of_whole.cut(network, queries)?;
        // Windows have as many queries as keys: each stands there four times.
        let times = POOLED * POOLED;
        let count = network.dims(queries)?[0];
        let repeated: Vec<usize> = (0..count * times).map(|index| index / times).collect();
        let queries = network.take_tokens(queries, repeated)?;
        let x = network.window_attention([queries, keys, values], block.heads, windows.count(), nothing)?;
        let first: Vec<usize> = (0..count).map(|index| index * times).collect();
        let x = network.take_tokens(x, first)?;
        fewer.join(network, x)
    }

    /// Features of all stages, those of later ones added to earlier ones; the finer two of the three maps are those that the
    /// decoder adds.
    fn pyramid(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        maps: &[Value],
    ) -> Result<Vec<Value>> {
        let mut features: Vec<Value> = Vec::new();
        for (level, &map) in maps.iter().enumerate().rev() {
            let name = format!("{ROOT}neck.convs.{}", STAGES - 1 - level);
            let mut x = network.conv2d(&name, map, Conv2d::new(self.outputs, 1))?;
            if let Some(&above) = features.last()
                && self.top_down.contains(&level)
            {
                let larger = network.upsample(above, 2, Interpolation::Nearest)?;
                x = network.add(x, larger)?;
            }
            features.push(x);
        }
        let no_memory = checkpoint.parameter("no_memory_embedding", &[1, 1, self.outputs])?;
        let ones = Weight::vector(vec![1.0; self.outputs]);
        let smallest = network.affine(features[1], ones, Weight::vector(no_memory.data()))?;
        let finer = |network: &mut NetworkBuilder<'_>, index: usize, level: usize, fewer: usize| {
            let name = format!("mask_decoder.conv_s{level}");
            network.conv2d(&name, features[index], Conv2d::new(self.outputs / fewer, 1))
        };
        Ok(vec![smallest, finer(network, 2, 1, 4)?, finer(network, 3, 0, 8)?])
    }
}

/// The largest values of each 2 x 2 tokens of a grid.
fn pooled(network: &mut NetworkBuilder<'_>, x: Value, grid: [usize; 2]) -> Result<Value> {
    let map = network.to_map(x, grid)?;
    let map = network.max_pool2d(map, Pool::new(POOLED, POOLED, 0))?;
    network.to_tokens(map)
}
