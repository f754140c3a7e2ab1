//! Attention of queries to points around their boxes, see [`DeformableAttention`](crate::graph::DeformableAttention).

use crate::{
    graph::DeformableAttention,
    memory::{Region, View, ViewMut},
    simd::{Isa, Kernel, LANES, Simd},
};

/// Attention ready to run on one layout.
#[derive(Debug)]
pub(crate) struct PointAttention {
    heads: usize,
    /// Features of a head.
    features: usize,
    /// Of each head, in the order of their offsets.
    points: Vec<Point>,
}

/// Where a point of a head looks.
#[derive(Clone, Copy, Debug)]
struct Point {
    /// What an offset is multiplied with, in parts of the box.
    factor: f32,
    height: usize,
    width: usize,
    /// The first of the map's tokens.
    start: usize,
}

/// What a query reads: values, offsets, scores and boxes.
pub(crate) type Operands<'a> = [View<'a>; 4];

impl PointAttention {
    /// For values of so many features.
    pub(crate) fn new(parameters: &DeformableAttention, features: usize) -> Self {
        let mut points = Vec::with_capacity(parameters.points());
        let mut start = 0;
        for level in parameters.levels.iter() {
            let [height, width] = level.size;
            let point = Point {
                factor: parameters.scale / level.points.max(1) as f32,
                height,
                width,
                start,
            };
            points.extend(std::iter::repeat_n(point, level.points));
            start += height * width;
        }
        Self {
            heads: parameters.heads,
            features: features / parameters.heads,
            points,
        }
    }

    /// About how long a vector of results takes, where that of a sum takes 1.
    pub(crate) fn cost(&self) -> usize {
        4 * self.points.len()
    }

    /// Computes the queries of a region, which has all blocks.
    pub(crate) fn run(&self, isa: Isa, operands: Operands, y: ViewMut) {
        isa.run(Queries {
            layer: self,
            operands,
            y,
        });
    }

    /// The weights of a head's points: the softmax of its scores.
    fn weights(&self, scores: &View, head: usize, query: usize, weights: &mut [f32]) {
        let first = head * self.points.len();
        for (index, weight) in weights.iter_mut().enumerate() {
            *weight = channel(scores, first + index, query);
        }
        let largest = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for weight in weights.iter_mut() {
            *weight = (*weight - largest).exp();
            sum += *weight;
        }
        for weight in weights.iter_mut() {
            *weight /= sum;
        }
    }
}

/// A channel of a token.
#[inline(always)]
fn channel(x: &View, channel: usize, token: usize) -> f32 {
    x.row(channel / LANES, 0)[token][channel % LANES]
}

struct Queries<'a> {
    layer: &'a PointAttention,
    operands: Operands<'a>,
    y: ViewMut<'a>,
}

impl Kernel for Queries<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let layer = self.layer;
        let [values, offsets, scores, boxes] = self.operands;
        let Region { columns, blocks, .. } = self.y.region().clone();
        let mut weights = vec![0.0; layer.points.len()];
        let mut terms: Vec<(usize, f32)> = Vec::with_capacity(4 * layer.points.len());
        for query in columns {
            for block in blocks.clone() {
                self.y.pixels(block, 0, query..query + 1)[0] = [0.0; LANES];
            }
            let reference = [0, 1, 2, 3].map(|index| channel(&boxes, index, query));
            for head in 0..layer.heads {
                layer.weights(&scores, head, query, &mut weights);
                terms.clear();
                for (index, (point, weight)) in layer.points.iter().zip(&weights).enumerate() {
                    let first = 2 * (head * layer.points.len() + index);
                    let offset = [0, 1].map(|axis| channel(&offsets, first + axis, query));
                    let pixels = point.around(point.place(reference, offset));
                    terms.extend(pixels.map(|(token, share)| (token, weight * share)));
                }
                // Whole blocks are summed, of which other heads may have some lanes.
                let channels = head * layer.features..(head + 1) * layer.features;
                for block in channels.start / LANES..channels.end.div_ceil(LANES) {
                    let values = values.row(block, 0);
                    let mut sum = simd.splat(0.0);
                    for &(token, factor) in &terms {
                        sum = simd.mul_add(simd.load(&values[token]), simd.splat(factor), sum);
                    }
                    let mut lanes = [0.0; LANES];
                    simd.store(&mut lanes, sum);
                    let own = channels.start.saturating_sub(block * LANES)
                        ..(channels.end - block * LANES).min(LANES);
                    let target = &mut self.y.pixels(block, 0, query..query + 1)[0];
                    target[own.clone()].copy_from_slice(&lanes[own]);
                }
            }
        }
    }
}

impl Point {
    /// The place `[x, y]` in pixels of the map, the centre of the first pixel at 0.
    #[inline(always)]
    fn place(&self, reference: [f32; 4], offset: [f32; 2]) -> [f32; 2] {
        let sides = [self.width, self.height];
        [0, 1].map(|axis| {
            let part = reference[axis] + offset[axis] * self.factor * reference[2 + axis];
            part * sides[axis] as f32 - 0.5
        })
    }

    /// The tokens of the pixels around a place, and the share of each: none of those outside of the map.
    #[inline(always)]
    fn around(&self, [x, y]: [f32; 2]) -> impl Iterator<Item = (usize, f32)> {
        let (row, column) = (y.floor(), x.floor());
        let (below, right) = (y - row, x - column);
        let corners = [
            (row, column, (1.0 - below) * (1.0 - right)),
            (row, column + 1.0, (1.0 - below) * right),
            (row + 1.0, column, below * (1.0 - right)),
            (row + 1.0, column + 1.0, below * right),
        ];
        let Self {
            height, width, start, ..
        } = *self;
        corners.into_iter().filter_map(move |(row, column, share)| {
            // What is not a number is outside as well.
            let inside = (0.0..height as f32).contains(&row) && (0.0..width as f32).contains(&column);
            inside.then(|| (start + row as usize * width + column as usize, share))
        })
    }
}
