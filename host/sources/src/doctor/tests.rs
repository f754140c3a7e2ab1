use super::*;
use std::{collections::BTreeMap, io};

/// A machine as described.
#[derive(Default)]
struct Described {
    outputs: BTreeMap<&'static str, &'static str>,
    variables: BTreeMap<&'static str, &'static str>,
}

impl Machine for Described {
    fn output(&self, program: &str, _: &[&str]) -> io::Result<String> {
        self.outputs
            .get(program)
            .map(|text| (*text).to_owned())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|text| (*text).to_owned())
    }
}

fn equipped() -> Described {
    Described {
        outputs: BTreeMap::from([
            ("cargo", "cargo 1.99.0 (abc 2026-01-01)\n"),
            ("rustc", "rustc 1.99.0-nightly (abc 2026-01-01)\n"),
            ("cc", "cc (Debian 12) 12.2.0\nmore\n"),
            ("ffmpeg", "ffmpeg version 7.1\n"),
        ]),
        variables: BTreeMap::new(),
    }
}

fn examined(machine: &Described) -> BTreeMap<String, Check> {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::default();
    let checks = examine(
        machine,
        Ok(&config),
        &folder.path().join("new/store"),
        &folder.path().join("data"),
    );
    for check in &checks {
        assert_eq!(
            check.remedy.is_some(),
            check.verdict != Verdict::Good,
            "{check:?}"
        );
    }
    checks
        .into_iter()
        .map(|check| (check.name.to_string(), check))
        .collect()
}

#[test]
fn an_equipped_machine_is_good() {
    let checks = examined(&equipped());
    assert!(
        checks.values().all(|check| check.verdict != Verdict::Bad),
        "{checks:#?}"
    );
    assert_eq!(checks["linker"].detail, "cc: cc (Debian 12) 12.2.0");
    assert_eq!(checks["rustc"].verdict, Verdict::Good);
    assert_eq!(checks["gpu"].verdict, Verdict::Good);
    assert!(checks["git"].detail.starts_with("libgit2 1."));
}

#[test]
fn what_is_missing_is_said_with_a_remedy() {
    let checks = examined(&Described::default());
    assert_eq!(checks["cargo"].verdict, Verdict::Warning);
    assert_eq!(
        checks["cargo"].detail,
        "cargo is not installed: sources cannot be compiled; published models and compiled plugins run"
    );
    assert!(checks["cargo"].remedy.as_ref().unwrap().contains("rustup.rs"));
    assert_eq!(checks["ffmpeg"].verdict, Verdict::Warning);
    if cfg!(unix) {
        assert_eq!(checks["linker"].verdict, Verdict::Warning);
    }
    // What runs without a compiler runs here.
    assert!(checks.values().all(|check| check.verdict != Verdict::Bad));
}

#[test]
fn an_old_compiler_is_noticed() {
    let mut machine = equipped();
    machine.outputs.insert("rustc", "rustc 1.60.0 (abc 2022-01-01)\n");
    let check = &examined(&machine)["rustc"];
    assert_eq!(check.verdict, Verdict::Warning);
    assert!(
        check
            .detail
            .starts_with("rustc 1.60.0 (abc 2022-01-01) is older than "),
        "{check:?}"
    );
    assert_eq!(check.remedy.as_deref(), Some("run `rustup update`"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_gpu_without_its_compiler_is_a_warning() {
    let mut machine = equipped();
    machine
        .outputs
        .insert("nvidia-smi", "GPU 0: NVIDIA A100 (UUID: GPU-1234)\n");
    let check = &examined(&machine)["gpu"];
    assert_eq!(check.verdict, Verdict::Warning);
    assert_eq!(
        check.detail,
        "GPU 0: NVIDIA A100; nvcc is not installed: models run on the CPU"
    );
    machine.outputs.insert(
        "nvcc",
        "nvcc: NVIDIA\nCuda compilation tools, release 12.4, V12.4.99\n",
    );
    let check = &examined(&machine)["gpu"];
    assert_eq!(
        check.detail,
        "GPU 0: NVIDIA A100; Cuda compilation tools, release 12.4, V12.4.99"
    );
}

#[test]
fn proxies_are_shown_without_their_password() {
    let mut machine = equipped();
    machine
        .variables
        .insert("https_proxy", "me:secret@proxy.example.com:3128");
    let check = &examined(&machine)["proxy"];
    assert_eq!(check.detail, "https_proxy=http://proxy.example.com:3128/");
    machine.variables.insert("HTTP_PROXY", "gopher://me:secret@proxy");
    let check = &examined(&machine)["proxy"];
    assert_eq!(
        (check.verdict, check.detail.as_str()),
        (Verdict::Bad, "HTTP_PROXY is no URL of a proxy")
    );
    machine.variables.insert("HF_TOKEN", "secret");
    assert_eq!(examined(&machine)["tokens"].detail, "HF_TOKEN is set");
}

#[test]
fn a_file_where_the_store_should_be_is_bad() {
    let config = Config::default();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    for store in [file.clone(), file.join("store")] {
        let checks = examine(&equipped(), Ok(&config), &store, folder.path());
        let check = checks.iter().find(|check| check.name == "store").unwrap();
        let expected = format!("{} is no folder", file.display());
        assert_eq!((check.verdict, &check.detail), (Verdict::Bad, &expected));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_store_that_cannot_be_written_is_bad() {
    let config = Config::default();
    let folder = tempfile::tempdir().unwrap();
    let checks = examine(
        &equipped(),
        Ok(&config),
        Path::new("/proc/self/store"),
        folder.path(),
    );
    let store = checks.iter().find(|check| check.name == "store").unwrap();
    assert_eq!(store.verdict, Verdict::Bad);
    assert!(store.remedy.as_ref().unwrap().contains("MODELZOO_STORE"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_small_store_from_which_nothing_can_be_loaded_is_bad() {
    let Some(disk) = modelzoo_test_support::mount::Mounted::tmpfs("size=1m,noexec") else {
        return;
    };
    let config = Config::default();
    let checks = examine(&equipped(), Ok(&config), &disk.path().join("store"), disk.path());
    for (name, detail) in [
        (
            "store can hold programs",
            "is on a file system that is mounted noexec",
        ),
        ("disk space", "0.0 GiB are free for"),
    ] {
        let check = checks.iter().find(|check| check.name == name).unwrap();
        assert_eq!(check.verdict, Verdict::Bad, "{check:?}");
        assert!(check.detail.contains(detail), "{check:?}");
    }
}

#[test]
fn a_wrong_configuration_is_bad_and_the_rest_is_examined() {
    let error = Config::from_toml("zzz = 1", Path::new("config.toml")).unwrap_err();
    let folder = tempfile::tempdir().unwrap();
    let checks = examine(&equipped(), Err(&error), folder.path(), folder.path());
    assert_eq!(checks[0].verdict, Verdict::Bad);
    assert!(
        checks[0]
            .detail
            .starts_with("config.toml:1:1: unknown field `zzz`"),
        "{:?}",
        checks[0]
    );
    assert!(checks.len() > 8);
}

#[test]
fn this_machine_answers() {
    let machine = ThisMachine;
    assert_eq!(
        machine.output("no-such-program", &[]).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    let cargo = machine.output(env!("CARGO"), &["--version"]).unwrap();
    assert!(cargo.starts_with("cargo "), "{cargo}");
    assert!(machine.output(env!("CARGO"), &["no-such-command"]).is_err());
}
