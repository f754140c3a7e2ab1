//! What models compute with: `--precision`.

use crate::support::{Run, User, hub::small_model, project, sample};

fn photo() -> String {
    project()
        .join("examples/photos/astronaut.jpg")
        .display()
        .to_string()
}

fn vector(run: Run) -> Vec<f64> {
    let line = &run.expect(0).json_lines()[0];
    let numbers = line["embeddings"].as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn bf16_is_nearly_f32_and_auto_is_one_of_them() {
    let user = User::new();
    let folder = small_model("vit_classifier").display().to_string();
    let embed = |precision: &str| vector(user.run(["embed", &folder, &photo(), "--precision", precision]));
    let plain = vector(user.run(["embed", &folder, &photo()]));
    assert_eq!(embed("f32"), plain, "f32 is what happens without the option");
    let narrow = embed("bf16");
    let largest = plain
        .iter()
        .fold(0.0f64, |largest, value| largest.max(value.abs()));
    let error = plain
        .iter()
        .zip(&narrow)
        .fold(0.0f64, |error, (a, b)| error.max((a - b).abs()));
    assert!((1e-6..3e-2).contains(&(error / largest)), "{}", error / largest);
    assert_eq!(embed("bf16"), narrow, "it is the same each time");
    let auto = embed("auto");
    assert!(auto == plain || auto == narrow);
}

#[test]
fn results_say_what_they_were_computed_with() {
    let user = User::new();
    let folder = small_model("vit_classifier").display().to_string();
    let dataset = user.path("photos.sqlite").display().to_string();
    user.run(["dataset", "create", &dataset, &photo()]).expect(0);
    let options = ["--precision", "bf16"];
    user.run([&["apply", &folder, &dataset, "narrow"][..], &options].concat())
        .expect(0);
    user.run(["apply", &folder, &dataset, "plain"]).expect(0);
    let told = user.run(["dataset", "info", &dataset]).expect(0).stdout;
    let precisions = told
        .lines()
        .filter(|line| line.contains("precision"))
        .collect::<Vec<_>>();
    assert!(
        matches!(precisions[..], [line] if line.contains("bf16")),
        "{told}"
    );
}

#[test]
fn a_model_that_knows_one_way_only_says_so() {
    let user = User::new();
    let plugin = sample("given").display().to_string();
    let run = user
        .run(["apply", &plugin, &photo(), "--precision", "bf16"])
        .expect(0);
    assert!(
        run.stderr.contains("computes with f32, not with bf16"),
        "{}",
        run.stderr
    );
    let run = user
        .run(["apply", &plugin, &photo(), "--precision", "auto"])
        .expect(0);
    assert!(!run.stderr.contains("computes with"), "{}", run.stderr);
}

#[test]
fn unknown_precisions_are_refused() {
    let user = User::new();
    let folder = small_model("vit_classifier").display().to_string();
    let run = user
        .run(["apply", &folder, &photo(), "--precision", "f16"])
        .expect(2);
    assert!(
        run.error().contains("it must be f32, auto, bf16 or int8"),
        "{}",
        run.stderr
    );
}
