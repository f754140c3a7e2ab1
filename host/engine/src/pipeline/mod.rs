//! From samples to labelled items.
//!
//! Samples are opened on several threads, in order ([`open`]): each becomes steps, among them the pictures that the
//! model is asked about ([`step`]). These are gathered into batches across samples ([`gather`]), of which the model gets
//! the next one while it is at work on one ([`ask`]), and from its answers the samples are put together again
//! ([`assemble`]), on a thread of their own ([`run`]). Videos are opened there but decoded only when it is their turn,
//! frame by frame, so that memory does not grow with them ([`video`]). What all of this holds of pictures stays within a
//! budget ([`budget`]), for which samples wait in their order ([`pool`]).

mod ask;
mod assemble;
mod budget;
mod gather;
mod memory;
mod open;
mod ordered;
mod plan;
mod pool;
mod run;
mod sizes;
mod slices;
mod step;
mod tracks;
mod video;

pub(crate) use plan::Plan;
pub(crate) use run::run;
