//! The one way in which all plugins are built. Crates that several plugins need are compiled once only if everything
//! here is the same for all of them, whatever their own manifests say.

/// The profile, as cargo's `--config` takes it. What stands here outranks the manifest's `[profile.release]`.
pub(super) const PROFILE: [&str; 11] = [
    "profile.release.opt-level=3",
    "profile.release.debug=false",
    "profile.release.debug-assertions=false",
    "profile.release.overflow-checks=false",
    "profile.release.lto=false",
    // A panic must be caught at the plugin's boundary.
    "profile.release.panic='unwind'",
    "profile.release.incremental=false",
    "profile.release.codegen-units=16",
    "profile.release.rpath=false",
    "profile.release.strip='debuginfo'",
    "profile.release.split-debuginfo='off'",
];

/// The flags of every compiler call. They replace those of any configuration file.
pub(super) fn rustflags(is_portable: bool) -> &'static str {
    match is_portable {
        // What every processor of the target has; kernels choose better instructions when they run.
        true => "",
        false => "-Ctarget-cpu=native",
    }
}

/// How plugins are linked: some compilers' drivers ask for a note that others do not ask for.
pub(super) const LINKING: &[&str] = match cfg!(target_os = "linux") {
    true => &["-Clink-arg=-Wl,--build-id=none"],
    false => &[],
};

/// The time that build scripts and C compilers are told, 1980-01-01, as in archives.
pub(super) const TIME: &str = "315532800";
