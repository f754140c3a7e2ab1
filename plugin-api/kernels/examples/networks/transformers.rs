//! Vision transformers: ViT-B/16 and the image tower of CLIP ViT-B/32, for 224 x 224.

use super::Author;
use modelzoo_kernels::graph::{
    Activation, Attention, Convolution, Graph, GraphError, LayerNorm, Shape, Value, Weight,
};

const FEATURES: usize = 768;

fn layer_norm(author: &mut Author, x: Value) -> Result<Value, GraphError> {
    let (weight, bias) = (
        Weight::vector(vec![1.0; FEATURES]),
        Weight::vector(vec![0.1; FEATURES]),
    );
    let name = author.name("norm");
    author.network.layer_norm(
        &name,
        x,
        LayerNorm {
            weight,
            bias,
            epsilon: 1e-6,
        },
    )
}

/// Patches, class token, positions, and twelve encoder blocks.
fn encoder(
    author: &mut Author,
    patch: usize,
    norm_before: bool,
    activation: Activation,
) -> Result<Value, GraphError> {
    let x = author.network.input("image", Shape::map(3, 224, 224))?;
    let weight = author.weight(&[FEATURES, 3, patch, patch], 3 * patch * patch, 1.0);
    let bias = author.weight(&[FEATURES], 1, 0.01);
    let x = author
        .network
        .conv2d("patches", x, Convolution::new(weight, Some(bias)).stride(patch))?;
    let x = author.network.to_tokens("tokens", x)?;
    let class = author.weight(&[1, FEATURES], 1, 0.1);
    let class = author.network.constant("class_token", class)?;
    let x = author.network.concat_tokens("with_class", &[class, x])?;
    let count = (224 / patch) * (224 / patch) + 1;
    let positions = author.weight(&[count, FEATURES], 1, 0.1);
    let positions = author.network.constant("positions", positions)?;
    let mut x = author.add(x, positions)?;
    if norm_before {
        x = layer_norm(author, x)?;
    }
    for _ in 0..12 {
        let y = layer_norm(author, x)?;
        let y = author.linear(y, 3 * FEATURES, 1.0)?;
        let mut parts = [y; 3];
        for (index, part) in parts.iter_mut().enumerate() {
            let name = author.name("slice");
            *part = author
                .network
                .slice_channels(&name, y, index * FEATURES, FEATURES)?;
        }
        let name = author.name("attention");
        let attention = Attention {
            heads: 12,
            scale: None,
            causal: false,
        };
        let y = author.network.attention(&name, parts, attention)?;
        let y = author.linear(y, FEATURES, 0.5)?;
        x = author.add(x, y)?;
        let y = layer_norm(author, x)?;
        let y = author.linear(y, 4 * FEATURES, 1.0)?;
        let y = author.activate(y, Some(activation))?;
        let y = author.linear(y, FEATURES, 0.5)?;
        x = author.add(x, y)?;
    }
    Ok(x)
}

pub fn vit_b_16() -> Result<Graph, GraphError> {
    let mut author = Author::new();
    let x = encoder(&mut author, 16, false, Activation::Gelu)?;
    let x = layer_norm(&mut author, x)?;
    let x = author.network.select_token("class", x, 0)?;
    let x = author.linear(x, 1000, 1.0)?;
    author.network.output(x)?;
    author.network.build()
}

pub fn clip_vit_b_32() -> Result<Graph, GraphError> {
    let mut author = Author::new();
    let x = encoder(&mut author, 32, true, Activation::QuickGelu)?;
    let x = author.network.select_token("class", x, 0)?;
    let x = layer_norm(&mut author, x)?;
    let x = author.linear(x, 512, 1.0)?;
    author.network.output(x)?;
    author.network.build()
}
