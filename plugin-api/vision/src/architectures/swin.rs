//! The Swin transformer: attention within windows, which are shifted in every other layer.
//!
//! Source: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows" (2021), section 3;
//! names and defaults: those of transformers' `SwinConfig`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    transformer::{self, linear},
};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// What is added to the scores of tokens that are neighbours only because the picture was rolled.
const APART: f32 = -100.0;

struct Swin {
    image: [usize; 2],
    patch: [usize; 2],
    features: usize,
    depths: Vec<usize>,
    heads: Vec<usize>,
    window: usize,
    hidden_ratio: f64,
    activation: Activation,
    bias: bool,
    epsilon: f32,
    classes: usize,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    if config.flag("use_absolute_embeddings", false)? {
        return Err(config.unsupported("use_absolute_embeddings", "false"));
    }
    let features = config.count("embed_dim", 96)?;
    let depths = config.counts("depths", &[2, 2, 6, 2])?;
    let heads = config.counts("num_heads", &[3, 6, 12, 24])?;
    if depths.len() != heads.len() || depths.len() > 8 {
        return Err(config.wrong(
            "depths",
            &format!("a list of {} numbers, as `num_heads` has,", heads.len()),
        ));
    }
    if heads
        .iter()
        .enumerate()
        .any(|(stage, heads)| (features << stage) % heads != 0)
    {
        return Err(config.wrong("num_heads", "a list of divisors of the stages' features"));
    }
    let hidden_ratio = config.number("mlp_ratio")?.unwrap_or(4.0);
    if !(0.1..=64.0).contains(&hidden_ratio) {
        return Err(config.wrong("mlp_ratio", "a number from 0.1 to 64"));
    }
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(Swin {
        image: config.size("image_size", [224; 2])?,
        patch: config.size("patch_size", [4; 2])?,
        features,
        depths,
        heads,
        window: config.count("window_size", 7)?,
        hidden_ratio,
        activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
        bias: config.flag("qkv_bias", true)?,
        epsilon: config.epsilon("layer_norm_eps", 1e-5)? as f32,
        classes: names.map_or(2, |names| names.len()),
    }))
}

impl Architecture for Swin {
    fn image_size(&self) -> [usize; 2] {
        self.image
    }

    fn depends_on_size(&self) -> bool {
        true
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let root = if checkpoint.has_any("swin.") { "swin." } else { "" };
        let size = network.dims(image)?;
        let mut grid = transformer::grid([size[1], size[2]], self.patch)?;
        let projection = Conv2d::new(self.features, self.patch[0])
            .kernel(self.patch)
            .strides(self.patch);
        let x = network.conv2d(
            &format!("{root}embeddings.patch_embeddings.projection"),
            image,
            projection,
        )?;
        let x = network.to_tokens(x)?;
        let mut x = network.layer_norm(&format!("{root}embeddings.norm"), x, 1e-5)?;
        for (stage, &depth) in self.depths.iter().enumerate() {
            let name = format!("{root}encoder.layers.{stage}");
            for block in 0..depth {
                let windows = Windows::new(grid, self.window, block % 2 == 1)?;
                x = self.block(
                    network,
                    checkpoint,
                    &format!("{name}.blocks.{block}"),
                    x,
                    &windows,
                    self.heads[stage],
                )?;
            }
            if stage + 1 < self.depths.len() {
                x = merge(network, &format!("{name}.downsample"), x, grid)?;
                grid = grid.map(|side| side / 2);
            }
            network.alias(&name, x)?;
        }
        let x = network.layer_norm(&format!("{root}layernorm"), x, self.epsilon)?;
        let embedding = network.mean_tokens(x)?;
        let logits = if checkpoint.has("classifier.weight") {
            Some(network.linear("classifier", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

impl Swin {
    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        input: Value,
        windows: &Windows,
        heads: usize,
    ) -> Result<Value> {
        let features = network.channels(input)?;
        let x = network.layer_norm(&format!("{name}.layernorm_before"), input, self.epsilon)?;
        let x = network.take_tokens(x, windows.order())?;
        let mut projected = [x; 3];
        for (part, value) in ["query", "key", "value"].into_iter().zip(&mut projected) {
            *value = linear(
                network,
                &format!("{name}.attention.self.{part}"),
                x,
                features,
                self.bias,
            )?;
        }
        let table = format!("{name}.attention.self.relative_position_bias_table");
        let bias = windows.bias(checkpoint, &table, heads)?;
        let x = network.window_attention(projected, heads, windows.count(), bias)?;
        let x = network.linear(&format!("{name}.attention.output.dense"), x, features)?;
        let x = network.take_tokens(x, windows.order_back())?;
        let attended = network.add(input, x)?;
        let x = network.layer_norm(&format!("{name}.layernorm_after"), attended, self.epsilon)?;
        let hidden = (features as f64 * self.hidden_ratio) as usize;
        let dense = ["intermediate", "output"].map(|part| format!("{name}.{part}.dense"));
        let x = transformer::perceptron(network, [&dense[0], &dense[1]], hidden, self.activation, x)?;
        network.add(attended, x)
    }
}

/// Each 2 x 2 tokens as one, with twice the features.
fn merge(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    x: Value,
    [rows, columns]: [usize; 2],
) -> Result<Value> {
    if rows % 2 != 0 || columns % 2 != 0 {
        return Err(unfit(format!(
            "{columns} x {rows} tokens cannot be merged two by two"
        )));
    }
    let features = network.channels(x)?;
    let mut parts = Vec::new();
    for (row, column) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let indices: Vec<usize> = (row..rows)
            .step_by(2)
            .flat_map(|row| {
                (column..columns)
                    .step_by(2)
                    .map(move |column| row * columns + column)
            })
            .collect();
        parts.push(network.take_tokens(x, indices)?);
    }
    let x = network.cat(&parts)?;
    let x = network.layer_norm(&format!("{name}.norm"), x, 1e-5)?;
    network.linear_without_bias(&format!("{name}.reduction"), x, 2 * features)
}

/// How a grid of tokens is cut into windows.
#[derive(Clone, Copy, Debug)]
struct Windows {
    grid: [usize; 2],
    /// Rows and columns of a window.
    side: usize,
    /// By so many rows and columns the grid is rolled up and left before it is cut.
    shift: usize,
}

impl Windows {
    fn new(grid: [usize; 2], side: usize, shifted: bool) -> Result<Self> {
        let least = grid[0].min(grid[1]);
        if !grid.iter().all(|length| length.is_multiple_of(side)) {
            return Err(unfit(format!(
                "{} x {} tokens cannot be divided into windows of {side} x {side}",
                grid[1], grid[0]
            )));
        }
        Ok(Self {
            grid,
            side,
            // A grid of one window has nothing to be shifted to.
            shift: if shifted && least > side { side / 2 } else { 0 },
        })
    }

    fn count(&self) -> usize {
        self.grid[0] * self.grid[1] / (self.side * self.side)
    }

    /// The rows and columns in the rolled grid, window by window.
    fn places(&self) -> impl Iterator<Item = [usize; 2]> {
        let Self {
            grid: [rows, columns],
            side,
            ..
        } = *self;
        (0..rows).step_by(side).flat_map(move |top| {
            (0..columns).step_by(side).flat_map(move |left| {
                (0..side * side).map(move |index| [top + index / side, left + index % side])
            })
        })
    }

    /// The token at each place, window by window.
    fn order(&self) -> Vec<usize> {
        let [rows, columns] = self.grid;
        self.places()
            .map(|[row, column]| (row + self.shift) % rows * columns + (column + self.shift) % columns)
            .collect()
    }

    /// The place, window by window, of each token.
    fn order_back(&self) -> Vec<usize> {
        let order = self.order();
        let mut back = vec![0; order.len()];
        for (place, token) in order.into_iter().enumerate() {
            back[token] = place;
        }
        back
    }

    /// What is added to the scores: the trained bias of relative positions, and [`APART`].
    fn bias(&self, checkpoint: &Checkpoint, table: &str, heads: usize) -> Result<Weight> {
        let reach = 2 * self.side - 1;
        let weight = checkpoint.tensor(table)?;
        if weight.dims() != [reach * reach, heads] {
            return Err(Error::new(format!(
                "tensor `{table}` has dimensions {:?}, but the network needs {:?}",
                weight.dims(),
                [reach * reach, heads]
            ))
            .with_kind(ErrorKind::Weights));
        }
        let area = self.side * self.side;
        let windows = if self.shift == 0 { 1 } else { self.count() };
        let regions: Vec<usize> = self.places().map(|place| self.region(place)).collect();
        let mut values = Vec::with_capacity(windows * heads * area * area);
        for window in regions.chunks_exact(area).take(windows) {
            for head in 0..heads {
                for query in 0..area {
                    for key in 0..area {
                        let row = query / self.side + self.side - 1 - key / self.side;
                        let column = query % self.side + self.side - 1 - key % self.side;
                        let apart = if window[query] == window[key] { 0.0 } else { APART };
                        values.push(weight.data()[(row * reach + column) * heads + head] + apart);
                    }
                }
            }
        }
        Ok(Weight::new([windows, heads, area, area], values))
    }

    /// Which part of the rolled grid a place is in: parts of different numbers are no neighbours in the picture.
    fn region(&self, place: [usize; 2]) -> usize {
        if self.shift == 0 {
            return 0;
        }
        let part = |axis: usize| {
            let length = self.grid[axis];
            usize::from(place[axis] >= length - self.side) + usize::from(place[axis] >= length - self.shift)
        };
        part(0) * 3 + part(1)
    }
}

fn unfit(message: String) -> Error {
    Error::new(message).with_kind(ErrorKind::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_every_token_once_and_go_back() {
        for shifted in [false, true] {
            let windows = Windows::new([6, 4], 2, shifted).unwrap();
            let (order, back) = (windows.order(), windows.order_back());
            assert!((0..24).all(|token| order[back[token]] == token));
            assert_eq!(windows.count(), 6);
        }
        // Rolled by one: the first window begins at row 1, column 1.
        assert_eq!(Windows::new([4, 4], 2, true).unwrap().order()[..4], [5, 6, 9, 10]);
        assert!(Windows::new([5, 4], 2, false).is_err());
    }
}
