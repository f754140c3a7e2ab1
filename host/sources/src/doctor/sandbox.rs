//! Whether the system can confine what plugins and their builds may do.
use std::path::Path;

use super::{Check, Machine};

const NAME: &str = "sandbox";

pub(super) fn check(machine: &dyn Machine) -> Check {
    if !cfg!(target_os = "linux") {
        return Check::warning(
            NAME,
            "plugins run in processes of their own, but with all of your rights",
            "run sources that you do not trust on Linux, or in a virtual machine",
        );
    }
    let modules = machine.text(Path::new("/sys/kernel/security/lsm"));
    let has_seccomp = machine
        .text(Path::new("/proc/self/status"))
        .is_some_and(|status| status.lines().any(|line| line.starts_with("Seccomp:")));
    let namespaces = machine
        .text(Path::new("/proc/sys/user/max_user_namespaces"))
        .is_some_and(|most| most.trim().parse::<u64>().is_ok_and(|most| most > 0));
    let landlock = match &modules {
        Some(modules) => {
            if modules.trim().split(',').any(|module| module == "landlock") {
                "landlock"
            } else {
                "no landlock"
            }
        }
        // Only root may mount the file system that tells.
        None => "landlock unknown",
    };
    let seccomp = if has_seccomp { "seccomp" } else { "no seccomp" };
    let namespaces = if namespaces {
        "user namespaces"
    } else {
        "no user namespaces"
    };
    let detail = format!("{landlock}, {seccomp}, {namespaces}");
    if detail.contains("no ") {
        Check::warning(
            NAME,
            detail,
            "plugins are confined less; use a kernel of version 5.13 or later with CONFIG_SECURITY_LANDLOCK and CONFIG_SECCOMP",
        )
    } else {
        Check::good(NAME, detail)
    }
}
