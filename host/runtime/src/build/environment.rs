//! What cargo, and with it the build scripts of other people's crates, get to see of the host's environment.

use std::ffi::OsString;

/// What both phases get: where things are, and how the machine's own tools are to be used.
const ALLOWED: [&str; 32] = [
    "AR",
    "CARGO_BUILD_JOBS",
    "CARGO_HOME",
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
    "HOME",
    "LANG",
    "LC_ALL",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "LOGNAME",
    "NVCC_CCBIN",
    "PKG_CONFIG_PATH",
    "RUSTC_WRAPPER",
    "RUSTUP_HOME",
    "SCCACHE_CACHE_SIZE",
    "SCCACHE_DIR",
    "SDKROOT",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USER",
];

/// What fetching gets besides: how to reach the network, and the keys for private Git dependencies.
const ALLOWED_TO_FETCH: [&str; 12] = [
    "ALL_PROXY",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_PROXY",
    "CARGO_NET_GIT_FETCH_WITH_CLI",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
];

/// The variables of this process that a build gets.
pub(super) fn for_building() -> impl Iterator<Item = (OsString, OsString)> {
    chosen(&ALLOWED)
}

/// The variables of this process that fetching gets besides.
pub(super) fn for_fetching() -> impl Iterator<Item = (OsString, OsString)> {
    chosen(&ALLOWED_TO_FETCH)
}

fn chosen(names: &'static [&'static str]) -> impl Iterator<Item = (OsString, OsString)> {
    names
        .iter()
        .filter_map(|name| std::env::var_os(name).map(|value| (OsString::from(name), value)))
}
