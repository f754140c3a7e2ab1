//! What the publishers call the layers.

use crate::checkpoint::Checkpoint;

/// Whose names the tensors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publisher {
    /// transformers; `root` is before the names of all tensors but the classifier's.
    Transformers {
        root: &'static str,
    },
    Timm,
}

/// The names of what a block consists of, within it.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockNames {
    pub(super) norms: [&'static str; 2],
    pub(super) perceptron: [&'static str; 2],
    /// Of the attention, with what belongs to it.
    pub(super) attention: &'static str,
    /// Of the projection behind the attention.
    pub(super) projection: &'static str,
    /// Within the attention: what makes biases of distances.
    pub(super) distances: &'static str,
}

impl Publisher {
    /// The same, without a root where the tensors have none: those of a classifier have one, those of a model without a
    /// classifier may have none.
    pub(super) fn within(self, checkpoint: &Checkpoint) -> Self {
        match self {
            Self::Transformers { root } if !checkpoint.has_any(root) => Self::Transformers { root: "" },
            other => other,
        }
    }

    /// The convolution of patches, and its normalisation.
    pub(super) fn patches(self) -> [String; 2] {
        match self {
            Self::Transformers { root } => [
                format!("{root}embeddings.patch_embeddings.projection"),
                format!("{root}embeddings.norm"),
            ],
            Self::Timm => ["patch_embed.proj".to_owned(), "patch_embed.norm".to_owned()],
        }
    }

    pub(super) fn stage(self, stage: usize) -> String {
        match self {
            Self::Transformers { root } => format!("{root}encoder.layers.{stage}"),
            Self::Timm => format!("layers.{stage}"),
        }
    }

    /// What merges the tokens before a stage.
    pub(super) fn merging(self, stage: usize, checkpoint: &Checkpoint) -> String {
        let is_behind = match self {
            Self::Transformers { .. } => true,
            // The authors' files have it at the end of a stage, timm's at the beginning of the next one.
            Self::Timm => checkpoint.has_any("layers.0.downsample."),
        };
        format!("{}.downsample", self.stage(stage - usize::from(is_behind)))
    }

    pub(super) fn last_norm(self) -> String {
        match self {
            Self::Transformers { root } => format!("{root}layernorm"),
            Self::Timm => "norm".to_owned(),
        }
    }

    pub(super) fn classifier(self, checkpoint: &Checkpoint) -> &'static str {
        match self {
            Self::Transformers { .. } => "classifier",
            Self::Timm if checkpoint.has("head.weight") => "head",
            Self::Timm => "head.fc",
        }
    }

    pub(super) fn block(self) -> BlockNames {
        match self {
            Self::Transformers { .. } => BlockNames {
                norms: ["layernorm_before", "layernorm_after"],
                perceptron: ["intermediate.dense", "output.dense"],
                attention: "attention.self",
                projection: "attention.output.dense",
                distances: "continuous_position_bias_mlp",
            },
            Self::Timm => BlockNames {
                norms: ["norm1", "norm2"],
                perceptron: ["mlp.fc1", "mlp.fc2"],
                attention: "attn",
                projection: "attn.proj",
                distances: "cpb_mlp",
            },
        }
    }
}
