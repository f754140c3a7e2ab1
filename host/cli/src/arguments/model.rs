use super::number;
use clap::{Args, ValueEnum};
use modelzoo::{
    Isolation, Sandbox,
    config::PluginConfig,
    plugin_api::{Device, Precision},
};
use std::{
    num::{NonZeroUsize, ParseIntError},
    str::FromStr,
    time::Duration,
};

/// Which model.
#[derive(Clone, Debug, Args)]
pub struct ModelChoice {
    /// A model's name, or a source: user/repo[@ref], a Git or archive URL, a local folder
    pub model: String,

    /// Which model of the source
    #[arg(short = 'n', long = "model-name", value_name = "NAME")]
    pub name: Option<String>,
}

/// Which model, and how to load it.
#[derive(Clone, Debug, Args)]
pub struct ModelArguments {
    #[command(flatten)]
    pub choice: ModelChoice,

    #[command(flatten)]
    pub options: ModelOptions,

    #[command(flatten)]
    pub run: PluginRunArguments,
}

/// How the plugin is run.
#[derive(Clone, Debug, Default, Args)]
pub struct PluginRunArguments {
    /// Run the plugin in a process of its own, or in this one
    #[arg(long, value_enum, default_value_t, value_name = "HOW", help_heading = "Model")]
    pub isolation: IsolationArgument,

    /// Shut plugins, their builds and FFmpeg in: auto with what this system has, on with everything or not at all, off
    #[arg(long, value_name = "WHETHER", help_heading = "Model")]
    pub sandbox: Option<Sandbox>,

    /// Build the plugin from its source, also where its author compiled one
    #[arg(long, conflicts_with = "prebuilt", help_heading = "Model")]
    pub build: bool,

    /// Take the plugin that its author compiled, or none
    #[arg(long, help_heading = "Model")]
    pub prebuilt: bool,

    /// End the plugin's process when it gives no sign of life for so long; 0 waits for ever (default: 600)
    #[arg(long, value_name = "SECONDS", value_parser = stall_timeout, help_heading = "Model")]
    pub stall_timeout: Option<Duration>,
}

/// What a loaded model is told.
#[derive(Clone, Debug, Default, Args)]
pub struct ModelOptions {
    /// Set an option of the model; VALUE is JSON, or text as it stands
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = "Model")]
    pub settings: Vec<Setting>,

    /// Where to run: auto, cpu, cuda:N or metal
    #[arg(long, value_name = "DEVICE", help_heading = "Model")]
    pub device: Option<Device>,

    /// What to compute with: f32, bf16, int8 (calibrated on the first pictures), or auto, which is bf16 where the machine
    /// multiplies it faster
    #[arg(long, value_name = "PRECISION", default_value_t, help_heading = "Model")]
    pub precision: Precision,

    /// How many threads the model may use (default: every core)
    #[arg(long, value_name = "N", value_parser = number::threads, help_heading = "Model")]
    pub threads: Option<NonZeroUsize>,
}

/// Where the plugin's code runs. Its values have no help texts: they would make clap set every option of the help
/// apart by blank lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum IsolationArgument {
    // In a process of its own: a crash costs one picture.
    #[default]
    Process,
    // In this process: a crash ends the program.
    None,
}

impl From<IsolationArgument> for Isolation {
    fn from(argument: IsolationArgument) -> Self {
        match argument {
            IsolationArgument::Process => Self::Process,
            IsolationArgument::None => Self::None,
        }
    }
}

fn stall_timeout(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(PluginConfig::stall_timeout)
}

/// An option of the model, `key=value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub key: String,
    pub value: serde_json::Value,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .ok_or("it has the form KEY=VALUE, for example top=5".to_owned())?;
        if key.is_empty() {
            return Err("the key is missing before =".to_owned());
        }
        // JSON where it is JSON, text otherwise: so that neither numbers nor words need quotes.
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        Ok(Self {
            key: key.to_owned(),
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_json_or_text() {
        let value = |text: &str| text.parse::<Setting>().unwrap().value;
        assert_eq!(value("top=5"), json!(5));
        assert_eq!(value("name=five"), json!("five"));
        assert_eq!(value("list=[1, 2]"), json!([1, 2]));
        assert_eq!(value("formula=a=b"), json!("a=b"));
        assert!("top".parse::<Setting>().is_err());
        assert!("=5".parse::<Setting>().is_err());
    }
}
