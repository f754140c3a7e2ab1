//! A model source that does what a plugin must not do, where and when its settings say so.

use modelzoo_plugin_api::{label::Regression, prelude::*};
use serde::Deserialize;
use std::{fs::File, io::Write as _, os::fd::FromRawFd as _, path::Path, time::Duration};

#[derive(Default)]
struct Source;

export_source!(Source);

/// What the plugin may do.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Deed {
    /// What it should.
    #[default]
    Nothing,
    /// Give an error.
    Fail,
    /// Panic.
    Panic,
    /// End the process with SIGABRT.
    Abort,
    /// End the process with exit code 7.
    Exit,
    /// Read where nothing is.
    Crash,
    /// Use up the stack.
    Overflow,
    /// Ask for memory until there is no more.
    Exhaust,
    /// Close what the process talks to its host through.
    Mute,
    /// Say something there that nobody understands.
    Babble,
    /// Not come back.
    Hang,
    /// Print without end.
    Flood,
    /// Take three seconds, and tell how far it is.
    Toil,
    /// Give fewer results than there are pictures.
    Miscount,
}

/// What it does when. Deeds on black pictures hit whole batches as well.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// When it is loaded.
    load: Deed,
    /// When it sees a picture whose first byte is 0.
    black: Deed,
    /// When it is dropped.
    drop: Deed,
}

impl Deed {
    fn perform(self, host: Host) -> Result<()> {
        match self {
            Self::Nothing | Self::Miscount => Ok(()),
            Self::Fail => Err(Error::new("this failed on purpose")),
            Self::Panic => panic!("this panicked on purpose"),
            Self::Abort => {
                eprintln!("this aborts on purpose");
                std::process::abort()
            }
            Self::Exit => std::process::exit(7),
            Self::Crash => {
                // SAFETY: there is none: this is a crash on purpose, of the process that runs the plugin.
                unsafe { std::ptr::without_provenance::<u8>(8).read_volatile() };
                Ok(())
            }
            Self::Overflow => Err(Error::new(overflow(0).to_string())),
            Self::Exhaust => loop {
                // Nobody writes to it: it is only promised.
                std::mem::forget(std::hint::black_box(Vec::<u8>::with_capacity(1 << 32)));
            },
            Self::Mute => {
                sockets().for_each(drop);
                Ok(())
            }
            Self::Babble => {
                for mut socket in sockets() {
                    // Some of the numbers are no sockets.
                    let _ = socket.write_all(&[0xa5; 64]);
                    std::mem::forget(socket);
                }
                Ok(())
            }
            Self::Flood => loop {
                eprintln!("this is printed on purpose");
            },
            Self::Hang => loop {
                std::thread::sleep(Duration::from_secs(60));
            },
            Self::Toil => {
                for step in 0..30 {
                    host.progress("toiling", step, Some(30));
                    std::thread::sleep(Duration::from_millis(100));
                }
                Ok(())
            }
        }
    }
}

/// Calls itself.
#[allow(unconditional_recursion, reason = "that is what it is for")]
fn overflow(depth: u64) -> u64 {
    let on_stack = std::hint::black_box([depth; 1024]);
    overflow(depth + 1) + on_stack[7]
}

/// What the process has open besides its standard streams.
fn sockets() -> impl Iterator<Item = File> {
    // SAFETY: there is none: somebody else's files are used, on purpose.
    (3..64).map(|number| unsafe { File::from_raw_fd(number) })
}

impl ModelSource for Source {
    fn load_model(&self, _name: &str, _path: &Path, options: LoadOptions) -> Result<Box<dyn Model>> {
        let settings: Settings = options.settings()?;
        settings.load.perform(options.host)?;
        Ok(Box::new(Misbehaving {
            settings,
            host: options.host,
        }))
    }
}

struct Misbehaving {
    settings: Settings,
    host: Host,
}

impl Model for Misbehaving {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
    }

    /// The first byte of the picture, where all goes well.
    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        let first = image.pixels()[0];
        if first == 0 {
            self.settings.black.perform(self.host)?;
        }
        Ok(Regression::new(first.into()).into())
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let mut results: Vec<Result<Output>> =
            images.iter().map(|image| self.predict(image, options)).collect();
        if matches!(self.settings.black, Deed::Miscount) && images.iter().any(|image| image.pixels()[0] == 0)
        {
            results.pop();
        }
        Ok(results)
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        let _: Result<()> = self.settings.drop.perform(self.host);
    }
}
