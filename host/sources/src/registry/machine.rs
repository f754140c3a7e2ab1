//! What this machine has, as far as models ask for it.
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What a machine and its host offer to plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The version of the plugin API.
    pub api_version: semver::Version,
    /// The target triple.
    pub target: String,
    /// Cargo features that the host turns on in plugins: `cuda` and `metal`, for example.
    pub features: Vec<String>,
    /// The GPU, where there is one.
    pub gpu: Option<Gpu>,
    /// The folders in which libraries are looked for.
    pub library_dirs: Vec<PathBuf>,
}

/// A GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gpu {
    /// Whether it speaks CUDA.
    pub is_nvidia: bool,
    /// The CUDA version of its driver.
    pub cuda_version: Option<String>,
    /// The version of cuDNN that is installed.
    pub cudnn_version: Option<String>,
}

impl Machine {
    /// This machine, for a host with the plugin API `api_version` that turns these features on in plugins built for the
    /// target triple `target`.
    pub fn detect(api_version: semver::Version, target: impl Into<String>, features: Vec<String>) -> Self {
        let library_dirs = library_dirs();
        let gpu = detect_gpu(&library_dirs);
        Self {
            api_version,
            target: target.into(),
            features,
            gpu,
            library_dirs,
        }
    }

    /// Whether the library that the linker knows as `name` is installed.
    pub fn has_library(&self, name: &str) -> bool {
        find_library(&self.library_dirs, name).is_some()
    }
}

/// Where the dynamic linker looks.
fn library_dirs() -> Vec<PathBuf> {
    let variable = if cfg!(target_os = "macos") {
        "DYLD_LIBRARY_PATH"
    } else {
        "LD_LIBRARY_PATH"
    };
    let own = std::env::var_os(variable).unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&own)
        .filter(|folder| folder.is_absolute())
        .collect();
    let multiarch = format!("{}-linux-gnu", std::env::consts::ARCH);
    for base in [
        "/usr/local/lib",
        "/lib",
        "/usr/lib",
        "/lib64",
        "/usr/lib64",
        "/usr/local/cuda/lib64",
        "/opt/homebrew/lib",
    ] {
        folders.push(PathBuf::from(base));
        folders.push(Path::new(base).join(&multiarch));
    }
    folders
}

/// A file `libNAME.so`, `libNAME.so.3` or `libNAME.dylib`.
fn find_library(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    let stem = format!("lib{name}.");
    let is_it = |file: &str| {
        let ending = file.strip_prefix(&stem);
        ending.is_some_and(|ending| ending == "so" || ending.starts_with("so.") || ending.ends_with("dylib"))
    };
    folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten())
        .find(|entry| entry.file_name().to_str().is_some_and(is_it))
        .map(|entry| entry.path())
}

fn detect_gpu(library_dirs: &[PathBuf]) -> Option<Gpu> {
    if Path::new("/proc/driver/nvidia/version").exists() {
        return Some(Gpu {
            is_nvidia: true,
            cuda_version: cuda_version(),
            cudnn_version: cudnn_version(library_dirs),
        });
    }
    // Every machine with this system has a GPU that speaks Metal.
    cfg!(target_os = "macos").then(Gpu::default)
}

/// The version that the driver supports; its tool prints it in the head of its table.
fn cuda_version() -> Option<String> {
    let output = Command::new("nvidia-smi").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split("CUDA Version:").nth(1)?.split_whitespace().next()?;
    Some(version.to_owned())
}

/// `9.1.0` of `libcudnn.so.9.1.0`; the first number of `libcudnn.so.9`.
fn cudnn_version(library_dirs: &[PathBuf]) -> Option<String> {
    let path = find_library(library_dirs, "cudnn")?;
    let path = std::fs::canonicalize(&path).unwrap_or(path);
    Some(path.file_name()?.to_str()?.split_once(".so.")?.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_found_by_their_name_for_the_linker() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["libssl.so.3", "libssl_extra.so", "libz.a"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let folders = [PathBuf::from("/no/such/folder"), folder.path().to_owned()];
        assert!(find_library(&folders, "ssl").unwrap().ends_with("libssl.so.3"));
        assert!(find_library(&folders, "ssl_extra").is_some());
        assert!(find_library(&folders, "z").is_none() && find_library(&folders, "").is_none());
    }
}
