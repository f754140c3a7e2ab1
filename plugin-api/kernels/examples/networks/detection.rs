//! Detectors: NanoDet-g for 416 x 416 and YOLOv8n for 640 x 640, without the decoding of boxes.

use super::{Author, Window};
use modelzoo_kernels::graph::{
    Activation, Graph, GraphError, Interpolation, Pool, Shape, UpsampleSize, Value,
};

const LEAKY: Option<Activation> = Some(Activation::LeakyRelu(0.1));
const SILU: Option<Activation> = Some(Activation::Silu);

/// A tiny cross-stage block: half of the work on half of the channels.
fn tiny_block(author: &mut Author, x: Value, outputs: usize) -> Result<[Value; 2], GraphError> {
    let x1 = author.conv(x, outputs, Window::new(3, 1), LEAKY)?;
    let x2 = author.conv(x1, outputs / 2, Window::new(3, 1), LEAKY)?;
    let x3 = author.conv(x2, outputs / 2, Window::new(3, 1), LEAKY)?;
    let inner = author.concat(&[x3, x2])?;
    let x4 = author.conv(inner, outputs, Window::new(3, 1), LEAKY)?;
    Ok([author.concat(&[x4, x1])?, x4])
}

pub fn nanodet_g() -> Result<Graph, GraphError> {
    let mut author = Author::new();
    let x = author.network.input("image", Shape::map(3, 416, 416))?;
    let x = author.conv(x, 32, Window::new(3, 2), LEAKY)?;
    let mut x = author.network.max_pool2d("maxpool", x, Pool::new(3, 2, 1))?;
    let mut levels = Vec::new();
    for width in [32, 64, 128] {
        let [both, _] = tiny_block(&mut author, x, width)?;
        x = author.conv(both, 2 * width, Window::new(3, 2), LEAKY)?;
        levels.push(x);
    }
    let last = author.conv(x, 512, Window::new(3, 1), LEAKY)?;
    levels[2] = author.conv(last, 256, Window::new(1, 1), LEAKY)?;
    let mut lateral = Vec::new();
    for level in levels {
        lateral.push(author.conv(level, 128, Window::new(1, 1), None)?);
    }
    let bilinear = Interpolation::Bilinear { align_corners: false };
    for index in [1, 0] {
        let name = author.name("up");
        let up = author
            .network
            .upsample_like(&name, lateral[index + 1], bilinear, lateral[index])?;
        lateral[index] = author.add(lateral[index], up)?;
    }
    for level in lateral {
        let y = author.conv(level, 128, Window::new(3, 1), LEAKY)?;
        let y = author.conv(y, 128, Window::new(3, 1), LEAKY)?;
        let classes = author.conv(y, 80, Window::new(1, 1), None)?;
        let boxes = author.conv(y, 44, Window::new(1, 1), None)?;
        author.network.output(classes)?;
        author.network.output(boxes)?;
    }
    author.network.build()
}

/// YOLOv8's C2f: halves, a chain of bottlenecks on one of them, and everything concatenated.
fn c2f(
    author: &mut Author,
    x: Value,
    outputs: usize,
    depth: usize,
    shortcut: bool,
) -> Result<Value, GraphError> {
    let half = outputs / 2;
    let both = author.conv(x, outputs, Window::new(1, 1), SILU)?;
    let mut parts = Vec::new();
    for index in 0..2 {
        let name = author.name("slice");
        parts.push(author.network.slice_channels(&name, both, index * half, half)?);
    }
    for _ in 0..depth {
        let last = parts[parts.len() - 1];
        let y = author.conv(last, half, Window::new(3, 1), SILU)?;
        let y = author.conv(y, half, Window::new(3, 1), SILU)?;
        parts.push(if shortcut { author.add(y, last)? } else { y });
    }
    let all = author.concat(&parts)?;
    author.conv(all, outputs, Window::new(1, 1), SILU)
}

pub fn yolov8n() -> Result<Graph, GraphError> {
    let mut author = Author::new();
    let x = author.network.input("image", Shape::map(3, 640, 640))?;
    let x = author.conv(x, 16, Window::new(3, 2), SILU)?;
    let x = author.conv(x, 32, Window::new(3, 2), SILU)?;
    let x = c2f(&mut author, x, 32, 1, true)?;
    let x = author.conv(x, 64, Window::new(3, 2), SILU)?;
    let p3 = c2f(&mut author, x, 64, 2, true)?;
    let x = author.conv(p3, 128, Window::new(3, 2), SILU)?;
    let p4 = c2f(&mut author, x, 128, 2, true)?;
    let x = author.conv(p4, 256, Window::new(3, 2), SILU)?;
    let x = c2f(&mut author, x, 256, 1, true)?;
    // SPPF: three pools in a chain.
    let x = author.conv(x, 128, Window::new(1, 1), SILU)?;
    let mut pooled = vec![x];
    for index in 0..3 {
        let name = author.name("pool");
        pooled.push(
            author
                .network
                .max_pool2d(&name, pooled[index], Pool::new(5, 1, 2))?,
        );
    }
    let x = author.concat(&pooled)?;
    let p5 = author.conv(x, 256, Window::new(1, 1), SILU)?;

    let twice = UpsampleSize::Scale([2, 2]);
    let up = author
        .network
        .upsample("up5", p5, Interpolation::Nearest, twice)?;
    let x = author.concat(&[up, p4])?;
    let n4 = c2f(&mut author, x, 128, 1, false)?;
    let up = author
        .network
        .upsample("up4", n4, Interpolation::Nearest, twice)?;
    let x = author.concat(&[up, p3])?;
    let n3 = c2f(&mut author, x, 64, 1, false)?;
    let x = author.conv(n3, 64, Window::new(3, 2), SILU)?;
    let x = author.concat(&[x, n4])?;
    let n4 = c2f(&mut author, x, 128, 1, false)?;
    let x = author.conv(n4, 128, Window::new(3, 2), SILU)?;
    let x = author.concat(&[x, p5])?;
    let n5 = c2f(&mut author, x, 256, 1, false)?;
    for level in [n3, n4, n5] {
        let boxes = author.conv(level, 64, Window::new(3, 1), SILU)?;
        let boxes = author.conv(boxes, 64, Window::new(3, 1), SILU)?;
        let boxes = author.conv(boxes, 64, Window::new(1, 1), None)?;
        let classes = author.conv(level, 80, Window::new(3, 1), SILU)?;
        let classes = author.conv(classes, 80, Window::new(3, 1), SILU)?;
        let classes = author.conv(classes, 80, Window::new(1, 1), Some(Activation::Sigmoid))?;
        author.network.output(boxes)?;
        author.network.output(classes)?;
    }
    author.network.build()
}
