//! What cargo, and with it the build scripts of other people's crates, get to see of the host's environment.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// What both phases get: where things are, and how the machine's own tools are to be used.
const ALLOWED: [&str; 24] = [
    "AR",
    "CARGO_BUILD_JOBS",
    "CC",
    "CFLAGS",
    "CPATH",
    "CUDA_COMPUTE_CAP",
    "CUDA_HOME",
    "CUDA_PATH",
    "CUDA_ROOT",
    "CXX",
    "CXXFLAGS",
    "DEVELOPER_DIR",
    "LANG",
    "LC_ALL",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "LOGNAME",
    "NVCC_CCBIN",
    "PKG_CONFIG_PATH",
    "RUSTUP_HOME",
    "SDKROOT",
    "SYSTEMROOT",
    "USER",
];

/// What fetching gets besides: the user's own settings of cargo, how to reach the network, and the keys for private Git
/// dependencies.
const ALLOWED_TO_FETCH: [&str; 17] = [
    "ALL_PROXY",
    "CARGO_HOME",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_PROXY",
    "CARGO_NET_GIT_FETCH_WITH_CLI",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TEMP",
    "TMP",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
];

/// What a build gets that is not shut in: a cache of compiled crates, which has a process of its own.
const ALLOWED_OUTSIDE: [&str; 3] = ["RUSTC_WRAPPER", "SCCACHE_CACHE_SIZE", "SCCACHE_DIR"];

/// The variables that list folders with what a build reads.
const FOLDERS: [&str; 7] = [
    "CPATH",
    "CUDA_HOME",
    "CUDA_PATH",
    "CUDA_ROOT",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "PKG_CONFIG_PATH",
];

/// The variables that name programs.
const PROGRAMS: [&str; 4] = ["AR", "CC", "CXX", "NVCC_CCBIN"];

/// The variables of this process that both phases get.
pub(super) fn for_both() -> impl Iterator<Item = (OsString, OsString)> {
    chosen(&ALLOWED)
}

/// The variables of this process that fetching gets besides.
pub(super) fn for_fetching() -> impl Iterator<Item = (OsString, OsString)> {
    chosen(&ALLOWED_TO_FETCH)
}

/// The variables of this process that a build gets besides which is not shut in.
pub(super) fn for_building_outside() -> impl Iterator<Item = (OsString, OsString)> {
    chosen(&ALLOWED_OUTSIDE)
}

/// Where the tools and libraries are that the user named for builds.
pub(super) fn named_folders() -> impl Iterator<Item = PathBuf> {
    let folders = FOLDERS
        .iter()
        .filter_map(env::var_os)
        .flat_map(|list| env::split_paths(&list).collect::<Vec<_>>());
    let programs = PROGRAMS
        .iter()
        .filter_map(env::var_os)
        .filter_map(|program| Path::new(&program).parent().map(Path::to_owned));
    folders.chain(programs).filter(|folder| folder.is_absolute())
}

fn chosen(names: &'static [&'static str]) -> impl Iterator<Item = (OsString, OsString)> {
    names
        .iter()
        .filter_map(|name| env::var_os(name).map(|value| (OsString::from(name), value)))
}
