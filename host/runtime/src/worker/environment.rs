//! What a worker gets to see of the host's environment.

use std::ffi::{OsStr, OsString};

/// Variables that a worker gets: what programs need to find their files, and what tunes computation. Everything else
/// stays behind, tokens and agents' sockets first of all.
const ALLOWED: [&str; 16] = [
    "HOME",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "MODELZOO_KERNELS",
    "PATH",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "SHELL",
    "TEMP",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
];

/// The beginnings of further variables that a worker gets.
const ALLOWED_PREFIXES: [&str; 9] = [
    "CANDLE_",
    "CUDA_",
    "GLIBC_TUNABLES",
    "LC_",
    "MALLOC_",
    "MKL_",
    "NVIDIA_",
    "OMP_",
    "RAYON_",
];

/// The variables of this process that a worker gets.
pub(super) fn allowed() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_allowed(name))
}

fn is_allowed(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        ALLOWED.contains(&name) || ALLOWED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_behind() {
        for secret in [
            "GITHUB_TOKEN",
            "HF_TOKEN",
            "SSH_AUTH_SOCK",
            "AWS_SECRET_ACCESS_KEY",
            "MODELZOO_TOKEN",
        ] {
            assert!(!is_allowed(OsStr::new(secret)), "{secret}");
        }
        for needed in ["PATH", "LC_ALL", "CUDA_VISIBLE_DEVICES", "MODELZOO_KERNELS"] {
            assert!(is_allowed(OsStr::new(needed)), "{needed}");
        }
    }
}
