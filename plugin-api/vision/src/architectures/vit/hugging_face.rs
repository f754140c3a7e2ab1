//! As transformers publishes it.

use crate::{
    architectures::{
        Architecture, Outputs,
        activation::Activation,
        positions::{Positions, Resampling},
        transformer::{self, Projections},
    },
    checkpoint::Checkpoint,
    repository::{Config, Repository},
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, Result};

/// The settings of a ViT or a DeiT.
pub(in crate::architectures) struct Vit {
    /// Before the names of all tensors but the classifiers', where there are such.
    root: &'static str,
    image: [usize; 2],
    patch: [usize; 2],
    features: usize,
    hidden: usize,
    layers: usize,
    heads: usize,
    activation: Activation,
    bias: bool,
    epsilon: f32,
    resampling: Resampling,
    /// Whether there is a distillation token behind the class token.
    distilled: bool,
    classes: usize,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let distilled = config.text("model_type")? == Some("deit");
    let root = if distilled { "deit." } else { "vit." };
    Ok(Box::new(Vit {
        distilled,
        classes: class_count(repository)?,
        ..Vit::read(config, root, 224)?
    }))
}

/// The number of classes that the configuration names; transformers' default is two.
fn class_count(repository: &Repository) -> Result<usize> {
    Ok(crate::repository::class_names(repository)?.map_or(2, |names| names.len()))
}

impl Vit {
    /// A ViT without classes, for pictures of `side` rows and columns unless the settings say otherwise.
    fn read(config: &Config, root: &'static str, side: usize) -> Result<Self> {
        transformer::three_channels(config, "num_channels")?;
        let features = config.count("hidden_size", 768)?;
        Ok(Self {
            root,
            image: config.size("image_size", [side; 2])?,
            patch: config.size("patch_size", [16; 2])?,
            features,
            hidden: config.count("intermediate_size", 4 * features)?,
            layers: config.count("num_hidden_layers", 12)?,
            heads: transformer::heads(config, "num_attention_heads", 12, features)?,
            activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
            bias: config.flag("qkv_bias", true)?,
            epsilon: config.epsilon("layer_norm_eps", 1e-12)? as f32,
            resampling: Resampling::Bicubic,
            distilled: false,
            classes: 0,
        })
    }

    /// That of a dense prediction transformer.
    pub(in crate::architectures) fn dense(config: &Config) -> Result<Self> {
        Ok(Self {
            resampling: Resampling::Bilinear,
            ..Self::read(config, "dpt.", 384)?
        })
    }

    /// The `[height, width]` of the pictures that it was trained on.
    pub(in crate::architectures) fn image_size(&self) -> [usize; 2] {
        self.image
    }

    /// The sides of a patch.
    pub(in crate::architectures) fn patch(&self) -> [usize; 2] {
        self.patch
    }

    /// The tokens behind each layer.
    pub(in crate::architectures) fn layers(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Vec<Value>> {
        let root = self.root(checkpoint);
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], self.patch)?;
        let projection = Conv2d::new(self.features, self.patch[0])
            .kernel(self.patch)
            .strides(self.patch);
        let patches = network.conv2d(
            &format!("{root}embeddings.patch_embeddings.projection"),
            image,
            projection,
        )?;
        self.encode(network, checkpoint, patches, grid)
    }

    /// The tokens behind each layer, where a map of another network stands for the patches.
    pub(in crate::architectures) fn layers_of_map(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        map: Value,
    ) -> Result<Vec<Value>> {
        let root = self.root(checkpoint);
        let dims = network.dims(map)?;
        let grid = transformer::grid(self.image, self.patch)?;
        if dims[1..] != grid {
            return Err(Error::unsupported(format!(
                "this network takes pictures of {} x {} pixels only",
                self.image[1], self.image[0]
            )));
        }
        let projection = Conv2d::new(self.features, 1);
        let patches = network.conv2d(&format!("{root}embeddings.projection"), map, projection)?;
        self.encode(network, checkpoint, patches, grid)
    }

    /// The tokens behind each layer, of a map with the features of the patches.
    fn encode(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        patches: Value,
        grid: [usize; 2],
    ) -> Result<Vec<Value>> {
        let root = self.root(checkpoint);
        let mut x = self.embed(network, checkpoint, patches, grid)?;
        let mut layers = Vec::new();
        for layer in 0..self.layers {
            x = self.layer(network, &format!("{root}encoder.layer.{layer}"), x)?;
            layers.push(x);
        }
        Ok(layers)
    }

    /// Before the names of all tensors but the classifiers'.
    fn root(&self, checkpoint: &Checkpoint) -> &'static str {
        if checkpoint.has_any(self.root) {
            self.root
        } else {
            ""
        }
    }
}

impl Architecture for Vit {
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
        let root = self.root(checkpoint);
        let layers = self.layers(network, checkpoint, image)?;
        let last = layers.last().copied();
        let x = last.ok_or_else(|| Error::new("a vision transformer needs layers"))?;
        let x = network.layer_norm(&format!("{root}layernorm"), x, self.epsilon)?;
        let embedding = network.select_token(x, 0)?;
        let logits = self.classify(network, checkpoint, embedding, x)?;
        Ok(Outputs::Picture { embedding, logits })
    }
}

impl Vit {
    /// A token for each patch, behind the class token and the distillation token, with their positions.
    fn embed(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        patches: Value,
        grid: [usize; 2],
    ) -> Result<Value> {
        let (root, features) = (self.root(checkpoint), self.features);
        let patches = network.to_tokens(patches)?;
        let mut tokens = Vec::new();
        for name in ["cls_token", "distillation_token"]
            .into_iter()
            .take(1 + usize::from(self.distilled))
        {
            tokens.push(network.parameter_view(
                &format!("{root}embeddings.{name}"),
                &[1, 1, features],
                &[1, features],
            )?);
        }
        let prefix = tokens.len();
        tokens.push(patches);
        let x = network.cat_tokens(&tokens)?;
        let positions = Positions {
            name: &format!("{root}embeddings.position_embeddings"),
            features,
            prefix,
            suffix: 0,
            trained: Some(transformer::grid(self.image, self.patch)?),
            resampling: self.resampling,
        };
        let values = positions.values(checkpoint, grid)?;
        let positions = network.constant(&[prefix + grid[0] * grid[1], features], values)?;
        network.add(x, positions)
    }

    fn layer(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let x = network.layer_norm(&format!("{name}.layernorm_before"), input, self.epsilon)?;
        let projections = ["query", "key", "value"].map(|part| format!("{name}.attention.attention.{part}"));
        let projections = Projections::Apart([&projections[0], &projections[1], &projections[2]]);
        let x = transformer::self_attention(network, projections, self.bias, self.heads, x)?;
        let x = network.linear(&format!("{name}.attention.output.dense"), x, self.features)?;
        let attended = network.add(x, input)?;
        let x = network.layer_norm(&format!("{name}.layernorm_after"), attended, self.epsilon)?;
        let dense = ["intermediate", "output"].map(|part| format!("{name}.{part}.dense"));
        let x = transformer::perceptron(network, [&dense[0], &dense[1]], self.hidden, self.activation, x)?;
        let x = network.add(x, attended)?;
        network.alias(name, x)?;
        Ok(x)
    }

    /// The logits: of one classifier, or the mean of those of the class token and of the distillation token.
    fn classify(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        class: Value,
        tokens: Value,
    ) -> Result<Option<Value>> {
        if checkpoint.has("cls_classifier.weight") {
            let distilled = network.select_token(tokens, 1)?;
            let from_class = network.linear("cls_classifier", class, self.classes)?;
            let from_teacher = network.linear("distillation_classifier", distilled, self.classes)?;
            let sum = network.add(from_class, from_teacher)?;
            let halves = network.constant(&[self.classes], vec![0.5; self.classes])?;
            return network.mul(sum, halves).map(Some);
        }
        if !checkpoint.has("classifier.weight") {
            return Ok(None);
        }
        network.linear("classifier", class, self.classes).map(Some)
    }
}
