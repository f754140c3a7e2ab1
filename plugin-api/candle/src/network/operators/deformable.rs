//! Attention to points around boxes, the four pixels around each point gathered one after the other.

use super::elementwise;
use candle_core::{D, DType, Device, Result, Tensor};
use modelzoo_kernels::graph::DeformableAttention;

/// A [`DeformableAttention`] with what is known of its points.
#[derive(Debug)]
pub(super) struct PointAttention {
    heads: usize,
    /// What offsets are multiplied with, `[points]` as all of these.
    factors: Tensor,
    /// Widths and heights of the points' maps.
    sides: [Tensor; 2],
    /// The first token of the points' maps.
    starts: Tensor,
}

impl PointAttention {
    pub(super) fn new(parameters: &DeformableAttention, device: &Device) -> Result<Self> {
        let (mut factors, mut widths, mut heights, mut starts) = (vec![], vec![], vec![], vec![]);
        let mut start = 0;
        for level in parameters.levels.iter() {
            let [height, width] = level.size;
            for _ in 0..level.points {
                factors.push(parameters.scale / level.points as f32);
                widths.push(width as f32);
                heights.push(height as f32);
                starts.push(start as f32);
            }
            start += height * width;
        }
        let tensor = |values: Vec<f32>| Tensor::new(values, device);
        Ok(Self {
            heads: parameters.heads,
            factors: tensor(factors)?,
            sides: [tensor(widths)?, tensor(heights)?],
            starts: tensor(starts)?,
        })
    }

    pub(super) fn run(&self, operands: &[&Tensor]) -> Result<Tensor> {
        let dtype = operands.first().map_or(DType::F32, |operand| operand.dtype());
        // Places between pixels need more digits than values do.
        let operands: Vec<Tensor> = elementwise::with_equal_batches(operands)?
            .iter()
            .map(|operand| operand.to_dtype(DType::F32))
            .collect::<Result<_>>()?;
        let [values, offsets, scores, boxes] = [0, 1, 2, 3].map(|index| &operands[index]);
        let (batch, pixels, features) = values.dims3()?;
        let (_, queries, _) = boxes.dims3()?;
        let (heads, points) = (self.heads, self.factors.elem_count());
        let width = features / heads;
        let values = values
            .reshape((batch, pixels, heads, width))?
            .transpose(1, 2)?
            .contiguous()?;
        let scores = scores.reshape((batch, queries, heads, points))?;
        let weights = candle_nn::ops::softmax(&scores, D::Minus1)?;
        let offsets = offsets.reshape((batch, queries, heads, points, 2))?;
        let place = |axis: usize| -> Result<[Tensor; 2]> {
            let part = |index: usize| boxes.narrow(2, index, 1)?.unsqueeze(D::Minus1);
            let offset = offsets.narrow(4, axis, 1)?.squeeze(4)?;
            let moved = offset
                .broadcast_mul(&self.factors)?
                .broadcast_mul(&part(2 + axis)?)?;
            let place = moved
                .broadcast_add(&part(axis)?)?
                .broadcast_mul(&self.sides[axis])?;
            let place = (place - 0.5)?;
            let first = place.floor()?;
            let rest = (place - &first)?;
            Ok([first, rest])
        };
        let [column, right] = place(0)?;
        let [row, below] = place(1)?;
        let mut sum: Option<Tensor> = None;
        for (down, across) in [(false, false), (false, true), (true, false), (true, true)] {
            let (column, columns) = self.inside(&column, across, 0)?;
            let (row, rows) = self.inside(&row, down, 1)?;
            let share = (share(&below, down)? * share(&right, across)?)?;
            let share = ((share * (rows * columns)?)? * &weights)?;
            let index = row
                .broadcast_mul(&self.sides[0])?
                .add(&column)?
                .broadcast_add(&self.starts)?;
            let by_head = |x: &Tensor| {
                x.transpose(1, 2)?
                    .contiguous()?
                    .reshape((batch, heads, queries * points, 1))
            };
            let index = by_head(&index)?
                .to_dtype(DType::U32)?
                .broadcast_as((batch, heads, queries * points, width))?
                .contiguous()?;
            let found = values.gather(&index, 2)?.broadcast_mul(&by_head(&share)?)?;
            sum = Some(match sum {
                Some(sum) => (sum + found)?,
                None => found,
            });
        }
        let Some(sum) = sum else {
            candle_core::bail!("there are four corners");
        };
        sum.reshape((batch, heads, queries, points, width))?
            .sum(3)?
            .transpose(1, 2)?
            .contiguous()?
            .reshape((batch, queries, features))?
            .to_dtype(dtype)
    }

    /// The column (or row) at `first` or the next one, cut to the map; and 1 where it was inside, 0 elsewhere.
    fn inside(&self, first: &Tensor, next: bool, axis: usize) -> Result<(Tensor, Tensor)> {
        let place = if next { (first + 1.0)? } else { first.clone() };
        let cut = place.relu()?.broadcast_minimum(&(&self.sides[axis] - 1.0)?)?;
        let inside = cut.eq(&place)?.to_dtype(DType::F32)?;
        Ok((cut, inside))
    }
}

/// The share of the pixel at a place's whole part, or of the next one.
fn share(rest: &Tensor, next: bool) -> Result<Tensor> {
    if next { Ok(rest.clone()) } else { 1.0 - rest }
}
