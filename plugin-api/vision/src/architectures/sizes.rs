//! Whether weights are those of the network that a name of torchvision or timm means.
//!
//! Layers are read off the tensors, so that weights under another network's name would run as what they are. What
//! settles it is how many trained numbers there are in the tensors of at least two dimensions. Classifiers are not
//! counted, as their classes differ; nor tables of positions, which depend on the pictures' size.

use super::Architecture;
use crate::{
    checkpoint::Checkpoint,
    repository::{Config, Form, Repository},
};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// Whose name, the name, and its numbers, a line each: `parity/sizes.py` writes it.
const SIZES: &str = include_str!("sizes.txt");

/// So many of the names that do fit are told.
const TOLD: usize = 3;

/// Layers that tell classes apart.
const CLASSIFIERS: [&str; 8] = [
    "fc",
    "head",
    "classifier",
    "head.fc",
    "heads.head",
    "head_dist",
    "classifier.low_classifier",
    "classifier.high_classifier",
];

/// The beginnings of the names of further ones: those that only training has a use for, and those of detectors.
const FURTHER: [&str; 7] = [
    "aux",
    "AuxLogits",
    "head.classification_head.cls_logits.",
    "head.classification_head.module_list.",
    "roi_heads.box_predictor.",
    "roi_heads.keypoint_predictor.",
    "roi_heads.mask_predictor.mask_fcn_logits.",
];

/// Parts of the names of tables of positions.
const POSITIONS: [&str; 3] = ["pos_embed", "relative_", "attn_mask"];

/// Arguments of the functions that do not change what is counted.
const HARMLESS: [&str; 14] = [
    "model_name",
    "weights",
    "weights_backbone",
    "pretrained",
    "pretrained_backbone",
    "progress",
    "num_classes",
    "image_size",
    "img_size",
    "global_pool",
    "aux_loss",
    "aux_logits",
    "transform_input",
    "init_weights",
];

/// Makes sure that the weights have as many numbers as the network of the name has, where that is known.
///
/// # Errors
/// Of kind [`ErrorKind::Weights`] when they have not; the names that they fit are told.
pub(crate) fn check(
    repository: &Repository,
    architecture: &dyn Architecture,
    checkpoint: &Checkpoint,
) -> Result<()> {
    let family = match repository.form {
        Form::HuggingFace | Form::Class => return Ok(()),
        Form::Timm => "timm",
        Form::Torchvision => "torchvision",
    };
    let config = &repository.config;
    let may_differ = match architecture.ignored() {
        Some(ignored) => !ignored.is_empty(),
        None => has_other_arguments(config)?,
    };
    if may_differ {
        return Ok(());
    }
    // A tag of timm's says which weights there are, not which network.
    let name = config.text("architecture")?.unwrap_or_default();
    let name = name.split('.').next().unwrap_or_default();
    let Some((_, expected)) = sizes(family).find(|(known, _)| *known == name) else {
        return Ok(());
    };
    let found = count(checkpoint);
    if found == expected {
        return Ok(());
    }
    let fitting: Vec<&str> = sizes(family)
        .filter(|(_, size)| *size == found)
        .map(|(name, _)| name)
        .take(TOLD)
        .collect();
    let error = Error::new(format!(
        "the weights in {} are not those of {name}: without classifier they have {found} numbers, and {name} has {expected}",
        checkpoint.path().display()
    ))
    .with_kind(ErrorKind::Weights);
    Err(match fitting.as_slice() {
        [] => error
            .with_hint("name the network that the weights are of, and the arguments that it was made with"),
        names => error.with_hint(format!("they fit {}", names.join(", "))),
    })
}

/// Whether there are arguments that may change what is counted.
fn has_other_arguments(config: &Config) -> Result<bool> {
    for key in ["entrypoint_args", "model_args"] {
        let arguments = config.section_or_empty(key)?;
        if arguments.keys().any(|key| !HARMLESS.contains(&key)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn sizes(family: &str) -> impl Iterator<Item = (&'static str, usize)> {
    SIZES.lines().filter_map(move |line| {
        let mut parts = line.split(' ');
        (parts.next()? == family).then_some(())?;
        Some((parts.next()?, parts.next()?.parse().ok()?))
    })
}

fn count(checkpoint: &Checkpoint) -> usize {
    let numbered = |name: &str| -> Option<usize> {
        let number = name.strip_prefix("classifier.")?.strip_suffix(".weight")?;
        number.parse().ok()
    };
    let last = checkpoint.names().filter_map(numbered).max();
    checkpoint
        .names()
        .filter(|name| {
            let layer = name.strip_suffix(".weight").unwrap_or(name);
            let is_last = last.is_some() && numbered(name) == last;
            !is_last
                && !CLASSIFIERS.contains(&layer)
                && !FURTHER.iter().any(|beginning| name.starts_with(beginning))
                && !POSITIONS.iter().any(|part| name.contains(part))
        })
        .filter_map(|name| checkpoint.dims(name))
        .filter(|dims| dims.len() > 1)
        .map(|dims| dims.iter().product::<usize>())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{super::registry::beginnings, *};

    #[test]
    fn every_line_has_a_family_a_name_and_a_size() {
        let known = sizes("timm").count() + sizes("torchvision").count();
        assert_eq!(known, SIZES.lines().count());
        assert!(sizes("torchvision").any(|known| known == ("resnet18", 11_166_912)));
    }

    #[test]
    fn every_beginning_that_is_known_has_names_with_sizes() {
        for (family, beginnings) in beginnings() {
            for beginning in beginnings {
                assert!(
                    sizes(family).any(|(name, _)| name.starts_with(beginning)),
                    "{family}: {beginning}"
                );
            }
        }
    }
}
