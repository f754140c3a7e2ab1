//! What a process cannot ask of the kernel: a filter of system calls.
//!
//! Computing needs memory, files and threads. What is refused here reaches beyond the process: the network, programs,
//! other processes, the attributes of files (which Landlock does not guard), and the kernel's own affairs. A call that
//! is refused is an error for the caller, and no crash.

use super::Conduct;
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

/// What belongs to other processes.
const PROCESSES: &[i64] = &[
    libc::SYS_kcmp,
    libc::SYS_mq_open,
    libc::SYS_msgget,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_semget,
    libc::SYS_setns,
    libc::SYS_shmget,
    libc::SYS_unshare,
];

/// Programs.
const PROGRAMS: &[i64] = &[libc::SYS_execve, libc::SYS_execveat];

/// Owners and further attributes of files, which can be changed without opening them.
const OWNERS: &[i64] = &[
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_removexattr,
    libc::SYS_setxattr,
];

/// Permissions and times of files, which can be changed like those. A build sets them where it writes; elsewhere its
/// namespace keeps it from that.
const PERMISSIONS: &[i64] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
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
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

/// What one process does to others, beside what is refused to all.
const OTHERS: &[i64] = &[libc::SYS_pidfd_open, libc::SYS_setrlimit, libc::SYS_tkill];

/// The same of times when calls took paths and not folders.
#[cfg(target_arch = "x86_64")]
mod old {
    pub(super) const OWNERS: &[i64] = &[libc::SYS_chown, libc::SYS_lchown];
    pub(super) const PERMISSIONS: &[i64] = &[
        libc::SYS_chmod,
        libc::SYS_futimesat,
        libc::SYS_utime,
        libc::SYS_utimes,
    ];
    pub(super) const FORKS: &[i64] = &[libc::SYS_fork, libc::SYS_vfork];
    pub(super) const KERNEL: &[i64] = &[libc::SYS_ioperm, libc::SYS_iopl, libc::SYS_kexec_file_load];
}
#[cfg(not(target_arch = "x86_64"))]
mod old {
    pub(super) const OWNERS: &[i64] = &[];
    pub(super) const PERMISSIONS: &[i64] = &[];
    pub(super) const FORKS: &[i64] = &[];
    pub(super) const KERNEL: &[i64] = &[];
}

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
pub(super) fn restrict(conduct: Conduct) -> Result<(), seccompiler::Error> {
    apply_filter(&filter(unknown(), libc::ENOSYS)?)?;
    apply_filter(&filter(refused(conduct)?, libc::EPERM)?)
}

/// The kinds of namespaces that a process can ask for with its birth.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

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

/// The calls that are always refused to a process of this kind.
fn refused_calls(conduct: Conduct) -> Vec<i64> {
    let to_all = [NETWORK, PROCESSES, OWNERS, KERNEL, old::OWNERS, old::KERNEL];
    let one_process = [PERMISSIONS, OTHERS, old::PERMISSIONS, old::FORKS];
    let more: &[&[i64]] = match conduct {
        Conduct::StartsPrograms => &[],
        // It is yet to become that program; which others it may run the layer of files says.
        Conduct::IsOneProgram => &one_process,
        Conduct::Computes => &[PROGRAMS, PERMISSIONS, OTHERS, old::PERMISSIONS, old::FORKS],
    };
    [&to_all[..], more].concat().concat()
}

fn refused(conduct: Conduct) -> Result<Rules, seccompiler::Error> {
    use {SeccompCmpArgLen::*, SeccompCmpOp::*};
    let mut rules: Rules = refused_calls(conduct)
        .into_iter()
        .map(|call| (call, Vec::new()))
        .collect();
    let own = u64::from(std::process::id());
    let mut refuse_if = |call, conditions: &[(u8, SeccompCmpArgLen, SeccompCmpOp, u64)]| {
        let conditions: Result<Vec<_>, _> = conditions
            .iter()
            .cloned()
            .map(|(argument, length, operator, value)| {
                SeccompCondition::new(argument, length, operator, value)
            })
            .collect();
        let rule = SeccompRule::new(conditions?)?;
        rules.entry(call).or_default().push(rule);
        Ok::<(), seccompiler::BackendError>(())
    };
    if conduct == Conduct::StartsPrograms {
        // New namespaces would give a process the rights of root in them.
        for namespace in NAMESPACES {
            let flag = namespace as u64;
            refuse_if(libc::SYS_clone, &[(0, Qword, MaskedEq(flag), flag)])?;
        }
        // A process may change the limits of its own, and not those of others.
        refuse_if(libc::SYS_prlimit64, &[(0, Dword, Ne, 0), (2, Qword, Ne, 0)])?;
    } else {
        // Threads share all of a process; what does not is a process of its own.
        let thread = libc::CLONE_THREAD as u64;
        refuse_if(libc::SYS_clone, &[(0, Qword, MaskedEq(thread), 0)])?;
        // A process may signal itself, as `abort` does.
        for call in [
            libc::SYS_kill,
            libc::SYS_tgkill,
            libc::SYS_rt_sigqueueinfo,
            libc::SYS_rt_tgsigqueueinfo,
        ] {
            refuse_if(call, &[(0, Dword, Ne, own)])?;
        }
        // Limits may be read, and not changed.
        refuse_if(libc::SYS_prlimit64, &[(2, Qword, Ne, 0)])?;
    }
    // To type into the terminal that the host was started from.
    for request in [libc::TIOCSTI, libc::TIOCLINUX] {
        #[allow(clippy::unnecessary_cast, reason = "musl's requests are of another type")]
        refuse_if(libc::SYS_ioctl, &[(1, Dword, Eq, request as u64)])?;
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
