//! What pictures, videos, labels, datasets and files of other programs fail with.

use super::{Sample, each, joined, not_found, path, within};
use modelzoo::{
    SandboxLayer, ShardError,
    dataset::{DatasetError, Reason},
    diagnosis::in_one_line,
    format::{Format, FormatError},
    input::{InputError, MediaKind},
    media::{DecodeError, FfmpegError, MediaError},
    output::OutputError,
    panics::contained,
    record::RecordError,
    video::{VideoError, VideoReason},
};
use modelzoo_data::label::from_json;
use std::{io, num::NonZeroU32};

pub(super) fn samples() -> Vec<Sample> {
    joined([
        inputs(),
        pictures(),
        videos(),
        ffmpeg(),
        records(),
        datasets(),
        formats(),
        shards(),
    ])
}

fn inputs() -> Vec<Sample> {
    each([
        InputError::NoInput,
        InputError::NotFound {
            path: "./pictres".into(),
            suggestions: vec!["./pictures".to_owned()],
        },
        InputError::NothingFound {
            input: "./pictures".into(),
            place: "in this folder",
            kinds: vec![MediaKind::Video],
        },
        InputError::InvalidGlob {
            pattern: "pictures/[".to_owned(),
            message: "invalid range pattern",
            position: 10,
        },
        InputError::InvalidList {
            path: path("list.txt"),
            line: 3,
        },
        InputError::Io {
            path: path("pictures"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        InputError::Column {
            path: path("table.parquet"),
            problem: "no column holds bytes or text".to_owned(),
        },
        InputError::Row {
            path: path("table.parquet"),
            row: 7,
        },
    ])
}

fn pictures() -> Vec<Sample> {
    let reasons = [
        DecodeError::NotFound,
        DecodeError::IsFolder,
        DecodeError::NotAFile,
        DecodeError::Io(io::ErrorKind::PermissionDenied.into()),
        DecodeError::Empty,
        DecodeError::NotAnImage { looks_like: "a PDF" },
        DecodeError::Unsupported {
            what: "pictures of 12 bits".to_owned(),
        },
        DecodeError::TooLarge {
            width: 70_000,
            height: 70_000,
            max_pixels: 1 << 28,
        },
        DecodeError::Truncated {
            format: "PNG",
            size_bytes: 80,
        },
        DecodeError::Corrupt {
            format: "PNG",
            message: "a chunk is missing".to_owned(),
        },
        DecodeError::NoSuchPage {
            page: NonZeroU32::MIN.saturating_add(8),
            pages: 2,
        },
        DecodeError::Ffmpeg(FfmpegError::Missing { program: "ffmpeg" }),
        DecodeError::Fault {
            format: "GIF",
            fault: contained(|| panic!("index out of bounds")).expect_err("a panic"),
        },
    ];
    within(reasons, |reason| MediaError {
        path: path("cat.png"),
        reason,
    })
}

/// What is the same for pictures and videos.
fn ffmpeg() -> Vec<Sample> {
    let reasons = [
        FfmpegError::Missing { program: "ffmpeg" },
        FfmpegError::NotShutIn {
            program: "ffmpeg",
            missing: vec![SandboxLayer::Files, SandboxLayer::Signals],
        },
        FfmpegError::Run {
            program: "ffmpeg",
            source: io::ErrorKind::PermissionDenied.into(),
        },
        FfmpegError::Silent {
            program: "ffmpeg",
            seconds: 60,
        },
    ];
    within(reasons, |reason| VideoError {
        path: path("street.mp4"),
        reason: reason.into(),
    })
}

fn videos() -> Vec<Sample> {
    let message = || "moov atom not found".to_owned();
    let reasons = [
        VideoReason::NotFound,
        VideoReason::Io(io::ErrorKind::StorageFull.into()),
        VideoReason::NotAFile,
        VideoReason::NotRead {
            format: "hls".to_owned(),
        },
        VideoReason::Ffmpeg(FfmpegError::Missing { program: "ffprobe" }),
        VideoReason::Unreadable { message: message() },
        VideoReason::NoVideo,
        VideoReason::TooLarge {
            width: 70_000,
            height: 70_000,
            max_pixels: 1 << 28,
        },
        VideoReason::Decoding {
            after_frame: 7,
            message: message(),
        },
        VideoReason::Encoding { message: message() },
        VideoReason::Write {
            source: io::ErrorKind::StorageFull.into(),
        },
        VideoReason::SizeChanges { after_frame: 7 },
    ];
    within(reasons, |reason| VideoError {
        path: path("street.mp4"),
        reason,
    })
}

/// Lines of a file of labels; the line's error is a part of the file's.
fn records() -> Vec<Sample> {
    let label = from_json(serde_json::json!({ "_cls": "Detection", "bounding_box": 3 })).expect_err("no box");
    let records = [
        RecordError::NotAnObject,
        RecordError::NoFilepath,
        RecordError::Fact {
            name: "tags",
            expected: "a list of texts",
        },
        RecordError::Label {
            field: "predictions".to_owned(),
            source: label,
        },
    ];
    within(records, |record| FormatError::Content {
        path: path("labels.jsonl"),
        place: ":3".to_owned(),
        problem: in_one_line(&record),
    })
}

fn datasets() -> Vec<Sample> {
    let field = || "predictions".to_owned();
    let no_json = || serde_json::from_str::<u8>("{").expect_err("no number");
    let reasons = [
        Reason::Exists,
        Reason::Create(io::ErrorKind::PermissionDenied.into()),
        Reason::NotFound,
        Reason::NotADataset("it is no SQLite file"),
        Reason::Newer {
            found: 9,
            supported: 1,
        },
        Reason::NoSuchField {
            name: "prediction".to_owned(),
            known: vec![field()],
        },
        Reason::InvalidFieldName("`a b` cannot be a field".to_owned()),
        Reason::OtherType {
            field: field(),
            expected: "Detections".to_owned(),
            found: "Classification".to_owned(),
        },
        Reason::RunInProgress {
            field: field(),
            process: 4321,
            since: "2026-11-28 12:00:00".to_owned(),
        },
        Reason::OtherValues {
            field: field(),
            difference: "they are of another model".to_owned(),
        },
        Reason::NotOwned { field: field() },
        Reason::TakenOver { field: field() },
        Reason::Label {
            field: field(),
            sample: "cat.png".to_owned(),
            source: no_json(),
        },
        Reason::UnknownType { field: field() },
        Reason::Corrupt {
            what: "the tags of a sample",
            source: no_json(),
        },
        Reason::Lock(io::ErrorKind::PermissionDenied.into()),
        Reason::Sqlite(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL),
            None,
        )),
    ];
    within(reasons, |reason| DatasetError {
        path: path("mine.sqlite"),
        reason,
    })
}

fn shards() -> Vec<Sample> {
    let results = || path("labels-00003-of-00032.jsonl");
    let shard = |text: &str| text.parse().expect("a shard");
    each([
        ShardError::NoneFound {
            output: path("labels.parquet"),
            example: path("labels-00001-of-00004.jsonl"),
        },
        ShardError::Unfinished { path: results() },
        ShardError::Changed { path: results() },
        ShardError::Content {
            path: results(),
            problem: "it has not the 3 lines that its record says".to_owned(),
        },
        ShardError::Missing {
            missing: vec![shard("3/32"), shard("9/32")],
            of: shard("1/32"),
        },
        ShardError::Different {
            one: results(),
            other: path("labels-00004-of-00032.jsonl"),
            difference: "field b instead of a".to_owned(),
        },
        ShardError::DoneOtherwise {
            path: results(),
            difference: "model b instead of a".to_owned(),
        },
        ShardError::Read {
            path: results(),
            source: not_found(),
        },
        ShardError::Output(OutputError::new(results(), not_found())),
    ])
}

fn formats() -> Vec<Sample> {
    each([
        FormatError::Output(OutputError::new(path("out"), not_found())),
        FormatError::Dataset(DatasetError {
            path: path("mine.sqlite"),
            reason: Reason::NotFound,
        }),
        FormatError::Input(InputError::NoInput),
        FormatError::UnknownFormat {
            name: "coc".to_owned(),
        },
        FormatError::Shard(ShardError::Changed {
            path: path("labels-00003-of-00032.jsonl"),
        }),
        FormatError::Exists { path: path("out") },
        FormatError::Unsuitable {
            format: Format::Yolo,
            problem: "no boxes to write".to_owned(),
        },
        FormatError::Read {
            path: path("labels.json"),
            source: not_found(),
        },
        FormatError::Content {
            path: path("labels.json"),
            place: ":3:14".to_owned(),
            problem: "expected a number".to_owned(),
        },
    ])
}
