//! The kernel's own affairs. The arguments are wrong on purpose, where the right ones would do something: a kernel that
//! lets the call through says that they are wrong, and one that does not says so before it looks at them.

use crate::{Attempt, outcome};
use std::io;

/// A call with these arguments; arguments that are wrong count as let through.
fn call(number: libc::c_long, arguments: [libc::c_long; 3]) -> io::Result<()> {
    let [one, two, three] = arguments;
    // SAFETY: no argument is the address of anything.
    match outcome(unsafe { libc::syscall(number, one, two, three) }) {
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EPERM | libc::EACCES | libc::ENOSYS)
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// What can be tried.
pub fn attempts<'a>() -> Vec<Attempt<'a>> {
    let calls: [(&'static str, libc::c_long, [libc::c_long; 3]); 18] = [
        ("io_uring", libc::SYS_io_uring_setup, [0, 0, 0]),
        ("bpf", libc::SYS_bpf, [-1, 0, 0]),
        ("perf events", libc::SYS_perf_event_open, [0, 0, 0]),
        ("page faults", libc::SYS_userfaultfd, [1, 0, 0]),
        (
            "user namespace",
            libc::SYS_unshare,
            [libc::CLONE_NEWUSER as libc::c_long, 0, 0],
        ),
        ("join a namespace", libc::SYS_setns, [-1, 0, 0]),
        ("mount", libc::SYS_mount, [0, 0, 0]),
        ("open a mount", libc::SYS_open_tree, [-1, 0, 0]),
        ("change root", libc::SYS_chroot, [0, 0, 0]),
        ("file by handle", libc::SYS_open_by_handle_at, [-1, 0, 0]),
        ("key ring", libc::SYS_keyctl, [-1, 0, 0]),
        ("kernel module", libc::SYS_finit_module, [-1, 0, 0]),
        ("kernel log", libc::SYS_syslog, [10, 0, 0]),
        ("clock", libc::SYS_clock_settime, [-1, 0, 0]),
        ("host name", libc::SYS_sethostname, [0, -1, 0]),
        ("swap", libc::SYS_swapon, [0, 0, 0]),
        ("new kernel", libc::SYS_kexec_load, [0, -1, 0]),
        (
            "type into the terminal",
            libc::SYS_ioctl,
            [2, libc::TIOCSTI as libc::c_long, 0],
        ),
    ];
    calls
        .into_iter()
        .map(|(name, number, arguments)| -> Attempt<'a> { (name, Box::new(move || call(number, arguments))) })
        .collect()
}
