//! The largest tokens and features.

use super::elementwise;
use candle_core::{D, DType, Result, Tensor};

/// The `count` tokens of the first operand for which the second one has the largest features.
pub(super) fn top_tokens(operands: &[&Tensor], count: usize) -> Result<Tensor> {
    let operands = elementwise::with_equal_batches(operands)?;
    let (x, scores) = (&operands[0], &operands[1]);
    // Candle sorts no more than a thousand values on CUDA: the few numbers are sorted here.
    let mut indices = Vec::new();
    let largest = scores.max(D::Minus1)?.to_dtype(DType::F32)?;
    for scores in largest.to_vec2::<f32>()? {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        order.sort_by(|&left, &right| scores[right as usize].total_cmp(&scores[left as usize]));
        indices.extend_from_slice(&order[..count]);
    }
    let (batch, _, features) = x.dims3()?;
    let indices = Tensor::from_vec(indices, (batch, count, 1), x.device())?
        .broadcast_as((batch, count, features))?
        .contiguous()?;
    x.contiguous()?.gather(&indices, 1)
}

/// The `count` largest features of each token or vector.
pub(super) fn top_features(x: &Tensor, count: usize) -> Result<Tensor> {
    let (sorted, _) = x.contiguous()?.sort_last_dim(false)?;
    sorted.narrow(D::Minus1, 0, count)?.contiguous()
}
