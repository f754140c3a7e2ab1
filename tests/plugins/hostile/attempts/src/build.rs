//! What can be tried while something is built.

use crate::{Attempt, Targets, line, lines, processes};
use std::{
    env,
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where the targets stand in a source that is to attack: `secret`, `port`, `socket`, `victim`, and the store, a line each.
/// Others are built like any other.
pub const TARGETS: &str = "targets.txt";

/// Tries everything that can be tried in a build of the source in `source`; gives a line for each attempt. `None` where
/// it is not to attack.
pub fn attack(source: &Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(source.join(TARGETS)).ok()?;
    let [secret, port, socket, victim, store] = text.lines().collect::<Vec<_>>().try_into().ok()?;
    let targets = Targets {
        secret: secret.into(),
        port: port.parse().ok()?,
        socket: socket.into(),
        victim: victim.parse().ok()?,
    };
    let mut all = lines(&targets, &targets.secret.with_file_name("weights"));
    let attempts = attempts(source, Path::new(store));
    all.extend(attempts.iter().map(|(name, attempt)| line(name, &attempt())));
    Some(all)
}

/// Cargo's.
fn home() -> PathBuf {
    env::var_os("CARGO_HOME").map(PathBuf::from).unwrap_or_default()
}

fn create(path: PathBuf) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map(drop)
}

/// The first file in `folder` that ends so.
fn file_in(folder: &Path, ending: &str) -> io::Result<PathBuf> {
    fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.to_string_lossy().ends_with(ending))
        .ok_or(io::ErrorKind::NotFound.into())
}

fn attempts<'a>(source: &'a Path, store: &'a Path) -> Vec<Attempt<'a>> {
    let compiled = store.join("build/shared");
    let shared = move || {
        let of_one_way = fs::read_dir(&compiled)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.is_dir());
        of_one_way
            .map(|folder| folder.join("release/deps"))
            .ok_or(io::Error::from(io::ErrorKind::NotFound))
    };
    let shared_too = shared.clone();
    vec![
        (
            "write to the source",
            Box::new(move || create(source.join("new"))),
        ),
        (
            "change the source",
            Box::new(move || {
                OpenOptions::new()
                    .append(true)
                    .open(source.join("Cargo.toml"))
                    .map(drop)
            }),
        ),
        (
            "write to the store",
            Box::new(move || create(store.join("artifacts/new"))),
        ),
        (
            "write to the folder of builds",
            Box::new(move || create(store.join("build/new"))),
        ),
        (
            "write to the SDK",
            Box::new(move || create(file_in(&store.join("build/sdk"), "")?.join("new"))),
        ),
        (
            "add to what others compiled",
            Box::new(move || create(shared()?.join("libnew.rlib"))),
        ),
        (
            "change what others compiled",
            Box::new(move || {
                let library = file_in(&shared_too()?, ".rlib")?;
                OpenOptions::new().append(true).open(library).map(drop)
            }),
        ),
        (
            "write to the crates that were fetched",
            Box::new(move || create(home().join("registry/new"))),
        ),
        (
            "read the user's cargo settings",
            Box::new(|| fs::read(home().join("registry/../credentials.toml")).map(drop)),
        ),
        ("fill the table of processes", Box::new(|| processes::many(5000))),
        (
            "leave a process behind",
            Box::new(|| {
                Command::new("/bin/sh")
                    .args(["-c", "setsid sleep 86399 &"])
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .map(drop)
            }),
        ),
    ]
}
