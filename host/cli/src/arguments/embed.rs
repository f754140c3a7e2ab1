use super::{InputArguments, ModelArguments, number};
use clap::{Args, ValueEnum};
use modelzoo::{EmbedOptions, HandleMissing, PatchGeometry, PatchOptions};

#[derive(Clone, Debug, Args)]
pub struct EmbedArguments {
    #[command(flatten)]
    pub model: ModelArguments,

    #[command(flatten)]
    pub input: InputArguments,

    /// Embed the objects in this field of the samples, each by itself; FIELD is then their attribute
    #[arg(long, value_name = "FIELD", help_heading = "Patches")]
    pub patches: Option<String>,

    /// Let patches be larger than their objects by this much of their size, or smaller, below 0
    #[arg(long, value_name = "A", value_parser = number::alpha, allow_negative_numbers = true, requires = "patches", help_heading = "Patches")]
    pub alpha: Option<f64>,

    /// Make patches square
    #[arg(long, requires = "patches", help_heading = "Patches")]
    pub force_square: bool,

    /// What to do about samples without objects: skip them, embed the whole image, or count them as failed
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "HOW",
        help_heading = "Patches"
    )]
    pub handle_missing: MissingArgument,

    /// Embed this text instead of pictures (may be given several times)
    #[arg(
        long,
        value_name = "TEXT",
        conflicts_with_all = ["inputs_and_field", "shard"],
        help_heading = "Texts"
    )]
    pub prompt: Vec<String>,

    /// Embed these texts instead of pictures
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        conflicts_with_all = ["inputs_and_field", "shard"],
        help_heading = "Texts"
    )]
    pub prompts: Vec<String>,
}

impl EmbedArguments {
    /// How pictures and frames are embedded.
    pub fn options(&self) -> EmbedOptions {
        let mut options = EmbedOptions {
            run: self.input.run_options(),
            ..EmbedOptions::default()
        };
        if let Some(field) = self.input.field() {
            field.clone_into(&mut options.embeddings_field);
        }
        options
    }

    /// How patches are embedded, where they are what is to be.
    pub fn patch_options(&self) -> Option<PatchOptions> {
        let mut options = PatchOptions::new(self.patches.as_ref()?);
        options.run = self.input.run_options();
        options.geometry = PatchGeometry {
            alpha: self.alpha,
            force_square: self.force_square,
        };
        options.handle_missing = match self.handle_missing {
            MissingArgument::Skip => HandleMissing::Skip,
            MissingArgument::Image => HandleMissing::Image,
            MissingArgument::Error => HandleMissing::Error,
        };
        if let Some(field) = self.input.field() {
            field.clone_into(&mut options.embeddings_field);
        }
        Some(options)
    }

    /// The texts to embed.
    pub fn all_prompts(&self) -> Vec<String> {
        self.prompt.iter().chain(&self.prompts).cloned().collect()
    }
}

/// What to do about samples without patches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MissingArgument {
    // They get no embedding.
    #[default]
    Skip,
    // The whole picture is embedded.
    Image,
    // They fail.
    Error,
}
