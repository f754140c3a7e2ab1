//! What a process may reach.

use modelzoo_base::Sandbox;
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

/// Where a system keeps programs, and the libraries that they are loaded with.
const PROGRAMS: [&str; 9] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/nix/store",
    "/run/current-system",
];

/// Where a system keeps what loads a program's libraries. It counts as a program itself.
const LOADERS: [&str; 5] = ["/lib", "/lib32", "/lib64", "/usr/lib", "/nix/store"];

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

/// What kind of process is shut in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Conduct {
    /// It computes, and starts nothing.
    Computes,
    /// It is one program from beginning to end.
    IsOneProgram,
    /// It starts programs, which start others: a build.
    StartsPrograms,
}

/// What a process may reach besides its own memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Whether every layer must be had.
    pub sandbox: Sandbox,
    /// What kind of process it is.
    pub conduct: Conduct,
    /// Files and folders that it may read, with all that is in them.
    pub reads: Vec<PathBuf>,
    /// Files, devices and folders that it may also write to.
    pub writes: Vec<PathBuf>,
    /// Programs, or folders with them, that it may read and run.
    pub executes: Vec<PathBuf>,
    /// Whether its memory and the size of its files are limited: not where it drives a card, whose memory appears in
    /// its own, nor where it downloads.
    pub has_limited_size: bool,
}

impl Confinement {
    /// What every process may reach: the system's libraries, and what a system says of itself.
    pub fn new(sandbox: Sandbox, conduct: Conduct) -> Self {
        let mut reads: Vec<PathBuf> = SYSTEM.map(PathBuf::from).into();
        reads.extend(folders_of("LD_LIBRARY_PATH"));
        Self {
            sandbox,
            conduct,
            reads,
            writes: HARMLESS_DEVICES.map(PathBuf::from).into(),
            executes: Vec::new(),
            has_limited_size: true,
        }
    }

    /// Becomes this one program, an absolute path, and starts no other.
    pub fn of_program(sandbox: Sandbox, program: &Path) -> Self {
        let mut least = Self::new(sandbox, Conduct::IsOneProgram);
        least.executes.push(program.to_owned());
        least.executes.extend(LOADERS.map(PathBuf::from));
        least.executes.extend(folders_of("LD_LIBRARY_PATH"));
        least
    }

    /// Starts the system's programs: compilers, linkers and what else a build calls.
    pub fn of_build(sandbox: Sandbox) -> Self {
        let mut least = Self::new(sandbox, Conduct::StartsPrograms);
        least.executes.extend(PROGRAMS.map(PathBuf::from));
        least
    }

    /// Lets it read a file, or a folder and all that is in it.
    pub fn with_read(mut self, path: impl Into<PathBuf>) -> Self {
        self.reads.push(path.into());
        self
    }

    /// Lets it read and write a file, or a folder and all that is in it.
    pub fn with_write(mut self, path: impl Into<PathBuf>) -> Self {
        self.writes.push(path.into());
        self
    }

    /// Lets it read and run a program, or those in a folder.
    pub fn with_execute(mut self, path: impl Into<PathBuf>) -> Self {
        self.executes.push(path.into());
        self
    }

    /// Lets it read the weights at `path`, a folder, or a file and those beside it.
    pub fn with_weights(mut self, path: &Path) -> Self {
        // A link stands in the folder, and leads to its file.
        self.reads.push(path.to_owned());
        if path.is_file() {
            self.reads.extend(path.parent().map(Path::to_owned));
        }
        self
    }

    /// Lets it read what the links in the folder of weights lead to: a hub's cache is made of them. Only for code that is
    /// this program's own, because weights that a plugin made itself could lead anywhere.
    pub fn with_linked_files(mut self, weights: &Path) -> Self {
        let entries = fs_err::read_dir(weights).into_iter().flatten().flatten();
        let links = entries.map(|entry| entry.path()).filter(|path| path.is_symlink());
        self.reads
            .extend(links.filter_map(|link| fs_err::canonicalize(link).ok()));
        self
    }

    /// Lets it write into the folder of `path`, where it downloads to.
    pub fn with_download_to(mut self, path: &Path) -> Self {
        self.writes.extend(path.parent().map(Path::to_owned));
        self.has_limited_size = false;
        self
    }

    /// Lets it use NVIDIA's cards, where there are any.
    pub fn with_cuda(mut self) -> Self {
        if Path::new("/dev/nvidiactl").exists() {
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

    /// Whether a program in `folder` may be run.
    pub fn lets_run_in(&self, folder: &Path) -> bool {
        self.sandbox == Sandbox::Off || self.executes.iter().any(|allowed| folder.starts_with(allowed))
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
        let plain = Confinement::new(Sandbox::Auto, Conduct::Computes)
            .with_read("/store/plugin.so")
            .with_write("/tmp/own");
        assert!(plain.reads.contains(&PathBuf::from("/store/plugin.so")));
        assert!(plain.writes.contains(&PathBuf::from("/tmp/own")));
        assert!(!plain.reads.iter().any(|path| path == Path::new("/")));
        assert!(plain.executes.is_empty());
        let loading = plain.clone().with_weights(&weights);
        assert_eq!(loading.reads.last().unwrap(), folder.path());
        assert_eq!(loading.writes, plain.writes);
        let downloading = plain.clone().with_download_to(&weights);
        assert_eq!(downloading.writes.last().unwrap(), folder.path());
        assert!(!downloading.has_limited_size);
    }

    #[test]
    fn programs_run_from_where_the_system_has_them() {
        let build = Confinement::of_build(Sandbox::Auto).with_execute("/home/user/rust");
        for (folder, is_allowed) in [
            ("/usr/bin", true),
            ("/home/user/rust/bin", true),
            ("/home/user/bin", false),
        ] {
            assert_eq!(build.lets_run_in(Path::new(folder)), is_allowed, "{folder}");
        }
        assert!(Confinement::of_build(Sandbox::Off).lets_run_in(Path::new("/home/user/bin")));
        assert!(
            !Confinement::of_program(Sandbox::Auto, Path::new("/usr/bin/true"))
                .lets_run_in(Path::new("/usr/bin"))
        );
    }
}
