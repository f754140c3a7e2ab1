//! Code that tries to get out of its process does not, whether it is a plugin, a build script or a macro; and what was let
//! out does: so the attempts are real.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use modelzoo_base::Sha256Digest;
use modelzoo_plugin_api::LoadOptions;
use modelzoo_runtime::{
    BuildError, Conduct, Isolation, PluginRunner, Sandbox, SandboxLayer, sandbox_support,
};
use modelzoo_sandbox::{Confinement, Guard};
use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    net::{TcpListener, UdpSocket},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use support::{build, load, plugin, runner, sample, worker_program};
use walkdir::WalkDir;

/// What code in a build may do: a build starts programs. Those that it leaves behind are ended with it.
const ALLOWED_IN_BUILDS: [&str; 4] = [
    "fork",
    "leave a process behind",
    "own temporary file",
    "start a program",
];

/// The list of what is tried.
const LIST: &str = include_str!("../../../tests/ATTACKS.md");

/// An ordinary user of every machine.
const NOBODY: u32 = 65534;

/// What a user has that is none of a plugin's business.
struct Home {
    folder: tempfile::TempDir,
    listener: TcpListener,
    _datagrams: Option<UdpSocket>,
    _socket: UnixListener,
    victim: Child,
}

impl Home {
    fn new() -> Self {
        // Not where temporary files go: those of others are not the only ones that must be safe.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for name in ["private", "weights"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for name in ["private/secret", "private/worthless", "weights/file"] {
            fs::write(folder.path().join(name), "secret").unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Self {
            _datagrams: UdpSocket::bind(("127.0.0.1", port)).ok(),
            _socket: UnixListener::bind(folder.path().join("private/socket")).unwrap(),
            victim: Command::new("sleep")
                .arg("600")
                .stdin(Stdio::null())
                .spawn()
                .unwrap(),
            listener,
            folder,
        }
    }

    fn secret(&self) -> PathBuf {
        self.folder.path().join("private/secret")
    }

    /// Lets a source attack while it is built.
    fn aim(&self, source: &Path) {
        let lines = [
            self.secret().display().to_string(),
            self.listener.local_addr().unwrap().port().to_string(),
            self.folder.path().join("private/socket").display().to_string(),
            self.victim.id().to_string(),
            env!("CARGO_TARGET_TMPDIR").to_owned(),
        ];
        fs::write(source.join("targets.txt"), lines.join("\n")).unwrap();
    }

    /// Gives all of it to an ordinary user.
    fn give_to(&mut self, user: u32) {
        for entry in WalkDir::new(self.folder.path()) {
            chown(entry.unwrap().path(), Some(user), Some(user)).unwrap();
        }
        self.victim.kill().unwrap();
        self.victim.wait().unwrap();
        self.victim = as_user(user, Command::new("sleep").arg("600")).spawn().unwrap();
    }

    /// Lets the plugin try everything; gives what came of each attempt.
    fn attacked_by(&self, runner: &PluginRunner) -> BTreeMap<String, String> {
        let mut options = LoadOptions::default();
        let settings = serde_json::json!({
            "secret": self.secret(),
            "port": self.listener.local_addr().unwrap().port(),
            "socket": self.folder.path().join("private/socket"),
            "victim": self.victim.id(),
        });
        options.settings = settings.as_object().unwrap().clone();
        let weights = self.folder.path().join("weights/file");
        let error = runner
            .load_model("test/model", &weights, options)
            .unwrap_err()
            .to_string();
        let (_, lines) = error
            .split_once("test/model: ")
            .unwrap_or_else(|| panic!("{error}"));
        lines
            .lines()
            .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{error}")))
            .map(|(name, result)| (name.to_owned(), result.to_owned()))
            .collect()
    }

    /// Whether everything is still there and as it was.
    fn is_whole(&mut self) -> bool {
        let count = |folder| fs::read_dir(self.folder.path().join(folder)).unwrap().count();
        count("private") == 3
            && count("weights") == 1
            && fs::read(self.secret()).unwrap() == b"secret"
            && self.victim.try_wait().unwrap().is_none()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

#[test]
fn nothing_gets_out_of_the_sandbox() {
    let mut home = Home::new();
    let missing = sandbox_support(Conduct::Computes).missing(Conduct::Computes);
    if missing.contains(&SandboxLayer::Files) || missing.contains(&SandboxLayer::SystemCalls) {
        eprintln!("skipped: this system has no sandbox: {missing:?}");
        return;
    }
    // SAFETY: nothing else in this program reads or changes the environment.
    unsafe { std::env::set_var("HOSTILE_SECRET", "secret") };
    let results = home.attacked_by(&runner(plugin("hostile"), Isolation::Process));
    assert!(results.len() > 70, "{results:#?}");
    let got_through: Vec<_> = results
        .iter()
        .filter(|(_, result)| *result == "done")
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(got_through, ["own temporary file"], "{results:#?}");
    all_are_listed(&results);
    assert!(home.is_whole());
}

#[test]
fn what_is_not_shut_in_gets_out() {
    let home = Home::new();
    let runner = runner(plugin("hostile"), Isolation::Process).with_sandbox(Sandbox::Off);
    let results = home.attacked_by(&runner);
    for name in [
        "constructor reads",
        "constructor opens a socket",
        "constructor starts a process",
        "read",
        "list",
        "chmod",
        "connect",
        "connect to a Unix socket",
        "fork",
        "start a program",
        "signal",
        "allocate more than there is",
        "read /proc/N/environ",
    ] {
        assert_eq!(results[name], "done", "{name}: {results:#?}");
    }
}

#[test]
fn a_sandbox_that_must_be_whole_is_so_or_the_plugin_is_refused() {
    let runner = runner(plugin("misbehaving"), Isolation::Process).with_sandbox(Sandbox::On);
    let result = load(&runner, serde_json::json!({}));
    match sandbox_support(Conduct::Computes)
        .missing(Conduct::Computes)
        .as_slice()
    {
        [] => assert_eq!(result.unwrap().sandbox().missing(Conduct::Computes), []),
        missing => {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(missing[0].name()), "{error}");
        }
    }
}

/// The same command, run by another user.
fn as_user(user: u32, command: &mut Command) -> Command {
    let mut other = Command::new("setpriv");
    let user = user.to_string();
    other.args(["--reuid", &user, "--regid", &user, "--clear-groups", "--"]);
    other.arg(command.get_program()).args(command.get_args());
    other.env_clear();
    for (name, value) in command.get_envs() {
        other.env(name, value.unwrap_or_default());
    }
    other
}

/// The same command, run where nobody can have namespaces, as in many containers: by a user who has no rights, in a
/// namespace of users in which there can be no further one.
fn without_namespaces(command: &mut Command) -> Command {
    let mut other = Command::new("unshare");
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && \
        exec setpriv --bounding-set=-all --inh-caps=-all -- \"$@\"";
    other.args(["--user", "--map-root-user", "--", "sh", "-c", script, "sh"]);
    other.arg(command.get_program()).args(command.get_args());
    other.env_clear();
    for (name, value) in command.get_envs() {
        other.env(name, value.unwrap_or_default());
    }
    other
}

/// The hostile source, in a folder where it can be aimed at somebody.
fn hostile() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in WalkDir::new(sample("hostile")).min_depth(1) {
        let entry = entry.unwrap();
        let place = folder
            .path()
            .join(entry.path().strip_prefix(sample("hostile")).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir(place).unwrap();
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
    folder
}

/// What a build printed of the attempts of `who`.
fn attempts_of(who: &str, said: &str) -> BTreeMap<String, String> {
    said.lines()
        .filter_map(|line| line.split_once(who)?.1.split_once(": "))
        .map(|(name, result)| (name.to_owned(), result.to_owned()))
        .collect()
}

/// The list has what was tried, but for what is allowed everywhere.
#[track_caller]
fn all_are_listed(results: &BTreeMap<String, String>) {
    let not_listed: Vec<_> = results
        .keys()
        .filter(|name| *name != "own temporary file" && !LIST.contains(&format!("`{name}`")))
        .collect();
    assert!(not_listed.is_empty(), "{not_listed:?}");
}

#[track_caller]
fn only_allowed(allowed: &[&str], who: &str, results: &BTreeMap<String, String>) {
    assert!(results.len() > 80, "{who}: {results:#?}");
    let got_through: Vec<_> = results
        .iter()
        // Whom it would reach depends on what else a build runs; it reaches nobody outside.
        .filter(|(name, result)| *result == "done" && *name != "signal everybody")
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(got_through, allowed, "{who}: {results:#?}");
    all_are_listed(results);
}

/// The layers that this system has around builds.
fn missing_around_builds() -> Vec<SandboxLayer> {
    let guard = Guard::new(worker_program()).unwrap();
    let report = guard.report(&Confinement::of_build(Sandbox::Auto)).unwrap();
    report.missing(Conduct::StartsPrograms)
}

/// Whether a process that an attempt leaves behind is still there.
fn is_anything_left() -> bool {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .any(|process| fs::read(process.path().join("cmdline")).is_ok_and(|line| line == b"sleep\086399\0"))
}

#[test]
fn nothing_gets_out_of_a_build() {
    let missing = missing_around_builds();
    if !missing.is_empty() {
        eprintln!("skipped: this system has no whole sandbox: {missing:?}");
        return;
    }
    let (mut home, source) = (Home::new(), hostile());
    home.aim(source.path());
    // So that there is something that others compiled; and what is built last stays in its place, for the other tests here
    // find what they ask for.
    for name in ["brightness", "hostile", "misbehaving"] {
        plugin(name);
    }
    let error = build(source.path()).unwrap_err();
    let BuildError::Compile { log, .. } = &error else {
        panic!("{error}")
    };
    let said = fs::read_to_string(log).unwrap();
    for who in ["script: ", "macro: "] {
        only_allowed(&ALLOWED_IN_BUILDS, who, &attempts_of(who, &said));
    }
    assert!(home.is_whole());
    assert!(!is_anything_left());
    for (folder, name) in [
        ("artifacts", "new"),
        ("build", "new"),
        ("build/shared", "libnew.rlib"),
    ] {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        assert!(
            !WalkDir::new(folder)
                .into_iter()
                .any(|entry| entry.unwrap().file_name() == name)
        );
    }
    let program = Program::of(source.path());
    let shut_in = |confinement: Confinement| {
        confinement
            .with_execute(&program.script)
            .with_read(&program.source)
    };
    let of_decoder = shut_in(Confinement::of_program(Sandbox::On, &program.script));
    // A decoder becomes its program, which starts no other.
    only_allowed(
        &["own temporary file"],
        "a decoder",
        &program.attack(None, &of_decoder),
    );
    attack_without_namespaces(&program, shut_in);
    if rustix::process::geteuid().is_root() {
        home.give_to(NOBODY);
        home.aim(&program.source);
        let of_build = shut_in(Confinement::of_build(Sandbox::On));
        only_allowed(
            &ALLOWED_IN_BUILDS,
            "an ordinary user's build",
            &program.attack(Some(NOBODY), &of_build),
        );
        only_allowed(
            &["own temporary file"],
            "an ordinary user's decoder",
            &program.attack(Some(NOBODY), &of_decoder),
        );
    }
    assert!(home.is_whole());
    assert!(!is_anything_left());
}

/// Where there are no namespaces, all other layers hold; what is missing is told, and where it must not be, nothing runs.
fn attack_without_namespaces(program: &Program, shut_in: impl Fn(Confinement) -> Confinement) {
    let strict = shut_in(Confinement::of_build(Sandbox::On));
    let (results, said) = program.attack_after(without_namespaces, &strict);
    assert!(
        results.is_empty() && said.contains("the sandbox cannot limit namespaces"),
        "{said}"
    );
    let (mut results, said) =
        program.attack_after(without_namespaces, &shut_in(Confinement::of_build(Sandbox::Auto)));
    assert!(said.contains("the sandbox cannot limit namespaces"), "{said}");
    // Who counts as whom here depends on who runs this test.
    results.remove("fill the table of processes");
    // Processes outside can be named, where they cannot be told apart from its own, and nothing can be done to them.
    let more = ["change times", "chmod", "fchmodat", "open a process"];
    let mut allowed = [&more[..], &ALLOWED_IN_BUILDS].concat();
    allowed.sort_unstable();
    only_allowed(&allowed, "a build without namespaces", &results);
}

/// The build script of the hostile source as a program that everybody can run.
struct Program {
    work: tempfile::TempDir,
    worker: PathBuf,
    script: PathBuf,
    temporary: PathBuf,
    /// Where it finds what it aims at.
    source: PathBuf,
}

impl Program {
    /// That of a source that was built.
    fn of(source: &Path) -> Self {
        let work = tempfile::tempdir().unwrap();
        let id = Sha256Digest::of(source.to_str().unwrap()).to_string();
        let build = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build");
        let target = build.join("target").join(&id[..16]);
        let mut compiled = WalkDir::new(target).into_iter().flatten();
        let built =
            compiled.find(|entry| entry.file_type().is_file() && entry.file_name() == "build-script-build");
        let [worker, script, temporary] = ["worker", "script", "tmp"].map(|name| work.path().join(name));
        fs::copy(worker_program(), &worker).unwrap();
        fs::copy(built.unwrap().path(), &script).unwrap();
        fs::create_dir(&temporary).unwrap();
        for folder in [work.path(), &temporary] {
            fs::set_permissions(folder, Permissions::from_mode(0o777)).unwrap();
        }
        Self {
            work,
            worker,
            script,
            temporary,
            source: build.join("built-source"),
        }
    }

    /// Runs it shut in, after `change`; gives what came of each attempt, and what the guard said.
    fn attack_after(
        &self,
        change: impl FnOnce(&mut Command) -> Command,
        confinement: &Confinement,
    ) -> (BTreeMap<String, String>, String) {
        let confinement = confinement.clone().with_write(&self.temporary);
        let mut command = Guard::new(&self.worker)
            .unwrap()
            .command(&self.script, &confinement);
        command.env("TMPDIR", &self.temporary);
        let output = change(&mut command)
            .current_dir(self.work.path())
            .output()
            .unwrap();
        let results = attempts_of("script: ", &String::from_utf8(output.stdout).unwrap());
        (results, String::from_utf8(output.stderr).unwrap())
    }

    /// The same as a user, or as whoever this test is run by.
    fn attack(&self, user: Option<u32>, confinement: &Confinement) -> BTreeMap<String, String> {
        let change = |command: &mut Command| match user {
            Some(user) => as_user(user, command),
            None => std::mem::replace(command, Command::new("true")),
        };
        let (results, said) = self.attack_after(change, confinement);
        assert!(!results.is_empty(), "{said}");
        results
    }
}
