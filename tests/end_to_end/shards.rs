//! `--shard`: several processes share an input, are killed and started again in any order, and together write what one
//! run writes.

use crate::support::{User, sample};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

const PICTURES: u8 = 120;
const SHARDS: usize = 8;

/// Pictures of a colour each, in folders; some make the model fail, and some are none.
fn pictures(user: &User) -> PathBuf {
    let folder = user.path("pictures");
    for number in 0..PICTURES {
        let place = folder.join(format!("{}/{number:03}.png", number % 5));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        if number % 31 == 0 {
            fs::write(place, "no picture").unwrap();
            continue;
        }
        let width = if number % 17 == 0 { 7 } else { 8 };
        image::RgbImage::from_pixel(width, 8, image::Rgb([number, 255 - number, number / 2]))
            .save(place)
            .unwrap();
    }
    folder
}

/// `apply` over the pictures in their folder, so that no path depends on where that is.
fn apply(user: &User, more: &[&str]) -> Command {
    let mut program = user.program();
    program
        .arg("apply")
        .arg(sample("given"))
        .args(["pictures", "--set", "fails_at_width=7"])
        .args(more);
    program.current_dir(user.path(""));
    program
}

fn expect(mut program: Command, code: i32) -> String {
    let output = program.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{program:?}: {told}");
    told
}

fn merge(user: &User, words: &[&str], code: i32) -> String {
    let mut program = user.program();
    program
        .args(["dataset", "merge"])
        .args(words)
        .current_dir(user.path(""));
    expect(program, code)
}

/// All shards with these options, one process after the other.
fn all_shards(user: &User, more: &[&str]) {
    for number in 1..=SHARDS {
        let shard = format!("{number}/{SHARDS}");
        let code = apply(user, &[&["--shard", &shard], more].concat())
            .output()
            .unwrap()
            .status
            .code();
        assert!(matches!(code, Some(0 | 8)), "{shard}: {code:?}");
    }
}

#[test]
fn shards_that_are_killed_and_run_in_any_order_merge_to_the_bytes_of_one_run() {
    let user = User::new();
    pictures(&user);
    for output in ["whole.jsonl", "whole.parquet", "whole.csv"] {
        expect(apply(&user, &["-o", output]), 8);
    }
    // Two processes at a time; each is killed at first, then runs to its end.
    let order: Vec<usize> = (0..SHARDS).map(|at| (at * 5 + 3) % SHARDS + 1).collect();
    thread::scope(|scope| {
        for half in order.chunks(SHARDS / 2) {
            let user = &user;
            scope.spawn(move || {
                for (at, number) in half.iter().enumerate() {
                    let shard = format!("{number}/{SHARDS}");
                    let words = ["--shard", &shard, "-o", "out.jsonl", "--failures", "failed.jsonl"];
                    let mut child = apply(user, &words).stderr(Stdio::null()).spawn().unwrap();
                    thread::sleep(Duration::from_millis(40 * (at as u64 + 1)));
                    child.kill().unwrap();
                    child.wait().unwrap();
                    let code = apply(user, &words).output().unwrap().status.code();
                    assert!(matches!(code, Some(0 | 8)), "{shard}: {code:?}");
                }
            });
        }
    });
    let told = merge(&user, &["out.jsonl"], 0);
    assert!(
        told.contains("out.jsonl: 120 samples, 11 of them failed, of 8 shards"),
        "{told}"
    );
    let read = |name: &str| fs::read(user.path(name)).unwrap();
    assert_eq!(read("out.jsonl"), read("whole.jsonl"));
    for ending in ["parquet", "csv"] {
        merge(&user, &[&format!("out.{ending}")], 0);
        assert!(
            read(&format!("out.{ending}")) == read(&format!("whole.{ending}")),
            "out.{ending} differs from what one run writes"
        );
    }
    // What failed is told shard by shard, each failure once.
    let failures: usize = (1..=SHARDS)
        .map(|number| read(&format!("failed-{number:05}-of-{SHARDS:05}.jsonl")))
        .map(|lines| lines.iter().filter(|&&byte| byte == b'\n').count())
        .sum();
    assert_eq!(failures, 11);
    // A dataset can be made of them as well.
    merge(&user, &["out.sqlite"], 0);
    let dataset = user.path("out.sqlite");
    assert_eq!(
        modelzoo::dataset::Dataset::open(dataset).unwrap().len().unwrap(),
        120
    );
}

#[test]
fn a_shard_that_is_done_is_not_done_again() {
    let user = User::new();
    pictures(&user);
    let words = ["--shard", "1/8", "-o", "out.jsonl"];
    let results = user.path("out-00001-of-00008.jsonl");
    let first = apply(&user, &words).output().unwrap().status.code().unwrap();
    let bytes = fs::read(&results).unwrap();
    let time = fs::metadata(&results).unwrap().modified().unwrap();
    let told = expect(apply(&user, &words), first);
    assert!(told.contains("shard 1/8 is done already: "), "{told}");
    assert_eq!(fs::metadata(&results).unwrap().modified().unwrap(), time);
    // Other options make other results, which replace these only where that is asked for.
    let other = [&words[..], &["-t", "0.9"]].concat();
    let told = expect(apply(&user, &other), 1);
    assert!(
        told.contains("out-00001-of-00008.jsonl: the shard was done otherwise: options"),
        "{told}"
    );
    // What was damaged since is made again.
    fs::write(&results, "x").unwrap();
    expect(apply(&user, &words), first);
    assert_eq!(fs::read(&results).unwrap(), bytes);
}

#[test]
fn what_cannot_be_put_together_is_told_in_a_line() {
    let user = User::new();
    pictures(&user);
    assert!(merge(&user, &["out.jsonl"], 3).contains("out.jsonl: there are no shards of it here"));
    all_shards(&user, &["-o", "out.jsonl"]);
    fs::remove_file(user.path("out-00003-of-00008.jsonl")).unwrap();
    let told = merge(&user, &["out.jsonl"], 3);
    assert!(
        told.contains("1 of 8 shards are missing: 3") && told.contains("run these as the others were run"),
        "{told}"
    );
    // A picture came between two runs: its neighbours have other places.
    fs::copy(user.path("pictures/0/005.png"), user.path("pictures/0/006.png")).unwrap();
    apply(&user, &["--shard", "3/8", "-o", "out.jsonl"])
        .output()
        .unwrap();
    assert!(merge(&user, &["out.jsonl"], 1).contains("do not belong together"));
    assert!(!user.path("out.jsonl").exists());
    // Parts of masks' folders and of files that are one whole cannot be put together.
    let refused = |words: &[&str]| expect(apply(&user, words), 2);
    assert!(refused(&["--shard", "1/2"]).contains("--output"));
    assert!(refused(&["--shard", "0/2", "-o", "a.jsonl"]).contains("counted from 1"));
    assert!(refused(&["--shard", "1/2", "-o", "a.sqlite"]).contains("go to a file"));
    let coco = ["--shard", "1/2", "-o", "a.json", "--format", "coco"];
    assert!(refused(&coco).contains("the format coco cannot be written in shards"));
    assert!(refused(&["--shard", "1/2", "-o", "a.jsonl", "--output-dir", "masks"]).contains("--output-dir"));
    assert!(!Path::new(&user.path("masks")).exists());
}
