//! Processes, network and mounts of their own for what starts programs.
//!
//! Landlock does not guard what can be changed of a file without opening it, its permissions and times: all mounts are
//! read-only here but for those of the folders that may be written to. When the first process of the namespace ends, so
//! do all others. Root needs no rights for this; others get them for a namespace of users in which they are alone.

use fs_err as fs;
use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Path, PathBuf},
};

const OWN: libc::c_int = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWNET | libc::CLONE_NEWIPC;

/// Moves this process, which must have no other threads, into namespaces of its own, where `writes` alone can be changed
/// in any way. The next process that it starts is the first one in the namespace of processes.
pub(super) fn enter(writes: &[PathBuf]) -> io::Result<()> {
    let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
    if unshare(OWN).is_err() {
        unshare(OWN | libc::CLONE_NEWUSER)?;
        // Without this, groups cannot be mapped.
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    }
    protect(writes)
}

/// Limits how many processes and threads there can be in this process's namespace of processes, where the system has such
/// a limit: it binds root as well, whom limits of processes do not. Needs the rights that root has before it drops them.
pub(super) fn limit_processes(most: u64) -> io::Result<()> {
    if !has_own_process_limit() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let processes = Path::new("/proc");
    let writable = libc::mount_attr {
        attr_set: 0,
        attr_clr: libc::MOUNT_ATTR_RDONLY,
        propagation: 0,
        userns_fd: 0,
    };
    let read_only = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY,
        attr_clr: 0,
        ..writable
    };
    set_attributes(processes, &writable)?;
    let limited = fs::write(processes.join("sys/kernel/pid_max"), most.to_string());
    set_attributes(processes, &read_only)?;
    limited
}

/// Whether this limit is a namespace's own: since Linux 6.14. Before, it would be that of the whole system.
fn has_own_process_limit() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release
        .split(|letter: char| !letter.is_ascii_digit())
        .map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next(), numbers.next());
    version >= (Some(6), Some(14))
}

/// Makes every mount read-only, but for `writes`, where they are files or folders.
fn protect(writes: &[PathBuf]) -> io::Result<()> {
    let root = Path::new("/");
    // What is mounted here is not mounted elsewhere.
    let private = libc::mount_attr {
        attr_set: 0,
        attr_clr: 0,
        propagation: libc::MS_PRIVATE,
        userns_fd: 0,
    };
    set_attributes(root, &private)?;
    let kept: Vec<(&PathBuf, OwnedFd)> = writes
        .iter()
        .filter(|path| path.is_dir() || path.is_file())
        .map(|path| Ok((path, copy_of_mount(path)?)))
        .collect::<io::Result<_>>()?;
    let read_only = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY,
        ..private
    };
    set_attributes(root, &read_only)?;
    kept.into_iter()
        .try_for_each(|(path, mount)| put_mount(&mount, path))
}

fn unshare(namespaces: libc::c_int) -> io::Result<()> {
    // SAFETY: the call takes no pointers.
    answer(unsafe { libc::unshare(namespaces) }.into()).map(drop)
}

/// Changes the mount of `path` and all below it.
fn set_attributes(path: &Path, attributes: &libc::mount_attr) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: the path is a C string, and the attributes have the size that is told.
    answer(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            std::ptr::from_ref(attributes),
            size_of::<libc::mount_attr>(),
        )
    })
    .map(drop)
}

/// What is mounted at and below `path`, as a mount that is nowhere yet.
fn copy_of_mount(path: &Path) -> io::Result<OwnedFd> {
    let path = c_path(path)?;
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE as libc::c_uint;
    // SAFETY: the path is a C string.
    let number = answer(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) })?;
    // SAFETY: the call gave a new descriptor, which fits into a C int and is nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(number as libc::c_int) })
}

fn put_mount(mount: &OwnedFd, path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: both paths are C strings, and the descriptor is open.
    answer(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::MOVE_MOUNT_F_EMPTY_PATH,
        )
    })
    .map(drop)
}

fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// What a system call answers.
fn answer(value: libc::c_long) -> io::Result<libc::c_long> {
    if value < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(value)
}
