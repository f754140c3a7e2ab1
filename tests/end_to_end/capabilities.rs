//! What a model may be able to do besides predictions for pictures, seen through the program in either isolation.

use crate::support::{self, Run, User, media, sample};
use modelzoo_data::{dataset::Dataset, record::SampleRecord};
use modelzoo_plugin_api::label::Classification;
use serde_json::{Value, json};
use std::path::PathBuf;

const ISOLATIONS: [&str; 2] = ["process", "none"];

fn run(user: &User, isolation: &str, command: &str, model: &str, arguments: &[&str]) -> Run {
    let arguments = [&["--isolation", isolation], arguments].concat();
    user.run_capability(command, model, &arguments)
}

#[test]
fn a_run_is_a_session_of_the_model() {
    let user = User::new();
    let pictures = media::pictures(user.path("pictures"));
    for isolation in ISOLATIONS {
        let plugin = sample("brightness");
        let arguments = [
            "apply".into(),
            plugin.into_os_string(),
            pictures.clone().into_os_string(),
        ];
        let run = user
            .run(
                arguments
                    .into_iter()
                    .chain(["--isolation".into(), isolation.into()]),
            )
            .expect(0);
        let ready: Vec<Value> = run
            .json_lines()
            .iter()
            .map(|line| line["predictions_ready"]["value"].clone())
            .collect();
        assert_eq!(ready, [1.0, 1.0, 1.0, 1.0].map(Value::from), "{isolation}");
    }
}

/// The model refuses batches of several shapes, and says how many pictures came together.
#[test]
fn prepared_pictures_are_batched_by_shape() {
    let user = User::new();
    for (name, width) in [("a", 8), ("b", 5), ("c", 8), ("d", 5), ("e", 8)] {
        media::grey(&user.path("in").join(format!("{name}.png")), width, 4, 90);
    }
    media::grey(&user.path("in/f.png"), 8, 4, 0);
    for isolation in ISOLATIONS {
        let run = run(&user, isolation, "apply", "test/prepared", &["in"]).expect(8);
        let lines = run.json_lines();
        let together: Vec<&Value> = lines.iter().map(|line| &line["predictions"]["value"]).collect();
        let (two, one) = (json!(2.0), json!(1.0));
        assert_eq!(
            together,
            [&two, &two, &two, &two, &one, &Value::Null],
            "{isolation}"
        );
        assert_eq!(lines[5]["error"], "this picture is black");
    }
}

#[test]
fn options_of_a_call_reach_the_model() {
    let user = User::new();
    let pictures = media::pictures(user.path("pictures"));
    let pictures = pictures.to_str().unwrap();
    for isolation in ISOLATIONS {
        let run_with = |setting: &str| {
            run(
                &user,
                isolation,
                "apply",
                "test/boxes",
                &[pictures, "--set-call", setting],
            )
        };
        let lines = run_with("class=cat").expect(0).json_lines();
        assert_eq!(lines[0]["predictions"]["detections"][0]["label"], "cat");
        let failed = run_with("clas=cat").expect(8);
        assert!(
            failed.json_lines()[0]["error"].as_str().unwrap().contains("clas"),
            "{}",
            failed.stdout
        );
    }
}

/// A dataset of pictures with a caption each, but for the last.
fn captions(user: &User) -> PathBuf {
    media::pictures(user.path("pictures"));
    let path = user.path("captions.db");
    let dataset = Dataset::create(&path).unwrap();
    let mut writer = dataset.writer().unwrap();
    for (name, caption) in [("a", "one"), ("b", "two"), ("c", "")] {
        let mut record = SampleRecord::image(format!("pictures/{name}.png"));
        if !caption.is_empty() {
            record
                .labels
                .sample
                .insert("text".to_owned(), Classification::new(caption).into());
        }
        writer.add(record).unwrap();
    }
    writer.finish().unwrap();
    path
}

#[test]
fn a_model_gets_the_fields_that_it_needs() {
    let user = User::new();
    let dataset = captions(&user);
    let dataset = dataset.to_str().unwrap();
    for isolation in ISOLATIONS {
        let lines = user.path(&format!("{isolation}.jsonl"));
        let arguments = [
            dataset,
            isolation,
            "--sample-field",
            "caption=text",
            "-o",
            lines.to_str().unwrap(),
        ];
        let run = run(&user, isolation, "apply", "test/fields", &arguments).expect(8);
        let lines = support::json_lines(&std::fs::read_to_string(lines).unwrap());
        let said: Vec<&Value> = lines.iter().map(|line| &line[isolation]["label"]).collect();
        assert_eq!(said, [&json!("one"), &json!("two"), &Value::Null]);
        assert!(
            run.stderr.contains("c.png: the sample has no caption"),
            "{}",
            run.stderr
        );
    }
    let arguments = [dataset, "f", "--sample-field", "captoin=text"];
    let refused = run(&user, "none", "apply", "test/fields", &arguments).expect(2);
    assert_eq!(refused.error(), "the model needs no field called `captoin`");
    assert!(
        refused.stderr.contains("hint: it needs caption"),
        "{}",
        refused.stderr
    );
    let arguments = [dataset, "f", "--sample-field", "caption=txet"];
    let refused = run(&user, "none", "apply", "test/fields", &arguments).expect(3);
    assert!(
        refused.error().contains("there is no field `txet`"),
        "{}",
        refused.stderr
    );
}

#[test]
fn texts_are_embedded() {
    let user = User::new();
    for isolation in ISOLATIONS {
        let arguments = ["--prompt", "a, b", "--prompts", "cat,", "--prompt", "x"];
        let run = run(&user, isolation, "embed", "test/prompts", &arguments).expect(8);
        assert_eq!(
            run.json_lines(),
            [
                json!({"prompt": "a, b", "embeddings": [4.0, 0.5]}),
                json!({"prompt": "x", "embeddings": [1.0, 0.5]}),
                json!({"prompt": "cat", "embeddings": [3.0, 0.5]}),
                json!({"prompt": "", "error": "the text is empty"}),
            ]
        );
    }
    let matrix = user.path("t.npy");
    let arguments = ["--prompts", "cat,dog", "-o", matrix.to_str().unwrap()];
    run(&user, "process", "embed", "test/prompts", &arguments).expect(0);
    let bytes = std::fs::read(matrix).unwrap();
    assert!(String::from_utf8_lossy(&bytes[..128]).contains("'shape': (2, 2)"));

    let refused = run(&user, "none", "embed", "test/boxes", &["--prompt", "cat"]).expect(2);
    assert_eq!(refused.error(), "the model has no embeddings of texts");
    run(&user, "none", "embed", "test/prompts", &[]).expect(2);
}
