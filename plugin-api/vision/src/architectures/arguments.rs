//! The arguments that a network of timm or torchvision was made with, as far as a repository or a manifest has them.

use crate::repository::{Config, Form, Repository};
use modelzoo_plugin_api::Result;
use serde_json::Value;

/// Where repositories have them, and where manifests do.
const SECTIONS: [&str; 2] = ["model_args", "entrypoint_args"];

/// Those of timm that an architecture here reads, that names and dimensions of tensors show, or that only training has a use for.
const KNOWN: [&str; 45] = [
    "attn_drop_rate",
    "block_config",
    "channel_multiplier",
    "channels",
    "class_token",
    "depth",
    "depths",
    "dims",
    "drop_block_rate",
    "drop_path_rate",
    "drop_rate",
    "dynamic_img_pad",
    "dynamic_img_size",
    "embed_dim",
    "exportable",
    "fix_init",
    "global_pool",
    "growth_rate",
    "head_init_scale",
    "image_size",
    "img_size",
    "in_chans",
    "init_values",
    "layers",
    "ls_init_value",
    "memory_efficient",
    "mlp_ratio",
    "model_name",
    "no_embed_class",
    "num_classes",
    "num_features",
    "num_heads",
    "num_reg_tokens",
    "patch_drop_rate",
    "patch_size",
    "pos_drop_rate",
    "pretrained",
    "proj_drop_rate",
    "qkv_bias",
    "reg_tokens",
    "scriptable",
    "strict_img_size",
    "weight_init",
    "window_size",
    "zero_init_last",
];

/// Those of torchvision that change what a network computes and leave its weights as they are. Others of its functions say
/// how large layers are, which tensors show.
const CHANGING: [&str; 3] = ["activation_layer", "norm_layer", "replace_stride_with_dilation"];

/// Refuses arguments of timm's that are not known, as one may change what the network computes, of which its weights say
/// nothing; and those of torchvision's that do.
///
/// # Errors
/// Of kind [`ErrorKind::Unsupported`](modelzoo_plugin_api::ErrorKind::Unsupported), for the first of them.
pub(super) fn check(repository: &Repository) -> Result<()> {
    for section in SECTIONS {
        let arguments = repository.config.section_or_empty(section)?;
        let is_refused = |key: &&str| match repository.form {
            Form::Timm => !KNOWN.contains(key),
            Form::Torchvision => CHANGING.contains(key) && says_something(&arguments, key),
            Form::HuggingFace | Form::Class => false,
        };
        if let Some(key) = arguments.keys().find(is_refused) {
            return Err(arguments.unsupported(key, "a network without this argument"));
        }
    }
    Ok(())
}

/// Whether an argument is anything but its default: nothing, or what is switched off for each part of a network.
fn says_something(arguments: &Config, key: &str) -> bool {
    match arguments.value(key) {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Array(parts)) => parts.iter().any(|part| part != &Value::Bool(false)),
        Some(_) => true,
    }
}
