//! What a plugin's process may reach.

use modelzoo_base::Sandbox;
use modelzoo_plugin_api::Device;
use serde::{Deserialize, Serialize};
use std::{
    env,
    path::{Path, PathBuf},
};

/// Where a system keeps libraries, their data and what it says of itself. Nothing there is a secret; what `/proc` has of
/// processes outside of the sandbox, their memory and environment, Landlock closes by itself.
const SYSTEM: [&str; 15] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/run/current-system",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/proc",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/dev/random",
    "/dev/urandom",
];

/// Devices that keep nothing.
const HARMLESS_DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];

/// What CUDA needs: its devices, what the system says of them, and the memory that its processes share.
const CUDA_READ: [&str; 4] = [
    "/sys/bus/pci",
    "/sys/devices",
    "/sys/module/nvidia",
    "/etc/OpenCL",
];
/// The devices and folders that it writes to.
const CUDA_WRITE: [&str; 6] = [
    "/dev/nvidiactl",
    "/dev/nvidia-uvm",
    "/dev/nvidia-uvm-tools",
    "/dev/nvidia-modeset",
    "/dev/nvidia-caps",
    "/dev/shm",
];

/// What a plugin's process may reach besides its own memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Confinement {
    /// Whether every layer must be had.
    pub(crate) sandbox: Sandbox,
    /// Files and folders that it may read, with all that is in them.
    pub(crate) reads: Vec<PathBuf>,
    /// Files, devices and folders that it may also write to.
    pub(crate) writes: Vec<PathBuf>,
    /// Whether its memory and the size of its files are limited: not where it drives a card, whose memory appears in
    /// its own, nor where it downloads.
    pub(crate) has_limited_size: bool,
}

impl Confinement {
    /// What every plugin may reach: its library, where it is one, the program that opens it (for the names in a backtrace), the system's
    /// libraries, and the folder `temporary`.
    pub(crate) fn new(sandbox: Sandbox, library: Option<&Path>, program: &Path, temporary: &Path) -> Self {
        let mut reads: Vec<PathBuf> = SYSTEM.map(PathBuf::from).into();
        reads.extend(library.into_iter().chain([program]).map(Path::to_owned));
        reads.extend(folders_of("LD_LIBRARY_PATH"));
        let mut writes: Vec<PathBuf> = HARMLESS_DEVICES.map(PathBuf::from).into();
        writes.push(temporary.to_owned());
        Self {
            sandbox,
            reads,
            writes,
            has_limited_size: true,
        }
    }

    /// Lets it read the weights at `path`, a folder, or a file and those beside it.
    pub(crate) fn with_weights(mut self, path: &Path) -> Self {
        // A link stands in the folder, and leads to its file.
        self.reads.push(path.to_owned());
        if path.is_file() {
            self.reads.extend(path.parent().map(Path::to_owned));
        }
        self
    }

    /// Lets it read what the links in the folder of weights lead to: a hub's cache is made of them. Only for code that is
    /// this program's own, because weights that a plugin made itself could lead anywhere.
    pub(crate) fn with_linked_files(mut self, weights: &Path) -> Self {
        let entries = fs_err::read_dir(weights).into_iter().flatten().flatten();
        let links = entries.map(|entry| entry.path()).filter(|path| path.is_symlink());
        self.reads
            .extend(links.filter_map(|link| fs_err::canonicalize(link).ok()));
        self
    }

    /// Lets it write into the folder of `path`, where it downloads to.
    pub(crate) fn with_download_to(mut self, path: &Path) -> Self {
        self.writes.extend(path.parent().map(Path::to_owned));
        self.has_limited_size = false;
        self
    }

    /// Lets it use the device that was asked for, and no other.
    pub(crate) fn with_device(mut self, device: Device) -> Self {
        let is_there = Path::new("/dev/nvidiactl").exists();
        if is_there && matches!(device, Device::Auto | Device::Cuda(_)) {
            self.reads.extend(CUDA_READ.map(PathBuf::from));
            for variable in ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"] {
                self.reads.extend(folders_of(variable));
            }
            self.writes.extend(CUDA_WRITE.map(PathBuf::from));
            self.writes.extend(cards());
            self.has_limited_size = false;
        }
        self
    }
}

/// The device files of the cards: of all of them, because CUDA numbers them in an order of its own.
fn cards() -> impl Iterator<Item = PathBuf> {
    (0..64)
        .map(|number| PathBuf::from(format!("/dev/nvidia{number}")))
        .filter(|path| path.exists())
}

/// The folders that a variable of this process lists.
fn folders_of(variable: &str) -> Vec<PathBuf> {
    let list = env::var_os(variable).unwrap_or_default();
    env::split_paths(&list)
        .filter(|path| path.is_absolute())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let weights = folder.path().join("weights.safetensors");
        std::fs::write(&weights, "").unwrap();
        let plain = Confinement::new(
            Sandbox::Auto,
            Some(Path::new("/store/plugin.so")),
            Path::new("/bin/modelzoo"),
            Path::new("/tmp/own"),
        );
        assert!(plain.reads.contains(&PathBuf::from("/store/plugin.so")));
        assert!(plain.writes.contains(&PathBuf::from("/tmp/own")));
        assert!(!plain.reads.iter().any(|path| path == Path::new("/")));
        let loading = plain.clone().with_weights(&weights);
        assert_eq!(loading.reads.last().unwrap(), folder.path());
        assert_eq!(loading.writes, plain.writes);
        let downloading = plain.clone().with_download_to(&weights);
        assert_eq!(downloading.writes.last().unwrap(), folder.path());
        assert!(!downloading.has_limited_size);
        assert_eq!(plain.clone().with_device(Device::Cpu), plain);
    }
}
