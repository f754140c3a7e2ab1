//! Gathering what samples are made of into batches for the model.

use super::{
    ask::Batch,
    open::Opened,
    plan::Plan,
    pool::Part,
    step::{Step, Unit},
    video,
};
use crate::EngineError;
use std::thread::Scope;

/// Steps without a part that wait for the next batch at most, for each part that fits in.
const STEPS_FOR_A_PART: usize = 8;

/// Makes batches of everything in `opened` and hands them on, in order, until `hand_on` says that nobody takes them.
pub(super) fn gather<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    plan: &'scope Plan<'env>,
    opened: impl Iterator<Item = Opened>,
    mut hand_on: impl FnMut(Batch) -> bool,
) -> Result<(), EngineError> {
    let mut window = Window::new(plan);
    for opened in opened {
        match opened {
            Opened::Failed(error) => return Err(error),
            Opened::Steps(steps) => {
                for step in steps {
                    window.push(step);
                }
            }
            Opened::Video(sample, opened, room) => {
                if plan.takes_videos() {
                    // What came before need not wait for a whole video.
                    if !hand_on(window.take()) || !hand_on(Batch::Video(sample, opened, room)) {
                        return Ok(());
                    }
                } else {
                    let frames = video::frames(scope, plan, &sample, opened, room);
                    window.push(Step::Begin(sample));
                    for steps in frames {
                        for step in steps? {
                            window.push(step);
                        }
                        if window.is_full() && !hand_on(window.take()) {
                            return Ok(());
                        }
                    }
                    window.push(Step::End);
                }
            }
        }
        if window.is_full() && !hand_on(window.take()) {
            return Ok(());
        }
    }
    hand_on(window.take());
    Ok(())
}

/// Steps that wait until there are enough parts for the model.
struct Window {
    most: usize,
    steps: Vec<Step<()>>,
    units: Vec<Unit>,
    /// How much of the memory that a batch may hold.
    held: Part,
}

impl Window {
    fn new(plan: &Plan<'_>) -> Self {
        Self {
            most: plan.window(),
            steps: Vec::new(),
            units: Vec::new(),
            held: Part::default(),
        }
    }

    fn push(&mut self, step: Step<Unit>) {
        if let Step::Release(lease) = &step {
            self.held = self.held.and(lease.part());
        }
        let kept = step.map_part(|unit| {
            self.units.push(unit);
            Some(())
        });
        self.steps.extend(kept);
    }

    /// Depends on the samples and the budget alone, so that the same run has the same batches.
    fn is_full(&self) -> bool {
        self.units.len() >= self.most
            || self.steps.len() >= self.most * STEPS_FOR_A_PART
            || self.held.is_whole()
    }

    /// The steps so far.
    fn take(&mut self) -> Batch {
        self.held = Part::default();
        Batch::Parts {
            steps: std::mem::take(&mut self.steps),
            units: std::mem::take(&mut self.units),
        }
    }
}
