//! One store and many processes at once, processes that are killed at any moment, and a disk that is full: the store is
//! sound, and the next run completes.

use crate::support::{
    Run, User, copy_folder,
    hosted::publish_model,
    http_server::{Answer, Server},
    mount::Mounted,
    project,
    published::git,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How often a process is killed. More kills find more: the variable raises it.
fn kills() -> usize {
    std::env::var("MODELZOO_TEST_KILLS").map_or(20, |count| count.parse().unwrap())
}

const WEIGHTS_BYTES: usize = 3_000_000;

/// What a server has for those who want the weights.
fn weights() -> Vec<u8> {
    let mut state = 7_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(WEIGHTS_BYTES)
    .collect()
}

/// A published model whose plugin is built in the user's store, whose code may run, and whose weights are at a server.
struct World {
    user: User,
    server: Server,
}

impl World {
    /// `pause` is the wait after each tenth of the weights.
    fn new(pause: Duration) -> Self {
        let user = User::new()
            .with_empty_store()
            .with_variable("MODELZOO_DOWNLOAD_RETRIES", "0");
        let is_open = Arc::new(AtomicBool::new(false));
        let (content, open) = (weights(), Arc::clone(&is_open));
        let server = Server::start(move |_, seen| match open.load(Ordering::SeqCst) {
            true => Answer::with_ranges(seen, &content, "\"v1\"").slowly(pause),
            false => Answer::new("404 Not Found", ""),
        });
        publish_model(&user, serde_json::json!({ "url": server.url("/weights.bin") }));
        // The plugin is built, and there are no weights yet.
        let run = user.run(["download", "m"]).expect(3);
        assert!(run.stderr.contains("404"), "{}", run.stderr);
        is_open.store(true, Ordering::SeqCst);
        Self { user, server }
    }

    fn store(&self, folder: &str) -> PathBuf {
        self.user.path("store").join(folder)
    }

    /// Starts the program with these arguments.
    fn start<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Child {
        self.user
            .program()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The model's weights are there, whole, and once; everything in the store is what its name says.
    fn check(&self) {
        let found = self.user.run(["find", "m"]).expect(0);
        assert!(
            fs::read(found.stdout.trim()).unwrap() == weights(),
            "the weights are damaged"
        );
        self.check_store();
        assert_eq!(fs::read_dir(self.store("weights")).unwrap().count(), 1);
    }

    fn check_store(&self) {
        self.user.run(["store", "verify"]).expect(0);
    }
}

#[test]
fn thirty_two_processes_that_download_a_model_end_with_one_good_copy() {
    let world = World::new(Duration::from_millis(200));
    let children: Vec<Child> = (0..32).map(|_| world.start(["download", "m"])).collect();
    for child in children {
        let run = Run::of(child.wait_with_output().unwrap()).expect(0);
        assert!(run.stdout.trim().ends_with("weights.bin"), "{}", run.stdout);
    }
    world.check();
    let requests = world.server.seen().len();
    assert!(
        requests < 32,
        "most wait for the one that downloads: {requests} requests"
    );
}

#[test]
fn kills_at_any_moment_leave_a_sound_store() {
    let world = World::new(Duration::from_millis(15));
    let branches = world.user.path("branches");
    fs::create_dir(&branches).unwrap();
    git(&branches, &["init", "--quiet"]);
    let url = format!("file://{}/.git", branches.display());
    let (photos, labels) = (project().join("examples/photos"), world.user.path("labels.jsonl"));
    let mut killed = 0;
    for kill in 0..kills() {
        let mut child = match kill % 3 {
            0 => world.start(["download", "m"]),
            1 => world.start([
                "apply",
                "m",
                photos.to_str().unwrap(),
                "-o",
                labels.to_str().unwrap(),
            ]),
            // A source that the store does not have yet.
            _ => {
                let name = format!("branch{kill}");
                commit_source(&branches, &name);
                world.start(["sources", "add", &format!("{url}@{name}")])
            }
        };
        std::thread::sleep(Duration::from_micros(fastrand::u64(0..250_000)));
        // One that is done already cannot be killed.
        let _ = child.kill();
        if child.wait_with_output().unwrap().status.code().is_none() {
            killed += 1;
        } else {
            world.user.run(["delete", "m"]).expect(0);
        }
        world.check_store();
        world.user.run(["list"]).expect(0);
        if let Ok(labels) = fs::read_to_string(&labels) {
            assert_eq!(labels.lines().count(), 4, "an unfinished file has its final name");
        }
    }
    assert!(
        killed > kills() / 4,
        "most were done before they were killed: {killed}"
    );

    world.user.run(["download", "m"]).expect(0);
    world.check();
    world.user.run(["sources", "add", &url]).expect(0);
    world.user.run(["store", "gc"]).expect(0);
    let left: Vec<_> = fs::read_dir(world.store("tmp"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| !name.to_string_lossy().starts_with("download-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A commit of a source with the model `name`, on a branch of this name.
fn commit_source(repository: &Path, name: &str) {
    let manifest = serde_json::json!({ "models": [{ "base_name": name }] });
    fs::write(repository.join("manifest.json"), manifest.to_string()).unwrap();
    for file in 0..20 {
        fs::write(repository.join(format!("file{file}")), name.repeat(500)).unwrap();
    }
    git(repository, &["add", "--all"]);
    git(repository, &["commit", "--quiet", "-m", name]);
    git(repository, &["branch", name]);
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_bad() {
    let world = World::new(Duration::ZERO);
    // The plugin and its source, and a part of the weights.
    let room = folder_bytes(&world.store("artifacts")) + folder_bytes(&world.store("sources"));
    let size = room.next_multiple_of(1 << 20) + (2 << 20);
    let Some(disk) = Mounted::tmpfs(&format!("size={size}")) else {
        return;
    };
    for folder in ["artifacts", "sources", "records"] {
        copy_folder(&world.store(folder), &disk.path().join(folder));
    }
    fs::create_dir(disk.path().join("build")).unwrap();
    let world = World {
        user: world.user.with_store(disk.path()),
        server: world.server,
    };
    let run = world.user.run(["download", "m"]).expect(1);
    assert!(
        run.error().contains("no space left on the disk"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("modelzoo store gc"), "{}", run.stderr);
    world.user.run(["find", "m"]).expect(3);
    assert_eq!(fs::read_dir(disk.path().join("weights")).unwrap().count(), 0);
    world.check_store();

    // A source that does not fit.
    let large = world.user.path("large");
    fs::create_dir(&large).unwrap();
    fs::write(
        large.join("manifest.json"),
        r#"{"models": [{"base_name": "large"}]}"#,
    )
    .unwrap();
    fs::write(large.join("data.bin"), weights()).unwrap();
    git(&large, &["init", "--quiet"]);
    git(&large, &["add", "--all"]);
    git(&large, &["commit", "--quiet", "-m", "Much"]);
    let run = world
        .user
        .run(["sources", "add", &format!("file://{}/.git", large.display())])
        .expect(1);
    assert!(
        run.stderr.to_lowercase().contains("no space left"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("modelzoo store gc"), "{}", run.stderr);
    world.check_store();

    // With room again, the same command completes.
    let room = std::process::Command::new("mount")
        .args(["-o", "remount,size=64m"])
        .arg(disk.path())
        .status()
        .unwrap();
    assert!(room.success());
    world.user.run(["download", "m"]).expect(0);
    let found = world.user.run(["find", "m"]).expect(0);
    assert!(fs::read(found.stdout.trim()).unwrap() == weights());
    world.check_store();
}

fn folder_bytes(folder: &Path) -> u64 {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum()
}
