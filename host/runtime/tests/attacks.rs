//! A plugin that tries to get out of its process does not, and one that was let out does: so the attempts are real.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use modelzoo_plugin_api::LoadOptions;
use modelzoo_runtime::{Isolation, PluginRunner, Sandbox, SandboxLayer, sandbox_support};
use std::{
    collections::BTreeMap,
    net::{TcpListener, UdpSocket},
    os::unix::net::UnixListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use support::{load, plugin, runner};

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
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        for name in ["private/secret", "private/worthless", "weights/file"] {
            std::fs::write(folder.path().join(name), "secret").unwrap();
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
        let count = |folder| {
            std::fs::read_dir(self.folder.path().join(folder))
                .unwrap()
                .count()
        };
        count("private") == 3
            && count("weights") == 1
            && std::fs::read(self.secret()).unwrap() == b"secret"
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
    let missing = sandbox_support().missing();
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
    match sandbox_support().missing().as_slice() {
        [] => assert_eq!(result.unwrap().sandbox().missing(), []),
        missing => {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(missing[0].name()), "{error}");
        }
    }
}
