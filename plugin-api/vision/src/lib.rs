//! Published vision models as they are: a folder with a `config.json` and its weights becomes a running model, and no
//! code of it is ever run.
//!
//! [`PublishedModels`] is a [`ModelSource`](modelzoo_plugin_api::ModelSource) like that of any plugin. It reads what
//! Hugging Face's transformers and timm write:
//!
//! | module | what it has |
//! |---|---|
//! | `repository` | `config.json` and its like, value by value, with errors that name file and key |
//! | `checkpoint` | the weights: safetensors, shards, and PyTorch's pickles without running them |
//! | `processing` | the preprocessing as published |
//! | `bilinear` | values between those of a map |
//! | `architectures` | a file for each family of networks, and a line for each in the registry |
//! | `prompts` | masks of what prompts point at |
//! | `regions` | what a second look at parts of a picture finds |
//! | `text` | texts to embeddings that are comparable to pictures' |
//! | `tasks` | from a network's outputs to labels, once for all architectures |
//!
//! ```no_run
//! use modelzoo_plugin_api::{Image, LoadOptions, ModelSource, PredictOptions};
//! use modelzoo_vision::PublishedModels;
//!
//! let model = PublishedModels.load_model("", "vit-base-patch16-224".as_ref(), LoadOptions::default())?;
//! let pixels = vec![128; 640 * 480 * 3];
//! println!("{:?}", model.predict(&Image::new(640, 480, &pixels)?, &PredictOptions::default())?);
//! # Ok::<(), modelzoo_plugin_api::Error>(())
//! ```
#![deny(missing_docs)]

mod architectures;
mod bilinear;
mod checkpoint;
#[cfg(test)]
mod parity;
mod processing;
mod prompts;
mod regions;
mod repository;
mod runner;
mod settings;
mod source;
mod tasks;
mod text;

pub use checkpoint::{Converted, WEIGHT_FILES, convert};
pub use settings::{ImageSize, Names, Settings};
pub use source::{PublishedModels, check, check_deployment, network};

modelzoo_plugin_api::source_root!(
    /// The root of [`PublishedModels`] for a program that it is linked into.
    pub fn root() for PublishedModels
);
