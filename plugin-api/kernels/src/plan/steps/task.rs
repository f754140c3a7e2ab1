//! A task of a step: what it may read and write.

use super::{
    super::storage::{Part, Place},
    Step,
    context::Context,
};
use crate::memory::{Region, Shared, SharedMut, Target, View, ViewMut};

/// A share of a step's work, on memory that the executor has given to it.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    context: &'a Context<'a>,
    /// What the tasks of the step write.
    output: Option<Part>,
    phase: usize,
    index: usize,
    shared: SharedMut<'a>,
}

impl<'a> Task<'a> {
    /// A task of a phase of a step.
    ///
    /// # Safety
    /// Until the task is dropped,
    /// - the arena of the context, and the shared memory, are used by tasks of this phase of this step only, and by one
    ///   that clears the halo of what the step writes;
    /// - there is no other task of this index for the context's images, nor has there been one in this pass.
    pub(crate) unsafe fn new(
        context: &'a Context<'a>,
        step: &dyn Step,
        (phase, index): (usize, usize),
        shared: SharedMut<'a>,
    ) -> Self {
        Self {
            context,
            output: step.output(),
            phase,
            index,
            shared,
        }
    }

    pub(crate) fn context(&self) -> &'a Context<'a> {
        self.context
    }

    pub(crate) fn phase(&self) -> usize {
        self.phase
    }

    /// Which task of the phase it is.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Memory that all tasks of the step share, as long as [`Step::shared_scratch`] asks for, or longer.
    pub(crate) fn shared(&self) -> SharedMut<'a> {
        self.shared
    }

    /// A value that an earlier step has computed.
    pub(crate) fn read<'v>(&self, place: &'v Place, image: usize) -> View<'v>
    where
        'a: 'v,
    {
        match place {
            Place::Arena(part) => self.read_part(part, image),
            Place::Constant(layout, data) => View::new(data, *layout),
        }
    }

    /// A value that an earlier step has computed.
    pub(crate) fn read_part(&self, part: &Part, image: usize) -> View<'a> {
        self.check_unwritten(part);
        // SAFETY: it is none of what the step writes, and nobody else writes the arena now, see `new`.
        let values = unsafe { self.context.values(part, image).slice() };
        View::new(values, part.layout)
    }

    /// A value of all images of the pass that an earlier step has computed: the first one's, with those that follow at
    /// a distance.
    pub(crate) fn read_all<'v>(&self, place: &'v Place) -> (Shared<'v>, usize)
    where
        'a: 'v,
    {
        match place {
            Place::Arena(part) => self.read_part_of_all(part),
            Place::Constant(_, data) => (Shared::new(data), 0),
        }
    }

    /// As [`read_all`](Self::read_all).
    pub(crate) fn read_part_of_all(&self, part: &Part) -> (Shared<'a>, usize) {
        self.check_unwritten(part);
        let values = self.context.values_of_all(part);
        (values.as_shared(), self.context.distance(part))
    }

    fn check_unwritten(&self, part: &Part) {
        let is_written = |output: &Part| self.context.overlap(output, part);
        assert!(
            !self.output.as_ref().is_some_and(is_written),
            "a step reads what it writes"
        );
    }

    fn output(&self) -> &Part {
        self.output
            .as_ref()
            .expect("a step that writes a value names it as its output")
    }

    /// The value that the step computes.
    pub(crate) fn target(&self, image: usize) -> Target<'a> {
        let part = self.output();
        Target::new(self.context.values(part, image), part.layout)
    }

    /// The value of all images of the pass that the step computes: the first one's, with those that follow at a
    /// distance.
    pub(crate) fn target_of_all(&self) -> (SharedMut<'a>, usize) {
        let part = self.output();
        (self.context.values_of_all(part), self.context.distance(part))
    }

    /// A region of the value that the step computes.
    ///
    /// # Safety
    /// It is this task's share: no other task of the phase writes or reads it, and this one has no other view of it.
    pub(crate) unsafe fn write(&self, image: usize, region: Region) -> ViewMut<'a> {
        // SAFETY: the caller's promise; nobody but the step's tasks use the value, see `new`.
        unsafe { self.target(image).region(region) }
    }

    /// One image of a caller's input.
    pub(crate) fn input(&self, index: usize, length: usize, image: usize) -> &'a [f32] {
        self.context.input(index, length, image)
    }

    /// All images of the pass of a caller's input.
    pub(crate) fn input_of_all(&self, index: usize, length: usize) -> &'a [f32] {
        self.context.input_of_all(index, length)
    }

    /// One image of a caller's output.
    pub(crate) fn caller_output(&self, index: usize, image: usize) -> SharedMut<'a> {
        self.context.output(index, image)
    }
}
