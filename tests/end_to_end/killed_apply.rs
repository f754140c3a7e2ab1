//! `apply` and `embed` over a dataset, killed at random moments: the next run goes on, and in the end the dataset is what
//! an undisturbed run makes.

use crate::support::{User, sample};
use modelzoo_data::dataset::{Dataset, RunInfo};
use std::{
    collections::hash_map::RandomState,
    fs,
    hash::BuildHasher,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

const PICTURES: u8 = 240;

/// How often a run is killed; the variable `MODELZOO_KILLS` asks for more.
const KILLS: usize = 24;

/// The arguments of a run over a dataset that writes a field. Few pictures a batch make many commits.
fn arguments(command: &str, dataset: &str, field: &str) -> Vec<String> {
    let given = sample("given");
    let fixed = ["--batch-size", "2", "--set", "fails_at_width=7"];
    let words = [command, given.to_str().unwrap(), dataset, field];
    words.iter().chain(&fixed).map(|&word| word.to_owned()).collect()
}

/// Small pictures, each of its own colour; every seventh makes the model fail.
fn pictures(user: &User) -> PathBuf {
    let folder = user.path("pictures");
    fs::create_dir(&folder).unwrap();
    for number in 0..PICTURES {
        let width = if number % 7 == 0 { 7 } else { 8 };
        let color = image::Rgb([number, 255 - number, number / 2]);
        image::RgbImage::from_pixel(width, 8, color)
            .save(folder.join(format!("{number:03}.png")))
            .unwrap();
    }
    folder
}

/// What is in a dataset, as JSON Lines.
fn exported(user: &User, dataset: &str) -> String {
    let out = user.path("out.jsonl");
    user.run(["dataset", "export", dataset, out.to_str().unwrap()])
        .expect(0);
    fs::read_to_string(out).unwrap()
}

/// Runs the program and kills it, with everything it started, after some time. `false` if it had ended before.
fn killed_after(user: &User, arguments: &[String], moment: Duration) -> bool {
    let mut child = user
        .program()
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(moment);
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), None | Some(8)), "{told}");
    output.status.code().is_none()
}

#[test]
fn a_killed_run_goes_on_and_ends_as_if_nothing_had_been() {
    let user = User::new();
    let folder = pictures(&user);
    let create = |name: &str| {
        user.run(["dataset", "create", name, folder.to_str().unwrap()])
            .expect(0);
    };
    create("undisturbed.sqlite");
    // The first run may build the plugin; the second tells how long one takes.
    user.run(arguments("apply", "undisturbed.sqlite", "color"))
        .expect(8);
    let started = Instant::now();
    user.run(arguments("embed", "undisturbed.sqlite", "vector"))
        .expect(8);
    let latest = started.elapsed().mul_f64(1.1);
    let expected = exported(&user, "undisturbed.sqlite");
    assert_eq!(expected.matches("\"color\"").count(), PICTURES as usize - 35);

    let wanted = std::env::var("MODELZOO_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let (mut kills, mut datasets) = (0, 0);
    while kills < wanted {
        datasets += 1;
        let dataset = format!("{datasets}.sqlite");
        create(&dataset);
        for (command, field) in [("apply", "color"), ("embed", "vector")] {
            let arguments = arguments(command, &dataset, field);
            let moment = || latest.mul_f64((RandomState::new().hash_one(0) % 1000) as f64 / 1000.0);
            while killed_after(&user, &arguments, moment()) {
                kills += 1;
            }
        }
        assert!(
            exported(&user, &dataset) == expected,
            "dataset {datasets} differs after {kills} kills"
        );
        let left: Vec<_> = fs::read_dir(user.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(&format!("{dataset}-")))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
    println!("{kills} kills, {datasets} datasets");
}

/// What an outage breaks must not stay broken because the run was killed behind it.
#[test]
fn what_failed_before_the_kill_is_tried_again() {
    // More than one commit takes, so that there is a commit before the end.
    const MANY: u64 = 2000;
    let user = User::new();
    let folder = user.path("pictures");
    fs::create_dir(&folder).unwrap();
    let good = folder.join("0001.png");
    image::RgbImage::new(8, 8).save(&good).unwrap();
    for number in 2..MANY {
        fs::copy(&good, folder.join(format!("{number:04}.png"))).unwrap();
    }
    let late = folder.join("0000.png");
    fs::write(&late, "not here yet").unwrap();
    user.run(["apply", sample("given").to_str().unwrap(), good.to_str().unwrap()])
        .expect(0);

    let dataset = (0..20)
        .map(|attempt| format!("{attempt}.sqlite"))
        .find(|dataset| {
            user.run(["dataset", "create", dataset, folder.to_str().unwrap()])
                .expect(0);
            let mut child = user
                .program()
                .args(arguments("apply", dataset, "color"))
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let has_failed = || the_run(&user, dataset).is_some_and(|run| run.failed > 0);
            while child.try_wait().unwrap().is_none() && !has_failed() {
                std::thread::sleep(Duration::from_millis(1));
            }
            child.kill().unwrap();
            child.wait().unwrap().code().is_none()
        })
        .expect("a run that was killed before its end");
    let run = the_run(&user, &dataset).unwrap();
    assert_eq!((run.failed, run.finished_at), (1, None));

    fs::copy(&good, &late).unwrap();
    let resumed = user.run(arguments("apply", &dataset, "color")).expect(0);
    let whole = format!("in the dataset: {MANY} done, 0 failed");
    assert!(resumed.stderr.contains(&whole), "{}", resumed.stderr);
    assert!(
        !resumed.stderr.contains(&format!("{MANY} of {MANY} samples")),
        "{}",
        resumed.stderr
    );
}

/// The run of a dataset, once there is one.
fn the_run(user: &User, dataset: &str) -> Option<RunInfo> {
    let dataset = Dataset::open(user.path(dataset)).unwrap();
    dataset.runs().unwrap().pop()
}
