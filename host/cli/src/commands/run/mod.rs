//! What `apply` and `embed` share: the samples through the model, and the results to where they belong.

mod annotate;
mod output;
mod report;

pub use annotate::Annotations;
pub use output::{Content, Destination};

use super::plan::Plan;
use crate::{
    arguments::{Global, InputArguments, ModelArguments},
    exit::Exit,
    terminal::{Bar, Step, Terminal, count},
};
use modelzoo_engine::{Extent, Input, LabeledItem, Outcome, ProgressCallback, SinkError, Task, Work};
use modelzoo_plugin_api::ModelInfo;
use output::Writer;
use report::Report;
use std::{path::PathBuf, sync::Arc, time::Instant};

/// A command on samples, as the user gave it.
pub struct Command<'a> {
    /// What the model is to do.
    pub task: Task,
    /// What comes of it.
    pub content: Content,
    /// What the progress bar says.
    pub label: &'static str,
    /// Which model.
    pub model: &'a ModelArguments,
    /// Which samples, and where the results go.
    pub input: &'a InputArguments,
}

/// Does what the user asked for. `annotations` are made for the model once it is loaded.
pub fn run(
    mut command: Command<'_>,
    annotations: impl FnOnce(&ModelInfo) -> Option<Annotations>,
    global: &Global,
    terminal: &Terminal,
) -> anyhow::Result<Exit> {
    // What the user typed is checked before anything is fetched or built.
    let arguments = command.input;
    let mut input = Input::resolve(arguments.inputs())?;
    let destination = Destination::of(arguments, command.content, input.dataset().is_some())?;
    let loaded = super::model::load(command.model, global, terminal)?;
    let (model, origin) = (loaded.model.as_ref(), &loaded.provenance);
    command.task.check(model.info())?;
    let options = command.task.run_options_mut();
    if model.info().preferred_batch_size.is_none() {
        options.batch_size = options.batch_size.or(loaded.default_batch_size);
    }
    if let Destination::NewDataset(path) = &destination {
        input = input.into_dataset(path)?;
    }

    let bar = Arc::new(terminal.bar(Step::Pictures, command.label, Some(0)));
    command.task.run_options_mut().progress = Some(show(&bar, command.label));
    let work = Work::begin(model, origin, &command.task, &mut input, arguments.existing())?;
    // Counting walks every folder once more, which nobody need wait for who sees no bar.
    if bar.is_shown() {
        bar.set_total(work.count()?.saturating_sub(work.before().done));
    }
    let report = Report::create(arguments.failures.as_deref())?;
    let mut results = Results {
        writer: Writer::create(&destination, model.info(), origin)?,
        annotations: annotations(model.info()),
        report,
    };
    let started = Instant::now();
    let outcome = work.run(|item| results.take(item));
    bar.clear();
    let Results { writer, report, .. } = results;
    // What failed is told even where the run ended early.
    report.finish(terminal)?;
    let outcome = outcome?;
    let mut notes = writer.finish()?;
    if let Some(dataset) = input.dataset() {
        notes.extend(destination.export(dataset, &command.task)?);
    }
    notes.iter().for_each(|note| terminal.warn(note));
    Ok(tell(outcome, started, terminal))
}

/// Says what [`run`] would do. `folders` are those that are written to besides.
pub fn plan<'a>(
    command: &Command<'a>,
    folders: impl IntoIterator<Item = &'a PathBuf>,
    global: &Global,
    terminal: &Terminal,
) -> anyhow::Result<Exit> {
    let input = Input::resolve(command.input.inputs())?;
    let destination = Destination::of(command.input, command.content, input.dataset().is_some())?;
    let ModelArguments { choice, options, .. } = command.model;
    let mut plan = Plan::of_model(choice, options, global, terminal)?
        .and(format!(
            "run {} over {}",
            choice.model,
            describe(input.extent(&command.input.sampling())?)
        ))
        .and(destination.describe());
    for folder in folders.into_iter().chain(&command.input.failures) {
        plan = plan.and(format!("write to {}", folder.display()));
    }
    plan.print(false)?;
    Ok(Exit::Done)
}

/// `3 pictures and 2 videos (about 500 frames)`. What the model takes is known once it is loaded.
fn describe(extent: Extent) -> String {
    let Extent {
        pictures,
        videos,
        frames,
    } = extent;
    let frames = frames.map_or(String::new(), |frames| {
        format!(" (about {})", count(frames, "frame"))
    });
    let videos_and_frames = format!("{}{frames}", count(videos, "video"));
    let pictures_alone = count(pictures, "picture");
    match (pictures, videos) {
        (_, 0) => pictures_alone,
        (0, _) => videos_and_frames,
        _ => format!(
            "{pictures_alone} and {videos_and_frames}, or over the videos alone if that is what the model takes"
        ),
    }
}

/// Tells how it went, and says how the program ends.
fn tell(Outcome { summary, dataset, .. }: Outcome, started: Instant, terminal: &Terminal) -> Exit {
    let seconds = started.elapsed().as_secs_f64();
    let all = summary.done + summary.failed;
    // Videos and objects make more work than there are samples.
    let has_parts = summary.parts > all;
    let rate = all.max(summary.parts) as f64 / seconds.max(1e-9);
    let parts = match has_parts {
        true => format!(", {} frames or patches", summary.parts),
        false => String::new(),
    };
    let failed = match summary.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    terminal.say(format!(
        "{} of {all} samples{failed}{parts}, {seconds:.1} s, {rate:.1} a second",
        summary.done
    ));
    let mut is_whole = summary.failed == 0;
    if let Some(progress) = dataset {
        is_whole = progress.failed == 0;
        terminal.say(format!(
            "in the dataset: {} done, {} failed",
            progress.done, progress.failed
        ));
    }
    if is_whole { Exit::Done } else { Exit::Partial }
}

/// Shows how far a run is: so many samples, and so many of their frames or patches where these are more.
fn show(bar: &Arc<Bar>, label: &'static str) -> ProgressCallback {
    let bar = Arc::clone(bar);
    ProgressCallback::new(move |so_far| {
        let samples = so_far.done + so_far.failed;
        bar.set(samples);
        if so_far.parts > samples {
            bar.say(format!("{label}, {} frames or patches", so_far.parts));
        }
    })
}

/// Takes what the engine hands on: draws it, writes it, and notes what failed.
struct Results {
    writer: Writer,
    annotations: Option<Annotations>,
    report: Report,
}

impl Results {
    fn take(&mut self, item: LabeledItem) -> Result<(), SinkError> {
        self.report.note(&item)?;
        if let Some(annotations) = &self.annotations {
            annotations.draw(&item)?;
        }
        Ok(self.writer.write(item.into_record())?)
    }
}
