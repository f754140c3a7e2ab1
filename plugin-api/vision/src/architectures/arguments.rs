//! The arguments that a network of timm was made with, as far as a repository or a manifest has them.

use crate::repository::Repository;
use modelzoo_plugin_api::Result;

/// Where repositories have them, and where manifests do.
const SECTIONS: [&str; 2] = ["model_args", "entrypoint_args"];

/// Those that an architecture here reads, that names and dimensions of tensors show, or that only training has a use for.
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

/// Refuses arguments that are not known: one may change what the network computes, of which its weights say nothing.
///
/// # Errors
/// Of kind [`ErrorKind::Unsupported`](modelzoo_plugin_api::ErrorKind::Unsupported), for the first of them.
pub(super) fn check(repository: &Repository) -> Result<()> {
    for section in SECTIONS {
        let arguments = repository.config.section_or_empty(section)?;
        if let Some(key) = arguments.keys().find(|key| !KNOWN.contains(key)) {
            return Err(arguments.unsupported(key, "a network without this argument"));
        }
    }
    Ok(())
}
