//! Other programs and processes.

use crate::{Attempt, files::open_to_read, outcome};
use std::{io, path::PathBuf, process::Command};

/// Starts a process that ends at once.
pub fn fork() -> io::Result<()> {
    // SAFETY: the child does nothing but end.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: as above.
        unsafe { libc::_exit(0) };
    }
    outcome(child.into())?;
    // SAFETY: the child is ours; nobody asks for its status.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    Ok(())
}

/// Starts so many processes that wait, and ends them.
pub fn many(count: usize) -> io::Result<()> {
    const STACK: usize = 4096;
    extern "C" fn wait(_: *mut libc::c_void) -> i32 {
        loop {
            // SAFETY: it takes nothing.
            unsafe { libc::pause() };
        }
    }
    // They share this process's memory: copies of it would be the larger attack.
    let mut stacks = vec![0u128; count * STACK / 16];
    let mut started = Vec::new();
    let mut result = Ok(());
    for stack in stacks.chunks_exact_mut(STACK / 16) {
        let top = stack.as_mut_ptr_range().end;
        // SAFETY: each has a stack of its own, on which it does next to nothing, and which outlives it.
        let child = unsafe {
            libc::clone(
                wait,
                top.cast(),
                libc::CLONE_VM | libc::SIGCHLD,
                std::ptr::null_mut(),
            )
        };
        result = outcome(child.into());
        if result.is_err() {
            break;
        }
        started.push(child);
    }
    for &child in &started {
        // SAFETY: the children are ours, and alive.
        unsafe {
            libc::kill(child, libc::SIGKILL);
            libc::waitpid(child, std::ptr::null_mut(), 0);
        }
    }
    result
}

/// All memory of this machine, in bytes.
fn machine_memory() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/meminfo")?;
    let total = text
        .split_whitespace()
        .nth(1)
        .and_then(|kibibytes| kibibytes.parse::<u64>().ok());
    total
        .map(|kibibytes| kibibytes * 1024)
        .ok_or(io::ErrorKind::InvalidData.into())
}

/// What can be tried at a process.
pub fn attempts<'a>(victim: u32) -> Vec<Attempt<'a>> {
    let id = victim as libc::pid_t;
    let of = move |name: &str| PathBuf::from(format!("/proc/{victim}/{name}"));
    vec![
        ("fork", Box::new(fork)),
        (
            "start a program",
            Box::new(|| Command::new("/bin/true").status().map(drop)),
        ),
        (
            "become a program",
            Box::new(|| {
                let arguments = [c"true".as_ptr(), std::ptr::null()];
                // SAFETY: both lists end with a null. A file that is none fails with another error than a refusal.
                outcome(
                    unsafe { libc::execve(c"/etc".as_ptr(), arguments.as_ptr(), arguments[1..].as_ptr()) }
                        .into(),
                )
            }),
        ),
        // SAFETY: signal 0 only asks whether it could be sent.
        (
            "signal",
            Box::new(move || outcome(unsafe { libc::kill(id, 0) }.into())),
        ),
        // SAFETY: as above.
        (
            "signal everybody",
            Box::new(|| outcome(unsafe { libc::kill(-1, 0) }.into())),
        ),
        // SAFETY: as above.
        (
            "signal a thread",
            Box::new(move || outcome(unsafe { libc::syscall(libc::SYS_tgkill, id, id, 0) })),
        ),
        // SAFETY: as above.
        (
            "signal by the old call",
            Box::new(move || outcome(unsafe { libc::syscall(libc::SYS_tkill, id, 0) })),
        ),
        // SAFETY: numbers.
        (
            "open a process",
            Box::new(move || outcome(unsafe { libc::syscall(libc::SYS_pidfd_open, id, 0) })),
        ),
        (
            "trace",
            // SAFETY: numbers; the process goes on when it is left again.
            Box::new(move || outcome(unsafe { libc::ptrace(libc::PTRACE_SEIZE, id, 0, 0) })),
        ),
        (
            "read memory",
            Box::new(move || {
                let nothing: *const libc::iovec = std::ptr::null();
                // SAFETY: no buffers are passed.
                outcome(unsafe { libc::process_vm_readv(id, nothing, 0, nothing, 0, 0) } as libc::c_long)
            }),
        ),
        (
            "read /proc/N/environ",
            Box::new(move || open_to_read(&of("environ"))),
        ),
        ("read /proc/N/maps", Box::new(move || open_to_read(&of("maps")))),
        (
            "open /proc/N/mem",
            Box::new(move || std::fs::File::open(of("mem")).map(drop)),
        ),
        (
            "look through /proc/N/root",
            Box::new(move || std::fs::read_dir(of("root")).map(drop)),
        ),
        (
            "see what a process has open",
            Box::new(move || std::fs::read_link(of("fd/0")).map(drop)),
        ),
        (
            "steal priority",
            Box::new(move || std::fs::write(of("oom_score_adj"), "1000")),
        ),
        (
            "raise own limits",
            Box::new(|| {
                let limit = libc::rlimit {
                    rlim_cur: 100_000,
                    rlim_max: 100_000,
                };
                // SAFETY: the limit lives until the call returns.
                outcome(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }.into())
            }),
        ),
        (
            "set limits of others",
            Box::new(move || {
                let limit = libc::rlimit {
                    rlim_cur: 4096,
                    rlim_max: 4096,
                };
                // SAFETY: as above.
                outcome(unsafe { libc::prlimit(id, libc::RLIMIT_CORE, &limit, std::ptr::null_mut()) }.into())
            }),
        ),
        (
            "allocate more than there is",
            Box::new(|| {
                let gibibytes = 2 * machine_memory()? / (1 << 30);
                let mut all = Vec::new();
                for _ in 0..gibibytes {
                    let mut memory = Vec::<u8>::new();
                    // Nobody writes to it: it is only promised.
                    memory.try_reserve_exact(1 << 30).map_err(io::Error::other)?;
                    all.push(memory);
                }
                Ok(())
            }),
        ),
        (
            "see the host's secrets",
            Box::new(|| match std::env::var("HOSTILE_SECRET") {
                Ok(_) => Ok(()),
                Err(error) => Err(io::Error::other(error)),
            }),
        ),
        (
            "shared memory of old",
            // SAFETY: numbers.
            Box::new(|| {
                outcome(unsafe { libc::shmget(libc::IPC_PRIVATE, 4096, libc::IPC_CREAT | 0o600) }.into())
            }),
        ),
        (
            "message queue of old",
            // SAFETY: numbers.
            Box::new(|| outcome(unsafe { libc::msgget(libc::IPC_PRIVATE, libc::IPC_CREAT | 0o600) }.into())),
        ),
    ]
}
