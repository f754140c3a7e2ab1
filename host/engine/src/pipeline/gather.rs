//! Gathering what samples are made of into batches for the model.

use super::{
    ask::Batch,
    open::Opened,
    plan::Plan,
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
            Opened::Video(sample, opened) => {
                if plan.takes_videos() {
                    // What came before need not wait for a whole video.
                    if !hand_on(window.take()) || !hand_on(Batch::Video(sample, opened)) {
                        return Ok(());
                    }
                } else {
                    let frames = video::frames(scope, plan, &sample, opened);
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
}

impl Window {
    fn new(plan: &Plan<'_>) -> Self {
        Self {
            most: plan.window(),
            steps: Vec::new(),
            units: Vec::new(),
        }
    }

    fn push(&mut self, step: Step<Unit>) {
        let kept = step.map_part(|unit| {
            self.units.push(unit);
            Some(())
        });
        self.steps.extend(kept);
    }

    fn is_full(&self) -> bool {
        self.units.len() >= self.most || self.steps.len() >= self.most * STEPS_FOR_A_PART
    }

    /// The steps so far.
    fn take(&mut self) -> Batch {
        Batch::Parts {
            steps: std::mem::take(&mut self.steps),
            units: std::mem::take(&mut self.units),
        }
    }
}
