//! How much memory there is.

use fs_err as fs;
use std::path::Path;

/// All memory of the machine, in bytes; `None` where the system does not tell.
pub fn machine_memory() -> Option<u64> {
    machine_memory_below(Path::new("/"))
}

/// How much of it this process may use, in bytes: less than all where a container or another control group has a limit.
pub fn usable_memory() -> Option<u64> {
    usable_memory_below(Path::new("/"))
}

fn usable_memory_below(root: &Path) -> Option<u64> {
    let limits = [machine_memory_below(root), group_limit(root)];
    limits.into_iter().flatten().min()
}

fn machine_memory_below(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The least limit of the control groups that this process is in: its own one and those around it.
fn group_limit(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let limits = groups.lines().filter_map(|line| {
        // The number of the hierarchy, its controllers, and the group's path.
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, group) = (parts.next()?, parts.next()?);
        let (folder, file) = if controllers.is_empty() {
            ("sys/fs/cgroup", "memory.max")
        } else if controllers.split(',').any(|name| name == "memory") {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            return None;
        };
        // Within a container, the path may be one that only the machine has; the container's own group is the root then.
        Path::new(group.trim_start_matches('/'))
            .ancestors()
            .filter_map(|group| number_in(&root.join(folder).join(group).join(file)))
            .min()
    });
    limits.min()
}

/// The number in a file; `None` where there is none, as in one that says `max`.
fn number_in(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much may be used on a machine with these files.
    fn usable(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        usable_memory_below(root.path())
    }

    const MACHINE: (&str, &str) = ("proc/meminfo", "MemTotal:        2000 kB\nMemFree:  1 kB\n");

    #[test]
    fn a_machine_without_groups_may_be_used_whole() {
        assert_eq!(usable(&[MACHINE]), Some(2_048_000));
        assert_eq!(usable(&[]), None);
        assert_eq!(usable(&[("proc/meminfo", "nothing")]), None);
    }

    #[test]
    fn the_least_limit_of_the_groups_around_it_counts() {
        let group = ("proc/self/cgroup", "0::/outer/inner\n");
        let outer = ("sys/fs/cgroup/outer/memory.max", "1000000\n");
        let inner = ("sys/fs/cgroup/outer/inner/memory.max", "max\n");
        assert_eq!(usable(&[MACHINE, group, outer, inner]), Some(1_000_000));
        assert_eq!(usable(&[MACHINE, group, inner]), Some(2_048_000));
    }

    #[test]
    fn a_container_that_sees_its_group_as_the_root_has_its_limit() {
        let limit = ("sys/fs/cgroup/memory.max", "5000\n");
        assert_eq!(
            usable(&[MACHINE, ("proc/self/cgroup", "0::/\n"), limit]),
            Some(5000)
        );
        assert_eq!(
            usable(&[MACHINE, ("proc/self/cgroup", "0::/docker/1234\n"), limit]),
            Some(5000)
        );
    }

    #[test]
    fn groups_of_the_first_version_count_as_well() {
        let groups = ("proc/self/cgroup", "12:cpu,cpuacct:/a\n4:memory:/a\n");
        let other = (
            "sys/fs/cgroup/memory/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
        let own = ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "7000\n");
        assert_eq!(usable(&[MACHINE, groups, other, own]), Some(7000));
        assert_eq!(usable(&[MACHINE, groups, other]), Some(2_048_000));
    }
}
