mod memory;

use super::*;
use crate::{ApplyOptions, EmbedOptions, HandleMissing, PatchOptions, RunOptions, Task};
use modelzoo_abi::Reply;
use modelzoo_data::{input::Content, record::SampleRecord};
use modelzoo_plugin_api::{
    Array, Error as PluginError, Image, ModelInfo, Output, PredictOptions, PreparedImage, SampleFields,
    VideoInfo,
    label::{Classification, Detection, Detections, Label, Regression},
    message::PluginDescription,
};
use modelzoo_runtime::{CallError, Frames, Items};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// A model that tells the first byte of a picture, and notes what it was asked.
#[derive(Debug, Default)]
struct FirstByte {
    info: ModelInfo,
    plugin: PluginDescription,
    calls: Mutex<Vec<String>>,
    /// The value of pictures that it cannot use.
    dislikes: Option<u8>,
    /// Whether it cannot go on at all.
    is_broken: bool,
}

impl FirstByte {
    fn knowing(methods: &[&str]) -> Self {
        let mut info = ModelInfo::image().with_embeddings();
        info.methods = methods.iter().map(|&method| method.to_owned()).collect();
        Self {
            info,
            ..Self::default()
        }
    }

    fn note(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn tell(&self, value: u8) -> Result<Output, CallError> {
        if self.dislikes == Some(value) {
            Err(PluginError::new("odd").into())
        } else {
            Ok(Regression::new(value.into()).into())
        }
    }
}

impl LoadedModel for FirstByte {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn plugin(&self) -> &PluginDescription {
        &self.plugin
    }

    fn predict(&self, images: &[Image<'_>], _: &PredictOptions) -> Result<Items<Output>, RuntimeError> {
        if self.is_broken {
            return Err(RuntimeError::IsolationUnsupported);
        }
        self.note(format!("predict {}", images.len()));
        Ok(images.iter().map(|image| self.tell(image.pixels()[0])).collect())
    }

    fn embed(&self, images: &[Image<'_>]) -> Result<Items<Array>, RuntimeError> {
        self.note(format!("embed {}", images.len()));
        let size = |image: &Image<'_>| Array::vector(vec![image.width() as f32, image.height() as f32]);
        Ok(images.iter().map(|image| Ok(size(image))).collect())
    }

    fn setup(&self) -> Result<(), RuntimeError> {
        self.note("setup");
        Ok(())
    }

    fn teardown(&self) -> Result<(), RuntimeError> {
        self.note("teardown");
        Ok(())
    }

    fn preprocess(&self, images: &[Image<'_>]) -> Result<Items<PreparedImage>, RuntimeError> {
        let prepare = |image: &Image<'_>| -> Result<PreparedImage, CallError> {
            let value = image.pixels()[0];
            match self.dislikes == Some(value) {
                true => Err(PluginError::new("odd").into()),
                false => {
                    let input = Array::new([1, image.width()], vec![value; image.width()])?;
                    Ok(PreparedImage::new(input, image.width(), image.height()))
                }
            }
        };
        Ok(images.iter().map(prepare).collect())
    }

    fn predict_prepared(
        &self,
        images: &[PreparedImage],
        _: &PredictOptions,
    ) -> Result<Items<Output>, RuntimeError> {
        let shape = images[0].input.shape();
        assert!(
            images.iter().all(|image| image.input.shape() == shape),
            "one shape in a batch"
        );
        self.note(format!("predict_prepared {} of {}", images.len(), shape[1]));
        Ok(images
            .iter()
            .map(|image| self.tell(image.input.to_f32()[0] as u8))
            .collect())
    }

    fn predict_samples(
        &self,
        samples: &[(Image<'_>, SampleFields)],
        _: &PredictOptions,
    ) -> Result<Items<Output>, RuntimeError> {
        self.note(format!("predict_samples {}", samples.len()));
        let tell = |(_, fields): &(Image<'_>, SampleFields)| {
            Ok(Classification::new(serde_json::to_string(fields).unwrap()).into())
        };
        Ok(samples.iter().map(tell).collect())
    }

    fn embed_prompts(&self, _: &[String]) -> Result<Items<Array>, RuntimeError> {
        Ok(Vec::new())
    }

    fn predict_video(
        &self,
        _: &VideoInfo,
        _: Frames,
        _: &PredictOptions,
    ) -> Result<Result<Output, CallError>, RuntimeError> {
        Ok(Ok(Output::Nothing))
    }

    fn embed_video(&self, _: &VideoInfo, _: Frames) -> Result<Result<Array, CallError>, RuntimeError> {
        Ok(Ok(Array::default()))
    }

    fn call(&self, _: &str, _: &[u8], _: &[&[u8]]) -> Result<Reply, RuntimeError> {
        Err(RuntimeError::IsolationUnsupported)
    }

    fn peak_memory(&self) -> Option<u64> {
        None
    }
}

/// Writes a picture of one grey value, one pixel high; the file's extension does not matter.
fn grey_of_width(folder: &Path, name: &str, value: u8, width: u32) -> Sample {
    let path = folder.join(name);
    // A binary BMP needs no encoder: header, then one row of pixels, padded to four bytes.
    let row = (width as usize * 3).next_multiple_of(4);
    let mut bytes = b"BM".to_vec();
    bytes.extend((54 + row as u32).to_le_bytes());
    bytes.extend([0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]);
    bytes.extend(width.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes.extend([1, 0, 24, 0]);
    bytes.extend([0; 24]);
    bytes.extend(vec![value; row]);
    fs::write(&path, bytes).unwrap();
    sample(path)
}

fn grey(folder: &Path, name: &str, value: u8) -> Sample {
    grey_of_width(folder, name, value, 1)
}

fn sample(path: PathBuf) -> Sample {
    Sample {
        id: None,
        record: SampleRecord::image(path.to_string_lossy()),
        relative_path: path.file_name().unwrap().into(),
        content: Content::AtPath,
        path,
    }
}

fn apply_in_batches_of(batch_size: usize) -> ApplyOptions {
    ApplyOptions {
        run: RunOptions {
            batch_size: NonZeroUsize::new(batch_size),
            ..RunOptions::default()
        },
        ..ApplyOptions::default()
    }
}

/// Runs a task; gives how it went and the items.
fn run_task(
    model: &FirstByte,
    task: Task,
    samples: Vec<Sample>,
) -> (Result<Summary, EngineError>, Vec<LabeledItem>) {
    let mut items = Vec::new();
    let summary = run(&Plan::new(model, &task), samples.into_iter().map(Ok), |item| {
        items.push(item);
        Ok(())
    });
    (summary, items)
}

fn values(items: &[LabeledItem]) -> Vec<Option<f64>> {
    let value = |item: &LabeledItem| match item.fields.sample.get("predictions") {
        Some(Label::Regression(number)) => number.value,
        _ => None,
    };
    items.iter().map(value).collect()
}

#[test]
fn a_broken_picture_does_not_take_its_batch_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut samples: Vec<_> = (0..10)
        .map(|value| grey(folder.path(), &format!("{value}.bmp"), value))
        .collect();
    fs::write(folder.path().join("4.bmp"), "no picture").unwrap();
    samples.push(sample(folder.path().join("missing.bmp")));
    let model = FirstByte::knowing(&["setup/1"]);
    let (summary, items) = run_task(&model, Task::Apply(apply_in_batches_of(4)), samples);
    assert_eq!(
        summary.unwrap(),
        Summary {
            done: 9,
            failed: 2,
            parts: 9
        }
    );
    let expected = (0..10).map(|value| (value != 4).then_some(f64::from(value)));
    assert_eq!(values(&items), expected.chain([None]).collect::<Vec<_>>());
    assert_eq!(
        model.calls(),
        ["setup", "predict 4", "predict 4", "predict 1", "teardown"]
    );
    let errors: Vec<String> = items.iter().filter_map(LabeledItem::error).collect();
    assert!(
        errors[0].contains("4.bmp") && errors[1].contains("missing.bmp"),
        "{errors:?}"
    );
    assert_eq!(items[4].failures[0].error.stage(), crate::Stage::Decode);
}

#[test]
fn an_error_of_the_model_for_one_picture_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let samples = (0..3)
        .map(|value| grey(folder.path(), &format!("{value}.bmp"), value))
        .collect();
    let model = FirstByte {
        dislikes: Some(1),
        ..FirstByte::default()
    };
    let (summary, items) = run_task(&model, Task::Apply(apply_in_batches_of(2)), samples);
    let summary = summary.unwrap();
    assert_eq!((summary.done, summary.failed), (2, 1));
    assert_eq!(values(&items), [Some(0.0), None, Some(2.0)]);
    assert_eq!(items[1].error().as_deref(), Some("odd"));
}

#[test]
fn the_first_failure_ends_the_run_where_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let samples = (0..5)
        .map(|value| grey(folder.path(), &format!("{value}.bmp"), value))
        .collect();
    let model = FirstByte {
        dislikes: Some(3),
        ..FirstByte::default()
    };
    let mut options = apply_in_batches_of(2);
    options.run.skip_failures = false;
    let (summary, items) = run_task(&model, Task::Apply(options), samples);
    let error = summary.unwrap_err();
    assert!(
        matches!(&error, EngineError::Stopped { filepath, .. } if filepath.ends_with("3.bmp")),
        "{error:?}"
    );
    assert_eq!(values(&items), [Some(0.0), Some(1.0), Some(2.0)]);
}

#[test]
fn prepared_inputs_of_one_shape_make_a_batch() {
    let folder = tempfile::tempdir().unwrap();
    let widths = [1, 2, 1, 2, 1, 1, 2];
    let samples = (0..7u8)
        .map(|value| {
            grey_of_width(
                folder.path(),
                &format!("{value}.bmp"),
                value,
                widths[usize::from(value)],
            )
        })
        .collect();
    let mut model = FirstByte::knowing(&["preprocess/1", "predict_prepared/1"]);
    model.dislikes = Some(5);
    let (summary, items) = run_task(&model, Task::Apply(apply_in_batches_of(3)), samples);
    let summary = summary.unwrap();
    assert_eq!((summary.done, summary.failed), (6, 1));
    assert_eq!(
        values(&items),
        [
            Some(0.0),
            Some(1.0),
            Some(2.0),
            Some(3.0),
            Some(4.0),
            None,
            Some(6.0)
        ]
    );
    assert_eq!(items[5].failures[0].error.stage(), crate::Stage::Preprocess);
    let calls = model.calls();
    assert_eq!(calls, ["predict_prepared 3 of 1", "predict_prepared 3 of 2"]);
}

#[test]
fn a_model_gets_the_fields_that_it_needs_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut with = grey(folder.path(), "a.bmp", 1);
    with.record.tags = vec!["night".to_owned()];
    with.record
        .labels
        .sample
        .insert("caption".to_owned(), Classification::new("cat").into());
    let without = grey(folder.path(), "b.bmp", 7);
    let mut model = FirstByte::knowing(&["predict_samples/1"]);
    model.info.needed_fields = vec!["prompt".to_owned()];
    let mut options = ApplyOptions {
        sample_fields: BTreeMap::from([("prompt".to_owned(), "caption".to_owned())]),
        ..ApplyOptions::default()
    };
    let (_, items) = run_task(&model, Task::Apply(options.clone()), vec![with.clone(), without]);
    let Some(Label::Classification(said)) = items[0].fields.sample.get("predictions") else {
        panic!("a classification")
    };
    let said = said.label.as_deref().unwrap();
    assert!(
        said.starts_with(r#"{"prompt":{"_cls":"Classification""#),
        "{said}"
    );
    assert_eq!(
        values(&items)[1],
        Some(7.0),
        "a sample without the field is predicted without it"
    );

    options.sample_fields = BTreeMap::from([("prompt".to_owned(), "tags".to_owned())]);
    let (_, items) = run_task(&model, Task::Apply(options.clone()), vec![with]);
    let Some(Label::Classification(said)) = items[0].fields.sample.get("predictions") else {
        panic!("a classification")
    };
    assert_eq!(said.label.as_deref(), Some(r#"{"prompt":["night"]}"#));

    options.sample_fields = BTreeMap::from([("promt".to_owned(), "tags".to_owned())]);
    let error = Task::Apply(options).check(&model.info).unwrap_err();
    assert_eq!(error.to_string(), "the model needs no field called `promt`");
}

#[test]
fn patches_give_their_embeddings_to_their_objects() {
    let folder = tempfile::tempdir().unwrap();
    let objects = Detections::new(vec![
        Detection::new("left", [0.0, 0.0, 0.5, 1.0]),
        Detection::new("none", [0.5, 0.0, 0.0, 1.0]),
        Detection::new("all", [0.0, 0.0, 1.0, 1.0]),
    ]);
    let mut with = grey_of_width(folder.path(), "a.bmp", 1, 10);
    with.record
        .labels
        .sample
        .insert("objects".to_owned(), objects.into());
    let mut empty = grey_of_width(folder.path(), "b.bmp", 2, 6);
    empty
        .record
        .labels
        .sample
        .insert("objects".to_owned(), Detections::default().into());
    let mut other = grey(folder.path(), "c.bmp", 3);
    other
        .record
        .labels
        .sample
        .insert("objects".to_owned(), Classification::new("x").into());
    let samples = vec![with, empty, other];
    let model = FirstByte::knowing(&[]);

    let mut options = PatchOptions::new("objects");
    let (summary, items) = run_task(&model, Task::EmbedPatches(options.clone()), samples.clone());
    let summary = summary.unwrap();
    assert_eq!((summary.done, summary.failed), (2, 1));
    let Some(Label::Detections(objects)) = items[0].fields.sample.get("objects") else {
        panic!("detections")
    };
    let embeddings: Vec<_> = objects
        .detections
        .iter()
        .map(|object| object.attributes.get("embeddings").map(ToString::to_string))
        .collect();
    assert_eq!(
        embeddings,
        [Some("[5.0,1.0]".to_owned()), None, Some("[10.0,1.0]".to_owned())]
    );
    assert_eq!(items[0].warnings, ["patch 1 has no pixels"]);
    assert!(items[1].fields.is_empty());
    assert!(items[2].error().unwrap().contains("no detections or polylines"));
    assert_eq!(model.calls(), ["embed 2"]);

    options.handle_missing = HandleMissing::Image;
    let (_, items) = run_task(&model, Task::EmbedPatches(options.clone()), samples.clone());
    assert!(items[1].fields.sample.contains_key("embeddings"));

    options.handle_missing = HandleMissing::Error;
    let (_, items) = run_task(&model, Task::EmbedPatches(options), samples);
    assert_eq!(
        items[1].error().as_deref(),
        Some("there are no patches in field `objects`")
    );
}

#[test]
fn a_sink_that_fails_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let samples: Vec<_> = (0..9)
        .map(|value| grey(folder.path(), &format!("{value}.bmp"), value))
        .collect();
    let (model, task) = (FirstByte::default(), Task::Apply(apply_in_batches_of(1)));
    let plan = Plan::new(&model, &task);
    let error = run(&plan, samples.into_iter().map(Ok), |_| Err("disk full".into())).unwrap_err();
    assert!(
        matches!(&error, EngineError::Sink(source) if source.to_string() == "disk full"),
        "{error:?}"
    );
}

#[test]
fn a_model_that_cannot_go_on_ends_the_run_and_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = FirstByte::knowing(&["setup/1"]);
    model.is_broken = true;
    let samples = vec![grey(folder.path(), "0.bmp", 0)];
    let (summary, _) = run_task(&model, Task::Apply(ApplyOptions::default()), samples);
    assert!(matches!(
        summary,
        Err(EngineError::Runtime(RuntimeError::IsolationUnsupported))
    ));
    assert_eq!(model.calls(), ["setup", "teardown"]);
}

#[test]
fn what_the_model_lacks_is_refused() {
    let model = FirstByte::default();
    let embed = Task::Embed(EmbedOptions::default());
    assert!(matches!(
        embed.check(&model.info),
        Err(EngineError::Unsupported(_))
    ));
    let logits = Task::Apply(ApplyOptions {
        store_logits: true,
        ..ApplyOptions::default()
    });
    assert!(matches!(
        logits.check(&model.info),
        Err(EngineError::Unsupported(_))
    ));
}
