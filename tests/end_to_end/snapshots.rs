//! What users see: the help of every command, and sessions at a terminal, with everything that the program prints.
//!
//! `INSTA_UPDATE=always cargo test --test end_to_end snapshots` writes them anew.

use crate::support::{
    self, User, copy_folder, project,
    published::{git, user_with_source},
    sample,
};
use std::{fmt::Write as _, fs};

/// What differs from machine to machine and from run to run, and what stands for it.
const FILTERS: [(&str, &str); 16] = [
    (r"\b[0-9a-f]{64}\b", "[SHA-256]"),
    (r"\b[0-9a-f]{40}\b", "[COMMIT]"),
    (r"\b[0-9a-f]{12}\b", "[SHORT]"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "[TIME]"),
    (r"\d+\.\d+ ms", "[MS]"),
    (r"\d+\.\d+ s, \d+\.\d+ a second", "[SECONDS], [RATE] a second"),
    (r"a library of \d+\.\d+ MiB", "a library of [SIZE]"),
    (r#"("size_bytes"): \d+"#, "$1: [SIZE]"),
    (r#""(committed|registered)_at": \d+"#, r#""$1_at": [SECONDS]"#),
    (r"\d+(\.\d+)? [KMG]i?B|\b[1-9]\d* B\b", "[SIZE]"),
    (r#""base64":"[^"]+""#, r#""base64":"[BASE64]""#),
    (r"libgit2 [0-9.]+", "libgit2 [VERSION]"),
    // This machine may have little space left.
    (
        r"(disk space +)warning  (\[SIZE\] are free for \[STORE\]); the first build of a plugin can take \d+",
        "${1}good     $2",
    ),
    (r"(?m)^disk space: free some space .*\n", ""),
    (
        r#""warning",(\n +"detail": "\[SIZE\] are free for \[STORE\])[^"]*(",\n +"remedy": )"[^"]*""#,
        r#""good",$1${2}null"#,
    ),
    // The width of this column is that of the home folder's path.
    (r"(?m)^source {3,}(commit|decision)", "source  $1"),
];

/// Compares a text with the snapshot of this name.
pub fn assert_looks(user: &User, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(project().join("tests/end_to_end/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (path, stand_in) in [
        (user.path("store"), "[STORE]"),
        (user.path(""), "[HOME]/"),
        (user.path("x").parent().unwrap().to_owned(), "[HOME]"),
        (support::shared_store(), "[STORE]"),
        (project(), "[PROJECT]"),
    ] {
        settings.add_filter(&path.to_str().unwrap().replace('.', r"\."), stand_in);
    }
    for (pattern, stand_in) in FILTERS {
        settings.add_filter(pattern, stand_in);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The snapshot of this name where builds are shut in whole. Where the system lacks namespaces for that, as most containers
/// do, another one shows how that is told.
fn by_namespaces(user: &User, name: &str) -> String {
    let doctor = user.run(["doctor", "--json"]).stdout;
    match doctor.contains("builds are not limited in: namespaces;") {
        true => format!("{name}-without-namespaces"),
        false => name.to_owned(),
    }
}

/// Runs commands one after the other; gives what was typed and what was printed.
pub fn session(user: &User, commands: &[&str]) -> String {
    let mut text = String::new();
    for command in commands {
        let run = user.run(command.split_whitespace());
        writeln!(text, "$ modelzoo {command}").unwrap();
        text.push_str(&run.stdout);
        let told = without_progress(&run.stderr);
        if !told.is_empty() {
            writeln!(text, "--- standard error\n{told}").unwrap();
        }
        if run.code != 0 {
            writeln!(text, "--- exit code {}", run.code).unwrap();
        }
        text.push('\n');
    }
    text
}

/// How far a build is, is told without a terminal as well, where it takes long.
fn without_progress(stderr: &str) -> String {
    let is_progress = |line: &&str| line.starts_with("building ") && line.contains(" of ");
    let lines: Vec<&str> = stderr.lines().filter(|line| !is_progress(line)).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Puts a source into the user's folder `source` that is built already, whatever other tests have done: a plan would
/// tell of the build.
fn add_built_source(user: &User) {
    copy_folder(&sample("brightness"), &user.path("source"));
    for command in ["download", "delete"] {
        user.run([command, "./source"]).expect(0);
    }
}

/// The names in the `Commands` of a help text.
fn subcommands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    list.take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_help_of_every_command() {
    let user = User::new();
    let mut pending = vec![Vec::<String>::new()];
    while let Some(command) = pending.pop() {
        let words = command.iter().map(String::as_str);
        let help = user.run(words.chain(["--help"])).expect(0).stdout;
        for name in subcommands(&help) {
            pending.push([command.clone(), vec![name]].concat());
        }
        let name = [vec!["help".to_owned()], command].concat().join("-");
        assert_looks(&user, &name, &help);
    }
}

#[test]
fn listing_and_looking_at_models() {
    let user = User::new();
    copy_folder(&sample("brightness"), &user.path("source"));
    let manifest = r#"{"models": [{
        "base_name": "segmenter", "version": "2.0", "license": "MIT, CC-BY-4.0", "tags": ["a", "b"],
        "description": "Finds parts", "size_bytes": 5000000, "base_filename": "s.pt",
        "requirements": {
            "packages": ["torch>=2", "numpy"], "cpu": {"support": false}, "gpu": {"support": true, "cuda_version": ">=99"},
            "modelzoo": {"min_api_version": "9.1", "targets": ["sparc-unknown-none"], "system_libraries": ["nowhere"]}
        }
    }]}"#;
    fs::create_dir(user.path("python")).unwrap();
    fs::write(user.path("python/manifest.json"), manifest).unwrap();
    let commands = [
        "list",
        "list ./source",
        "list ./source --json",
        "list ./source --names-only",
        "list ./source --tags none",
        "list --downloaded",
        "info ./source",
        "info ./source --json",
        "info ./python",
        "info ./source -n test/brightnes",
        "requirements ./source",
        "requirements ./python",
        "requirements ./python --json",
    ];
    assert_looks(&user, &by_namespaces(&user, "models"), &session(&user, &commands));
}

#[test]
fn downloading_and_deleting_weights() {
    let user = User::new();
    add_built_source(&user);
    let commands = [
        "find ./source",
        "download ./source --dry-run",
        "download ./source",
        "find ./source",
        "find ./source --json",
        "download ./source --dry-run",
        "delete ./source --dry-run",
        "delete ./source",
        "delete ./source",
        "delete ./source --json",
    ];
    assert_looks(&user, "weights", &session(&user, &commands));
}

#[test]
fn registering_sources() {
    let (user, url, repository, [_, second]) = user_with_source();
    let with_url = |commands: &[&str]| {
        let commands: Vec<String> = commands
            .iter()
            .map(|command| command.replace("URL", &url))
            .collect();
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        session(&user, &commands)
    };
    let before = with_url(&[
        "sources list",
        "sources add URL --dry-run",
        "sources add URL",
        "sources add URL@nothing",
        "sources list",
        "sources list --json",
        "sources show URL",
        "sources show nobody/nothing",
        "list",
        "update",
    ]);
    git(&repository, &["update-ref", "refs/heads/main", &second]);
    let after = with_url(&[
        "update --dry-run",
        "sources update --dry-run --json",
        "update",
        "sources remove URL --dry-run",
        "sources remove URL",
        "sources remove URL",
    ]);
    assert_looks(&user, "sources", &(before + &after));
}

#[test]
fn trusting_and_denying() {
    let (user, url, _, _) = user_with_source();
    let photos = project().join("examples/photos");
    let commands = [
        "trust list",
        &format!("apply {url} {}", photos.display()),
        &format!("trust allow {url} --dry-run"),
        &format!("trust allow {url}"),
        "trust list",
        "trust list --json",
        "trust deny github.com/acme --dry-run",
        "trust deny github.com/acme",
        "info acme/brightness --offline",
        &format!("trust revoke {url} --dry-run"),
        &format!("trust revoke {url}"),
        &format!("trust revoke {url} --dry-run"),
        "trust revoke nobody/nothing",
        "trust allow nobody/nothing --offline",
    ];
    assert_looks(&user, "trust", &session(&user, &commands));
}

#[test]
fn locking_and_verifying() {
    let (user, url, _, _) = user_with_source();
    let commands = [
        "lock --locked",
        &format!("list {url} --locked"),
        &format!("sources add {url}"),
        "lock --dry-run",
        "lock --dry-run --json",
        "lock",
        "lock",
        "lock --json",
        "verify",
        "verify --json",
    ];
    assert_looks(&user, "lock", &session(&user, &commands));
}

#[test]
fn looking_into_the_store() {
    let (user, url, _, _) = user_with_source();
    let commands = [
        "store dir",
        "store list",
        &format!("sources add {url} --quiet"),
        "store list",
        "store list --json",
        "store verify",
        "store gc --dry-run",
        "store gc --unused-for 0 --dry-run",
        "store gc --unused-for 0",
        "store gc --json",
        "store list",
    ];
    assert_looks(&user, "store", &session(&user, &commands));
}

#[test]
fn writing_a_plugin() {
    let user = User::new();
    let before = session(
        &user,
        &[
            "plugin new my-model --dry-run",
            "plugin new my-model",
            "plugin new my-model",
            "plugin new 3d",
        ],
    );
    let commands = [
        "plugin check my-model",
        "plugin check my-model --json",
        "plugin check nowhere",
        "plugin pack my-model --dry-run",
        "plugin pack my-model",
        "plugin pack my-model --json",
        "plugin pack my-model -o my-model.zip",
        "plugin signed-text my-model",
        "plugin signed-text nowhere",
    ];
    assert_looks(
        &user,
        &by_namespaces(&user, "plugin"),
        &(before + &session(&user, &commands)),
    );

    fs::write(
        user.path("my-model/src/lib.rs"),
        "fn broken() -> u32 { \"text\" }",
    )
    .unwrap();
    let broken = session(&user, &["plugin check my-model", "apply ./my-model ./my-model"]);
    assert_looks(&user, &by_namespaces(&user, "plugin-broken"), &broken);
}

#[test]
fn applying_and_embedding() {
    let user = User::new();
    add_built_source(&user);
    let pictures = user.path("pictures");
    fs::create_dir(&pictures).unwrap();
    for (name, grey) in [("bright", 250), ("dark", 5)] {
        let picture = image::RgbImage::from_pixel(2, 2, image::Rgb([grey; 3]));
        picture.save(pictures.join(name).with_extension("png")).unwrap();
    }
    fs::write(pictures.join("broken.jpg"), "no picture").unwrap();
    let commands = [
        "apply ./source pictures -o results.jsonl --annotate drawn --dry-run",
        "apply ./source pictures/dark.png --threads 1",
        "apply ./source pictures brightness -o results.jsonl",
        "apply ./source pictures -o results.csv --no-skip-failures",
        "embed ./source pictures -o vectors.npy --dry-run",
        "embed ./source pictures",
        "embed ./source --prompt text",
        "apply ./source pictures -o labelled.sqlite --quiet",
        "apply ./source labelled.sqlite again --dry-run",
        "apply ./source labelled.sqlite predictions",
    ];
    assert_looks(&user, "apply", &session(&user, &commands));
}

#[test]
fn examining_a_machine() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut user = User::new();
    for variable in modelzoo_sources::doctor::PROXY_VARIABLES {
        // Empty counts as not set.
        user = user.with_variable(variable, "");
    }
    let programs = user.path("programs");
    fs::create_dir(&programs).unwrap();
    let mut user = user.with_variable("PATH", programs.to_str().unwrap());
    let nothing = session(&user, &["doctor"]);
    for (name, version) in [
        ("cargo", "cargo 1.99.0 (abc 2026-01-01)"),
        ("rustc", "rustc 1.50.0 (abc 2026-01-01)"),
        ("cc", "cc (Debian 12) 12.2.0"),
        ("ffmpeg", "ffmpeg version 7.1"),
        ("nvidia-smi", "GPU 0: NVIDIA A100 (UUID: GPU-1234)"),
    ] {
        let program = programs.join(name);
        fs::write(&program, format!("#!/bin/sh\necho '{version}'\n")).unwrap();
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    user = user
        .with_variable("HTTPS_PROXY", "http://me:secret@proxy.example.com:3128")
        .with_variable("HF_TOKEN", "secret")
        .with_config("[mirrors]\n\"https://github.com/\" = \"https://git.example.com/\"\n");
    let equipped = session(&user, &["doctor", "doctor --json"]);
    assert_looks(&user, &by_namespaces(&user, "doctor"), &(nothing + &equipped));
}

#[test]
fn keeping_datasets() {
    let user = User::new();
    fs::create_dir(user.path("pictures")).unwrap();
    let picture = image::RgbImage::from_pixel(2, 2, image::Rgb([9; 3]));
    picture.save(user.path("pictures/dark.png")).unwrap();
    let commands = [
        "dataset create mine.sqlite pictures --dry-run",
        "dataset create mine.sqlite pictures --tags a,b",
        "dataset create mine.sqlite pictures",
        "dataset info mine.sqlite",
        "dataset info mine.sqlite --json",
        "dataset info pictures/dark.png",
        "dataset export mine.sqlite out.jsonl --dry-run",
        "dataset export mine.sqlite out.jsonl",
        "dataset export mine.sqlite out.jsonl --json",
        "dataset export mine.sqlite out.xyz",
        "dataset import other.sqlite out.jsonl --dry-run",
        "dataset import other.sqlite out.jsonl",
        "dataset import other.sqlite nothing.jsonl",
    ];
    assert_looks(&user, "dataset", &session(&user, &commands));
}

#[test]
fn getting_it_wrong() {
    let user = User::new();
    copy_folder(&sample("brightness"), &user.path("source"));
    fs::create_dir_all(user.path("python")).unwrap();
    fs::write(
        user.path("python/manifest.json"),
        r#"{"models": [{"base_name": "clip"}]}"#,
    )
    .unwrap();
    fs::create_dir_all(user.path("malformed")).unwrap();
    fs::write(
        user.path("malformed/manifest.json"),
        "{\"models\": [\n  {\"base_name\": 3}\n]}",
    )
    .unwrap();
    fs::create_dir_all(user.path("empty")).unwrap();
    let photos = project().join("examples/photos");
    let photos = photos.to_str().unwrap();
    let commands = [
        "lst",
        "apply",
        &format!("apply ./source {photos} --confidence-thresh 2"),
        &format!("apply ./source {photos} --set threshold"),
        &format!("apply ./source {photos} --memory 1MB"),
        &format!("apply ./source {photos} --device tpu"),
        &format!("apply ./source {photos} --set treshold=0.3"),
        &format!("apply ./source {photos} -o results.xyz"),
        &format!("apply ./nowhere {photos}"),
        &format!("apply ./empty {photos}"),
        &format!("apply ./python {photos}"),
        &format!("apply ./malformed {photos}"),
        "apply ./source ./nothing",
        "apply ./source ./empty",
        "info clip",
        "info a/b/../c",
        "info https://example.com/a?ref=--upload-pack=x --offline",
        "info acme/model@v1 --offline",
        "list --json --names-only",
    ];
    assert_looks(&user, "errors", &session(&user, &commands));
    let user = User::new().with_config("[download]\nretrys = 3\n");
    assert_looks(&user, "errors-configuration", &session(&user, &["list"]));
}
