//! From a file to what a plugin exports, one check after the other.

use super::{
    LibraryError,
    c::{CPlugin, TableFault},
    root::Root,
};
use crate::Artifact;
use libloading::Library;
use modelzoo_abi::{
    PluginRootRef,
    abi_stable::library::{
        AbiHeader, AbiHeaderRef, LibraryError as AbiStableError, ROOT_MODULE_LOADER_NAME_WITH_NUL,
    },
    c,
};
use modelzoo_base::{Sha256Digest, file};
use std::path::Path;

/// Opens a plugin, after checking that its content is what it should be: the system's loader maps a file without
/// looking at its length, and a truncated one ends the process.
///
/// The library is never unloaded. Rust libraries cannot be, soundly: their thread-local destructors and statics
/// stay referenced. Its process ends instead.
pub(super) fn root(artifact: &Artifact) -> Result<Root, LibraryError> {
    let path = artifact.path.as_path();
    let unreadable = |error: std::io::Error| LibraryError::Unreadable {
        path: path.to_owned(),
        reason: file::about(path, error).to_string(),
    };
    let actual = Sha256Digest::of_file(path).map_err(unreadable)?;
    if actual != artifact.sha256 {
        return Err(LibraryError::Damaged {
            path: path.to_owned(),
            expected: artifact.sha256.to_string(),
            actual: actual.to_string(),
        });
    }
    // A path without a slash would be searched for in the system's library folders.
    let library = open(&std::path::absolute(path).map_err(unreadable)?)?;
    let root = match header(&library, path) {
        Ok(header) => checked_root(header, path).map(Root::Rust),
        Err(error @ LibraryError::NotAPlugin { .. }) => match table(&library, path) {
            Some(plugin) => plugin.map(Root::C),
            None => Err(error),
        },
        Err(error) => Err(error),
    };
    std::mem::forget(library);
    root
}

/// Hands the file to the system's loader. Its symbols stay its own, and all of them are resolved at once: one that is
/// missing is an error here and not a crash later.
fn open(path: &Path) -> Result<Library, LibraryError> {
    #[cfg(unix)]
    // SAFETY: opening runs the library's initialisers. They are the code of a plugin that the user chose to run, and
    // whose content was checked.
    let opened = unsafe {
        use libloading::os::unix::{Library as UnixLibrary, RTLD_LOCAL, RTLD_NOW};
        UnixLibrary::open(Some(path), RTLD_NOW | RTLD_LOCAL).map(Library::from)
    };
    #[cfg(not(unix))]
    // SAFETY: as above.
    let opened = unsafe { Library::new(path) };
    opened.map_err(|error| {
        let reason = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        // The system's loader often begins with the path, which our message names already.
        let prefix = format!("{}: ", path.display());
        LibraryError::Refused {
            path: path.to_owned(),
            reason: reason.strip_prefix(&prefix).unwrap_or(&reason).to_owned(),
        }
    })
}

/// Finds abi_stable's header, which every version of it exports under the same name.
fn header(library: &Library, path: &Path) -> Result<AbiHeaderRef, LibraryError> {
    let not_a_plugin = || LibraryError::NotAPlugin {
        path: path.to_owned(),
    };
    // SAFETY: the symbol of this name is a static that begins with an `AbiHeader`, in every version of abi_stable;
    // `AbiHeaderRef` is the pointer to it. The caller never unloads the library.
    let header = unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) }
        .map(|symbol| *symbol)
        .map_err(|_| not_a_plugin())?;
    if header.magic_string != AbiHeader::VALUE.magic_string {
        return Err(not_a_plugin());
    }
    if !header.is_valid() {
        let family = |header: &AbiHeader| format!("{}.{}", header.abi_major, header.abi_minor);
        return Err(LibraryError::OtherAbiStable {
            path: path.to_owned(),
            plugin: family(&header),
            host: family(&AbiHeader::VALUE),
        });
    }
    Ok(header)
}

/// Finds the table for C, and looks at it; `None` where the library exports none.
fn table(library: &Library, path: &Path) -> Option<Result<CPlugin, LibraryError>> {
    // SAFETY: `modelzoo.h` declares what has this name. The caller never unloads the library.
    let plugin = unsafe {
        let entry = library.get::<c::Entry>(c::ENTRY_NAME.as_bytes()).ok()?;
        CPlugin::of(*entry)
    };
    let path = path.to_owned();
    Some(plugin.map_err(|fault| match fault {
        TableFault::OtherContract(version) => LibraryError::OtherContract {
            path,
            plugin: format!("C {version}"),
            host: format!("C {}", c::CONTRACT),
        },
        TableFault::Broken(reason) => LibraryError::BrokenTable { path, reason },
    }))
}

/// Compares the contract of the library with the host's, type by type, and takes the root module.
fn checked_root(header: AbiHeaderRef, path: &Path) -> Result<PluginRootRef, LibraryError> {
    header
        .upgrade()
        .and_then(|library| library.init_root_module::<PluginRootRef>())
        .map_err(|error| short(&error, path))
}

/// abi_stable's report of a difference can have tens of thousands of characters: it goes to the debug log, and the
/// user gets one line.
fn short(error: &AbiStableError, path: &Path) -> LibraryError {
    let path = path.to_owned();
    match error {
        AbiStableError::IncompatibleVersionNumber {
            expected_version,
            actual_version,
            ..
        } => LibraryError::OtherContract {
            path,
            plugin: actual_version.to_string(),
            host: expected_version.to_string(),
        },
        AbiStableError::AbiInstability(report) => {
            tracing::debug!(plugin = %path.display(), %report, "the layouts differ");
            LibraryError::OtherLayout { path }
        }
        other => {
            tracing::debug!(plugin = %path.display(), report = %other, "abi_stable refuses the library");
            let reason = other.to_string();
            let line = reason.lines().map(str::trim).find(|line| !line.is_empty());
            LibraryError::NotInitialised {
                path,
                reason: line.unwrap_or("abi_stable gives no reason").to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_abi::abi_stable::std_types::RBoxError;
    use modelzoo_base::error::Diagnose as _;

    fn artifact(content: &[u8]) -> (tempfile::TempDir, Artifact) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugin.so");
        std::fs::write(&path, content).unwrap();
        let artifact = Artifact::of_file(&path).unwrap();
        (folder, artifact)
    }

    #[test]
    fn a_text_is_refused_by_the_loader() {
        let (_folder, artifact) = artifact(b"no library at all");
        let error = root(&artifact).map(|_| ()).unwrap_err();
        assert!(matches!(error, LibraryError::Refused { .. }), "{error}");
        let mentions = error.to_string().matches("plugin.so").count();
        assert_eq!(mentions, 1, "{error}");
    }

    #[test]
    fn a_changed_or_missing_library_is_never_opened() {
        let (folder, artifact) = artifact(b"built");
        std::fs::write(&artifact.path, "buil").unwrap();
        let error = root(&artifact).map(|_| ()).unwrap_err();
        assert!(matches!(error, LibraryError::Damaged { .. }), "{error}");
        drop(folder);
        let error = root(&artifact).map(|_| ()).unwrap_err();
        assert!(matches!(error, LibraryError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn a_long_report_becomes_one_line() {
        let report = "field differs\n".repeat(1000);
        let error = short(
            &AbiStableError::AbiInstability(RBoxError::from_fmt(&report)),
            Path::new("/p.so"),
        );
        assert!(error.to_string().len() < 200, "{error}");
        assert!(error.next_step().is_some());
    }
}
