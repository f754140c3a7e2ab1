//! What `apply` and `embed` share: the samples through the model, and the results to where they belong.

mod annotate;
mod report;

use super::{
    calibration::calibrated,
    loading::load_settings,
    open::{named, open_to_plan},
    plan::{Sentence as _, carry_out},
};
use crate::{
    arguments::{Global, InputArguments, ModelArguments},
    exit::Exit,
    terminal::{Bar, Failure, Result, Step, Terminal, count},
};
use annotate::Annotations;
use modelzoo::{
    Content, Destination, Extent, Input, LabeledItem, LoadPlan, Model, Outcome, Plan, Precision,
    ProgressCallback, ResultWriter, Shard, ShardRecord, ShardState, SinkError, Task, Work,
    format::export::Summary, panics::contained,
};
use report::Report;
use std::{num::NonZero, path::Path, sync::Arc, thread, time::Instant};

/// A command on samples, as the user gave it.
pub struct Command<'a> {
    /// What the model is to do.
    pub task: Task,
    /// What the progress bar says.
    pub label: &'static str,
    /// Which model.
    pub model: &'a ModelArguments,
    /// Which samples, and where the results go.
    pub input: &'a InputArguments,
    /// Where copies with the labels drawn on them go.
    pub annotate: Option<&'a Path>,
    /// Where masks and maps go as pictures.
    pub label_images: Option<&'a Path>,
}

/// Does what the user asked for.
pub fn run(command: Command<'_>, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let (arguments, model) = (command.input, command.model);
    // What the user typed is checked before anything is fetched or built.
    let input = Input::resolve_with(arguments.inputs(), &arguments.input_options())?;
    let destination = arguments.destination(Content::from(&command.task), input.dataset().is_some())?;
    let zoo = open_to_plan(arguments.dry_run, global, terminal)?;
    let settings = load_settings(&model.options, &model.run)?;
    let plan = RunPlan {
        load: zoo.plan_load(&named(&model.choice, &zoo)?, &settings)?,
        command,
        input,
        destination,
        terminal,
    };
    Ok(carry_out(plan, arguments.dry_run, false)?.unwrap_or(Exit::Done))
}

/// The samples through the model, and the results to where they belong.
struct RunPlan<'a> {
    command: Command<'a>,
    load: LoadPlan<'a>,
    input: Input,
    destination: Destination,
    terminal: &'a Terminal,
}

impl Plan for RunPlan<'_> {
    type Step = String;
    type Outcome = Exit;
    type Error = Failure;

    fn steps(&self) -> Result<Vec<String>> {
        let Command { model, input, .. } = &self.command;
        let mut steps: Vec<String> = self.load.steps()?.iter().map(|step| step.sentence()).collect();
        if model.options.precision == Precision::Int8 {
            steps.push(
                "find out on the first pictures what int8 stands for, unless that was done before".to_owned(),
            );
        }
        steps.push(format!(
            "run {} over {}{}",
            model.choice.model,
            match input.shard {
                Some(shard) => format!("shard {shard} of "),
                None => String::new(),
            },
            describe(self.input.extent(&input.sampling())?)
        ));
        steps.push(self.destination.describe());
        let folders = [self.command.annotate, self.command.label_images];
        let failures = input.failures();
        let written = folders.into_iter().flatten().chain(failures.as_deref());
        steps.extend(written.map(|path| format!("write to {}", path.display())));
        Ok(steps)
    }

    fn execute(self) -> Result<Exit> {
        let Self {
            mut command,
            load,
            mut input,
            destination,
            terminal,
        } = self;
        let arguments = command.input;
        let model = load.execute()?;
        command.task.check(model.info())?;
        let model = calibrated(model, &command.task, &input, terminal)?;
        if let Destination::NewDataset(path) = &destination {
            input = input.into_dataset(path)?;
        }
        let bar = Arc::new(terminal.bar(Step::Pictures, command.label, Some(0)));
        command.task.run_options_mut().progress = Some(show(&bar, command.label));
        let work = model.begin(&command.task, &mut input, arguments.existing())?;
        let shard = match begin_shard(&command, &destination, &work, &model)? {
            Some(ShardState::Done(record)) => return Ok(tell_done(&record, terminal)),
            Some(ShardState::Open(results)) => Some(results),
            None => None,
        };
        // Counting walks every folder once more, which nobody need wait for who sees no bar.
        if bar.is_shown() {
            match work.count()? {
                Some(count) => bar.set_total(count.saturating_sub(work.before().done)),
                None => bar.forget_total(),
            }
        }
        let annotations = command
            .annotate
            .map(|folder| Annotations::new(folder, arguments.sampling(), model.info()));
        let report = Report::create(arguments.failures().as_deref())?;
        let mut results = Results {
            writer: ResultWriter::create(&destination, model.info(), work.provenance())?,
            annotations,
            report,
            undrawn: 0,
        };
        let started = Instant::now();
        let outcome = work.run(|item| results.take(item));
        bar.clear();
        let Results {
            writer,
            report,
            undrawn,
            ..
        } = results;
        // What failed is told even where the run ended early.
        report.finish(terminal)?;
        let outcome = outcome?;
        let mut summaries = vec![writer.finish()?];
        if let Some(shard) = shard {
            shard.finish(&outcome)?;
        }
        if let Some(dataset) = input.dataset() {
            summaries.push(destination.export(dataset, &command.task)?);
        }
        let is_whole = tell_besides(&input, &summaries, terminal);
        match tell(outcome, arguments.shard, started, terminal) {
            Exit::Done if !is_whole || undrawn > 0 => Ok(Exit::Partial),
            exit => Ok(exit),
        }
    }
}

/// What is to be done about the shard, where the command is about one.
fn begin_shard(
    command: &Command<'_>,
    destination: &Destination,
    work: &Work<'_>,
    model: &Model,
) -> Result<Option<ShardState>> {
    let (Some(shard), Destination::Path { path, .. }) = (command.input.shard, destination) else {
        return Ok(None);
    };
    let field = command.task.run_name();
    let state = ShardState::of(shard, path, field, work, model, command.input.existing())?;
    Ok(Some(state))
}

/// Tells that an earlier run has done the shard, and how.
fn tell_done(record: &ShardRecord, terminal: &Terminal) -> Exit {
    let samples = count(record.positions.len() as u64, "sample");
    let failed = match record.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    terminal.say(format!(
        "shard {} is done already: {samples}{failed}; `--overwrite` does it again",
        record.shard,
    ));
    if record.failed == 0 {
        Exit::Done
    } else {
        Exit::Partial
    }
}

/// `3 pictures and 2 videos (about 500 frames)`. What the model takes is known once it is loaded.
fn describe(extent: Extent) -> String {
    let Extent {
        pictures,
        videos,
        frames,
        is_least,
    } = extent;
    let more = if is_least { ", and more in archives" } else { "" };
    let frames = frames.map_or(String::new(), |frames| {
        format!(" (about {})", count(frames, "frame"))
    });
    let videos_and_frames = format!("{}{frames}", count(videos, "video"));
    let pictures_alone = count(pictures, "picture");
    let told = match (pictures, videos) {
        (_, 0) => pictures_alone,
        (0, _) => videos_and_frames,
        _ => format!(
            "{pictures_alone} and {videos_and_frames}, or over the videos alone if that is what the model takes"
        ),
    };
    told + more
}

/// Tells what is wrong beside the samples' own failures, with the input and with what was written; says whether nothing was
/// lost there.
fn tell_besides(input: &Input, written: &[Summary], terminal: &Terminal) -> bool {
    let notes = written.iter().flat_map(|summary| summary.notes.clone());
    let notes = input.notes().into_iter().chain(notes);
    notes.for_each(|note| terminal.warn(note));
    let losses = written.iter().map(|summary| &summary.losses);
    terminal.tell_losses([input.losses()].into_iter().chain(losses))
}

/// Tells how it went, and says how the program ends.
fn tell(
    Outcome { summary, dataset, .. }: Outcome,
    shard: Option<Shard>,
    started: Instant,
    terminal: &Terminal,
) -> Exit {
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
    // What a run on many machines will cost.
    let price = match shard {
        Some(_) => format!(" ({:.2} core hours a million)", core_hours_a_million(rate)),
        None => String::new(),
    };
    terminal.say(format!(
        "{} of {all} samples{failed}{parts}, {seconds:.1} s, {rate:.1} a second{price}",
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

/// What a million samples take of this machine's cores, at so many a second.
fn core_hours_a_million(rate: f64) -> f64 {
    const SECONDS_AN_HOUR: f64 = 3600.0;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    1e6 / rate.max(1e-9) * cores as f64 / SECONDS_AN_HOUR
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
    writer: ResultWriter,
    annotations: Option<Annotations>,
    report: Report,
    /// How many could not be drawn.
    undrawn: u64,
}

impl Results {
    fn take(&mut self, mut item: LabeledItem) -> Result<(), SinkError> {
        if let Some(annotations) = &self.annotations {
            match contained(|| annotations.draw(&item)) {
                Ok(drawn) => drawn?,
                Err(fault) => {
                    self.undrawn += 1;
                    item.warnings.push(format!(
                        "its labels could not be drawn, by a fault of the program ({fault}): please report it"
                    ));
                }
            }
        }
        self.report.note(&item)?;
        Ok(self.writer.write(&item.into_record())?)
    }
}
