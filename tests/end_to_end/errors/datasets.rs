//! Datasets, files of labels and pictures that cannot be read, and results that cannot be written.

use super::{run, user};
use crate::support::User;
use std::fs;

/// Commands that read a dataset, which stands for INPUT.
const READING: [&str; 4] = [
    "dataset info INPUT",
    "dataset export INPUT out.jsonl",
    "apply ./source INPUT",
    "apply ./source INPUT labels",
];

#[track_caller]
fn each_tells(user: &User, commands: &[&str], input: &str, code: i32, reason: &str) {
    for words in commands {
        let words = words.replace("INPUT", input);
        let run = run(user, &words);
        assert_eq!(run.code, code, "{words}: {}{}", run.stdout, run.stderr);
        assert!(run.error().contains(input), "{words}: {}", run.stderr);
        assert!(run.stderr.contains(reason), "{words}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{words}");
        assert!(!user.path("out.jsonl").exists(), "{words}");
    }
}

#[test]
fn datasets_that_are_none() {
    let user = user();
    run(&user, "dataset create whole.sqlite pictures").expect(0);
    let whole = fs::read(user.path("whole.sqlite")).unwrap();
    fs::write(user.path("cut.sqlite"), &whole[..whole.len() / 2]).unwrap();
    let mut damaged = whole.clone();
    damaged[100..2000].fill(0xff);
    fs::write(user.path("damaged.sqlite"), damaged).unwrap();
    fs::write(user.path("text.sqlite"), "no database").unwrap();
    each_tells(&user, &READING, "nothing.sqlite", 3, "");
    for input in ["cut.sqlite", "damaged.sqlite"] {
        each_tells(&user, &READING, input, 1, "hint: restore it from a copy");
    }
    // What is no dataset may still be a picture.
    each_tells(&user, &READING[..2], "text.sqlite", 1, "no dataset");
    let run = run(&user, "apply ./source text.sqlite").expect(8);
    assert!(
        run.stderr.contains("text.sqlite: not a picture"),
        "{}",
        run.stderr
    );
}

#[test]
fn labels_that_are_none() {
    let user = user();
    for (name, content) in [
        ("cut.json", "{\"images\": ["),
        ("other.json", "{\"weather\": \"fine\"}"),
        ("cut.jsonl", "{\"filepath\": \"a.png\"}\n{\"filep"),
    ] {
        fs::write(user.path(name), content).unwrap();
        run(&user, "dataset create mine.sqlite pictures").expect(0);
        let before = fs::read(user.path("mine.sqlite")).unwrap();
        let import = run(&user, &format!("dataset import mine.sqlite {name} --strict")).expect(1);
        assert!(import.stderr.contains(name), "{}", import.stderr);
        assert_eq!(fs::read(user.path("mine.sqlite")).unwrap(), before, "{name}");
        fs::remove_file(user.path("mine.sqlite")).unwrap();
    }
}

#[test]
fn results_that_cannot_be_written() {
    let user = user();
    run(&user, "dataset create mine.sqlite pictures").expect(0);
    fs::write(user.path("file"), "no folder").unwrap();
    for words in [
        "apply ./source pictures -o file/out.jsonl",
        "apply ./source pictures -o file/out.csv",
        "apply ./source pictures -o file/out.json --format coco",
        "apply ./source pictures -o file/out --format yolo",
        "apply ./source pictures -o out.jsonl --annotate file",
        "apply ./source pictures -o out.jsonl --failures file/failures",
        "apply ./source pictures -o file/out.parquet",
        "apply ./source pictures -o file/out.sqlite",
        "dataset export mine.sqlite file/out.jsonl",
        "dataset export mine.sqlite file/out --format fiftyone",
    ] {
        let run = run(&user, words).expect(1);
        assert!(run.stderr.contains("file"), "{words}: {}", run.stderr);
        let has_reason = ["\n  because: ", "\nhint: "]
            .iter()
            .any(|line| run.stderr.contains(line));
        assert!(has_reason, "{words}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{words}");
    }
    assert_eq!(fs::read_to_string(user.path("file")).unwrap(), "no folder");
}
