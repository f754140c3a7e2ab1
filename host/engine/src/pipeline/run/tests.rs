use super::*;
use modelzoo_data::input::MediaKind;
use std::{fs, path::Path};

/// Writes a picture of one grey value; the file's extension does not matter.
fn grey(folder: &Path, name: &str, value: u8) -> Result<InputFile, InputError> {
    let path = folder.join(name);
    // A binary BMP needs no encoder: header, then one row of one pixel, padded to four bytes.
    let mut bytes = b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0".to_vec();
    bytes.extend([0; 24]);
    bytes.extend([value, value, value, 0]);
    fs::write(&path, bytes).unwrap();
    file(path)
}

fn file(path: PathBuf) -> Result<InputFile, InputError> {
    Ok(InputFile {
        relative_path: path.file_name().unwrap().into(),
        path,
        kind: MediaKind::Image,
    })
}

fn options(batch_size: usize) -> PipelineOptions {
    PipelineOptions::for_model(&ModelInfo::image().with_preferred_batch_size(batch_size))
}

#[test]
fn a_broken_picture_does_not_take_its_batch_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut paths: Vec<_> = (0..10)
        .map(|value| grey(folder.path(), &format!("{value}.bmp"), value))
        .collect();
    fs::write(folder.path().join("4.bmp"), "no picture").unwrap();
    paths.push(file(folder.path().join("missing.bmp")));
    let (mut batches, mut values, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    let summary = run(
        paths.into_iter(),
        &options(4),
        |images| {
            batches.push(images.len());
            Ok(images.iter().map(|image| Ok(image.pixels()[0])).collect())
        },
        |item| {
            match item.result {
                Ok(value) => values.push(value),
                Err(error) => failures.push(error.to_string()),
            }
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(summary, Summary { done: 9, failed: 2 });
    assert_eq!(values, [0, 1, 2, 3, 5, 6, 7, 8, 9]);
    assert_eq!(batches, [4, 3, 2]);
    assert!(
        failures[0].contains("4.bmp") && failures[1].contains("missing.bmp"),
        "{failures:?}"
    );
}

#[test]
fn an_error_of_the_model_for_one_picture_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..3)
        .map(|value| grey(folder.path(), &format!("{value}.bmp"), value))
        .collect();
    let mut results = Vec::new();
    let call = |images: &[Image<'_>]| {
        let odd = |image: &Image<'_>| match image.pixels()[0] {
            1 => Err(PluginError::new("odd")),
            even => Ok(even),
        };
        Ok(images.iter().map(odd).collect())
    };
    let summary = run(paths.into_iter(), &options(2), call, |item| {
        results.push(item.result.is_ok());
        Ok(())
    });
    assert_eq!(summary.unwrap(), Summary { done: 2, failed: 1 });
    assert_eq!(results, [true, false, true]);
}

#[test]
fn a_sink_that_fails_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..9)
        .map(|value| grey(folder.path(), &format!("{value}.bmp"), value))
        .collect();
    let call = |images: &[Image<'_>]| Ok(images.iter().map(|_| Ok(())).collect());
    let error = run(paths.into_iter(), &options(1), call, |_| Err("disk full".into())).unwrap_err();
    assert!(
        matches!(&error, EngineError::Sink(source) if source.to_string() == "disk full"),
        "{error:?}"
    );
}

#[test]
fn a_model_that_cannot_go_on_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let paths = vec![grey(folder.path(), "0.bmp", 0)];
    let call = |_: &[Image<'_>]| Err::<Vec<Result<(), PluginError>>, _>(RuntimeError::IsolationUnsupported);
    let error = run(paths.into_iter(), &options(1), call, |_| Ok(())).unwrap_err();
    assert!(
        matches!(error, EngineError::Runtime(RuntimeError::IsolationUnsupported)),
        "{error:?}"
    );
}
