//! The threads of a run: opening, the model and the sink work side by side, a few batches apart.

use super::{
    ask::Batch,
    assemble::Assembler,
    gather::gather,
    open::open,
    ordered::map_ordered,
    plan::Plan,
    step::{Answer, Step},
};
use crate::{
    EngineError, LabeledItem, SinkError, Summary,
    sample::{Sample, SampleError},
};
use crossbeam_channel::bounded;
use modelzoo_plugin_api::message;
use modelzoo_runtime::{LoadedModel, RuntimeError};
use std::{num::NonZeroUsize, thread};

/// So many samples are opened ahead of the batch that is being gathered, and one for each thread.
const MOST_AHEAD: usize = 8;

/// Does what the plan says with every sample, and hands each on to `sink`, in order.
pub(crate) fn run(
    plan: &Plan<'_>,
    samples: impl Iterator<Item = Result<Sample, SampleError>> + Send,
    sink: impl FnMut(LabeledItem) -> Result<(), SinkError> + Send,
) -> Result<Summary, EngineError> {
    let session = Session::begin(plan.model)?;
    let outcome = thread::scope(|scope| {
        let assembler = Assembler::new(plan)?;
        // One batch is looked at while the others are asked about, so the window is one less.
        let under_way = plan.model.calls_under_way();
        let (to_model, batches) = bounded(0);
        let answers = map_ordered(
            scope,
            batches.into_iter(),
            under_way,
            NonZeroUsize::new(under_way.get() - 1).unwrap_or(NonZeroUsize::MIN),
            move |batch: Batch| batch.answer(plan),
        );
        let sink = scope.spawn(move || hand_on(plan, answers, assembler, sink));
        // A batch is being gathered already. What lies ready behind it goes on when one picture takes long.
        let window = plan.batch_size.min(MOST_AHEAD).saturating_add(plan.workers.get());
        let window = NonZeroUsize::new(window).unwrap_or(NonZeroUsize::MIN);
        let room = plan.budget.open_at_the_end();
        let samples = samples.map(|sample| plan.budget.admit(sample));
        let mut opened = map_ordered(scope, samples, plan.workers, window, move |sample| {
            open(plan, sample)
        });
        // The sink hangs up when it fails, or the model does; the error is told below.
        let gathered = gather(scope, plan, opened.by_ref(), |batch| to_model.send(batch).is_ok());
        // The feeders and the workers stop once nobody takes their results, the sink once nobody sends.
        drop(room);
        drop(opened);
        drop(to_model);
        let summary = sink
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        gathered?;
        summary
    });
    let ended = session.end();
    let summary = outcome?;
    ended?;
    Ok(summary)
}

/// Puts samples together and hands them on.
fn hand_on(
    plan: &Plan<'_>,
    answers: impl Iterator<Item = Result<Vec<Step<Answer>>, EngineError>>,
    mut assembler: Assembler<'_>,
    mut sink: impl FnMut(LabeledItem) -> Result<(), SinkError>,
) -> Result<Summary, EngineError> {
    let mut summary = Summary::default();
    for steps in answers {
        for step in steps? {
            summary.parts += u64::from(matches!(step, Step::Part(_)));
            let Some(mut item) = assembler.take(step)? else {
                continue;
            };
            if !plan.skips_failures() && !item.failures.is_empty() {
                let error = item.failures.swap_remove(0).error;
                let filepath = item.path;
                return Err(EngineError::Stopped {
                    filepath,
                    source: error,
                });
            }
            match item.failures.is_empty() {
                true => summary.done += 1,
                false => summary.failed += 1,
            }
            sink(item).map_err(EngineError::Sink)?;
        }
        plan.tell(summary);
    }
    Ok(summary)
}

/// A model that is made ready for a run, and told when that is over, however it ends.
struct Session<'a> {
    model: Option<&'a dyn LoadedModel>,
}

impl<'a> Session<'a> {
    fn begin(model: &'a dyn LoadedModel) -> Result<Self, RuntimeError> {
        let has_session = model.info().knows(message::SETUP);
        if has_session {
            model.setup()?;
        }
        Ok(Self {
            model: has_session.then_some(model),
        })
    }

    fn end(self) -> Result<(), RuntimeError> {
        self.model.map_or(Ok(()), LoadedModel::teardown)
    }
}

#[cfg(test)]
mod tests;
