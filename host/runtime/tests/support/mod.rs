//! What the tests of building and running plugins share.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use modelzoo_base::progress::NoObserver;
use modelzoo_plugin_api::{Image, LoadOptions};
use modelzoo_runtime::{
    Artifact, BuildError, BuildRequest, Builder, BuiltPlugin, DefaultServices, HostServices, Isolation,
    LoadedModel, PluginRunner, RuntimeError,
};
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The sample plugin of this name, built.
pub fn plugin(name: &str) -> Artifact {
    build(&sample(name)).unwrap().artifact
}

/// The source of a sample plugin.
pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/plugins")
        .join(name)
}

/// The builder of all tests: what one of them compiled is there for the others.
pub fn builder() -> Builder {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Builder::new(folder.join("build"), folder.join("artifacts")).with_guard_program(worker_program())
}

/// The program that is started as a worker and as a guard.
pub fn worker_program() -> PathBuf {
    std::env::var_os("CARGO_BIN_EXE_modelzoo-worker")
        .expect("cargo names a crate's programs to its tests")
        .into()
}

/// Builds the source in a folder.
pub fn build(source: &Path) -> Result<BuiltPlugin, BuildError> {
    builder().build(&request(source), &NoObserver)
}

/// A request to build the source in a folder as it is now.
pub fn request(source: &Path) -> BuildRequest {
    let mut hasher = DefaultHasher::new();
    hash(source, &mut hasher);
    BuildRequest::new(source, hasher.finish().to_string(), source.to_str().unwrap())
}

fn hash(path: &Path, hasher: &mut DefaultHasher) {
    path.file_name().hash(hasher);
    if path.is_dir() {
        let mut entries: Vec<_> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        entries.iter().for_each(|entry| hash(entry, hasher));
    } else {
        std::fs::read(path).unwrap().hash(hasher);
    }
}

/// Runs a plugin with the worker program of this crate: the program of a test cannot be one.
pub fn runner(artifact: Artifact, isolation: Isolation) -> PluginRunner {
    runner_with(artifact, isolation, Arc::new(DefaultServices))
}

/// As [`runner`], with services of the test's own.
pub fn runner_with(
    artifact: Artifact,
    isolation: Isolation,
    services: Arc<dyn HostServices>,
) -> PluginRunner {
    PluginRunner::new(artifact, services)
        .with_isolation(isolation)
        .with_worker_program(worker_program())
}

/// Loads the only model of a plugin with these settings.
pub fn load(
    runner: &PluginRunner,
    settings: serde_json::Value,
) -> Result<Box<dyn LoadedModel>, RuntimeError> {
    let mut options = LoadOptions::default();
    options.settings = settings.as_object().unwrap().clone();
    runner.load_model("test/model", Path::new("/nowhere"), options)
}

/// A picture of one colour.
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// A grey picture.
    pub fn grey(width: usize, height: usize, grey: u8) -> Self {
        Self {
            width,
            height,
            pixels: vec![grey; width * height * 3],
        }
    }

    /// As plugins take it.
    pub fn image(&self) -> Image<'_> {
        Image::new(self.width, self.height, &self.pixels).unwrap()
    }
}
