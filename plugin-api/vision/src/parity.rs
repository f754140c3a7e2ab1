//! Published models against what their authors' code computed of them: see `parity/make.py`.
//!
//! The folders in `tests/goldens` are small; `MODELZOO_VISION_PARITY` names a folder with more of them.

use crate::{
    architectures::{self, Outputs, Prompt, Task},
    checkpoint::Checkpoint,
    processing::Processing,
    repository::Repository,
    runner::Runner,
    text::TextRunner,
};
use modelzoo_candle::{
    candle_core::{Device, Tensor},
    detection::{Corners, FeaturePyramid},
    device::Placement,
    testing::{assert_close, numbers, relative_difference, tensor},
    weights::Weights,
};
use modelzoo_plugin_api::Image;
use std::path::{Path, PathBuf};

/// The most that a number may be off, in parts of the largest one.
const TOLERANCE: f32 = 1e-4;
/// The same for prepared pictures: rounding of single precision, of some dozen sums where they are smoothed.
const PIXELS: f32 = 2e-6;

/// The folder of the picture that all models were asked about.
struct Photo {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Photo {
    /// Reads a binary PPM file as Pillow writes it.
    fn open(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let mut parts = bytes.splitn(4, |byte| byte.is_ascii_whitespace());
        assert_eq!(parts.next().unwrap(), b"P6");
        let mut number = || -> usize {
            let text = std::str::from_utf8(parts.next().unwrap()).unwrap();
            text.parse().unwrap()
        };
        let (width, height) = (number(), number());
        let pixels = bytes[bytes.len() - width * height * 3..].to_vec();
        Self {
            width,
            height,
            pixels,
        }
    }

    fn image(&self) -> Image<'_> {
        Image::new(self.width, self.height, &self.pixels).unwrap()
    }
}

/// The folders that hold goldens.
fn roots() -> Vec<PathBuf> {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let more = std::env::var_os("MODELZOO_VISION_PARITY").map(PathBuf::from);
    [kept].into_iter().chain(more).collect()
}

fn compare(folder: &Path, photo: &Photo) {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let name = name.as_str();
    let (repository, checkpoint) = opened(folder);
    let architecture = architectures::find(&repository).unwrap_or_else(|error| panic!("{name}: {error}"));
    let processing = Processing::of(&repository, architecture.kind, None).unwrap();
    let size = processing
        .size
        .unwrap_or_else(|| architecture.network.image_size());
    let runner = Runner::new(architecture.network, checkpoint, Placement::cpu(), None, size)
        .unwrap_or_else(|error| panic!("{name}: {error}"));

    let golden = Weights::open(folder.join("golden.safetensors")).unwrap();
    let expected = tensor(&golden, "pixels");
    let found = processing.tensor(&photo.image(), &Device::Cpu).unwrap();
    assert_eq!(found.dims(), expected.dims(), "{name}");
    assert_close(
        &numbers(&found),
        &numbers(&expected),
        PIXELS,
        &format!("{name}: pixels"),
    );

    let expected = match runner.detector() {
        Some(detector) => {
            let (_, _, height, width) = expected.dims4().unwrap();
            let prepared = detector.transform.apply([height, width], &numbers(&expected));
            prepared.unwrap().tensor(&Device::Cpu).unwrap()
        }
        None => expected,
    };
    let mask = processing.mask([photo.height, photo.width]);
    let outputs = runner.forward_within(&expected, mask).unwrap();
    for (output, value) in output_names(runner.task()).iter().zip(&outputs) {
        if golden.dims(output).is_some() {
            assert_as_golden(name, &golden, output, &numbers(value));
        }
    }
    compare_prompts(name, &runner, &golden, &outputs);
    compare_regions(name, &runner, &golden, &outputs, &expected);
    compare_layers(name, &runner, &golden, &expected);
    compare_texts(name, folder, &runner, &golden);
    let unused: Vec<&str> = runner.checkpoint().unused();
    assert!(unused.is_empty(), "{name}: {unused:?} are not used");
}

/// A folder with settings, or with a manifest that describes the model.
fn opened(folder: &Path) -> (Repository, Checkpoint) {
    let Ok(manifest) = std::fs::read(folder.join("manifest.json")) else {
        return (
            Repository::open(folder).unwrap(),
            Checkpoint::find(folder).unwrap(),
        );
    };
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let model = &manifest["models"][0];
    let weights = folder.join(model["base_filename"].as_str().unwrap());
    let deployment = &model["default_deployment_config_dict"]["config"];
    (
        Repository::described(&weights, deployment.as_object().unwrap()).unwrap(),
        Checkpoint::open(&weights).unwrap(),
    )
}

/// The embeddings of the texts that `texts.json` lists.
fn compare_texts(name: &str, folder: &Path, runner: &Runner, golden: &Weights) {
    let Ok(texts) = std::fs::read(folder.join("texts.json")) else {
        return;
    };
    let texts: Vec<String> = serde_json::from_slice(&texts).unwrap();
    let tower = runner.text().unwrap();
    let text = TextRunner::open(folder, tower, runner.checkpoint(), &Placement::cpu()).unwrap();
    let found: Vec<f32> = texts
        .iter()
        .flat_map(|prompt| text.embed(tower, prompt).unwrap())
        .collect();
    assert_as_golden(name, golden, "texts", &found);
}

/// That an output is the golden one, which its authors' code computed in double precision; both are told with what that
/// code's single precision makes of it.
fn assert_as_golden(name: &str, golden: &Weights, output: &str, found: &[f32]) {
    let what = format!("{name}: {output}");
    let expected = numbers(&tensor(golden, output));
    let difference = relative_difference(found, &expected, &what);
    let error = format!("error:{output}");
    // Goldens that were made before have single precision only.
    if golden.dims(&error).is_some() {
        let theirs = numbers(&tensor(golden, &error))[0];
        println!(
            "{what} is off by {difference:.1e} of the largest number, {theirs:.1e} in its authors' code"
        );
    }
    assert_close(found, &expected, TOLERANCE, &what);
}

fn output_names(task: Task) -> Vec<String> {
    let each = |name: &str, maps: usize| -> Vec<String> {
        (0..maps).map(|index| format!("{name}.{index}")).collect()
    };
    let names: &[&str] = match task {
        Task::Embedding => &[Outputs::EMBEDDING],
        Task::Classification => &[Outputs::EMBEDDING, Outputs::LOGITS],
        Task::Detection { .. } => &[Outputs::LOGITS, Outputs::BOXES],
        Task::NamedDetection => &[
            Outputs::OBJECT_EMBEDDINGS,
            Outputs::SHIFTS,
            Outputs::SCALES,
            Outputs::BOXES,
        ],
        Task::BoxDetection { maps } => {
            return [each(Outputs::LOGITS, maps), each(Outputs::DIFFERENCES, maps)].concat();
        }
        Task::RegionDetection { maps, features } => {
            return [
                each(Outputs::FEATURES, features),
                each(Outputs::LOGITS, maps),
                each(Outputs::DIFFERENCES, maps),
            ]
            .concat();
        }
        Task::PromptedMasks { maps } => return each(Outputs::FEATURES, maps),
        Task::Segmentation => &[Outputs::LOGITS],
        Task::Depth => &[Outputs::DEPTH],
        Task::Saliency => &[Outputs::SALIENCY],
        Task::MaskedDetection => &[
            Outputs::LOGITS,
            Outputs::BOXES,
            Outputs::QUERIES,
            Outputs::FEATURES,
        ],
        Task::QueryMasks => &[Outputs::LOGITS, Outputs::QUERIES, Outputs::FEATURES],
        Task::Pose => &[Outputs::MAPS],
        Task::TextDetection | Task::TextRecognition => &[Outputs::PROBABILITIES],
    };
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The masks and scores of prompts: boxes, points, and boxes with points.
fn compare_prompts(name: &str, runner: &Runner, golden: &Weights, features: &[Tensor]) {
    if runner.prompts().is_none() {
        return;
    }
    let stored = |name: &str| -> Vec<f64> {
        numbers(&tensor(golden, name))
            .into_iter()
            .map(f64::from)
            .collect()
    };
    let (boxes, points, labels) = (stored("boxes"), stored("points"), stored("labels"));
    let boxes: Vec<Prompt> = boxes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&edges| Prompt {
            edges: Some(edges),
            ..Prompt::default()
        })
        .collect();
    // Each prompt has two points.
    let points = points.as_chunks::<2>().0.iter().zip(&labels);
    let points: Vec<([f64; 2], bool)> = points.map(|(&point, &label)| (point, label == 1.0)).collect();
    let points: Vec<Prompt> = points
        .chunks_exact(2)
        .map(|points| Prompt {
            points: points.to_vec(),
            ..Prompt::default()
        })
        .collect();
    let both: Vec<Prompt> = points
        .iter()
        .zip(&boxes)
        .map(|(points, one)| Prompt {
            edges: one.edges,
            ..points.clone()
        })
        .collect();
    for (kind, prompts) in [("box", boxes), ("point", points), ("both", both)] {
        let prompts: Vec<&Prompt> = prompts.iter().collect();
        let (mut scores, mut masks) = (Vec::new(), Vec::new());
        for pointed in runner.point(features, &prompts).unwrap() {
            masks.extend((0..pointed.scores.len()).flat_map(|mask| pointed.mask(mask).unwrap()));
            scores.extend(pointed.scores);
        }
        assert_as_golden(name, golden, &format!("{kind}_scores"), &scores);
        assert_as_golden(name, golden, &format!("{kind}_masks"), &masks);
    }
}

/// What a second look finds of the regions, and of the objects, that its authors' code looked at.
fn compare_regions(name: &str, runner: &Runner, golden: &Weights, outputs: &[Tensor], input: &Tensor) {
    let (Task::RegionDetection { features, .. }, Some(regions)) = (runner.task(), runner.regions()) else {
        return;
    };
    let (_, _, height, width) = input.dims4().unwrap();
    let values: Vec<Vec<f32>> = outputs[..features].iter().map(numbers).collect();
    let sizes = outputs[features..].iter().map(|map| {
        let (_, _, height, width) = map.dims4().unwrap();
        [height, width]
    });
    let maps = values.iter().map(Vec::as_slice).zip(sizes);
    let pyramid = FeaturePyramid::new(maps, regions.features(), [height, width]).unwrap();
    let corners = |stored: &str| -> Vec<Corners> {
        let edges = numbers(&tensor(golden, stored));
        let boxes = edges.as_chunks::<4>().0.iter();
        boxes
            .map(|&[left, top, right, bottom]| Corners::new(left, top, right, bottom))
            .collect()
    };
    let close = |found: &[f32], stored: &str| {
        let expected = numbers(&tensor(golden, stored));
        assert_close(found, &expected, TOLERANCE, &format!("{name}: {stored}"));
    };
    let found = regions.boxes(&pyramid, &corners("regions")).unwrap();
    close(&found.logits, "region_logits");
    close(&found.differences, "region_differences");
    if golden.dims("objects").is_some() {
        let details = regions.details(&pyramid, &corners("objects")).unwrap().unwrap();
        close(&numbers(&details), "details");
    }
}

/// The results of layers within the network.
fn compare_layers(name: &str, runner: &Runner, golden: &Weights, pixels: &Tensor) {
    let (_, _, height, width) = pixels.dims4().unwrap();
    for stored in golden.names() {
        let Some(layer) = stored.strip_prefix("layer:") else {
            continue;
        };
        let network = runner
            .layers([height, width], &[layer])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = network.forward(pixels).unwrap().remove(0);
        assert_as_golden(name, golden, &stored, &numbers(&found));
    }
}

#[test]
fn networks_compute_what_their_authors_code_computes() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for root in roots() {
        let photo = Photo::open(&root.join("photo.ppm"));
        let mut folders: Vec<PathBuf> = std::fs::read_dir(&root)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        folders.sort();
        for folder in folders {
            // All are compared before the test fails.
            if std::panic::catch_unwind(|| compare(&folder, &photo)).is_err() {
                wrong.push(folder);
            }
            compared += 1;
        }
    }
    assert!(compared > 0, "there are no goldens");
    assert!(wrong.is_empty(), "{wrong:?} differ");
}
