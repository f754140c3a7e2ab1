//! The memory of a process.

/// The most memory that a process has held so far, in bytes. `None` where the system does not tell.
pub(super) fn peak(process_id: u32) -> Option<u64> {
    if cfg!(target_os = "linux") {
        let status = fs_err::read_to_string(format!("/proc/{process_id}/status")).ok()?;
        peak_of_status(&status)
    } else {
        None
    }
}

/// The line `VmHWM` of Linux's `/proc/PID/status`, which counts in KiB.
fn peak_of_status(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_in_bytes() {
        let status = "Name:\tmodelzoo\nVmPeak:\t  9000 kB\nVmHWM:\t    2048 kB\n";
        assert_eq!(peak_of_status(status), Some(2048 * 1024));
        assert_eq!(peak_of_status("Name:\tkthreadd\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_lives_has_memory_and_one_that_does_not_has_none() {
        assert!(peak(std::process::id()).is_some_and(|bytes| bytes > 100_000));
        assert_eq!(peak(u32::MAX), None);
    }
}
