//! Other people's files.

use crate::{Attempt, outcome};
use std::{
    ffi::CString,
    fs::{self, File, OpenOptions},
    io,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::Path,
};

pub fn open_to_read(path: &Path) -> io::Result<()> {
    fs::read(path).map(drop)
}

/// What the attempts leave in the folder of temporary files where they get through.
const LEFT: [&str; 5] = ["mine", "linked", "symbolic", "device", "own"];

/// Takes back what got through.
pub fn clean_up(weights: &Path) {
    let temporary = std::env::temp_dir();
    let others = [
        "/tmp/hostile".into(),
        "/dev/shm/hostile".into(),
        weights.with_extension("new"),
    ];
    for left in LEFT.map(|name| temporary.join(name)).iter().chain(&others) {
        // Most of it was never made.
        let _ = fs::remove_file(left);
    }
}

fn there_and_back(here: &Path, there: &Path) -> io::Result<()> {
    fs::rename(here, there)?;
    fs::rename(there, here)
}

/// What can be tried at the file `secret`, in its folder, and where the weights are.
pub fn attempts<'a>(secret: &'a Path, weights: &'a Path) -> Vec<Attempt<'a>> {
    let folder = secret.parent().unwrap_or(secret);
    let name = CString::new(secret.as_os_str().as_bytes()).unwrap_or_default();
    let (of_chmod, of_chown, of_times, of_attribute) = (name.clone(), name.clone(), name.clone(), name);
    let own = |name: &str| std::env::temp_dir().join(name);
    vec![
        (
            "own temporary file",
            Box::new(move || fs::write(own("mine"), "allowed")),
        ),
        ("read", Box::new(move || open_to_read(secret))),
        (
            "read /etc/shadow",
            Box::new(move || open_to_read(Path::new("/etc/shadow"))),
        ),
        ("list", Box::new(move || fs::read_dir(folder).map(drop))),
        ("list /", Box::new(move || fs::read_dir("/").map(drop))),
        (
            "overwrite",
            Box::new(move || OpenOptions::new().write(true).open(secret).map(drop)),
        ),
        (
            "truncate",
            Box::new(move || OpenOptions::new().write(true).open(secret)?.set_len(6)),
        ),
        (
            "create",
            Box::new(move || File::create(folder.join("new")).map(drop)),
        ),
        (
            "create in /tmp",
            Box::new(move || File::create("/tmp/hostile").map(drop)),
        ),
        (
            "create in /dev/shm",
            Box::new(move || File::create("/dev/shm/hostile").map(drop)),
        ),
        (
            "create beside the weights",
            Box::new(move || File::create(weights.with_extension("new")).map(drop)),
        ),
        (
            "make a folder",
            Box::new(move || fs::create_dir(folder.join("new-folder"))),
        ),
        (
            "delete",
            Box::new(move || fs::remove_file(folder.join("worthless"))),
        ),
        (
            "rename",
            Box::new(move || there_and_back(secret, &secret.with_extension("renamed"))),
        ),
        (
            "move out",
            Box::new(move || there_and_back(secret, &own("moved"))),
        ),
        (
            "hard link",
            Box::new(move || fs::hard_link(secret, own("linked"))),
        ),
        (
            "symbolic link",
            Box::new(move || {
                std::os::unix::fs::symlink(secret, own("symbolic"))?;
                open_to_read(&own("symbolic"))
            }),
        ),
        (
            "chmod",
            Box::new(move || fs::set_permissions(secret, fs::Permissions::from_mode(0o600))),
        ),
        // SAFETY: the text ends with a zero; the kernel reads no further.
        (
            "fchmodat",
            Box::new(move || {
                outcome(unsafe { libc::fchmodat(libc::AT_FDCWD, of_chmod.as_ptr(), 0o600, 0) }.into())
            }),
        ),
        // SAFETY: as above; -1 changes nothing.
        (
            "chown",
            Box::new(move || outcome(unsafe { libc::chown(of_chown.as_ptr(), u32::MAX, u32::MAX) }.into())),
        ),
        (
            "change times",
            // SAFETY: as above; without times the present is meant.
            Box::new(move || {
                outcome(
                    unsafe { libc::utimensat(libc::AT_FDCWD, of_times.as_ptr(), std::ptr::null(), 0) }.into(),
                )
            }),
        ),
        (
            "set an attribute",
            Box::new(move || {
                let value = b"x";
                // SAFETY: as above; the value is one byte long.
                outcome(
                    unsafe {
                        libc::setxattr(
                            of_attribute.as_ptr(),
                            c"user.hostile".as_ptr(),
                            value.as_ptr().cast(),
                            1,
                            0,
                        )
                    }
                    .into(),
                )
            }),
        ),
        (
            "make a device",
            // SAFETY: the text ends with a zero. It would be the disk of this machine.
            Box::new(move || {
                let path = CString::new(own("device").as_os_str().as_bytes()).unwrap_or_default();
                outcome(
                    unsafe { libc::mknod(path.as_ptr(), libc::S_IFBLK | 0o600, libc::makedev(8, 0)) }.into(),
                )
            }),
        ),
        (
            "open too many files",
            Box::new(move || {
                let all: io::Result<Vec<File>> = (0..5000).map(|_| File::open("/dev/null")).collect();
                all.map(drop)
            }),
        ),
        (
            "open the terminal",
            Box::new(move || File::open("/dev/tty").map(drop)),
        ),
    ]
}
