//! Errors through every command that can meet them: the message, its causes, the hint and the exit code. What each kind
//! of error says is a snapshot of the command line's own tests; here it has to arrive.

mod datasets;
mod getting;

use crate::{
    snapshots::{assert_looks, session},
    support::{Run, User, copy_folder, published::user_with_source, sample},
};
use std::fs;

/// Commands that need the store, with words that make sense if it can be opened.
const WITH_STORE: [&str; 19] = [
    "apply ./source pictures",
    "embed ./source pictures",
    "embed ./source --prompt cat",
    "list",
    "info ./source",
    "find ./source",
    "download ./source",
    "delete ./source",
    "requirements ./source",
    "update",
    "sources list",
    "sources add ./source",
    "lock",
    "verify",
    "trust list",
    "trust allow ./source",
    "plugin check ./source",
    "plugin bench ./source",
    "store list",
];

/// A user with a source in `source` and a picture in `pictures`.
fn user() -> User {
    let user = User::new();
    copy_folder(&sample("brightness"), &user.path("source"));
    black_picture(&user);
    user
}

fn black_picture(user: &User) {
    fs::create_dir(user.path("pictures")).unwrap();
    let picture = image::RgbImage::from_pixel(2, 2, image::Rgb([0; 3]));
    picture.save(user.path("pictures/black.png")).unwrap();
}

fn run(user: &User, words: &str) -> Run {
    user.run(words.split_whitespace())
}

/// Every command fails in the same way.
#[track_caller]
fn assert_all(user: &User, commands: &[&str], code: i32, expected: &str) {
    for words in commands {
        let run = run(user, words);
        assert_eq!((run.code, run.stderr.trim_end()), (code, expected), "{words}");
        assert_eq!(run.stdout, "", "{words}");
    }
}

#[test]
fn a_store_that_cannot_be_opened() {
    let user = user();
    let place = user.path("file");
    fs::write(&place, "no folder").unwrap();
    let user = user.with_store(&place);
    let expected = format!(
        "error: cannot open the store at {place}\n  because: failed to create directory `{place}/sources`\n  \
         because: Not a directory (os error 20)\nhint: set MODELZOO_STORE to a folder that can be written to",
        place = place.display()
    );
    assert_all(&user, &WITH_STORE, 1, &expected);
    // Datasets need no store, and neither do their errors.
    run(&user, "dataset create mine.sqlite pictures").expect(0);
    // It is what the doctor is for.
    let doctor = run(&user, "doctor").expect(1);
    let verdict = doctor.stdout.lines().find(|line| line.starts_with("store "));
    assert!(
        verdict.is_some_and(|line| line.contains(" bad ")),
        "{}",
        doctor.stdout
    );
    assert_eq!(doctor.stderr, "");
}

#[test]
fn a_configuration_that_makes_no_sense() {
    let user = user().with_config("[download]\nretries = \"many\"\n");
    let path = user.path("config.toml");
    let expected = format!(
        "error: {}:2:11: invalid type: string \"many\", expected u32",
        path.display()
    );
    assert_all(&user, &WITH_STORE, 1, &expected);
    let doctor = run(&user, "doctor").expect(1);
    assert!(doctor.stdout.contains("config.toml:2:11"), "{}", doctor.stdout);
}

#[test]
fn a_lock_that_is_damaged_or_of_a_later_version() {
    let user = user();
    let lock = user.path("modelzoo.lock");
    let with_lock = [&WITH_STORE[..], &["store verify", "store gc", "sources update"]].concat();
    fs::write(&lock, "version = 1\nsources = 3\n").unwrap();
    let damaged = run(&user, "lock").expect(1);
    assert!(
        damaged.error().contains("modelzoo.lock:2: "),
        "{}",
        damaged.stderr
    );
    let hint = format!(
        "hint: restore {} from version control, or write it anew with `modelzoo lock`",
        lock.display()
    );
    assert!(damaged.stderr.contains(&hint), "{}", damaged.stderr);
    assert_all(&user, &with_lock, 1, damaged.stderr.trim_end());
    fs::write(&lock, "version = 9\n").unwrap();
    let expected = format!(
        "error: {} has the format version 9, which this version of modelzoo does not know\n\
         hint: use a later version of modelzoo",
        lock.display()
    );
    assert_all(&user, &with_lock, 1, &expected);
}

#[test]
fn decisions_of_trust_that_are_damaged() {
    let (user, url, _, _) = user_with_source();
    black_picture(&user);
    run(&user, &format!("trust allow {url}")).expect(0);
    let decisions = user.path(".local/share/modelzoo/trust.toml");
    let text = fs::read_to_string(&decisions).unwrap();
    let text = text.replace("allowed", "perhaps");
    fs::write(&decisions, &text).unwrap();
    let line = text.lines().position(|line| line.contains("perhaps")).unwrap() + 1;
    let commands = [
        "trust list".to_owned(),
        format!("trust allow {url}"),
        "trust deny acme".to_owned(),
        format!("trust revoke {url}"),
        format!("apply {url} pictures"),
        format!("download {url}"),
        format!("plugin bench {url}"),
    ];
    for words in &commands {
        let run = run(&user, words).expect(1);
        let place = format!("{}:{line}: ", decisions.display());
        assert!(run.error().starts_with(&place), "{words}: {}", run.stderr);
        assert!(run.stderr.contains("hint: repair "), "{words}: {}", run.stderr);
    }
    // What was decided is not lost by it.
    assert_eq!(fs::read_to_string(&decisions).unwrap(), text);
}

#[test]
fn a_model_that_is_not_there() {
    let user = user();
    fs::create_dir(user.path("empty")).unwrap();
    let with_model = |model: &str| {
        let commands = [
            "info",
            "find",
            "download",
            "delete",
            "requirements",
            "plugin bench",
        ];
        let mut commands: Vec<String> = commands.map(|command| format!("{command} {model}")).into();
        commands.extend(["apply", "embed"].map(|command| format!("{command} {model} pictures")));
        commands
    };
    for (model, code) in [
        ("nobody", 3),
        ("./nowhere", 3),
        ("./empty", 3),
        ("./source -n smal", 3),
        ("a/b/../c", 2),
        ("acme/model --offline", 3),
    ] {
        let mut told: Vec<String> = with_model(model)
            .iter()
            .map(|words| run(&user, words).expect(code).stderr)
            .collect();
        assert!(told[0].contains("\nhint: "), "{}", told[0]);
        told.dedup();
        assert_eq!(told.len(), 1, "{told:#?}");
    }
}

#[test]
fn a_plugin_that_fails_while_it_is_measured_or_checked() {
    let user = User::new();
    copy_folder(&sample("misbehaving"), &user.path("source"));
    black_picture(&user);
    let commands = [
        "plugin bench ./source pictures --set black=fail",
        "plugin bench ./source pictures --set black=abort",
        "plugin bench ./source pictures --set black=hang --stall-timeout 1",
        "plugin bench ./source pictures --set load=fail",
        "plugin bench ./source pictures --set lode=fail",
        "plugin bench ./source pictures --sandbox on --isolation none",
        "plugin bench ./source nothing",
        "plugin check ./source --input pictures --set black=abort",
        "plugin check ./source --input pictures --set lode=fail",
        "plugin check ./source --input nothing",
        "plugin check ./source -n other",
        "apply ./source pictures --set black=fail --no-skip-failures",
        "embed ./source pictures",
        "embed ./source --prompt text",
    ];
    assert_looks(&user, "errors-plugin", &session(&user, &commands));
}

#[test]
fn a_source_that_cannot_be_packed_or_written() {
    let user = user();
    fs::create_dir(user.path("bare")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", user.path("source/link")).unwrap();
    fs::write(user.path("file"), "no folder").unwrap();
    let commands = [
        "plugin pack bare",
        "plugin pack source",
        "plugin pack source -o model.zip",
        "plugin signed-text nowhere",
        "plugin new file/model",
        "plugin new source",
        "man file/pages",
        "dataset create file/mine.sqlite pictures",
        "dataset export nothing.sqlite out.jsonl",
        "dataset import mine.sqlite nothing",
        "dataset info pictures",
    ];
    assert_looks(&user, "errors-files", &session(&user, &commands));
}
