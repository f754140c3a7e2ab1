//! How large a core's own cache is.

use crate::simd::LANES;
use std::sync::OnceLock;

/// Values of `f32` that the second cache of a core holds. Work is cut so that what is used again and again stays there.
pub(crate) fn second_cache() -> usize {
    static VALUES: OnceLock<usize> = OnceLock::new();
    *VALUES.get_or_init(|| {
        let bytes = ask().unwrap_or(UNKNOWN).clamp(LEAST, MOST);
        bytes / size_of::<f32>() / LANES * LANES
    })
}

/// Where the system does not say: most cores have so much or more.
const UNKNOWN: usize = 512 * 1024;
/// Less is nobody's, and more is shared by many cores.
const LEAST: usize = 256 * 1024;
const MOST: usize = 2048 * 1024;

/// What the system says.
#[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
fn ask() -> Option<usize> {
    // SAFETY: the call has no conditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_LEVEL2_CACHE_SIZE) };
    usize::try_from(bytes).ok().filter(|&bytes| bytes > 0)
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", not(miri))))]
fn ask() -> Option<usize> {
    None
}
