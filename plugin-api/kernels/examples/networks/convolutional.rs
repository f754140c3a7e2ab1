//! Classifiers: ResNet-18, ResNet-50 and MobileNetV2 for 224 x 224.

use super::{Author, Window};
use modelzoo_kernels::graph::{Activation, Graph, GraphError, Pool, Shape, Value};

const RELU: Option<Activation> = Some(Activation::Relu);
const RELU6: Option<Activation> = Some(Activation::Relu6);

fn stem(author: &mut Author) -> Result<Value, GraphError> {
    let x = author.network.input("image", Shape::map(3, 224, 224))?;
    let x = author.conv(x, 64, Window::new(7, 2), RELU)?;
    author.network.max_pool2d("maxpool", x, Pool::new(3, 2, 1))
}

pub fn resnet18() -> Result<Graph, GraphError> {
    let mut author = Author::new();
    let mut x = stem(&mut author)?;
    for (stage, width) in [64, 128, 256, 512].into_iter().enumerate() {
        for block in 0..2 {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let y = author.conv(x, width, Window::new(3, stride), RELU)?;
            let y = author.conv(y, width, Window::new(3, 1), None)?;
            let shortcut = if stride == 2 {
                author.conv(x, width, Window::new(1, 2), None)?
            } else {
                x
            };
            let y = author.add(y, shortcut)?;
            x = author.activate(y, RELU)?;
        }
    }
    author.classifier(x, 1000)
}

pub fn resnet50() -> Result<Graph, GraphError> {
    let mut author = Author::new();
    let mut x = stem(&mut author)?;
    for (stage, (width, blocks)) in [(64, 3), (128, 4), (256, 6), (512, 3)].into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let y = author.conv(x, width, Window::new(1, 1), RELU)?;
            let y = author.conv(y, width, Window::new(3, stride), RELU)?;
            let y = author.conv(y, 4 * width, Window::new(1, 1), None)?;
            let shortcut = if block == 0 {
                author.conv(x, 4 * width, Window::new(1, stride), None)?
            } else {
                x
            };
            let y = author.add(y, shortcut)?;
            x = author.activate(y, RELU)?;
        }
    }
    author.classifier(x, 1000)
}

pub fn mobilenet_v2() -> Result<Graph, GraphError> {
    let mut author = Author::new();
    let x = author.network.input("image", Shape::map(3, 224, 224))?;
    let mut x = author.conv(x, 32, Window::new(3, 2), RELU6)?;
    let stages = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];
    for (expansion, outputs, blocks, first_stride) in stages {
        for block in 0..blocks {
            let stride = if block == 0 { first_stride } else { 1 };
            let inputs = author.channels(x);
            let hidden = inputs * expansion;
            let y = if expansion > 1 {
                author.conv(x, hidden, Window::new(1, 1), RELU6)?
            } else {
                x
            };
            let y = author.conv(y, hidden, Window::new(3, stride).groups(hidden), RELU6)?;
            let y = author.conv(y, outputs, Window::new(1, 1), None)?;
            x = if stride == 1 && inputs == outputs {
                author.add(y, x)?
            } else {
                y
            };
        }
    }
    let x = author.conv(x, 1280, Window::new(1, 1), RELU6)?;
    author.classifier(x, 1000)
}
