//! How much a process may take, and what it may not do even as root.

use super::{Conduct, Confinement};
use fs_err as fs;
use modelzoo_base::memory::machine_memory;
use rustix::{
    io,
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities},
};

/// Open files: far more than weights in parts need.
const MOST_OPEN_FILES: u64 = 4096;
/// The longest file: as much as can pass to the host in one message, and some more.
const MOST_FILE_BYTES: u64 = 4 << 30;

/// Processes and threads in a build: enough for every core to compile something.
pub(super) const MOST_PROCESSES: u64 = 4096;

/// What root keeps: reading the files of others, where the layer of files lets it open them at all.
const KEPT: CapabilitySet = CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::DAC_READ_SEARCH);

/// Limits this process, and this thread and those that it starts.
pub(super) fn restrict(confinement: &Confinement) -> io::Result<()> {
    lower(Resource::Core, 0)?;
    lower(Resource::Nofile, MOST_OPEN_FILES)?;
    if confinement.has_limited_size {
        lower(Resource::Fsize, MOST_FILE_BYTES)?;
        if let Some(bytes) = machine_memory() {
            lower(Resource::Data, bytes)?;
        }
    }
    if confinement.conduct == Conduct::StartsPrograms && has_own_user_namespace() {
        // Elsewhere it would count what else the user has started, too.
        lower(Resource::Nproc, MOST_PROCESSES)?;
    }
    // When memory runs out, the system ends this process before others. Where it cannot be told so, it does not matter.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    drop_capabilities()
}

/// Sets both limits of a resource to `most`, where they are not lower already.
fn lower(resource: Resource, most: u64) -> io::Result<()> {
    let present = getrlimit(resource);
    let lower = |present: Option<u64>| Some(present.map_or(most, |present| present.min(most)));
    setrlimit(
        resource,
        Rlimit {
            current: lower(present.current),
            maximum: lower(present.maximum),
        },
    )
}

fn drop_capabilities() -> io::Result<()> {
    let present = capabilities(None)?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: present.effective & KEPT,
            permitted: present.permitted & KEPT,
            inheritable: CapabilitySet::empty(),
        },
    )
}

/// Whether this process is the only user in a namespace of its own.
fn has_own_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let count = map.split_whitespace().nth(2);
    count == Some("1") && map.lines().count() == 1
}
