//! Runs end early, go on, and keep out of each other's way.

use super::{classification, ids, labelled, labels, pictures, provenance, records};
use crate::{
    dataset::{Dataset, Existing, FieldDescription, FileFacts, Item, Reason, Run, Selection},
    record::{ImageMetadata, Metadata, SampleRecord},
};
use modelzoo_plugin_api::label::{Detections, Label};
use rusqlite::Connection;

fn begin(dataset: &mut Dataset, field: &str) -> Run {
    dataset
        .begin_run(field, &provenance("resnet18"), Existing::Resume)
        .unwrap()
}

/// Commits a label for each of the next `count` samples.
fn label_next(run: &mut Run, count: usize) {
    let batch: Vec<Item> = run
        .pending(&Selection::without_labels())
        .unwrap()
        .take(count)
        .map(|sample| {
            let sample = sample.unwrap();
            (
                sample.id,
                Ok(labels("seen", classification(&sample.record.filepath))),
            )
        })
        .collect();
    run.commit_batch(&batch).unwrap();
}

fn pending(run: &Run) -> Vec<String> {
    let samples = run.pending(&Selection::without_labels()).unwrap();
    samples.map(|sample| sample.unwrap().record.filepath).collect()
}

#[test]
fn a_run_that_ended_early_goes_on_where_it_was() {
    let (_folder, mut dataset) = pictures(5);
    let mut run = begin(&mut dataset, "seen");
    label_next(&mut run, 2);
    drop(run);
    assert!(!dataset.runs().unwrap()[0].active);

    let mut run = begin(&mut dataset, "seen");
    assert_eq!(pending(&run), ["2.jpg", "3.jpg", "4.jpg"]);
    assert_eq!(run.progress().unwrap().done, 2);
    label_next(&mut run, 9);
    assert_eq!(run.finish().unwrap().done, 5);
    for record in records(&dataset) {
        assert_eq!(record.labels.sample["seen"], classification(&record.filepath));
    }
}

#[test]
fn what_a_run_sees_of_files_is_kept_where_it_was_not_known() {
    let (_folder, mut dataset) = pictures(2);
    let samples = ids(&dataset);
    let seen = |sample, width| FileFacts {
        sample,
        metadata: Some(Metadata::Image(ImageMetadata {
            width,
            height: 3,
            ..ImageMetadata::default()
        })),
        warning: None,
    };
    let mut run = begin(&mut dataset, "seen");
    let batch = vec![(samples[0], Ok(labels("seen", classification("cat"))))];
    run.commit_batch_with_facts(&batch, &[seen(samples[0], 4)])
        .unwrap();
    run.commit_batch_with_facts(&batch, &[seen(samples[0], 5)])
        .unwrap();
    let sizes: Vec<_> = records(&dataset)
        .into_iter()
        .map(|record| record.metadata.map(|metadata| metadata.size()))
        .collect();
    assert_eq!(sizes, [Some((4, 3)), None]);
}

#[test]
fn a_finished_run_takes_up_new_samples_and_those_that_failed() {
    let (_folder, mut dataset) = pictures(2);
    let samples = ids(&dataset);
    let mut run = begin(&mut dataset, "seen");
    let batch = [
        (samples[0], Ok(labels("seen", classification("cat")))),
        (samples[1], Err("the file is truncated".to_owned())),
    ];
    let progress = run.commit_batch(&batch).unwrap();
    assert_eq!((progress.done, progress.failed), (1, 1));
    assert_eq!(pending(&run), [""; 0]);
    assert_eq!(
        dataset.failures("seen").unwrap()[0].error,
        "the file is truncated"
    );
    run.finish().unwrap();
    assert_eq!(dataset.failures("seen").unwrap()[0].filepath, "1.jpg");

    let mut writer = dataset.writer().unwrap();
    writer.add(SampleRecord::image("new.jpg")).unwrap();
    writer.finish().unwrap();
    let run = begin(&mut dataset, "seen");
    assert_eq!(pending(&run), ["1.jpg", "new.jpg"]);
}

#[test]
fn a_run_that_ended_early_tries_again_what_failed() {
    let (_folder, mut dataset) = pictures(3);
    let samples = ids(&dataset);
    let mut run = begin(&mut dataset, "seen");
    let batch = [
        (samples[0], Err("broken".to_owned())),
        (samples[1], Ok(labels("seen", classification("cat")))),
    ];
    run.commit_batch(&batch).unwrap();
    drop(run);
    let run = begin(&mut dataset, "seen");
    assert_eq!(pending(&run), ["0.jpg", "2.jpg"]);
    let progress = run.progress().unwrap();
    assert_eq!((progress.done, progress.failed), (1, 0));
}

#[test]
fn two_processes_do_not_fill_one_field() {
    let (_folder, mut dataset) = pictures(1);
    let run = begin(&mut dataset, "seen");
    let mut second = Dataset::open(dataset.path()).unwrap();
    let error = second
        .begin_run("seen", &provenance("resnet18"), Existing::Replace)
        .unwrap_err();
    assert!(
        matches!(&error.reason, Reason::RunInProgress { process, .. } if *process == std::process::id()),
        "{error}"
    );
    assert!(second.runs().unwrap()[0].active);
    begin(&mut second, "other").finish().unwrap();
    drop(run);
    begin(&mut second, "seen");
}

#[test]
fn a_run_that_was_taken_over_writes_nothing_more() {
    let (_folder, mut dataset) = pictures(1);
    let mut run = begin(&mut dataset, "seen");
    // As after a failure of locks on a network file system.
    Connection::open(dataset.path())
        .unwrap()
        .execute("UPDATE runs SET lease = 'another'", [])
        .unwrap();
    let batch = [(ids(&dataset)[0], Ok(labels("seen", classification("cat"))))];
    let error = run.commit_batch(&batch).unwrap_err();
    assert!(matches!(error.reason, Reason::TakenOver { .. }), "{error}");
    assert!(records(&dataset)[0].labels.is_empty());
}

#[test]
fn values_of_another_origin_are_replaced_only_when_asked() {
    let (_folder, mut dataset) = pictures(1);
    let mut run = begin(&mut dataset, "seen");
    label_next(&mut run, 1);
    run.finish().unwrap();

    let other = provenance("resnet50");
    let error = dataset.begin_run("seen", &other, Existing::Resume).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("they were made with model resnet18 instead of resnet50"),
        "{error}"
    );
    let run = dataset.begin_run("seen", &other, Existing::Replace).unwrap();
    assert_eq!(pending(&run), ["0.jpg"]);
    assert!(records(&dataset)[0].labels.is_empty());
    drop(run);

    let mut writer = dataset.writer().unwrap();
    writer.add(labelled("0.jpg", "truth", "cat")).unwrap();
    writer.finish().unwrap();
    let error = dataset.begin_run("truth", &other, Existing::Resume).unwrap_err();
    assert!(matches!(error.reason, Reason::OtherValues { .. }), "{error}");
    dataset.begin_run("truth", &other, Existing::Replace).unwrap();
    assert!(records(&dataset)[0].labels.is_empty());
}

#[test]
fn labels_that_cannot_be_stored_fail_their_sample_alone() {
    let (_folder, mut dataset) = pictures(4);
    let samples = ids(&dataset);
    let mut writer = dataset.writer().unwrap();
    writer.add(labelled("3.jpg", "truth", "cat")).unwrap();
    writer.finish().unwrap();

    let mut run = begin(&mut dataset, "seen");
    let mut half = labels("seen", classification("fox"));
    half.sample.insert("truth".to_owned(), classification("fox"));
    let batch = [
        (samples[0], Ok(labels("seen", classification("cat")))),
        (samples[1], Ok(labels("seen", Detections::default()))),
        (samples[2], Ok(labels("seen", Label::Unknown))),
        (samples[3], Ok(half)),
    ];
    let progress = run.commit_batch(&batch).unwrap();
    assert_eq!((progress.done, progress.failed), (1, 3));
    let errors: Vec<String> = dataset
        .failures("seen")
        .unwrap()
        .into_iter()
        .map(|failure| failure.error)
        .collect();
    assert_eq!(
        errors[0],
        "field `seen` holds Classification labels, not Detections"
    );
    assert_eq!(errors[2], "field `truth` is not this run's to write");
    let record = records(&dataset).swap_remove(3);
    assert_eq!(
        record.labels.sample,
        labels("truth", classification("cat")).sample
    );
}

#[test]
fn a_run_may_add_to_the_labels_of_the_field_that_it_is_named_after() {
    let (_folder, mut dataset) = pictures(1);
    let mut run = begin(&mut dataset, "seen");
    label_next(&mut run, 1);
    run.finish().unwrap();
    let mut run = begin(&mut dataset, "seen.embedding");
    let batch = [(ids(&dataset)[0], Ok(labels("seen", classification("richer"))))];
    assert_eq!(run.commit_batch(&batch).unwrap().done, 1);
    assert_eq!(
        records(&dataset)[0].labels.sample["seen"],
        classification("richer")
    );
}

#[test]
fn fields_are_described_when_their_run_finishes() {
    let (_folder, mut dataset) = pictures(1);
    let mut run = begin(&mut dataset, "seen");
    let description = FieldDescription {
        classes: vec!["cat".to_owned(), "dog".to_owned()],
        ..FieldDescription::default()
    };
    run.describe("seen", description.clone());
    label_next(&mut run, 1);
    run.finish().unwrap();
    let field = dataset.fields().unwrap().swap_remove(0);
    assert_eq!(
        (field.description, field.run.as_deref()),
        (description, Some("seen"))
    );
    let run = dataset.runs().unwrap().swap_remove(0);
    assert_eq!((run.provenance, run.done), (provenance("resnet18"), 1));
    assert!(run.finished_at.is_some());

    dataset.delete_field("seen").unwrap();
    assert!(dataset.fields().unwrap().is_empty() && dataset.runs().unwrap().is_empty());
}

#[test]
fn several_runs_write_at_once() {
    let (_folder, dataset) = pictures(200);
    std::thread::scope(|scope| {
        for field in ["a", "b", "c", "d"] {
            let path = dataset.path();
            scope.spawn(move || {
                let mut run = begin(&mut Dataset::open(path).unwrap(), field);
                let samples: Vec<_> = run.pending(&Selection::without_labels()).unwrap().collect();
                for sample in samples {
                    let item = (sample.unwrap().id, Ok(labels(field, classification(field))));
                    run.commit_batch(&[item]).unwrap();
                }
                run.finish().unwrap();
            });
        }
    });
    for record in records(&dataset) {
        let fields: Vec<&String> = record.labels.sample.keys().collect();
        assert_eq!(fields, ["a", "b", "c", "d"]);
    }
}
