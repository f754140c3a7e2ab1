//! What applying models fails with: a run as a whole, or a sample of it.

use super::{
    Sample, each, joined, not_found, path,
    runtime::{death, plugin_error},
};
use modelzoo::{
    CallError, EngineError, FrameNumberError, ItemError, RuntimeError,
    dataset::{DatasetError, Reason},
    diagnosis::NextStep,
    format::FormatError,
    input::InputError,
    media::{DecodeError, MediaError},
    output::OutputError,
    panics::contained,
    video::{VideoError, VideoReason},
};
use modelzoo_engine::SampleError;
use std::io;

pub(super) fn samples() -> Vec<Sample> {
    joined([runs(), samples_of_inputs(), items()])
}

fn dataset() -> DatasetError {
    DatasetError {
        path: path("mine.sqlite"),
        reason: Reason::NotFound,
    }
}

fn picture() -> MediaError {
    MediaError {
        path: path("cat.png"),
        reason: DecodeError::Empty,
    }
}

fn runs() -> Vec<Sample> {
    let stopped_by_its_file = EngineError::Stopped {
        filepath: path("cat.png"),
        source: ItemError::Media(picture()),
    };
    let runs = each([
        EngineError::Input(InputError::NoInput),
        EngineError::Dataset(dataset()),
        EngineError::Credentials(picture()),
        EngineError::Format(FormatError::Exists { path: path("out") }),
        EngineError::Runtime(RuntimeError::IsolationUnsupported),
        EngineError::Unsupported("has no embeddings"),
        EngineError::InvalidOption {
            problem: "the format npy holds no labels".to_owned(),
            next_step: NextStep::advice("name another format"),
        },
        EngineError::Stopped {
            filepath: path("cat.png"),
            source: ItemError::Model(CallError::Plugin(plugin_error())),
        },
        EngineError::LabelImages(OutputError::new(path("masks"), not_found())),
        EngineError::Temporary {
            folder: "/tmp".into(),
            source: io::ErrorKind::StorageFull.into(),
        },
        EngineError::Sink(Box::new(OutputError::new(path("out.jsonl"), not_found()))),
    ]);
    joined([runs, each([stopped_by_its_file])])
}

fn samples_of_inputs() -> Vec<Sample> {
    each([
        SampleError::Input(InputError::NoInput),
        SampleError::Dataset(dataset()),
    ])
}

fn items() -> Vec<Sample> {
    let field = || "predictions".to_owned();
    each([
        ItemError::Input(InputError::NoInput),
        ItemError::Media(picture()),
        ItemError::Video(VideoError {
            path: path("street.mp4"),
            reason: VideoReason::NoVideo,
        }),
        ItemError::Fault(contained(|| panic!("index out of bounds")).expect_err("a panic")),
        ItemError::Preprocess(CallError::Plugin(plugin_error())),
        ItemError::Model(CallError::WorkerDied(death())),
        ItemError::FrameNumber(FrameNumberError),
        ItemError::FramesOfPicture,
        ItemError::NotAVideo,
        ItemError::NoObjects {
            found: "Heatmap".to_owned(),
        },
        ItemError::NoBoxes { field: field() },
        ItemError::NoPatches { field: field() },
    ])
}
