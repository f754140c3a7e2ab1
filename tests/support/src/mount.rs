//! Small file systems of their own, for tests of full disks and of mount options.
use std::{path::Path, process::Command};

/// A mounted tmpfs; unmounted when dropped.
pub struct Mounted(tempfile::TempDir);

impl Mounted {
    /// A tmpfs with these mount options, or nothing (and a line that says so) where tests may not mount one.
    pub fn tmpfs(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path());
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self(folder)),
            other => {
                eprintln!("skipped: a file system cannot be mounted here: {other:?}");
                None
            }
        }
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}
