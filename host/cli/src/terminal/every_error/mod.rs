//! Every error that a library can end a command with, as the command line tells it: one snapshot for each crate. What
//! holds for all of them is checked on the same values.

mod base;
mod chapter;
mod data;
mod engine;
mod facade;
mod kinds;
mod network;
mod runtime;
mod sources;

use super::{Failure, Terminal, words};
use modelzoo::{
    Sha256Digest,
    diagnosis::{Diagnose, NextStep},
};
use modelzoo_test_support::{files::project, levels};
use std::{collections::BTreeSet, fmt, io, path::PathBuf};

/// An error, and which one it is.
struct Sample {
    /// Its type and variant: `GitError::Empty`.
    kind: String,
    failure: Failure,
}

/// One of each variant of an error.
fn each<E: Diagnose>(errors: impl IntoIterator<Item = E>) -> Vec<Sample> {
    let sample = |error: E| Sample {
        kind: kind(&error),
        failure: error.into(),
    };
    errors.into_iter().map(sample).collect()
}

/// One of each variant of what an error says in a value of its own, of which `wrap` makes the error.
fn within<R: fmt::Debug, E: Diagnose>(
    reasons: impl IntoIterator<Item = R>,
    wrap: impl Fn(R) -> E,
) -> Vec<Sample> {
    let sample = |reason: R| Sample {
        kind: kind(&reason),
        failure: wrap(reason).into(),
    };
    reasons.into_iter().map(sample).collect()
}

fn joined(parts: impl IntoIterator<Item = Vec<Sample>>) -> Vec<Sample> {
    parts.into_iter().flatten().collect()
}

/// The name of a value's type, and of its variant where it has such.
fn kind<T: fmt::Debug>(value: &T) -> String {
    let whole = std::any::type_name::<T>();
    let name = whole.rsplit("::").next().unwrap_or(whole);
    let told = format!("{value:?}");
    let variant = told.split(|letter: char| !letter.is_alphanumeric()).next();
    match variant {
        Some(variant) if variant != name => format!("{name}::{variant}"),
        _ => name.to_owned(),
    }
}

/// What a user sees of the samples of a crate.
fn assert_looks(crate_name: &str, samples: &[Sample]) {
    let terminal = Terminal {
        quiet: false,
        progress: false,
        lines: false,
        color: false,
    };
    let told = |sample: &Sample| {
        let lines = terminal.lines(&sample.failure).join("\n");
        format!(
            "{}: exit code {}\n{lines}\n",
            sample.kind,
            sample.failure.exit() as u8
        )
    };
    let told: Vec<String> = samples.iter().map(told).collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(crate_name, told.join("\n")));
}

/// All samples, by crate.
fn all() -> [(&'static str, Vec<Sample>); 6] {
    [
        ("base", base::samples()),
        ("sources", sources::samples()),
        ("data", data::samples()),
        ("runtime", runtime::samples()),
        ("engine", engine::samples()),
        ("facade", facade::samples()),
    ]
}

fn path(name: &str) -> PathBuf {
    PathBuf::from("/home/me").join(name)
}

const COMMIT: &str = "0123456789012345678901234567890123456789";

fn url() -> String {
    "https://github.com/acme/model".to_owned()
}

fn digest(of: &str) -> Sha256Digest {
    Sha256Digest::of(of)
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

#[test]
fn what_users_see_of_every_error() {
    for (crate_name, samples) in all() {
        assert_looks(crate_name, &samples);
    }
}

#[test]
fn each_level_says_its_own_and_a_path_is_named_once() {
    let samples = all().into_iter().flat_map(|(_, samples)| samples);
    let repetitions: Vec<String> = samples
        .filter_map(|sample| {
            let told: Vec<String> = sample.failure.levels().collect();
            Some(format!("{}: {}", sample.kind, levels::repetition(&told)?))
        })
        .collect();
    assert!(repetitions.is_empty(), "{}", repetitions.join("\n"));
}

#[test]
fn no_error_is_forgotten() {
    let told: BTreeSet<String> = all()
        .into_iter()
        .flat_map(|(_, samples)| samples)
        .map(|sample| sample.kind)
        .collect();
    let declared = kinds::declared_in(&project().join("host"));
    let forgotten: Vec<_> = declared.difference(&told).collect();
    assert!(forgotten.is_empty(), "without a sample: {forgotten:?}");
    assert!(declared.len() > 100, "{declared:?}");
}

#[test]
fn libraries_name_no_options_and_no_commands() {
    for (crate_name, samples) in all() {
        for Sample { kind, failure } in samples {
            let step = failure.next_step().map(|step| step.to_string());
            for text in failure.levels().chain(step) {
                let names_option = text
                    .split_whitespace()
                    .any(|word| word.trim_start_matches('`').starts_with("--"));
                assert!(!names_option, "{crate_name}, {kind}: {text}");
                assert!(!text.contains("`modelzoo "), "{crate_name}, {kind}: {text}");
            }
        }
    }
}

#[test]
fn every_next_step_has_the_words_of_the_command_line() {
    let source = || "user/repo@v1".to_owned();
    let steps = [
        NextStep::AllowSource { source: source() },
        NextStep::TakeBackDenial { identity: source() },
        NextStep::AcceptContent { source: source() },
        NextStep::AcceptMovedTag { source: source() },
        NextStep::LetLockChange,
        NextStep::WriteLock,
        NextStep::RestoreLock {
            path: path("modelzoo.lock"),
        },
        NextStep::DownloadModel,
        NextStep::GetPlugin,
        NextStep::NameModel {
            name: "small".to_owned(),
        },
        NextStep::NameSource {
            source: source(),
            model: "small".to_owned(),
        },
        NextStep::ListModels,
        NextStep::ListSources,
        NextStep::ShowModel,
        NextStep::SpellSource,
        NextStep::StartFromTemplate,
        NextStep::GoOnline,
        NextStep::CheckNetwork,
        NextStep::FreeSpace,
        NextStep::AllowWriting,
        NextStep::MoveStore,
        NextStep::RenameFolder,
        NextStep::VerifyStore,
        NextStep::UpdateProgram,
        NextStep::PassOverFailures,
        NextStep::WaitLonger,
        NextStep::UseLessMemory,
        NextStep::ShowPluginOutput,
        NextStep::RunInProcess,
        NextStep::RelaxSandbox,
        NextStep::MakeBundle,
        NextStep::VouchForBundle,
        NextStep::BuildPlugin,
        NextStep::CreateDataset {
            path: path("mine.sqlite"),
        },
        NextStep::GoOnWithDataset {
            path: path("mine.sqlite"),
        },
        NextStep::AddToDataset {
            path: path("mine.sqlite"),
        },
        NextStep::ReplaceValues,
        NextStep::ReplaceShard,
        NextStep::NameColumn,
        NextStep::NameFormat {
            formats: vec!["jsonl", "coco"],
            endings: vec![".jsonl", ".csv"],
        },
        NextStep::DidYouMean {
            names: vec!["small".to_owned(), "smaller".to_owned()],
        },
        NextStep::advice("ask its author"),
    ];
    let told: BTreeSet<String> = steps.iter().map(kind).collect();
    let declared = kinds::variants_of("NextStep", &project().join("host/base/src/error/next_step.rs"));
    assert_eq!(told, declared);
    let lines: Vec<String> = steps
        .iter()
        .map(|step| format!("{}\n  anybody: {step}\n  hint: {}\n", kind(step), words(step)))
        .collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("next_steps", lines.join("\n")));
}
