use clap::{Args, ValueEnum, builder::FalseyValueParser};
use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

/// Options that every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Use what is on this machine, never the network
    #[arg(long, global = true, env = "MODELZOO_OFFLINE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub offline: bool,

    /// Refuse whatever would change the lock file
    #[arg(long, global = true, env = "MODELZOO_LOCKED", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub locked: bool,

    /// The lock file (default: modelzoo.lock in the current folder or above it)
    #[arg(
        long = "lock",
        global = true,
        value_name = "FILE",
        env = "MODELZOO_LOCK",
        hide_env_values = true,
        value_parser = clap::builder::OsStringValueParser::new()
    )]
    pub lock_file: Option<OsString>,

    /// Print nothing but data and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more of what happens (twice: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Draw no progress bars
    #[arg(long, global = true, env = "MODELZOO_NO_PROGRESS", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub no_progress: bool,

    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", env = COLOR_VARIABLE, hide_env_values = true)]
    pub color: Color,
}

impl Global {
    /// The lock file that the user names. An empty name is none, as an empty variable is.
    pub fn lock(&self) -> Option<&Path> {
        self.lock_file
            .as_deref()
            .filter(|name| !name.is_empty())
            .map(Path::new)
    }
}

/// Stands for `--color` where that is not given.
const COLOR_VARIABLE: &str = "MODELZOO_COLOR";

/// When to use colours. `auto` follows the terminal and the variable `NO_COLOR`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    // An empty variable says nothing.
    #[default]
    #[value(alias = "")]
    Auto,
    Always,
    Never,
}

impl Color {
    /// What the command line asks for, before it is understood as a whole: for help and for usage errors, which end
    /// that. Nonsense is left to whoever understands the whole.
    pub fn asked_for(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut asked = std::env::var_os(COLOR_VARIABLE);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            if argument == "--color" {
                asked = arguments.next();
            } else if let Some(value) = argument.to_str().and_then(|text| text.strip_prefix("--color=")) {
                asked = Some(value.into());
            }
        }
        let asked = asked.as_deref().and_then(OsStr::to_str).unwrap_or_default();
        Self::from_str(asked, true).unwrap_or_default()
    }
}

impl From<Color> for clap::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_known_wherever_they_are_asked_for() {
        let asked = |words: &[&str]| Color::asked_for(words.iter().map(OsString::from));
        assert_eq!(asked(&["modelzoo", "list", "--color=never"]), Color::Never);
        assert_eq!(asked(&["modelzoo", "--color", "always", "list"]), Color::Always);
        assert_eq!(asked(&["modelzoo", "--color", "perhaps"]), Color::Auto);
        assert_eq!(asked(&["modelzoo", "--color"]), Color::Auto);
    }
}
