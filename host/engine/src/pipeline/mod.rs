//! From samples to labelled items.
//!
//! Samples are opened on several threads, in order ([`open`]): each becomes steps, among them the pictures that the
//! model is asked about ([`step`]). The model gets these in batches across samples ([`ask`]), and from its answers
//! the samples are put together again ([`assemble`]), on a thread of their own ([`run`]). Videos are opened there but
//! decoded only when it is their turn, frame by frame, so that memory does not grow with them ([`video`]).

mod ask;
mod assemble;
mod open;
mod ordered;
mod plan;
mod run;
mod step;
mod video;

pub(crate) use plan::Plan;
pub(crate) use run::run;
