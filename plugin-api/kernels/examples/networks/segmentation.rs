//! U2-Netp for 320 x 320.

use super::{Author, Window};
use modelzoo_kernels::graph::{Activation, Graph, GraphError, Interpolation, Pool, Shape, Value};

const RELU: Option<Activation> = Some(Activation::Relu);
const BILINEAR: Interpolation = Interpolation::Bilinear { align_corners: false };

fn pool(author: &mut Author, x: Value) -> Result<Value, GraphError> {
    let name = author.name("pool");
    author.network.max_pool2d(
        &name,
        x,
        Pool {
            ceil_mode: true,
            ..Pool::new(2, 2, 0)
        },
    )
}

fn up(author: &mut Author, x: Value, like: Value) -> Result<Value, GraphError> {
    let name = author.name("up");
    author.network.upsample_like(&name, x, BILINEAR, like)
}

fn conv(author: &mut Author, x: Value, outputs: usize, dilation: usize) -> Result<Value, GraphError> {
    author.conv(x, outputs, Window::new(3, 1).dilation(dilation), RELU)
}

/// A residual U-block: an encoder of `depth` levels, its decoder, and a shortcut around both. Without pooling the
/// levels are dilated instead.
fn u_block(
    author: &mut Author,
    x: Value,
    depth: usize,
    (middle, outputs): (usize, usize),
    pooling: bool,
) -> Result<Value, GraphError> {
    // With this gain the sum at the end is about as large as `x`, as it is in the trained network.
    let shortcut = author.conv_with_gain(x, outputs, Window::new(3, 1), RELU, 0.6)?;
    let mut levels = vec![conv(author, shortcut, middle, 1)?];
    for level in 1..depth - 1 {
        let last = levels[level - 1];
        let (last, dilation) = if pooling {
            (pool(author, last)?, 1)
        } else {
            (last, 1 << level)
        };
        levels.push(conv(author, last, middle, dilation)?);
    }
    let dilation = if pooling { 2 } else { 1 << (depth - 1) };
    let mut y = conv(author, levels[depth - 2], middle, dilation)?;
    for level in (0..depth - 1).rev() {
        let both = author.concat(&[y, levels[level]])?;
        let width = if level == 0 { outputs } else { middle };
        let dilation = if pooling { 1 } else { 1 << level };
        y = conv(author, both, width, dilation)?;
        if level > 0 && pooling {
            y = up(author, y, levels[level - 1])?;
        }
    }
    author.add(y, shortcut)
}

pub fn u2netp() -> Result<Graph, GraphError> {
    let mut author = Author::new();
    let widths = (16, 64);
    let depths = [(7, true), (6, true), (5, true), (4, true), (4, false), (4, false)];
    let mut x = author.network.input("image", Shape::map(3, 320, 320))?;
    let mut encoded = Vec::new();
    for (level, (depth, pooling)) in depths.into_iter().enumerate() {
        if level > 0 {
            x = pool(&mut author, x)?;
        }
        x = u_block(&mut author, x, depth, widths, pooling)?;
        encoded.push(x);
    }
    let mut decoded = vec![x];
    for level in (0..5).rev() {
        let y = up(&mut author, x, encoded[level])?;
        let both = author.concat(&[y, encoded[level]])?;
        x = u_block(&mut author, both, depths[level].0, widths, depths[level].1)?;
        decoded.push(x);
    }
    decoded.reverse();
    let mut sides = Vec::new();
    for level in decoded {
        let side = author.conv(level, 1, Window::new(3, 1), None)?;
        let side = if let Some(&first) = sides.first() {
            up(&mut author, side, first)?
        } else {
            side
        };
        sides.push(side);
    }
    let all = author.concat(&sides)?;
    let fused = author.conv(all, 1, Window::new(1, 1), None)?;
    for output in std::iter::once(fused).chain(sides) {
        let output = author.activate(output, Some(Activation::Sigmoid))?;
        author.network.output(output)?;
    }
    author.network.build()
}
