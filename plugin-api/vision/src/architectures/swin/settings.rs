//! What a configuration says.

use super::names::Publisher;
use crate::{
    architectures::{Architecture, activation::Activation, transformer, windows::APART},
    repository::{self, Config, Repository},
};
use modelzoo_plugin_api::Result;

/// More stages than any network has.
pub(super) const MOST_STAGES: usize = 8;

/// What is known of a Swin without its tensors.
#[derive(Debug)]
pub(in crate::architectures) struct Swin {
    pub(super) publisher: Publisher,
    pub(super) version: Version,
    pub(super) image: [usize; 2],
    pub(super) activation: Activation,
    pub(super) epsilon: f32,
    pub(super) classes: usize,
    /// Blocks and heads of each stage; the tensors say it where there are none.
    pub(super) stages: Option<Vec<[usize; 2]>>,
    /// The rows of windows; the tensors say it where there is none.
    pub(super) window: Option<usize>,
}

/// What is different in the second version.
#[derive(Debug)]
pub(super) enum Version {
    /// Normalises before a layer, and has a trained bias for each distance.
    First,
    /// Normalises what a layer adds, compares directions, and makes biases of distances.
    Second {
        /// The sides of the windows that each stage was trained on, where these were others.
        trained: Vec<usize>,
        /// What is added to the scores of tokens that are no neighbours.
        apart: f32,
    },
}

pub(in crate::architectures) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let is_second = config.text("model_type")? == Some("swinv2");
    let root = if is_second { "swinv2." } else { "swin." };
    let names = repository::class_names(repository)?;
    Ok(Box::new(Swin {
        classes: names.map_or(2, |names| names.len()),
        ..Swin::read(config, root)?
    }))
}

impl Swin {
    /// One of transformers without classes; `root` is before the names of all tensors.
    pub(in crate::architectures) fn read(config: &Config, root: &'static str) -> Result<Self> {
        transformer::three_channels(config, "num_channels")?;
        if config.flag("use_absolute_embeddings", false)? {
            return Err(config.unsupported("use_absolute_embeddings", "false"));
        }
        let is_second = config.text("model_type")? == Some("swinv2");
        Ok(Self {
            publisher: Publisher::Transformers { root },
            version: if is_second {
                Version::Second {
                    trained: trained_windows(config)?,
                    // transformers adds it twice.
                    apart: 2.0 * APART,
                }
            } else {
                Version::First
            },
            image: config.size("image_size", [224; 2])?,
            activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
            epsilon: config.epsilon("layer_norm_eps", 1e-5)? as f32,
            classes: 0,
            stages: Some(stages(config)?),
            window: Some(config.count("window_size", 7)?),
        })
    }
}

fn stages(config: &Config) -> Result<Vec<[usize; 2]>> {
    let features = config.count("embed_dim", 96)?;
    let depths = config.counts("depths", &[2, 2, 6, 2])?;
    let heads = config.counts("num_heads", &[3, 6, 12, 24])?;
    if depths.len() != heads.len() || depths.len() > MOST_STAGES {
        return Err(config.wrong(
            "depths",
            &format!("a list of {} numbers, as `num_heads` has,", heads.len()),
        ));
    }
    if heads
        .iter()
        .enumerate()
        .any(|(stage, heads)| (features << stage) % heads != 0)
    {
        return Err(config.wrong("num_heads", "a list of divisors of the stages' features"));
    }
    Ok(depths.into_iter().zip(heads).map(Into::into).collect())
}

/// The sides of the windows that each stage was trained on; 0, and no number, stand for those of the network.
fn trained_windows(config: &Config) -> Result<Vec<usize>> {
    let numbers = config.numbers("pretrained_window_sizes")?.unwrap_or_default();
    let whole = |&number: &f64| number.fract() == 0.0 && (0.0..=f64::from(1 << 20)).contains(&number);
    if numbers.iter().all(whole) {
        Ok(numbers.into_iter().map(|number| number as usize).collect())
    } else {
        Err(config.wrong("pretrained_window_sizes", "a list of whole numbers"))
    }
}

pub(in crate::architectures) fn timm(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let name = config.text("architecture")?.unwrap_or_default();
    let arguments = config.section_or_empty("model_args")?;
    let [_, height, width] = repository.processor.counts_of("input_size", [3, 224, 224])?;
    let is_second = name.starts_with("swinv2_");
    let window = arguments.count_of("window_size")?;
    let names = repository::class_names(repository)?;
    Ok(Box::new(Swin {
        publisher: Publisher::Timm,
        version: if is_second {
            Version::Second {
                trained: trained_windows_of_name(name),
                apart: APART,
            }
        } else {
            Version::First
        },
        image: arguments.size("img_size", [height, width])?,
        activation: Activation::Gelu,
        epsilon: 1e-5,
        classes: names.map_or(0, |names| names.len()),
        stages: None,
        window: match (is_second, window.or(window_of_name(name))) {
            // The table of biases has a row for each distance.
            (false, _) => None,
            (true, Some(window)) => Some(window),
            (true, None) => {
                return Err(config.unsupported(
                    "architecture",
                    "a name with the windows' size, such as `window8`,",
                ));
            }
        },
    }))
}

/// 16 for `window16`, and for `window12to16`.
fn window_of_name(name: &str) -> Option<usize> {
    let sizes = name.split('_').find_map(|part| part.strip_prefix("window"))?;
    sizes.rsplit("to").next()?.parse().ok()
}

/// 12, 12, 12 and 6 for `window12to16`: the last stage was one window of 6 tokens.
fn trained_windows_of_name(name: &str) -> Vec<usize> {
    let sizes = name.split('_').find_map(|part| part.strip_prefix("window"));
    match sizes.and_then(|sizes| sizes.split_once("to")) {
        Some((trained, _)) => {
            let trained = trained.parse().unwrap_or(0);
            vec![trained, trained, trained, trained / 2]
        }
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_of_the_name() {
        assert_eq!(window_of_name("swinv2_tiny_window8_256"), Some(8));
        assert_eq!(window_of_name("swinv2_base_window12to24_192to384"), Some(24));
        assert_eq!(window_of_name("swinv2_none"), None);
        assert_eq!(
            trained_windows_of_name("swinv2_base_window12to24_192to384"),
            [12, 12, 12, 6]
        );
        assert!(trained_windows_of_name("swinv2_tiny_window8_256").is_empty());
    }
}
