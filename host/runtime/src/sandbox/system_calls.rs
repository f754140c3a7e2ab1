//! What a plugin cannot ask of the kernel: a filter of system calls.
//!
//! Computing needs memory, files and threads. What is refused here reaches beyond the process: the network, programs,
//! other processes, the attributes of files (which Landlock does not guard), and the kernel's own affairs. A call that
//! is refused is an error for the caller, and no crash.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};
use std::collections::BTreeMap;

/// Sockets of all kinds. Those that are open already, to the host, stay.
const NETWORK: &[i64] = &[
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_listen,
    libc::SYS_socket,
];

/// Programs, and what belongs to other processes.
const PROCESSES: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_kcmp,
    libc::SYS_mq_open,
    libc::SYS_msgget,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_semget,
    libc::SYS_setns,
    libc::SYS_shmget,
    libc::SYS_tkill,
    libc::SYS_unshare,
];

/// Owners, permissions, times and further attributes of files, which can be changed without opening them.
const ATTRIBUTES: &[i64] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_removexattr,
    libc::SYS_setxattr,
    libc::SYS_utimensat,
];

/// Mounts, modules, clocks, keys, tracing, and interfaces that were the way out of other sandboxes.
const KERNEL: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_capset,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pivot_root,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setrlimit,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

/// The same of times when calls took paths and not folders.
#[cfg(target_arch = "x86_64")]
const OLD: &[i64] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_fork,
    libc::SYS_futimesat,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_kexec_file_load,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_vfork,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[i64] = &[];

/// What is answered as if this kernel did not have it, so that libraries take the older way: `clone3` hides from the
/// filter what it makes, and `io_uring` what it does.
const UNKNOWN: [i64; 4] = [
    libc::SYS_clone3,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
];

/// The bit in the numbers of x86-64's calls with short pointers; each call is there a second time under it.
#[cfg(target_arch = "x86_64")]
const SHORT_POINTERS: i64 = 0x4000_0000;
/// The numbers that only those calls have.
#[cfg(target_arch = "x86_64")]
const ONLY_SHORT_POINTERS: std::ops::Range<i64> = 512..548;

/// Restricts this thread and those that it starts.
pub(super) fn restrict() -> Result<(), seccompiler::Error> {
    apply_filter(&filter(unknown(), libc::ENOSYS)?)?;
    apply_filter(&filter(refused()?, libc::EPERM)?)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn filter(mut rules: Rules, errno: i32) -> Result<BpfProgram, seccompiler::Error> {
    with_short_pointers(&mut rules);
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno as u32),
        std::env::consts::ARCH.try_into()?,
    )?;
    Ok(filter.try_into()?)
}

fn unknown() -> Rules {
    UNKNOWN.map(|call| (call, Vec::new())).into()
}

fn refused() -> Result<Rules, seccompiler::Error> {
    let mut rules: Rules = [NETWORK, PROCESSES, ATTRIBUTES, KERNEL, OLD]
        .concat()
        .into_iter()
        .map(|call| (call, Vec::new()))
        .collect();
    let own = u64::from(std::process::id());
    let mut refuse_if = |call, argument, length, operator, value| {
        let condition = SeccompCondition::new(argument, length, operator, value)?;
        let rule = SeccompRule::new(vec![condition])?;
        rules.entry(call).or_default().push(rule);
        Ok::<(), seccompiler::BackendError>(())
    };
    use {SeccompCmpArgLen::*, SeccompCmpOp::*};
    // Threads share all of a process; what does not is a process of its own.
    let thread = libc::CLONE_THREAD as u64;
    refuse_if(libc::SYS_clone, 0, Qword, MaskedEq(thread), 0)?;
    // A process may signal itself, as `abort` does.
    for call in [
        libc::SYS_kill,
        libc::SYS_tgkill,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
    ] {
        refuse_if(call, 0, Dword, Ne, own)?;
    }
    // Limits may be read, of this process and not of others, and not changed.
    refuse_if(libc::SYS_prlimit64, 2, Qword, Ne, 0)?;
    // To type into the terminal that the host was started from.
    for request in [libc::TIOCSTI, libc::TIOCLINUX] {
        #[allow(clippy::unnecessary_cast, reason = "musl's requests are of another type")]
        refuse_if(libc::SYS_ioctl, 1, Dword, Eq, request as u64)?;
    }
    Ok(rules)
}

#[cfg(target_arch = "x86_64")]
fn with_short_pointers(rules: &mut Rules) {
    let again: Rules = rules
        .iter()
        .map(|(call, rules)| (call | SHORT_POINTERS, rules.clone()))
        .chain(ONLY_SHORT_POINTERS.map(|call| (call | SHORT_POINTERS, Vec::new())))
        .collect();
    rules.extend(again);
}

#[cfg(not(target_arch = "x86_64"))]
fn with_short_pointers(_: &mut Rules) {}
