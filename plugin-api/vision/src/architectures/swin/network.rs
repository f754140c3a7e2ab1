//! The network of a Swin of either version.

use super::{
    distances,
    names::Publisher,
    settings::{MOST_STAGES, Swin, Version},
};
use crate::{
    architectures::{
        Architecture, Outputs,
        layers::{self, Layers},
        transformer,
        windows::{self, Windows},
    },
    checkpoint::Checkpoint,
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// The largest logarithm of what the directions' products are multiplied with: that of 100.
const LARGEST_SCALE: f32 = 4.605_170_2;

/// More blocks than any stage has.
const MOST_BLOCKS: usize = 1000;

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
        self.with(checkpoint).network(network, image)
    }
}

impl Swin {
    /// The map of each stage before its tokens are merged, the largest first.
    pub(in crate::architectures) fn stages(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Vec<Value>> {
        let stages = self.with(checkpoint).stage_tokens(network, image)?;
        let maps = stages
            .into_iter()
            .map(|(tokens, grid)| network.to_map(tokens, grid));
        maps.collect()
    }

    /// The `[height, width]` of the pictures that it was trained on.
    pub(in crate::architectures) fn trained_size(&self) -> [usize; 2] {
        self.image
    }

    fn with<'a>(&'a self, checkpoint: &'a Checkpoint) -> Described<'a> {
        Described {
            swin: self,
            publisher: self.publisher.within(checkpoint),
            layers: Layers::new(checkpoint),
        }
    }
}

/// A Swin with its tensors.
struct Described<'a> {
    swin: &'a Swin,
    publisher: Publisher,
    layers: Layers<'a>,
}

/// Where a block is.
#[derive(Clone, Copy, Debug)]
struct Place {
    stage: usize,
    is_shifted: bool,
    heads: usize,
    grid: [usize; 2],
    /// The grid of the pictures that it was trained on.
    trained: [usize; 2],
}

impl Described<'_> {
    fn checkpoint(&self) -> &Checkpoint {
        self.layers.checkpoint
    }

    fn network(&self, network: &mut NetworkBuilder<'_>, image: Value) -> Result<Outputs> {
        let stages = self.stage_tokens(network, image)?;
        let x = stages.last().map_or(image, |&(tokens, _)| tokens);
        let x = network.layer_norm(&self.publisher.last_norm(), x, self.swin.epsilon)?;
        let embedding = network.mean_tokens(x)?;
        let classifier = self.publisher.classifier(self.checkpoint());
        let logits = if self.layers.has(classifier) {
            Some(network.linear(classifier, embedding, self.swin.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }

    /// The tokens of each stage before they are merged, with their grid.
    fn stage_tokens(
        &self,
        network: &mut NetworkBuilder<'_>,
        image: Value,
    ) -> Result<Vec<(Value, [usize; 2])>> {
        let [patches, norm] = self.publisher.patches();
        let [features, _, height, width] = self.layers.dims(&patches)?;
        if height == 0 || width == 0 {
            return Err(layers::unfit(&patches, &[features, 3, height, width]));
        }
        let patch = [height, width];
        let size = network.dims(image)?;
        let mut grid = transformer::grid([size[1], size[2]], patch)?;
        let mut trained = transformer::grid(self.swin.image, patch)?;
        let convolution = Conv2d::new(features, height).kernel(patch).strides(patch);
        let x = network.conv2d(&patches, image, convolution)?;
        let x = network.to_tokens(x)?;
        let mut x = network.layer_norm(&norm, x, 1e-5)?;
        let mut tokens = Vec::new();
        for (stage, [blocks, heads]) in self.stages()?.into_iter().enumerate() {
            if stage > 0 {
                x = self.merge(network, stage, x, grid)?;
                grid = windows::halved(grid);
                trained = trained.map(|side| (side / 2).max(1));
            }
            let name = self.publisher.stage(stage);
            for block in 0..blocks {
                let place = Place {
                    stage,
                    is_shifted: block % 2 == 1,
                    heads,
                    grid,
                    trained,
                };
                x = self.block(network, &format!("{name}.blocks.{block}"), x, place)?;
            }
            network.alias(&name, x)?;
            tokens.push((x, grid));
        }
        Ok(tokens)
    }

    /// Blocks and heads of each stage.
    fn stages(&self) -> Result<Vec<[usize; 2]>> {
        if let Some(stages) = &self.swin.stages {
            return Ok(stages.clone());
        }
        let mut stages = Vec::new();
        for stage in 0..MOST_STAGES {
            let name = format!("{}.blocks", self.publisher.stage(stage));
            let blocks = (0..MOST_BLOCKS)
                .take_while(|block| self.checkpoint().has_any(&format!("{name}.{block}.")))
                .count();
            if blocks == 0 {
                break;
            }
            stages.push([
                blocks,
                self.heads(&format!("{name}.0.{}", self.publisher.block().attention))?,
            ]);
        }
        Ok(stages)
    }

    /// The heads of an attention: the last dimension of a table of biases, the first one of scales.
    fn heads(&self, attention: &str) -> Result<usize> {
        let (name, is_last) = match self.swin.version {
            Version::First => (format!("{attention}.{TABLE}"), true),
            Version::Second { .. } => (format!("{attention}.logit_scale"), false),
        };
        let dims = self.checkpoint().tensor(&name)?.dims().to_vec();
        let heads = if is_last { dims.last() } else { dims.first() };
        heads
            .copied()
            .filter(|&heads| heads > 0)
            .ok_or_else(|| unfit(&name, &dims))
    }

    fn merge(
        &self,
        network: &mut NetworkBuilder<'_>,
        stage: usize,
        x: Value,
        grid: [usize; 2],
    ) -> Result<Value> {
        let name = self.publisher.merging(stage, self.checkpoint());
        if matches!(self.swin.version, Version::First) {
            return windows::merge(network, &name, x, grid);
        }
        let features = network.channels(x)?;
        let x = windows::two_by_two(network, x, grid)?;
        let x = network.linear_without_bias(&format!("{name}.reduction"), x, 2 * features)?;
        network.layer_norm(&format!("{name}.norm"), x, 1e-5)
    }

    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        place: Place,
    ) -> Result<Value> {
        let names = self.publisher.block();
        let [before, after] = names.norms.map(|norm| format!("{name}.{norm}"));
        let dense = names.perceptron.map(|layer| format!("{name}.{layer}"));
        let [hidden, _] = self.layers.dims(&dense[0])?;
        let dense = [dense[0].as_str(), &dense[1]];
        let (activation, epsilon) = (self.swin.activation, self.swin.epsilon);
        let x = match self.swin.version {
            Version::First => {
                let x = network.layer_norm(&before, input, epsilon)?;
                let x = self.attend(network, name, x, place)?;
                let attended = network.add(input, x)?;
                let x = network.layer_norm(&after, attended, epsilon)?;
                let x = transformer::perceptron(network, dense, hidden, activation, x)?;
                network.add(attended, x)?
            }
            Version::Second { .. } => {
                let x = self.attend(network, name, input, place)?;
                let x = network.layer_norm(&before, x, epsilon)?;
                let attended = network.add(input, x)?;
                let x = transformer::perceptron(network, dense, hidden, activation, attended)?;
                let x = network.layer_norm(&after, x, epsilon)?;
                network.add(attended, x)?
            }
        };
        network.alias(name, x)?;
        Ok(x)
    }

    /// Attention within windows, with the projection of its result.
    fn attend(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value, place: Place) -> Result<Value> {
        let names = self.publisher.block();
        let attention = format!("{name}.{}", names.attention);
        let (features, heads) = (network.channels(x)?, place.heads);
        if !features.is_multiple_of(heads) {
            return Err(Error::new(format!(
                "{features} features of `{attention}` cannot be divided into {heads} heads"
            ))
            .with_kind(ErrorKind::Weights));
        }
        let windows = self.windows(&attention, place)?;
        let x = windows.cut(network, x)?;
        let [queries, keys, values] = transformer::projections(network, self.checkpoint(), &attention, x)?;
        let x = match &self.swin.version {
            Version::First => {
                let bias = windows.trained_bias(self.checkpoint(), &format!("{attention}.{TABLE}"), heads)?;
                network.window_attention([queries, keys, values], heads, windows.count(), bias)?
            }
            Version::Second { trained, apart } => {
                let side = windows.side();
                let trained = trained.get(place.stage).copied().filter(|&side| side > 0);
                let distances = distances::biases(
                    self.checkpoint(),
                    &format!("{attention}.{}", names.distances),
                    heads,
                    [side, trained.unwrap_or(side)],
                )?;
                let bias = windows.bias_of(&distances, heads, *apart);
                let queries = network.unit_length(queries, heads)?;
                let keys = network.unit_length(keys, heads)?;
                let queries = scaled(network, self.checkpoint(), &attention, queries, heads)?;
                network.unscaled_window_attention([queries, keys, values], heads, windows.count(), bias)?
            }
        };
        let x = network.linear(&format!("{name}.{}", names.projection), x, features)?;
        windows.join(network, x)
    }

    fn windows(&self, attention: &str, place: Place) -> Result<Windows> {
        let Place {
            grid,
            trained,
            is_shifted,
            ..
        } = place;
        match (self.swin.window, &self.swin.version) {
            (Some(window), Version::Second { .. }) => {
                let sides = trained.map(|length| length.min(window));
                if sides[0] != sides[1] {
                    return Err(Error::unsupported(format!(
                        "windows of {} x {} tokens are not known, only square ones",
                        sides[1], sides[0]
                    )));
                }
                let is_shifted = trained.map(|length| is_shifted && length > sides[0]);
                Windows::with_shift(grid, sides[0], is_shifted)
            }
            (Some(window), Version::First) if grid[0].min(grid[1]) < window => {
                Err(Error::unsupported(format!(
                    "{} x {} tokens are less than a window of {window} x {window}: larger pictures are needed",
                    grid[1], grid[0]
                )))
            }
            (Some(window), Version::First) => Windows::new(grid, window, is_shifted),
            (None, _) => {
                // A row for each distance of two tokens of a window.
                let table = format!("{attention}.{TABLE}");
                let rows = self
                    .checkpoint()
                    .tensor(&table)?
                    .dims()
                    .first()
                    .copied()
                    .unwrap_or(0);
                Windows::shifted_by_direction(grid, rows.isqrt().div_ceil(2), is_shifted)
            }
        }
    }
}

/// The tensor with the biases of distances.
const TABLE: &str = "relative_position_bias_table";

/// Queries times what each head's scores are multiplied with: `logit_scale` of the attention.
pub(in crate::architectures) fn scaled(
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    attention: &str,
    queries: Value,
    heads: usize,
) -> Result<Value> {
    let name = format!("{attention}.logit_scale");
    let logarithms = checkpoint.tensor(&name)?;
    if logarithms.data().len() != heads {
        return Err(unfit(&name, logarithms.dims()));
    }
    let features = network.channels(queries)?;
    let factors: Vec<f32> = logarithms
        .data()
        .iter()
        .flat_map(|scale| std::iter::repeat_n(scale.min(LARGEST_SCALE).exp(), features / heads))
        .collect();
    network.affine(
        queries,
        Weight::vector(factors),
        Weight::vector(vec![0.0; features]),
    )
}

fn unfit(name: &str, dims: &[usize]) -> Error {
    Error::new(format!(
        "tensor `{name}` has dimensions {dims:?}, which are no Swin's"
    ))
    .with_kind(ErrorKind::Weights)
}
