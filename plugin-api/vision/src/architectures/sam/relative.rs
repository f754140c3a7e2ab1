//! Attention whose scores depend on how many rows and how many columns lie between two tokens, and on the query.
//!
//! Source: Li et al., "MViTv2: Improved Multiscale Vision Transformers for Classification and Detection" (2022), equation 4.

use crate::checkpoint::Checkpoint;
use modelzoo_candle::network::{NetworkBuilder, Parameters, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

/// Features that lie in a block of as many are copied block by block.
const BLOCK: usize = 16;

/// Attention in windows of rows and columns.
///
/// What a query adds to the scores of the keys of a row is its product with the embedding of that distance; so is that of
/// the keys of a column. These products become further features of the query, one for each row and column, and a key has 1
/// in that of its row and in that of its column, and 0 in the others. So it is scaled dot-product attention of more
/// features.
pub(super) struct Relative {
    windows: usize,
    /// Rows and columns of a window.
    sides: [usize; 2],
    heads: usize,
    /// For each axis, which row or column a key is in: tokens `[keys, features]`.
    places: [Value; 2],
    /// What is added to the scores besides: nothing.
    nothing: Weight,
}

impl Relative {
    /// Attention of tokens that stand window by window, each row by row.
    pub(super) fn new(
        network: &mut NetworkBuilder<'_>,
        windows: usize,
        sides: [usize; 2],
        heads: usize,
    ) -> Result<Self> {
        let area = sides[0] * sides[1];
        let mut places = Vec::new();
        for (axis, side) in sides.into_iter().enumerate() {
            let features = side.next_multiple_of(BLOCK);
            let mut values = vec![0.0; windows * area * features];
            for (token, values) in values.chunks_exact_mut(features).enumerate() {
                let place = [token % area / sides[1], token % sides[1]];
                values[place[axis]] = 1.0;
            }
            places.push(network.constant(&[windows * area, features], values)?);
        }
        Ok(Self {
            windows,
            sides,
            heads,
            places: [places[0], places[1]],
            nothing: if windows > 1 {
                Weight::new([1, heads, area, area], vec![0.0; heads * area * area])
            } else {
                Weight::vector(Vec::new())
            },
        })
    }

    /// Attention of queries, keys and values, with the embeddings of distances of rows and of columns in two tensors of
    /// these names, `[2 * side - 1, features of a head]`.
    pub(super) fn attend(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        tables: &[String; 2],
        [queries, keys, values]: [Value; 3],
    ) -> Result<Value> {
        let features = network.channels(queries)?;
        let of_head = features / self.heads;
        let places: usize = self.sides.iter().map(|side| side.next_multiple_of(BLOCK)).sum();
        // The scores will be divided by the root of all features of a head instead of that of its own.
        let all = (of_head + places) as f32;
        let heads: Vec<Value> = (0..self.heads)
            .map(|head| network.narrow(queries, head * of_head, of_head))
            .collect::<Result<_>>()?;
        let by_head = network.cat_tokens(&heads)?;
        let mut products = Vec::new();
        for (axis, name) in tables.iter().enumerate() {
            let table = checkpoint.parameter(name, &[2 * self.sides[axis] - 1, of_head])?;
            products.push(self.products(network, by_head, axis, &table, all.sqrt())?);
        }
        let ratio = (all / of_head as f32).sqrt();
        let scaled = [
            Weight::vector(vec![ratio; features]),
            Weight::vector(vec![0.0; features]),
        ];
        let [scale, shift] = scaled;
        let keys = network.affine(keys, scale, shift)?;
        let (mut more_queries, mut more_keys) = (Vec::new(), Vec::new());
        for (head, &own) in heads.iter().enumerate() {
            more_queries.push(own);
            more_keys.push(network.narrow(keys, head * of_head, of_head)?);
            for (axis, &products) in products.iter().enumerate() {
                let indices = self.of_head(axis, head);
                more_queries.push(network.take_tokens(products, indices)?);
                more_keys.push(self.places[axis]);
            }
        }
        let queries = network.cat(&more_queries)?;
        let keys = network.cat(&more_keys)?;
        self.attend_anywhere(network, [queries, keys, values])
    }

    /// Attention that does not ask where tokens are.
    pub(super) fn attend_anywhere(
        &self,
        network: &mut NetworkBuilder<'_>,
        operands: [Value; 3],
    ) -> Result<Value> {
        if self.windows == 1 {
            network.attention(operands, self.heads)
        } else {
            network.window_attention(operands, self.heads, self.windows, self.nothing.clone())
        }
    }

    /// The products of queries, tokens `[heads * windows * rows * columns, features of a head]`, with the embeddings of
    /// their distances to all rows or all columns, times a factor. They stand row by row or column by column.
    fn products(
        &self,
        network: &mut NetworkBuilder<'_>,
        queries: Value,
        axis: usize,
        table: &Weight,
        factor: f32,
    ) -> Result<Value> {
        let (side, of_head) = (self.sides[axis], table.dims()[1]);
        let features = side.next_multiple_of(BLOCK);
        let [rows, columns] = self.sides;
        let mut lines = Vec::new();
        for line in 0..side {
            let of_line: Vec<usize> = (0..self.heads * self.windows * self.sides[1 - axis])
                .map(|index| match axis {
                    0 => (index / columns * rows + line) * columns + index % columns,
                    _ => index * columns + line,
                })
                .collect();
            let mut weight = vec![0.0; features * of_head];
            for (other, weight) in weight.chunks_exact_mut(of_head).take(side).enumerate() {
                let distance = line + side - 1 - other;
                let embedding = &table.data()[distance * of_head..][..of_head];
                for (weight, value) in weight.iter_mut().zip(embedding) {
                    *weight = value * factor;
                }
            }
            let queries = network.take_tokens(queries, of_line)?;
            lines.push(network.project(queries, Weight::new([features, of_head], weight))?);
        }
        network.cat_tokens(&lines)
    }

    /// Where the products of a head are, window by window and row by row.
    fn of_head(&self, axis: usize, head: usize) -> Vec<usize> {
        let [rows, columns] = self.sides;
        let windows = self.heads * self.windows;
        let first = head * self.windows;
        let places = (first..first + self.windows).flat_map(|window| {
            (0..rows * columns).map(move |place| (window, place / columns, place % columns))
        });
        places
            .map(|(window, row, column)| match axis {
                0 => (row * windows + window) * columns + column,
                _ => (column * windows + window) * rows + row,
            })
            .collect()
    }
}
