//! Whether the store's place can be written to, run from, and is big enough.
use super::Check;
use modelzoo_base::file;
use std::path::{Path, PathBuf};

const GIB: f64 = (1_u64 << 30) as f64;
/// What the first build of a plugin with its dependencies takes.
const COMFORTABLE_GIB: f64 = 8.0;
const NEEDED_GIB: f64 = 1.0;

pub(super) fn checks(store_root: &Path, data_dir: &Path) -> Vec<Check> {
    let mut checks = vec![writable(
        "store",
        store_root,
        "set MODELZOO_STORE to a folder that you can write to",
    )];
    let existing = existing_part(store_root);
    checks.extend(executable(store_root, &existing));
    checks.push(space(store_root, &existing));
    checks.push(writable(
        "data",
        data_dir,
        "set MODELZOO_HOME to a folder that you can write to",
    ));
    checks
}

fn writable(name: &'static str, folder: &Path, remedy: &str) -> Check {
    if let Some(file) = file_in_the_way(folder) {
        return Check::bad(name, format!("{} is no folder", file.display()), remedy);
    }
    let existing = existing_part(folder);
    match tempfile::NamedTempFile::new_in(&existing) {
        Ok(_) => Check::good(name, folder.display().to_string()),
        Err(error) => Check::bad(
            name,
            format!("cannot write to {}: {}", existing.display(), error.kind()),
            remedy,
        ),
    }
}

/// Built plugins are loaded from the store, which a file system mounted `noexec` does not allow: the loader then only says
/// "failed to map segment".
#[cfg(target_os = "linux")]
fn executable(store_root: &Path, existing: &Path) -> Option<Check> {
    use rustix::fs::{StatVfsMountFlags, statvfs};
    let flags = statvfs(existing).ok()?.f_flag;
    let name = "store can hold programs";
    Some(if flags.contains(StatVfsMountFlags::NOEXEC) {
        let detail = format!(
            "{} is on a file system that is mounted noexec",
            store_root.display()
        );
        Check::bad(
            name,
            detail,
            "set MODELZOO_STORE to a folder on another file system, or remount it with exec",
        )
    } else {
        Check::good(name, "the file system is not mounted noexec")
    })
}

/// Elsewhere there is no such option, or it cannot be asked for.
#[cfg(not(target_os = "linux"))]
fn executable(_: &Path, _: &Path) -> Option<Check> {
    None
}

fn space(store_root: &Path, existing: &Path) -> Check {
    let name = "disk space";
    let remedy =
        "free some space with `modelzoo store gc`, or set MODELZOO_STORE to a folder on a bigger disk";
    match fs4::available_space(existing) {
        Ok(bytes) => {
            // Only shown to one decimal.
            let free = bytes as f64 / GIB;
            let detail = format!("{free:.1} GiB are free for {}", store_root.display());
            if free < NEEDED_GIB {
                Check::bad(name, detail, remedy)
            } else if free < COMFORTABLE_GIB {
                let detail = format!("{detail}; the first build of a plugin can take {COMFORTABLE_GIB:.0}");
                Check::warning(name, detail, remedy)
            } else {
                Check::good(name, detail)
            }
        }
        Err(error) => Check::warning(name, format!("it cannot be told: {}", error.kind()), remedy),
    }
}

/// The folder, or the nearest one above it that exists: there it would be created.
fn existing_part(folder: &Path) -> PathBuf {
    let absolute = file::absolute(folder);
    absolute
        .ancestors()
        .find(|part| part.is_dir())
        .unwrap_or(Path::new("."))
        .to_owned()
}

/// What is no folder where `folder` or one above it is to be.
fn file_in_the_way(folder: &Path) -> Option<PathBuf> {
    let absolute = file::absolute(folder);
    let existing = absolute.ancestors().find(|part| part.exists())?;
    (!existing.is_dir()).then(|| existing.to_owned())
}
