//! A model source that tries to get out of its process when it is loaded, and says what came of it.
//!
//! It does no harm where it succeeds: it opens, looks, and leaves.

use hostile_attempts::{Targets, files, line, lines, network, processes};
use modelzoo_plugin_api::prelude::*;
use serde::Deserialize;
use std::{
    io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

hostile_macros::attack!();

#[derive(Default)]
struct Source;

export_source!(Source);

/// What the attempts aim at.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// A file that the plugin has no business with, in a folder of its own.
    secret: PathBuf,
    /// A port of this machine at which somebody listens.
    port: u16,
    /// A Unix socket at which somebody listens.
    socket: PathBuf,
    /// A process that is none of the plugin's.
    victim: u32,
}

/// What came of the attempts that ran when the library was opened, before anybody called it.
static AT_OPENING: OnceLock<Vec<(&'static str, io::Result<()>)>> = OnceLock::new();

extern "C" fn when_opened() {
    AT_OPENING.get_or_init(|| {
        vec![
            ("constructor reads", files::open_to_read(Path::new("/etc/passwd"))),
            (
                "constructor opens a socket",
                network::socket(libc::AF_INET, libc::SOCK_STREAM),
            ),
            ("constructor starts a process", processes::fork()),
        ]
    });
}

/// The loader calls what stands in this section.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = when_opened;

impl ModelSource for Source {
    /// Fails with a line for each attempt: its name, and `done` or why it was refused.
    fn load_model(&self, _name: &str, path: &Path, options: LoadOptions) -> Result<Box<dyn Model>> {
        let settings: Settings = options.settings()?;
        let opening = AT_OPENING.get().into_iter().flatten();
        let mut all: Vec<String> = opening.map(|(name, result)| line(name, result)).collect();
        let targets = Targets {
            secret: settings.secret,
            port: settings.port,
            socket: settings.socket,
            victim: settings.victim,
        };
        all.extend(lines(&targets, path));
        Err(Error::new(all.join("\n")))
    }
}
