//! The pixels of the maps that look most like objects become the decoder's queries.

use crate::{architectures::transformer, repository::Config};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// The side of an object in the largest map, in parts of the picture; twice as large in each next one.
const SIDE: f64 = 0.05;
/// Pixels whose object would reach so near to a side or its end are none.
const MARGIN: f64 = 0.01;
/// The logit of the coordinates of pixels that are none: as good as 1.
const OUTSIDE: f32 = 1e4;

/// How queries are selected.
#[derive(Debug)]
pub(in crate::architectures) struct QuerySelection {
    count: usize,
    /// Features of a query.
    features: usize,
    classes: usize,
    /// Maps that the encoder gives.
    encoded: usize,
    /// Maps that the decoder sees: further ones are made of the last one.
    levels: usize,
    /// Whether maps are taken as they are.
    are_maps_plain: bool,
    epsilon: f32,
    batch_epsilon: f64,
}

/// What the decoder starts from.
#[derive(Debug)]
pub(in crate::architectures) struct Selected {
    /// The pixels of all maps, one map after the other: `[pixels, features]`.
    pub(in crate::architectures) memory: Value,
    /// `[height, width]` of each map.
    pub(in crate::architectures) sizes: Vec<[usize; 2]>,
    /// `[queries, features]`
    pub(in crate::architectures) objects: Value,
    /// Logits of boxes: `[queries, 4]`
    pub(in crate::architectures) boxes: Value,
}

impl QuerySelection {
    /// Reads the settings of a detector whose encoder gives so many maps.
    pub(in crate::architectures) fn read(config: &Config, classes: usize, encoded: usize) -> Result<Self> {
        let levels = config.count("num_feature_levels", 3)?;
        if levels < encoded {
            return Err(config.wrong(
                "num_feature_levels",
                &format!("at least {encoded}, the maps of the encoder,"),
            ));
        }
        if config.flag("learn_initial_query", false)? {
            return Err(config.unsupported("learn_initial_query", "false"));
        }
        Ok(Self {
            count: config.count("num_queries", 300)?,
            features: config.count("d_model", 256)?,
            classes,
            encoded,
            levels,
            are_maps_plain: false,
            epsilon: config.epsilon("layer_norm_eps", 1e-5)? as f32,
            batch_epsilon: config.epsilon("batch_norm_eps", 1e-5)?,
        })
    }

    /// The same for maps that are taken as they are, without a projection.
    pub(in crate::architectures) fn of_plain_maps(self, are_maps_plain: bool) -> Self {
        Self {
            are_maps_plain,
            ..self
        }
    }

    /// Describes the selection from the encoder's maps.
    pub(in crate::architectures) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        maps: &[Value],
    ) -> Result<Selected> {
        let (memory, sizes) = self.memory(network, maps)?;
        let anchors = anchors(&sizes);
        if anchors.len() < self.count {
            return Err(Error::new(format!(
                "the picture is too small: its maps have {} pixels, and {} are to become queries",
                anchors.len(),
                self.count
            ))
            .with_kind(ErrorKind::InvalidInput));
        }
        let candidates = self.masked(network, memory, &anchors)?;
        let x = network.linear("model.enc_output.0", candidates, self.features)?;
        let x = network.layer_norm("model.enc_output.1", x, self.epsilon)?;
        let scores = network.linear("model.enc_score_head", x, self.classes)?;
        let values = anchors
            .iter()
            .flat_map(|anchor| anchor.unwrap_or([OUTSIDE; 4]))
            .collect();
        let anchors = network.constant(&[anchors.len(), 4], values)?;
        let both = network.cat(&[x, anchors])?;
        let chosen = network.top_tokens(both, scores, self.count)?;
        let objects = network.narrow(chosen, 0, self.features)?;
        let anchors = network.narrow(chosen, self.features, 4)?;
        let boxes = transformer::deep_perceptron(network, "model.enc_bbox_head", 4, objects)?;
        let boxes = network.add(boxes, anchors)?;
        Ok(Selected {
            memory,
            sizes,
            objects,
            boxes,
        })
    }

    /// The pixels of all maps, and the maps' sizes.
    fn memory(&self, network: &mut NetworkBuilder<'_>, maps: &[Value]) -> Result<(Value, Vec<[usize; 2]>)> {
        let (mut sizes, mut tokens) = (Vec::new(), Vec::new());
        for level in 0..self.levels {
            let convolution = if level < self.encoded {
                Conv2d::new(self.features, 1)
            } else {
                Conv2d::new(self.features, 3).stride(2).padding(1)
            };
            let map = maps[level.min(self.encoded - 1)];
            let map = if self.are_maps_plain {
                map
            } else {
                let name = format!("model.decoder_input_proj.{level}");
                let x = network.conv2d(&format!("{name}.0"), map, convolution.without_bias())?;
                network.batch_norm_with_epsilon(&format!("{name}.1"), x, self.batch_epsilon)?
            };
            let dims = network.dims(map)?;
            sizes.push([dims[1], dims[2]]);
            tokens.push(network.to_tokens(map)?);
        }
        Ok((network.cat_tokens(&tokens)?, sizes))
    }

    /// Zeros instead of the pixels that have no anchor.
    fn masked(
        &self,
        network: &mut NetworkBuilder<'_>,
        memory: Value,
        anchors: &[Option<[f32; 4]>],
    ) -> Result<Value> {
        if anchors.iter().all(Option::is_some) {
            return Ok(memory);
        }
        let nothing = network.constant(&[1, self.features], vec![0.0; self.features])?;
        let with_nothing = network.cat_tokens(&[memory, nothing])?;
        let place = |(index, anchor): (usize, &Option<[f32; 4]>)| {
            if anchor.is_some() { index } else { anchors.len() }
        };
        let places: Vec<usize> = anchors.iter().enumerate().map(place).collect();
        network.take_tokens(with_nothing, places)
    }
}

/// The logits of a box around each pixel of all maps; `None` for those too near to a side.
fn anchors(sizes: &[[usize; 2]]) -> Vec<Option<[f32; 4]>> {
    let mut anchors = Vec::new();
    for (level, &[height, width]) in sizes.iter().enumerate() {
        let side = SIDE * 2f64.powi(level as i32);
        for row in 0..height {
            for column in 0..width {
                let center = [
                    (column as f64 + 0.5) / width as f64,
                    (row as f64 + 0.5) / height as f64,
                ];
                let anchor = [center[0], center[1], side, side];
                let is_inside = anchor.iter().all(|&part| part > MARGIN && part < 1.0 - MARGIN);
                anchors.push(is_inside.then(|| anchor.map(|part| (part / (1.0 - part)).ln() as f32)));
            }
        }
    }
    anchors
}
