use super::ModelArguments;
use clap::Args;
use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

/// What to run over, and where the results go.
#[derive(Clone, Debug, Args)]
pub struct InputArguments {
    /// Pictures (folders, globs, files, .txt files that list them), then the field that the results go to
    #[arg(required = true, value_name = "INPUT]... [FIELD")]
    inputs_and_field: Vec<String>,

    /// Where the results go; without it they go to standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,

    /// How many pictures the model gets at once
    #[arg(short, long, value_name = "N", help_heading = "Speed")]
    pub batch_size: Option<NonZeroUsize>,

    /// How many threads decode pictures (default: every core)
    #[arg(long, value_name = "N", help_heading = "Speed")]
    pub workers: Option<NonZeroUsize>,

    /// Refuse pictures with more pixels than this
    #[arg(long, value_name = "N", help_heading = "Speed")]
    pub max_pixels: Option<u64>,
}

impl InputArguments {
    /// The inputs, without the field.
    pub fn inputs(&self) -> &[String] {
        self.split().0
    }

    /// The field that the results go to, where the user names one.
    pub fn field(&self) -> Option<&str> {
        self.split().1
    }

    /// The last of several words is the field, if it looks like a field's name and there is no such file.
    fn split(&self) -> (&[String], Option<&str>) {
        match self.inputs_and_field.split_last() {
            Some((last, inputs))
                if !inputs.is_empty() && is_field_name(last) && !Path::new(last).exists() =>
            {
                (inputs, Some(last))
            }
            _ => (&self.inputs_and_field, None),
        }
    }
}

/// Whether `text` can name a field: letters, digits and `_`, no digit first; `frames.` before it names one of frames.
fn is_field_name(text: &str) -> bool {
    let name = text.strip_prefix("frames.").unwrap_or(text);
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
}

#[derive(Clone, Debug, Args)]
pub struct ApplyArguments {
    #[command(flatten)]
    pub model: ModelArguments,

    #[command(flatten)]
    pub input: InputArguments,

    /// Leave out what the model is less sure of, 0 to 1
    #[arg(short = 't', long, value_name = "T", value_parser = confidence, help_heading = "Labels")]
    pub confidence_thresh: Option<f64>,

    /// Keep only these classes
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Labels")]
    pub classes: Option<Vec<String>>,

    /// Store the raw scores of all classes
    #[arg(long, help_heading = "Labels")]
    pub store_logits: bool,

    /// Draw the labels on copies of the pictures in this folder
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub annotate: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct EmbedArguments {
    #[command(flatten)]
    pub model: ModelArguments,

    #[command(flatten)]
    pub input: InputArguments,
}

fn confidence(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("it is a number from 0 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(words: &[&str]) -> (Vec<String>, Option<String>) {
        let arguments = InputArguments {
            inputs_and_field: words.iter().map(|&word| word.to_owned()).collect(),
            output: None,
            batch_size: None,
            workers: None,
            max_pixels: None,
        };
        (arguments.inputs().to_vec(), arguments.field().map(str::to_owned))
    }

    #[test]
    fn the_last_word_is_the_field_unless_it_is_an_input() {
        assert_eq!(split(&["photos"]), (vec!["photos".to_owned()], None));
        assert_eq!(
            split(&["photos", "people"]),
            (vec!["photos".to_owned()], Some("people".to_owned()))
        );
        assert_eq!(split(&["a.jpg", "b.jpg"]).1, None);
        assert_eq!(
            split(&["a.mp4", "frames.people"]).1,
            Some("frames.people".to_owned())
        );
        // A folder of the package is an input, though it looks like a field.
        assert_eq!(split(&["Cargo.toml", "src"]).1, None);
    }
}
